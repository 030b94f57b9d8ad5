test_that("layer_center_crop() is the middle slice, in both data formats", {
  skip_without_python()
  x <- some_images()
  for (size in list(c(3, 4), c(4, 5), c(9, 12), c(1, 1))) {
    rows <- (9 - size[1]) %/% 2 + seq_len(size[1])
    cols <- (12 - size[2]) %/% 2 + seq_len(size[2])
    expected <- x[, rows, cols, , drop = FALSE]
    expect_equal(from_numpy(layer_center_crop(x, size[1], size[2])), expected)
    first <- layer_center_crop(aperm(x, c(1, 4, 2, 3)), size[1], size[2], "channels_first")
    expect_equal(from_numpy(first), aperm(expected, c(1, 4, 2, 3)))
  }
})

test_that("return_boxes tells the place", {
  skip_without_python()
  y <- layer_center_crop(some_images(), 4, 5, return_boxes = TRUE)
  expect_equal(from_numpy(y[[2]]), unname(box_window(3:6, 4:8)[c(1, 1, 1), ]))
})

test_that("wrong sizes never reach Python", {
  for (size in list(0, -1, 20.7, NA, Inf, 1e10, c(2, 2), "2", NULL)) {
    expect_error(layer_center_crop(NULL, size, 4), "height", class = "kerascrop_error_size")
    expect_error(layer_center_crop(NULL, 4, size), "width", class = "kerascrop_error_size")
  }
  expect_error(layer_center_crop(NULL, 4, 4, "NHWC"), "data_format", class = "kerascrop_error_argument")
  expect_error(layer_center_crop(NULL, 4, 4, return_boxes = 1), "return_boxes", class = "kerascrop_error_argument")
})
