test_that("layer_crop_like() cuts R's slices of the reference's size", {
  skip_without_python()
  x <- some_images()
  reference <- array(0, c(3, 4, 6, 1))
  places <- list(
    list("center", 3:6, 4:9), list("start", 1:4, 1:6), list("end", 6:9, 7:12), list(c("end", "start"), 6:9, 1:6),
    list(2, 3:6, 3:8), list(c(0, 5), 1:4, 6:11), list(list("end", 5), 6:9, 6:11)
  )
  for (place in places) {
    expect_equal(from_numpy(layer_crop_like(list(x, reference), place[[1]])), x[, place[[2]], place[[3]], ])
  }
  y <- layer_crop_like(list(images = x, reference = reference, segmentation_masks = x[, , , 1] > 300))
  expect_equal(from_numpy(y$segmentation_masks), x[, 3:6, 4:9, 1] > 300)
  y <- from_numpy(layer_crop_like(list(x, array(0, c(3, 4, 14, 1))), if_smaller = "pad", fill_value = 7))
  expect_equal(y[, , 2:13, ], x[, 3:6, , ])
  expect_true(all(y[, , c(1, 14), ] == 7))
})

test_that("sequences and volumes", {
  skip_without_python()
  x <- some_images(c(2, 9, 3))
  expect_equal(from_numpy(layer_crop_like_1d(list(x, x[, 1:4, ]), "end")), x[, 6:9, ])
  x <- some_images(c(2, 5, 6, 7, 3))
  expect_equal(from_numpy(layer_crop_like_3d(list(x, x[, 1:2, 1:3, 1:4, ]), c(1, 2, 3))), x[, 2:3, 3:5, 4:7, ])
})

test_that("in a model the size is known where the reference's is", {
  skip_without_python()
  keras <- keras_module()
  input <- function(...) keras$Input(list(...))
  expect_identical(layer_crop_like(list(input(NULL, NULL, 2L), input(4L, 6L, 1L)))$shape[-1], list(4L, 6L, 2L))
})

test_that("what cannot be cut is an error", {
  x <- some_images()
  for (place in list("middle", -1, 1.5, c(1, 2, 3), list(1, "a"), NULL, character())) {
    expect_error(layer_crop_like(place = place), "place", class = "kerascrop_error_argument")
  }
  expect_error(layer_crop_like(3), "reference", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(layer_crop_like(list(x[, 1:3, , ], x)), "height", class = "kerascrop_error_size")
  expect_error(layer_crop_like(list(x, x), place = 1), "height", class = "kerascrop_error_size")
  expect_error(layer_crop_like(x), "reference", class = "kerascrop_error_argument")
  expect_error(layer_crop_like(place = 1, if_smaller = "pad"), "place", class = "kerascrop_error_argument")
})
