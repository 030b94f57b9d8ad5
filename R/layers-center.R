#' Crop the middle of images
#'
#' Cuts out the middle `height` by `width` pixels. The window starts at `(length - size) %/% 2`: an odd pixel that is
#' left over stays at the bottom or right. Pixels are moved, never computed, so the type of the numbers stays.
#'
#' @param object What the layer is composed with: missing or `NULL`, to get the layer itself; a Sequential model, to
#'   which it is added; a tensor, or an array of images, on which it is called.
#' @param height,width Size of the crop in pixels: whole numbers, at least 1.
#' @param data_format `"channels_last"`, for images `(batch, height, width, channels)`, or `"channels_first"`, for
#'   `(batch, channels, height, width)`. `NULL` takes Keras's setting, which is the first unless changed.
#' @param ... Named arguments of the Keras layer: `name`, `dtype`, `trainable`.
#' @param return_boxes Return a list of two: the crops, and the boxes that were cut, `(batch, 4)`: `x1, y1, x2, y2` in
#'   pixels of the input.
#' @returns The layer, the model, or the crops `(batch, height, width, channels)`, as `object` says.
#' @section Errors:
#' `kerascrop_error_size`: `height` or `width` is no positive whole number, or larger than the images (as soon as
#' their size is known). `kerascrop_error_shape`: `object` is no batch of images. `kerascrop_error_argument`: anything
#' else about the arguments. `kerascrop_error_python`: Python or Keras is missing.
#' @section With keras3:
#' keras3 has a function of this name; whichever package is attached last is called. Code written for keras3's runs with
#' this one. To be sure, write `kerascrop::layer_center_crop()`.
#' @family crop layers
#' @seealso [crop_center()] for plain arrays.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(2 * 9 * 12 * 3), c(2, 9, 12, 3))
#' y <- layer_center_crop(x, 4, 6)
#' all.equal(from_numpy(y), x[, 3:6, 4:9, ], tolerance = 1e-6)
layer_center_crop <- function(object, height, width, data_format = NULL, ..., return_boxes = FALSE) {
  compose(object, "CenterCrop",
    height = as_size(height), width = as_size(width),
    data_format = as_data_format(data_format), return_boxes = as_flag(return_boxes), ...
  )
}
