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
  size <- rlang::set_names(shape, c(if (batched) "batch", "height", "width", if (length(shape) > 2) "channels"))
  list(
    x = x, n = full[1], lengths = c(height = full[2], width = full[3]), channels = full[4], size = size,
    # One crop of a single image gets its image's number of dimensions back; a batch stays one. The boxes know the
    # size of the images, so that crops can be put back.
    restore = function(crops, boxes) {
      if (!batched && dim(crops)[1] == 1) dim(crops) <- dim(crops)[seq_along(shape) + 1]
      attr(crops, "boxes") <- structure(boxes, size = size)
      crops
    }
  )
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
