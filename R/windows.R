# Windows of whole pixels in plain arrays: how images are made to fit them, where they start, and how they are cut.

as_if_smaller <- function(x, call = caller_env()) as_choice(x, if_smaller_choices, "if_smaller", call)

# How images and windows are made to fit each other, as `windows.fit()` does for the layers: the images are cut as if
# they had been enlarged by `scale`, and `before` pixels had been added in front.
fit_windows <- function(lengths, sizes, if_smaller, pad_position = "center", call = caller_env()) {
  force(pad_position) # it is checked where it is given
  before <- 0 * sizes
  scale <- 1
  if (if_smaller == "error") {
    check_fits(lengths, sizes, call)
  } else if (if_smaller == "keep") {
    sizes <- pmin(sizes, lengths)
  } else if (if_smaller == "pad") {
    lacks <- pmax(sizes - lengths, 0)
    position <- rep_len(unlist(pad_position), 2)
    before <- ifelse(position == "start", 0, ifelse(position == "center", lacks %/% 2, lacks))
    lengths <- pmax(lengths, sizes) + ifelse(position == "random", lacks, 0)
  } else {
    scale <- max(sizes / lengths, 1)
    lengths <- lengths * scale
  }
  list(lengths = lengths, sizes = sizes, before = before, scale = scale)
}

# The same with more pixels around the images.
with_border <- function(fit, pixels) {
  fit$lengths <- fit$lengths + 2 * pixels
  fit$before <- fit$before + pixels
  fit
}

as_window_fill <- function(x, arg = "fill_mode", call = caller_env()) as_choice(x, window_fill_modes, arg, call)

# Where images that are padded are, if nothing is drawn.
as_fixed_position <- function(x, if_smaller, call = caller_env()) {
  x <- as_pad_position(x, setdiff(pad_positions, "random"), "pad_position", call)
  check_padded(x, as_if_smaller(if_smaller, call), call)
}

check_padded <- function(position, if_smaller, call = caller_env()) {
  if (if_smaller == "pad" || identical(position, "center")) return(position)
  kerascrop_abort(c(
    "{.arg pad_position} goes with {.code if_smaller = \"pad\"} only.", x = "{.arg if_smaller} is {.val {if_smaller}}."
  ), "argument", call)
}

as_random_pad <- function(x, if_smaller, arg = "random_pad", call = caller_env()) {
  x <- as_count(x, 0, arg, call)
  if (x == 0 || if_smaller != "resize") return(x)
  kerascrop_abort(c(
    "{.arg random_pad} does not go with {.code if_smaller = \"resize\"}.", i = "{.val pad} adds pixels, too."
  ), "argument", call)
}

# How many whole pixels windows can be moved; an enlarged image's length is a real number, and may be off by a rounding
# error.
room <- function(fit) floor(fit$lengths - fit$sizes + 1e-3)

# The middle; between two pixels only in images that have been enlarged.
center_starts <- function(fit) {
  left <- fit$lengths - fit$sizes
  if (fit$scale == 1) left %/% 2 else left / 2
}

# The corners and the centre, a row for each.
five_starts <- function(fit) {
  last <- fit$lengths - fit$sizes
  unname(rbind(0, c(0, last[[2]]), c(last[[1]], 0), last, center_starts(fit)))
}

# Windows `stride` apart, row by row; the last ones end where the image does.
grid_starts <- function(fit, stride) {
  line <- function(axis) {
    left <- fit$lengths[[axis]] - fit$sizes[[axis]]
    pmin(seq(0, ceiling(left / stride[[axis]] - 1e-4)) * stride[[axis]], left)
  }
  rows <- line(1)
  cols <- line(2)
  cbind(rep(rows, each = length(cols)), rep(cols, length(rows)))
}

