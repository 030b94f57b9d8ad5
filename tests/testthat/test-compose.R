test_that("without an object the layer comes back", {
  skip_without_python()
  for (layer in list(layer_center_crop(height = 4, width = 5), layer_center_crop(NULL, 4, 5))) {
    expect_s3_class(layer, "kerascrop.layers.center.CenterCrop")
    expect_equal(from_numpy(layer(as_numpy(some_images()))) |> dim(), c(3, 4, 5, 3))
  }
})

test_that("a layer prints one line", {
  skip_without_python()
  expect_snapshot({
    layer_center_crop(height = 4, width = 5, if_smaller = "pad", name = "crop")
    layer_uncrop(height = 9, width = 12, name = "back")
  })
})

test_that("a layer called by itself takes what its function takes", {
  skip_without_python()
  x <- some_images()
  layer <- layer_center_crop(height = 4, width = 5)
  expect_equal(from_numpy(layer(x)), x[, 3:6, 4:8, ])
  expect_equal(from_numpy(layer(list(images = x, labels = 1:3))$images), x[, 3:6, 4:8, ])
  random <- layer_random_crop(height = 4, width = 5, seed = 1)
  expect_false(identical(from_numpy(random(x, training = TRUE)), from_numpy(random(x))))
  # numbers of images count from 1, whole crops go back
  boxes <- box_window(3:6, 4:8)
  crops <- layer_box_crop(height = 4, width = 5)(list(x, boxes, 2))
  expect_equal(from_numpy(crops)[1, , , ], x[2, 3:6, 4:8, ])
  back <- from_numpy(layer_uncrop(height = 9, width = 12)(list(crops, boxes)))
  expect_equal(back[1, 3:6, 4:8, ], x[2, 3:6, 4:8, ])
  expect_identical(sum(back != 0), length(x[2, 3:6, 4:8, ]))
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(9L, 12L, 3L))))
  model |> layer()
  expect_length(model$layers, 1)
  expect_equal(from_numpy(model$layers[[1]](x)), x[, 3:6, 4:8, ])
})

test_that("a layer called by itself has errors of the package's classes, in the name of the call", {
  skip_without_python()
  crop <- layer_center_crop(height = 10, width = 5, name = "crop")
  error <- rlang::catch_cnd(crop(some_images()), "error")
  expect_s3_class(error, "kerascrop_error_size")
  expect_identical(error$call, quote(crop(some_images())))
  expect_error(crop(array(0, c(60, 28, 28))), class = "kerascrop_error_shape")
  expect_error(crop(as_numpy(matrix(0, 9, 9))), class = "kerascrop_error_shape")
  expect_error(crop(some_images(), colour = "red"), "colour", class = "kerascrop_error_python")
  boxes <- layer_box_crop(height = 4, width = 5)
  expect_error(boxes(list(some_images(), c(0, 0, NA, 1))), class = "kerascrop_error_box")
  expect_error(boxes(some_images()), class = "kerascrop_error_argument")
  expect_snapshot(error = TRUE, {
    crop()
    crop(20)
    crop("a")
    crop(array(0, c(2, 9, 12, 3)))
    crop(as.raster(matrix(0, 20, 20)))
  })
})

test_that("a Sequential model is added to, and returned invisibly", {
  skip_without_python()
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(9L, 12L, 3L))))
  result <- withVisible(model |> layer_center_crop(4, 5, name = "middle"))
  expect_false(result$visible)
  expect_length(model$layers, 1)
  expect_identical(model$layers[[1]]$name, "middle")
  x <- some_images()
  expect_equal(from_numpy(model(as_numpy(x))), x[, 3:6, 4:8, ])
})

