#' Images as an array for a model
#'
#' The pixels of images of any kind that this package takes, as a batch of numbers from 0 to 1: what `predict()`,
#' `fit()` and the layers want. Nothing is resized; [crop_center()] and `crop_boxes()` make images of one size.
#'
#' @param x The paths of image files. Or an image of the package magick, each frame of which becomes one of the batch;
#'   a raster; a cimg or pixset of the package imager; a matrix `(height, width)`, or an array `(height, width,
#'   channels)` or `(batch, height, width, channels)`. Or a list, each element of which is one image of any of these
#'   kinds.
#' @param channels How many the images are to have: 1, grey; 3, red, green and blue; 4, these and opacity. `NULL` leaves
#'   them as they are, and of a list that mixes several makes what has room for all. Of colours grey is the sum with the
#'   weights of ITU-R 601, 0.299, 0.587 and 0.114.
#' @param background The colour on which images lie whose opacity is dropped.
#' @param orient Turn photographs in files upright, as EXIF says that they lie; `FALSE` leaves them as they are stored.
#' @param max_pixels A file that says it has more is an error, before it takes memory.
#' @returns An array `(batch, height, width, channels)`. Channels are grey; grey and opacity; red, green and blue; or
#'   these and opacity. Bytes, which are those of magick, rasters and raw arrays, are divided by 255, so that they are
#'   0 to 1 as those of files; other numbers, in arrays and cimg images, are left as they are. There, opacity is full
#'   at 1, 255 or 65535, whichever is not below any number.
#' @section Files:
#' PNG and JPEG files are read by the packages png and jpeg, with all their bits; and by magick, where it is installed,
#' GIF, BMP, WebP, TIFF, PNM, JPEG 2000, HEIC and AVIF, and JPEG files in the colours of print. What a file holds is
#' told by how it begins, not by its name. Of several pictures the first is read.
#' @section Errors:
#' `kerascrop_error_argument`: a file that is not there, or cannot be read; or another argument is wrong.
#' `kerascrop_error_shape`: not such an image, or images that differ in size. A list that mixes numbers from 0 to 1 with
#' larger ones gives a warning of class `kerascrop_warning_range`.
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
image_array <- function(x, channels = NULL, background = "white", orient = TRUE, max_pixels = 2^29 %/% 3) {
  call <- rlang::current_env()
  check_given(x, "shape", "x", call)
  channels <- as_channels(channels)
  background <- as_background(background)
  orient <- as_flag(orient)
  max_pixels <- as_count(max_pixels)
  pixels <- function(image, arg = "x") {
    image <- as_images(image, arg, call, channels, background, orient, max_pixels)$x
    array(if (is.raw(image)) as.integer(image) / 255 else image, dim(image)) # without a crop's boxes
  }
  several <- is_plain_list(x) || (is.character(x) && !is.object(x) && is.null(dim(x)) && length(x) > 1)
  if (!several || !length(x)) return(pixels(x))
  images <- lapply(seq_along(x), function(i) {
    arg <- sprintf("x[[%d]]", i)
    image <- pixels(x[[i]], arg)
    if (dim(image)[1] == 1) return(image)
    kerascrop_abort(c("{.code {arg}} must be one image.", x = "There are {dim(image)[1]}."), "shape", call)
  })
  lengths <- lapply(images, function(image) dim(image)[2:3])
  check_same_size(lengths, "x", call, "Crop each first: {.code image_array(lapply(x, crop_center, 200, 200))}.")
  warn_ranges(x, images, call)
  counts <- vapply(images, function(image) dim(image)[4], 0L)
  if (length(unique(counts)) > 1 && all(counts <= 4)) {
    images <- lapply(images, with_channels, (if (any(counts >= 3)) 3 else 1) + any(counts %% 2 == 0), background)
  }
  images <- lapply(images, function(image) array(image, dim(image)[-1]))
  check_same_size(lapply(images, dim), "x", call)
  bind_images(images)
}

# Numbers from 0 to 1, which those of files and bytes are, beside others.
warn_ranges <- function(x, images, call) {
  is_unit <- vapply(x, function(image) {
    is.character(image) || is.raw(image) || inherits(image, "magick-image") || grDevices::is.raster(image)
  }, NA)
  large <- which(!is_unit & vapply(images, function(image) any(image > 1, na.rm = TRUE), NA))
  if (!any(is_unit) || !length(large)) return(invisible())
  kerascrop_warn(c(
    "Some of {.arg x} are numbers from 0 to 1, others are larger.",
    x = "Image {which(is_unit)[1]} is from 0 to 1, image {large[1]} up to {max(images[[large[1]]], na.rm = TRUE)}.",
    i = "Divide the others, for instance by 255."
  ), "range", call)
}

as_channels <- or_null(function(x, arg, call) {
  if (is_one_whole(x) && x %in% c(1, 3, 4)) return(as.integer(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be {.code NULL}, 1 (grey), 3 (colours) or 4 (colours and opacity).", x = "It is {shown(x)}."
  ), "argument", call)
})

