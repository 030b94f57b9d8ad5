#' Crop images to the size of a reference
#'
#' Cuts images to the height and width of a reference, as the skip connections of a U-Net need: what comes from the way
#' down is larger than what it is joined with on the way up. `layer_crop_like_1d()` does so with sequences,
#' `layer_crop_like_3d()` with volumes. Pixels are moved, never computed, so the type of the numbers stays.
#'
#' @inheritParams layer_center_crop
#' @param object A list of two, tensors or arrays: images and the reference, `(batch, height, width, channels)`. The
#'   reference is looked at for its size alone; its channels may be others. Or a named list of `images`, `reference`,
#'   and what goes with the images, see below. Missing or `NULL`: the layer itself.
#' @param place Where the crops are: `"center"`; `"start"`, top left; `"end"`, bottom right; or a number of pixels
#'   before them. Or one of these for each axis: `c("start", "end")` is top right, `c(2, 3)` starts at the third row and
#'   the fourth column, `list("end", 3)` is both.
#' @param if_smaller What to do when an image is smaller than the reference: `"error"`; `"pad"`, add pixels of
#'   `fill_value` on both sides; `"keep"`, leave that axis as it is. With a `place` in pixels, `"error"` only.
#' @returns The layer, or the crops, of the reference's size, as `object` says. In a model their size is known where the
#'   reference's is. A named list gives a named list.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Errors:
#' `kerascrop_error_size`: an image is smaller than the reference, or has not so many pixels from its `place` on.
#' `kerascrop_error_argument`: an unknown `place`, or no reference. The others as in [layer_center_crop()].
#' @family crop layers
#' @seealso [layer_center_crop()] and [layer_window_crop()] for sizes that are known.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' keras <- reticulate::import("keras")
#' images <- keras$Input(list(64L, 64L, 1L))
#' down <- keras$layers$Conv2D(8L, 3L)(images)
#' up <- keras$layers$UpSampling2D()(keras$layers$MaxPooling2D(4L)(down))
#' joined <- keras$layers$Concatenate()(list(layer_crop_like(list(down, up)), up))
#' joined$shape
layer_crop_like <- function(object, place = "center", data_format = NULL, ..., if_smaller = "error", fill_value = 0,
                            fill_mode = "constant", mask_fill_value = 0, box_format = "xyxy", min_visible = 0,
                            pass_through = NULL, return_boxes = FALSE) {
  arguments <- checked_arguments(
    place = as_like_place(place, 2), if_smaller = as_choice(if_smaller, place_if_smaller_choices)
  )
  compose(object, "CropLike", arguments, inputs = c("images", "reference"))
}

#' @rdname layer_crop_like
#' @export
layer_crop_like_1d <- function(object, place = "center", data_format = NULL, ..., if_smaller = "error", fill_value = 0,
                               fill_mode = "constant", mask_fill_value = 0, box_format = "xyxy", min_visible = 0,
                               pass_through = NULL, return_boxes = FALSE) {
  arguments <- checked_arguments(
    place = as_like_place(place, 1), if_smaller = as_choice(if_smaller, place_if_smaller_choices)
  )
  compose(object, "CropLike1D", arguments, inputs = c("images", "reference"))
}

#' @rdname layer_crop_like
#' @export
layer_crop_like_3d <- function(object, place = "center", data_format = NULL, ..., if_smaller = "error", fill_value = 0,
                               fill_mode = "constant", mask_fill_value = 0, box_format = "xyxy", min_visible = 0,
                               pass_through = NULL, return_boxes = FALSE) {
  arguments <- checked_arguments(
    place = as_like_place(place, 3), if_smaller = as_choice(if_smaller, place_if_smaller_choices)
  )
  compose(object, "CropLike3D", arguments, inputs = c("images", "reference"))
}

# A word or a number of pixels, or one of these for each axis.
as_like_place <- function(x, rank, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "argument", arg, call)
  each <- if (is_plain_list(x) || is_whole(x) || are_strings(x)) lapply(x, function(each) each)
  fine <- vapply(each, function(each) is_one_whole(each) && each >= 0 || is_string(each) && each %in% like_places, NA)
  if (length(each) %in% c(1, rank) && all(fine)) {
    each <- lapply(unname(each), function(each) if (is.numeric(each)) as.integer(each) else each)
    return(if (length(each) == 1) each[[1]] else each)
  }
  kerascrop_abort(c(
    "{.arg {arg}} must be one of {.or {.val {like_places}}}, or a number of pixels from 0 on; or one of these for each
     axis.",
    x = "It is {shown(x)}."
  ), "argument", call)
}
