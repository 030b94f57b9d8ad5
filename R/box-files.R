#' Boxes in and out
#'
#' `read_boxes()` reads the boxes of several images from the files of annotation tools, and `write_boxes()` writes them
#' for these tools, and for detectors: one data frame, whatever the format.
#'
#' * `"csv"`: one file with the columns `file, x1, y1, x2, y2`, and perhaps `label`, `height` and `width`, as
#'   [crop_app()] keeps it. `x1` and the others may have any of the names in [box_names].
#' * `"coco"`: COCO's JSON, one file with `images`, `annotations` and `categories`. Annotations with `iscrowd`, which
#'   are around many objects, are not read.
#' * `"voc"`: Pascal VOC's and labelImg's XML files, one for each image, in a folder and the folders in it.
#' * `"yolo"`: the text files of YOLO, Ultralytics and labelImg, one for each image, in a folder and the folders in it,
#'   with the names of the classes in `classes.txt` or `data.yaml`. Without these a label is the class's number.
#'
#' What was written is read again as it was, to the last bit, but for three things. YOLO's fractions keep nine decimals
#' of a pixel. Boxes without a label get the class `"object"`, except in CSV. Rows come back by image, from folders with
#' the images sorted.
#'
#' @section Where a box begins:
#' Boxes are edges in pixels from 0 on, so that `x2 - x1` is a width: see [box_window()].
#' COCO's and YOLO's are as well. The numbers of the VOC challenge's own data sets are the first and the last pixel,
#' counted from 1; they become `xmin - 1, ymin - 1, xmax, ymax`. Other programs that write such files put edges there,
#' as labelImg does, though it leaves fractions off, and writes 1 for 0; these are read as they are. Files of the
#' challenge are told by their source, `The VOC2007 Database` or another year's; `first_pixel` says it for all files.
#' `write_boxes()` writes edges, with all their decimals, which labelImg takes; with `first_pixel = 1` it adds 1 to the
#' first two.
#'
#' @param path The file, or the folder, of the boxes. For `"voc"` also one XML file is read.
#' @param format One of the above. `NULL` tells it by what is there; for what is written, by the ending `.csv` or
#'   `.json`.
#' @param boxes A data frame as `read_boxes()` and [crop_app()] return it. `file` and the sides are needed, for other
#'   formats than `"csv"` also `height` and `width`, the images' size.
#' @param ... Must be empty: the other arguments are given by name.
#' @param images The folder of the images, or a data frame with `file`, `height` and `width`. YOLO's files know neither
#'   the images' endings nor their sizes, so `read_boxes()` looks for images beside the labels, or, for labels in a
#'   folder `labels`, in `images` beside it, if no others are given. `write_boxes()` reads sizes there that the boxes
#'   lack.
#' @param classes All classes, in the order of their numbers. `NULL` takes those that are there, sorted. A `classes.txt`
#'   that is there keeps its numbers: new classes come after those in it.
#' @param first_pixel For `"voc"`, what the number of the first pixel is, 0 or 1: see below. `NULL` goes by the files.
#' @returns `read_boxes()`: a data frame `file, x1, y1, x2, y2, label, height, width` with a row for each box: the
#'   image's name, from the folder on; sides in pixels; the class's name, empty for none; and the image's size, `NA`
#'   where it is not known. An image that is listed without boxes has one row with `NA` for the sides, as [loss_box()]
#'   takes boxes that are missing. `write_boxes()`: the path, invisibly. All is written beside its place first, so there
#'   is never half a file, and none where something is wrong; in a folder that is there, files of the same names are
#'   replaced.
#' @section Errors:
#' `kerascrop_error_box`: a file is broken, has a class or an image that there is not, declares
#' entities, or has boxes that are none: with some `NA`, reversed, without area, outside of their image; or sizes are
#' missing, or contradict each other; or a format cannot hold a name. The error says which file, and where in it.
#' `kerascrop_error_argument`: there is no such file, its format is not clear, or it cannot be written.
#' `rlib_error_package_not_found`: COCO's JSON needs the package jsonlite, VOC's XML xml2, `data.yaml` yaml.
#' @family boxes
#' @seealso [crop_app()] to draw boxes; [loss_box()] to teach them to a learnable crop.
#' @export
#' @examplesIf rlang::is_installed("jsonlite")
#' boxes <- data.frame(
#'   file = c("chelsea.jpg", "coffee.jpg"), x1 = c(119, 196), y1 = c(74, 30), x2 = c(215, 402), y2 = c(165, 250),
#'   label = c("eye", "cup"), height = c(300, 400), width = c(451, 600)
#' )
#' path <- tempfile(fileext = ".json")
#' write_boxes(boxes, path)
#' read_boxes(path)
read_boxes <- function(path, format = NULL, ..., images = NULL, first_pixel = NULL) {
  call <- rlang::current_env()
  check_no_dots(list(...), "{.arg images} and {.arg first_pixel} are given by name.")
  path <- as_path(path)
  if (!file.exists(path)) {
    kerascrop_abort("{.arg path} must be a file or a folder: there is no {.file {path}}.", "argument")
  }
  format <- or_null(as_choice)(format, names(annotation_formats)) %||% told_format(path, call)
  images <- or_null(image_sizes)(images)
  first_pixel <- or_null(as_first_pixel)(first_pixel)
  if (dir.exists(path) && format %in% c("csv", "coco")) {
    kerascrop_abort("{.arg path} must be a file for {.val {format}}: {.file {path}} is a folder.", "argument")
  }
  if (format == "csv") return(read_csv_boxes(path, "path", call))
  if (format == "coco") return(read_coco(path, "path", call))
  in_folder <- dir.exists(path)
  names <- if (in_folder) files_in(path, annotation_formats[[format]]) else basename(path)
  folder <- if (in_folder) path else dirname(path)
  if (!length(names)) {
    kerascrop_abort("{.arg path} must hold files of {.val {format}}: {.file {path}} has none.", "argument")
  }
  if (format == "voc") return(read_voc(names, folder, first_pixel, "path", call))
  read_yolo(names, folder, images, "path", call)
}

