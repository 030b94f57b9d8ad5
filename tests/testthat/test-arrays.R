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

test_that("large arrays come back as they went, and are R's own", {
  skip_without_python()
  for (shape in list(c(20, 60, 80, 3), c(600, 500), c(70, 80, 50), 300000)) {
    n <- prod(shape)
    for (x in list(rnorm(n), seq_len(n))) {
      x <- array(x, shape)
      y <- as_numpy(x, NULL)
      back <- from_numpy(y)
      expect_identical(back, if (length(shape) == 1) as.vector(x) else x)
      kept <- back
      back[1] <- 7L
      expect_identical(kept[1], x[1]) # the one that Python wrote into is like any other
      expect_identical(reticulate::py_to_r(y$item(0L)), x[1])
    }
  }
})

test_that("an array that Python could not write into comes back all the same", {
  skip_without_python()
  x <- matrix(rnorm(300000), 500)
  y <- as_numpy(x, "float64")
  array_function("fill", TRUE, NULL)
  fill <- the$fill
  withr::defer(the$fill <- fill)
  the$fill <- function(out, x) NULL
  expect_identical(from_numpy(y), x)
})

test_that("besides the two arrays there is little in memory", {
  skip_without_python()
  skip_if_not(file.access("/proc/self/clear_refs", 2) == 0, "Linux, which tells the peak of the memory")
  megabytes <- function(what) {
    line <- grep(what, readLines("/proc/self/status"), value = TRUE)
    as.numeric(gsub("[^0-9]", "", line)) / 1024
  }
  peak <- function(code) {
    gc()
    writeLines("5", "/proc/self/clear_refs") # the peak starts again
    before <- megabytes("VmRSS")
    force(code)
    megabytes("VmHWM") - before
  }
  x <- array(runif(64 * 100 * 100 * 30), c(64, 100, 100, 30))
  from_numpy(as_numpy(x[1:8, , , ])) # what is made once, is there
  expect_lt(peak(y <- as_numpy(x)), 73.3 + 25) # float32
  expect_lt(peak(back <- from_numpy(y)), 146.5 + 25) # double
  expect_equal(back, x, tolerance = 1e-6)
})

test_that("an index in R is the same index, less one, in Python", {
  skip_without_python()
  x <- some_images(c(5, 4, 3))
  y <- as_numpy(x, "float64")
  for (index in list(c(1, 1, 1), c(5, 1, 2), c(2, 4, 3))) {
    item <- do.call(y$item, as.list(as.integer(index - 1)))
    expect_identical(reticulate::py_to_r(item), x[index[1], index[2], index[3]])
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
  expect_identical(from_numpy(as_numpy(raw)), array(as.double(0:23), 2:4))
  for (raw in list(as.raw(255), raw(0), as.raw(1:3))) {
    expect_identical(from_numpy(as_numpy(raw, NULL)), as.integer(raw))
  }
  numpy <- as_numpy(c(1.5, 2), "float64")
  expect_identical(type(numpy), "float32")
  expect_identical(type(numpy, NULL), "float64")
})

test_that("numbers of all NumPy's types come back as integers or doubles", {
  skip_without_python()
  integers <- c("int8", "int16", "int32", "uint8", "uint16")
  for (x in list(matrix(c(0, 1, 100, 3, 2, 1), 2), matrix(rep(0:99, 3000), 1000))) {
    for (type in c(integers, "uint32", "int64", "uint64", "float16", "float32", "float64")) {
      expect_identical(from_numpy(as_numpy(x, type)), if (type %in% integers) array(as.integer(x), dim(x)) else x + 0)
    }
    expect_identical(from_numpy(as_numpy(x > 50, "bool")), x > 50)
  }
})

test_that("missing values are NaN, or an error where there is none", {
  skip_without_python()
  expect_identical(from_numpy(as_numpy(c(1, NA, 3))), c(1, NaN, 3))
  expect_identical(from_numpy(as_numpy(c(1L, NA))), c(1, NaN))
  expect_identical(from_numpy(as_numpy(matrix(c(TRUE, NA), 1))), matrix(c(1, NaN), 1))
  large <- array(c(NA, seq_len(3 * 200 * 300 - 1)), c(3, 200, 300))
  expect_identical(from_numpy(as_numpy(large)), replace(large + 0, 1, NaN))
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

test_that("NumPy arrays of no numbers, and types without a missing value, are errors", {
  skip_without_python()
  numpy <- reticulate::import("numpy", convert = FALSE)
  for (x in list(numpy$array(c(1 + 2i, 2i)), numpy$array(c("1", "b")), numpy$array(list(1, "a"), dtype = "object"))) {
    expect_error(as_numpy(x), "numbers", class = "kerascrop_error_argument")
    expect_error(as_numpy(x, NULL), class = "kerascrop_error_argument")
  }
  days <- numpy$array("2024-01-01", dtype = "datetime64[D]")
  expect_error(as_numpy(days), "numbers", class = "kerascrop_error_argument")
  for (type in c("double", "single", "half", "f8")) {
    expect_identical(from_numpy(as_numpy(c(1L, NA), type)), c(1, NaN))
  }
  expect_error(as_numpy(c(1L, NA), "int64"), "no missing value", class = "kerascrop_error_argument")
  expect_error(as_numpy(c(1L, NA), "floot"), "dtype", class = "kerascrop_error_argument")
  skip_if_not(reticulate::py_module_available("ml_dtypes"), "ml_dtypes")
  half <- numpy$array(c(1, 2))$astype(reticulate::import("ml_dtypes", convert = FALSE)$bfloat16)
  expect_identical(from_numpy(as_numpy(half)), c(1, 2))
})
