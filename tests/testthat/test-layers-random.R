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

test_that("sequences and volumes get places of their own", {
  skip_without_python()
  x <- some_images(c(32, 9, 2))
  y <- layer_random_crop_1d(length = 4, seed = 1, return_boxes = TRUE)(as_numpy(x), training = TRUE)
  first <- from_numpy(y[[2]])[, 1]
  expect_gt(length(unique(first)), 3)
  for (i in 1:32) expect_equal(from_numpy(y[[1]])[i, , ], x[i, first[i] + 1:4, ])
  x <- some_images(c(8, 5, 6, 7, 1))
  layer <- layer_random_crop_3d(depth = 2, height = 3, width = 4, seed = 1, return_boxes = TRUE)
  y <- layer(as_numpy(x), training = TRUE)
  first <- from_numpy(y[[2]])
  for (i in 1:8) {
    expect_equal(from_numpy(y[[1]])[i, , , , ], x[i, first[i, 3] + 1:2, first[i, 2] + 1:3, first[i, 1] + 1:4, ])
  }
  expect_equal(from_numpy(layer_random_crop_3d(x, 2, 3, 4)), x[, 2:3, 2:4, 2:5, , drop = FALSE])
})

test_that("focus = 'mask' and 'foreground' find what there is", {
  skip_without_python()
  masks <- array(0L, c(64, 20, 20))
  for (i in 1:64) masks[i, (i * 7) %% 18 + 1:2, (i * 5) %% 18 + 1:2] <- 1L
  data <- list(images = as_numpy(array(0, c(64, 20, 20, 1))), segmentation_masks = as_numpy(masks, NULL))
  seen <- function(...) {
    y <- layer_random_crop(height = 6, width = 6, seed = 1, ...)(data, training = TRUE)
    rowSums(from_numpy(y$segmentation_masks))
  }
  expect_true(all(seen(focus = "foreground") == 4))
  expect_true(all(seen(focus = "mask") > 0))
  expect_lt(mean(seen(focus = "mask", positive_fraction = 0) > 0), 0.5)
})

test_that("if_smaller and focus are checked", {
  expect_error(layer_random_crop(NULL, 4, 4, focus = "box"), "focus", class = "kerascrop_error_argument")
  expect_error(layer_random_crop(NULL, 4, 4, positive_fraction = 2), "fraction", class = "kerascrop_error_argument")
  expect_error(layer_random_crop(NULL, 4, 4, name = 3), "name", class = "kerascrop_error_argument")
  expect_error(layer_random_crop_1d(NULL, 0), "length", class = "kerascrop_error_size")
  skip_without_python()
  expect_error(layer_random_crop(some_images(), 10, 4), class = "kerascrop_error_size")
  expect_identical(dim(from_numpy(layer_random_crop(some_images(), 10, 4, if_smaller = "keep"))), c(3L, 9L, 4L, 3L))
})

test_that("layer_random_resized_crop() draws areas and aspects within bounds", {
  skip_without_python()
  x <- as_numpy(some_images(c(256, 40, 60, 1)))
  layer <- layer_random_resized_crop(
    height = 8, width = 8, scale = c(0.2, 0.6), ratio = c(0.5, 2), seed = 1, return_boxes = TRUE
  )
  boxes <- from_numpy(layer(x, training = TRUE)[[2]])
  size <- boxes[, 3:4] - boxes[, 1:2]
  expect_true(all(boxes[, 1:2] >= -1e-4) && all(boxes[, 3] <= 60 + 1e-4) && all(boxes[, 4] <= 40 + 1e-4))
  area <- size[, 1] * size[, 2] / 2400
  expect_true(all(area > 0.2 - 1e-4) && all(area < 0.6 + 1e-4))
  expect_true(all(size[, 1] / size[, 2] > 0.5 - 1e-4) && all(size[, 1] / size[, 2] < 2 + 1e-4))
  expect_gt(nrow(unique(round(boxes, 3))), 250)
  # at prediction the middle 40 x 40 pixels
  expect_equal(from_numpy(layer(x)[[2]])[1, ], c(10, 0, 50, 40), tolerance = 1e-5)
})

test_that("wrong bounds are errors", {
  expect_error(layer_random_resized_crop(NULL, 4, 4, scale = c(0.5, 2)), "scale", class = "kerascrop_error_argument")
  expect_snapshot(error = TRUE, {
    layer_random_resized_crop(NULL, 4, 4, scale = c(1, 0.08))
    layer_random_resized_crop(NULL, 4, 4, ratio = c(4 / 3, 3 / 4))
    layer_random_resized_crop(20, 20)
  })
})
