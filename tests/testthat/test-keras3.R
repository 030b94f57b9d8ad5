# What R users build with the package keras3. Where it cannot be loaded, each test skips by name.
skip_without_keras3 <- function() {
  skip_without_python()
  skip_if_not_installed("keras3")
}

# Layers that keep four axes, so that a convolution can follow; what they take besides their input.
image_layers <- function() {
  list(
    center = function(x) layer_center_crop(x, 6, 6), border = function(x) layer_border_crop(x, 1),
    random = function(x) layer_random_crop(x, 6, 6, seed = 1),
    resized = function(x) layer_random_resized_crop(x, 6, 6, seed = 1),
    learnable = function(x) layer_learnable_crop(x, 6, 6, size = "square")
  )
}

small_digits <- function(n = 8) list(x = array(runif(n * 9 * 12), c(n, 9, 12, 1)), y = rep(0:1, length.out = n))

test_that("the packages can be attached in any order, which says what is masked", {
  skip_without_keras3()
  calls <- "for (crop in list(layer_center_crop, layer_random_crop)) cat(dim(crop(array(0, c(2, 9, 12, 3)), 4, 5)), '')
            model <- keras_model_sequential(input_shape = c(9, 12, 3)) |>
              layer_center_crop(4, 5) |> kerascrop::layer_random_crop(3, 3)
            cat('|', dim(predict(model, array(0, c(2, 9, 12, 3)), verbose = 0)))"
  for (order in list(c("keras3", "kerascrop"), c("kerascrop", "keras3"))) {
    out <- paste(in_new_process(c(sprintf("library(%s)", order), calls)), collapse = " ")
    expect_match(out, "masked from .package:(keras3|kerascrop).:\\s+layer_center_crop, layer_random_crop")
    expect_match(out, "\\| 2 3 3 3$")
  }
})

test_that("every layer works in a Sequential model: fit, evaluate, predict, summary, save and load", {
  skip_without_keras3()
  data <- small_digits()
  for (name in names(image_layers())) {
    layer <- image_layers()[[name]]
    model <- layer(keras3::keras_model_sequential(input_shape = c(9, 12, 1))) |>
      keras3::layer_conv_2d(2, 3) |>
      keras3::layer_global_average_pooling_2d() |>
      keras3::layer_dense(2, activation = "softmax")
    expect_length(model$layers, 4)
    keras3::compile(model, "adam", "sparse_categorical_crossentropy", metrics = "accuracy")
    history <- keras3::fit(model, data$x, data$y, epochs = 2, batch_size = 4, verbose = 0)
    expect_true(all(is.finite(history$metrics$loss)), info = name)
    expect_true(is.finite(as.numeric(keras3::evaluate(model, data$x, data$y, verbose = 0)$loss)), info = name)
    expect_match(paste(capture.output(summary(model)), collapse = " "), python_class(model$layers[[1]]))
    before <- predict(model, data$x, verbose = 0)
    expect_identical(dim(before), c(8L, 2L))
    file <- withr::local_tempfile(fileext = ".keras")
    keras3::save_model(model, file)
    expect_equal(predict(keras3::load_model(file), data$x, verbose = 0), before, tolerance = 1e-6)
  }
})

test_that("sequences and volumes go through keras3's models", {
  skip_without_keras3()
  x <- array(runif(2 * 9 * 3), c(2, 9, 3))
  model <- keras3::keras_model_sequential(input_shape = c(9, 3)) |> layer_center_crop_1d(5) |>
    layer_border_crop_1d(c(1, 0)) |> layer_random_crop_1d(3)
  expect_equal(predict(model, x, verbose = 0), x[, 4:6, ], tolerance = 1e-6)
  x <- array(runif(2 * 5 * 6 * 7), c(2, 5, 6, 7, 1))
  model <- keras3::keras_model_sequential(input_shape = c(5, 6, 7, 1)) |> layer_center_crop_3d(3, 4, 5) |>
    layer_border_crop_3d(1)
  expect_equal(predict(model, x, verbose = 0), x[, 3, 3:4, 3:5, , drop = FALSE], tolerance = 1e-6)
})

