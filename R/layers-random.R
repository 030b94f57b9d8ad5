#' Crop a random place of each image
#'
#' In training every place is equally likely, the last row and column included, and each image has a place of its own.
#' At prediction the crop is the centre, of the same size. Pixels are moved, never computed, so the type of the numbers
#' stays. `layer_random_crop_1d()` is for sequences, `layer_random_crop_3d()` for volumes.
#'
#' With a `focus` the place depends on what there is to see, in a named list of `images` and bounding boxes or masks:
#' * `"boxes"`: at least `min_visible` of one of the bounding boxes, drawn at random. All places that show so much are
#'   equally likely; where none does, those that show most.
#' * `"mask"`: around a random pixel where the mask is not zero, with probability `positive_fraction`, or else around
#'   one where it is zero. The window is moved until it fits into the image.
#' * `"foreground"`: what is not zero in the mask, as much of it as fits into the crop.
#'
#' Without such boxes or masks, and with `per_image = FALSE`, a `focus` is a `kerascrop_error_argument`.
#'
#' @inheritParams layer_center_crop
#' @param seed A whole number, for the same places in every run; `NULL` draws one, which is saved with the layer.
#' @param name Name of the layer, or `NULL`.
#' @param per_image Draw a place for each image; `FALSE` draws one for the whole batch. The frames of a clip share one.
#' @param focus What the crops should show in training: `NULL`, `"boxes"`, `"mask"` or `"foreground"`, see above.
#' @param positive_fraction For `focus = "mask"`, how many of the crops are around a pixel that is not zero, from 0 to
#'   1.
#' @param pad_position As in [layer_center_crop()]; or `"random"`, at a random place in training, in the middle at
#'   prediction.
#' @param random_pad In training, add so many pixels on each side before the place is drawn, so that crops may reach so
#'   far outside of the image: `layer_random_crop(32, 32, random_pad = 4)` is what trains on CIFAR.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @inheritSection layer_center_crop Errors
#' @returns The layer, the model, or the crops, as in [layer_center_crop()]. A layer called outside of training gives
#'   the centre; `layer(x, training = TRUE)` gives a random place.
#' @section With keras3:
#' keras3 has a `layer_random_crop()` too; whichever package is attached last is called. Code written for keras3's runs
#' with this one; see [differences_from_keras3]. To be sure, write `kerascrop::layer_random_crop()`.
#' @family crop layers
#' @seealso [crop_random()] for plain arrays; [layer_random_resized_crop()] for random sizes.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(seq_len(2 * 8 * 8), c(2, 8, 8, 1))
#' crop <- layer_random_crop(height = 3, width = 3, seed = 1)
#' from_numpy(crop(as_numpy(x), training = TRUE))[1, , , 1]
#' from_numpy(crop(as_numpy(x)))[1, , , 1] # the centre
layer_random_crop <- function(object, height, width, seed = NULL, data_format = NULL, name = NULL, ...,
                              per_image = TRUE, if_smaller = "error", focus = NULL, positive_fraction = 1,
                              fill_value = 0, fill_mode = "constant", mask_fill_value = 0, pad_position = "center",
                              random_pad = 0, box_format = "xyxy", min_visible = 0, pass_through = NULL,
                              return_boxes = FALSE) {
  compose(object, "RandomCrop", checked_arguments())
}

#' @rdname layer_random_crop
#' @export
layer_random_crop_1d <- function(object, length, seed = NULL, data_format = NULL, name = NULL, ..., per_image = TRUE,
                                 if_smaller = "error", focus = NULL, positive_fraction = 1, fill_value = 0,
                                 fill_mode = "constant", mask_fill_value = 0, pad_position = "center", random_pad = 0,
                                 box_format = "xyxy", min_visible = 0, pass_through = NULL, return_boxes = FALSE) {
  compose(object, "RandomCrop1D", checked_arguments())
}

#' @rdname layer_random_crop
#' @export
layer_random_crop_3d <- function(object, depth, height, width, seed = NULL, data_format = NULL, name = NULL, ...,
                                 per_image = TRUE, if_smaller = "error", focus = NULL, positive_fraction = 1,
                                 fill_value = 0, fill_mode = "constant", mask_fill_value = 0, pad_position = "center",
                                 random_pad = 0, box_format = "xyxy", min_visible = 0, pass_through = NULL,
                                 return_boxes = FALSE) {
  compose(object, "RandomCrop3D", checked_arguments())
}

#' Crop a random area of each image, and resize it
#'
#' In training each image gets a box of random area, aspect and place, which is resized to `height` by `width`:
#' bilinear, masks to the nearest pixel. At prediction the box is the largest one in the middle that has the crop's
#' aspect.
#'
#' @inheritParams layer_random_crop
#' @param scale Bounds of the box's area, as fractions of the image's: two numbers in `(0, 1]`.
#' @param ratio Bounds of the box's width divided by its height. Of ten boxes with such areas and aspects the first that
#'   fits into the image is taken; if none fits, the largest one that has the crop's aspect, at a random place.
#' @param antialias Where a box is larger than the crop, make each pixel of the crop a weighted mean of all the
#'   image's pixels around it, rather than of the nearest four, which avoids aliasing.
#' @param per_image Draw a box for each image; `FALSE` draws one for the whole batch.
#' @returns The layer, the model, or the crops `(batch, height, width, channels)`, of the layer's floating-point type,
#'   as `object` says. A named list gives a named list.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Errors:
#' `kerascrop_error_size`: `height` or `width` is not a positive whole number. `kerascrop_error_argument`: `scale` or
#' `ratio` is not two positive numbers, the smaller first, or `scale` is above 1; or anything else about the arguments.
#' The others as in [layer_center_crop()]. Images that are smaller than the crop are enlarged.
#' @references Szegedy et al. (2015), "Going Deeper with Convolutions", \doi{10.1109/CVPR.2015.7298594}, trained so.
#' @family crop layers
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(4 * 32 * 32 * 3), c(4, 32, 32, 3))
#' crop <- layer_random_resized_crop(height = 16, width = 16, seed = 1, return_boxes = TRUE)
#' y <- crop(as_numpy(x), training = TRUE)
#' dim(from_numpy(y[[1]]))
#' from_numpy(y[[2]])
layer_random_resized_crop <- function(object, height, width, scale = c(0.08, 1), ratio = c(3 / 4, 4 / 3),
                                      data_format = NULL, ..., seed = NULL, per_image = TRUE, antialias = TRUE,
                                      box_format = "xyxy", min_visible = 0, pass_through = NULL, return_boxes = FALSE) {
  compose(object, "RandomResizedCrop", checked_arguments(scale = as_bounds(scale, most = 1), ratio = as_bounds(ratio)))
}
