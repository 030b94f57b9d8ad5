# Runs R code in a new process, with other settings, and gives what it prints.
in_new_process <- function(code, env = character()) {
  file <- withr::local_tempfile(fileext = ".R")
  writeLines(c(sprintf(".libPaths(c(%s))", paste(shQuote(.libPaths()), collapse = ", ")), code), file)
  withr::local_envvar(env)
  suppressWarnings(system2(file.path(R.home("bin"), "Rscript"), c("--vanilla", file), stdout = TRUE, stderr = TRUE))
}


test_that("library(kerascrop) starts no Python", {
  out <- in_new_process("library(kerascrop); cat(isNamespaceLoaded('reticulate'), reticulate::py_available())")
  expect_identical(tail(out, 1), "FALSE FALSE")
})

test_that("plain arrays are cropped without Python", {
  out <- in_new_process(
    "library(kerascrop); x <- crop_center(matrix(1:16, 4), 2, 2); cat(x, reticulate::py_available())"
  )
  expect_identical(tail(out, 1), "6 7 10 11 FALSE")
})

test_that("the module is imported once, and tells its version", {
  skip_without_python()
  expect_identical(kerascrop_python(), kerascrop_python())
  expect_identical(kerascrop_python()$`__version__`, as.character(utils::packageVersion("kerascrop")))
})

test_that("whoever loads Keras can load models with our layers, in any order", {
  skip_without_python()
  file <- withr::local_tempfile(fileext = ".keras")
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(9L, 12L, 3L))))
  model |> layer_center_crop(4, 5)
  model$save(file)
  load <- sprintf("cat('loaded', keras$saving$load_model('%s')$layers[[1]]$height)", file)
  import <- "keras <- reticulate::import('keras')"
  for (code in list(c("library(kerascrop)", import), c(import, "library(kerascrop)"))) {
    expect_match(tail(in_new_process(c(code, load)), 1), "loaded 4")
  }
})

test_that("versions are compared, development versions too", {
  expect_false(is_older("3.12.0.dev2025110103", "3.9"))
  expect_false(is_older("3.9.0rc1", "3.9"))
  expect_true(is_older("3.8.1", "3.9"))
  expect_true(is_older("2.15.0", "3.9"))
  expect_false(is_older(NA, "3.9"))
})

test_that("errors of Python say what to run", {
  withr::local_envvar(RETICULATE_PYTHON = "")
  expect_snapshot(error = TRUE, {
    abort_import("ModuleNotFoundError: No module named 'keras'", call = NULL)
    abort_import("ImportError: bad {thing}", call = NULL)
  }, transform = function(lines) sub("missing from '.*'", "missing from '<python>'", lines))
})

test_that("the demo stops in words when its folder cannot be written to", {
  file <- withr::local_tempfile(lines = "a file, not a folder")
  demo <- system.file("examples", "demo.R", package = "kerascrop")
  out <- in_new_process(sprintf("source('%s')", demo), c(KERASCROP_DEMO_OUTPUT = file))
  expect_match(paste(out, collapse = " "), "cannot be written to")
  expect_identical(readLines(file), "a file, not a folder")
})

test_that("a missing package is named, with the remedy", {
  skip_without_python()
  python <- reticulate::py_config()$python
  blocked <- withr::local_tempdir()
  for (name in c("keras", "tensorflow")) {
    code <- sprintf("raise ModuleNotFoundError(\"No module named '%s'\")", name)
    writeLines(code, file.path(blocked, paste0(name, ".py")))
    out <- in_new_process(
      "library(kerascrop)
       e <- tryCatch(layer_center_crop(NULL, 2, 2), error = identity)
       cat(class(e)[1], conditionMessage(e), deparse(conditionCall(e)))",
      c(RETICULATE_PYTHON = python, PYTHONPATH = blocked)
    )
    text <- paste(out, collapse = "\n")
    expect_match(text, "kerascrop_error_python")
    expect_match(text, sprintf("package .?%s.? is\\s+missing", name))
    expect_match(text, "install_kerascrop()", fixed = TRUE)
    expect_match(text, "RETICULATE_PYTHON", fixed = TRUE)
    unlink(file.path(blocked, paste0(name, ".py")))
  }
})

test_that("a Keras that is too old is named, with the version that works", {
  skip_without_python()
  blocked <- withr::local_tempdir()
  dir.create(file.path(blocked, "keras-2.15.0.dist-info"))
  writeLines(c("Name: keras", "Version: 2.15.0"), file.path(blocked, "keras-2.15.0.dist-info", "METADATA"))
  out <- in_new_process(
    "library(kerascrop)
     e <- tryCatch(kerascrop_python(), error = identity)
     cat(class(e)[1], conditionMessage(e))",
    c(RETICULATE_PYTHON = reticulate::py_config()$python, PYTHONPATH = blocked)
  )
  text <- paste(out, collapse = "\n")
  expect_match(text, "kerascrop_error_python")
  expect_match(text, "2.15.0", fixed = TRUE)
  expect_match(text, "keras >= 3", fixed = TRUE)
})

test_that("a missing Python is an error in words, and kerascrop_sitrep() still reports", {
  out <- in_new_process(
    "library(kerascrop)
     e <- tryCatch(layer_center_crop(NULL, 2, 2), error = identity)
     cat(class(e)[1], conditionMessage(e), '\\n')
     report <- kerascrop_sitrep()
     cat('still here', is.character(report$problem))",
    c(RETICULATE_PYTHON = "/nowhere/python")
  )
  text <- paste(out, collapse = "\n")
  expect_match(text, "kerascrop_error_python")
  expect_match(text, "install_kerascrop()", fixed = TRUE)
  expect_match(text, "still here TRUE")
})

test_that("kerascrop_sitrep() tells versions", {
  skip_without_python()
  report <- NULL
  out <- cli::cli_fmt(report <- kerascrop_sitrep())
  expect_null(report$problem)
  expect_match(paste(out, collapse = " "), "keras [0-9]+[.][0-9]+")
  expect_identical(report$backend, "tensorflow")
})

test_that("install_kerascrop() checks its arguments first", {
  for (name in list("", NA_character_, 1, c("a", "b"), NULL)) {
    expect_error(install_kerascrop(name), "envname", class = "kerascrop_error_argument")
  }
  expect_error(install_kerascrop("env", "3.11"), class = "kerascrop_error_argument")
})

test_that("NumPy 2 is only refused where reticulate cannot read it", {
  expect_match(paste(python_packages(), collapse = " "), "keras>=3")
  expect_identical(any(python_packages() == "numpy<2"), old_reticulate())
})
