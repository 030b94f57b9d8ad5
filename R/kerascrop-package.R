#' kerascrop: crop layers for Keras models
#'
#' *A crop is a box.* Each layer chooses one box per image, or several, and cuts it out:
#'
#' * [layer_center_crop()]: the middle.
#' * [layer_border_crop()]: all but the margins; negative margins add a border.
#' * [layer_window_crop()]: the same rows and columns of every image.
#' * [layer_crop_like()]: images to the size of a reference.
#' * [layer_random_crop()]: a random place for each image in training, the centre at prediction; if you like, one that
#'   shows an object.
#' * [layer_random_resized_crop()]: a random area, aspect and place, resized.
#' * [layer_multi_crop()]: corners and centre, or a grid.
#' * [layer_box_crop()]: boxes that are given, with real-valued sides.
#' * [layer_learnable_crop()]: boxes that a small network inside the layer learns to predict.
#' * [layer_custom_crop()]: boxes that a function of your own chooses.
#' * [layer_uncrop()] puts crops back where they came from.
#' * [layer_crop_pool()] joins what a network says of several crops of an image.
#'
#' The first five have forms for sequences, `layer_center_crop_1d()`, and volumes, `layer_center_crop_3d()`. Masks,
#' bounding boxes and key points are cropped with their images: all layers but the last two take a named list of them.
#' What differs from Keras's own layers is listed in [differences_from_keras3].
#'
#' [crop_center()], [crop_border()], [crop_window()], [crop_random()], [crop_multi()], [crop_boxes()] and [uncrop()] do
#' the same on plain R arrays, with no model.
#'
#' The layers live in a bundled Python module. [install_kerascrop()] installs what it needs, and
#' [kerascrop_sitrep()] tells what is there.
#'
#' @section Coordinates:
#' A pixel is a unit square. Column `j`, counted from 0, spans `[j, j + 1)`. A box is `x1, y1, x2, y2` in these edge
#' coordinates, so its width is `x2 - x1`. To think in R's rows and columns, counted from 1, use [box_window()]:
#' `box_window(rows = 17:240, cols = 17:240)` is the box `16, 16, 240, 240`.
#'
#' @section Errors:
#' All errors have the class `kerascrop_error` and one more: `kerascrop_error_size` (a size that is not a positive whole
#' number, or larger than the image), `kerascrop_error_shape` (wrong rank or channels), `kerascrop_error_box` (boxes of
#' the wrong shape, with `NA`, or reversed), `kerascrop_error_argument` (everything else about arguments) and
#' `kerascrop_error_python` (Python, or a package of it, is missing, too old, or failed). Warnings have the class
#' `kerascrop_warning` and one more: `kerascrop_warning_crops` ([callback_crop_monitor()]), `kerascrop_warning_files`
#' ([crops_from_directory()]), `kerascrop_warning_boxes` (boxes in pixels that look like fractions of the image),
#' or `kerascrop_warning_box` (boxes wholly outside of the image).
#'
#' @keywords internal
"_PACKAGE"

#' @importFrom rlang %||% .data caller_arg caller_env
NULL

# reticulate takes most of a second to load, so it is loaded only when it is needed.
.onLoad <- function(libname, pkgname) {
  # As in noise.py, but also for those who load Keras first.
  level <- if (any(file.exists(c("/proc/driver/nvidia", "/dev/dxg")))) "2" else "3"
  if (Sys.getenv("TF_CPP_MIN_LOG_LEVEL") == "") Sys.setenv(TF_CPP_MIN_LOG_LEVEL = level)
  if (isNamespaceLoaded("reticulate")) {
    declare_python()
  } else {
    setHook(packageEvent("reticulate", "onLoad"), function(...) declare_python())
  }
  if (isNamespaceLoaded("shiny")) {
    declare_inputs()
  } else {
    setHook(packageEvent("shiny", "onLoad"), function(...) declare_inputs())
  }
}

declare_python <- function() {
  use_own_environment()
  # Newer reticulate finds, or makes, a Python with these packages when it first needs one.
  if (has_py_require()) getExportedValue("reticulate", "py_require")(python_packages())
  # A saved model may hold our layers: whoever loads Keras loads them too, now or later.
  load <- function(...) try(kerascrop_python(), silent = TRUE)
  if (reticulate::py_available() && "keras" %in% names(reticulate::import("sys")$modules)) load()
  setHook("reticulate::keras::load", load)
}

has_py_require <- function() "py_require" %in% getNamespaceExports("reticulate")
