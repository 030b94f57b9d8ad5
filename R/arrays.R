#' Arrays between R and NumPy
#'
#' R stores arrays column by column (the first index varies fastest), NumPy and the tensors of Keras row by row (the
#' last one does). `as_numpy()` changes the layout in tiles that fit the processor's cache, which makes it many times
#' faster than `reticulate::np_array()` for large batches of images, and about as fast elsewhere; `from_numpy()` comes
#' back, and writes straight into a large new R array. Both keep the shape: `x[i, j, k]` in R is
#' `x[i - 1, j - 1, k - 1]` in Python.
#'
#' Functions of Keras take R arrays too, and convert them as `np_array()` does. Wrap a large array yourself:
#' `model |> predict(as_numpy(x))`, or with reticulate `model$predict(as_numpy(x))`. A vector, such as labels, has no
#' dimensions and becomes a Python list, which `model$fit()` refuses: wrap it too, `as_numpy(y, NULL)`.
#'
#' @param x `as_numpy()`: a numeric, logical or raw vector, matrix or array; a NumPy array is copied. `from_numpy()`: a
#'   NumPy array, or a tensor of any Keras backend; numbers that reticulate has already brought to R are returned as
#'   they are.
#' @param dtype NumPy's name of the type: `"float32"` (what Keras computes in; whole numbers up to 2^24 are exact),
#'   `"float64"`, `"int32"`, `"uint8"`, `"bool"`, …; `NULL` keeps the array's.
#' @returns `as_numpy()`: a NumPy array in C order, not converted back to R on the way. `from_numpy()`: an R array.
#' @section Types:
#' | R | `as_numpy(x)` | `as_numpy(x, NULL)` | and back by `from_numpy()` |
#' |---|---|---|---|
#' | double | `float32` | `float64` | double |
#' | integer | `float32` | `int32` | double, integer |
#' | logical | `float32`, 0 and 1 | `bool` | double, logical |
#' | raw | `float32`, 0 to 255 | `uint8` | double, integer |
#' | `NA` of any type | `NaN` | `NaN` of a double; of others an error | `NaN` |
#'
#' Integers and logicals have no missing value in NumPy, so an `NA` can only become a floating-point `NaN`. On the way
#' back, integers that R's hold (up to 32 bits) are integer, wider ones and all floating-point numbers double; R
#' reads the lowest `int32`, -2^31, as `NA`.
#' @section Memory:
#' Besides the two arrays, both functions need a few megabytes, whatever the size. What costs one array more: a vector
#' without dimensions, raw, logicals with an `NA`; on the way back `bool`, and tensors that the backend copies to NumPy.
#' @section Errors:
#' `kerascrop_error_argument`: `x` is not such an array, `dtype` is unknown, or `x` has values that `dtype` cannot hold.
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
  call <- rlang::current_env()
  check_given(x, "argument", "x", call)
  if (is.numeric(x) || is.logical(x)) return(plain(x))
  if (!is_python(x) || !reticulate::py_has_attr(x, "shape") || any(endsWith(class(x), ".KerasTensor"))) {
    kerascrop_abort(c(
      "{.arg x} must be a NumPy array or a tensor that has numbers.",
      x = "It is {shown(x)}."
    ), "argument")
  }
  # With smaller arrays reticulate is as fast; before 1.38 it copied them twice.
  the$small <- the$small %||% if (old_reticulate()) 2^16 else 2^20
  y <- with_python_errors({
    y <- array_function("to_r", TRUE, call)(x, the$small)
    if (is.list(y)) fill_array(y$type, y$shape, x, call) else y
  })
  if (length(dim(y)) == 1) as.vector(y) else y
}

# `as_numpy()` for functions whose errors name their own user's call.
move_to_numpy <- function(x, dtype = "float32", call = caller_env(), arg = "x") {
  check_given(x, "argument", arg, call)
  x <- plain(x)
  is_numpy <- is_python(x, "numpy.ndarray")
  if (!is_numpy && (is.object(x) || !is.numeric(x) && !is.logical(x) && !is.raw(x))) {
    kerascrop_abort(c(
      "{.arg {arg}} must be a numeric, logical or raw array.", x = "It is {shown(x)}."
    ), "argument", call)
  }
  if (!is.null(dtype) && !is_string(dtype)) {
    kerascrop_abort(c(
      "{.arg dtype} must be a name such as {.val float32}.", x = "It is {shown(dtype)}."
    ), "argument", call)
  }
  if (!is_numpy && is.null(dim(x)) && length(x) > largest_size) {
    kerascrop_abort(c(
      "{.arg {arg}} must have dimensions, of at most {largest_size} each.", x = "It has {length(x)} numbers."
    ), "argument", call)
  }
  missing <- (is.integer(x) || is.logical(x)) && anyNA(x)
  if (missing) {
    if (is.null(dtype)) {
      kerascrop_abort(c(
        "NumPy has no missing value for {typeof(x)}.",
        x = "{.arg {arg}} has {sum(is.na(x))} missing value{?s}.",
        i = "In floating-point numbers they become {.code NaN}."
      ), "argument", call)
    }
    storage.mode(x) <- "integer" # reticulate would make TRUE of a missing logical
  }
  to_numpy <- array_function("to_numpy", FALSE, call)
  with_python_errors(call = call, {
    if (is.raw(x)) {
      to_numpy(as.vector(x), dtype, shape = as.list(dim(x) %||% length(x))) # reticulate 1.28 passes no arrays of bytes
    } else {
      if (!is_numpy && is.null(dim(x))) dim(x) <- length(x)
      to_numpy(x, dtype, missing)
    }
  })
}

# A function of the Python module `arrays`. Finding one takes longer than moving a small array, so it is kept.
array_function <- function(name, convert, call) {
  if (is.null(the[[name]])) the[[name]] <- python_part("arrays", call, convert)[[name]]
  the[[name]]
}

# Python writes into the memory of a new R array, to which nothing else refers. An NA that is still there tells that it
# did not: so it would be if reticulate copied R's arrays, which no version does so far.
fill_array <- function(type, shape, x, call) {
  y <- vector(type, prod(shape))
  y[[1]] <- NA
  dim(y) <- shape
  array_function("fill", TRUE, call)(y, x)
  if (is.na(y[[1]]) && !is.nan(y[[1]])) array_function("to_r", TRUE, call)(x, Inf) else y
}
