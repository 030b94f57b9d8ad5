#' Crop the middle of images
#'
#' Cuts out the middle `height` by `width` pixels; `layer_center_crop_1d()` the middle of sequences,
#' `layer_center_crop_3d()` of volumes. The window starts at `(length - size) %/% 2`: an odd pixel that is left over
#' stays at the end. Pixels are moved, never computed, so the type of the numbers stays.
#'
#' @param object What the layer is composed with: missing or `NULL`, to get the layer itself; a Sequential model, to
#'   which it is added in place; a tensor, or an array of images, `(batch, height, width, channels)` or one `(height,
#'   width, channels)`, on which it is called; or a named list of them, see below. Layers that cut whole pixels take
#'   clips too, `(batch, time, height, width, channels)`.
#' @param height,width Size of the crop in pixels: whole numbers, at least 1.
#' @param depth,length The same for the first axis of volumes, and for sequences, in steps.
#' @param data_format `"channels_last"`, for images `(batch, height, width, channels)`, or `"channels_first"`, for
#'   `(batch, channels, height, width)`. `NULL` takes Keras's setting, which is the first unless changed.
#' @param ... Named arguments of the Keras layer: `name`, `dtype`, `trainable`; and, as in keras3, `input_shape` for the
#'   first layer of a Sequential model, such as `c(64, 64, 3)`.
#' @param if_smaller What to do when an image is smaller than the crop: `"error"`; `"resize"`, enlarge the image,
#'   keeping its aspect, until the crop fits (Keras's way; integers are rounded, masks take the nearest pixel); `"pad"`,
#'   add pixels around it; `"keep"`, leave that axis as it is.
#' @param fill_value The number that new pixels get: one that the type of the images can hold.
#' @param fill_mode What new pixels show: `"constant"`, the `fill_value`; or the image again, `"nearest"` (a a a|a b c
#'   d), `"reflect"` (c b a|a b c d; NumPy and TensorFlow say symmetric) or `"mirror"` (d c b|a b c d; NumPy, PyTorch
#'   and TensorFlow say reflect).
#' @param mask_fill_value The number that new pixels get in masks.
#' @param pad_position With `if_smaller = "pad"`, where an image is among the new pixels: `"center"`, an odd one of
#'   which is at the end; `"start"`, all at the end; or `"end"`. Or one of these for each axis: `c("start", "end")` is
#'   top right.
#' @param box_format What the numbers of `bounding_boxes` are, before and after: `"xyxy"`, left, top, right and bottom
#'   in pixels; or another of the formats in [layer_box_crop()]. The relative ones are fractions of the image, then of
#'   the crop.
#' @param min_visible Drop bounding boxes of which less than this fraction is left, from 0 to 1. Those of which nothing
#'   is left are always dropped.
#' @param pass_through Names of parts of a named list that are passed on uncropped although they look like boxes, masks
#'   or key points: `"bbox"`, or `"objects/bbox"` for a part of a list in the list. `NULL`: none.
#' @param return_boxes Return a list of two: the crops, and the boxes that were cut, `(batch, 4)`: `x1, y1, x2, y2` in
#'   pixels of the input. Sequences have boxes `x1, x2`, volumes `x1, y1, z1, x2, y2, z2`.
#' @returns The layer, the model, or the crops `(batch, height, width, channels)`, as `object` says; for sequences
#'   `(batch, length, channels)`, for volumes `(batch, depth, height, width, channels)`. A named list gives a named
#'   list.
#' @section Masks, bounding boxes and key points:
#' `object` may be a named list, Keras's own form, of arrays or tensors: `images`, and any of `segmentation_masks`,
#' `(batch, height, width)` with or without channels; `bounding_boxes`, a list of `boxes` `(batch, boxes, 4)` and
#' `labels` `(batch, boxes)`; and `keypoints`, `(batch, points, 2)`, x and y in pixels. All are cropped alike. Integer
#' masks keep their type and class numbers. A bounding box that is dropped keeps its place, with the label -1 and sides
#' of 0, so images with fewer boxes than others are filled up with such boxes. Key points outside of the crop are
#' kept, with coordinates below 0 or beyond the crop's size. Parts with other names, such as `labels`, are passed on
#' unchanged; they must be numbers or tensors too. What looks like boxes, a mask or points under another name, such as
#' `bbox`, `mask` or `landmarks`, or is as large as the images, would not fit the crops any more: it is an error that
#' suggests the right name, unless `pass_through` has its name.
#' @section Errors:
#' `kerascrop_error_size`: a size is not a positive whole number, or larger than the images (as soon as their size is
#' known) while `if_smaller` is `"error"`. `kerascrop_error_shape`: `object` is neither images nor one image, or masks
#' have another size. `kerascrop_error_box`: bounding boxes of another shape or number than their labels, or an unknown
#' format. `kerascrop_error_argument`: anything else about the arguments. `kerascrop_error_python`: Python or Keras is
#' missing.
#' @section Saved models:
#' Keras saves the layers with their model. Call `library(kerascrop)` before you load it in a new session: that tells
#' Keras what these layers are, which else stops with `TypeError: Could not locate class`. Random layers save how far
#' they have drawn, too: a training that is resumed goes on to new places.
#' @section With keras3:
#' keras3 has a `layer_center_crop()` too; whichever package is attached last is called. Code written for keras3's runs
#' with this one; see [differences_from_keras3]. To be sure, write `kerascrop::layer_center_crop()`.
#' @family crop layers
#' @seealso [crop_center()] for plain arrays.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(2 * 9 * 12 * 3), c(2, 9, 12, 3))
#' y <- layer_center_crop(x, 4, 6)
#' all.equal(from_numpy(y), x[, 3:6, 4:9, ], tolerance = 1e-6)
#'
#' # images and their masks, cropped alike
#' both <- layer_center_crop(list(images = x, segmentation_masks = x[, , , 1] > 0.5), 4, 6)
#' identical(from_numpy(both$segmentation_masks), x[, 3:6, 4:9, 1] > 0.5)
#'
#' # images smaller than the crop
#' dim(from_numpy(layer_center_crop(x, 20, 20, if_smaller = "pad")))
layer_center_crop <- function(object, height, width, data_format = NULL, ..., if_smaller = "error", fill_value = 0,
                              fill_mode = "constant", mask_fill_value = 0, pad_position = "center", box_format = "xyxy",
                              min_visible = 0, pass_through = NULL, return_boxes = FALSE) {
  compose(object, "CenterCrop", checked_arguments())
}

#' @rdname layer_center_crop
#' @export
layer_center_crop_1d <- function(object, length, data_format = NULL, ..., if_smaller = "error", fill_value = 0,
                                 fill_mode = "constant", mask_fill_value = 0, pad_position = "center",
                                 box_format = "xyxy", min_visible = 0, pass_through = NULL, return_boxes = FALSE) {
  compose(object, "CenterCrop1D", checked_arguments())
}

#' @rdname layer_center_crop
#' @export
layer_center_crop_3d <- function(object, depth, height, width, data_format = NULL, ..., if_smaller = "error",
                                 fill_value = 0, fill_mode = "constant", mask_fill_value = 0, pad_position = "center",
                                 box_format = "xyxy", min_visible = 0, pass_through = NULL, return_boxes = FALSE) {
  compose(object, "CenterCrop3D", checked_arguments())
}
