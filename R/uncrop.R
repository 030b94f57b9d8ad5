#' Put crops back where they came from
#'
#' Makes images again from what [crop_center()] and the other functions for arrays cut out of them, or from what
#' something else has made of the crops since, such as the predictions for tiles of a large image.
#'
#' Crops of whole pixels go back unchanged. Any other crop is resized to its box, antialiased where the
#' box is the smaller one. Where crops overlap, the mean is taken (rounded for integers).
#'
#' What no crop covers is `fill_value`. To put one crop into an image `x` that is there already, use
#' `x[box_rows(box), box_cols(box), ] <- crop`, where `box` is one row of `boxes`.
#'
#' @param crops Crops: a matrix, an array `(height, width, channels)`, or a batch `(batch, height, width, channels)`; or
#'   of another kind that [crop_center()] takes, such as frames of a magick image. The number of channels may be
#'   another than that of the images.
#' @param boxes Where they were: a matrix or data frame with a row `x1, y1, x2, y2` for each, in pixels ([box_names]).
#'   The default is what the crop functions noted. A box with `x1` above `x2` is mirrored back.
#' @param height,width Size of the images, in pixels; `NULL` is what the crop functions noted.
#' @param fill_value The value of pixels that no crop covers: one that the type of `crops` can hold.
#' @returns Images, as many and of the kind that the crops came from, with the type of `crops`. Where `boxes` were not
#'   noted by a crop function, one image for each crop.
#' @section Errors:
#' `kerascrop_error_box`: `boxes` are missing, of another shape or number, or with `NA`. `kerascrop_error_size`:
#' `height` or `width` is missing, or not a positive whole number. `kerascrop_error_shape` and
#' `kerascrop_error_argument`: crops or arguments of the wrong kind.
#' @family array functions
#' @seealso [layer_uncrop()] for models.
#' @export
#' @examples
#' x <- matrix(1:16, 4, 4)
#' uncrop(crop_center(x, 2, 2))
#'
#' # a large image in tiles that overlap
#' photo <- array(runif(100 * 150 * 3), c(100, 150, 3))
#' tiles <- crop_multi(photo, 64, 64, "grid", stride = 48)
#' all.equal(uncrop(tiles), photo)
#'
#' # what a network made of them has lost their boxes
#' darker <- tiles[, , , 1, drop = FALSE] / 2
#' dim(uncrop(darker, attr(tiles, "boxes")))
uncrop <- function(crops, boxes = attr(crops, "boxes"), height = NULL, width = NULL, fill_value = 0) {
  images <- as_images(crops)
  if (is.null(boxes)) {
    kerascrop_abort(c(
      "{.arg boxes} is missing, and {.arg crops} have no boxes of their own.",
      i = "Subsetting drops them: keep {.code boxes <- attr(crops, \"boxes\")}, and give {.arg boxes}, {.arg height} and
           {.arg width}."
    ), "box")
  }
  # What the crop functions noted; or else an image of the crops' kind for each crop.
  size <- attr(boxes, "size") %||% images$size[!names(images$size) %in% c("height", "width")]
  boxes <- as_boxes(boxes, mirrored = TRUE)
  lengths <- c(height = as_noted_size(height, size), width = as_noted_size(width, size))
  n <- if ("batch" %in% names(size)) size[["batch"]] else 1
  if (nrow(boxes) != images$n || (n > 0 && nrow(boxes) %% n != 0)) {
    kerascrop_abort(c(
      "{.arg boxes} must be one for each crop, equally many of each image.",
      x = "There are {nrow(boxes)} boxes for {images$n} crop{?s} of {n} image{?s}."
    ), "box")
  }
  fill_value <- as_number(fill_value)
  as_type(fill_value, images$x, rlang::current_env())
  check_memory(c(n, lengths, images$channels))
  fits <- abs(boxes[, 3] - boxes[, 1]) == images$lengths["width"] & boxes[, 4] - boxes[, 2] == images$lengths["height"]
  paste <- if (is_whole(boxes) && all(fits)) paste_windows else paste_boxes
  pasted <- with_type_of(paste(images, boxes, lengths, n, fill_value), images$x)
  if (!images$is_array) return(images$pack(pasted))
  kept <- c("batch" %in% names(size), TRUE, TRUE, "channels" %in% names(size) || images$channels > 1)
  array(pasted, dim(pasted)[kept])
}

