# Boxes that somebody draws, kept in one CSV file. It is written as a whole, so it is never half of one, and a script
# can read it at any time.

# The rows that are there, and NULL where there is no file yet.
read_stored <- function(path, arg, call) if (file.exists(path)) read_csv_boxes(path, arg, call)

# All rows, with those of one image replaced.
replace_rows <- function(stored, file, rows) rbind(stored[!stored$file %in% file, ], rows)

# Writes the boxes of one image, and gives all that are there then. The file is read again before: another session may
# have written boxes of other images in the meantime.
store_boxes <- function(path, file, rows, call = caller_env()) {
  stored <- replace_rows(read_stored(path, "path", call) %||% no_boxes(), file, rows)
  write_whole(charToRaw(csv_text(stored)), path, "path", call)
  rownames(stored) <- NULL
  stored
}
