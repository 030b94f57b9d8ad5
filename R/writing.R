# Files are written as a whole or not at all: beside their place first, from where they take it. What was there before
# is there until then.

check_writable <- function(path, arg = caller_arg(path), call = caller_env()) {
  is_path <- is_string(path)
  if (!is_path || !dir.exists(dirname(path)) || dir.exists(path)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be a file in a folder that exists.",
      x = if (is_path && dir.exists(path)) "{.file {path}} is a folder." else "It is {shown(path)}."
    ), "argument", call)
  }
  places <- c(dirname(path), if (file.exists(path)) path)
  if (all(file.access(places, 2) == 0) && !is_special(path)) return(invisible())
  kerascrop_abort(c(
    "{.arg {arg}} must be a file that can be written.", x = "{.file {path}} cannot."
  ), "argument", call)
}

# A device or a pipe, which has a size of 0: R itself does not tell them from files.
is_special <- function(path) {
  if (.Platform$OS.type != "unix" || !isTRUE(file.size(path) == 0)) return(FALSE)
  system2("test", c("-f", shQuote(path.expand(path)))) != 0
}

write_whole <- function(bytes, path, arg = caller_arg(path), call = caller_env()) {
  force(arg)
  check_writable(path, arg, call)
  if (file.exists(path)) path <- normalizePath(path) # a link stays one
  beside <- tempfile(".kerascrop-", dirname(path))
  on.exit(unlink(beside))
  written <- tryCatch(
    {
      writeBin(bytes, beside)
      if (file.exists(path)) Sys.chmod(beside, file.mode(path), use_umask = FALSE)
      file.size(beside) == length(bytes) && file.rename(beside, path)
    },
    error = function(error) FALSE, warning = function(warning) FALSE
  )
  if (isTRUE(written)) return(invisible(path))
  kerascrop_abort(c(
    "{.arg {arg}} could not be written.", x = "{.file {path}} needs {length(bytes)} bytes.", i = "Is the disk full?"
  ), "argument", call)
}