# A size that is given, or that the boxes know.
as_noted_size <- function(x, size, arg = caller_arg(x), call = caller_env()) {
  if (!is.null(x)) return(as_size(x, arg, call))
  if (arg %in% names(size)) return(size[[arg]])
  kerascrop_abort(c(
    "{.arg {arg}} of the images is missing.",
    i = "Boxes of {.fn crop_center} and the like know it until they are subsetted: give {.arg height} and
         {.arg width}."
  ), "size", call)
}

# Adds up crops of whole pixels where they belong, and divides by how many there are of each pixel.
paste_windows <- function(images, boxes, lengths, n, fill_value) {
  x <- images$x
  if (is.raw(x)) storage.mode(x) <- "integer"
  total <- array(0, c(n, unname(lengths), images$channels))
  count <- array(0, c(n, unname(lengths)))
  image <- rep(seq_len(n), each = nrow(boxes) %/% max(n, 1))
  for (i in cli::cli_progress_along(boxes[, 1], "Putting crops back")) {
    rows <- boxes[i, "y1"] + seq_len(dim(x)[2])
    cols <- min(boxes[i, c("x1", "x2")]) + seq_len(dim(x)[3])
    if (boxes[i, "x1"] > boxes[i, "x2"]) cols <- rev(cols)
    inside_rows <- rows >= 1 & rows <= lengths[["height"]]
    inside_cols <- cols >= 1 & cols <= lengths[["width"]]
    rows <- rows[inside_rows]
    cols <- cols[inside_cols]
    total[image[i], rows, cols, ] <- total[image[i], rows, cols, ] + x[i, inside_rows, inside_cols, ]
    count[image[i], rows, cols] <- count[image[i], rows, cols] + 1
  }
  mean <- total / as.vector(count)
  mean[rep(as.vector(count) == 0, images$channels)] <- fill_value
  mean
}

# Resizes crops to their boxes, antialiased, and adds them up, by how much of each pixel a box covers.
paste_boxes <- function(images, boxes, lengths, n, fill_value) {
  total <- array(0, c(n, unname(lengths), images$channels))
  count <- array(0, c(n, unname(lengths)))
  image <- rep(seq_len(n), each = nrow(boxes) %/% max(n, 1))
  for (i in cli::cli_progress_along(image, "Putting crops back")) {
    rows <- paste_taps(boxes[i, 2], boxes[i, 4], images$lengths[[1]], lengths[[1]])
    cols <- paste_taps(boxes[i, 1], boxes[i, 3], images$lengths[[2]], lengths[[2]])
    if (!length(rows$pixels) || !length(cols$pixels)) next
    cover <- outer(rows$cover, cols$cover)
    pasted <- apply_taps(images$x, i, rows, cols) * as.vector(cover)
    total[image[i], rows$pixels, cols$pixels, ] <- total[image[i], rows$pixels, cols$pixels, ] + as.vector(pasted)
    count[image[i], rows$pixels, cols$pixels] <- count[image[i], rows$pixels, cols$pixels] + as.vector(cover)
  }
  total / as.vector(pmax(count, 1)) + fill_value * as.vector(pmax(1 - count, 0))
}

# The pixels of an image that a box covers along one axis, how much of each, and where they look in the crop.
paste_taps <- function(start, stop, crop_length, length) {
  low <- min(start, stop)
  high <- max(start, stop)
  first <- max(floor(low), 0)
  pixels <- first + seq_len(max(min(ceiling(high), length) - first, 0))
  step <- crop_length / (stop - start)
  taps <- triangle_taps((pixels - 0.5 - start) * step, max(abs(step), 1), crop_length)
  c(taps, list(pixels = pixels, cover = pmin(pixels, high) - pmax(pixels - 1, low)))
}
