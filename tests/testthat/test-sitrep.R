test_that("kerascrop_sitrep() tells versions, places and what Keras runs on", {
  skip_without_python()
  report <- NULL
  out <- paste(cli::cli_fmt(report <- kerascrop_sitrep()), collapse = " ")
  expect_null(report$problem)
  expect_match(out, "keras [0-9]+[.][0-9]+")
  expect_match(out, "Python 3[.][0-9]+")
  expect_identical(report$r, as.character(getRversion()))
  expect_identical(report$keras$backend, keras_module()$config$backend())
  expect_identical(report$keras$data_format, "channels_last")
  expect_true(file.exists(file.path(report$bundled$path, "geometry.py")))
  expect_identical(report$bundled$version, report$packages[["kerascrop"]])
  expect_identical(report$python, reticulate::py_config()$python)
})

test_that("kerascrop_sitrep() reports what is missing, and why it is this Python", {
  skip_without_python()
  out <- in_new_process(
    "library(kerascrop)
     report <- kerascrop_sitrep()
     cat('still here', is.character(report$problem), is.na(report$modules[['keras']]), is.null(report$keras))",
    c(RETICULATE_PYTHON = empty_python())
  )
  text <- paste(out, collapse = " ")
  expect_match(text, "chosen\\s+by\\s+RETICULATE_PYTHON")
  expect_match(text, "keras\\s+\\(not\\s+installed\\)")
  expect_match(text, "still here TRUE TRUE TRUE")
})
