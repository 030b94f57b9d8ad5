# Boxes of several images, rows as `box-store.R` has them, in the forms that other tools read. Boxes without a label are
# of the class "object" there: these forms know none without a class.

classes_of <- function(rows) ifelse(nzchar(rows$label), rows$label, "object")

# COCO's JSON: places and sizes in pixels, numbers of images and classes from 1 on.
coco_text <- function(rows, call = caller_env()) {
  rlang::check_installed("jsonlite", "to write COCO's JSON.", call = call)
  files <- unique(rows$file)
  classes <- sort(unique(classes_of(rows)), method = "radix")
  first <- match(files, rows$file)
  size <- cbind(rows$x2 - rows$x1, rows$y2 - rows$y1)
  annotations <- data.frame(
    id = seq_len(nrow(rows)), image_id = match(rows$file, files), category_id = match(classes_of(rows), classes),
    area = size[, 1] * size[, 2], iscrowd = rep(0L, nrow(rows))
  )
  annotations$bbox <- unname(cbind(rows$x1, rows$y1, size))
  jsonlite::toJSON(list(
    images = data.frame(id = seq_along(files), file_name = files, rows[first, c("width", "height")], row.names = NULL),
    annotations = annotations, categories = data.frame(id = seq_along(classes), name = classes)
  ), digits = NA, pretty = TRUE)
}

# YOLO's text files: for each image one, of lines with the class's number, from 0 on, the centre and the size, as
# fractions of the image's. `classes.txt` names the classes. A list of lines, by the files' names.
yolo_lines <- function(rows, call = caller_env()) {
  if (!nrow(rows)) return(list(classes.txt = character()))
  classes <- sort(unique(classes_of(rows)), method = "radix")
  names <- paste0(tools::file_path_sans_ext(rows$file), ".txt")
  alike <- unique(rows$file)[duplicated(unique(data.frame(rows$file, names))$names)]
  if (length(alike)) {
    kerascrop_abort(c(
      "YOLO's files are named as the images are, but for the ending.", x = "{.file {alike[1]}} has another's name."
    ), "argument", call)
  }
  relative <- cbind(
    (rows$x1 + rows$x2) / 2 / rows$width, (rows$y1 + rows$y2) / 2 / rows$height,
    (rows$x2 - rows$x1) / rows$width, (rows$y2 - rows$y1) / rows$height
  )
  lines <- paste(match(classes_of(rows), classes) - 1, apply(relative, 1, function(row) {
    paste(exact_numbers(row), collapse = " ")
  }))
  c(split(lines, factor(names, unique(names))), list(classes.txt = classes))
}

# A compressed archive of text files.
write_archive <- function(lines, path) {
  folder <- tempfile()
  on.exit(unlink(folder, recursive = TRUE))
  for (name in names(lines)) {
    dir.create(file.path(folder, dirname(name)), showWarnings = FALSE, recursive = TRUE)
    writeLines(enc2utf8(lines[[name]]), file.path(folder, name), useBytes = TRUE)
  }
  withr::with_dir(folder, utils::tar(path, names(lines), compression = "gzip", tar = "internal"))
}
