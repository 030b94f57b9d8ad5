#' Crops of the images in labelled folders
#'
#' Reads a folder that has one folder of images for each class, and gives random crops for training or centre crops for
#' prediction, as a TensorFlow dataset. Of a JPEG only the crop's part is decoded; and where crops are reduced
#' (`resize`), the decoder does part of that. PNG, GIF, BMP, WebP, TIFF, PPM, JPEG 2000 and AVIF files are read too.
#'
#' Files are read as viewers show them, by the Python package Pillow: photographs upright, the first picture of those
#' that have several, whatever their names end in. Where the colours are those of print, CMYK, they become red, green
#' and blue; of 16 bits the upper 8 are kept. Folders and files may be links. Hidden ones are not read, nor are files
#' whose names do not end as those of images do: a warning of class `kerascrop_warning_files` says which, and how many.
#'
#' Arguments that `keras3::image_dataset_from_directory()` has as well mean the same here.
#'
#' @inheritParams crop_generator
#' @param path The folder.
#' @param batch_size Images in a batch; `NULL` gives single images.
#' @param resize `NULL` cuts `height` by `width` pixels of the file. A number of pixels cuts what these would be if the
#'   image's shorter side were resized to that number, and resizes the crop: `resize = 256` with crops of 224 by 224 is
#'   the classic recipe for ImageNet. It must be at least `height` and `width`.
#' @param labels `"inferred"`, from the folders; `NULL`, for images without labels; or one for each file in the order of
#'   their sorted paths: whole numbers, which stay as they are; a factor, whose levels are the classes; names; or `TRUE`
#'   and `FALSE`.
#' @param label_mode `"int"`, `"categorical"` (one-hot), `"binary"` (0 or 1), or `NULL`, for images without labels.
#' @param class_names The folders to read, or the names in `labels`, in the order of the labels, which count from 0;
#'   `NULL` takes all, sorted, or a factor's levels.
#' @param color_mode `"rgb"`, `"grayscale"` (of colours the weighted sum of ITU-R 601) or `"rgba"`. The first two leave
#'   opacity out.
#' @param shuffle Whether each epoch has an order of its own; else files come sorted. `NULL` shuffles for random crops.
#' @param seed A whole number, for the same order and places in every run; `NULL` draws one from R's random numbers,
#'   which [set.seed()] fixes.
#' @param validation_split,subset The fraction of files kept for validation, and `"training"` or `"validation"`. `seed`
#'   fixes which file is in which of the two, whatever `shuffle` is, and must be given.
#' @param if_smaller What to do, where nothing is resized, with an image smaller than the crop: `"error"`, which names
#'   the file; `"resize"`, which enlarges it until the crop fits; `"pad"`, with black, on all sides.
#' @param antialias Let each pixel of a reduced crop be a mean over all the file's pixels that it covers. Otherwise
#'   crops are bilinear, though of a JPEG that the decoder has already reduced to less than twice their size.
#' @param errors What to do with files that are empty, truncated or not an image: `"raise"`, an error that names them;
#'   `"skip"`, a warning of class `kerascrop_warning_files` that names them. Most are found at once; a file
#'   whose defect only shows when it is decoded stops the dataset there, or is left out with a warning of Python's.
#' @param orient Turn photographs upright, as EXIF says that they lie; `FALSE` leaves them as they are stored.
#' @param max_pixels Files that say they have more are broken; `NULL` takes any.
#' @returns A Python `tf.data` dataset, for `fit()` and `predict()`, of `(images, labels)`, or of images alone: `uint8`,
#'   `(batch, height, width, channels)`. `dataset$class_names` and `dataset$file_paths` tell what it reads.
#' @section Errors:
#' `kerascrop_error_argument`: the folder is not there, or has no folders or images in it; a class has no image; a file
#' is broken; or an argument is wrong. `kerascrop_error_size`: a wrong size.
#' @family data
#' @export
#' @examplesIf reticulate::py_module_available("tensorflow")
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' folder <- tempfile()
#' dir.create(file.path(folder, "cat"), recursive = TRUE)
#' invisible(file.copy(photo, file.path(folder, "cat")))
#' train <- crops_from_directory(folder, 224, 224, resize = 256)
#' test <- crops_from_directory(folder, 224, 224, "center", resize = 256)
#' train$class_names
crops_from_directory <- function(path, height, width, mode = c("random", "center"), batch_size = 32, resize = NULL,
                                 labels = "inferred", label_mode = "int", class_names = NULL, color_mode = "rgb",
                                 shuffle = NULL, seed = NULL, validation_split = NULL, subset = NULL,
                                 if_smaller = "error", antialias = FALSE, errors = "raise", orient = TRUE,
                                 max_pixels = 2^29 %/% 3) {
  call <- rlang::current_env()
  check_given(path, "argument", "path", call)
  if (!is_string(path) || !dir.exists(path)) {
    problem <- if (is_string(path)) "There is no folder {shown(path)}." else "It is {shown(path)}."
    kerascrop_abort(c("{.arg path} must be a folder.", x = problem), "argument")
  }
  if (!is.null(subset) && is.null(seed)) {
    kerascrop_abort(c(
      "{.arg subset} needs a {.arg seed}, the same for both subsets.", i = "Otherwise they would overlap."
    ), "argument")
  }
  labels <- as_labels(labels)
  class_names <- as_class_names(class_names) %||% if (is.factor(labels)) as.list(levels(labels))
  if (!is.null(labels) && !identical(labels, "inferred")) {
    labels <- as.list(if (is.factor(labels)) as.character(labels) else labels)
  }
  arguments <- list(
    path = normalizePath(path), height = as_size(height), width = as_size(width), mode = as_choice(mode, crop_modes),
    batch_size = or_null(as_count)(batch_size), resize = or_null(as_size)(resize), labels = labels,
    label_mode = or_null(as_choice)(label_mode, label_modes), class_names = class_names,
    color_mode = as_choice(color_mode, color_modes), shuffle = or_null(as_flag)(shuffle),
    seed = seed_or_draw(seed, call), validation_split = or_null(as_fraction)(validation_split),
    subset = or_null(as_choice)(subset, subsets), if_smaller = as_choice(if_smaller, file_if_smaller_choices),
    antialias = as_flag(antialias), errors = as_choice(errors, file_errors),
    orient = as_flag(orient), max_pixels = or_null(as_count)(max_pixels)
  )
  module <- load_module(call)
  recorded <- python_part("pipelines.from_r", call, convert = TRUE)$recorded
  result <- with_python_errors(recorded(module$crops_from_directory, arguments), call)
  for (message in result[[2]]) kerascrop_warn("{message}", "files", call)
  result[[1]]
}

