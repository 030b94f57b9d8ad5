# Windows by place, as engine/places.py has them: along each axis `c(start, stop)`, counted from 0, negative numbers
# from the image's end; a stop of `NA` is the end itself.

place_if_smaller_choices <- setdiff(if_smaller_choices, "resize")

# The place along each axis, from the one form in which it is given. `lines` has a name for each axis.
as_place <- function(lines, offset, size, box, call = caller_env()) {
  rank <- length(lines)
  lines <- Map(function(x, arg) as_lines(x, arg = arg, call = call), lines, names(lines))
  offset <- as_wholes(offset, rank, call = call)
  size <- as_wholes(size, rank, call = call)
  box <- as_whole_box(box, rank, call = call)
  forms <- c(any(lengths(lines) > 0), !is.null(offset) || !is.null(size), !is.null(box))
  if (sum(forms) != 1) {
    kerascrop_abort(c(
      "A window needs its place in one form.",
      x = if (any(forms)) "It is given in {sum(forms)}." else "It is not given.",
      i = "Use {.arg {names(lines)}}; {.arg offset} and {.arg size}; or {.arg box}."
    ), "argument", call)
  }
  if (forms[1]) return(lapply(lines, function(line) line %||% c(0, NA)))
  place <- if (forms[2]) {
    Map(function(start, size) lines_from(start, size, call), offset %||% rep(0, rank), size %||% rep(-1, rank))
  } else {
    lapply(rank:1, function(axis) box[c(axis, rank + axis)])
  }
  rlang::set_names(place, names(lines))
}

# What a layer in Python is given: `(start, stop)` along each axis, by name.
as_python_place <- function(...) {
  lapply(as_place(..., call = caller_env()), function(line) {
    list(as.integer(line[1]), if (!is.na(line[2])) as.integer(line[2]))
  })
}

# R's numbers of rows, which count from 1; -1 is all of them.
as_lines <- or_null(function(x, arg, call) {
  if (is_one_whole(x) && x == -1) return(c(0, NA))
  x <- as_run(x, arg, call)
  if (x[1] >= 1) return(c(x[1] - 1, x[length(x)]))
  kerascrop_abort(c(
    "{.arg {arg}} must be from 1 on, or -1 for all of them.", x = "It is {shown(x)}.",
    i = "To count from the image's end, use a negative {.arg offset}."
  ), "size", call)
})

lines_from <- function(start, size, call) {
  stop <- if (size == -1 || start < 0 && start + size == 0) NA else start + size
  if ((size >= 1 || size == -1) && (start >= 0 || is.na(stop) || stop < 0)) return(c(start, stop))
  kerascrop_abort(c(
    "{.arg size} must be at least 1, or -1 for all of the axis, and fit between {.arg offset} and the image's end.",
    x = "It is {size}, from {start} on."
  ), "size", call)
}

# As many whole numbers.
as_wholes <- or_null(function(x, number, arg, call) {
  if (is_whole(x) && length(x) == number) return(as.double(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be {number} whole number{?s} of pixels.", x = "It is {shown(x)}."
  ), "size", call)
})

# Corners of whole pixels inside the image.
as_whole_box <- or_null(function(x, rank, arg, call) {
  box <- if (rank == 2) as.vector(as_boxes(x, arg, call)) else as_wholes(x, 2 * rank, arg = arg, call = call)
  first <- box[seq_len(rank)]
  if (length(box) == 2 * rank && is_whole(box) && all(first >= 0 & first < box[-seq_len(rank)])) return(box)
  kerascrop_abort(c(
    "{.arg {arg}} must be whole-pixel corners of one box inside the image, the first ones smaller.",
    x = "It is {shown(x)}.", i = "A negative {.arg cropping} of {.fn crop_border} adds pixels outside."
  ), "size", call)
})

# Start and size of windows in images of some `lengths`, as `places.fit()` has them for the layers.
fit_place <- function(place, lengths, if_smaller, call = caller_env()) {
  ends <- mapply(function(line, length) {
    line[2] <- if (is.na(line[2])) length else line[2]
    ifelse(line < 0 | is.na(line), length + line, line)
  }, place, lengths)
  starts <- ends[1, ]
  stops <- ends[2, ]
  none <- starts >= stops | stops <= 0 | starts >= lengths
  for (axis in which(none | if_smaller == "error" & (starts < 0 | stops > lengths))) {
    kerascrop_abort(c(
      "{.arg {names(place)[axis]}} of the window must be in the image.",
      x = "The image has only {lengths[[axis]]} of them.",
      i = if (!none[axis]) "{.code if_smaller = \"pad\"} or {.val keep} takes such images too."
    ), "size", call)
  }
  if (if_smaller == "keep") {
    starts <- pmax(starts, 0)
    stops <- pmin(stops, lengths)
  }
  list(starts = unname(starts), sizes = rlang::set_names(stops - starts, names(lengths)))
}
