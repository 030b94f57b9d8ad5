# Images that are dark, but for one pixel; rows and columns 3 away from it are inside.
spots <- function(rows = c(5, 15, 17), cols = c(8, 20, 27)) {
  x <- array(runif(length(rows) * 20 * 30), c(length(rows), 20, 30, 1))
  x[cbind(seq_along(rows), rows, cols, 1)] <- 2
  x
}

# The slices around these pixels, 7 x 7.
around <- function(x, rows = c(5, 15, 17), cols = c(8, 20, 27)) {
  aperm(vapply(seq_along(rows), function(i) x[i, rows[i] + -3:3, cols[i] + -3:3, ], matrix(0, 7, 7)), c(3, 1, 2))
}

around_brightest <- function(images, training) {
  t(apply(images, 1, function(image) {
    brightest <- which(image == max(image), arr.ind = TRUE)
    box_window(brightest[1] + -3:3, brightest[2] + -3:3)
  }))
}

# The same with tensors.
around_argmax <- function(images, training) {
  ops <- keras_module()$ops
  place <- ops$argmax(ops$reshape(images, c(-1L, 600L)), axis = 1L)
  x <- ops$cast(ops$mod(place, 30L), "float32")
  y <- ops$cast(ops$floor_divide(place, 30L), "float32")
  ops$add(ops$stack(list(x, y, x, y), axis = 1L), as_numpy(c(-3, -3, 4, 4)))
}

test_that("a function in plain R chooses what is cut out of arrays and tensors", {
  skip_without_python()
  x <- spots()
  expect_equal(from_numpy(layer_custom_crop(x, 7, 7, around_brightest))[, , , 1], around(x), tolerance = 1e-6)
  crop <- layer_custom_crop(height = 7, width = 7, choose = around_brightest, return_boxes = TRUE)
  y <- as_arrays(crop(as_numpy(x)))
  expect_equal(y[[1]][, , , 1], around(x), tolerance = 1e-6)
  expect_equal(y[[2]][2, ], c(16, 11, 23, 18))
  expect_output(print(crop), "CustomCrop")
})

test_that("the function sees R arrays with the channels last, and whether this is training", {
  skip_without_python()
  seen <- list()
  box <- box_window(2:3, 4:6)
  choose <- function(images, training) {
    seen <<- c(seen, list(images, training))
    box[rep(1, dim(images)[1]), ]
  }
  x <- some_images()
  crop <- layer_custom_crop(height = 2, width = 3, choose = choose)
  expect_equal(from_numpy(crop(x)), x[, 2:3, 4:6, ])
  expect_equal(from_numpy(crop(x[1, , , ], training = TRUE)), x[1, 2:3, 4:6, ])
  expect_equal(seen, list(x, FALSE, x[1, , , , drop = FALSE], TRUE))
  seen <- list()
  first <- layer_custom_crop(aperm(x, c(1, 4, 2, 3)), 2, 3, choose, "channels_first")
  expect_equal(from_numpy(first), aperm(x, c(1, 4, 2, 3))[, , 2:3, 4:6])
  expect_equal(seen[[1]], x)
})

test_that("boxes may be four numbers, a data frame, or a tensor; masks go along", {
  skip_without_python()
  x <- some_images()
  expected <- x[, 2:3, 4:6, ]
  frame <- data.frame(y1 = 1, x1 = 3, y2 = 3, x2 = 6)[c(1, 1, 1), ]
  tensor <- as_numpy(box_window(2:3, 4:6)[c(1, 1, 1), ])
  expect_equal(from_numpy(layer_custom_crop(x, 2, 3, function(images, training) frame)), expected)
  expect_equal(from_numpy(layer_custom_crop(x, 2, 3, function(...) tensor)), expected)
  expect_equal(from_numpy(layer_custom_crop(x[1, , , ], 2, 3, function(...) c(3, 1, 6, 3))), x[1, 2:3, 4:6, ])
  masks <- array(sample(0:9, 3 * 9 * 12, TRUE), c(3, 9, 12))
  y <- as_arrays(layer_custom_crop(list(images = x, segmentation_masks = masks), 2, 3, function(...) frame))
  expect_equal(y, list(images = expected, segmentation_masks = masks[, 2:3, 4:6]))
})

test_that("large boxes are averaged with antialias", {
  skip_without_python()
  x <- spots()
  crop <- function(...) from_numpy(layer_custom_crop(x, 2, 3, function(...) cbind(0, 0, 30, c(20, 20, 20)), ...))
  expected <- crop_boxes(x, c(0, 0, 30, 20), 2, 3, antialias = TRUE)
  expect_equal(crop(antialias = TRUE), without_boxes(expected), tolerance = 1e-5)
  expect_false(isTRUE(all.equal(crop(), crop(antialias = TRUE), tolerance = 1e-2)))
})

test_that("a model predicts and learns: with tensors in its graph, in plain R where it runs eagerly", {
  skip_without_python()
  keras <- keras_module()
  x <- spots()
  for (choose in list(around_argmax, around_brightest)) {
    images <- keras$Input(list(20L, 30L, 1L))
    crops <- images |> layer_custom_crop(7, 7, choose)
    model <- keras$Model(images, list(crops, keras$layers$Dense(1L)(keras$layers$Flatten()(crops))))
    model$compile(loss = list(NULL, "mse"), run_eagerly = identical(choose, around_brightest))
    y <- model$predict(as_numpy(x), verbose = 0L)
    expect_equal(y[[1]][, , , 1], around(x), tolerance = 1e-6)
    before <- from_numpy(model$trainable_weights[[1]])
    model$fit(as_numpy(x), list(as_numpy(x[, 1:7, 1:7, , drop = FALSE]), as_numpy(1:3)), verbose = 0L)
    expect_false(identical(from_numpy(model$trainable_weights[[1]]), before))
  }
  # a function for tensors will do for arrays, too
  expect_equal(from_numpy(layer_custom_crop(x, 7, 7, around_argmax))[, , , 1], around(x), tolerance = 1e-6)
})

