#' Draw and edit boxes on an image, by hand
#'
#' An editor in the viewer, in an R Markdown or Quarto page, or in a Shiny app: boxes are drawn, moved, resized, given a
#' class and deleted, with mouse, pen, fingers or keys alone, at any zoom.
#'
#' Boxes are in pixels of the image, as everywhere in this package, however large it is shown. A photograph of very many
#' pixels is shown in a smaller copy, with about 8 million of them.
#'
#' In a Shiny app the editor is an output, `crop_editor_output()` and `render_crop_editor()`, and an input of the same
#' name: see [crop_editor_output()]. In a page without Shiny a button copies the boxes as R code.
#'
#' @section Mouse, fingers and keys:
#' * Drag on the picture: a new box. Inside of a box this moves it; to draw there, hold Shift, or press the button for
#'   it (D).
#' * Drag a side or corner of the selected box: resize it; with Shift, at its aspect.
#' * Click: select a box, the smallest of several there. Tab goes to the next, Escape lets go.
#' * N: a new box in the middle of what is seen. Delete: delete it.
#' * Arrows move the box by a pixel; with Ctrl (or Command), or Page Up, Page Down, Home and End, by 10. With Shift they
#'   resize it. Without a selected box they move the picture.
#' * 1 to 9: the box's class, which later ones get too; 0: none.
#' * Ctrl+Z and Ctrl+Y: undo and redo.
#' * Wheel, two fingers, + and -: zoom. Space and drag, the middle button, two fingers, or the button (H): move the
#'   picture. F: fit it.
#' * A: keep the aspect, or not.
#'
#' @param image One image of any kind that [crop_center()] takes: the path of a file, an array, a magick image.
#' @param boxes Boxes that are there at the start, of any form in [box_names], or `NULL`. A column `label` has their
#'   classes. Those that reach outside of the image stay as they are until they are edited.
#' @param labels The classes, as strings. The first nine have the keys 1 to 9, and colours that people who are
#'   colour-blind tell apart; later ones have these again, so names are always written beside.
#' @param ... Not used; what follows is given by name.
#' @param aspect Width divided by height that drawn and resized boxes keep, or `NULL`.
#' @param size `c(height, width)`, in pixels, of each new box, or a layer of this package that has such a size. Boxes
#'   cannot be resized then.
#' @param snap Keep to whole pixels. A drawn box then holds the pixels under the pointer, where it began and where it
#'   ended.
#' @param ghosts Boxes to compare with, drawn with dashes: a named list of boxes, or of layers of this package and
#'   models with a learnable crop, which are asked for their boxes of this image; or one of these. While a box is
#'   edited, its IoU ([box_iou()]) with each is shown.
#' @param width,height The editor's size on the page, a number of pixels or a CSS string such as `"100%"`.
#' @param element_id The id of the editor's HTML element.
#' @returns An htmlwidget: print it, or leave it as a chunk's result.
#' @section Errors:
#' `kerascrop_error_shape`: `image` is not one image. `kerascrop_error_box`: `boxes` or `ghosts` of another shape, with
#' `NA`, reversed, or wholly outside of the image. `kerascrop_error_size`: `size` is not such, or larger than the image.
#' `kerascrop_error_argument`: another argument is wrong, or a model has no learnable crop, or several.
#' `rlib_error_package_not_found`: the package htmlwidgets is missing.
#' @family editor
#' @export
#' @examplesIf rlang::is_installed("htmlwidgets")
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' eyes <- data.frame(x1 = c(119, 279), y1 = c(74, 94), x2 = c(215, 350), y2 = c(165, 170), label = "eye")
#' if (interactive()) crop_editor(photo, eyes, labels = c("eye", "nose"), ghosts = list(centre = c(125, 50, 325, 250)))
crop_editor <- function(image, boxes = NULL, labels = NULL, ..., aspect = NULL, size = NULL, snap = TRUE,
                        ghosts = NULL, width = NULL, height = NULL, element_id = NULL) {
  call <- rlang::current_env()
  rlang::check_installed("htmlwidgets", "to show the crop editor.")
  check_given(image, "shape", "image", call)
  check_no_dots(list(...), "Its arguments are {.code aspect}, {.code size}, {.code snap} and so on.")
  aspect <- or_null(as_positive)(aspect)
  snap <- as_flag(snap)
  labels <- as_classes(labels)
  width <- as_css(width)
  height <- as_css(height)
  element_id <- as_name(element_id)
  check_alive(boxes, "boxes", call)
  shown <- as_picture(image, "image", call)
  lengths <- c(height = shown$height, width = shown$width)
  boxes <- as_labelled_boxes(boxes, "boxes", call, lengths)
  size <- as_crop_size(size, lengths)
  if (!is.null(size) && !is.null(aspect)) {
    kerascrop_abort("{.arg aspect} goes without {.arg size}, which has one.", "argument")
  }
  x <- c(shown, list(
    boxes = js_boxes(boxes), labels = I(all_classes(labels, boxes)), aspect = aspect, size = size, snap = snap,
    ghosts = as_ghosts(ghosts, image, call)
  ))
  htmlwidgets::createWidget(
    "crop_editor", x, width, height, package = "kerascrop", elementId = element_id, preRenderHook = send_picture,
    sizingPolicy = htmlwidgets::sizingPolicy(
      defaultWidth = "100%", defaultHeight = 520, browser.fill = TRUE, viewer.fill = TRUE, knitr.figure = FALSE,
      knitr.defaultWidth = "100%", knitr.defaultHeight = 520
    )
  )
}

