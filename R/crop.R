#' Crop plain arrays
#'
#' The crops of the layers, for images in R arrays, with no model. `crop_center()`, `crop_border()` and
#' `crop_random()` move whole pixels: the result has the type of `x`, every number is the same, and Python is not
#' needed. `crop_boxes()` takes boxes with real-valued sides and resamples (bilinear, in double precision).
#'
#' @param x Images: a matrix (height, width), an array `(height, width, channels)` with 1 to 4 channels, or a batch
#'   `(batch, height, width, channels)` with any number; numeric, logical or raw. Or the path of one PNG or JPEG file,
#'   which is read as an array of numbers from 0 to 1.
#' @param height,width Size of the crop in pixels. For `crop_boxes()` the default is the size of the first box, rounded.
#' @param cropping Pixels to remove: one number for all sides; `c(height, width)`, each for both sides of its axis; or
#'   `list(c(top, bottom), c(left, right))`. Negative numbers add pixels of `fill_value`.
#' @param seed A whole number, for the same places in every call; `NULL` continues R's own random numbers, which
#'   [set.seed()] fixes. Each image of a batch has a place of its own.
#' @param boxes Boxes, `x1, y1, x2, y2` in pixels (see [kerascrop-package]): four numbers, or a matrix with a row for
#'   each. One image may have several; a batch has one for each image, or one for all.
#' @param antialias Average all the pixels of a box that is larger than the crop, rather than the nearest four.
#' @param fill_mode What is outside of the image: `"constant"`, `"nearest"` (the edge's pixels) or `"reflect"`.
#' @param fill_value The number for `"constant"`, and for the pixels that `crop_border()` adds: one that the type of `x`
#'   can hold.
#' @returns Images of the same kind as `x`; several boxes of one image give a batch. The attribute `boxes` has the boxes
#'   that were cut, a row for each crop.
#' @section Errors:
#' `kerascrop_error_size`: a size is no positive whole number, or larger than the images. `kerascrop_error_shape`: `x`
#' has no such shape. `kerascrop_error_box`: boxes of another shape, with `NA`, or reversed (a box that reaches
#' outside of the image is no error). `kerascrop_error_argument`: anything else about the arguments, also a file that
#' cannot be read.
#' @seealso [layer_center_crop()] and the other layers, for models; [plot_crops()] to look at the result.
#' @name crop_array
#' @examples
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' cat <- crop_center(photo, 200, 200)
#' dim(cat)
#' attr(cat, "boxes")
#'
#' x <- matrix(1:16, 4, 4)
#' crop_border(x, 1)
#' crop_border(x, c(-1, 0))
#' crop_random(x, 2, 2, seed = 1)
NULL

#' @rdname crop_array
#' @export
crop_center <- function(x, height, width) {
  images <- as_images(x)
  sizes <- c(height = as_size(height), width = as_size(width))
  check_fits(images$lengths, sizes)
  cut_windows(images, (images$lengths - sizes) %/% 2, sizes)
}

#' @rdname crop_array
#' @export
crop_border <- function(x, cropping, fill_value = 0) {
  images <- as_images(x)
  margins <- as_margins(cropping)
  fill_value <- as_number(fill_value)
  check_margins_fit(images$lengths, margins)
  starts <- vapply(margins, `[`, 0L, 1)
  cut_windows(images, starts, images$lengths - vapply(margins, function(margin) sum(as.double(margin)), 0), fill_value)
}

#' @rdname crop_array
#' @export
crop_random <- function(x, height, width, seed = NULL) {
  images <- as_images(x)
  sizes <- c(height = as_size(height), width = as_size(width))
  seed <- as_seed(seed)
  check_fits(images$lengths, sizes)
  starts <- with_random_seed(seed, {
    vapply(images$lengths - sizes + 1, sample.int, integer(images$n), size = images$n, replace = TRUE) - 1L
  })
  cut_windows(images, starts, sizes)
}

