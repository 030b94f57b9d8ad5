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