test_that("a model is saved without the function, says so, and goes on from its weights", {
  skip_without_python()
  keras <- keras_module()
  x <- spots()
  make <- function() {
    images <- keras$Input(list(20L, 30L, 1L))
    crops <- images |> layer_custom_crop(7, 7, around_argmax, name = "spot")
    keras$Model(images, keras$layers$Dense(2L)(keras$layers$Flatten()(crops)))
  }
  model <- make()
  expected <- from_numpy(model(as_numpy(x)))
  folder <- withr::local_tempdir()
  model$save(file.path(folder, "model.keras"))
  loaded <- keras$saving$load_model(file.path(folder, "model.keras"))
  expect_equal(from_numpy(loaded$weights[[1]]), from_numpy(model$weights[[1]]))
  error <- rlang::catch_cnd(loaded$get_layer("spot")(x), "error")
  expect_s3_class(error, "kerascrop_error_argument")
  expect_match(conditionMessage(error), "spot.* function")
  model$save_weights(file.path(folder, "model.weights.h5"))
  again <- make()
  again$load_weights(file.path(folder, "model.weights.h5"))
  expect_equal(from_numpy(again(as_numpy(x))), expected)
})

test_that("a new session loads a saved model", {
  skip_without_python()
  keras <- keras_module()
  file <- withr::local_tempfile(fileext = ".keras")
  keras$Sequential(list(keras$Input(list(20L, 30L, 1L)), layer_custom_crop(NULL, 7, 7, around_argmax)))$save(file)
  out <- in_new_process(c(
    "library(kerascrop)", "keras <- reticulate::import('keras')",
    sprintf("cat('It is', class(keras$saving$load_model('%s')$layers[[1]])[1])", file)
  ))
  expect_match(out, "^It is kerascrop.*CustomCrop$", all = FALSE)
})

test_that("a function that is none is an error before Python starts", {
  expect_snapshot(error = TRUE, {
    layer_custom_crop(height = 4, width = 4)
    layer_custom_crop(NULL, 4, 4, box_window(1:4, 1:4))
    layer_custom_crop(NULL, 4, 4, function() 1:4)
    layer_custom_crop(NULL, 4, 4, function(images) 1:4)
    layer_custom_crop(4, 4, function(images, training) 1:4)
  })
})

test_that("boxes that are none, and a function that fails, are errors in the name of the user's call", {
  skip_without_python()
  x <- some_images()
  boxes <- box_window(2:3, 4:6)[c(1, 1, 1), ]
  crop <- function(value) layer_custom_crop(height = 2, width = 3, choose = function(...) value)(x)
  for (value in list(NULL, "a", 1:4, boxes[, 1:3], boxes[1:2, ], replace(boxes, 1, NA), replace(boxes, 2, NaN),
                     replace(boxes, 3, Inf), boxes[, c(3, 4, 1, 2)] |> unname(), list(boxes), function() boxes)) {
    expect_error(crop(value), "choose", class = "kerascrop_error_box")
  }
  fails <- layer_custom_crop(height = 2, width = 3, choose = function(images, training) stop("no face is there"))
  error <- rlang::catch_cnd(fails(x), "error")
  expect_s3_class(error, "kerascrop_error_argument")
  expect_identical(error$call, quote(fails(x)))
  expect_snapshot(error = TRUE, {
    fails(x)
    layer_custom_crop(x, 2, 3, function(images, training) stop("no face is there"))
    layer_custom_crop(x, 2, 3, function(images, training) NULL)
    layer_custom_crop(x, 2, 3, function(images, training) boxes[1:2, ])
    layer_custom_crop(x, 2, 3, function(images, training) replace(boxes, 2, NA))
  })
})

test_that("in a model's graph errors say what symbolic tensors need", {
  skip_without_python()
  keras <- keras_module()
  predict_with <- function(choose) {
    images <- keras$Input(list(20L, 30L, 1L))
    keras$Model(images, layer_custom_crop(images, 7, 7, choose))$predict(as_numpy(spots()), verbose = 0L)
  }
  expect_error(predict_with(around_brightest), "choose.*failed.*run_eagerly")
  expect_error(predict_with(function(...) box_window(1:7, 1:7)), "choose.*must return.*op_.*run_eagerly")
})

test_that("a user's own error in a graph keeps its words, plainly, whatever made it", {
  skip_without_python()
  keras <- keras_module()
  fails <- function(images, training) {
    if (is.array(images)) return(matrix(c(1, 1, 3, 3), 2, 4, byrow = TRUE))
    rlang::abort(c("no such thing", i = "a hint"), class = "of_the_user")
  }
  images <- keras$Input(list(9L, 12L, 1L))
  model <- keras$Model(images, layer_custom_crop(images, 3, 3, fails))
  x <- as_numpy(array(0, c(2, 9, 12, 1)))
  text <- conditionMessage(rlang::catch_cnd(model$predict(x, verbose = 0L), "error"))
  expect_match(text, "no such thing")
  expect_match(text, "run_eagerly")
  expect_no_match(text, "\033", fixed = TRUE)
})
