test_that("a place outside of the image is an error", {
  x <- some_images()
  for (rows in list(10:12, 8:10)) {
    expect_error(crop_window(x, rows = rows), "rows", class = "kerascrop_error_size")
    expect_error(crop_window(x, offset = c(-min(rows) - 10, 0), size = c(3, 3)), "rows", class = "kerascrop_error_size")
  }
  expect_error(crop_window(x, rows = 10:12, if_smaller = "pad"), "rows", class = "kerascrop_error_size")
  expect_error(crop_window(x, box = c(-1, 0, 4, 4)), "box", class = "kerascrop_error_size")
  expect_error(crop_window(x, box = c(0, 0, 4.5, 4)), "box", class = "kerascrop_error_size")
  expect_error(crop_window(x, rows = 1:3, if_smaller = "resize"), "if_smaller", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(layer_window_crop(x, rows = 8:10), "rows", class = "kerascrop_error_size")
})

test_that("places become the lines of each axis, as Python counts them", {
  expect_identical(as_place(list(rows = 3:6, cols = -1), NULL, NULL, NULL), list(rows = c(2, 6), cols = c(0, NA)))
  expect_identical(as_place(list(rows = NULL, cols = 4), NULL, NULL, NULL), list(rows = c(0, NA), cols = c(3, 4)))
  expect_identical(as_place(list(steps = NULL), -5, 2, NULL), list(steps = c(-5, -3)))
  expect_identical(as_place(list(steps = NULL), -5, 5, NULL), list(steps = c(-5, NA)))
  expect_identical(as_place(list(steps = NULL), 3, -1, NULL), list(steps = c(3, NA)))
  expect_identical(
    as_place(list(slices = NULL, rows = NULL, cols = NULL), NULL, NULL, 1:6),
    list(slices = c(3, 6), rows = c(2, 5), cols = c(1, 4))
  )
})

test_that("windows that lack something are those of R's slices, filled or cut short", {
  fitted <- function(line, if_smaller) fit_place(list(rows = line), c(height = 9), if_smaller)
  expect_identical(fitted(c(2, NA), "error"), list(starts = 2, sizes = c(height = 7)))
  expect_identical(fitted(c(1, -1), "error"), list(starts = 1, sizes = c(height = 7)))
  expect_identical(fitted(c(6, 11), "pad"), list(starts = 6, sizes = c(height = 5)))
  expect_identical(fitted(c(6, 11), "keep"), list(starts = 6, sizes = c(height = 3)))
  expect_identical(fitted(c(-11, -6), "pad"), list(starts = -2, sizes = c(height = 5)))
  expect_identical(fitted(c(-11, -6), "keep"), list(starts = 0, sizes = c(height = 3)))
})
