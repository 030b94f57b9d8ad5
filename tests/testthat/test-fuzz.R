# A few of the random calls of tests/fuzz/functions.R, which makes many.

test_that("nonsense is a value or an error of ours, and leaves nothing behind", {
  skip_on_cran()
  skip_without_python()
  script <- file.path("..", "fuzz", "functions.R")
  skip_if_not(file.exists(script), "the repository")
  result <- suppressWarnings(system2(
    file.path(R.home("bin"), "Rscript"), c(script, "--cases", "45", "--seed", "1"), stdout = TRUE, stderr = FALSE
  ))
  expect_null(attr(result, "status"), info = paste(result, collapse = "\n"))
  functions <- length(getNamespaceExports("kerascrop"))
  expect_match(result[length(result)], sprintf("45 calls of %d functions", functions))
})
