#' Names of boxes
#'
#' Everything in this package that takes boxes from R takes them as four numbers, or as a matrix with a row for each;
#' and where the numbers have names, it goes by these.
#'
#' So boxes may also be data frames, as annotations mostly are; lists, such as the brush of a Shiny plot; and named
#' vectors. The names may stand in any order, in upper or lower case, with `_`, `.` or `bbox_` in them:
#'
#' * left, top, right and bottom: `x1, y1, x2, y2`; `x0, y0, x1, y1`; `xmin, ymin, xmax, ymax`; `left, top, right,
#'   bottom`; `l, t, r, b`; `xleft, ytop, xright, ybottom`; `x, y, xend, yend`;
#' * left, top, width and height: `x, y, width, height`; `left, top, w, h`, or any of the above with these; or a column
#'   `bbox`, a list or matrix of these four, as COCO has it;
#' * the centre, width and height: `cx, cy, w, h`; `x_center, y_center, width, height`.
#'
#' Places and sizes become sides where sides are wanted. Other columns, such as labels and scores, are left alone; where
#' there are all four sides, so are a `width` and `height`, which are the image's.
#'
#' A `box_format` other than `"xyxy"` says what the numbers are, and the names must agree with that: `x1, y1, x2, y2` go
#' with `"rel_yxyx"`, but not with `"xywh"`. With `"center_xywh"` and the like `x` and `y` are the centre.
#'
#' Numbers without names are taken in the order of their format.
#'
#' @section Errors:
#' `kerascrop_error_box`: the names are others, do not make a box, contradict `box_format`, or name a side twice.
#' @family boxes
#' @name box_names
#' @examples
#' x <- matrix(1:24, 4, 6)
#' crop_boxes(x, c(xmin = 1, xmax = 4, ymin = 0, ymax = 2))
#' annotations <- data.frame(label = c("cat", "dog"), left = c(1, 2), top = 0, width = 3, height = 2)
#' box_iou(annotations, c(1, 0, 4, 2))
NULL

# Names are compared without case and separators: `X_Min` is `xmin`, `bbox.left` is `left`.
horizontal_names <- list(
  first = c("x1", "x0", "xmin", "minx", "left", "l", "xleft", "xtl"),
  last = c("x2", "xmax", "maxx", "right", "r", "xright", "xbr", "xend"),
  size = c("w", "width"),
  centre = c("cx", "xc", "xcenter", "xcentre", "centerx", "centrex")
)

vertical_names <- list(
  first = c("y1", "y0", "ymin", "miny", "top", "t", "ytop", "ytl", "upper"),
  last = c("y2", "ymax", "maxy", "bottom", "b", "ybottom", "ybr", "yend", "lower"),
  size = c("h", "height"),
  centre = c("cy", "yc", "ycenter", "ycentre", "centery", "centrey")
)

# What a name stands for, for error messages.
name_meanings <- c(
  first.x = "left", last.x = "right", size.x = "width", centre.x = "horizontal centre",
  first.y = "top", last.y = "bottom", size.y = "height", centre.y = "vertical centre"
)

# Boxes of any form, R's or Python's: those with names as a matrix, or an array `(..., 4)`, in the order of the format
# and without names; others as they are. `sized` boxes must have an area.
order_boxes <- function(x, box_format, arg, call, sized = FALSE) {
  if (is_python(x) || !is.list(x) && !are_numbers(x)) return(x)
  names <- number_names(x)
  if (is.null(names) || !any(nzchar(names))) return(if (is.data.frame(x)) unname(as.matrix(x)) else x)
  clean <- clean_names(names)
  # A few numbers without a name, or with one that says nothing of boxes, as `cbind(a, b, a + 9, b + 9)` gives them.
  if (!all(nzchar(names)) && length(names) == 4 && !any(clean %in% c("x", "y", all_names()))) return(unnamed(x))
  columns <- box_columns(clean, is_centred(box_format))
  if (is.null(columns)) {
    if (is.list(x) && sum(clean == "bbox") == 1) {
      return(order_coco(x[[which(clean == "bbox")]], box_format, arg, call, sized))
    }
    abort_names(names, clean, arg, call)
  }
  check_names_agree(columns$format, names[columns$which], box_format, arg, call)
  in_format(take_columns(x, columns$which, arg, call), columns$format, box_format, arg, call, sized)
}