test_that("a layer that does not fit leaves the model as it was", {
  skip_without_python()
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(9L, 12L, 3L))))
  model |> layer_center_crop(8, 8)
  expect_error(model |> layer_center_crop(9, 8), class = "kerascrop_error_size")
  expect_length(model$layers, 1)
  expect_equal(dim(from_numpy(model(as_numpy(some_images())))), c(3, 8, 8, 3))
  model |> layer_center_crop(6, 6, name = "last")
  expect_error(model |> layer_center_crop(4, 4, name = "last"), "last", class = "kerascrop_error_python")
  expect_length(model$layers, 2)
})

test_that("single images with the channels first, and named lists, are taken", {
  skip_without_python()
  x <- some_images(c(3, 9, 12))
  expect_equal(from_numpy(layer_center_crop(x, 4, 5, data_format = "channels_first")), x[, 3:6, 4:8])
  keras <- keras_module()
  keras$config$set_image_data_format("channels_first")
  withr::defer(keras$config$set_image_data_format("channels_last"))
  expect_equal(from_numpy(layer_center_crop(x, 4, 5)), x[, 3:6, 4:8])
  keras$config$set_image_data_format("channels_last")
  x <- some_images()
  boxes <- box_window(1:2, 1:3)[c(1, 1, 1), ]
  expect_equal(from_numpy(layer_box_crop(list(x, boxes), 2, 3)), x[, 1:2, 1:3, ])
  named <- layer_box_crop(list(images = x, boxes = boxes), 2, 3)
  expect_equal(from_numpy(named$images), x[, 1:2, 1:3, ])
})

test_that("tensors, symbolic tensors and arrays are cropped", {
  skip_without_python()
  keras <- keras_module()
  input <- keras$Input(list(9L, 12L, 3L))
  output <- input |> layer_border_crop(1) |> layer_center_crop(4, 5)
  model <- keras$Model(input, output)
  x <- some_images()
  expect_equal(from_numpy(model(as_numpy(x))), x[, 3:6, 4:8, ])
  expect_equal(from_numpy(layer_center_crop(x, 4, 5)), x[, 3:6, 4:8, ])
  expect_equal(from_numpy(layer_center_crop(as_numpy(x), 4, 5)), x[, 3:6, 4:8, ])
  integers <- x
  storage.mode(integers) <- "integer"
  expect_identical(from_numpy(layer_center_crop(integers, 4, 5)), integers[, 3:6, 4:8, ])
})

test_that("names follow the order of the pipe", {
  skip_without_python()
  keras <- keras_module()
  keras$utils$clear_session()
  input <- keras$Input(list(9L, 12L, 3L))
  output <- input |> layer_center_crop(8, 8) |> layer_center_crop(6, 6) |> layer_center_crop(4, 4)
  names <- vapply(keras$Model(input, output)$layers[-1], function(layer) layer$name, "")
  expect_identical(names, paste0("kerascrop_center_crop", c("", "_1", "_2")))
})

test_that("arguments of the base layer pass, unnamed and unknown ones do not", {
  skip_without_python()
  layer <- layer_center_crop(height = 4, width = 5, name = "crop", trainable = FALSE)
  expect_identical(layer$name, "crop")
  expect_error(layer_center_crop(NULL, 4, 5, NULL, 3), class = "kerascrop_error_argument")
  expect_error(layer_center_crop(NULL, 4, 5, colour = "red"), "colour", class = "kerascrop_error")
})

test_that("what cannot be composed with is an error that shows the call that was meant", {
  expect_error(layer_center_crop(20, 20), class = "kerascrop_error_argument")
  expect_error(layer_border_crop("model", 4), class = "kerascrop_error_argument")
  expect_error(layer_center_crop(quote(x), 4, 4), class = "kerascrop_error_argument")
  expect_snapshot(error = TRUE, {
    layer_center_crop(20, 20)
    layer_border_crop(4)
    layer_center_crop("model", 20, 20)
    layer_center_crop(list(1, 2), 20, 20)
  })
  skip_without_python()
  keras <- keras_module()
  input <- keras$Input(list(9L, 12L, 3L))
  functional <- keras$Model(input, input |> layer_center_crop(8, 8))
  expect_error(functional |> layer_center_crop(4, 4), "outputs", class = "kerascrop_error_argument")
  with_boxes <- layer_random_crop(input, 4, 4, return_boxes = TRUE)
  expect_error(with_boxes |> layer_center_crop(2, 2), class = "kerascrop_error_argument")
})

