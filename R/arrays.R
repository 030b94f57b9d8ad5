#' Arrays between R and NumPy
#'
#' R keeps the first index together in memory, NumPy and the tensors of Keras the last. `as_numpy()` changes the
#' layout in blocks that fit the processor's cache, which makes it several times faster than `reticulate::np_array()`
#' for large batches of images; `from_numpy()` comes back. Both keep the shape: `x[i, j, k]` in R is `x[i - 1, j - 1,
#' k - 1]` in Python.
#'
#' @param x `as_numpy()`: a numeric, logical or raw vector, matrix or array. `from_numpy()`: a NumPy array, or a tensor
#'   of any Keras backend; numbers that reticulate has already brought to R are returned as they are.
#' @param dtype NumPy's name of the type: `"float32"` (what Keras computes in; whole numbers up to 2^24 are exact),
#'   `"float64"`, `"int32"`, `"uint8"`, `"bool"`, …; `NULL` keeps R's type: double becomes `float64`, integer `int32`,
#'   logical `bool`, raw `uint8`.
#' @returns `as_numpy()`: a NumPy array in C order, not converted back to R on the way. `from_numpy()`: an R array:
#'   floating-point numbers become double, integers integer (double where they are wider than 32 bits), `bool` logical.
#'
#'   `NA` becomes `NaN` in floating-point types. Integers and logicals have no missing value in NumPy, so there an
#'   `NA` is an error.
#' @section Errors:
#' `kerascrop_error_argument`: `x` is no such array, `dtype` is unknown, or `x` has values that `dtype` cannot hold.
#' @family arrays
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(1:24, c(2, 3, 4))
#' y <- as_numpy(x)
#' y
#' identical(from_numpy(as_numpy(x, NULL)), x)
as_numpy <- function(x, dtype = "float32") {
  move_to_numpy(x, dtype, rlang::current_env())
}

#' @rdname as_numpy
#' @export
from_numpy <- function(x) {
  check_given(x, "argument", "x", rlang::current_env())
  if (is.numeric(x) || is.logical(x)) return(x)
  if (!is_python(x) || !reticulate::py_has_attr(x, "shape")) {
    kerascrop_abort(c(
      "{.arg x} must be a NumPy array or a tensor.",
      x = "It is {shown(x)}."
    ), "argument")
  }
  y <- with_python_errors(reticulate::py_to_r(python_part("arrays", rlang::current_env())$to_r(x)))
  if (length(dim(y)) == 1) as.vector(y) else y
}

# `as_numpy()` for callers that blame their own user.
move_to_numpy <- function(x, dtype = "float32", call = caller_env(), arg = "x") {
  check_given(x, "argument", arg, call)
  if (inherits(x, "numpy.ndarray")) x <- reticulate::py_to_r(x)
  if (is.raw(x)) {
    x <- array(as.integer(x), dim(x) %||% length(x))
    dtype <- dtype %||% "uint8"
  }
  if (!is.numeric(x) && !is.logical(x) || is.object(x)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be a numeric, logical or raw array.", x = "It is {shown(x)}."
    ), "argument", call)
  }
  if (!is.null(dtype) && !rlang::is_string(dtype)) {
    kerascrop_abort(c(
      "{.arg dtype} must be a name such as {.val float32}.", x = "It is {shown(dtype)}."
    ), "argument", call)
  }
  if (!is.double(x) && anyNA(x)) {
    if (is.null(dtype) || !grepl("float", dtype)) {
      kerascrop_abort(c(
        "NumPy has no missing value for {dtype %||% typeof(x)}.",
        x = "{.arg {arg}} has {sum(is.na(x))} missing value{?s}.",
        i = "In floating-point numbers they become {.code NaN}."
      ), "argument", call)
    }
    storage.mode(x) <- "double"
  }
  if (is.null(dim(x))) dim(x) <- length(x)
  with_python_errors(python_part("arrays", call)$to_numpy(x, dtype), call = call)
}