# Numbers; or nothing but missing ones, which R takes to be logical.
are_numbers <- function(x) is.numeric(x) || is.logical(x) && all(is.na(x))

# The names of a box's numbers: of columns, of a vector's or a list's elements, of an array's last axis.
number_names <- function(x) {
  if (is.null(dim(x)) || is.data.frame(x)) names(x) else dimnames(x)[[length(dim(x))]]
}

unnamed <- function(x) {
  if (is.data.frame(x)) x <- as.matrix(x)
  if (is.null(dim(x))) names(x) <- NULL else dimnames(x) <- NULL
  x
}

clean_names <- function(names) {
  clean <- gsub("[^a-z0-9]", "", tolower(valid_text(names)))
  clean <- sub("^b?box(?=.)", "", clean, perl = TRUE)
  # From 0 on, as PIL and plotly count, `x1` is the second.
  if (all(c("x0", "y0") %in% clean)) clean[clean %in% c("x1", "y1")] <- sub("1", "2", clean[clean %in% c("x1", "y1")])
  clean
}

all_names <- function() c(unlist(horizontal_names), unlist(vertical_names))

# Which of the names are a box's, x before y, and the format that this makes: sides, a corner and a size, or the centre
# and a size. NULL where that is not clear. Sides come before sizes: a `width` beside `xmin` and `xmax` is the image's.
box_columns <- function(names, centred = FALSE) {
  across <- axis_columns(names, horizontal_names, "x", centred)
  down <- axis_columns(names, vertical_names, "y", centred)
  if (is.null(across) || is.null(down) || across$format != down$format) return(NULL)
  list(format = across$format, which = c(across$which, down$which)[c(1, 3, 2, 4)])
}

# A name that is an axis's alone is where a box begins, or its centre, where nothing else is.
axis_columns <- function(names, known, bare, centred) {
  found <- lapply(known, function(known) which(names %in% known))
  if (!length(found$first) && !length(found$centre)) found[[if (centred) "centre" else "first"]] <- which(names == bare)
  formats <- list(xyxy = c("first", "last"), center_xywh = c("centre", "size"), xywh = c("first", "size"))
  for (format in names(formats)) {
    which <- found[formats[[format]]]
    if (all(lengths(which) > 0)) return(if (all(lengths(which) == 1)) list(format = format, which = unlist(which)))
  }
}

# COCO's: a list or a matrix of `x, y, width, height`.
order_coco <- function(x, box_format, arg, call, sized) {
  if (is.list(x) && !is.data.frame(x)) {
    if (!length(x)) return(matrix(0, 0, 4))
    if (all(lengths(x) == 1)) x <- unlist(x) # one box, as a list
    if (all(lengths(x) == 4)) x <- do.call(rbind, lapply(x, unlist))
  }
  if (!is.null(number_names(x))) return(order_boxes(x, box_format, arg, call, sized))
  if (are_numbers(x) && is.null(dim(x))) x <- t(x)
  if (!are_numbers(x) || !is.matrix(x) || ncol(x) != 4) {
    kerascrop_abort(c(
      "{.code bbox} of {.arg {arg}} must have four numbers for each box, {.code x, y, width, height}.",
      x = "It is {shown(x)}."
    ), "box", call)
  }
  check_names_agree("xywh", "bbox", box_format, arg, call)
  in_format(x, "xywh", box_format, arg, call, sized)
}

# The four columns of a box, in order: a vector of one, or an array `(..., 4)`.
take_columns <- function(x, which, arg, call) {
  if (is.list(x)) {
    for (column in which) {
      numbers <- x[[column]]
      if (are_numbers(numbers) && is.null(dim(numbers)) && length(numbers) == length(x[[which[1]]])) next
      kerascrop_abort(c(
        "{.arg {arg}} must have numbers for its sides, equally many for each.",
        x = "{.code {names(x)[column]}} is {shown(numbers)}."
      ), "box", call)
    }
    return(do.call(cbind, unname(lapply(x[which], as.double))))
  }
  shape <- dim(x)
  if (is.null(shape)) return(unname(unclass(x)[which]))
  last <- length(shape)
  array(matrix(x, ncol = shape[last])[, which], c(shape[-last], 4))
}