#' @rdname read_boxes
#' @export
write_boxes <- function(boxes, path, format = NULL, ..., classes = NULL, images = NULL, first_pixel = 0) {
  call <- rlang::current_env()
  check_no_dots(list(...), "{.arg classes}, {.arg images} and {.arg first_pixel} are given by name.")
  check_given(boxes, "box", "boxes", call)
  path <- as_path(path)
  format <- or_null(as_choice)(format, names(annotation_formats))
  first_pixel <- as_first_pixel(first_pixel)
  classes <- or_null(as_classes)(classes)
  images <- or_null(image_sizes)(images)
  table <- as_box_table(boxes, "boxes", call)
  format <- format %||% ending_format(path, call)
  in_folder <- !is.null(annotation_formats[[format]])
  check_place(path, in_folder, format, call)
  folder <- if (format == "yolo" && dir.exists(path)) path
  classes <- numbered_classes(table, classes, folder, format, call)
  if (format != "csv") table <- with_sizes(table, images, format, call)
  if (in_folder) check_own_files(unique(table$file), format, call)
  texts <- switch(format,
    csv = csv_text(table), coco = coco_text(table, classes, call), voc = voc_texts(table, first_pixel, "boxes", call),
    yolo = yolo_texts(table, classes, "boxes", call)
  )
  if (in_folder) write_folder(texts, path, call) else write_whole(charToRaw(enc2utf8(texts)), path, "path", call)
  invisible(path)
}

# The formats, and for those with a file for each image which files these are.
annotation_formats <- list(
  csv = NULL, coco = NULL, voc = function(name) is_voc_file(name), yolo = function(name) is_yolo_file(name)
)

as_path <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "argument", arg, call)
  if (is_string(x) && nzchar(x) && validEnc(x) && nchar(x) < 4000) return(as.vector(x))
  kerascrop_abort(c("{.arg {arg}} must be the path of a file or a folder.", x = "It is {shown(x)}."), "argument", call)
}

as_first_pixel <- function(x, arg = caller_arg(x), call = caller_env()) {
  if (is_number(x) && x %in% 0:1) return(as.double(x))
  kerascrop_abort(c("{.arg {arg}} must be 0 or 1.", x = "It is {shown(x)}."), "argument", call)
}

