#' Draw images, boxes and crops
#'
#' Draws images in a grid; on each its boxes, and beside it its crop. For looking at what a crop takes, and where a
#' learnable crop looks.
#'
#' @param images Images: a matrix, an array `(height, width, channels)`, or a batch `(batch, height, width,
#'   channels)`; or the path of an image file.
#' @param boxes Boxes to draw, `x1, y1, x2, y2` in pixels: a matrix with a row for each image (several rows for a single
#'   image); or a named list of such matrices, each drawn in a colour of its own, with a legend.
#' @param crops Crops to draw beside the images: a batch with one for each image, or a list of images of any sizes.
#'   `TRUE` cuts out the first of the `boxes`.
#' @param titles Titles of the images, one each.
#' @param max How many images to draw at most.
#' @param ncol Images in a row of the grid; the default fills the page.
#' @param col Colours of the boxes, one for each matrix.
#' @param lwd Width of the boxes' lines.
#' @param range The two numbers that are drawn black and white, for grey images, or no light and full light of a
#'   colour. The default is 0 and 1 when all numbers are in between, 0 and 255 when they are whole and in between, and
#'   else the smallest and the largest.
#' @returns `images`, invisibly.
#' @section Errors:
#' `kerascrop_error_shape`, `kerascrop_error_box` and `kerascrop_error_argument`: images, boxes, or other arguments of
#' the wrong kind, or numbers of them that do not fit.
#' @export
#' @examples
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' face <- box_window(rows = 20:219, cols = 131:330)
#' plot_crops(photo, face, crops = TRUE, titles = "Chelsea")
plot_crops <- function(images, boxes = NULL, crops = NULL, titles = NULL, max = 16, ncol = NULL,
                       col = c("#00E5A8", "#FF3D7F", "#FFC400", "#3D9BFF"), lwd = 2, range = NULL) {
  x <- as_images(images)
  shown_images <- seq_len(min(x$n, as_size(max)))
  boxes <- as_box_list(boxes, x$n)
  crops <- as_crop_list(crops, x, boxes)
  if (!is.null(titles) && !(is.atomic(titles) && length(titles) == x$n)) {
    kerascrop_abort(c(
      "{.arg titles} must be one for each image.",
      x = if (is.atomic(titles)) "There are {length(titles)} for {x$n} image{?s}." else "It is {shown(titles)}."
    ), "argument")
  }
  if (!is.null(ncol)) ncol <- as_size(ncol)
  check_colours(col)
  lwd <- as_number(lwd)
  range <- as_range(range, x$x)
  panels <- if (is.null(crops)) 1 else 2
  ncol <- max(min(ncol %||% ceiling(sqrt(length(shown_images) / panels)), length(shown_images)), 1)
  keep <- graphics::par(
    mfrow = c(max(ceiling(length(shown_images) / ncol), 1), ncol * panels),
    mar = c(0.2, 0.2, if (is.null(titles)) 0.2 else 1.6, 0.2), oma = c(if (length(names(boxes))) 1.6 else 0, 0, 0, 0)
  )
  on.exit(graphics::par(keep))
  for (i in shown_images) {
    here <- lapply(boxes, function(box) if (x$n == 1) box else box[i, , drop = FALSE])
    draw_image(x$x[i, , , , drop = FALSE], range, titles[i], here)
    for (k in seq_along(here)) draw_boxes(here[[k]], col[(k - 1) %% length(col) + 1], lwd)
    if (!is.null(crops)) draw_image(crops[[i]], range)
  }
  if (length(names(boxes))) draw_legend(names(boxes), col)
  invisible(images)
}

# Boxes for `n` images as a list of matrices.
as_box_list <- function(boxes, n, call = caller_env()) {
  if (is.null(boxes)) return(list())
  if (!is.list(boxes)) boxes <- list(boxes)
  lapply(boxes, function(box) {
    box <- as_boxes(box, "boxes", call, mirrored = TRUE)
    box[, c("x1", "x2")] <- cbind(pmin(box[, "x1"], box[, "x2"]), pmax(box[, "x1"], box[, "x2"]))
    if (if (n == 1) nrow(box) == 0 else nrow(box) != n) {
      kerascrop_abort(c(
        "{.arg boxes} must be one for each image.", x = "There are {nrow(box)} for {n} image{?s}."
      ), "box", call)
    }
    box
  })
}

