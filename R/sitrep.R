#' What kerascrop finds on this machine
#'
#' Prints the versions of R and of the R and Python packages that kerascrop needs, which Python is used and why,
#' what Keras runs on, and what is missing, with the command that mends it. Starts Python, but never stops with an
#' error: paste it into a bug report.
#'
#' @returns A list of what is printed, invisibly: `r` and `platform`; `packages`, versions of R packages; `python`,
#'   `python_version` and `chosen_by`; `modules`, versions of Python packages; `bundled`, the bundled module's `version`
#'   and `path`; `keras`, its `backend`, `data_format`, `float_type` and number of `gpus`; and `problem`, `NULL` or the
#'   message of what is wrong. What cannot be known without Python is `NULL`.
#' @family set-up
#' @export
#' @examples
#' kerascrop_sitrep()
kerascrop_sitrep <- function() {
  report <- list(
    r = as.character(getRversion()), platform = R.version$platform,
    packages = versions_of(c("kerascrop", "reticulate", "keras3"), function(name) {
      as.character(utils::packageVersion(name))
    }),
    problem = problem_of(kerascrop_python())
  )
  if (reticulate::py_available()) {
    config <- reticulate::py_config()
    report[c("python", "python_version")] <- list(config$python, as.character(config$version))
    report$chosen_by <- config$forced
    report$modules <- versions_of(c("keras", "tensorflow", "jax", "torch", "numpy"), python_version)
  }
  if (is.null(report$problem)) report[c("bundled", "keras")] <- list(bundled_report(), keras_report())
  print_report(report)
  invisible(report)
}

# The message of the error that code stops with, or NULL.
problem_of <- function(code) {
  tryCatch(
    {
      code
      NULL
    },
    error = function(error) cli::ansi_strip(conditionMessage(error))
  )
}

versions_of <- function(names, version) {
  vapply(names, function(name) tryCatch(version(name), error = function(error) NA_character_), "")
}

bundled_report <- function() {
  module <- kerascrop_python()
  list(version = module$`__version__`, path = dirname(module$`__file__`))
}

keras_report <- function() {
  config <- reticulate::import("keras")$config
  backend <- config$backend()
  list(
    backend = backend, data_format = config$image_data_format(), float_type = config$floatx(),
    gpus = tryCatch(count_gpus(backend), error = function(error) NA_integer_)
  )
}

count_gpus <- function(backend) {
  module <- reticulate::import(backend)
  switch(backend,
    tensorflow = length(module$config$list_physical_devices("GPU")),
    jax = sum(vapply(module$devices(), function(device) device$platform == "gpu", NA)),
    torch = module$cuda$device_count()
  )
}

print_report <- function(report) {
  gpus <- report$keras$gpus
  chosen <- if (length(report$chosen_by)) paste(", chosen by", report$chosen_by) else ""
  cli::cli_h1("kerascrop")
  cli::cli_bullets(c(
    "*" = "R {report$r} on {report$platform}; {version_list(report$packages)}",
    "*" = if (is.null(report$python)) {
      "Python: none that runs"
    } else {
      "Python {report$python_version}: {.file {report$python}}{chosen}"
    },
    "*" = if (!is.null(report$modules)) "Python packages: {version_list(report$modules)}",
    "*" = if (!is.null(report$bundled)) {
      "The bundled module: kerascrop {report$bundled$version} in {.file {report$bundled$path}}"
    },
    "*" = if (!is.null(report$keras)) {
      "Keras runs on {report$keras$backend}, with {report$keras$data_format}, {report$keras$float_type} and
       {if (is.na(gpus)) '? GPUs' else if (gpus == 0) 'no GPU' else paste('GPUs:', gpus)}"
    }
  ))
  if (is.null(report$problem)) {
    cli::cli_bullets(c(v = "All that is needed is there."))
  } else {
    cli::cli_verbatim(report$problem)
  }
}

version_list <- function(versions) {
  paste(names(versions), ifelse(is.na(versions), "(not installed)", versions), collapse = ", ")
}
