#' Crop the same window of every image
#'
#' Cuts the same rows and columns out of every image, whatever its size; `layer_window_crop_1d()` the same steps of
#' sequences, `layer_window_crop_3d()` the same slices, rows and columns of volumes. Pixels are moved, never computed,
#' so the type of the numbers stays.
#'
#' The place is given in one of three forms. These are the same, and the same as `x[, 3:6, 4:8, ]`:
#'
#' * `rows = 3:6, cols = 4:8`,
#' * `offset = c(2, 3), size = c(4, 5)`, as TensorFlow's `crop_to_bounding_box()` takes them,
#' * `box = c(3, 2, 8, 6)`, as the other layers return it, or `box_window(3:6, 4:8)`.
#'
#' @inheritParams layer_center_crop
#' @param rows,cols,slices,steps Numbers of rows, columns, slices of a volume or steps of a sequence that follow each
#'   other, counted from 1, such as `17:240`. `-1` or `NULL` is all of them.
#' @param offset The pixels before the window: `c(top, left)`, one number for sequences, three for volumes. A negative
#'   one counts from the image's end: `offset = c(-5, 0)` starts five rows before it.
#' @param size Of the window, `c(height, width)`, in pixels; -1 is all of the axis from the offset on.
#' @param box `x1, y1, x2, y2` in whole pixels; two numbers for sequences, six for volumes.
#' @param if_smaller What to do when an image ends within the window: `"error"`; `"pad"`, add the pixels that it lacks;
#'   `"keep"`, leave them out. An image that has no pixel of the window is always an error.
#' @returns The layer, the model, or the crops, of the window's size, as `object` says. A named list gives a named list.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Errors:
#' `kerascrop_error_size`: a place that is not of whole pixels, or holds none; or that is not in the images, as soon as
#' their size is known. `kerascrop_error_box`: rows that do not follow each other. `kerascrop_error_argument`: the place
#' is given in no form, or in several. The others as in [layer_center_crop()].
#' @family crop layers
#' @seealso [crop_window()] for plain arrays; [layer_box_crop()] for boxes that differ between images, or lie between
#'   pixels.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(2 * 9 * 12 * 3), c(2, 9, 12, 3))
#' y <- layer_window_crop(x, rows = 3:6, cols = 4:8)
#' all.equal(from_numpy(y), x[, 3:6, 4:8, ], tolerance = 1e-6)
#'
#' # the last five rows, whatever the size of the image
#' dim(from_numpy(layer_window_crop(x, offset = c(-5, 0))))
layer_window_crop <- function(object, rows = NULL, cols = NULL, offset = NULL, size = NULL, box = NULL,
                              data_format = NULL, ..., if_smaller = "error", fill_value = 0, fill_mode = "constant",
                              mask_fill_value = 0, box_format = "xyxy", min_visible = 0, pass_through = NULL,
                              return_boxes = FALSE) {
  place <- as_python_place(list(rows = rows, cols = cols), offset, size, box)
  compose(object, "WindowCrop", checked_arguments(
    rows = place$rows, cols = place$cols, offset = NULL, size = NULL, box = NULL,
    if_smaller = as_choice(if_smaller, place_if_smaller_choices)
  ))
}

#' @rdname layer_window_crop
#' @export
layer_window_crop_1d <- function(object, steps = NULL, offset = NULL, size = NULL, box = NULL, data_format = NULL, ...,
                                 if_smaller = "error", fill_value = 0, fill_mode = "constant", mask_fill_value = 0,
                                 box_format = "xyxy", min_visible = 0, pass_through = NULL, return_boxes = FALSE) {
  place <- as_python_place(list(steps = steps), offset, size, box)
  compose(object, "WindowCrop1D", checked_arguments(
    steps = place$steps, offset = NULL, size = NULL, box = NULL,
    if_smaller = as_choice(if_smaller, place_if_smaller_choices)
  ))
}

#' @rdname layer_window_crop
#' @export
layer_window_crop_3d <- function(object, slices = NULL, rows = NULL, cols = NULL, offset = NULL, size = NULL,
                                 box = NULL, data_format = NULL, ..., if_smaller = "error", fill_value = 0,
                                 fill_mode = "constant", mask_fill_value = 0, box_format = "xyxy", min_visible = 0,
                                 pass_through = NULL, return_boxes = FALSE) {
  place <- as_python_place(list(slices = slices, rows = rows, cols = cols), offset, size, box)
  compose(object, "WindowCrop3D", checked_arguments(
    slices = place$slices, rows = place$rows, cols = place$cols, offset = NULL, size = NULL, box = NULL,
    if_smaller = as_choice(if_smaller, place_if_smaller_choices)
  ))
}
