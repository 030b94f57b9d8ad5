#' Draw images, boxes and crops
#'
#' Draws images in a grid, each with its boxes and, beside it, its crop: to see what a crop takes, and where a learnable
#' crop looks.
#'
#' @param images Images of any kind that [crop_center()] takes: a matrix, an array `(height, width, channels)`, or a
#'   batch `(batch, height, width, channels)`; a magick, raster or cimg image; or the path of an image file.
#' @param boxes Boxes to draw, `x1, y1, x2, y2` in pixels ([box_names]): a matrix or data frame with a row for each
#'   image (several rows for a single image); or a list of several such sets, each drawn in a colour of its own. If the
#'   list has names, there is a legend.
#' @param crops Crops to draw beside the images: a batch with one for each image, or a list of images of any sizes.
#'   `TRUE` cuts out each image's box of the first set (the first box of a single image).
#' @param titles Titles of the images, one each.
#' @param max How many images to draw at most.
#' @param ncol Images in a row of the grid; the default fills the page.
#' @param col Colours of the boxes, at least one for each set of them.
#' @param lwd Width of the boxes' lines.
#' @param range The two numbers that are drawn as black and white or, in colours, as no light and full light. The
#'   default depends on the images: 0 and 255 for bytes, as magick and raster images have; 0 and 1 when
#'   all numbers are in between; 0 and 255 when they are in between and whole, or the images have colours; else the
#'   smallest and the largest. Crops have the range of their images, unless one of the two are bytes and the other
#'   numbers from 0 to 1.
#' @param orient Turn photographs in files upright, as EXIF says that they lie; `FALSE` leaves them as they are stored.
#' @returns `images`, invisibly.
#' @section Errors:
#' `kerascrop_error_shape`, `kerascrop_error_box`, `kerascrop_error_size` and `kerascrop_error_argument`: images, boxes,
#' `max` and `ncol`, or other arguments of the wrong kind, or numbers of them that do not fit.
#' @family plots
#' @export
#' @examplesIf rlang::is_installed("jpeg")
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' face <- box_window(rows = 20:219, cols = 131:330)
#' plot_crops(photo, face, crops = TRUE, titles = "Chelsea")
plot_crops <- function(images, boxes = NULL, crops = NULL, titles = NULL, max = 16, ncol = NULL,
                       col = box_colours(), lwd = 2, range = NULL, orient = TRUE) {
  x <- as_images(images, orient = as_flag(orient))
  shown_images <- seq_len(min(x$n, as_count(max)))
  boxes <- as_box_list(boxes, x$n)
  crops <- as_crop_list(crops, x, boxes)
  titles <- as_titles(titles, x$n)
  ncol <- or_null(as_count)(ncol)
  check_colours(col, length(boxes))
  lwd <- as_positive(lwd)
  given <- range
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
    draw_image(x$x, range, titles[i], here, i)
    for (k in seq_along(here)) draw_boxes(here[[k]], col[k], lwd)
    if (!is.null(crops)) draw_image(crops[[i]], given %||% crop_range(crops[[i]], range))
  }
  if (length(names(boxes))) draw_legend(names(boxes), col)
  invisible(images)
}

