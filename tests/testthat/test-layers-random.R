test_that("layer_random_crop() draws a place for each image in training, the centre at prediction", {
  skip_without_python()
  x <- some_images(c(64, 9, 12, 1))
  layer <- layer_random_crop(height = 4, width = 5, seed = 1, return_boxes = TRUE)
  y <- layer(as_numpy(x), training = TRUE)
  crops <- from_numpy(y[[1]])
  boxes <- from_numpy(y[[2]])
  for (i in 1:64) expect_equal(crops[i, , , ], x[i, box_rows(boxes[i, ]), box_cols(boxes[i, ]), ])
  expect_gt(nrow(unique(boxes)), 20)
  expect_true(any(boxes[, 4] == 9) && any(boxes[, 3] == 12) && any(boxes[, 1:2] == 0))
  expect_equal(from_numpy(layer(as_numpy(x))[[1]]), x[, 3:6, 4:8, , drop = FALSE])
})

test_that("a seed replays, and per_image = FALSE gives the batch one place", {
  skip_without_python()
  x <- as_numpy(some_images(c(32, 9, 12, 1)))
  boxes <- function(...) {
    layer <- layer_random_crop(height = 4, width = 5, return_boxes = TRUE, ...)
    from_numpy(layer(x, training = TRUE)[[2]])
  }
  expect_identical(boxes(seed = 3), boxes(seed = 3))
  expect_identical(nrow(unique(boxes(per_image = FALSE))), 1L)
})

test_that("code written for keras3 runs unchanged", {
  skip_without_python()
  layer <- layer_random_crop(NULL, 4, 5, 7, "channels_last", "crop")
  expect_identical(layer$name, "crop")
  expect_identical(as.integer(layer$seed), 7L)
})

test_that("wrong arguments are errors", {
  expect_error(layer_random_crop(NULL, 4, 4, seed = -1), "seed", class = "kerascrop_error_argument")
  expect_error(layer_random_crop(NULL, 4, 4, per_image = "no"), "per_image", class = "kerascrop_error_argument")
  expect_error(layer_random_crop(NULL, 4.5, 4), "height", class = "kerascrop_error_size")
})
