# Resampling in R: what `sample()` and `paste()` of the Python module do, for images in R, in double precision, so that
# functions for arrays need no Python. test-resample.R compares them.
#
# A box has sides, so its two axes are resampled one after the other. Along an axis a sample is the weighted sum of a
# few pixels, its taps: a matrix of indices and one of weights, with a row for each sample. Pixel `j`, counted from 0,
# has its centre at `j + 0.5`.

# Crops `(n * k, height, width, channels)` of boxes, `k` of each image, those of the `first` image first.
resample <- function(images, boxes, sizes, antialias = FALSE, fill_mode = "constant", fill_value = 0,
                     interpolation = "bilinear", call = caller_env(), first = 1) {
  shape <- c(nrow(boxes), unname(sizes), images$channels)
  check_memory(shape, call)
  if (antialias) interpolation <- "triangles"
  crops <- array(0, shape)
  image <- first - 1 + rep(seq_len(images$n), each = nrow(boxes) %/% max(images$n, 1))
  for (i in cli::cli_progress_along(image, "Cropping")) {
    rows <- box_taps(boxes[i, 2], boxes[i, 4], sizes[[1]], images$lengths[[1]], interpolation, fill_mode)
    cols <- box_taps(boxes[i, 1], boxes[i, 3], sizes[[2]], images$lengths[[2]], interpolation, fill_mode)
    there <- outer(rows$there, cols$there)
    crops[i, , , ] <- as.vector(apply_taps(images$x, image[i], rows, cols)) + fill_value * as.vector(1 - there)
  }
  crops
}

# Where the samples of a crop look along one axis: `n` equal parts of a box's side, in an image of `length` pixels. What
# is outside of it in `fill_mode = "constant"` has no weight, unless the box is inside: then only the image's own pixels
# count. `there` is how much of a sample is the image.
box_taps <- function(start, stop, n, length, interpolation, fill_mode) {
  position <- start + (seq_len(n) - 0.5) * ((stop - start) / n)
  rounding <- 2e-6 * length # as in the module, which computes in single precision
  reaches_out <- min(start, stop) < -rounding || max(start, stop) > length + rounding
  blended <- fill_mode == "constant" && reaches_out
  there <- rep(1, n)
  if (interpolation == "triangles") {
    if (blended) there <- pmin(pmax(0.5 + length / 2 - abs(position - length / 2), 0), 1)
    if (fill_mode == "reflect") position <- reflected(position, length)
    taps <- triangle_taps(position, max(abs(stop - start) / n, 1), length)
    taps$weight <- taps$weight * there
  } else {
    lower <- floor(if (interpolation == "nearest") position else position - 0.5)
    taps <- list(weight = tap_weights[[interpolation]](position - 0.5 - lower))
    index <- lower + rep(tap_offsets[[interpolation]], each = n)
    if (blended) {
      taps$weight[index < 0 | index >= length] <- 0
      there <- rowSums(taps$weight)
    }
    if (fill_mode == "reflect") index <- reflected(index + 0.5, length) - 0.5
    taps$index <- matrix(pmin(pmax(index, 0), length - 1) + 1, n)
  }
  c(taps, list(there = there))
}

tap_offsets <- list(nearest = 0, bilinear = 0:1, bicubic = -1:2)

# The cubic is Keys' (1981) with the parameter -0.75, PyTorch's.
tap_weights <- list(
  nearest = function(t) cbind(rep(1, length(t))),
  bilinear = function(t) cbind(1 - t, t),
  bicubic = function(t) {
    near <- function(x) (1.25 * x - 2.25) * x * x + 1
    far <- function(x) ((-0.75 * x + 3.75) * x - 6) * x + 3
    cbind(far(1 + t), near(t), near(1 - t), far(2 - t))
  }
)

# Positions folded back into the image at its edges.
reflected <- function(position, length) {
  period <- 2 * length
  length - abs(length - (position - period * floor(position / period)))
}

# Triangles of weights that reach `reach` pixels to each side, cut off at the image's edges.
triangle_taps <- function(position, reach, length) {
  position <- pmin(pmax(position, 0.5), length - 0.5)
  count <- min(ceiling(2 * reach) + 1, length)
  lower <- pmin(pmax(floor(position - 0.5 - reach) + 1, 0), length - count)
  index <- matrix(lower + rep(seq_len(count) - 1, each = length(position)), ncol = count)
  weight <- pmax(1 - abs(index + 0.5 - position) / reach, 0)
  list(index = index + 1, weight = weight / rowSums(weight))
}

# Applies taps along the rows and columns of one image: `(rows, columns, channels)`. Only the part of it that has a
# weight is looked at.
apply_taps <- function(x, image, rows, cols) {
  rows <- only_seen(rows)
  cols <- only_seen(cols)
  part <- x[image, rows$seen, cols$seen, , drop = FALSE]
  channels <- dim(x)[4]
  part <- along_rows(array(as.double(part), c(length(rows$seen), length(cols$seen) * channels)), rows)
  part <- aperm(array(part, c(nrow(rows$weight), length(cols$seen), channels)), c(2, 1, 3))
  part <- along_rows(array(part, c(length(cols$seen), nrow(rows$weight) * channels)), cols)
  aperm(array(part, c(nrow(cols$weight), nrow(rows$weight), channels)), c(2, 1, 3))
}

# Taps that count from the first pixel to which any of them gives a weight.
only_seen <- function(taps) {
  given <- taps$index[taps$weight != 0]
  taps$seen <- if (length(given)) seq(min(given), max(given)) else 1
  taps$index <- pmin(pmax(taps$index - taps$seen[1] + 1, 1), length(taps$seen))
  taps
}

# Weighted sums of rows. What has no weight is not seen, even if it is no number.
along_rows <- function(x, taps) {
  sums <- 0
  for (k in seq_len(ncol(taps$weight))) {
    rows <- x[taps$index[, k], , drop = FALSE] * taps$weight[, k]
    rows[taps$weight[, k] == 0, ] <- 0
    sums <- sums + rows
  }
  sums
}
