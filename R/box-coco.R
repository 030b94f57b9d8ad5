# COCO's JSON: images, annotations and categories by number; boxes are `x, y, width, height` in pixels, from 0 on.

read_coco <- function(path, arg, call) {
  rlang::check_installed("jsonlite", "to read COCO's JSON.", call = call)
  wrong <- function(...) stop_table(path, paste0(...), arg, call)
  found <- tryCatch(
    jsonlite::parse_json(text_in(path, arg, call)), error = function(error) wrong(one_line(conditionMessage(error)))
  )
  parts <- c("images", "annotations", "categories")
  for (part in parts) {
    list <- if (is.list(found)) found[[part]]
    of_objects <- is.list(list) && is.null(names(list)) && all(vapply(list, is_json_object, NA))
    if (!of_objects) wrong("It must have a list ", dQuote(part, FALSE))
  }
  names <- json_ids(found$categories, "categories", "name", wrong)
  files <- json_ids(found$images, "images", "file_name", wrong)
  twice <- files[duplicated(files)]
  if (length(twice)) wrong("Two images have the name ", twice[1])
  at <- function(key, known) {
    number <- vapply(found$annotations, function(annotation) json_id(annotation[[key]]), "")
    row <- which(!number %in% known)[1]
    if (!is.na(row)) wrong("annotations[", row, "] has the ", key, " ", number[row], ", which there is not")
    match(number, known)
  }
  image <- at("image_id", names(files))
  category <- at("category_id", names(names))
  bbox <- vapply(found$annotations, function(annotation) json_box(annotation$bbox), double(4))
  row <- which(colSums(is.na(bbox)) > 0)[1]
  if (!is.na(row)) wrong("annotations[", row, "] must have a bbox of four numbers")
  bbox <- t(bbox)
  sides <- cbind(bbox[, 1:2, drop = FALSE], bbox[, 1:2, drop = FALSE] + bbox[, 3:4, drop = FALSE])
  # A corner plus a size may miss the other corner by its last bit: then the sides are stored as well.
  exact <- t(vapply(found$annotations, function(annotation) json_box(annotation$xyxy), double(4)))
  is_exact <- which(rowSums(abs(exact - sides) < 1e-6) == 4)
  sides[is_exact, ] <- exact[is_exact, ]
  crowd <- vapply(found$annotations, function(annotation) isTRUE(annotation$iscrowd == 1), NA)
  kept <- order(image)[!crowd[order(image)]]
  size <- lapply(rlang::set_names(c("height", "width")), function(side) {
    vapply(found$images, function(each) if (is_number(each[[side]])) as.double(each[[side]]) else NA_real_, 0)
  })
  none <- setdiff(seq_along(files), image[kept])
  row <- c(kept, rep(NA, length(none)))
  of <- c(image[kept], none)
  rows <- order(of)
  row <- row[rows]
  of <- of[rows]
  table <- data.frame(
    file = unname(files)[of], x1 = sides[row, 1], y1 = sides[row, 2], x2 = sides[row, 3], y2 = sides[row, 4],
    label = ifelse(is.na(row), "", unname(names)[category[row]]), height = size$height[of], width = size$width[of]
  )
  as_box_table(table, arg, call, path, ifelse(is.na(row), "the list of images", paste0("annotations[", row, "]")))
}

is_json_object <- function(x) is.list(x) && (!length(x) || !is.null(names(x)))

# An id, which is a number or a string, as text; "" for none.
json_id <- function(x) {
  if (is_string(x)) return(paste0('"', x, '"'))
  if (is_number(x)) format(x, digits = 17) else ""
}

json_box <- function(x) {
  fine <- is.list(x) && length(x) == 4 && all(vapply(x, is_number, NA))
  if (fine) as.double(unlist(x)) else rep(NA_real_, 4)
}

# The names of images or categories, by their ids.
json_ids <- function(parts, what, key, wrong) {
  ids <- vapply(parts, function(part) json_id(part$id), "")
  names <- vapply(parts, function(part) if (is_string(part[[key]])) part[[key]] else NA_character_, "")
  row <- which(!nzchar(ids) | is.na(names) | duplicated(ids))[1]
  if (!is.na(row)) wrong(what, "[", row, "] must have an id of its own, and a ", key)
  rlang::set_names(names, ids)
}

# The text of a table, with sizes; classes are numbered from 1 on.
coco_text <- function(table, classes, call) {
  rlang::check_installed("jsonlite", "to write COCO's JSON.", call = call)
  quoted <- function(x) vapply(x, function(x) jsonlite::toJSON(x, auto_unbox = TRUE), "", USE.NAMES = FALSE)
  files <- unique(table$file)
  first <- match(files, table$file)
  rows <- table[!is_empty(table), ]
  size <- cbind(rows$x2 - rows$x1, rows$y2 - rows$y1)
  joined <- function(...) do.call(paste, c(lapply(list(...), exact_numbers), sep = ", "))
  inexact <- rows$x1 + size[, 1] != rows$x2 | rows$y1 + size[, 2] != rows$y2
  xyxy <- ifelse(inexact, paste0(', "xyxy": [', joined(rows$x1, rows$y1, rows$x2, rows$y2), "]"), "")
  of_lines <- function(name, lines) paste0('"', name, '": [\n', paste(lines, collapse = ",\n"), "\n]")
  paste0("{\n", paste(sep = ",\n", of_lines("images", sprintf(
    '{"id": %d, "file_name": %s, "width": %d, "height": %d}', seq_along(files), quoted(files), table$width[first],
    table$height[first]
  )), of_lines("annotations", sprintf(
    '{"id": %d, "image_id": %d, "category_id": %d, "bbox": [%s], "area": %s, "iscrowd": 0%s}', seq_len(nrow(rows)),
    match(rows$file, files), match(classes_of(rows), classes), joined(rows$x1, rows$y1, size[, 1], size[, 2]),
    exact_numbers(size[, 1] * size[, 2]), xyxy
  )), of_lines("categories", sprintf('{"id": %d, "name": %s}', seq_along(classes), quoted(classes)))), "\n}\n")
}
