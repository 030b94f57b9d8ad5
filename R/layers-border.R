#' Crop the margins of images, or add some
#'
#' Removes margins as Keras's `layer_cropping_2d()` does; negative margins add pixels of `fill_value` instead, each side
#' on its own. Pixels are moved, never computed, so the type of the numbers stays.
#'
#' @inheritParams layer_center_crop
#' @param cropping Whole numbers of pixels: one, for all sides; `c(height, width)`, each for both sides of its axis; or
#'   `list(c(top, bottom), c(left, right))`. Negative numbers add pixels.
#' @param fill_value The number that added pixels get.
#' @returns The layer, the model, or the crops, `(batch, height - top - bottom, width - left - right, channels)`, as
#'   `object` says.
#' @section Errors:
#' `kerascrop_error_size`: `cropping` is no such number, or leaves nothing of the images. The others as in
#' [layer_center_crop()].
#' @family crop layers
#' @seealso [crop_border()] for plain arrays.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' digits <- array(runif(28 * 28), c(1, 28, 28, 1))
#' dim(from_numpy(layer_border_crop(digits, 4)))
#' dim(from_numpy(layer_border_crop(digits, list(c(4, 0), c(-2, -2)))))
layer_border_crop <- function(object, cropping, data_format = NULL, ..., fill_value = 0, return_boxes = FALSE) {
  compose(object, "BorderCrop",
    cropping = as_margins(cropping), fill_value = as_number(fill_value),
    data_format = as_data_format(data_format), return_boxes = as_flag(return_boxes), ...
  )
}
