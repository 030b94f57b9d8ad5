box_sides <- c("x1", "y1", "x2", "y2")

# A matrix of boxes of any format, one a row, with finite numbers; with `may_miss`, boxes may be missing.
as_box_matrix <- function(x, arg, call, box_format = "xyxy", may_miss = FALSE) {
  check_given(x, "box", arg, call)
  x <- order_boxes(x, box_format, arg, call, sized = TRUE)
  if (is_numbers(x) && is.null(dim(x)) && length(x) == 4) x <- t(x)
  if (!is.numeric(x) || !is.matrix(x) || ncol(x) != 4) {
    kerascrop_abort(c(
      "{.arg {arg}} must be boxes: a numeric matrix with a row for each and 4 columns, {.code x1, y1, x2, y2}.",
      x = if (is.matrix(x)) {
        "It is a {if (!is.numeric(x)) paste0(typeof(x), ' ')}matrix of shape {paste(dim(x), collapse = ' x ')}."
      } else {
        "It is {shown(x)}."
      },
      i = "{.fn box_window} makes a box from rows and columns."
    ), "box", call)
  }
  wrong <- which(rowSums(is.finite(x)) < 4 & !(may_miss & are_missing(x)))
  if (length(wrong)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be finite numbers.",
      x = "Box {wrong[1]} is {shown(unname(x[wrong[1], ]))}."
    ), "box", call)
  }
  storage.mode(x) <- "double"
  x
}

# Whether boxes stand for none: all their numbers are -1, as in Keras's batches, or `NA`.
are_missing <- function(boxes) rowSums(is.na(boxes)) == 4 | rowSums(boxes == -1) %in% 4

check_finite_boxes <- function(boxes, arg, call = caller_env()) {
  if (!is.numeric(boxes) || all(is.finite(boxes))) return(invisible())
  kerascrop_abort(c(
    "{.arg {arg}} must be finite numbers.", x = "{sum(!is.finite(boxes))} of them {?is/are} not."
  ), "box", call)
}

# Boxes in pixels, with sides in order; `mirrored` boxes may run from right to left.
as_boxes <- function(x, arg = caller_arg(x), call = caller_env(), mirrored = FALSE, box_format = "xyxy") {
  force(arg)
  x <- as_box_matrix(x, arg, call, box_format)
  reversed <- which((if (mirrored) x[, 3] == x[, 1] else x[, 3] <= x[, 1]) | x[, 4] <= x[, 2])
  if (length(reversed)) {
    kerascrop_abort(c(
      "{.arg {arg}} must have {.code x1 < x2} and {.code y1 < y2}.",
      x = "Box {reversed[1]} is {shown(unname(x[reversed[1], ]))}.",
      i = "The order is {if (is_y_first(box_format)) 'top, left, bottom, right' else 'left, top, right, bottom'}."
    ), "box", call)
  }
  dimnames(x) <- list(NULL, box_sides)
  x
}

# Boxes in pixels that all lie within the first pixel may have been meant as fractions of the image.
warn_fractions <- function(x, box_format = "xyxy", call = caller_env()) {
  if (!is.numeric(x) || !length(x) || any(x < 0 | x > 1) || is_whole(x)) return(invisible(x))
  kerascrop_warn(c(
    "{.arg boxes} are in pixels, but all their numbers lie from 0 to 1.",
    i = "If they are fractions of the image, multiply them by its width and height; layers take
         {.code box_format = \"rel_{box_format}\"}."
  ), "boxes", call)
  invisible(x)
}

#' Boxes from rows and columns, and back
#'
#' A box is `x1, y1, x2, y2`: left, top, right and bottom, in pixels, where 0 is the image's outer edge. R counts rows
#' and columns from 1; these functions translate, so that `x[17:240, 17:240, ]` is what the box `box_window(17:240,
#' 17:240)` holds.
#'
#' @param rows,cols Row and column numbers that follow each other without a gap, such as `17:240`. They may lie outside
#'   of the image.
#' @param box A whole-pixel box: four numbers, or a matrix with one row.
#' @returns `box_window()`: a matrix with one row and the columns `x1`, `y1`, `x2` and `y2`; `rbind()` stacks several.
#'   `box_rows()` and `box_cols()`: whole numbers.
#' @section Errors:
#' `kerascrop_error_box`: rows or columns with gaps, or a box whose sides are not whole numbers.
#' @family boxes
#' @export
#' @examples
#' box <- box_window(rows = 17:240, cols = 1:100)
#' box
#' range(box_rows(box))
#' range(box_cols(box))
box_window <- function(rows, cols) {
  rows <- as_run(rows)
  cols <- as_run(cols)
  cbind(x1 = min(cols) - 1, y1 = min(rows) - 1, x2 = max(cols), y2 = max(rows))
}

as_run <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "box", arg, call)
  if (is_whole(x) && length(x) && all(diff(x) == 1)) return(as.double(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be whole numbers that follow each other.", x = "It is {shown(x)}.",
    i = "A range such as {.code {arg} = 17:240} works."
  ), "box", call)
}

