# Boxes of several images as a table, a row for each: which file it is in, its sides in pixels, its label (empty for
# none), and the image's size, NA where it is not known. An image without boxes has one row, whose sides are NA. What is
# checked here, `annotations/table.py` checks in Python.

table_columns <- c("file", "x1", "y1", "x2", "y2", "label", "height", "width")

nameless_class <- "object" # of boxes without a label, in the formats that know none without a class

no_boxes <- function() {
  sides <- rlang::set_names(rep(list(double()), 4), box_sides)
  data.frame(file = character(), sides, label = character(), height = integer(), width = integer())
}

is_empty <- function(table) is.na(table$x1)

classes_of <- function(table) ifelse(nzchar(table$label), table$label, nameless_class)

# Boxes of one image, a data frame `x1, y1, x2, y2, label`, as rows of the table.
stored_rows <- function(file, boxes, height, width) {
  if (!nrow(boxes)) return(no_boxes())
  label <- if (is.null(boxes$label)) "" else as.character(boxes$label)
  label[is.na(label)] <- ""
  data.frame(file = file, boxes[box_sides], label = label, height = as.integer(height), width = as.integer(width))
}

# The table of a data frame, from a user or, with a `path`, from a file. Sides may have any of the names that
# `box_names` lists. `places` are where the rows are, for errors.
as_box_table <- function(x, arg, call, path = NULL, places = paste("row", seq_len(nrow(x)))) {
  if (!is.data.frame(x) || !"file" %in% names(x)) {
    has <- if (is.data.frame(x)) names(x)
    kerascrop_abort(c(
      "{.arg {arg}} must be boxes: a data frame with the columns {.code {table_columns[1:5]}}.",
      x = if (is.null(has)) "It is {shown(x)}." else "It has the columns {.code {has}}."
    ), "box", call)
  }
  if (!nrow(x)) return(no_boxes())
  file <- if (is.factor(x$file)) as.character(x$file) else x$file
  if (!are_strings(file) || !all(validEnc(file) & nzchar(file))) {
    kerascrop_abort("The column {.code file} of {.arg {arg}} must name a file in each row.", "box", call)
  }
  file <- enc2utf8(file)
  stop_at <- function(wrong, problem) {
    row <- which(wrong)[1]
    if (is.na(row)) return(invisible())
    text <- paste0("In ", places[row], ", of ", file[row], ", ", problem[min(row, length(problem))])
    stop_table(path, text, arg, call)
  }
  sides <- matrix(as.double(order_boxes(x, "xyxy", arg, call)), ncol = 4)
  sides[is.nan(sides)] <- NA
  numbers <- do.call(paste, c(lapply(1:4, function(i) format(sides[, i], digits = 10, trim = TRUE)), sep = ", "))
  empty <- rowSums(is.na(sides)) == 4
  stop_at(!empty & rowSums(is.finite(sides)) < 4, paste("the sides are not all numbers:", numbers))
  size <- image_size_columns(x, stop_at)
  pair <- paste(size$height, size$width)
  same <- match(file, file)
  stop_at(empty & duplicated(file) | empty[same] & duplicated(file), "the image has no box, and another row as well")
  stop_at(pair != pair[same], paste("height and width are", pair, "but before they were", pair[same]))
  stop_at(
    !empty & (sides[, 3] <= sides[, 1] | sides[, 4] <= sides[, 2]), paste("x1 < x2 and y1 < y2 must hold:", numbers)
  )
  outside <- sides[, 3] <= 0 | sides[, 4] <= 0 | sides[, 1] >= size$width | sides[, 2] >= size$height
  stop_at(outside %in% TRUE, paste0("the box ", numbers, " is outside, as height and width are ", pair))
  label <- labels_of(x, nrow(x), arg, call)
  label[is.na(label)] <- ""
  stop_at(!validEnc(label), "the label is not text")
  colnames(sides) <- box_sides
  data.frame(file = file, sides, label = enc2utf8(label), size)
}