test_that("shapes that do not fit are errors in the name of the user's call", {
  skip_without_python()
  expect_error(layer_center_crop(some_images(), 10, 5), class = "kerascrop_error_size")
  expect_error(layer_center_crop(array(0, c(60, 28, 28)), 4, 4), class = "kerascrop_error_shape")
  expect_error(layer_center_crop(matrix(0, 9, 9), 4, 4), class = "kerascrop_error_shape")
  expect_error(keras_module()$Input(list(28L, 28L)) |> layer_center_crop(4, 4), class = "kerascrop_error_shape")
  keras_module()$utils$clear_session()
  expect_snapshot(error = TRUE, {
    layer_center_crop(array(0, c(2, 9, 12, 3)), 10, 5)
    layer_center_crop(matrix(0, 9, 9), 4, 4)
    layer_center_crop(NULL, 4, 4, NULL, 3)
  })
})

test_that("keras3 models take the layers", {
  skip_if_not_installed("keras3")
  skip_without_python()
  model <- keras3::keras_model_sequential(input_shape = c(9, 12, 3)) |>
    layer_center_crop(8, 8) |>
    keras3::layer_conv_2d(2, 3) |>
    layer_random_crop(4, 4, seed = 1)
  x <- some_images()
  expect_identical(dim(predict(model, x, verbose = 0)), c(3L, 4L, 4L, 2L))
  input <- keras3::keras_input(c(9, 12, 3))
  model <- keras3::keras_model(input, input |> layer_border_crop(2))
  expect_equal(predict(model, x, verbose = 0), x[, 3:7, 3:10, ])
  file <- withr::local_tempfile(fileext = ".keras")
  keras3::save_model(model, file)
  expect_equal(predict(keras3::load_model(file), x, verbose = 0), x[, 3:7, 3:10, ])
})

joint_input <- function() {
  x <- some_images(c(2, 9, 12, 3))
  list(
    images = x,
    segmentation_masks = array(sample(0:9, 2 * 9 * 12, TRUE), c(2, 9, 12)),
    bounding_boxes = list(
      boxes = aperm(array(c(5, 4, 9, 7, 0, 0, 2, 2, 1, 1, 12, 9, 0, 0, 0, 0), c(4, 2, 2)), 3:1),
      labels = rbind(c(3, 7), c(1, -1))
    ),
    keypoints = array(c(4, 0, 6, 11, 5, 1, 3, 8), c(2, 2, 2)),
    labels = c(1, 0)
  )
}

test_that("a named list is cropped alike and comes back as one", {
  skip_without_python()
  data <- joint_input()
  y <- as_arrays(layer_center_crop(data, 4, 5)) # rows 3 to 6, columns 4 to 8
  expect_named(y, names(data))
  expect_equal(y$images, data$images[, 3:6, 4:8, ])
  expect_identical(y$segmentation_masks, data$segmentation_masks[, 3:6, 4:8])
  # each box moved by 3 and 2, cut off at 5 and 4; what is outside is dropped
  expect_equal(y$bounding_boxes$boxes[1, , ], rbind(c(2, 2, 5, 4), 0))
  expect_equal(y$bounding_boxes$boxes[2, , ], rbind(c(0, 0, 5, 4), 0))
  expect_equal(y$bounding_boxes$labels, rbind(c(3, -1), c(1, -1)))
  expect_equal(y$keypoints, sweep(data$keypoints, 3, c(3, 2)))
  expect_equal(y$labels, c(1, 0))
})

