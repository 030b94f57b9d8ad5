test_that("a size may be any whole number", {
  expect_identical(as_size(24), 24L)
  expect_identical(as_size(24L), 24L)
  for (x in list(TRUE, NA_integer_, 24.5, -3, "24", list(24), matrix(1, 1, 2))) {
    expect_error(as_size(x), class = "kerascrop_error_size")
  }
})

test_that("margins become a pair for each axis", {
  expect_identical(as_margins(4), list(c(4L, 4L), c(4L, 4L)))
  expect_identical(as_margins(c(1, 2)), list(c(1L, 1L), c(2L, 2L)))
  expect_identical(as_margins(list(1, c(2, -3))), list(c(1L, 1L), c(2L, -3L)))
  expect_identical(as_margins(c(1, -2), 1), list(c(1L, -2L)))
  expect_identical(as_margins(list(c(1, -2)), 1), list(c(1L, -2L)))
  expect_identical(as_margins(3, 1), list(c(3L, 3L)))
  expect_identical(as_margins(1:3, 3), list(c(1L, 1L), c(2L, 2L), c(3L, 3L)))
  expect_identical(as_margins(list(1, c(2, 3), 0), 3), list(c(1L, 1L), c(2L, 3L), c(0L, 0L)))
  for (case in list(list(1:2, 3), list(1:3, 1), list(list(1, 2, 3), 2))) {
    expect_error(as_margins(case[[1]], case[[2]]), class = "kerascrop_error_size")
  }
})

test_that("fractions, bounds, strides and names are checked", {
  expect_identical(as_fraction(1L), 1)
  for (x in list(-0.1, 1.1, NA, "1", c(0, 1), NULL)) expect_error(as_fraction(x), class = "kerascrop_error_argument")
  expect_identical(as_bounds(c(1, 2)), c(1, 2))
  for (x in list(c(2, 1), c(0, 1), 1, c(1, NA), c(1, Inf), "1", NULL)) {
    expect_error(as_bounds(x), class = "kerascrop_error_argument")
  }
  expect_error(as_bounds(c(0.5, 2), most = 1), "at most 1", class = "kerascrop_error_argument")
  sizes <- c(height = 4, width = 6)
  expect_null(as_stride(NULL, sizes, "five"))
  expect_identical(as_stride(3, sizes, "grid"), c(3L, 3L))
  expect_identical(as_stride(c(4, 6), sizes, "grid"), c(4L, 6L))
  for (x in list(0, 1.5, NA, 5, c(1, 7), 1:3, "2")) {
    expect_error(as_stride(x, sizes, "grid"), class = "kerascrop_error_size")
  }
  expect_error(as_stride(3, sizes, "five"), "grid", class = "kerascrop_error_argument")
  expect_null(as_reach(NULL))
  expect_identical(as_reach(4L), 4)
  for (x in list(0.5, NA, Inf, "4", c(2, 2), TRUE)) expect_error(as_reach(x), class = "kerascrop_error_argument")
  expect_identical(as_interpolation(interpolations, TRUE), "bilinear")
  expect_identical(as_interpolation("nearest", FALSE), "nearest")
  expect_error(as_interpolation("nearest", TRUE), "antialias", class = "kerascrop_error_argument")
  expect_identical(as_name("crop"), "crop")
  for (x in list(3, NA_character_, "", c("a", "b"))) expect_error(as_name(x), class = "kerascrop_error_argument")
})

test_that("flags, choices, numbers and seeds are checked", {
  expect_true(as_flag(TRUE))
  expect_error(as_flag(NA), class = "kerascrop_error_argument")
  expect_identical(as_choice(c("a", "b"), c("a", "b")), "a")
  expect_error(as_choice("c", c("a", "b")), class = "kerascrop_error_argument")
  expect_identical(as_number(2L), 2)
  expect_error(as_number(Inf), class = "kerascrop_error_argument")
  expect_null(as_seed(NULL))
  expect_error(as_seed(1.5), class = "kerascrop_error_argument")
  expect_null(as_data_format(NULL))
  expect_error(as_data_format("NCHW"), class = "kerascrop_error_argument")
})

test_that("a check blames the user's call, and names the argument, the value and the remedy", {
  user_function <- function(height) as_size(height)
  error <- rlang::catch_cnd(user_function(20.7))
  expect_identical(error$call, quote(user_function(20.7)))
  expect_snapshot(error = TRUE, {
    user_function(20.7)
    user_function("big")
    user_function(c(1, 2))
    user_function(NULL)
    user_function(1e10)
  })
})
