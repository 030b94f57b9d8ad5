#' Images as an array for a model
#'
#' The pixels of images of any kind that this package takes, as a batch of numbers from 0 to 1: what `predict()`,
#' `fit()` and the layers want. Nothing is resized; [crop_center()] and `crop_boxes()` make images of one size.
#'
#' @param x The paths of image files, PNG or JPEG, which the packages png and jpeg read. Or an image of the package
#'   magick, each frame of which becomes one of the batch; a raster; a cimg or pixset of the package imager; a matrix
#'   `(height, width)` or an array `(height, width, channels)` or `(batch, height, width, channels)`. Or a list, each
#'   element of which is one image of any of these kinds.
#' @returns An array `(batch, height, width, channels)`. Channels are grey; grey and opacity; red, green and blue; or
#'   these and opacity. Bytes, which are those of magick, rasters and raw arrays, are divided by 255, so that they are 0
#'   to 1 as those of files; other numbers, in arrays and cimg images, are left as they are.
#' @section Errors:
#' `kerascrop_error_argument`: a file that is not there, or cannot be read. `kerascrop_error_shape`: not such an image,
#' or images that differ in size or channels.
#' @family array functions
#' @export
#' @examplesIf requireNamespace("jpeg", quietly = TRUE)
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' x <- image_array(c(photo, photo))
#' dim(x)
#' range(x)
#' dim(crop_center(x, 200, 200))
#'
#' # files of different sizes: crop each, then make a batch of the list
#' files <- system.file("extdata", c("chelsea.jpg", "coffee.jpg"), package = "kerascrop")
#' dim(image_array(lapply(files, crop_center, 200, 200)))
image_array <- function(x) {
  call <- rlang::current_env()
  check_given(x, "shape", "x", call)
  pixels <- function(image, arg = "x") {
    image <- as_images(image, arg, call)$x
    array(if (is.raw(image)) as.integer(image) / 255 else image, dim(image)) # without a crop's boxes
  }
  several <- is_plain_list(x) || (is.character(x) && !is.object(x) && is.null(dim(x)) && length(x) > 1)
  if (!several || !length(x)) return(pixels(x))
  images <- lapply(seq_along(x), function(i) {
    arg <- sprintf("x[[%d]]", i)
    image <- pixels(x[[i]], arg)
    if (dim(image)[1] != 1) {
      kerascrop_abort(c("{.code {arg}} must be one image.", x = "There are {dim(image)[1]}."), "shape", call)
    }
    array(image, dim(image)[-1])
  })
  lengths <- lapply(images, function(image) dim(image)[1:2])
  check_same_size(lengths, "x", call, "Crop each first: {.code image_array(lapply(x, crop_center, 200, 200))}.")
  check_same_size(lapply(images, dim), "x", call)
  bind_images(images)
}