# The format of what is there.
told_format <- function(path, call) {
  if (!dir.exists(path)) {
    start <- bytes_in(path, "path", call, most = 1000)
    start <- start[start > 0x20 & start < 0x80][1] # behind spaces, and a byte order mark
    return(switch(rawToChar(start[!is.na(start)]), "{" = , "[" = "coco", "<" = "voc", "csv"))
  }
  there <- names(Filter(function(is_one) !is.null(is_one) && length(files_in(path, is_one)), annotation_formats))
  if (length(there) == 1) return(there)
  what <- if (length(there)) "both .xml and .txt files" else "neither .xml nor .txt files"
  kerascrop_abort("{.arg format} must be given: in {.file {path}} there are {what}.", "argument", call)
}

ending_format <- function(path, call) {
  format <- c(csv = "csv", json = "coco")[tolower(tools::file_ext(path))]
  if (!is.na(format)) return(unname(format))
  kerascrop_abort(c(
    "{.arg format} must be given where {.arg path} does not end in {.file .csv} or {.file .json}.",
    i = "It is one of {.or {.val {names(annotation_formats)}}}."
  ), "argument", call)
}

# Stops unless a path can become a folder, or a file.
check_place <- function(path, in_folder, format, call) {
  if (file.exists(path) && dir.exists(path) != in_folder) {
    what <- if (in_folder) "folder" else "file"
    kerascrop_abort("{.arg path} must be a {what} for {.val {format}}: {.file {path}} is none.", "argument", call)
  }
  if (!in_folder) return(check_writable(path, "path", call))
  place <- if (dir.exists(path)) path else dirname(path)
  if (dir.exists(place) && file.access(place, 2) == 0) return(invisible())
  kerascrop_abort("{.arg path} must be a folder that can be written: {.file {path}} cannot.", "argument", call)
}

# The classes in the order of their numbers; stops where boxes have others, or where numbers would change.
numbered_classes <- function(table, given, folder, format, call) {
  there <- unique(if (format == "csv") table$label[nzchar(table$label)] else classes_of(table)[!is_empty(table)])
  known <- if (!is.null(folder)) yolo_classes(folder, folder, "path", call, above = 0)
  if (is.null(given)) return(c(known, sort(setdiff(there, known), method = "radix")))
  if (!identical(utils::head(given, length(known)), as.character(known))) {
    kerascrop_abort(c(
      "{.arg classes} must begin with those of {.file {folder}}: else the files there would mean others.",
      x = "There they are {.val {known}}.", i = "Write into a new folder."
    ), "argument", call)
  }
  other <- setdiff(there, given)
  if (!length(other)) return(given)
  kerascrop_abort(c(
    "{.arg boxes} must have labels that are among {.arg classes}.", x = "{.val {other[1]}} is not."
  ), "box", call)
}

# Stops unless each image gets a file of its own, inside of the folder.
check_own_files <- function(files, format, call) {
  parts <- strsplit(gsub("\\", "/", files, fixed = TRUE), "/", fixed = TRUE)
  leads_out <- startsWith(files, "/") | endsWith(files, "/") | grepl("^[^/\\\\]*:", files) |
    vapply(parts, function(part) any(part %in% c("..", "")), NA)
  if (any(leads_out)) {
    kerascrop_abort(c(
      "For {.val {format}} {.arg boxes} must name images from a folder on.",
      x = "{.file {files[leads_out][1]}} leads out of it."
    ), "box", call)
  }
  stems <- tools::file_path_sans_ext(files)
  ending <- c(voc = ".xml", yolo = ".txt")[[format]]
  taken <- duplicated(stems) | !annotation_formats[[format]](paste0(stems, ending))
  if (!any(taken)) return(invisible())
  kerascrop_abort(c(
    "The files of {.val {format}} are named as the images are, but for the ending.",
    x = "{.file {files[taken][1]}} would have another's name."
  ), "box", call)
}

# ---- the images' sizes ---------------------------------------------------------------------------------------

