# Stops with an error of class `kerascrop_error_<class>`, in the name of the user's call. `message` is
# for cli: the problem first, then bullets with what was given (`x`) and what would work (`i`).
kerascrop_abort <- function(message, class, call = caller_env(), .envir = parent.frame()) {
  cli::cli_abort(
    message,
    class = c(paste0("kerascrop_error_", class), "kerascrop_error"),
    call = call, .envir = .envir
  )
}

# What programs read is plain text: codes for colours are for terminals alone, where rlang prints errors itself. Shiny,
# logs and test reports would show them as they are.
#' @export
conditionMessage.kerascrop_error <- function(c) cli::ansi_strip(NextMethod())

#' @export
conditionMessage.kerascrop_warning <- conditionMessage.kerascrop_error

# Warns with a condition of class `kerascrop_warning_<class>`; `message` is for cli.
kerascrop_warn <- function(message, class, call = NULL, .envir = parent.frame()) {
  class <- c(paste0("kerascrop_warning_", class), "kerascrop_warning")
  cli::cli_warn(message, class = class, call = call, .envir = .envir)
}

# Runs code that calls Python. An error of the module's own becomes the R error of the same name; any
# other Python error keeps its message and becomes a `kerascrop_error_python`.
with_python_errors <- function(code, call = caller_env()) {
  if (reticulate::py_available()) reticulate::py_clear_last_error()
  the$failure <- NULL
  withCallingHandlers(code, error = function(error) {
    if (inherits(error, "kerascrop_error")) return()
    # As in `stop_in_python()`: arguments of the calls here may be symbolic tensors.
    withr::local_options("rlang:::disable_trace_capture" = TRUE)
    failure <- the$failure
    if (!is.null(failure)) {
      lines <- sprintf("{failure$message[[%d]]}", seq_along(failure$message))
      kerascrop_abort(rlang::set_names(lines, names(failure$message)), failure$class, call)
    }
    problem <- python_error(error)
    # An interrupt while reticulate asks for the class of a result comes as an error in Python's words.
    if (problem$type == "KeyboardInterrupt" || grepl("inspect.getmro", problem$text, fixed = TRUE)) rlang::interrupt()
    class <- switch(problem$type,
      SizeError = "size", ShapeError = "shape", BoxError = "box", ArgumentError = "argument", "python"
    )
    message <- if (class == "python") paste0(problem$type, ": ", problem$text) else in_r_words(problem$text)
    kerascrop_abort("{message}", class, call = call)
  })
}

# `kerascrop_abort()` for R code that Python has called. Python passes on the words alone, so the rest is kept for
# `with_python_errors()`. It has no backtrace: for one rlang would look at the arguments of all calls, and symbolic
# tensors are not to be looked at.
stop_in_python <- function(message, class, .envir = parent.frame()) {
  message <- vapply(message, cli::format_inline, "", .envir = .envir, keep_whitespace = FALSE)
  the$failure <- list(message = message, class = class)
  stop(paste(cli::ansi_strip(message), collapse = "\n"), call. = FALSE)
}

# Python's words for its things become R's. Nothing plainer would do: the module has users of its own, to whom it must
# speak Python, while R users must not have to read True, None or dict; and two texts for each error would drift apart.
# The words that are replaced are few, they are all here, and test-conditions.R tests each.
in_r_words <- function(text) {
  text <- gsub("\\bTrue\\b", "TRUE", gsub("\\bFalse\\b", "FALSE", text))
  text <- gsub("(\\w ?= ?)None\\b", "\\1NULL", text)
  text <- gsub("\\((\\w+),\\)", "(\\1)", text) # a shape of one length
  unknown <- "^Unrecognized keyword arguments passed to \\w+: \\{'(\\w+)':.*$" # Keras's words
  text <- sub(unknown, "`\\1` is not an argument of the layer.", text)
  for (axis in names(added_axes)) text <- gsub(axis, added_axes[[axis]], text, fixed = TRUE)
  gsub("\\b(a|as a) dict\\b", "\\1 named list", text)
}

# How an axis is added, in Python's words and in R's.
added_axes <- c(
  "x[..., None]" = "dim(x) <- c(dim(x), 1)", "x[None]" = "dim(x) <- c(1, dim(x))",
  "x[:, None]" = "dim(x) <- append(dim(x), 1, 1)"
)

# The type and text of a Python error, without what Keras wraps around it: Keras puts the message in bold,
# between a line on the layer and a list of the arguments.
python_error <- function(error) {
  last <- if (reticulate::py_available()) reticulate::py_last_error()
  type <- last$type %||% "Error"
  text <- last$value %||% conditionMessage(error)
  bold <- regmatches(text, regexpr("(?s)\033\\[1m.*?\033\\[0m", text, perl = TRUE))
  list(type = sub("^.*[.]", "", type), text = trimws(cli::ansi_strip(if (length(bold)) bold else text)))
}
