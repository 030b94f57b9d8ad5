# Runs the R tests, and prints a line for each file when it is done. Writes one line for each test_that() block to the
# file named: status, name, reason.
file <- commandArgs(TRUE)

status <- function(results) {
  has <- function(...) any(vapply(results, inherits, NA, paste0("expectation_", c(...))))
  if (has("failure", "error")) "failed" else if (has("skip")) "skipped" else "passed"
}

ByFile <- R6::R6Class("ByFile",
  inherit = testthat::SummaryReporter,
  public = list(
    blocks = list(), results = list(), began = 0, name = "",
    start_file = function(name) {
      self$blocks <- list()
      self$began <- proc.time()[["elapsed"]]
      self$name <- name
    },
    start_context = function(context) NULL,
    end_context = function(context) NULL,
    start_test = function(context, test) self$results <- list(),
    add_result = function(context, test, result) {
      self$results <- c(self$results, list(result))
      # What is not plain success is shown at the end.
      if (inherits(result, "expectation_skip")) self$skips$push(result)
      if (inherits(result, "expectation_warning")) self$warnings$push(result)
      if (inherits(result, c("expectation_failure", "expectation_error"))) self$failures$push(result)
    },
    end_test = function(context, test) self$blocks <- c(self$blocks, status(self$results)),
    end_file = function() {
      counts <- table(factor(unlist(self$blocks), c("passed", "failed", "skipped")))
      seconds <- proc.time()[["elapsed"]] - self$began
      self$cat_line(sprintf("%-50s %s, %.1f s", self$name, paste(counts, names(counts), collapse = ", "), seconds))
    }
  )
)

blocks <- testthat::test_dir(
  "tests/testthat",
  package = "kerascrop", load_package = "installed",
  reporter = ByFile$new(max_reports = Inf, show_praise = FALSE), stop_on_failure = FALSE
)

outcome <- function(block) {
  why <- paste0("expectation_", c("failure", "error", "skip"))
  reason <- Filter(function(result) inherits(result, why), block$results)
  data.frame(
    status = status(block$results),
    name = paste0(block$file, ": ", if (is.na(block$test)) "outside test_that()" else block$test),
    reason = if (length(reason)) sub("^Reason: ", "", conditionMessage(reason[[1]])) else ""
  )
}
utils::write.csv(do.call(rbind, lapply(blocks, outcome)), file, row.names = FALSE)
