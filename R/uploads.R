# Files that a browser sends: told by what they hold, bounded before anything is decoded, and kept under a name that is
# safe in a folder and on a page.

upload_bytes <- 100 * 2^20 # of one file
upload_pixels <- 1e8
folder_bytes <- 2 * 2^30 # of all files of one session

image_endings <- c(
  jpeg = "jpg", jpeg = "jpeg", jpeg = "jpe", jpeg = "jfif", png = "png", gif = "gif", bmp = "bmp", webp = "webp",
  tiff = "tif", tiff = "tiff", pnm = "pnm", pnm = "pbm", pnm = "pgm", pnm = "ppm", jp2 = "jp2", heif = "heic",
  heif = "heif", heif = "avif"
)

image_pattern <- paste0("[.](", paste(image_endings, collapse = "|"), ")$")

# Moves files, a data frame `name, datapath` as Shiny gives it, into a folder. Returns the names that they have there,
# and the problems of the others, as plain text.
take_uploads <- function(sent, folder) {
  taken <- problems <- character()
  for (i in seq_len(nrow(sent))) {
    result <- tryCatch(
      list(file = take_upload(sent$datapath[i], sent$name[i], folder)),
      # Not by the name that it has on the server.
      kerascrop_error = function(error) {
        list(problem = gsub(sent$datapath[i], safe_name(sent$name[i]), plain_message(error), fixed = TRUE))
      }
    )
    taken <- c(taken, result$file)
    problems <- c(problems, result$problem)
  }
  list(files = taken, problems = problems)
}

take_upload <- function(path, name, folder, call = NULL) {
  name <- safe_name(name)
  size <- file.size(path)
  if (isTRUE(size > upload_bytes)) {
    stop_file(name, paste0("It has more than ", format_bytes(upload_bytes), "."), call)
  }
  there <- list.files(folder, full.names = TRUE)
  if (isTRUE(sum(file.size(there), size) > folder_bytes)) {
    stop_file(name, paste0("All files together have more than ", format_bytes(folder_bytes), "."), call)
  }
  format <- open_sized(path, call, upload_pixels)$format
  name <- with_ending(name, format)
  same <- there[unname(tools::md5sum(there)) %in% tools::md5sum(path)]
  if (length(same)) {
    stop_file(name, paste0("The same picture is there already: ", basename(same[1]), "."), call, "is left out")
  }
  name <- new_name(name, basename(there))
  if (file.copy(path, file.path(folder, name))) return(name)
  stop_file(name, "It could not be kept: is the disk full?", call)
}

# As `open_image()`, of files that have to say how large they are: `size` is the height and width that viewers see.
open_sized <- function(path, call, max_pixels = largest_file) {
  file <- open_image(path, "path", call, max_pixels)
  size <- file$header$size
  if (length(size) != 2 || !isTRUE(all(size >= 1))) stop_file(path, "It does not say how large it is.", call)
  file$size <- if (isTRUE(file$header$orientation %in% 5:8)) rev(size) else size
  file
}

# A file's name without folders, or characters that mean something in a path, in HTML or on a terminal.
safe_name <- function(name) {
  name <- sub("^.*[/\\\\]", "", valid_text(enc2utf8(name)))
  name <- trimws(gsub("[[:cntrl:]<>:\"'`|?*&;$%\\\\]", "_", name))
  name <- sub("^[.]+", "", name)
  ending <- tools::file_ext(name)
  stem <- substr(tools::file_path_sans_ext(name), 1, 100)
  if (!nzchar(stem)) stem <- "image"
  if (nzchar(ending)) paste0(stem, ".", substr(ending, 1, 10)) else stem
}

# The name with an ending of its format: by the ending the file is found again.
with_ending <- function(name, format) {
  endings <- image_endings[names(image_endings) == format]
  if (tolower(tools::file_ext(name)) %in% endings) name else paste0(name, ".", endings[1])
}

# The name, or "name (2).jpg" where another file has it, in upper or lower case.
new_name <- function(name, taken) {
  stem <- tools::file_path_sans_ext(name)
  numbered <- c(name, sprintf("%s (%d).%s", stem, 1 + seq_along(taken), tools::file_ext(name)))
  numbered[!tolower(numbered) %in% tolower(taken)][1]
}

format_bytes <- function(bytes) format(structure(bytes, class = "object_size"), units = "auto", standard = "SI")
