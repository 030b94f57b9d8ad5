test_that("without an object the layer comes back", {
  skip_without_python()
  for (layer in list(layer_center_crop(height = 4, width = 5), layer_center_crop(NULL, 4, 5))) {
    expect_s3_class(layer, "kerascrop.layers.center.CenterCrop")
    expect_equal(from_numpy(layer(as_numpy(some_images()))) |> dim(), c(3, 4, 5, 3))
  }
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
  expect_equal(from_numpy(layer_box_crop(list(images = x, boxes = boxes), 2, 3)), x[, 1:2, 1:3, ])
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
  input |> layer_center_crop(8, 8) |> layer_center_crop(6, 6) |> layer_center_crop(4, 4) -> output
  names <- vapply(keras$Model(input, output)$layers[-1], function(layer) layer$name, "")
  expect_identical(names, c("center_crop", "center_crop_1", "center_crop_2"))
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
  expect_error(layer_random_crop(input, 4, 4, return_boxes = TRUE) |> layer_center_crop(2, 2), class = "kerascrop_error_argument")
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
