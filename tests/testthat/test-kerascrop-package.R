test_that("the reference index of the website has every exported function, and nothing else", {
  index <- test_path("../../_pkgdown.yml")
  skip_if_not(file.exists(index), "the source of the package")
  index <- sub("^.*reference:", "", paste(readLines(index), collapse = "\n"))
  contents <- unlist(regmatches(index, gregexpr("(?<=contents: )[^\n]+", index, perl = TRUE)))
  entries <- trimws(unlist(strsplit(gsub("[][]", "", contents), ",")))
  patterns <- sub("^starts_with\\(\"(.*)\"\\)$", "\\1.*", entries)

  # a help page is in the index when one of its names is
  pages <- lapply(list.files(test_path("../../man"), "\\.Rd$", full.names = TRUE), function(file) {
    gsub("^\\\\alias\\{|\\}$", "", grep("^\\\\alias", readLines(file), value = TRUE))
  })
  matches <- function(pattern, names) any(grepl(paste0("^", pattern, "$"), names))
  unknown <- Filter(function(pattern) !matches(pattern, unlist(pages)), patterns)
  expect_identical(unknown, character())
  indexed <- Filter(function(page) any(vapply(patterns, matches, TRUE, page)), pages)
  expect_identical(setdiff(getNamespaceExports("kerascrop"), unlist(indexed)), character())
})
