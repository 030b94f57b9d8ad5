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

# `kerascrop_python()` for functions whose errors name their own user's call.
load_module <- function(call) {
  if (is.null(the$module)) {
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

# A part of the module. Unless `convert`, its results stay in Python: they would come back as R arrays, which is slow.
python_part <- function(name, call, convert = FALSE) {
  load_module(call)
  reticulate::import(paste0("kerascrop.", name), convert = convert)
}

# Whether something is an object of Python's, perhaps of a class, that is alive. reticulate trusts the class attribute,
# and R would end where nothing is behind it: in an object of a saved workspace, or in a list that was given the class.
is_python <- function(object, class = "python.builtin.object") {
  inherits(object, "python.builtin.object") && inherits(object, class) && is_alive(object)
}

is_alive <- function(object) {
  if (is.function(object)) object <- attr(object, "py_object", exact = TRUE)
  if (is.environment(object)) object <- get0("pyobj", object, inherits = FALSE)
  typeof(object) == "externalptr" && !identical(object, methods::new("externalptr"))
}

# The name of a Python object's class, without that of its module.
python_class <- function(x) sub("^.*[.]", "", class(x)[1])

module_path <- function() system.file("python", package = "kerascrop", mustWork = TRUE)

keras_floor <- "3.9"

# What the module needs, as pip writes it.
python_packages <- function() {
  c(paste0("keras>=", keras_floor), "tensorflow", "pillow>=10", if (old_reticulate()) "numpy<2" else "numpy>=1.26")
}

# reticulate before 1.38 cannot read the arrays of NumPy 2.
old_reticulate <- function() utils::packageVersion("reticulate") < "1.38"

# The default of install_kerascrop().
own_environment <- "r-kerascrop"

# The environment that install_kerascrop() makes, unless another one is asked for, or Python runs.
use_own_environment <- function() {
  if (reticulate::py_available() || !is.na(Sys.getenv("RETICULATE_PYTHON", NA))) return()
  if (reticulate::virtualenv_exists(own_environment)) reticulate::use_virtualenv(own_environment, required = FALSE)
}

# Versions are read before anything is imported: a wrong one can bring the session down.
check_versions <- function(call) {
  keras <- python_version("keras")
  if (is_older(keras, keras_floor)) {
    kerascrop_abort(c(
      "Keras {keras} is too old: the layers need keras >= {keras_floor}.",
      i = "In a terminal, run {.code {pip_install(paste0('keras>=', keras_floor))}}; then restart R."
    ), "python", call)
  }
  numpy <- python_version("numpy")
  if (is.na(numpy)) return()
  if (old_reticulate() && !is_older(numpy, "2")) {
    kerascrop_abort(c(
      "reticulate {utils::packageVersion('reticulate')} cannot read the arrays of NumPy {numpy}.",
      i = "Update reticulate to 1.38 or newer, or run {.code {pip_install('numpy<2')}} in a terminal; then restart R."
    ), "python", call)
  }
}

# The command that installs packages for the Python that runs.
pip_install <- function(packages, python = reticulate::py_config()$python) {
  quoted <- function(words) ifelse(grepl("[^A-Za-z0-9._/:-]", words), shQuote(words), words)
  paste(c(quoted(python), "-m pip install", quoted(packages)), collapse = " ")
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
  python <- if (reticulate::py_available()) reticulate::py_config()$python
  missing <- sub("(?s)^.*No module named '([^'.]+).*$", "\\1", problem, perl = TRUE)
  if (identical(missing, problem)) missing <- NULL
  hints <- c(python_hint(python, Sys.getenv("RETICULATE_PYTHON", NA), missing), backend_hint(missing))
  kerascrop_abort(c(
    "The Python module of kerascrop cannot be loaded.",
    x = if (is.null(python)) {
      "No Python was found: {problem}"
    } else if (is.null(missing)) {
      "{problem}"
    } else {
      "The Python package {.pkg {missing}} is missing from {.file {python}}."
    },
    rlang::set_names(sprintf("{hints[%d]}", seq_along(hints)), rep("i", length(hints))),
    i = "Run {.run [install_kerascrop()](kerascrop::install_kerascrop())}, then restart R.
         {.run [kerascrop_sitrep()](kerascrop::kerascrop_sitrep())} tells what is there."
  ), "python", call)
}

# Why it is this Python, and how to go on with it or with another one. `chosen` is RETICULATE_PYTHON, or NA.
python_hint <- function(python, chosen, missing) {
  if (!is.null(python) && identical(chosen, "")) chosen <- NA
  own <- tryCatch(reticulate::virtualenv_python(own_environment), error = function(error) "")
  unset <- "unset it with {.code Sys.unsetenv(\"RETICULATE_PYTHON\")}"
  install <- if (!is.null(python)) pip_install(c(python_packages(), intersect(missing, c("jax", "torch"))), python)
  cli::format_inline(if (is.null(python)) {
    if (is.na(chosen)) {
      "Python 3.10 or newer is needed: {.code reticulate::install_python()}, or on Debian
       {.code apt install python3-venv}."
    } else {
      paste0("{.envvar RETICULATE_PYTHON} is set to {.file {chosen}}: set it to a Python that is there, or ",
             unset, ".")
    }
  } else if (!is.na(chosen) && !same_python(chosen, python)) {
    "{.envvar RETICULATE_PYTHON} is set to {.file {chosen}}, but {.file {python}} ran already, and a session has one
     Python: restart R."
  } else if (!is.na(chosen)) {
    paste0("{.envvar RETICULATE_PYTHON} chose this Python: run {.code {install}} in a terminal, or ", unset, ".")
  } else if (file.exists(own) && !same_python(own, python)) {
    "The environment {.val {own_environment}} is there, but {.file {python}} ran already, and a session has one Python:
     restart R, and begin with {.code reticulate::use_virtualenv(\"{own_environment}\")}."
  } else {
    "To go on with this Python, run {.code {install}} in a terminal."
  }, keep_whitespace = FALSE)
}

# What Keras can run on instead of a package that is missing.
backend_hint <- function(missing) {
  backends <- c("tensorflow", "jax", "torch")
  if (!isTRUE(missing %in% backends)) return(NULL)
  there <- setdiff(backends[!is.na(vapply(backends, python_version, ""))], missing)
  if (!length(there)) return(NULL)
  cli::format_inline("Or let Keras run on {.pkg {there[1]}}, which is there: restart R, and begin with
                      {.code Sys.setenv(KERAS_BACKEND = \"{there[1]}\")}.", keep_whitespace = FALSE)
}

# The Pythons of several environments may be links to one file: their folders tell them apart.
same_python <- function(one, other) {
  normalizePath(dirname(one), mustWork = FALSE) == normalizePath(dirname(other), mustWork = FALSE)
}

#' Install the Python packages that kerascrop needs
#'
#' Makes a virtual environment with Keras and TensorFlow, and the NumPy that this version of reticulate can read.
#' With reticulate 1.41 or newer this is optional: the packages are declared, and reticulate installs them into a
#' temporary environment when Python is first used. If `RETICULATE_PYTHON` is set, that Python is used instead.
#'
#' @param envname Name or path of the environment. The default is used by itself once the package is loaded; any other
#'   one needs `reticulate::use_virtualenv()`.
#' @param ... Passed on to [reticulate::virtualenv_create()], for instance `version = "3.11"`.
#' @returns The path of the environment's Python, invisibly.
#' @section Errors:
#' A `kerascrop_error_python` when there is no Python of version 3.10 or newer, or when the installation fails.
#' @family set-up
#' @export
#' @examples
#' \dontrun{
#' # fetches about 650 MB
#' install_kerascrop()
#' }
install_kerascrop <- function(envname = "r-kerascrop", ...) {
  if (!is.character(envname) || length(envname) != 1 || is.na(envname) || !nzchar(envname)) {
    kerascrop_abort(c(
      "{.arg envname} must be the name or path of an environment.", x = "It is {shown(envname)}."
    ), "argument")
  }
  check_named_dots(
    list(...), hint = "They go to {.fn reticulate::virtualenv_create}: {.code version = \"3.11\"} works, for instance."
  )
  cli::cli_inform(c(i = "Installing {.pkg {python_packages()}} into {.val {envname}}: about 650 MB to fetch, 2 GB on
                         disk, which takes some minutes."))
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
