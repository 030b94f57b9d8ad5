#' Crop several windows of each image
#'
#' `"five"` windows are the corners, top left, top right, bottom left and bottom right, and the centre; `"ten"` adds the
#' same five, each mirrored left to right. `"grid"` cuts windows `stride` pixels apart, row by row; the last ones end
#' where the image ends, so that every pixel is in one. [layer_uncrop()] puts what a network makes of them together
#' again.
#'
#' @inheritParams layer_center_crop
#' @param views Which windows: `"five"`, `"ten"` or `"grid"`.
#' @param stride For `"grid"`, pixels from one window to the next: one number, or `c(vertical, horizontal)`. `NULL`
#'   takes the crops' size, so that windows touch.
#' @param return_boxes Return a list of two: the crops, and the boxes that were cut, `(batch, windows, 4)`. The boxes of
#'   mirrored windows run from right to left.
#' @returns The layer, the model, or the crops `(batch, windows, height, width, channels)`, as `object` says. In a named
#'   list masks, bounding boxes and key points get the axis of windows too.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Errors:
#' `kerascrop_error_size`: also when `stride` is larger than the crops. The others as in [layer_center_crop()].
#' @family crop layers
#' @seealso [crop_multi()] for plain arrays.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(2 * 9 * 12 * 3), c(2, 9, 12, 3))
#' dim(from_numpy(layer_multi_crop(x, 4, 6)))
#' tiles <- layer_multi_crop(x, 4, 6, "grid", return_boxes = TRUE)
#' dim(from_numpy(tiles[[1]]))
#' all.equal(from_numpy(layer_uncrop(tiles, 9, 12)), x, tolerance = 1e-6)
layer_multi_crop <- function(object, height, width, views = c("five", "ten", "grid"), stride = NULL, data_format = NULL,
                             ..., if_smaller = "error", fill_value = 0, fill_mode = "constant", mask_fill_value = 0,
                             pad_position = "center", box_format = "xyxy", min_visible = 0, pass_through = NULL,
                             return_boxes = FALSE) {
  compose(object, "MultiCrop", checked_arguments(
    views = as_choice(views, multi_views),
    stride = as_stride(stride, c(height = as_size(height), width = as_size(width)), views)
  ))
}