# The images' sizes of a data frame. Where a box is a place and a size, `height` and `width` are the box's.
image_size_columns <- function(x, stop_at) {
  columns <- box_columns(clean_names(names(x)))
  of_images <- is.null(columns) || columns$format == "xyxy"
  size <- lapply(rlang::set_names(c("height", "width")), function(side) {
    length <- if (of_images) x[[side]]
    if (is.null(length) || is.logical(length) && all(is.na(length))) return(rep(NA_integer_, nrow(x)))
    if (!is_numbers(length)) stop_at(TRUE, paste(side, "is not a number"))
    stop_at(!is.na(length) & !(length >= 1 & length <= largest_size & length == trunc(length)), paste(
      side, "is not a positive whole number:", format(length, trim = TRUE)
    ))
    as.integer(length)
  })
  stop_at(is.na(size$height) != is.na(size$width), "only one of height and width is known")
  size
}

# Stops in the name of a user's boxes, or of the file that they are in.
stop_table <- function(path, problem, arg, call) {
  problem <- shortened(valid_text(problem), 1000)
  head <- if (is.null(path)) "{.arg {arg}} must be boxes in images." else "{.file {path}} cannot be read as boxes."
  kerascrop_abort(c(head, x = "{problem}."), "box", call)
}

# ---- CSV -----------------------------------------------------------------------------------------------------

# The table of a CSV file. Text alone is read first: else a class "007" would become a number.
read_csv_boxes <- function(path, arg, call) {
  wrong <- function(condition) stop_table(path, sub("[.]$", "", conditionMessage(condition)), arg, call)
  text <- text_in(path, arg, call)
  if (!nzchar(text)) return(no_boxes())
  plain <- tempfile(fileext = ".csv")
  on.exit(unlink(plain))
  writeBin(charToRaw(paste0(text, if (!endsWith(text, "\n")) "\n")), plain)
  cells <- tryCatch(
    utils::read.csv(
      plain, header = FALSE, colClasses = "character", na.strings = character(), fill = FALSE, encoding = "UTF-8"
    ),
    error = wrong, warning = wrong
  )
  table <- rlang::set_names(cells[-1, , drop = FALSE], as.character(cells[1, ]))
  twice <- names(table)[duplicated(names(table))]
  if (length(twice)) stop_table(path, paste("The column", twice[1], "is there twice"), arg, call)
  if (!"file" %in% names(table)) {
    stop_table(path, paste0("It has no column ", dQuote("file", FALSE), ", but ", toString(names(table))), arg, call)
  }
  others <- setdiff(names(table), c("file", "label"))
  table[others] <- lapply(table[others], as_numbers)
  needed <- c(names(table)[box_columns(clean_names(names(table)))$which], "height", "width")
  for (column in Filter(function(column) is.character(table[[column]]), needed)) {
    row <- which(is_no_number(table[[column]]))[1]
    text <- sprintf("In row %d, %s is not a number: %s", row, column, table[[column]][row])
    stop_table(path, text, arg, call)
  }
  as_box_table(table, arg, call, path)
}

# Text that is numbers, or missing, as numbers.
as_numbers <- function(text) if (any(is_no_number(text))) text else suppressWarnings(as.double(text))

is_no_number <- function(text) is.na(suppressWarnings(as.double(text))) & !trimws(text) %in% c("", "NA", "NaN")

csv_text <- function(table) {
  quoted <- function(x) paste0('"', gsub('"', '""', x, fixed = TRUE), '"')
  columns <- lapply(table[table_columns], function(column) {
    if (is.character(column)) quoted(column) else exact_numbers(column)
  })
  lines <- c(paste(table_columns, collapse = ","), if (nrow(table)) do.call(paste, c(unname(columns), sep = ",")))
  paste0(lines, "\n", collapse = "")
}

# Numbers as short text that gives the same numbers again.
exact_numbers <- function(x) {
  text <- as.character(x)
  other <- which(as.double(text) != x)
  text[other] <- sprintf("%.17g", x[other])
  text[is.na(x)] <- ""
  text
}
