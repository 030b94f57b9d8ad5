# Crops of plain arrays: numbers, and the boxes that they were cut from, which `uncrop()` and `plot_crops()` ask for.
#
# They have a class, so that the boxes stay with the crops alone: what is computed of them is a plain array again.

new_crops <- function(x, boxes) {
  structure(x, boxes = boxes, class = c("kerascrop_crops", if (length(dim(x)) == 2) "matrix", "array"))
}

is_crops <- function(x) inherits(x, "kerascrop_crops")

# The numbers alone; anything else as it is.
plain <- function(x) {
  if (!is_crops(x)) return(x)
  attr(x, "boxes") <- NULL
  unclass(x)
}

#' Crops of arrays
#'
#' What [crop_center()] and the like cut out of a plain array is an array of numbers like any other, which also knows,
#' as its attribute `boxes`, where it was cut: [uncrop()] needs nothing else.
#'
#' The boxes are not shown, and [all.equal()] and testthat's `expect_equal()` compare the numbers alone, if the crops
#' come first. Arithmetic, comparisons and `t()` give a plain array, as subsetting does; so does `dim(x) <-`.
#' Replacing some of the numbers, as `x[1, ] <- 0` does, leaves the boxes. `identical()` sees the attribute and the
#' class; `crops[, , drop = FALSE]` has neither, for a matrix.
#'
#' @param x,target,e1,e2 Crops, or what is computed with them.
#' @param current What crops are compared with.
#' @param value,... As in the generic functions.
#' @returns `print()`: `x`, invisibly. `all.equal()`: `TRUE`, or what differs. The others: plain arrays.
#' @family array functions
#' @keywords internal
#' @name crops_of_arrays
#' @examples
#' x <- matrix(1:16, 4, 4)
#' crop <- crop_center(x, 2, 2)
#' crop
#' attr(crop, "boxes")
#' all.equal(crop, x[2:3, 2:3])
#' identical(crop * 2, x[2:3, 2:3] * 2)
NULL

#' @rdname crops_of_arrays
#' @export
print.kerascrop_crops <- function(x, ...) {
  print(plain(x), ...)
  invisible(x)
}

#' @rdname crops_of_arrays
#' @method all.equal kerascrop_crops
#' @export
all.equal.kerascrop_crops <- function(target, current, ...) {
  all.equal(plain(target), plain(current), ...)
}

#' @rdname crops_of_arrays
#' @export
Ops.kerascrop_crops <- function(e1, e2) {
  if (missing(e2)) return(match.fun(.Generic)(plain(e1)))
  match.fun(.Generic)(plain(e1), plain(e2))
}

#' @rdname crops_of_arrays
#' @export
Math.kerascrop_crops <- function(x, ...) match.fun(.Generic)(plain(x), ...)

#' @rdname crops_of_arrays
#' @export
t.kerascrop_crops <- function(x) t(plain(x))

#' @rdname crops_of_arrays
#' @export
`dim<-.kerascrop_crops` <- function(x, value) {
  x <- plain(x)
  dim(x) <- value
  x
}

#' @exportS3Method reticulate::r_to_py
r_to_py.kerascrop_crops <- function(x, convert = FALSE) reticulate::r_to_py(plain(x), convert)

#' @exportS3Method waldo::compare_proxy
compare_proxy.kerascrop_crops <- function(x, path) list(object = plain(x), path = path)