as_id <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "argument", arg, call)
  if (is_string(x) && nzchar(x)) return(as.vector(x))
  kerascrop_abort(c("{.arg {arg}} must be a string.", x = "It is {shown(x)}."), "argument", call)
}

as_css <- or_null(function(x, arg, call) {
  if (is_number(x) && x > 0) return(x)
  fine <- is_string(x) && !inherits(try(htmltools::validateCssUnit(x), silent = TRUE), "try-error")
  if (fine) return(as.vector(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be a number of pixels, or a size as CSS writes it, such as {.val 100%}.", x = "It is {shown(x)}."
  ), "argument", call)
})

as_classes <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_alive(x, arg, call)
  if (is.null(x)) return(character())
  if (are_strings(x) && is.null(dim(x)) && all(nzchar(x)) && !anyDuplicated(x)) return(enc2utf8(as.vector(x)))
  kerascrop_abort(c(
    "{.arg {arg}} must be the names of classes, strings that differ from each other.", x = "It is {shown(x)}."
  ), "argument", call)
}

# The classes, and after them those that only boxes have.
all_classes <- function(labels, boxes) union(labels, boxes$label[!is.na(boxes$label)])

# Boxes as a data frame `x1, y1, x2, y2, label`.
as_labelled_boxes <- function(boxes, arg, call, lengths = NULL) {
  if (is.null(boxes)) boxes <- matrix(0, 0, 4)
  sides <- as_boxes(boxes, arg, call)
  warn_fractions(sides, call = call)
  if (!is.null(lengths)) check_in_image(sides, lengths, arg, call)
  data.frame(sides, label = labels_of(boxes, nrow(sides), arg, call))
}

check_in_image <- function(sides, lengths, arg, call) {
  height <- lengths[["height"]]
  width <- lengths[["width"]]
  outside <- which(sides[, 1] >= width | sides[, 2] >= height | sides[, 3] <= 0 | sides[, 4] <= 0)
  if (!length(outside)) return(invisible())
  kerascrop_abort(c(
    "{.arg {arg}} must lie in the image, or reach into it.",
    x = "Box {outside[1]} is {shown(unname(sides[outside[1], ]))}; the image is {width} pixels wide and {height} high."
  ), "box", call)
}

labels_of <- function(boxes, n, arg, call) {
  label <- if (is.list(boxes)) boxes[["label"]]
  if (is.null(label)) return(rep(NA_character_, n))
  if (is.factor(label)) label <- as.character(label)
  if (is.atomic(label) && !is.object(label) && length(label) == n) return(valid_text(as.character(label)))
  kerascrop_abort(c(
    "{.code label} of {.arg {arg}} must be strings, one for each box.", x = "It is {shown(label)}."
  ), "box", call)
}