# Crops as a list of `(1, height, width, channels)` arrays, one for each image.
as_crop_list <- function(crops, images, boxes, call = caller_env()) {
  if (is.null(crops) || identical(crops, FALSE)) return(NULL)
  if (identical(crops, TRUE)) {
    if (!length(boxes)) {
      kerascrop_abort(c(
        "{.code crops = TRUE} needs {.arg boxes} to cut out.", i = "Give {.arg boxes}."
      ), "argument", call)
    }
    crops <- lapply(seq_len(images$n), function(i) {
      image <- array(images$x[i, , , ], dim(images$x)[-1])
      crop_boxes(displayable(image), boxes[[1]][i, ])
    })
  }
  if (is.list(crops)) {
    crops <- lapply(crops, function(crop) as_images(crop, "crops", call)$x)
  } else {
    batch <- as_images(crops, "crops", call)
    crops <- lapply(seq_len(batch$n), function(i) batch$x[i, , , , drop = FALSE])
  }
  if (length(crops) != images$n) {
    kerascrop_abort(c(
      "{.arg crops} must be one for each image.", x = "There are {length(crops)} for {images$n} image{?s}."
    ), "argument", call)
  }
  crops
}

check_colours <- function(col, call = caller_env()) {
  if (length(col) && !inherits(try(grDevices::col2rgb(col), silent = TRUE), "try-error")) return(invisible())
  kerascrop_abort(c("{.arg col} must be colours, such as {.val red}.", x = "It is {shown(col)}."), "argument", call)
}

as_range <- function(range, x, call = caller_env()) {
  if (is.null(range)) {
    found <- if (is.raw(x)) c(0, 255) else suppressWarnings(range(x[is.finite(x)]))
    if (found[1] >= 0 && found[2] <= 1) return(c(0, 1))
    if (found[1] >= 0 && found[2] <= 255 && (is.raw(x) || all(x == trunc(x)))) return(c(0, 255))
    return(if (all(is.finite(found))) found else c(0, 1))
  }
  if (is.numeric(range) && length(range) == 2 && all(is.finite(range)) && range[1] < range[2]) return(range)
  kerascrop_abort(c(
    "{.arg range} must be two numbers, the smaller first.", x = "It is {shown(range)}."
  ), "argument", call)
}

# One image `(1, height, width, channels)` in a panel whose coordinates are the boxes' (0, 0 at the top left), with
# room for boxes that reach outside.
draw_image <- function(image, range, title = NULL, boxes = list()) {
  size <- dim(image)[2:3]
  sides <- rbind(c(0, 0, size[2], size[1]), do.call(rbind, boxes))
  graphics::plot.new()
  graphics::plot.window(base::range(sides[, c(1, 3)]), rev(base::range(sides[, c(2, 4)])), asp = 1)
  graphics::rasterImage(as_raster(image, range), 0, size[1], size[2], 0, interpolate = FALSE)
  if (length(title)) graphics::title(main = title, line = 0.4, cex.main = 1)
}

# Grey from one channel (or more than four: their mean); colours from three, with transparency from two or four.
as_raster <- function(image, range) {
  pixels <- displayable(array(as.double(image), dim(image)[-1]))
  shape <- dim(pixels)
  pixels <- (pixels - range[1]) / (range[2] - range[1])
  pixels <- array(pmin(pmax(replace(pixels, is.na(pixels), 0), 0), 1), shape)
  channels <- shape[3]
  colours <- if (channels %in% 3:4) pixels[, , 1:3] else pixels[, , c(1, 1, 1)]
  alpha <- if (channels %in% c(2, 4)) pixels[, , channels] else 1
  raster <- grDevices::rgb(colours[, , 1], colours[, , 2], colours[, , 3], alpha)
  grDevices::as.raster(matrix(raster, dim(pixels)[1]))
}

# More channels than a colour has become their mean.
displayable <- function(image) {
  if (dim(image)[3] > 4) array(apply(image, 1:2, mean), c(dim(image)[1:2], 1)) else image
}

draw_boxes <- function(boxes, col, lwd) {
  graphics::rect(boxes[, 1], boxes[, 4], boxes[, 3], boxes[, 2], border = col, lwd = lwd, xpd = NA)
}

# A line of names below the grid.
draw_legend <- function(names, col) {
  graphics::par(fig = c(0, 1, 0, 1), oma = c(0, 0, 0, 0), mar = c(0, 0, 0, 0), new = TRUE)
  graphics::plot.new()
  graphics::legend("bottom", names, col = rep_len(col, length(names)), lwd = 2, horiz = TRUE, bty = "n", xpd = NA)
}