# Two functions: `size()`, height and width of an image, NULL where that is not known; and `named()`, the images that
# have a name but for the ending.
image_sizes <- function(x, arg = caller_arg(x), call = caller_env()) {
  if (is_string(x) && dir.exists(x)) {
    files <- list.files(x, image_pattern, recursive = TRUE, ignore.case = TRUE)
    by_stem <- split(files, tools::file_path_sans_ext(files))
    return(list(
      size = function(file) open_sized(file.path(x, file), call)$size, named = function(stem) by_stem[[stem]]
    ))
  }
  fine <- is.data.frame(x) && all(c("file", "height", "width") %in% names(x)) && are_strings(x$file) &&
    is_whole(x$height) && is_whole(x$width) && all(x$height >= 1, x$width >= 1)
  if (!fine) {
    kerascrop_abort(c(
      "{.arg {arg}} must be a folder of images, or a data frame with the columns {.code file}, {.code height} and
       {.code width}.",
      x = "It is {shown(x)}."
    ), "argument", call)
  }
  known <- unique(x$file)
  stems <- tools::file_path_sans_ext(known)
  list(
    size = function(file) if (file %in% known) as.double(x[match(file, x$file), c("height", "width")]),
    named = function(stem) known[stems %in% stem]
  )
}

# The table, with the sizes that it lacks read from the images.
with_sizes <- function(table, images, format, call) {
  lacking <- unique(table$file[is.na(table$height)])
  if (!length(lacking)) return(table)
  for (file in lacking) {
    size <- if (!is.null(images)) images$size(file)
    if (is.null(size)) {
      stop_table(NULL, paste0(
        "For ", format, " the images' sizes are needed, but that of ", file, " is not known: give the columns ",
        "`height` and `width`, or `images`, the folder of the images"
      ), "boxes", call)
    }
    table[table$file == file, c("height", "width")] <- rep(as.integer(size), each = sum(table$file == file))
  }
  as_box_table(table, "boxes", call)
}

# ---- files of text -------------------------------------------------------------------------------------------

# The names of files, from a folder on, sorted; hidden ones are left out.
files_in <- function(folder, is_one) {
  names <- list.files(folder, recursive = TRUE)
  sort(names[is_one(names)], method = "radix")
}

bytes_in <- function(path, arg, call, most = file.size(path)) {
  if (dir.exists(path) || is_special(path)) {
    kerascrop_abort("{.arg {arg}} must be a regular file, not {.file {path}}.", "argument", call)
  }
  bytes <- tryCatch(readBin(path, "raw", most), error = function(error) NULL, warning = function(warning) NULL)
  if (!is.null(bytes)) return(bytes)
  kerascrop_abort("{.arg {arg}} cannot be read: {.file {path}}.", "argument", call)
}

# The text in a file, without a byte order mark.
text_in <- function(path, arg, call) {
  bytes <- bytes_in(path, arg, call)
  if (any(bytes == 0)) stop_table(path, "It is not text in UTF-8", arg, call)
  text <- rawToChar(bytes)
  Encoding(text) <- "UTF-8"
  if (!validUTF8(text)) stop_table(path, "It is not text in UTF-8", arg, call)
  sub("^\ufeff", "", text)
}

one_line <- function(text) gsub("[[:space:]]+", " ", sub("[.]?[[:space:]]*$", "", valid_text(text)))

# Writes files, text by their names, into a folder: all beside their places first, from where they take them.
write_folder <- function(texts, path, call) {
  is_new <- !dir.exists(path)
  beside <- tempfile(".kerascrop-", if (is_new) dirname(path) else path)
  on.exit(unlink(beside, recursive = TRUE))
  written <- tryCatch(
    {
      folders <- unique(file.path(beside, dirname(names(texts))))
      lapply(c(beside, folders), dir.create, showWarnings = FALSE, recursive = TRUE)
      Map(function(text, name) writeBin(charToRaw(enc2utf8(text)), file.path(beside, name)), texts, names(texts))
      if (is_new) file.rename(beside, path) else all(vapply(names(texts), move_file, NA, beside, path))
    },
    error = function(error) FALSE, warning = function(warning) FALSE
  )
  if (isTRUE(written)) return(invisible(path))
  kerascrop_abort(c("{.arg path} could not be written: {.file {path}}.", i = "Is the disk full?"), "argument", call)
}

move_file <- function(name, from, to) {
  place <- file.path(to, name)
  dir.create(dirname(place), showWarnings = FALSE, recursive = TRUE)
  if (file.exists(place)) place <- normalizePath(place) # a link stays one
  file.rename(file.path(from, name), place)
}