# Columns for JSON. Numbers are strings with all their digits, and `I()` keeps a column of one from becoming a scalar.
js_boxes <- function(boxes) {
  lapply(boxes, function(column) I(if (is.double(column)) sprintf("%.17g", column) else column))
}

as_crop_size <- or_null(function(x, lengths, arg, call) {
  is_layer <- is_python(x, "kerascrop.layers.base.Crop")
  if (is_layer && all(vapply(c("height", "width"), function(side) reticulate::py_has_attr(x, side), NA))) {
    x <- c(x$height, x$width)
  }
  if (!is_whole(x) || length(x) != 2 || any(x < 1)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be {.code c(height, width)}, whole numbers of pixels, or a crop layer that has such a size.",
      x = "It is {shown(x)}."
    ), "size", call)
  }
  if (any(x > lengths)) {
    kerascrop_abort(c(
      "{.arg {arg}} must fit into the image.",
      x = "It is {shown(as.vector(x))}, but the image is {lengths[['height']]} pixels high and {lengths[['width']]}
           wide."
    ), "size", call)
  }
  list(height = x[1], width = x[2])
})

# A list of ghosts: the `name` and `boxes` of each.
as_ghosts <- function(ghosts, image, call) {
  check_alive(ghosts, "ghosts", call)
  if (is.null(ghosts)) return(list())
  if (!is_box_list(ghosts)) ghosts <- list(ghosts)
  names <- rlang::names2(ghosts)
  unname(Map(function(ghost, name, i) {
    arg <- sprintf("ghosts[[%d]]", i)
    check_alive(ghost, arg, call)
    boxes <- as_boxes(if (is_python(ghost)) boxes_of(ghost, image, arg, call) else ghost, arg, call)
    if (!nrow(boxes)) kerascrop_abort(c("{.arg {arg}} must be one box or more.", x = "There are none."), "box", call)
    if (!nzchar(name)) name <- if (is_python(ghost)) ghost$name else paste("ghost", i)
    list(name = valid_text(name), boxes = js_boxes(as.data.frame(boxes)))
  }, ghosts, names, seq_along(ghosts)))
}

# The boxes that a layer, or the learnable crop of a model, cuts out of an image.
boxes_of <- function(x, image, arg, call) {
  if (is.null(image)) {
    kerascrop_abort(c(
      "{.arg {arg}} is {shown(x)}, which needs an image.", i = "Give {.arg image} too."
    ), "argument", call)
  }
  images <- image_array(image)
  if (is_python(x, "kerascrop.layers.base.Crop")) {
    looked <- with_python_errors(x$look(as_inputs(images, unlist(x$input_names), x, call), FALSE), call)
    return(matrix(from_numpy(looked[[2]]), ncol = 4)) # of `(1, crops, 4)`
  }
  if (!reticulate::py_has_attr(x, "predict")) {
    kerascrop_abort(c(
      "{.arg {arg}} must be boxes, a crop layer, or a model with a learnable crop.", x = "It is {shown(x)}."
    ), "argument", call)
  }
  size <- tryCatch(unlist(lapply(x$input_shape, function(length) length %||% NA)), error = function(error) NULL)
  whole <- c(0, 0, dim(images)[3:2])
  if (length(size) == 4 && !anyNA(size[2:3])) images <- crop_boxes(images, whole, size[2], size[3], antialias = TRUE)
  monitor <- callback_crop_monitor(plain(images))
  with_python_errors({
    monitor$set_model(x)
    monitor$on_epoch_begin(0L)
  }, call)
  boxes <- matrix(monitor$boxes[[1]], ncol = 4) # `(1, 4)` or `(1, crops, 4)`, in pixels of what reaches the layer
  boxes * rep(whole[3:4] / dim(monitor$seen)[3:2], each = nrow(boxes), times = 2)
}