#' @rdname box_window
#' @export
box_rows <- function(box) window_of(box, "y1", "y2")

#' @rdname box_window
#' @export
box_cols <- function(box) window_of(box, "x1", "x2")

window_of <- function(box, first, last, call = caller_env()) {
  box <- as_boxes(box, "box", call)
  if (nrow(box) != 1 || !is_whole(box)) {
    kerascrop_abort(c(
      "{.arg box} must be one whole-pixel box.",
      x = if (nrow(box) != 1) "There are {nrow(box)} boxes." else "It is {shown(unname(box[1, ]))}."
    ), "box", call)
  }
  seq(box[, first] + 1, box[, last])
}

#' How well boxes agree
#'
#' Intersection over union (Jaccard index) of pairs of boxes: 1 for equal boxes, 0 for boxes that do not overlap.
#'
#' @param boxes,others Boxes `x1, y1, x2, y2`: matrices or data frames with a row for each, or four numbers; see
#'   [box_names]. Row by row they make pairs; one box is paired with every row of the other.
#' @returns Numbers in `[0, 1]`, one for each pair.
#' @section Errors:
#' `kerascrop_error_box`: boxes of another shape, with `NA` or reversed, or numbers of boxes that do not fit.
#' @family boxes
#' @export
#' @examples
#' truth <- box_window(rows = 1:20, cols = 1:20)
#' box_iou(truth, box_window(rows = 1:20, cols = 11:30))
#' box_iou(truth, rbind(truth, truth + 5, truth + 50))
box_iou <- function(boxes, others) {
  boxes <- as_boxes(boxes)
  others <- as_boxes(others)
  if (nrow(boxes) != nrow(others) && min(nrow(boxes), nrow(others)) != 1) {
    kerascrop_abort(c(
      "{.arg boxes} and {.arg others} must have equally many boxes, or one of them a single box.",
      x = "There are {nrow(boxes)} and {nrow(others)}."
    ), "box")
  }
  # The longer side is 1 along each axis, so that no area is too large or too small for a number.
  across <- relative_lengths(boxes[, "x1"], boxes[, "x2"], others[, "x1"], others[, "x2"])
  down <- relative_lengths(boxes[, "y1"], boxes[, "y2"], others[, "y1"], others[, "y2"])
  both <- across$both * down$both
  unname(both / (across$one * down$one + across$other * down$other - both))
}

relative_lengths <- function(first, last, other_first, other_last) {
  longer <- pmax(last - first, other_last - other_first)
  list(
    one = (last - first) / longer, other = (other_last - other_first) / longer,
    both = pmax(pmin(last, other_last) - pmax(first, other_first), 0) / longer
  )
}

#' Boxes without what is outside of the image
#'
#' Moves the sides of boxes that reach outside of an image to its edge. Cropping does not need it: there a box may reach
#' anywhere. It is for annotations and predictions that should not.
#'
#' @param boxes Boxes: a matrix or data frame with a row for each, or four numbers; see [box_names].
#' @param height,width The image's size in pixels.
#' @param box_format What the boxes' numbers are; see [layer_box_crop()].
#' @returns A matrix with a row for each box, in the same format. A box that lies wholly outside has no area then, and
#'   there is a warning. Missing boxes, all of whose numbers are -1 or `NA`, stay as they are.
#' @section Errors:
#' `kerascrop_error_box`: `boxes` have another shape, some `NA`, no area, or reversed sides, or the format is unknown.
#' `kerascrop_error_size`: `height` or `width` is not a positive whole number. A warning of class
#' `kerascrop_warning_box`: boxes lie wholly outside.
#' @family boxes
#' @export
#' @examples
#' clip_boxes(rbind(c(-3, 2, 5, 8), c(10, 4, 30, 9)), height = 9, width = 12)
clip_boxes <- function(boxes, height, width, box_format = "xyxy") {
  call <- rlang::current_env()
  box_format <- as_box_format(box_format)
  size <- list(height = as_size(height), width = as_size(width))
  if (is_relative(box_format)) size <- list(height = 1, width = 1)
  boxes <- as_box_matrix(boxes, "boxes", call, box_format, may_miss = TRUE)
  missing <- which(are_missing(boxes))
  kept <- boxes[missing, ]
  whole <- from_sides(t(c(0, 0, size$width, size$height)), box_format, size$height, size$width)
  boxes[missing, ] <- rep(whole, each = length(missing)) # a box that nothing is wrong with
  check_areas(boxes, box_format, call)
  sides <- to_sides(boxes, box_format, size$height, size$width)
  warn_outside(sides, size$height, size$width, call)
  columns <- list(size$width, size$height, size$width, size$height)
  for (i in seq_along(columns)) sides[, i] <- pmin(pmax(sides[, i], 0), columns[[i]])
  boxes <- from_sides(sides, box_format, size$height, size$width)
  boxes[missing, ] <- kept
  structure(boxes, dimnames = list(NULL, format_names(box_format)))
}

