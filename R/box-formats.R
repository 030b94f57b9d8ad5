# What the four numbers of a box are, and how one format becomes another: what the module's `geometry.py` does for
# tensors. test-box-formats.R compares them.

box_formats <- c(
  "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh", "grid"
)

as_box_format <- function(x, arg = caller_arg(x), call = caller_env()) {
  if (is_string(x) && x %in% box_formats) return(x)
  kerascrop_abort(
    c("{.arg {arg}} must be one of {.or {.val {box_formats}}}.", x = "It is {shown(x)}."), "box", call
  )
}

# The two sides, a corner and a size, or the centre and a size; y before x; fractions of the image's size.
has_sides <- function(box_format) !grepl("wh|hw", box_format)
is_centred <- function(box_format) grepl("center", box_format)
is_y_first <- function(box_format) grepl("^(rel_)?(center_)?y", box_format)
is_relative <- function(box_format) box_format == "grid" || startsWith(box_format, "rel_")

same_kind <- function(one, other) has_sides(one) == has_sides(other) && is_centred(one) == is_centred(other)

swapped <- function(boxes) boxes[, c(2, 1, 4, 3), drop = FALSE]

# What columns of a format are called.
format_names <- function(box_format) {
  names <- if (has_sides(box_format)) {
    box_sides
  } else if (is_centred(box_format)) {
    c("cx", "cy", "width", "height")
  } else {
    c("x", "y", "width", "height")
  }
  if (is_y_first(box_format)) names[c(2, 1, 4, 3)] else names
}

# Boxes of any format, a row for each, as `x1, y1, x2, y2` in pixels.
to_sides <- function(boxes, box_format, height = NULL, width = NULL) {
  if (is_y_first(box_format)) boxes <- swapped(boxes)
  if (box_format == "grid") boxes <- (boxes + 1) / 2
  if (is_relative(box_format)) boxes <- boxes * rep(c(width, height, width, height), each = nrow(boxes))
  first <- boxes[, 1:2, drop = FALSE]
  second <- boxes[, 3:4, drop = FALSE]
  if (is_centred(box_format)) first <- first - second / 2
  cbind(first, if (has_sides(box_format)) second else first + second)
}

from_sides <- function(boxes, box_format, height = NULL, width = NULL) {
  first <- boxes[, 1:2, drop = FALSE]
  second <- boxes[, 3:4, drop = FALSE]
  if (!has_sides(box_format)) second <- second - first
  if (is_centred(box_format)) first <- first + second / 2
  boxes <- cbind(first, second)
  if (is_relative(box_format)) boxes <- boxes / rep(c(width, height, width, height), each = nrow(boxes))
  if (box_format == "grid") boxes <- boxes * 2 - 1
  if (is_y_first(box_format)) swapped(boxes) else boxes
}

# The images' size that a conversion between a format and `"grid"` needs; any will do where both are relative.
size_to_convert <- function(box_format, height, width, from, to, call) {
  if (is_relative(box_format)) return(list(height = 1, width = 1))
  if (!is.null(height) && !is.null(width)) return(list(height = height, width = width))
  kerascrop_abort(
    "{.arg height} and {.arg width} of the images are needed to convert boxes from {.val {from}} to {.val {to}}.",
    "box", call
  )
}
