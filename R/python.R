# The Python module, imported when it is first needed and then kept.
the <- new.env(parent = emptyenv())

#' The bundled Python module
#'
#' Starts Python if it does not run yet, imports the bundled module `kerascrop`, and returns it: a door to everything
#' that Python users have. It also registers the layers with Keras, so that a saved model that holds some can be loaded.
#'
#' @returns The Python module, for `$`. The R functions of this package call it for you.
#' @section Errors:
#' A `kerascrop_error_python` that says what to run, when Python, or a package that the module needs, is missing or
#' too old.
#' @family set-up
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' kerascrop_python()$CenterCrop(20L, 20L)
kerascrop_python <- function() {
  load_module(rlang::current_env())
}

# `kerascrop_python()` for callers that blame their own user.
load_module <- function(call) {
  if (is.null(the$module)) {
    use_own_environment()
    the$module <- tryCatch(
      {
        check_versions(call)
        reticulate::import_from_path("kerascrop", module_path())
      },
      error = function(error) {
        if (inherits(error, "kerascrop_error")) stop(error)
        abort_import(conditionMessage(error), call)
      }
    )
  }
  the$module
}

# A part of the module whose results stay in Python rather than come back as R arrays, which is slow.
python_part <- function(name, call) {
  if (is.null(the[[name]])) {
    load_module(call)
    the[[name]] <- reticulate::import(paste0("kerascrop.", name), convert = FALSE)
  }
  the[[name]]
}

module_path <- function() system.file("python", package = "kerascrop", mustWork = TRUE)

keras_floor <- "3.9"

# What the module needs, as pip writes it.
python_packages <- function() {
  c(paste0("keras>=", keras_floor), "tensorflow", if (old_reticulate()) "numpy<2" else "numpy>=1.26")
}

# reticulate before 1.38 cannot read the arrays of NumPy 2.
old_reticulate <- function() utils::packageVersion("reticulate") < "1.38"

# Before reticulate's py_require(), an environment made by install_kerascrop() is used only when asked for.
use_own_environment <- function() {
  if (reticulate::py_available() || has_py_require()) return()
  if (Sys.getenv("RETICULATE_PYTHON") != "") return()
  if (reticulate::virtualenv_exists("r-kerascrop")) reticulate::use_virtualenv("r-kerascrop", required = FALSE)
}

# Versions are read before anything is imported: a wrong one can bring the session down.
check_versions <- function(call) {
  keras <- python_version("keras")
  if (is_older(keras, keras_floor)) {
    kerascrop_abort(c(
      "Keras {keras} is too old: the layers need keras >= {keras_floor}.",
      i = "Run {.code reticulate::py_install(\"keras>={keras_floor}\")}, then restart R."
    ), "python", call)
  }
  numpy <- python_version("numpy")
  if (is.na(numpy)) return()
  if (old_reticulate() && !is_older(numpy, "2")) {
    kerascrop_abort(c(
      "reticulate {utils::packageVersion('reticulate')} cannot read the arrays of NumPy {numpy}.",
      i = "Update reticulate to 1.38 or newer, or run {.code reticulate::py_install(\"numpy<2\")}; then restart R."
    ), "python", call)
  }
}

# Whether a version, such as "3.12.0.dev2025" or NA, is known to be older than another.
is_older <- function(version, than) {
  !is.na(version) && numeric_version(sub("[.]?[^0-9.].*$", "", version)) < than
}

# The version of a Python package, without importing it; NA where it is missing.
python_version <- function(package) {
  metadata <- reticulate::import("importlib.metadata")
  tryCatch(metadata$version(package), error = function(error) NA_character_)
}

abort_import <- function(problem, call) {
  chosen <- Sys.getenv("RETICULATE_PYTHON")
  python <- tryCatch(reticulate::py_config()$python, error = function(error) NULL)
  missing <- sub("^.*No module named '([^'.]+).*$", "\\1", problem)
  reason <- if (is.null(python)) {
    "No Python was found."
  } else if (!identical(missing, problem)) {
    cli::format_inline("The Python package {.pkg {missing}} is missing from {.file {python}}.")
  } else {
    problem
  }
  kerascrop_abort(c(
    "The Python module of kerascrop cannot be loaded.",
    x = "{reason}",
    i = if (chosen != "") {
      "{.envvar RETICULATE_PYTHON} is set to {.file {chosen}}: install {.pkg {python_packages()}} there, or unset it."
    },
    i = "Run {.run [install_kerascrop()](kerascrop::install_kerascrop())}, then restart R.
         {.run [kerascrop_sitrep()](kerascrop::kerascrop_sitrep())} tells what is there."
  ), "python", call)
}

