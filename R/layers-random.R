#' Crop a random place of each image
#'
#' In training every place is equally likely, the last row and column included, and each image has a place of its own.
#' At prediction the crop is the centre, of the same size. Pixels are moved, never computed, so the type of the numbers
#' stays.
#'
#' @inheritParams layer_center_crop
#' @param seed A whole number, for the same places in every run; `NULL` draws one.
#' @param name Name of the layer, or `NULL`.
#' @param per_image Draw a place for each image; `FALSE` draws one for the whole batch.
#' @inheritSection layer_center_crop Errors
#' @returns The layer, the model, or the crops `(batch, height, width, channels)`, as `object` says. A layer called
#'   outside of training gives the centre; `layer(x, training = TRUE)` gives a random place.
#' @section With keras3:
#' keras3 has a function of this name; whichever package is attached last is called. Code written for keras3's runs with
#' this one. To be sure, write `kerascrop::layer_random_crop()`.
#' @family crop layers
#' @seealso [crop_random()] for plain arrays.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(seq_len(2 * 8 * 8), c(2, 8, 8, 1))
#' crop <- layer_random_crop(height = 3, width = 3, seed = 1)
#' from_numpy(crop(as_numpy(x), training = TRUE))[1, , , 1]
#' from_numpy(crop(as_numpy(x)))[1, , , 1] # the centre
layer_random_crop <- function(object, height, width, seed = NULL, data_format = NULL, name = NULL, ...,
                              per_image = TRUE, return_boxes = FALSE) {
  compose(object, "RandomCrop",
    height = as_size(height), width = as_size(width), per_image = as_flag(per_image), seed = as_seed(seed),
    data_format = as_data_format(data_format), name = name, return_boxes = as_flag(return_boxes), ...
  )
}
