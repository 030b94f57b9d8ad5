#' Crop the margins of images, or add some
#'
#' Removes margins as Keras's `layer_cropping_2d()` does; negative margins add pixels instead, as `fill_mode` says, each
#' side on its own. Pixels are moved, never computed, so the type of the numbers stays. `layer_border_crop_1d()` is for
#' sequences, `layer_border_crop_3d()` for volumes.
#'
#' @inheritParams layer_center_crop
#' @param cropping Whole numbers of pixels: one, for all sides; `c(height, width)`, each for both sides of its axis; or
#'   `list(c(top, bottom), c(left, right))`. For sequences one, or `c(before, after)`; for volumes one, `c(depth,
#'   height, width)`, or a list of three pairs. Negative numbers add pixels.
#' @returns The layer, the model, or the crops, `(batch, height - top - bottom, width - left - right, channels)`, as
#'   `object` says; sequences and volumes alike. A named list gives a named list.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Errors:
#' `kerascrop_error_size`: `cropping` is of another form, or leaves nothing of the images. The others as in
#' [layer_center_crop()].
#' @family crop layers
#' @seealso [crop_border()] for plain arrays.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' digits <- array(runif(28 * 28), c(1, 28, 28, 1))
#' dim(from_numpy(layer_border_crop(digits, 4)))
#' dim(from_numpy(layer_border_crop(digits, list(c(4, 0), c(-2, -2)))))
layer_border_crop <- function(object, cropping, data_format = NULL, ..., fill_value = 0, fill_mode = "constant",
                              mask_fill_value = 0, box_format = "xyxy", min_visible = 0, pass_through = NULL,
                              return_boxes = FALSE) {
  compose(object, "BorderCrop", checked_arguments(cropping = as_margins(cropping)))
}

#' @rdname layer_border_crop
#' @export
layer_border_crop_1d <- function(object, cropping, data_format = NULL, ..., fill_value = 0, fill_mode = "constant",
                                 mask_fill_value = 0, box_format = "xyxy", min_visible = 0, pass_through = NULL,
                                 return_boxes = FALSE) {
  compose(object, "BorderCrop1D", checked_arguments(cropping = as_margins(cropping, 1)))
}

#' @rdname layer_border_crop
#' @export
layer_border_crop_3d <- function(object, cropping, data_format = NULL, ..., fill_value = 0, fill_mode = "constant",
                                 mask_fill_value = 0, box_format = "xyxy", min_visible = 0, pass_through = NULL,
                                 return_boxes = FALSE) {
  compose(object, "BorderCrop3D", checked_arguments(cropping = as_margins(cropping, 3)))
}