# Images of any accepted kind as a batch `(n, height, width, channels)`, and the way back.
as_images <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "shape", arg, call)
  force(arg)
  kind <- unpack_image(x, arg, call)
  x <- kind$x
  shape <- dim(x)
  usable <- is.numeric(x) || is.logical(x) || is.raw(x)
  if (!usable || is.object(x) || !length(shape) %in% 2:4) {
    kerascrop_abort(c(
      "{.arg {arg}} must be images: a matrix, an array {.code (height, width, channels)} or a batch
       {.code (batch, height, width, channels)}; a magick, raster or cimg image; or the path of an image file.",
      x = if (usable && !is.object(x) && !is.null(shape)) "It has {length(shape)} dimensions." else "It is {shown(x)}.",
      i = if (inherits(x, "cluttered_digits")) {
        "The images are {.code {arg}$x}."
      } else if (is.character(x) && length(x) > 1) {
        "Several files: {.fn image_array} makes a batch of them."
      } else if (is_plain_list(x) && length(x)) {
        "Several images: {.fn image_array} makes a batch of a list."
      } else if (is.factor(x)) {
        "Are these paths? {.fn as.character} makes strings of a factor."
      } else if (inherits(x, "connection")) {
        "Give the file's path."
      }
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
  x <- `attributes<-`(x, list(dim = full)) # unlike `dim<-` this makes no copy of a large photograph
  size <- rlang::set_names(shape, c(if (batched) "batch", "height", "width", if (length(shape) > 2) "channels"))
  list(
    x = x, n = full[1], lengths = c(height = full[2], width = full[3]), channels = full[4], size = size,
    pack = kind$pack, is_array = identical(kind$pack, identity),
    # One crop of a single image gets its image's number of dimensions back; a batch stays a batch. The boxes know the
    # size of the images, so that crops can be put back.
    restore = function(crops, boxes) {
      if (!batched && dim(crops)[1] == 1) dim(crops) <- dim(crops)[seq_along(shape) + 1]
      crops <- kind$pack(crops)
      attr(crops, "boxes") <- structure(boxes, size = size)
      crops
    }
  )
}

# The pixels of any kind of image as an array, and the function that makes such an image of an array again. Arrays
# pass. Images of other packages become batches, `(n, height, width, channels)`: of an animation, or of several crops.
unpack_image <- function(x, arg, call) {
  if (is_string(x)) {
    list(x = read_image(x, arg, call), pack = identity)
  } else if (inherits(x, "magick-image")) {
    unpack_magick(x, arg, call)
  } else if (inherits(x, "imager_array") && length(dim(x)) == 4) {
    unpack_cimg(x)
  } else if (grDevices::is.raster(x)) {
    list(x = raster_pixels(list(x), arg, call), pack = pack_rasters)
  } else if (is_plain_list(x) && length(x) && all(vapply(x, grDevices::is.raster, NA))) {
    check_same_size(lapply(x, dim), arg, call)
    list(x = raster_pixels(x, arg, call), pack = pack_rasters)
  } else {
    list(x = x, pack = identity)
  }
}

# magick: bytes, `(channels, width, height)`; each frame is an image.
unpack_magick <- function(x, arg, call) {
  rlang::check_installed("magick", "to read this image.", call = call)
  info <- tryCatch(magick::image_info(x), error = function(error) {
    problem <- conditionMessage(error)
    kerascrop_abort(c("{.arg {arg}} cannot be read.", x = "{problem}"), "argument", call)
  })
  if (nrow(info) == 0) kerascrop_abort(c("{.arg {arg}} must have pixels.", x = "It has no image."), "shape", call)
  check_same_size(Map(c, info$height, info$width), arg, call, "{.fn magick::image_coalesce} makes frames of one size.")
  if (!all(info$colorspace %in% c("sRGB", "RGB", "Gray"))) x <- magick::image_convert(x, colorspace = "sRGB")
  channels <- if (any(info$matte)) "rgba" else if (all(info$colorspace == "Gray")) "gray" else "rgb"
  frames <- lapply(seq_len(nrow(info)), function(i) aperm(unclass(magick::image_data(x, channels, frame = i)), 3:1))
  list(x = bind_images(frames), pack = pack_magick)
}

pack_magick <- function(crops) {
  frames <- lapply(seq_len(dim(crops)[1]), function(i) {
    magick::image_read(aperm(array(as_bytes(crops[i, , , ]), dim(crops)[-1]), 3:1))
  })
  if (length(frames)) magick::image_join(frames) else magick::image_read(character())
}

# imager: `(x, y, z, channels)`, any numbers; a "pixset" has logical ones. Each z, a frame, is an image.
unpack_cimg <- function(x) {
  class <- class(x)
  order <- c(3, 2, 1, 4)
  list(x = aperm(array(as.vector(x), dim(x)), order), pack = function(crops) {
    is_mask <- is.logical(crops) || class[1] != "pixset"
    structure(aperm(crops, order), class = if (is_mask) class else c("cimg", "imager_array", "numeric"))
  })
}

# Colours as bytes, with the fourth channel, opacity, only where something is not opaque.
raster_pixels <- function(rasters, arg, call) {
  colours <- function(x) {
    tryCatch(grDevices::col2rgb(as.matrix(x), alpha = TRUE), error = function(error) {
      problem <- conditionMessage(error)
      kerascrop_abort(c("{.arg {arg}} must have colours that R knows.", x = "{problem}"), "argument", call)
    })
  }
  pixels <- lapply(rasters, colours)
  opaque <- all(vapply(pixels, function(x) all(x[4, ] == 255), NA))
  bind_images(Map(function(x, shape) {
    x <- t(x[seq_len(if (opaque) 3 else 4), , drop = FALSE])
    array(as.raw(x), c(shape, ncol(x)))
  }, pixels, lapply(rasters, dim)))
}

# One raster, or a list of several.
pack_rasters <- function(crops) {
  rasters <- lapply(seq_len(dim(crops)[1]), function(i) as_raster(crops[i, , , , drop = FALSE], c(0, 255)))
  if (length(rasters) == 1) rasters[[1]] else rasters
}

# Images `(height, width, channels)` of one shape as a batch.
bind_images <- function(images) {
  shape <- dim(images[[1]])
  aperm(array(unlist(images), c(shape, length(images))), c(4, 1:3))
}

as_bytes <- function(x) if (is.raw(x)) x else as.raw(pmin(pmax(round(as.double(x)), 0), 255))

check_same_size <- function(sizes, arg, call, hint = NULL) {
  other <- Position(function(size) any(size != sizes[[1]]), sizes)
  if (is.na(other)) return(invisible())
  kerascrop_abort(c(
    "All images of {.arg {arg}} must have the same size.",
    x = "Image {other} has {paste(sizes[[other]], collapse = ' x ')} pixels,
         the first {paste(sizes[[1]], collapse = ' x ')}.",
    i = hint
  ), "shape", call)
}

# A single image, or volume, with many channels is more likely a batch of grey ones.
check_channels <- function(shape, arg, call, rank = 2) {
  last <- shape[length(shape)]
  if (rank == 1 || length(shape) != rank + 1 || last %in% 1:4) return(invisible())
  kerascrop_abort(c(
    "{.arg {arg}} has {if (rank == 2) 'three' else 'four'} dimensions, so the last is its channels: 1 to 4 of them.",
    x = "It has shape {paste(shape, collapse = ' x ')}, that is {last} channels.",
    i = "For a batch of grey {if (rank == 2) 'images' else 'volumes'}, add an axis:
         {.code dim({arg}) <- c(dim({arg}), 1)}."
  ), "shape", call)
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

# Computed numbers, in the type of an array again: rounded where it has integers.
with_type_of <- function(values, x) {
  if (!is.double(x)) values <- round(values)
  storage.mode(values) <- typeof(x)
  values
}

# A string that can be a path: not one of bytes without an encoding, which R refuses to look for.
# A PNG or JPEG file as an array `(height, width, channels)`, or a matrix, of numbers from 0 to 1.
read_image <- function(path, arg, call) {
  there <- suppressWarnings(file.exists(path)) # it warns of very long ones
  if (!there || dir.exists(path)) {
    path <- shortened(valid_text(path), 1000) # cli looks for the file, and would warn
    kerascrop_abort(c(
      "{.arg {arg}} must be images, or the path of an image file.",
      x = if (there) "{.file {path}} is a folder." else "There is no file {.file {path}}.",
      i = if (grepl("^(https?|ftp)://", path)) "Download it first, or read it with {.code magick::image_read()}."
    ), "argument", call)
  }
  bytes <- readBin(path, "raw", file.size(path))
  format <- if (identical(bytes[1:2], as.raw(c(0xff, 0xd8)))) {
    "jpeg"
  } else if (identical(bytes[2:4], charToRaw("PNG"))) {
    "png"
  }
  if (is.null(format)) {
    kerascrop_abort(c(
      "{.file {path}} must be a PNG or JPEG file.", x = "It does not start like one.",
      i = "{.code magick::image_read()} reads other formats."
    ), "argument", call)
  }
  rlang::check_installed(format, "to read this image.", call = call)
  read <- getExportedValue(format, if (format == "jpeg") "readJPEG" else "readPNG")
  # libjpeg makes up what is missing, so a JPEG file has to have its end.
  if (format == "jpeg" && !any(bytes[-1] == 0xd9 & bytes[-length(bytes)] == 0xff)) {
    kerascrop_abort(c("{.file {path}} cannot be read.", x = "The end of the file is missing."), "argument", call)
  }
  # Not from `bytes`: with half a PNG file in them, readPNG() would write outside of its memory.
  pixels <- tryCatch(read(path), error = function(error) {
    problem <- conditionMessage(error)
    kerascrop_abort(c("{.file {path}} cannot be read.", x = "{problem}", i = "Is the file complete?"), "argument", call)
  })
  if (format == "jpeg" && isTRUE(dim(pixels)[3] == 4)) {
    kerascrop_abort(c(
      "{.file {path}} must have colours of red, green and blue.", x = "The colours are those of print, CMYK.",
      i = "{.code magick::image_read()} reads it."
    ), "argument", call)
  }
  pixels
}
