# Pascal VOC's XML, a file for each image, in UTF-8. The numbers of a file count pixels: from 1 on, both ends included,
# in the data sets of the challenge, which say "VOC" of themselves; elsewhere, as labelImg writes them, they are edges
# from 0 on.

voc_corners <- c("xmin", "ymin", "xmax", "ymax")

is_voc_file <- function(name) grepl("[.]xml$", name, ignore.case = TRUE)

read_voc <- function(names, folder, first_pixel, arg, call) {
  rlang::check_installed("xml2", "to read Pascal VOC's XML.", call = call)
  images <- lapply(names, function(name) read_voc_file(name, folder, first_pixel, arg, call))
  files <- vapply(images, function(image) image$file[1], "")
  twice <- which(duplicated(files))[1]
  if (!is.na(twice)) {
    stop_table(file.path(folder, names[twice]), paste0(
      "It is of ", files[twice], ", as ", names[match(files[twice], files)], " is"
    ), arg, call)
  }
  table <- do.call(rbind, images)
  as_box_table(table, arg, call, folder, table$place)
}

read_voc_file <- function(name, folder, first_pixel, arg, call) {
  path <- file.path(folder, name)
  wrong <- function(...) stop_table(path, paste0(...), arg, call)
  bytes <- bytes_in(path, arg, call)
  # Entities, which may unfold without end, are declared there.
  if (length(grepRaw("<!DOCTYPE", bytes[bytes != 0], fixed = TRUE))) wrong("It declares a document type")
  if (!length(bytes)) wrong("It is empty")
  root <- tryCatch(xml2::read_xml(bytes, options = "NONET"), error = function(error) {
    wrong(one_line(conditionMessage(error)))
  })
  text <- function(path, of = root) xml2::xml_text(xml2::xml_find_first(of, path))
  number <- function(path, of = root) suppressWarnings(as.double(text(path, of)))
  file <- text("./filename")
  if (xml2::xml_name(root) != "annotation" || is.na(file) || !nzchar(file)) {
    wrong("It must have an <annotation> with a <filename>")
  }
  if (dirname(file) == "." && dirname(name) != ".") file <- paste0(dirname(name), "/", file)
  if (is.null(first_pixel)) {
    first_pixel <- grepl("^\\s*The VOC *[0-9]{4} Database\\s*$", text("./source/database"))
  }
  objects <- xml2::xml_find_all(root, "./object")
  sides <- lapply(paste0("./bndbox/", voc_corners), number, objects)
  label <- text("./name", objects)
  row <- which(is.na(label) | Reduce(`|`, lapply(sides, function(side) !is.finite(side))))[1]
  if (!is.na(row)) {
    wrong("object ", row, " must have a <name>, and a <bndbox> with numbers for ", toString(voc_corners))
  }
  size <- vapply(c("./size/height", "./size/width"), number, 0, USE.NAMES = FALSE)
  if (any(size %in% c(0, NA))) size <- c(NA, NA)
  if (!length(objects)) sides <- rep(list(NA_real_), 4)
  data.frame(
    file = file, x1 = sides[[1]] - first_pixel, y1 = sides[[2]] - first_pixel, x2 = sides[[3]], y2 = sides[[4]],
    label = if (length(objects)) label else "", height = size[1], width = size[2],
    place = paste("object", seq_along(sides[[1]]), "of", name)
  )
}

# The files of a table with sizes: text, by the files' names.
voc_texts <- function(table, first_pixel, arg, call) {
  escaped <- function(text) {
    wrong <- text[grepl("[\u0001-\u0008\u000b-\u001f]", text, perl = TRUE)][1]
    if (!is.na(wrong)) stop_table(NULL, paste("XML cannot hold all characters of", dQuote(wrong, FALSE)), arg, call)
    gsub(">", "&gt;", gsub("<", "&lt;", gsub("&", "&amp;", text, fixed = TRUE), fixed = TRUE), fixed = TRUE)
  }
  sides <- cbind(table$x1 + first_pixel, table$y1 + first_pixel, table$x2, table$y2)
  corners <- lapply(seq_along(voc_corners), function(i) {
    sprintf("<%s>%s</%s>", voc_corners[i], exact_numbers(sides[, i]), voc_corners[i])
  })
  objects <- sprintf(
    "  <object>
    <name>%s</name>
    <pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
    <bndbox>%s</bndbox>
  </object>\n", escaped(classes_of(table)), do.call(paste0, corners)
  )
  objects[is_empty(table)] <- ""
  files <- unique(table$file)
  first <- match(files, table$file)
  folders <- ifelse(dirname(files) == ".", "", dirname(files))
  texts <- sprintf(
    "<annotation>
  <folder>%s</folder>
  <filename>%s</filename>
  <source><database>Unknown</database></source>
  <size><width>%d</width><height>%d</height><depth>3</depth></size>
  <segmented>0</segmented>
%s</annotation>\n", escaped(folders), escaped(basename(files)), table$width[first], table$height[first],
    vapply(split(objects, factor(table$file, files)), paste, "", collapse = "")
  )
  rlang::set_names(texts, paste0(tools::file_path_sans_ext(files), ".xml"))
}