# A colour as red, green and blue, from 0 to 1.
as_background <- function(x, arg = caller_arg(x), call = caller_env()) {
  colour <- if (is_string(x)) tryCatch(grDevices::col2rgb(x, TRUE), error = function(error) NULL)
  if (!is.null(colour) && colour[4] == 255) return(colour[1:3] / 255)
  kerascrop_abort(c(
    "{.arg {arg}} must be one colour that is not transparent, such as {.val white}.", x = "It is {shown(x)}."
  ), "argument", call)
}

# Images `(n, height, width, channels)` with other channels: grey, colours, or either with opacity.
with_channels <- function(x, channels, background, arg = "x", call = caller_env()) {
  now <- dim(x)[4]
  if (is.null(channels) || now == channels) return(x)
  if (now > 4) {
    kerascrop_abort(c(
      "{.arg channels} needs images with 1 to 4 channels.", x = "{.arg {arg}} has {now}."
    ), "shape", call)
  }
  numbers <- array(as.double(x), dim(x))
  full <- full_opacity(x)
  colours <- numbers[, , , seq_len(if (now <= 2) 1 else 3), drop = FALSE]
  opacity <- if (now %% 2 == 0) numbers[, , , now, drop = FALSE]
  if (channels >= 3 || now == 2) colours <- colours[, , , rep_len(seq_len(dim(colours)[4]), 3), drop = FALSE]
  if (!is.null(opacity) && channels %% 2 == 1) {
    for (i in 1:3) {
      colours[, , , i] <- background[i] * full + (colours[, , , i] - background[i] * full) * opacity[, , , 1] / full
    }
  }
  if (channels <= 2 && dim(colours)[4] == 3) {
    weights <- c(19595, 38470, 7471) / 2^16 # ITU-R 601
    colours <- colours[, , , 1, drop = FALSE] * weights[1] + colours[, , , 2, drop = FALSE] * weights[2] +
      colours[, , , 3, drop = FALSE] * weights[3]
  }
  if (channels %% 2 == 0) colours <- c(colours, opacity %||% array(full, c(dim(x)[1:3], 1)))
  with_type_of(array(colours, c(dim(x)[1:3], channels)), x)
}

# The number of an opaque pixel.
full_opacity <- function(x) {
  if (is.raw(x)) return(255)
  most <- max(0, x[is.finite(x)])
  c(1, 255, 65535, most)[match(TRUE, most <= c(1, 255, 65535, Inf))]
}

# Images of any accepted kind as a batch `(n, height, width, channels)`, and the way back.
as_images <- function(x, arg = caller_arg(x), call = caller_env(), channels = NULL, background = c(1, 1, 1),
                      orient = TRUE, max_pixels = largest_file) {
  check_given(x, "shape", arg, call)
  force(arg)
  kind <- unpack_image(x, arg, call, orient, max_pixels)
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
  if (!is.null(channels) && channels != full[4]) {
    x <- with_channels(x, channels, background, arg, call)
    full[4] <- channels
    shape <- full[if (batched) 1:4 else 2:4]
  }
  is_array <- identical(kind$pack, identity)
  size <- rlang::set_names(shape, c(if (batched) "batch", "height", "width", if (length(shape) > 2) "channels"))
  list(
    x = x, n = full[1], lengths = c(height = full[2], width = full[3]), channels = full[4], size = size,
    pack = kind$pack, is_array = is_array,
    # One crop of a single image gets its image's number of dimensions back; a batch stays a batch. The boxes know the
    # size of the images, so that crops can be put back.
    restore = function(crops, boxes) {
      if (!batched && dim(crops)[1] == 1) dim(crops) <- dim(crops)[seq_along(shape) + 1]
      boxes <- structure(boxes, size = size)
      if (is_array) new_crops(crops, boxes) else structure(kind$pack(crops), boxes = boxes)
    }
  )
}

# The pixels of any kind of image as an array, and the function that makes such an image of an array again. Arrays
# pass. Images of other packages become batches, `(n, height, width, channels)`: of an animation, or of several crops.
unpack_image <- function(x, arg, call, orient, max_pixels) {
  if (is_string(x)) {
    list(x = read_image(x, arg, call, orient, max_pixels), pack = identity)
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
    list(x = plain(x), pack = identity)
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
  what <- if (rank == 2) "image" else "volume"
  kerascrop_abort(c(
    "{.arg {arg}} has {if (rank == 2) 'three' else 'four'} dimensions, so the last is its channels: 1 to 4 of them.",
    x = "It has shape {paste(shape, collapse = ' x ')}, that is {last} channels.",
    i = "If it is one {what} with {last} channels, add the batch's axis: {.code array({arg}, c(1, dim({arg})))}.",
    i = "If it is a batch of {shape[1]} grey {what}s, add the channels' axis: {.code array({arg}, c(dim({arg}), 1))}."
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