#' Draw boxes, over an image or without one
#'
#' Draws boxes where they are, each with its label: over an image, or on an empty canvas with axes in pixels, which
#' count from the image's top left.
#'
#' @inheritParams plot_crops
#' @param boxes Boxes, `x1, y1, x2, y2` in pixels (see [box_names]): four numbers, a matrix or data frame with a row for
#'   each, or a list of several such sets. If the list has names, there is a legend.
#' @param image One image of any kind that [crop_center()] takes, also the path of a file; or `NULL`, for a canvas.
#' @param labels Labels of the boxes, one each, such as classes or scores; `NULL` takes the names of the rows, if there
#'   are any.
#' @param height,width Size of the canvas in pixels. The default is the images' size where the boxes have it noted, as
#'   those of [crop_multi()] do; else the boxes just fit. With an image it is the image's.
#' @param title A title.
#' @param col Colours: one for each box, recycled; for a list at least one for each set of boxes.
#' @returns `boxes`, invisibly.
#' @section Errors:
#' `kerascrop_error_box`, `kerascrop_error_shape`, `kerascrop_error_size` and `kerascrop_error_argument`: boxes, image,
#' size, or other arguments of the wrong kind.
#' @family plots
#' @export
#' @examples
#' plot_boxes(attr(crop_multi(matrix(0, 60, 90), 40, 40), "boxes"), labels = 1:5)
#' @examplesIf rlang::is_installed("jpeg")
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' eyes <- rbind(box_window(75:165, 120:215), box_window(95:170, 280:350))
#' rownames(eyes) <- c("left", "right")
#' plot_boxes(eyes, photo)
plot_boxes <- function(boxes, image = NULL, labels = NULL, height = NULL, width = NULL, title = NULL,
                       col = box_colours(), lwd = 2, range = NULL, orient = TRUE) {
  check_given(boxes, "box", "boxes", rlang::current_env())
  parts <- as_box_list(boxes, 1)
  if (!length(parts)) kerascrop_abort(c("{.arg boxes} must be one box or more.", x = "There are none."), "box")
  all <- do.call(rbind, parts)
  labels <- as_box_labels(labels, boxes, nrow(all))
  check_colours(col, if (is_box_list(boxes)) length(parts) else 1)
  colours <- if (is_box_list(boxes)) rep(col[seq_along(parts)], vapply(parts, nrow, 0L)) else rep_len(col, nrow(all))
  lwd <- as_positive(lwd)
  title <- as_name(title, may_be_empty = TRUE)
  height <- or_null(as_size)(height)
  width <- or_null(as_size)(width)
  if (is.null(image)) {
    size <- attr(boxes, "size")
    fitting <- function(name, side) if (name %in% names(size)) size[[name]] else ceiling(max(all[, side], 1))
    draw_canvas(c(height %||% fitting("height", "y2"), width %||% fitting("width", "x2")), title, parts)
  } else {
    x <- as_images(image, orient = as_flag(orient))
    if (x$n != 1) {
      kerascrop_abort(c(
        "{.arg image} must be one image.", x = "There are {x$n}.", i = "{.fn plot_crops} draws several."
      ), "argument")
    }
    draw_image(x$x, as_range(range, x$x), title, parts)
  }
  draw_boxes(all, colours, lwd)
  draw_labels(all, labels, colours)
  if (length(names(parts))) box_legend(names(parts), col, inset = -0.1)
  invisible(boxes)
}

box_colours <- function() c("#00E5A8", "#FF3D7F", "#FFC400", "#3D9BFF")

as_titles <- or_null(function(x, n, arg, call) {
  if (is.atomic(x) && length(x) == n) return(x)
  kerascrop_abort(c(
    "{.arg {arg}} must be one for each image.",
    x = if (is.atomic(x)) "There are {length(x)} for {n} image{?s}." else "It is {shown(x)}."
  ), "argument", call)
})

# One label for each box, or NULL.
as_box_labels <- function(labels, boxes, n, call = caller_env()) {
  if (is.null(labels)) return(row_names(boxes))
  if (is.atomic(labels) && length(labels) == n) return(as.character(labels))
  kerascrop_abort(c(
    "{.arg labels} must be one for each box.",
    x = if (is.atomic(labels)) "There are {length(labels)} for {n} box{?es}." else "It is {shown(labels)}."
  ), "argument", call)
}

# Row names that somebody gave: not the numbers that every data frame has.
row_names <- function(boxes) {
  if (is.matrix(boxes)) return(rownames(boxes))
  if (is.data.frame(boxes) && is.character(attr(boxes, "row.names"))) row.names(boxes)
}

# Several sets of boxes.
is_box_list <- function(boxes) is_plain_list(boxes) && !is_one_set(boxes)

# A list of a box's sides, such as the brush of a Shiny plot, rather than of sets of boxes.
is_one_set <- function(boxes) {
  clean <- clean_names(rlang::names2(boxes))
  columns <- box_columns(clean)
  if (is.null(columns)) return("bbox" %in% clean && all(lengths(boxes)[clean != "bbox"] == 1))
  all(vapply(boxes[columns$which], function(side) is.numeric(side) && is.null(dim(side)), NA))
}

