#' Crop given boxes
#'
#' Cuts one box, or several, out of each image and resizes each to `height` by `width`: bilinear, and differentiable in
#' the image and in the box. A whole-pixel box that is as large as the crop gives the slice exactly. A box may reach
#' outside of the image: `fill_mode` says what is there.
#'
#' @inheritParams layer_center_crop
#' @param object A list of two: images `(batch, height, width, channels)` and boxes, `(batch, 4)` or
#'   `(batch, boxes, 4)`; tensors or arrays. Or a named list of `images`, `boxes`, and what goes with the images, see
#'   below. Missing or `NULL`: the layer itself.
#' @param box_format What the four numbers of a box are: `"xyxy"`, left, top, right and bottom in pixels (edge
#'   coordinates, see [kerascrop-package]); Keras's other names `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`,
#'   `"rel_xyxy"`, `"rel_yxyx"`, `"rel_xywh"`, `"rel_center_xywh"` (`rel_`: fractions of the image); or `"grid"`,
#'   corners in `[-1, 1]`, PyTorch's image coordinates. `bounding_boxes` in a named list have it too.
#' @param antialias Average all the pixels of a box that is larger than the crop, rather than the nearest four.
#' @param fill_mode What is outside of the image: `"constant"`, `"nearest"` (the edge's pixels) or `"reflect"`.
#' @param fill_value The number for `"constant"`.
#' @returns The layer, or the crops: `(batch, height, width, channels)`, for several boxes
#'   `(batch, boxes, height, width, channels)`. A named list gives a named list.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Errors:
#' `kerascrop_error_box`: boxes of another shape, or an unknown format; boxes in an R array with `NA`, or reversed (in a
#' tensor these give `NaN`, and mirrored crops). `kerascrop_error_size`, `kerascrop_error_shape`,
#' `kerascrop_error_argument` and `kerascrop_error_python` as in [layer_center_crop()].
#' @family crop layers
#' @seealso [crop_boxes()] for plain arrays; [box_window()] makes boxes from rows and columns.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(9 * 12 * 3), c(1, 9, 12, 3))
#' box <- box_window(rows = 3:6, cols = 4:9)
#' y <- layer_box_crop(list(x, box), height = 4, width = 6)
#' all.equal(from_numpy(y), x[, 3:6, 4:9, , drop = FALSE], tolerance = 1e-6)
layer_box_crop <- function(object, height, width, box_format = "xyxy", antialias = FALSE,
                           fill_mode = c("constant", "nearest", "reflect"), fill_value = 0, data_format = NULL, ...,
                           min_visible = 0, return_boxes = FALSE) {
  if (!missing(object)) check_box_values(object, as_box_format(box_format))
  compose(object, "BoxCrop", checked_arguments(), ...)
}

# Boxes that come from R are looked at before they become tensors, whose numbers nobody can check in time.
check_box_values <- function(object, box_format, call = caller_env()) {
  boxes <- if (is_joint(object)) object[["boxes"]] else if (is_pair(object)) object[[2]]
  check_finite_boxes(boxes, "boxes", call)
  if (!is.numeric(boxes) || length(boxes) %% 4 != 0 || dim(boxes)[length(dim(boxes))] %||% 0 != 4) return(invisible())
  if (grepl("xyxy|yxyx|grid", box_format)) as_boxes(matrix(boxes, ncol = 4), "boxes", call)
}

check_finite_boxes <- function(boxes, arg, call = caller_env()) {
  if (!is.numeric(boxes) || all(is.finite(boxes))) return(invisible())
  kerascrop_abort(c(
    "{.arg {arg}} must be finite numbers.", x = "{sum(!is.finite(boxes))} of them {?is/are} not."
  ), "box", call)
}
