test_that("every error has the package's class and its own", {
  for (class in c("size", "shape", "box", "argument", "python")) {
    error <- rlang::catch_cnd(kerascrop_abort("No.", class, call = NULL))
    expect_s3_class(error, c(paste0("kerascrop_error_", class), "kerascrop_error", "rlang_error"))
  }
})

test_that("an error of the Python module becomes the R error of the same name", {
  skip_without_python()
  module <- kerascrop_python()
  raise <- function(name) {
    code <- sprintf("def f():\n  from kerascrop import checks\n  raise checks.%s('the {text}')", name)
    with_python_errors(reticulate::py_run_string(code, local = TRUE)$f(), call = quote(user_call()))
  }
  for (name in c("Size", "Shape", "Box", "Argument")) {
    error <- rlang::catch_cnd(raise(paste0(name, "Error")))
    expect_s3_class(error, paste0("kerascrop_error_", tolower(name)))
    expect_match(conditionMessage(error), "the {text}", fixed = TRUE)
    expect_identical(error$call, quote(user_call()))
  }
})

test_that("any other Python error keeps its type and message, without a traceback", {
  skip_without_python()
  code <- "def f():\n  raise KeyError('lost')"
  f <- reticulate::py_run_string(code, local = TRUE)$f
  expect_error(with_python_errors(f()), "KeyError: 'lost'", class = "kerascrop_error_python")
})

test_that("Python's words become R's", {
  expect_identical(in_r_words("`a` must be True or False, as a dict"), "`a` must be TRUE or FALSE, as a named list")
  expect_identical(in_r_words("Truely a dictionary"), "Truely a dictionary")
  expect_identical(in_r_words("`a=None`, not (None, 4)"), "`a=NULL`, not (None, 4)")
  expect_identical(in_r_words("boxes of shape (4,)"), "boxes of shape (4)")
  added <- list("x[None]" = c(1, 2:4), "x[..., None]" = c(2:4, 1), "x[:, None]" = c(2, 1, 3:4))
  for (words in names(added)) {
    x <- array(1:24, 2:4)
    eval(parse(text = in_r_words(words)))
    expect_identical(dim(x), as.integer(added[[words]]))
  }
  keras <- "Unrecognized keyword arguments passed to CenterCrop: {'colour': 1.0, 'nme': 'a'}"
  expect_identical(in_r_words(keras), "`colour` is not an argument of the layer.")
  skip_without_python()
  expect_error(
    layer_random_crop(NULL, 2, 2, focus = "mask", per_image = FALSE),
    "must be TRUE", class = "kerascrop_error_argument"
  )
})

test_that("an error of R's own is not taken for the last one of Python", {
  skip_without_python()
  f <- reticulate::py_run_string("def f():\n  raise KeyError('stale')", local = TRUE)$f
  expect_error(f(), "stale")
  error <- rlang::catch_cnd(with_python_errors(stop("fresh")))
  expect_match(conditionMessage(error), "fresh")
  expect_no_match(conditionMessage(error), "stale")
})

test_that("Keras's wrapping is taken off", {
  skip_without_python()
  layer <- layer_center_crop(height = 40, width = 4, name = "crop")
  error <- rlang::catch_cnd(with_python_errors(layer(as_numpy(some_images()))))
  expect_s3_class(error, "kerascrop_error_size")
  expect_match(conditionMessage(error), "^`crop` cannot cut height 40")
  expect_no_match(conditionMessage(error), "Exception encountered|Arguments received")
})

test_that("an interrupt that Python noticed interrupts R", {
  skip_without_python()
  f <- reticulate::py_run_string("def f():\n  raise KeyboardInterrupt()", local = TRUE)$f
  expect_identical(tryCatch(with_python_errors(f()), interrupt = function(i) "interrupted"), "interrupted")
})

test_that("an error in R code that Python called keeps its class and its bullets", {
  skip_without_python()
  code <- "def call(f):\n  try:\n    return f()\n  except Exception as e:\n    raise KeyError('around')"
  call_it <- reticulate::py_run_string(code, local = TRUE)$call
  n <- 2
  fails <- function() stop_in_python(c("{.arg boxes} must be {n}.", i = "Give {n} box{?es}."), "box")
  user <- function() with_python_errors(call_it(fails))
  error <- rlang::catch_cnd(user(), "error")
  expect_s3_class(error, "kerascrop_error_box")
  expect_identical(error$call, quote(user()))
  expect_match(conditionMessage(error), "`boxes` must be 2.\ni Give 2 boxes.", fixed = TRUE)
  expect_error(call_it(fails), "around")
  # and does not show up in the next one
  expect_error(with_python_errors(call_it(function() stop("other"))), "around", class = "kerascrop_error_python")
  expect_error(fails(), "`boxes` must be 2.\nGive 2 boxes.", fixed = TRUE)
})

test_that("what programs read of a condition has no codes for terminals", {
  withr::local_options(cli.num_colors = 256L)
  for (condition in list(
    rlang::catch_cnd(kerascrop_abort(c("{.arg x} is {.val {1}}.", x = "It is {.file a/b}.", i = "{.code y}"), "size")),
    rlang::catch_cnd(kerascrop_warn(c("{.val a} is {.arg b}.", i = "{.code y}"), "boxes"))
  )) {
    expect_no_match(conditionMessage(condition), "\033", fixed = TRUE)
    expect_match(conditionMessage(condition), "y")
  }
})
