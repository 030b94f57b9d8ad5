# Runs the R tests and writes one line for each test_that() block to the file named: status, name, reason.
file <- commandArgs(TRUE)

blocks <- testthat::test_dir(
  "tests/testthat",
  package = "kerascrop", load_package = "installed",
  reporter = testthat::SummaryReporter$new(max_reports = Inf), stop_on_failure = FALSE
)

outcome <- function(block) {
  find <- function(...) Filter(function(result) inherits(result, paste0("expectation_", c(...))), block$results)
  failed <- find("failure", "error")
  skipped <- find("skip")
  reason <- c(failed, skipped)
  data.frame(
    status = if (length(failed)) "failed" else if (length(skipped)) "skipped" else "passed",
    name = paste0(block$file, ": ", if (is.na(block$test)) "outside test_that()" else block$test),
    reason = if (length(reason)) sub("^Reason: ", "", conditionMessage(reason[[1]])) else ""
  )
}
utils::write.csv(do.call(rbind, lapply(blocks, outcome)), file, row.names = FALSE)
