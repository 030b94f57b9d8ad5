#' Where a model would crop, and how unsure it is
#'
#' Asks a model with a learnable crop about images: for labelling a few, the ones first that it is least sure of. See
#' `vignette("label-a-few")`.
#'
#' `doubt` is what the place that is next best holds of the localizer's map, beside the place that was taken: 0 where
#' nothing else was considered, 1 where another place would have done as well. It is `NA` where a localizer has no map.
#' A true box teaches most where the doubt is large, so `crop_app(images, model = model)` shows such images first.
#'
#' @param model A Keras model with one [layer_learnable_crop()], or the path of one that was saved.
#' @param images A folder of images, whose subfolders count as well; or paths of image files, whose pixels become
#'   numbers from 0 to 1, or up to 255 if the model has a layer `Rescaling`; they are resized if the model takes one
#'   size only. Or the model's input, an array `(images, height, width, channels)`.
#' @param labels The names of the classes that the model tells apart, in their order, to label the boxes with. `NULL`:
#'   none.
#' @returns A data frame as [read_boxes()] gives it, with a row for each box, and a column `doubt`, from 0 to 1. `file`
#'   is the name from the folder on, the path, or the number of an image in an array. [write_boxes()] and [crop_app()]
#'   take it.
#' @section Errors:
#' `kerascrop_error_argument`: a model without a learnable crop, or with several; no such images; labels that are not as
#' many as the classes.
#' @family training
#' @seealso [crop_app()] to correct the boxes, [loss_box()] to teach them.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' keras <- reticulate::import("keras")
#' model <- keras$Sequential(list(keras$Input(list(64L, 64L, 1L))))
#' model |> layer_learnable_crop(24, 24)
#' proposals <- propose_boxes(model, cluttered_digits(3, seed = 1)$x)
#' proposals[order(-proposals$doubt), ]
propose_boxes <- function(model, images, labels = NULL) {
  call <- rlang::current_env()
  check_given(model, "argument", "model", call)
  check_given(images, "argument", "images", call)
  labels <- or_null(as_classes)(labels)
  files <- if (is.character(images)) as_image_files(images)
  if (is.null(files) && !(is_numbers(images) && length(dim(images)) == 4)) {
    kerascrop_abort(c(
      "{.arg images} must be a folder, paths of image files, or an array {.code (images, height, width, channels)}.",
      x = "It is {shown(images)}."
    ), "argument")
  }
  loader <- as_model_loader(model)
  if (is.null(loader)) kerascrop_abort("{.arg model} must be a Keras model, or the path of one, not NULL.", "argument")
  names <- if (is.null(files)) as.character(seq_len(dim(images)[1])) else files$files
  asked <- if (is.null(files)) as_numpy(images) else as.list(normalizePath(work_path(files$folder, names)))
  table <- with_python_errors({
    found <- load_module(call)$propose_boxes(loader(), asked, as.list(labels))
    as.data.frame(lapply(found, as.vector))
  }, call)
  number <- if (is.null(files)) as.integer(table$file) + 1L else match(table$file, unlist(asked))
  table$file <- names[number]
  table[c("height", "width")] <- lapply(table[c("height", "width")], as.integer)
  table$doubt[is.nan(table$doubt)] <- NA
  table
}

work_path <- function(folder, file) if (is.null(folder)) file else file.path(folder, file)

# The files of a strip, in the order in which they are worth a correction: those up to the one that is on the screen,
# and those that are labelled, stay where they are; the others follow, the worst first.
worst_first <- function(files, place, labelled, doubt) {
  stay <- seq_along(files) <= place | files %in% labelled
  others <- files[!stay]
  c(files[seq_len(place)], others[order(-doubt[others], na.last = TRUE)], files[stay & seq_along(files) > place])
}