test_that("every crop layer takes a named list", {
  skip_without_python()
  data <- joint_input()
  boxes <- box_window(3:6, 4:8)[c(1, 1), ]
  crops <- list(
    layer_center_crop(data, 4, 5), layer_border_crop(data, list(c(2, 3), c(3, 4))), layer_random_crop(data, 4, 5),
    layer_box_crop(c(data, list(boxes = boxes)), 4, 5)
  )
  for (y in lapply(crops, as_arrays)) {
    expect_equal(y$images, data$images[, 3:6, 4:8, ])
    expect_identical(y$segmentation_masks, data$segmentation_masks[, 3:6, 4:8])
    expect_equal(y$bounding_boxes$labels, rbind(c(3, -1), c(1, -1)))
  }
  y <- as_arrays(layer_multi_crop(data, 4, 5, return_boxes = TRUE))
  for (i in 1:4) {
    rows <- box_rows(y[[2]][1, i, ])
    cols <- box_cols(y[[2]][1, i, ])
    expect_equal(y[[1]]$images[, i, , , ], data$images[, rows, cols, ])
    expect_identical(y[[1]]$segmentation_masks[, i, , ], data$segmentation_masks[, rows, cols])
  }
  y <- as_arrays(layer_random_resized_crop(data, 9, 12)) # the whole image
  expect_equal(y$images, data$images, tolerance = 1e-5)
  expect_identical(y$segmentation_masks, data$segmentation_masks)
  y <- layer_learnable_crop(data, 4, 5, return_boxes = TRUE)
  expect_identical(dim(from_numpy(y[[1]]$segmentation_masks)), c(2L, 4L, 5L))
})

test_that("single images, empty parts and logical masks go along", {
  skip_without_python()
  x <- some_images(c(9, 12, 3))
  y <- layer_center_crop(list(images = x, segmentation_masks = x > 9, bounding_boxes = NULL), 4, 5)
  expect_named(y, c("images", "segmentation_masks"))
  expect_equal(from_numpy(y$images), x[3:6, 4:8, ])
  expect_identical(from_numpy(y$segmentation_masks), x[3:6, 4:8, ] > 9)
})

test_that("min_visible and box_format reach the boxes of a named list", {
  skip_without_python()
  data <- joint_input()
  labels <- function(...) from_numpy(layer_center_crop(data, 4, 5, ...)$bounding_boxes$labels)[, 1]
  expect_equal(labels(min_visible = 0.15), c(3, 1))
  expect_equal(labels(min_visible = 0.5), c(3, -1)) # 20 of 88 pixels are left of the second
  relative <- data
  relative$bounding_boxes$boxes <- sweep(data$bounding_boxes$boxes, 3, c(12, 9, 12, 9), "/")
  y <- layer_center_crop(relative, 4, 5, box_format = "rel_xyxy")
  expect_equal(from_numpy(y$bounding_boxes$boxes)[1, 1, ], c(2 / 5, 2 / 4, 1, 1), tolerance = 1e-6)
})

test_that("a blob drawn in an image, its mask and its box stay together", {
  skip_without_python()
  withr::local_seed(1)
  x <- array(0, c(16, 32, 40, 1))
  boxes <- array(0, c(16, 1, 4))
  for (i in 1:16) {
    rows <- sample(26, 1) + 0:5
    cols <- sample(33, 1) + 0:7
    x[i, rows, cols, 1] <- i
    boxes[i, 1, ] <- box_window(rows, cols)
  }
  masks <- array(as.integer(x), c(16, 32, 40))
  layer <- layer_random_crop(height = 16, width = 16, seed = 3, focus = "boxes", min_visible = 1)
  y <- as_arrays(layer(list(
    images = as_numpy(x), segmentation_masks = as_numpy(masks, NULL),
    bounding_boxes = list(boxes = as_numpy(boxes), labels = as_numpy(matrix(1:16), NULL))
  ), training = TRUE))
  expect_equal(y$images[, , , 1], y$segmentation_masks)
  expect_identical(y$bounding_boxes$labels, matrix(1:16))
  for (i in 1:16) {
    box <- y$bounding_boxes$boxes[i, 1, ]
    expected <- matrix(0L, 16, 16)
    expected[box_rows(box), box_cols(box)] <- i
    expect_identical(y$segmentation_masks[i, , ], expected)
    expect_identical(c(length(box_rows(box)), length(box_cols(box))), c(6L, 8L))
  }
})