test_that("functional models take boxes, give several crops and put them back", {
  skip_without_keras3()
  x <- some_images(c(2, 9, 12, 3))
  images <- keras3::keras_input(c(9, 12, 3))
  boxes <- keras3::keras_input(4)
  model <- keras3::keras_model(list(images, boxes), layer_box_crop(list(images, boxes), 4, 5))
  where <- rbind(box_window(1:4, 1:5), box_window(6:9, 8:12))
  y <- predict(model, list(x, where), verbose = 0)
  expect_equal(y[1, , , ], x[1, 1:4, 1:5, ], tolerance = 1e-6)
  expect_equal(y[2, , , ], x[2, 6:9, 8:12, ], tolerance = 1e-6)

  tiles <- layer_multi_crop(images, 3, 4, "grid", return_boxes = TRUE)
  doubled <- tiles[[1]] * 2
  model <- keras3::keras_model(images, layer_uncrop(list(doubled, tiles[[2]]), 9, 12))
  expect_equal(predict(model, x, verbose = 0), x * 2, tolerance = 1e-6)
  file <- withr::local_tempfile(fileext = ".keras")
  keras3::save_model(model, file)
  expect_equal(predict(keras3::load_model(file), x, verbose = 0), x * 2, tolerance = 1e-6)
  expect_error(layer_center_crop(images, 20, 5), "height 20", class = "kerascrop_error_size")
})

test_that("layers are called by themselves as keras3's are", {
  skip_without_keras3()
  x <- some_images()
  crop <- layer_center_crop(height = 4, width = 5)
  expect_equal(from_numpy(crop(x)), x[, 3:6, 4:8, ])
  model <- keras3::keras_model_sequential(input_shape = c(9, 12, 3)) |> crop()
  expect_length(model$layers, 1)
  input <- keras3::keras_input(c(9, 12, 3))
  expect_equal(predict(keras3::keras_model(input, input |> crop()), x, verbose = 0), x[, 3:6, 4:8, ], tolerance = 1e-6)
  expect_output(print(crop), "<CenterCrop name=.*, height=4, width=5>$")
  expect_error(crop(1), class = "kerascrop_error_argument")
})

test_that("subclassed models hold the layers", {
  skip_without_keras3()
  Classifier <- keras3::new_model_class("Classifier",
    initialize = function() {
      super$initialize()
      self$crop <- layer_random_crop(height = 6, width = 6, seed = 1)
      self$head <- keras3::layer_dense(units = 2)
      self$flat <- keras3::layer_flatten()
    },
    call = function(inputs, training = NULL) {
      inputs |> self$crop(training = training) |> self$flat() |> self$head()
    }
  )
  data <- small_digits()
  model <- Classifier()
  keras3::compile(model, "adam", keras3::loss_sparse_categorical_crossentropy(from_logits = TRUE))
  history <- keras3::fit(model, data$x, data$y, epochs = 1, batch_size = 4, verbose = 0)
  expect_true(is.finite(history$metrics$loss))
  expect_identical(dim(predict(model, data$x, verbose = 0)), c(8L, 2L))
})

test_that("named lists, and crops in training only, go through fit()", {
  skip_without_keras3()
  images <- keras3::keras_input(c(9, 12, 1), name = "images")
  masks <- keras3::keras_input(c(9, 12, 1), name = "masks", dtype = "float32")
  cropped <- layer_random_crop(list(images = images, segmentation_masks = masks), 6, 6, seed = 1)
  mean <- cropped$images |> keras3::layer_conv_2d(1, 1)
  model <- keras3::keras_model(list(images = images, masks = masks), list(mean, cropped$segmentation_masks))
  x <- small_digits()$x
  y <- predict(model, list(images = x, masks = 1 * (x > 0.5)), verbose = 0)
  expect_equal(y[[2]], 1 * (x[, 2:7, 4:9, , drop = FALSE] > 0.5))
})

test_that("plot(model) draws our layers", {
  skip_without_keras3()
  skip_if_not(reticulate::py_module_available("pydot") && nzchar(Sys.which("dot")), "pydot and graphviz")
  model <- keras3::keras_model_sequential(input_shape = c(9, 12, 3)) |> layer_center_crop(4, 5)
  file <- withr::local_tempfile(fileext = ".png")
  plot(model, to_file = file)
  expect_gt(file.size(file), 1000)
})