# A crop of a box that lies beside the image shows nothing of it.
warn_outside <- function(sides, height, width, call = caller_env()) {
  outside <- which(sides[, 3] <= 0 | sides[, 4] <= 0 | sides[, 1] >= width | sides[, 2] >= height)
  if (!length(outside)) return(invisible())
  kerascrop_warn(c(
    "{if (length(outside) == 1) 'A box lies' else paste(length(outside), 'boxes lie')} wholly outside of the image.",
    x = "Box {outside[1]} is {shown(unname(sides[outside[1], ]))}, in an image of {height} x {width} pixels.",
    i = "Boxes are {.code x1, y1, x2, y2} from the image's top left; {.fn clip_boxes} moves their sides inside."
  ), "box", call)
}

#' Boxes around the foreground
#'
#' The smallest boxes that hold all that is not zero: `crop_boxes(x, boxes_from_masks(mask))` crops to the foreground.
#'
#' @param masks Masks: a matrix, an array `(height, width, channels)` with 1 to 4 channels, or a batch `(batch, height,
#'   width)` or `(batch, height, width, channels)`; numeric, logical or raw. A pixel counts when any channel is not
#'   zero.
#' @returns A matrix with a row `x1, y1, x2, y2` for each mask, in pixels. The box of a mask that is zero everywhere is
#'   the whole image.
#' @section Errors:
#' `kerascrop_error_shape`: `masks` have another shape. `kerascrop_error_argument`: they have missing values.
#' @family boxes
#' @export
#' @examples
#' mask <- matrix(0, 8, 8)
#' mask[3:5, 2:6] <- 1
#' boxes_from_masks(mask)
#' crop_boxes(mask, boxes_from_masks(mask))
boxes_from_masks <- function(masks) {
  check_given(masks, "shape", "masks", rlang::current_env())
  if (length(dim(masks)) == 3 && !dim(masks)[3] %in% 1:4) dim(masks) <- c(dim(masks), 1)
  images <- as_images(masks)
  there <- images$x != 0
  if (anyNA(there)) {
    kerascrop_abort(c(
      "{.arg masks} must not have missing values.", x = "{sum(is.na(there))} of the numbers {?is/are} missing."
    ), "argument")
  }
  boxes <- vapply(seq_len(images$n), function(i) {
    places <- which(array(there[i, , , ], dim(there)[-1]), arr.ind = TRUE)
    if (!nrow(places)) places <- rbind(1, images$lengths)
    c(min(places[, 2]) - 1, min(places[, 1]) - 1, max(places[, 2]), max(places[, 1]))
  }, double(4))
  matrix(boxes, ncol = 4, byrow = TRUE, dimnames = list(NULL, box_sides))
}

