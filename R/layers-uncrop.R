#' Put crops back where they came from
#'
#' Pastes crops into images of `height` by `width` pixels: what a crop layer did, undone. Each crop is resized to its
#' box, antialiased where the box is the smaller one. Where crops overlap, the mean is taken. Crops of whole pixels go
#' back unchanged. So a large image can be predicted in tiles: [layer_multi_crop()] with `views = "grid"` and
#' `return_boxes = TRUE`, the network, `layer_uncrop()`.
#'
#' @inheritParams layer_center_crop
#' @param object A list of two, tensors or arrays: crops `(batch, height, width, channels)` with boxes `(batch, 4)`, or
#'   `(batch, boxes, height, width, channels)` with `(batch, boxes, 4)`. A crop layer with `return_boxes = TRUE` returns
#'   such a list. Missing or `NULL`: the layer itself.
#' @param height,width Size of the images that are made, in pixels.
#' @param box_format What the four numbers of a box are; see [layer_box_crop()]. A box with `x1` above `x2` is mirrored
#'   back.
#' @param fill_value The value of pixels that no crop covers.
#' @param data_format Of the crops, `"channels_last"` or `"channels_first"`; `NULL` takes Keras's setting.
#' @returns The layer, or images `(batch, height, width, channels)` of the crops' type; integers are averaged and
#'   rounded.
#' @section Errors:
#' `kerascrop_error_size`: `height` or `width` is not a positive whole number. `kerascrop_error_shape`: crops of another
#' shape. `kerascrop_error_box`: boxes of another shape or number, an unknown format; boxes in an R array with `NA`.
#' `kerascrop_error_argument`: anything else about the arguments. `kerascrop_error_python`: Python or Keras is missing.
#' @family crop layers
#' @seealso [uncrop()] for plain arrays.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(6 * 6), c(1, 6, 6, 1))
#' crops <- layer_center_crop(x, 2, 2, return_boxes = TRUE)
#' round(from_numpy(layer_uncrop(crops, 6, 6))[1, , , 1], 2)
layer_uncrop <- function(object, height, width, box_format = "xyxy", fill_value = 0, data_format = NULL, ...) {
  compose(object, "Uncrop", checked_arguments(), inputs = c("crops", "boxes"))
}
