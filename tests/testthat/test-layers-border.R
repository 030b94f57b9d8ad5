test_that("layer_border_crop() removes and adds margins", {
  skip_without_python()
  x <- some_images()
  expect_equal(from_numpy(layer_border_crop(x, 2)), x[, 3:7, 3:10, ])
  expect_equal(from_numpy(layer_border_crop(x, c(0, 1))), x[, , 2:11, ])
  expect_equal(from_numpy(layer_border_crop(x, list(c(1, 0), c(0, 3)))), x[, 2:9, 1:9, ])
  y <- from_numpy(layer_border_crop(x, list(c(-1, 0), c(2, -2)), fill_value = -5))
  expect_equal(y[, 2:10, 1:10, ], x[, , 3:12, ])
  expect_true(all(y[, 1, , ] == -5) && all(y[, , 11:12, ] == -5))
})

test_that("digits lose four pixels on each side", {
  skip_without_python()
  expect_identical(dim(from_numpy(layer_border_crop(array(0, c(2, 28, 28, 1)), 4))), c(2L, 20L, 20L, 1L))
})

test_that("wrong margins are errors", {
  for (margins in list(1.5, NA, "1", NULL, 1:3, list(1:3, 1))) {
    expect_error(layer_border_crop(NULL, margins), "cropping", class = "kerascrop_error_size")
  }
  expect_error(layer_border_crop(NULL, 1, fill_value = NA), "fill_value", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(layer_border_crop(some_images(), 5), class = "kerascrop_error_size")
})

test_that("sequences and volumes lose and get margins", {
  skip_without_python()
  x <- some_images(c(2, 9, 3))
  expect_equal(from_numpy(layer_border_crop_1d(x, 2)), x[, 3:7, ])
  y <- from_numpy(layer_border_crop_1d(x, c(3, -1), fill_value = 5))
  expect_equal(y[, 1:6, ], x[, 4:9, ])
  expect_true(all(y[, 7, ] == 5))
  x <- some_images(c(2, 5, 6, 7, 3))
  expect_equal(from_numpy(layer_border_crop_3d(x, 0:2)), x[, , 2:5, 3:5, ])
  expect_equal(from_numpy(layer_border_crop_3d(x, list(c(1, 0), 2, c(0, 3)))), x[, 2:5, 3:4, 1:4, ])
})

test_that("margins of the wrong rank say which would work", {
  expect_error(layer_border_crop_1d(NULL, 1:3), "cropping", class = "kerascrop_error_size")
  expect_error(layer_border_crop_3d(NULL, 1:2), "cropping", class = "kerascrop_error_size")
  expect_snapshot(error = TRUE, {
    layer_border_crop(NULL, 1:3)
    layer_border_crop_1d(NULL, 1:3)
    layer_border_crop_3d(NULL, c(1, 2))
    layer_border_crop_1d(3)
  })
})