test_that("symbolic tensors in a named list make a model", {
  skip_without_python()
  keras <- keras_module()
  inputs <- list(
    images = keras$Input(list(9L, 12L, 3L), name = "images"),
    segmentation_masks = keras$Input(list(9L, 12L), name = "segmentation_masks", dtype = "int32")
  )
  model <- keras$Model(inputs, inputs |> layer_border_crop(c(2, 3)))
  data <- joint_input()
  y <- model(list(images = as_numpy(data$images), segmentation_masks = as_numpy(data$segmentation_masks, NULL)))
  expect_equal(from_numpy(y$images), data$images[, 3:7, 4:9, ])
  expect_identical(from_numpy(y$segmentation_masks), data$segmentation_masks[, 3:7, 4:9])
})

test_that("parts of a named list that do not fit are named", {
  skip_without_python()
  data <- joint_input()
  with <- function(...) utils::modifyList(data, list(...))
  crop <- function(...) layer_center_crop(with(...), 4, 4)
  expect_error(crop(segmentation_masks = array(0L, c(2, 8, 8))), "masks", class = "kerascrop_error_shape")
  expect_error(crop(keypoints = matrix(0, 2, 2)), "key points", class = "kerascrop_error_shape")
  expect_error(crop(images = array(0, c(20, 28, 28))), "images", class = "kerascrop_error_shape")
  expect_error(crop(bounding_boxes = list(labels = matrix(1, 2, 5))), "label", class = "kerascrop_error_box")
  expect_error(crop(labels = factor(1:2)), "labels", class = "kerascrop_error_argument")
  near <- list(images = data$images, mask = data$segmentation_masks)
  expect_error(layer_random_crop(near, 4, 4), "segmentation_masks", class = "kerascrop_error_argument")
  expect_error(layer_box_crop(data, 4, 4), "named list", class = "kerascrop_error_argument")
  keras_module()$utils$clear_session()
  expect_snapshot(error = TRUE, {
    layer_center_crop(list(image = data$images), 4, 4)
    layer_center_crop(list(images = data$images, data$segmentation_masks), 4, 4)
    layer_center_crop(list(images = data$images, boxes = data$bounding_boxes), 4, 4, name = "crop")
    layer_center_crop(list(images = array(0, c(20, 28, 28))), 4, 4)
    layer_center_crop(with(segmentation_masks = array(0L, c(2, 8, 8))), 4, 4)
    layer_center_crop(with(segmentation_masks = array(NA, c(2, 9, 12))), 4, 4)
    layer_center_crop(list(images = data$images, bounding_boxes = data$bounding_boxes$boxes), 4, 4)
    layer_center_crop(with(bounding_boxes = list(labels = matrix(1, 2, 5))), 4, 4)
    layer_center_crop(with(bounding_boxes = list(boxes = array(NaN, c(2, 2, 4)))), 4, 4)
    layer_center_crop(with(id = c("a", "b")), 4, 4)
  })
})

test_that("what looks like a part passes only if that is said", {
  skip_without_python()
  x <- some_images(c(2, 9, 12, 1))
  box <- array(1:8, c(2, 1, 4))
  for (extra in list(list(bbox = box), list(objects = list(bbox = box)), list(depth = array(0, c(2, 9, 12))))) {
    data <- c(list(images = x), extra)
    expect_error(layer_center_crop(data, 4, 4), "pass_through", class = "kerascrop_error_argument")
    y <- layer_center_crop(data, 4, 4, pass_through = c("bbox", "objects/bbox", "depth"))
    expect_equal(unlist(as_arrays(y[-1])), as.double(unlist(extra)), ignore_attr = TRUE)
  }
})

