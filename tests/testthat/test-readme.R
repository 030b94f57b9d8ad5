# The R code in the README runs as it stands there; Python's is in tests/python/test_readme.py.

snippets <- function(file) {
  lines <- readLines(file, encoding = "UTF-8")
  starts <- which(lines == "```r")
  ends <- vapply(starts, function(start) min(which(lines == "```" & seq_along(lines) > start)), 0)
  Map(function(start, end) lines[(start + 1):(end - 1)], starts, ends)
}

test_that("the R in the README runs", {
  skip_without_python()
  file <- test_path("../../README.md")
  skip_if_not(file.exists(file), "the README, which is in the repository,")
  withr::local_pdf(NULL)
  for (code in snippets(file)) {
    if (any(grepl("install", code))) next
    if (any(grepl("keras_model_sequential", code)) && !requireNamespace("keras3", quietly = TRUE)) next
    expect_error(eval(parse(text = code), new.env(parent = globalenv())), NA)
  }
})