#' Install the Python packages that kerascrop needs
#'
#' Makes a virtual environment with Keras and TensorFlow, and the NumPy that this version of reticulate can read.
#' With reticulate 1.41 or newer this is optional: the packages are declared, and reticulate installs them into a
#' temporary environment when Python is first used. If `RETICULATE_PYTHON` is set, that Python is used instead.
#'
#' @param envname Name or path of the environment. The default is the one that the package looks for.
#' @param ... Passed on to [reticulate::virtualenv_create()], for instance `version = "3.11"`.
#' @returns The path of the environment's Python, invisibly.
#' @section Errors:
#' A `kerascrop_error_python` when there is no Python of version 3.10 or newer, or when the installation fails.
#' @family set-up
#' @export
#' @examples
#' \dontrun{
#' # downloads about 700 MB
#' install_kerascrop()
#' }
install_kerascrop <- function(envname = "r-kerascrop", ...) {
  if (!is.character(envname) || length(envname) != 1 || is.na(envname) || !nzchar(envname)) {
    kerascrop_abort(c(
      "{.arg envname} must be the name or path of an environment.", x = "It is {shown(envname)}."
    ), "argument")
  }
  check_named_dots(list(...))
  tryCatch(
    {
      if (!reticulate::virtualenv_exists(envname)) reticulate::virtualenv_create(envname, ...)
      reticulate::virtualenv_install(envname, python_packages(), ignore_installed = FALSE)
    },
    error = function(error) {
      problem <- conditionMessage(error)
      kerascrop_abort(c(
        "The Python packages could not be installed.",
        x = "{problem}",
        i = "Python 3.10 or newer is needed, with its {.pkg venv} module (on Debian: {.code apt install python3-venv})."
      ), "python", call = quote(install_kerascrop()))
    }
  )
  cli::cli_inform(c(v = "Installed {.pkg {python_packages()}} into {.val {envname}}.", i = "Restart R to use it."))
  invisible(reticulate::virtualenv_python(envname))
}

#' What kerascrop finds on this machine
#'
#' Prints the versions of R and of the R and Python packages that kerascrop stands on, which Python is used, and what is
#' missing, with the remedy. Starts Python, but never stops with an error: paste it into a bug report.
#'
#' @returns A list of what is printed, invisibly: `r`, `packages` (R), `python`, `modules` (Python), `backend` and
#'   `problem` (`NULL`, or the message of what is wrong).
#' @family set-up
#' @export
#' @examples
#' kerascrop_sitrep()
kerascrop_sitrep <- function() {
  versions <- function(names, version) {
    vapply(names, function(name) tryCatch(version(name), error = function(error) NA_character_), "")
  }
  report <- list(
    r = as.character(getRversion()),
    packages = versions(c("kerascrop", "reticulate", "keras3"), function(name) {
      as.character(utils::packageVersion(name))
    }),
    problem = tryCatch({ kerascrop_python(); NULL }, error = function(error) cli::ansi_strip(conditionMessage(error)))
  )
  if (reticulate::py_available()) {
    report$python <- reticulate::py_config()$python
    report$modules <- versions(c("keras", "tensorflow", "jax", "torch", "numpy"), python_version)
    if (is.null(report$problem)) report$backend <- reticulate::import("keras")$config$backend()
  }
  cli::cli_h1("kerascrop")
  cli::cli_bullets(c(
    "*" = "R {report$r}; {version_list(report$packages)}",
    "*" = "Python: {report$python %||% 'none found'}",
    "*" = if (!is.null(report$modules)) "Python packages: {version_list(report$modules)}",
    "*" = if (!is.null(report$backend)) "Keras runs on {report$backend}"
  ))
  if (is.null(report$problem)) {
    cli::cli_bullets(c(v = "All that is needed is there."))
  } else {
    cli::cli_verbatim(report$problem)
  }
  invisible(report)
}

version_list <- function(versions) {
  paste(names(versions), ifelse(is.na(versions), "(not installed)", versions), collapse = ", ")
}