# Boxes for `n` images as a list of matrices.
as_box_list <- function(boxes, n, call = caller_env()) {
  if (is.null(boxes)) return(list())
  if (!is_box_list(boxes)) boxes <- list(boxes)
  boxes <- lapply(boxes, function(box) {
    check_image_numbers(box, n, "boxes", call)
    box <- as_boxes(box, "boxes", call, mirrored = TRUE)
    box[, c("x1", "x2")] <- cbind(pmin(box[, "x1"], box[, "x2"]), pmax(box[, "x1"], box[, "x2"]))
    if (if (n == 1) nrow(box) == 0 else nrow(box) != n) {
      kerascrop_abort(c(
        "{.arg boxes} must be one for each image.", x = "There are {nrow(box)} for {n} image{?s}."
      ), "box", call)
    }
    box
  })
  warn_fractions(do.call(rbind, boxes), call = call)
  boxes
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
    return(lapply(seq_len(images$n), function(i) cut_box(images, i, boxes[[1]][i, , drop = FALSE], call)))
  }
  if (is_plain_list(crops)) {
    crops <- lapply(crops, function(crop) {
      crop <- as_images(crop, "crops", call)
      if (crop$n == 1) return(crop$x)
      kerascrop_abort(c(
        "Each element of the list {.arg crops} must be one image.", x = "One of them has {crop$n} images."
      ), "argument", call)
    })
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

check_colours <- function(col, sets = 1, call = caller_env()) {
  usable <- is.atomic(col) && length(col) && (is.character(col) || (is_whole(col) && all(col >= 0)))
  if (!usable || inherits(try(grDevices::col2rgb(col), silent = TRUE), "try-error")) {
    kerascrop_abort(c("{.arg col} must be colours, such as {.val red}.", x = "It is {shown(col)}."), "argument", call)
  }
  if (length(col) < sets) {
    kerascrop_abort(c(
      "{.arg col} must have a colour for each set of boxes.",
      x = "It has {length(col)} for {sets} sets.",
      i = "{.code col = hcl.colors({sets}, \"Dark 3\")} works."
    ), "argument", call)
  }
}

open_panel <- function(size, title, boxes) {
  sides <- rbind(c(0, 0, size[2], size[1]), do.call(rbind, boxes))
  graphics::plot.new()
  graphics::plot.window(base::range(sides[, c(1, 3)]), rev(base::range(sides[, c(2, 4)])), asp = 1)
  if (length(title)) graphics::text(size[2] / 2, min(sides[, 2]), title, pos = 3, offset = 0.3, font = 2, xpd = NA)
}

# With a dark rim, so that they are seen on images of any colour.
draw_boxes <- function(boxes, col, lwd) {
  frame <- function(...) graphics::rect(boxes[, 1], boxes[, 4], boxes[, 3], boxes[, 2], ..., xpd = NA)
  frame(border = "black", lwd = lwd + 2)
  frame(border = col, lwd = lwd)
}

# Labels in the boxes' top left corners, on the boxes' colours, in black or white, whichever can be read.
draw_labels <- function(boxes, labels, col) {
  if (is.null(labels)) return(invisible())
  cex <- 0.8
  left <- boxes[, "x1"]
  top <- boxes[, "y1"]
  pad <- graphics::strwidth("i", cex = cex)
  bottom <- top + 1.6 * abs(graphics::strheight("X", cex = cex))
  right <- left + graphics::strwidth(labels, cex = cex) + 2 * pad
  graphics::rect(left, bottom, right, top, col = col, border = col, xpd = NA)
  light <- colSums(grDevices::col2rgb(col) * c(0.3, 0.59, 0.11)) > 128
  ink <- ifelse(light, "black", "white")
  graphics::text(left + pad, (top + bottom) / 2, labels, cex = cex, adj = c(0, 0.5), col = ink, xpd = NA)
}

# An empty image with axes at its edges.
draw_canvas <- function(size, title, boxes) {
  open_panel(size, title, boxes)
  graphics::rect(0, size[1], size[2], 0, col = "white", border = "grey60")
  marks <- function(length) {
    at <- pretty(c(0, length))
    at[at <= length]
  }
  graphics::axis(1, marks(size[2]), pos = size[1], cex.axis = 0.8)
  graphics::axis(2, marks(size[1]), pos = 0, las = 1, cex.axis = 0.8)
}

# A line of names below the grid.
draw_legend <- function(names, col) {
  graphics::par(fig = c(0, 1, 0, 1), oma = c(0, 0, 0, 0), mar = c(0, 0, 0, 0), new = TRUE)
  graphics::plot.new()
  box_legend(names, col)
}

box_legend <- function(names, col, ...) {
  col <- rep_len(col, length(names))
  graphics::legend("bottom", names, col = col, lwd = 2, horiz = TRUE, bty = "n", xpd = NA, ...)
}
