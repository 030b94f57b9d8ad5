test_that("layer_learnable_crop() crops inside the image, in all three modes", {
  skip_without_python()
  x <- array(runif(4 * 30 * 40), c(4, 30, 40, 1))
  for (size in c("fixed", "square", "free")) {
    layer <- layer_learnable_crop(height = 12, width = 16, size = size, return_boxes = TRUE)
    y <- layer(as_numpy(x))
    expect_identical(dim(from_numpy(y[[1]])), c(4L, 12L, 16L, 1L))
    boxes <- from_numpy(y[[2]])
    expect_true(all(boxes >= -1e-4) && all(boxes[, 3] <= 40 + 1e-4) && all(boxes[, 4] <= 30 + 1e-4))
    expect_equal(from_numpy(layer$locate(as_numpy(x))), boxes)
    expect_equal(
      from_numpy(y[[1]]), without_boxes(crop_boxes(x, boxes, 12, 16, antialias = TRUE)),
      tolerance = 1e-5
    )
  }
})

test_that("a model in R learns with it, and is the same after saving and loading", {
  skip_without_python()
  keras <- keras_module()
  digits <- cluttered_digits(64, seed = 1)
  model <- keras$Sequential(list(keras$Input(list(64L, 64L, 1L))))
  model |> layer_learnable_crop(24, 24, size = "square", name = "crop")
  model$add(keras$layers$Flatten())
  model$add(keras$layers$Dense(10L))
  model$compile("adam", keras$losses$SparseCategoricalCrossentropy(from_logits = TRUE))
  before <- from_numpy(model$layers[[1]]$trainable_weights[[2]])
  model$fit(as_numpy(digits$x), as_numpy(digits$y, NULL), epochs = 1L, verbose = 0L)
  expect_false(identical(from_numpy(model$layers[[1]]$trainable_weights[[2]]), before))
  file <- withr::local_tempfile(fileext = ".keras")
  model$save(file)
  again <- keras$saving$load_model(file)
  expect_equal(from_numpy(again(as_numpy(digits$x))), from_numpy(model(as_numpy(digits$x))), tolerance = 1e-5)
})

test_that("a localizer of one's own is used", {
  skip_without_python()
  keras <- keras_module()
  own <- keras$Sequential(list(keras$layers$Flatten(), keras$layers$Dense(2L, "sigmoid", kernel_initializer = "zeros")))
  layer <- layer_learnable_crop(height = 4, width = 6, localizer = own)
  expect_equal(from_numpy(layer$locate(as_numpy(some_images()))), matrix(c(3, 2.5, 9, 6.5), 3, 4, TRUE))
})

test_that("resize = FALSE keeps the scale, on a canvas", {
  skip_without_python()
  x <- array(runif(2 * 30 * 40), c(2, 30, 40, 1))
  layer <- layer_learnable_crop(
    height = 12, width = 16, size = "square", min_size = 8, max_size = 8, resize = FALSE, localizer = "global",
    return_boxes = TRUE
  )
  y <- layer(as_numpy(x))
  expect_equal(from_numpy(y[[2]]), matrix(c(16, 11, 24, 19), 2, 4, TRUE))
  expected <- array(0, c(2, 12, 16, 1))
  expected[, 1:8, 1:8, ] <- x[, 12:19, 17:24, ]
  expect_equal(from_numpy(y[[1]]), expected, tolerance = 1e-6)
})

test_that("a model made in R predicts from features of another part of the network", {
  skip_without_python()
  keras <- keras_module()
  own <- keras$Sequential(list(keras$layers$Dense(2L, "sigmoid", kernel_initializer = "zeros")))
  images <- keras$Input(list(30L, 40L, 1L))
  features <- keras$layers$GlobalAveragePooling2D()(keras$layers$Conv2D(4L, 3L)(images))
  crops <- layer_learnable_crop(list(images, features), 12, 16, localizer = own)
  x <- array(runif(2 * 30 * 40), c(2, 30, 40, 1))
  y <- from_numpy(keras$Model(images, crops)(as_numpy(x)))
  expect_equal(y, x[, 10:21, 13:28, , drop = FALSE], tolerance = 1e-6)
})

test_that("a larger view finds a smaller thing", {
  skip_without_python()
  image <- array(runif(400 * 400, 0, 0.1), c(1, 400, 400, 1))
  image[1, 301:304, 101:104, 1] <- 1
  found <- function(view) {
    layer <- layer_learnable_crop(height = 8, width = 8, view = view)
    box <- from_numpy(layer$locate(as_numpy(image)))
    max(abs(c(box[1] + box[3], box[2] + box[4]) / 2 - c(102, 302)))
  }
  expect_gt(found(16), 8)
  expect_lt(found(400), 4)
  expect_error(layer_learnable_crop(height = 8, width = 8, view = 3), "at least a cell", class = "kerascrop_error_size")
})