# Names may say another thing than the format that was given. `"xyxy"` is what is taken where none was.
check_names_agree <- function(named, names, box_format, arg, call) {
  if (box_format == "xyxy" || same_kind(named, box_format)) return(invisible())
  meaning <- c(xyxy = "the sides of a box", xywh = "a corner and a size", center_xywh = "a centre and a size")
  kerascrop_abort(c(
    "The names of {.arg {arg}} and {.arg box_format} contradict each other.",
    x = "{.code {names}} {?is/are} {meaning[[named]]}, but {.arg box_format} is {.val {box_format}}.",
    i = "Give the {.arg box_format} that the numbers have, or boxes without names."
  ), "box", call)
}

# Numbers `(..., 4)` that have names, in the format that is wanted: one of the same kind, or else `"xyxy"`.
in_format <- function(numbers, named, box_format, arg, call, sized) {
  shape <- dim(numbers)
  numbers <- matrix(numbers, ncol = 4)
  if (named != "xyxy" && sized) check_box_sizes(numbers, arg, call)
  if (!same_kind(named, box_format)) numbers <- to_sides(numbers, named)
  if (is_y_first(box_format)) numbers <- swapped(numbers)
  if (is.null(shape)) as.vector(numbers) else array(numbers, shape)
}

abort_names <- function(names, clean, arg, call) {
  meaning <- function(name) {
    of <- vapply(list(x = horizontal_names, y = vertical_names), function(known) {
      part <- names(known)[vapply(known, function(known) name %in% known, NA)]
      if (length(part)) part else NA_character_
    }, "")
    axis <- which(!is.na(of))
    if (length(axis)) name_meanings[[paste(of[axis], names(of)[axis], sep = ".")]] else NA_character_
  }
  of_a_box <- vapply(clean, meaning, "", USE.NAMES = FALSE)
  of_a_box[clean %in% c("x", "y")] <- c(x = "left or centre", y = "top or centre")[clean[clean %in% c("x", "y")]]
  known <- !is.na(of_a_box)
  understood <- sprintf("%s (%s)", names[known], of_a_box[known])
  others <- ifelse(nzchar(names), names, "one without a name")[!known]
  kerascrop_abort(c(
    "The names of {.arg {arg}} must tell a box's four sides, each once.",
    x = if (!any(known)) "None of them was understood.",
    x = if (any(known)) "Understood {?is/are} {.code {shortened_list(understood)}}.",
    x = if (length(others)) "Not understood {?is/are} {.code {shortened_list(others)}}.",
    i = "These work, in any order: {.code x1, y1, x2, y2}; {.code xmin, ymin, xmax, ymax};
         {.code left, top, right, bottom}; {.code x, y, width, height}; {.code cx, cy, width, height}; a column
         {.code bbox} of COCO's. Numbers without names are taken in order."
  ), "box", call)
}

shortened_list <- function(x, most = 8) if (length(x) > most) c(x[seq_len(most)], "...") else x

# Where a row of boxes goes with each of `n` images, a column with the images' numbers must not say another thing.
check_image_numbers <- function(x, n, arg, call) {
  if (!is.data.frame(x) || n < 2 || nrow(x) != n) return(invisible())
  columns <- which(clean_names(rlang::names2(x)) %in% c("image", "imageid", "imagenumber", "imageindex", "batch"))
  for (column in columns) {
    images <- x[[column]]
    other <- is.numeric(images) && setequal(images, seq_len(n)) && any(images != seq_len(n))
    if (!other && !anyDuplicated(images)) next
    kerascrop_abort(c(
      "{.arg {arg}} must have a row for each image, in order.",
      x = "Its column {.code {names(x)[column]}} says {shown(images)}.",
      i = "Leave the column out if the rows are the images' nevertheless."
    ), "box", call)
  }
}