test_that("lists in a named list are looked at, too", {
  skip_without_python()
  x <- some_images(c(2, 9, 12, 1))
  y <- layer_center_crop(list(images = x, extra = list(a = 1:2, b = as_numpy(matrix(1:4, 2)))), 4, 4)
  expect_identical(as_arrays(y$extra), list(a = 1:2, b = matrix(as.double(1:4), 2)))
  text <- list(images = x, extra = list("a"))
  expect_error(layer_center_crop(text, 4, 4), "extra", class = "kerascrop_error_argument")
  boxes <- list(boxes = array(1:4, c(2, 1, 4)), labels = list(1, 2))
  expect_error(
    layer_center_crop(list(images = x, bounding_boxes = boxes), 4, 4), "labels", class = "kerascrop_error_argument"
  )
})

test_that("an array from as_numpy() that lacks an axis is not taken for one image", {
  skip_without_python()
  grey <- as_numpy(array(0, c(60, 28, 28)))
  expect_error(layer_center_crop(grey, 4, 4), "dim(x) <- c(1, dim(x))", fixed = TRUE, class = "kerascrop_error_shape")
  sequences <- as_numpy(array(0, c(5, 28, 3)))
  model <- keras_module()$Sequential()
  model |> layer_center_crop(4, 3)
  expect_error(with_python_errors(model(sequences)), "in a model", class = "kerascrop_error_shape")
  expect_error(layer_center_crop_1d(as_numpy(matrix(0, 60, 784)), 4), class = "kerascrop_error_shape")
})

test_that("what is of Keras 2 stops every layer function, and tells of keras3", {
  skip_without_python()
  code <- "
def fake(module, name):
  return type(name, (), {'__module__': module, 'shape': (None, 9, 12, 3), 'dtype': 'float32'})()
"
  fake <- reticulate::py_run_string(code, local = TRUE)$fake
  legacy <- list(
    fake("tf_keras.src.engine.keras_tensor", "KerasTensor"), fake("tf_keras.src.engine.sequential", "Sequential"),
    fake("keras.engine.sequential", "Sequential"), fake("keras.src.engine.functional", "Functional"),
    fake("tensorflow.python.keras.engine.keras_tensor", "KerasTensor")
  )
  for (object in legacy) {
    expect_error(object |> layer_random_crop(4, 4), "keras3", class = "kerascrop_error_argument")
    expect_error(layer_uncrop(list(object, object), 9, 12), "keras3", class = "kerascrop_error_argument")
    expect_error(layer_center_crop(list(images = object), 4, 4), "keras3", class = "kerascrop_error_argument")
    expect_error(layer_random_crop(height = 4, width = 4)(object), "keras3", class = "kerascrop_error_argument")
  }
})

test_that("the first layer of a Sequential model takes an input_shape, as keras3's do", {
  skip_without_python()
  keras <- keras_module()
  x <- some_images()
  for (shape in list(c(9, 12, 3), list(9L, NULL, 3L), c(NA, NA, 3))) {
    model <- keras$Sequential()
    suppressWarnings(model |> layer_center_crop(4, 5, input_shape = shape))
    expect_identical(unlist(model$output_shape), c(4L, 5L, 3L))
    expect_equal(from_numpy(model(as_numpy(x))), x[, 3:6, 4:8, ])
  }
  model <- keras$Sequential(list(layer_random_crop(height = 4, width = 5, input_shape = c(9, 12, 3))))
  expect_length(model$layers, 1)
  expect_identical(unlist(model$input_shape), c(9L, 12L, 3L))
  for (shape in list("a", 0, c(9, 1.5, 3), list(1:2), character())) {
    expect_error(layer_center_crop(NULL, 4, 5, input_shape = shape), "input_shape", class = "kerascrop_error_argument")
  }
})