# Images of which some crops come back mirrored left to right, and so do the boxes of these.
with_mirrored <- function(images, which) {
  restore <- images$restore
  images$restore <- function(crops, boxes) {
    crops[which, , , ] <- crops[which, , rev(seq_len(dim(crops)[3])), ]
    boxes[which, c("x1", "x2")] <- boxes[which, c("x2", "x1")]
    restore(crops, boxes)
  }
  images
}

# Cuts windows that start at `starts` of images that have been made to fit.
cut_fitted <- function(images, starts, fit, fill_value, fill_mode = "constant", call = caller_env()) {
  force(fill_mode)
  starts <- as_starts(starts, images$n)
  starts <- starts - rep(fit$before, each = nrow(starts))
  if (fit$scale == 1) return(cut_windows(images, starts, fit$sizes, fill_value, fill_mode, call))
  boxes <- window_boxes(starts / fit$scale, fit$sizes / fit$scale)
  interpolation <- if (is.logical(images$x)) "nearest" else "bilinear"
  crops <- resample(images, boxes, fit$sizes, fill_mode = "nearest", interpolation = interpolation, call = call)
  images$restore(with_type_of(crops, images$x), boxes)
}

# Starts as a matrix with a row for each crop: one pair is for all images.
as_starts <- function(starts, n) {
  if (is.matrix(starts)) starts else matrix(rep(as.double(starts), each = n), n, 2)
}

window_boxes <- function(starts, sizes) {
  cbind(x1 = starts[, 2], y1 = starts[, 1], x2 = starts[, 2] + sizes[[2]], y2 = starts[, 1] + sizes[[1]])
}

# Cuts whole-pixel windows. `starts` counts from 0: one pair for all images, or a row for each crop, equally many of
# each image, those of the first image first.
cut_windows <- function(images, starts, sizes, fill_value = 0, fill_mode = "constant", call = caller_env()) {
  force(fill_mode)
  starts <- as_starts(starts, images$n)
  check_memory(c(nrow(starts), sizes, images$channels), call)
  fill_value <- as_type(fill_value, images$x, call)
  if (images$n == nrow(starts) && images$n > 0 && all(t(starts) == starts[1, ])) {
    crops <- cut_window(images$x, seq_len(images$n), starts[1, ], sizes, fill_value, fill_mode)
  } else {
    crops <- array(fill_value, c(nrow(starts), unname(sizes), images$channels))
    image <- rep(seq_len(images$n), each = nrow(starts) %/% max(images$n, 1))
    for (i in cli::cli_progress_along(starts[, 1], "Cropping")) {
      crops[i, , , ] <- cut_window(images$x, image[i], starts[i, ], sizes, fill_value, fill_mode)
    }
  }
  images$restore(crops, window_boxes(starts, sizes))
}

# One window of some images; what lies outside of them is as `fill_mode` says.
cut_window <- function(x, images, start, sizes, fill_value, fill_mode = "constant") {
  rows <- seen_lines(start[1] + seq_len(sizes[[1]]), dim(x)[2], fill_mode)
  cols <- seen_lines(start[2] + seq_len(sizes[[2]]), dim(x)[3], fill_mode)
  inside_rows <- rows >= 1 & rows <= dim(x)[2]
  inside_cols <- cols >= 1 & cols <= dim(x)[3]
  inside <- x[images, rows[inside_rows], cols[inside_cols], , drop = FALSE]
  if (all(inside_rows) && all(inside_cols)) return(inside)
  crops <- array(fill_value, c(dim(inside)[1], unname(sizes), dim(x)[4]))
  crops[, inside_rows, inside_cols, ] <- inside
  crops
}

# The rows or columns that are seen at numbers which may be outside of an image of some length.
seen_lines <- function(numbers, length, fill_mode) {
  switch(fill_mode,
    constant = numbers, nearest = pmin(pmax(numbers, 1), length), reflect = reflected(numbers - 0.5, length) + 0.5,
    mirror = if (length == 1) rep(1, length(numbers)) else 1 + reflected(numbers - 1, length - 1)
  )
}
