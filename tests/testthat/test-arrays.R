test_that("arrays come back as they went, wherever the type holds them", {
  skip_without_python()
  shapes <- list(c(3, 4), c(2, 3, 4), c(5, 4, 3, 2), c(70, 33, 20), c(40, 30, 20, 3))
  for (shape in shapes) {
    n <- prod(shape)
    for (x in list(rnorm(n), seq_len(n), seq_len(n) %% 3 == 0)) {
      x <- array(x, shape)
      expect_identical(from_numpy(as_numpy(x, NULL)), x)
    }
    x <- array(as.double(seq_len(n)), shape)
    expect_identical(from_numpy(as_numpy(x)), x)
  }
  for (x in list(c(1.5, 2), 1:3, c(TRUE, FALSE), 7)) expect_identical(from_numpy(as_numpy(x, NULL)), x)
})

test_that("an index in R is the same index, less one, in Python", {
  skip_without_python()
  x <- some_images(c(5, 4, 3))
  y <- as_numpy(x, "float64")
  for (index in list(c(1, 1, 1), c(5, 1, 2), c(2, 4, 3))) {
    expect_identical(reticulate::py_to_r(do.call(y$item, as.list(as.integer(index - 1)))), x[index[1], index[2], index[3]])
  }
  expect_identical(reticulate::py_to_r(y$flags$c_contiguous), TRUE)
})

test_that("types are R's own, or the one that is asked for", {
  skip_without_python()
  type <- function(x, ...) reticulate::py_to_r(as_numpy(x, ...)$dtype$name)
  expect_identical(type(c(1, 2)), "float32")
  expect_identical(type(c(1, 2), NULL), "float64")
  expect_identical(type(1:2, NULL), "int32")
  expect_identical(type(TRUE, NULL), "bool")
  expect_identical(type(as.raw(1:2), NULL), "uint8")
  expect_identical(type(c(1, 255), "uint8"), "uint8")
  raw <- array(as.raw(0:23), 2:4)
  expect_identical(from_numpy(as_numpy(raw, NULL)), array(0:23, 2:4))
})

test_that("missing values are NaN, or an error where there is none", {
  skip_without_python()
  expect_identical(from_numpy(as_numpy(c(1, NA, 3))), c(1, NaN, 3))
  expect_identical(from_numpy(as_numpy(c(1L, NA)))[2], NaN)
  expect_error(as_numpy(c(1L, NA), NULL), class = "kerascrop_error_argument")
  expect_error(as_numpy(c(TRUE, NA), "bool"), class = "kerascrop_error_argument")
  expect_error(as_numpy(c(1, NA), "int32"), class = "kerascrop_error_argument")
})

test_that("empty arrays keep their shape", {
  skip_without_python()
  expect_identical(dim(from_numpy(as_numpy(array(0, c(0, 4, 5, 3))))), c(0L, 4L, 5L, 3L))
})

test_that("from_numpy() takes tensors", {
  skip_without_python()
  x <- array(as.double(1:24), 2:4)
  tensor <- keras_module()$ops$convert_to_tensor(as_numpy(x))
  expect_identical(from_numpy(tensor), x)
})

test_that("what is no array is an error", {
  skip_without_python()
  for (x in list("a", NULL, list(1), factor("a"), data.frame(a = 1), quote(a))) {
    expect_error(as_numpy(x), class = "kerascrop_error_argument")
  }
  for (x in list(NULL, "a", list(1), reticulate::import("sys"))) {
    expect_error(from_numpy(x), class = "kerascrop_error_argument")
  }
  expect_error(as_numpy(), "`x`", class = "kerascrop_error_argument")
  expect_error(as_numpy(1, "S1"), class = "kerascrop_error_argument")
  expect_error(as_numpy(1e300), class = "kerascrop_error_argument")
  expect_identical(from_numpy(matrix(1:4, 2)), matrix(1:4, 2)) # reticulate has been there already
  expect_error(as_numpy(1, "floot"), class = "kerascrop_error_argument")
  expect_error(as_numpy(1, 32), class = "kerascrop_error_argument")
  expect_error(as_numpy(300, "uint8"), class = "kerascrop_error_argument")
})
