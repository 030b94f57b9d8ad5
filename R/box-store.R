# Boxes that somebody draws, in one CSV file with a row for each: which file it is in, its sides in pixels, its label
# (empty for none), and the image's size. The file is written as a whole, so it is never half of one, and a script can
# read it at any time: `read.csv("boxes.csv")`.

stored_columns <- c("file", "x1", "y1", "x2", "y2", "label", "height", "width")

no_boxes <- function() {
  sides <- rlang::set_names(rep(list(double()), 4), box_sides)
  data.frame(file = character(), sides, label = character(), height = integer(), width = integer())
}

# Boxes of one image, a data frame `x1, y1, x2, y2, label`, as rows of the file.
stored_rows <- function(file, boxes, height, width) {
  if (!nrow(boxes)) return(no_boxes())
  label <- if (is.null(boxes$label)) "" else as.character(boxes$label)
  label[is.na(label)] <- ""
  data.frame(file = file, boxes[box_sides], label = label, height = as.integer(height), width = as.integer(width))
}

# The rows that are there, and NULL where there is no file yet.
read_stored <- function(path, arg, call) {
  if (!file.exists(path)) return(NULL)
  wrong <- function(problem) {
    kerascrop_abort(c(
      "{.arg {arg}} must be a CSV file of boxes, with the columns {.code {stored_columns[1:5]}}.",
      x = "{.file {path}}: {problem}"
    ), "box", call)
  }
  if (dir.exists(path) || is_special(path)) wrong("It is not a regular file.")
  if (file.size(path) == 0) return(no_boxes())
  table <- tryCatch(
    utils::read.csv(path, colClasses = "character", na.strings = character(), check.names = FALSE, encoding = "UTF-8"),
    error = function(error) wrong(conditionMessage(error)), warning = function(warning) wrong(conditionMessage(warning))
  )
  as_stored(table, path, call)
}

# Boxes of several images, from a user or from a file, as rows of the file. Sides may have any of the names that
# `box_names` lists.
as_stored <- function(x, arg, call) {
  if (!is.data.frame(x) || !"file" %in% names(x)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be boxes: a data frame with the columns {.code {stored_columns[1:5]}}.",
      x = if (is.data.frame(x)) "It has the columns {.code {names(x)}}." else "It is {shown(x)}."
    ), "box", call)
  }
  if (!nrow(x)) return(no_boxes())
  file <- as.character(x$file)
  if (!are_strings(file) || !all(nzchar(file))) {
    kerascrop_abort("The column {.code file} of {.arg {arg}} must name a file in each row.", "box", call)
  }
  as_numbers <- function(column) suppressWarnings(if (is.character(column)) as.double(column) else column)
  read <- as.data.frame(lapply(x[setdiff(names(x), c("file", "label"))], as_numbers), optional = TRUE)
  size <- function(side) if (is.null(read[[side]])) NA_integer_ else as.integer(read[[side]])
  rows <- stored_rows(file, data.frame(as_boxes(read, arg, call)), size("height"), size("width"))
  if (!is.null(x$label)) rows$label <- ifelse(is.na(x$label), "", as.character(x$label))
  rows
}

# All rows, with those of one image replaced.
replace_rows <- function(stored, file, rows) rbind(stored[!stored$file %in% file, ], rows)

# Writes the boxes of one image, and gives all that are there then. The file is read again before: another session may
# have written boxes of other images in the meantime.
store_boxes <- function(path, file, rows, call = caller_env()) {
  stored <- replace_rows(read_stored(path, "path", call) %||% no_boxes(), file, rows)
  write_whole(stored_text(stored), path, "path", call)
  rownames(stored) <- NULL
  stored
}

stored_text <- function(rows) {
  quoted <- function(x) paste0('"', gsub('"', '""', enc2utf8(x), fixed = TRUE), '"')
  columns <- lapply(rows[stored_columns], function(column) {
    if (is.character(column)) quoted(column) else exact_numbers(column)
  })
  lines <- c(paste(stored_columns, collapse = ","), if (nrow(rows)) do.call(paste, c(unname(columns), sep = ",")))
  charToRaw(paste0(lines, "\n", collapse = ""))
}

# Numbers as short text that gives the same numbers again.
exact_numbers <- function(x) {
  text <- as.character(x)
  other <- which(as.double(text) != x)
  text[other] <- sprintf("%.17g", x[other])
  text[is.na(x)] <- ""
  text
}
