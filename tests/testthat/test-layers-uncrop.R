test_that("layer_uncrop() undoes a crop, with tensors and arrays", {
  skip_without_python()
  x <- some_images()
  expected <- array(7, dim(x))
  expected[, 3:6, 4:8, ] <- x[, 3:6, 4:8, ]
  crops <- layer_center_crop(x, 4, 5, return_boxes = TRUE)
  expect_equal(from_numpy(layer_uncrop(crops, 9, 12, fill_value = 7)), expected)
  expect_equal(from_numpy(layer_uncrop(as_arrays(crops), 9, 12, fill_value = 7)), expected)
  expect_equal(from_numpy(layer_uncrop(height = 9, width = 12, fill_value = 7)(crops)), expected)
})

test_that("tiles of every arrangement go back", {
  skip_without_python()
  x <- some_images()
  for (stride in list(NULL, 3, c(2, 5))) {
    tiles <- layer_multi_crop(x, 4, 5, "grid", stride = stride, return_boxes = TRUE)
    expect_equal(from_numpy(layer_uncrop(tiles, 9, 12)), x, tolerance = 1e-6)
  }
})

test_that("formats are known, and a model takes crops and boxes", {
  skip_without_python()
  keras <- keras_module()
  inputs <- list(keras$Input(list(4L, 5L, 1L)), keras$Input(list(4L)))
  model <- keras$Model(inputs, inputs |> layer_uncrop(9, 12, box_format = "xywh"))
  y <- model(list(as_numpy(array(1, c(1, 4, 5, 1))), as_numpy(matrix(c(3, 2, 5, 4), 1))))
  expected <- matrix(0, 9, 12)
  expected[3:6, 4:8] <- 1
  expect_equal(from_numpy(y)[1, , , 1], expected)
})

test_that("wrong crops and boxes are errors", {
  expect_error(layer_uncrop(NULL, 9), "width", class = "kerascrop_error_size")
  expect_error(layer_uncrop(NULL, 9, 9, box_format = "coco"), "box_format", class = "kerascrop_error_box")
  expect_error(layer_uncrop(20, 20), "height = 20", class = "kerascrop_error_argument")
  x <- array(0, c(2, 4, 5, 1))
  expect_error(layer_uncrop(list(x, matrix(NA_real_, 2, 4)), 9, 9), "boxes", class = "kerascrop_error_box")
  expect_error(layer_uncrop(x, 9, 9), "list of two", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(layer_uncrop(list(x, matrix(0, 3, 4)), 9, 9), class = "kerascrop_error_box")
  expect_error(layer_uncrop(list(x, matrix(0, 2, 5)), 9, 9), class = "kerascrop_error_box")
})