# "inferred", whole numbers, or a factor: names and flags become one.
as_labels <- or_null(function(x, arg, call) {
  if (identical(x, "inferred")) return(x)
  if (is.logical(x)) x <- factor(x, c(FALSE, TRUE))
  if (are_strings(x) && length(x) > 1) x <- factor(x)
  fine <- is.factor(x) || (is.numeric(x) && !is.object(x))
  if (fine && is.null(dim(x)) && length(x) && !anyNA(as.character(x))) {
    if (is.factor(x)) return(x)
    if (is_whole(x)) return(as.integer(x))
  }
  missing <- if (fine) which(is.na(as.character(x)))
  kerascrop_abort(c(
    "{.arg {arg}} must be {.val inferred}, {.code NULL}, or one for each file: whole numbers, a factor, names, or
     {.code TRUE} and {.code FALSE}.",
    x = if (length(missing)) "Number {missing[1]} is NA." else "It is {shown(x)}."
  ), "argument", call)
})

as_class_names <- or_null(function(x, arg, call) {
  if (are_strings(x) && length(x) && is.null(dim(x))) {
    if (!anyDuplicated(x)) return(as.list(x))
    twice <- x[anyDuplicated(x)]
    kerascrop_abort(c(
      "{.arg {arg}} must have each class once.", x = "{.val {twice}} is there twice."
    ), "argument", call)
  }
  kerascrop_abort(c(
    "{.arg {arg}} must be {.code NULL} or the names of classes.", x = "It is {shown(x)}."
  ), "argument", call)
})
