# From an image's numbers to pixels of the device that it is drawn on.

as_range <- function(range, x, call = caller_env()) {
  if (is.null(range)) return(told_range(x))
  if (is.numeric(range) && length(range) == 2 && all(is.finite(range)) && range[1] < range[2]) return(range)
  kerascrop_abort(c(
    "{.arg range} must be two numbers, the smaller first.", x = "It is {shown(range)}."
  ), "argument", call)
}

# The range that the numbers of images `(n, height, width, channels)` seem to have: of bytes, 0 to 1, or another.
told_range <- function(x) {
  if (is.raw(x)) return(c(0, 255))
  found <- finite_range(x)
  if (is.null(found)) return(c(0, 1))
  if (found[1] >= 0 && found[2] <= 1) return(c(0, 1))
  if (found[1] >= 0 && found[2] <= 255 && (dim(x)[4] %in% 3:4 || are_whole(x))) return(c(0, 255))
  if (found[1] < found[2]) found else found + c(0, 1)
}

# The smallest and the largest finite number, without a copy of a photograph. NULL where there is none.
finite_range <- function(x) {
  limits <- function(x) suppressWarnings(as.double(c(min(x, na.rm = TRUE), max(x, na.rm = TRUE))))
  found <- limits(x)
  if (!all(is.finite(found))) {
    parts <- do.call(rbind, in_parts(x, function(part) limits(part[is.finite(part)])))
    found <- c(min(parts[, 1], Inf), max(parts[, 2], -Inf))
  }
  if (found[1] <= found[2]) found
}

are_whole <- function(x) {
  is.integer(x) || all(unlist(in_parts(x, function(part) all(part == trunc(part) | !is.finite(part)))))
}

in_parts <- function(x, f, size = 1e6) {
  lapply(seq_len(ceiling(length(x) / size)), function(i) f(x[seq((i - 1) * size + 1, min(i * size, length(x)))]))
}

# A crop has the range of its image, unless one clearly is bytes and the other from 0 to 1.
crop_range <- function(crop, range) {
  units <- told_range(crop)
  to_unit <- identical(range, c(0, 255)) && identical(units, c(0, 1)) && any(crop != trunc(crop), na.rm = TRUE)
  to_bytes <- identical(range, c(0, 1)) && identical(units, c(0, 255))
  if (to_unit || to_bytes) units else range
}

# One of the images `(n, height, width, channels)` in a panel whose coordinates are the boxes' (0, 0 at the top left),
# with room for boxes that reach outside.
draw_image <- function(x, range, title = NULL, boxes = list(), i = 1) {
  size <- dim(x)[2:3]
  open_panel(size, title, boxes)
  pixels <- native_raster(device_pixels(x, i, device_size(size)), range)
  graphics::rasterImage(pixels, 0, size[1], size[2], 0, interpolate = FALSE)
}

# How many rows and columns of the device an image of `size` fills in the panel that is open; on paper, as finely as is
# printed.
device_size <- function(size) {
  inches <- abs(c(
    diff(graphics::grconvertY(c(0, size[1]), "user", "inches")),
    diff(graphics::grconvertX(c(0, size[2]), "user", "inches"))
  ))
  on_paper <- grepl("pdf|postscript|svg|ps$|xfig|pictex|metafile", names(grDevices::dev.cur()))
  per_inch <- if (on_paper) 200 else rev(grDevices::dev.size("px") / grDevices::dev.size("in"))
  pmax(ceiling(inches * per_inch), 1)
}

# An image `(height, width, channels)`, with no more pixels than the device has: each is the mean of up to 3 x 3 that
# are spread over its place.
device_pixels <- function(x, i, size) {
  rows <- spread_over(dim(x)[2], size[1])
  cols <- spread_over(dim(x)[3], size[2])
  part <- x[i, rows, cols, , drop = FALSE]
  part <- colMeans(array(as.double(part), c(dim(rows), length(cols), dim(x)[4])))
  part <- aperm(array(part, c(ncol(rows), dim(cols), dim(x)[4])), c(2, 1, 3, 4))
  displayable(array(colMeans(part), c(ncol(rows), ncol(cols), dim(x)[4])))
}

# For each of at most `n` places along an axis, the pixels to look at.
spread_over <- function(length, n) {
  if (length <= n) return(matrix(seq_len(length), 1))
  times <- min(ceiling(length / n), 3)
  matrix(ceiling((seq_len(times * n) - 0.5) * length / (times * n)), times)
}

# Colours, as R's devices keep them: four bytes of an integer, row by row.
native_raster <- function(image, range) {
  bytes <- floor(255 * in_range(image, range) + 0.5)
  channels <- shown_channels(dim(image)[3])
  opacity <- if (length(channels) == 4) bytes[, , channels[4]] else 255
  value <- bytes[, , channels[1]] + 2^8 * bytes[, , channels[2]] + 2^16 * bytes[, , channels[3]] + 2^24 * opacity
  value <- value - 2^32 * (value >= 2^31)
  value <- suppressWarnings(as.integer(t(array(value, dim(image)[1:2])))) # -2^31 has the bytes of NA
  structure(value, dim = dim(image)[1:2], class = "nativeRaster", channels = 4L)
}

# Grey from one channel (or more than four: their mean); colours from three, with transparency from two or four.
as_raster <- function(image, range) {
  pixels <- displayable(array(as.double(image), dim(image)[-1]))
  pixels[] <- in_range(pixels, range)
  grDevices::as.raster(pixels[, , shown_channels(dim(pixels)[3]), drop = FALSE])
}

shown_channels <- function(n) list(c(1, 1, 1), c(1, 1, 1, 2), 1:3, 1:4)[[n]]

# Numbers as fractions of a range; what is missing is black.
in_range <- function(pixels, range) {
  fractions <- pmin(pmax((pixels - range[1]) / (range[2] - range[1]), 0), 1)
  fractions[is.na(fractions)] <- 0
  fractions
}

# More channels than a colour has become their mean.
displayable <- function(image) {
  if (dim(image)[3] <= 4) return(image)
  array(rowMeans(array(as.double(image), dim(image)), dims = 2), c(dim(image)[1:2], 1))
}