#' @rdname crop_array
#' @export
crop_boxes <- function(x, boxes, height = NULL, width = NULL, antialias = FALSE,
                       fill_mode = c("constant", "nearest", "reflect"), fill_value = 0) {
  images <- as_images(x)
  boxes <- as_boxes(boxes)
  first <- if (nrow(boxes)) round(boxes[1, 3:4] - boxes[1, 1:2]) else c(1, 1)
  height <- height %||% max(first[[2]], 1)
  width <- width %||% max(first[[1]], 1)
  sizes <- c(height = as_size(height), width = as_size(width))
  antialias <- as_flag(antialias)
  fill_mode <- as_choice(fill_mode, fill_modes)
  fill_value <- as_number(fill_value)
  if (nrow(boxes) == 1) boxes <- boxes[rep(1, images$n), , drop = FALSE]
  if (images$n != 1 && images$n != nrow(boxes)) {
    kerascrop_abort(c(
      "A batch needs one box for each image, or one for all.",
      x = "There are {images$n} images, but {nrow(boxes)} boxes."
    ), "box")
  }
  is_slice <- is_whole(boxes) && fill_mode == "constant" &&
    all(boxes[, 3] - boxes[, 1] == sizes["width"], boxes[, 4] - boxes[, 2] == sizes["height"])
  if (is_slice) return(cut_windows(images, boxes[, 2:1, drop = FALSE], sizes, fill_value))
  resample(images, boxes, sizes, antialias, fill_mode, fill_value)
}

# Images of any accepted kind as a batch `(n, height, width, channels)`, and the way back.
as_images <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "shape", arg, call)
  if (rlang::is_string(x)) x <- read_image(x, arg, call)
  shape <- dim(x)
  usable <- is.numeric(x) || is.logical(x) || is.raw(x)
  if (!usable || is.object(x) || !length(shape) %in% 2:4) {
    kerascrop_abort(c(
      "{.arg {arg}} must be images: a matrix, an array {.code (height, width, channels)} or a batch
       {.code (batch, height, width, channels)}, or the path of an image file.",
      x = if (usable && !is.null(shape)) "It has {length(shape)} dimensions." else "It is {shown(x)}."
    ), "shape", call)
  }
  check_channels(shape, arg, call)
  batched <- length(shape) == 4
  full <- if (batched) shape else c(1L, shape, if (length(shape) == 2) 1L)
  if (any(full[-1] == 0)) {
    kerascrop_abort(c(
      "{.arg {arg}} must have pixels.", x = "It has shape {paste(shape, collapse = ' x ')}."
    ), "shape", call)
  }
  dim(x) <- full
  list(
    x = x, n = full[1], lengths = c(height = full[2], width = full[3]), channels = full[4],
    # One crop of a single image gets its image's number of dimensions back; a batch stays one.
    restore = function(crops, boxes) {
      if (!batched && dim(crops)[1] == 1) dim(crops) <- dim(crops)[seq_along(shape) + 1]
      attr(crops, "boxes") <- boxes
      crops
    }
  )
}

# A single image with many channels is more likely a batch of grey images.
check_channels <- function(shape, arg, call) {
  if (length(shape) != 3 || shape[3] %in% 1:4) return(invisible())
  kerascrop_abort(c(
    "{.arg {arg}} has three dimensions, so the last is its channels: 1 to 4 of them.",
    x = "It has shape {paste(shape, collapse = ' x ')}, that is {shape[3]} channels.",
    i = "For a batch of grey images, add an axis: {.code dim({arg}) <- c(dim({arg}), 1)}."
  ), "shape", call)
}

# Cuts whole-pixel windows. `starts` counts from 0: one pair for all images, or a row for each crop.
cut_windows <- function(images, starts, sizes, fill_value = 0, call = caller_env()) {
  together <- !is.matrix(starts)
  check_memory(c(if (together) images$n else nrow(starts), sizes, images$channels), call)
  fill_value <- as_type(fill_value, images$x, call)
  starts <- matrix(as.double(starts), ncol = 2)
  if (together) {
    crops <- cut_window(images$x, seq_len(images$n), starts, sizes, fill_value)
    starts <- starts[rep(1, images$n), , drop = FALSE]
  } else {
    crops <- array(fill_value, c(nrow(starts), unname(sizes), images$channels))
    for (i in seq_len(nrow(starts))) {
      crops[i, , , ] <- cut_window(images$x, if (images$n == 1) 1 else i, starts[i, ], sizes, fill_value)
    }
  }
  boxes <- cbind(x1 = starts[, 2], y1 = starts[, 1], x2 = starts[, 2] + sizes[[2]], y2 = starts[, 1] + sizes[[1]])
  images$restore(crops, boxes)
}