test_that("a seed gives the same exploration in training in every run", {
  skip_without_python()
  x <- as_numpy(array(runif(2 * 30 * 40), c(2, 30, 40, 1)))
  explored <- function(...) {
    keras_module()$utils$set_random_seed(1L) # the same weights
    layer <- layer_learnable_crop(height = 12, width = 16, return_boxes = TRUE, ...)
    from_numpy(layer(x, training = TRUE)[[2]])
  }
  expect_identical(explored(seed = 3), explored(seed = 3))
  expect_false(identical(explored(seed = 3), explored(seed = 4)))
})

test_that("wrong arguments are errors", {
  expect_error(layer_learnable_crop(NULL, 4, 4, seed = -1), "seed", class = "kerascrop_error_argument")
  expect_error(layer_learnable_crop(NULL, 4, 4, resize = 1), "resize", class = "kerascrop_error_argument")
  expect_error(layer_learnable_crop(NULL, 4, 4, size = "round"), "size", class = "kerascrop_error_argument")
  expect_error(layer_learnable_crop(NULL, 4, 4, min_size = -1), "min_size", class = "kerascrop_error_size")
  expect_error(layer_learnable_crop(NULL, 4, 4, max_size = "all"), "max_size", class = "kerascrop_error_size")
  expect_error(layer_learnable_crop(NULL, 4, 4, localizer = "local"), "localizer", class = "kerascrop_error_argument")
  expect_error(layer_learnable_crop(NULL, 4, 4, snap = NA), "snap", class = "kerascrop_error_argument")
  expect_error(layer_learnable_crop(NULL, 4, 4, view = 20.5), "view", class = "kerascrop_error_size")
  skip_without_python()
  expect_error(layer_learnable_crop(some_images(), 10, 4), class = "kerascrop_error_size")
  expect_error(
    layer_learnable_crop(some_images(), 4, 4, size = "square", min_size = 8, max_size = 6),
    "min_size", class = "kerascrop_error_size"
  )
  expect_error(
    layer_learnable_crop(some_images(), 4, 4, size = "square", max_size = 6, resize = FALSE),
    "on a canvas of .* Use a smaller `max_size`.*resize=TRUE", class = "kerascrop_error_size"
  )
  keras <- keras_module()
  own <- keras$Sequential(list(keras$layers$Flatten(), keras$layers$Dense(3L, "sigmoid")))
  expect_error(
    layer_learnable_crop(some_images(), 4, 4, localizer = own), "must return 2 numbers", class = "kerascrop_error_shape"
  )
})

test_that("several crops of an image have boxes and weights, which a pool joins", {
  skip_without_python()
  digits <- cluttered_digits(6, seed = 1)
  x <- as_numpy(digits$x)
  found <- layer_learnable_crop(x, 24, 24, crops = 3, return_boxes = TRUE)
  sizes <- lapply(found, function(part) dim(from_numpy(part)))
  expect_identical(sizes, list(c(6L, 3L, 24L, 24L, 1L), c(6L, 3L, 4L), c(6L, 3L)))
  weights <- from_numpy(found[[3]])
  expect_equal(rowSums(weights), rep(1, 6), tolerance = 1e-5)
  boxes <- from_numpy(found[[2]])
  cut <- crop_boxes(digits$x[2, , , 1], boxes[2, 3, ], 24, 24, antialias = TRUE)
  expect_equal(from_numpy(found[[1]])[2, 3, , , 1], cut, tolerance = 1e-4, ignore_attr = TRUE)
  answers <- array(runif(6 * 3 * 2), c(6, 3, 2))
  joined <- from_numpy(layer_crop_pool(list(as_numpy(answers), found[[3]])))
  expect_equal(joined, apply(answers * c(weights), c(1, 3), sum), tolerance = 1e-5)
  expect_error(layer_learnable_crop(x, 24, 24, crops = 0), "crops", class = "kerascrop_error_size")
  expect_error(layer_learnable_crop(x, 24, 24, crops = 99), "at most 4 `crops`", class = "kerascrop_error_size")
})

test_that("a map of the features of one's own network finds what stands out, and is saved", {
  skip_without_python()
  keras <- keras_module()
  backbone <- keras$Sequential(list(
    keras$Input(list(NULL, NULL, 1L)), keras$layers$Conv2D(4L, 3L, strides = 8L, padding = "same", activation = "relu")
  ))
  x <- withr::with_seed(1, array(rnorm(2 * 64 * 96), c(2, 64, 96, 1)))
  x[1, 9:24, 41:56, ] <- 9
  x[2, 33:48, 65:80, ] <- 9
  layer <- layer_learnable_crop(height = 16, width = 16, localizer = map_localizer(backbone, seed = 1))
  boxes <- from_numpy(layer$locate(as_numpy(x)))
  expect_lt(max(abs(boxes[, 1:2] - rbind(c(40, 8), c(64, 32)))), 8)
  expect_error(map_localizer(3), "`backbone` must be a Keras layer or model", class = "kerascrop_error_argument")
  expect_error(map_localizer(view = 3), "at least a cell of 4 pixels", class = "kerascrop_error_size")
  flat <- keras$Sequential(list(keras$Input(list(64L, 64L, 1L)), keras$layers$Flatten()))
  expect_error(
    layer_learnable_crop(as_numpy(x), 16, 16, localizer = map_localizer(flat)), "`backbone`",
    class = "kerascrop_error_shape"
  )
})