#' Boxes as affine matrices, and back
#'
#' Spatial transformers, such as PyTorch's `affine_grid()` and `grid_sample()`, take a matrix that maps the crop's
#' coordinates to the image's, both from -1 to 1 between the outer edges. For a box from `x, y` to `x', y'` it is
#'
#' \preformatted{
#' (x' - x) / 2    0               (x' + x) / 2
#' 0               (y' - y) / 2    (y' + y) / 2
#' }
#'
#' @param boxes Boxes: a matrix or data frame with a row for each, or four numbers (see [box_names]); or a tensor
#'   `(..., 4)`. A box whose side runs backwards mirrors the crop.
#' @param theta Matrices: an array `(boxes, 2, 3)`, or one matrix of 2 rows and 3 columns; or a tensor `(..., 2, 3)`.
#' @param box_format What the boxes' numbers are: `"grid"`, the corners `x, y, x', y'` from -1 to 1; or another format
#'   of [layer_box_crop()], such as `"xyxy"`, which needs the images' size.
#' @param height,width The images' size in pixels, for formats other than `"grid"` and the relative ones.
#' @returns `theta_from_boxes()`: an array `(boxes, 2, 3)`. `boxes_from_theta()`: a matrix with a row for each box. A
#'   tensor gives a tensor, with a gradient.
#' @section Errors:
#' `kerascrop_error_box`: boxes or matrices of another shape, with `NA`, or in an unknown format; matrices that rotate
#' or shear, which no box does; a size that is missing. `kerascrop_error_size`: a size that is not a positive whole
#' number. Where the format has sizes, these must be above 0.
#' @references Jaderberg et al. (2015), "Spatial Transformer Networks", equation 1, \doi{10.48550/arXiv.1506.02025}.
#' @family boxes
#' @export
#' @examples
#' theta <- theta_from_boxes(box_window(rows = 3:6, cols = 4:9), "xyxy", height = 9, width = 12)
#' theta[1, , ]
#' boxes_from_theta(theta, "xyxy", height = 9, width = 12)
theta_from_boxes <- function(boxes, box_format = "grid", height = NULL, width = NULL) {
  check_given(boxes, "box", "boxes", rlang::current_env())
  call <- rlang::current_env()
  box_format <- as_box_format(box_format)
  height <- or_null(as_size)(height)
  width <- or_null(as_size)(width)
  if (is_python(boxes)) return(convert_tensor("theta_from_boxes", boxes, box_format, height, width))
  boxes <- as_box_matrix(boxes, "boxes", call, box_format)
  if (!has_sides(box_format)) check_areas(boxes, box_format, call)
  size <- size_to_convert(box_format, height, width, box_format, "grid", call)
  sides <- from_sides(to_sides(boxes, box_format, size$height, size$width), "grid", size$height, size$width)
  theta <- array(0, c(nrow(sides), 2, 3))
  theta[, 1, 1] <- (sides[, 3] - sides[, 1]) / 2
  theta[, 2, 2] <- (sides[, 4] - sides[, 2]) / 2
  theta[, , 3] <- (sides[, 1:2] + sides[, 3:4]) / 2
  theta
}

#' @rdname theta_from_boxes
#' @export
boxes_from_theta <- function(theta, box_format = "grid", height = NULL, width = NULL) {
  call <- rlang::current_env()
  check_given(theta, "box", "theta", call)
  box_format <- as_box_format(box_format)
  height <- or_null(as_size)(height)
  width <- or_null(as_size)(width)
  if (is_python(theta)) return(convert_tensor("boxes_from_theta", theta, box_format, height, width))
  theta <- as_thetas(theta)
  if (any(theta[, 1, 2] != 0 | theta[, 2, 1] != 0)) {
    kerascrop_abort(
      "{.arg theta} rotates or shears: its numbers off the diagonal must be 0, or it is not a box.", "box"
    )
  }
  size <- size_to_convert(box_format, height, width, "grid", box_format, call)
  half <- cbind(theta[, 1, 1], theta[, 2, 2])
  middle <- array(theta[, , 3], dim(half))
  sides <- to_sides(cbind(middle - half, middle + half), "grid", size$height, size$width)
  boxes <- from_sides(sides, box_format, size$height, size$width)
  if (!has_sides(box_format)) check_box_sizes(boxes, "theta", call, "Mirrored boxes have sides, but no sizes.")
  boxes
}

as_thetas <- function(x, arg = caller_arg(x), call = caller_env()) {
  force(arg)
  shape <- dim(x)
  if (is_numbers(x) && length(shape) %in% 2:3 && all(utils::tail(shape, 2) == 2:3)) {
    check_finite_boxes(x, arg, call)
    return(array(as.double(x), c(prod(shape) %/% 6, 2, 3)))
  }
  kerascrop_abort(c(
    "{.arg {arg}} must be an array {.code (boxes, 2, 3)}, or a matrix of 2 rows and 3 columns.",
    x = "It is {shown(x)}."
  ), "box", call)
}

# Tensors are converted in Python, where they stay.
convert_tensor <- function(name, tensor, box_format, height, width, call = caller_env()) {
  module <- load_module(call)
  with_python_errors(module[[name]](tensor, box_format, height, width), call)
}