# One window of some images; what lies outside of them is `fill_value`.
cut_window <- function(x, images, start, sizes, fill_value) {
  rows <- start[1] + seq_len(sizes[[1]])
  cols <- start[2] + seq_len(sizes[[2]])
  inside_rows <- rows >= 1 & rows <= dim(x)[2]
  inside_cols <- cols >= 1 & cols <= dim(x)[3]
  inside <- x[images, rows[inside_rows], cols[inside_cols], , drop = FALSE]
  if (all(inside_rows) && all(inside_cols)) return(inside)
  crops <- array(fill_value, c(dim(inside)[1], unname(sizes), dim(x)[4]))
  crops[, inside_rows, inside_cols, ] <- inside
  crops
}

# The fill value in the type of an array, so that filling does not change the type.
as_type <- function(value, x, call) {
  range <- switch(typeof(x), raw = c(0, 255), logical = c(0, 1), integer = c(-1, 1) * largest_size, double = NULL)
  if (!is.null(range) && (value != trunc(value) || value < range[1] || value > range[2])) {
    kerascrop_abort(c(
      "{.arg fill_value} must be a whole number from {range[1]} to {range[2]} for images of type {typeof(x)}.",
      x = "It is {value}."
    ), "argument", call)
  }
  if (is.raw(x)) return(as.raw(value))
  storage.mode(value) <- typeof(x)
  value
}

# Resamples boxes in double precision, in Python: a box for each image, or several boxes of one.
resample <- function(images, boxes, sizes, antialias, fill_mode, fill_value, call = caller_env()) {
  module <- load_module(call)
  check_memory(c(nrow(boxes), sizes, images$channels), call)
  places <- if (images$n == 1) array(boxes, c(1, dim(boxes))) else boxes
  with_python_errors(call = call, {
    crops <- from_numpy(module$sample(
      move_to_numpy(images$x, "float64"), move_to_numpy(places, "float64"), as.integer(sizes),
      antialias = antialias, fill_mode = fill_mode, fill_value = fill_value
    ))
  })
  dim(crops) <- c(nrow(boxes), unname(sizes), images$channels)
  images$restore(crops, boxes)
}

# Runs code under a seed of its own and leaves R's random numbers as they were; `NULL` goes on with them.
with_random_seed <- function(seed, code) {
  if (is.null(seed)) return(code)
  withr::with_seed(seed, code)
}

# A PNG or JPEG file as an array `(height, width, channels)`, or a matrix, of numbers from 0 to 1.
read_image <- function(path, arg, call) {
  if (!file.exists(path) || dir.exists(path)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be images, or the path of an image file.",
      x = if (dir.exists(path)) "{.file {path}} is a folder." else "There is no file {.file {path}}."
    ), "argument", call)
  }
  bytes <- readBin(path, "raw", file.size(path))
  start <- bytes[1:8]
  format <- if (identical(start[1:2], as.raw(c(0xff, 0xd8)))) {
    "jpeg"
  } else if (identical(start[2:4], charToRaw("PNG"))) {
    "png"
  }
  if (is.null(format)) {
    kerascrop_abort(c(
      "{.file {path}} must be a PNG or JPEG file.", x = "It does not start like one."
    ), "argument", call)
  }
  rlang::check_installed(format, "to read this image.", call = call)
  read <- getExportedValue(format, if (format == "jpeg") "readJPEG" else "readPNG")
  # libjpeg makes up what is missing, so a JPEG file has to have its end.
  if (format == "jpeg" && !any(bytes[-1] == 0xd9 & bytes[-length(bytes)] == 0xff)) {
    kerascrop_abort(c("{.file {path}} cannot be read.", x = "The end of the file is missing."), "argument", call)
  }
  tryCatch(read(bytes), error = function(error) {
    problem <- conditionMessage(error)
    kerascrop_abort(c("{.file {path}} cannot be read.", x = "{problem}", i = "Is the file complete?"), "argument", call)
  })
}
