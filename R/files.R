# Image files as arrays `(height, width, channels)`, or matrices, of numbers from 0 to 1, as viewers show them: upright,
# the first picture of several. What a file holds is told by how it begins, not by its name. The packages png and jpeg
# read what they read rightly, with all bits; magick reads the rest.

largest_file <- 2^29 %/% 3 # pixels, as in Python

read_image <- function(path, arg, call, orient = TRUE, max_pixels = largest_file) {
  file <- open_image(path, arg, call, max_pixels)
  pixels <- in_file(path, call, {
    light <- intersect(file$format, c(if (!isTRUE(file$header$channels == 4)) "jpeg", "png"))
    if (length(light) && (rlang::is_installed(light) || !rlang::is_installed("magick"))) {
      rlang::check_installed(light, "to read this image.", call = call)
      check_end(light, file$bytes)
      # Not from the bytes: with half a PNG file in them, readPNG() would write outside of its memory.
      getExportedValue(light, if (light == "jpeg") "readJPEG" else "readPNG")(path)
    } else {
      rlang::check_installed("magick", "to read this image.", call = call)
      read_magick(file$bytes)
    }
  })
  if (orient) upright(pixels, file$header$orientation) else pixels
}

# What a file holds, before its pixels are read: its format, bytes and header.
open_image <- function(path, arg, call, max_pixels = largest_file) {
  check_file(path, arg, call)
  # Pipes and devices have no size: to open one would wait for what never comes.
  if (!isTRUE(file.size(path) > 0)) stop_file(path, "It is empty, or not a regular file.", call)
  format <- file_format(readBin(path, "raw", 32))
  if (is.null(format)) stop_file(path, "It does not start like one.", call, must = "must be an image file")
  bytes <- readBin(path, "raw", file.size(path))
  header <- in_file(path, call, {
    header <- file_header(format, bytes)
    if (isTRUE(prod(header$size) > max_pixels)) {
      stop("It has ", paste(rev(header$size), collapse = " x "), " pixels, more than ", format(max_pixels), ".")
    }
    header
  })
  list(format = format, bytes = bytes, header = header)
}

# Code that reads a file: what stops it is an error that names the file.
in_file <- function(path, call, code) {
  tryCatch(code, error = function(error) {
    if (inherits(error, "rlib_error_package_not_found")) stop(error)
    stop_file(path, conditionMessage(error), call)
  })
}

stop_file <- function(path, problem, call, must = "cannot be read") {
  problem <- shortened(valid_text(problem), 1000)
  kerascrop_abort(c(paste("{.file {path}}", paste0(must, ".")), x = "{problem}"), "argument", call)
}

check_file <- function(path, arg, call) {
  there <- is_string(path) && suppressWarnings(file.exists(path)) # it warns of very long ones
  if (there && !dir.exists(path)) return(invisible())
  path <- shortened(valid_text(path), 1000) # cli looks for the file, and would warn
  kerascrop_abort(c(
    "{.arg {arg}} must be images, or the path of an image file.",
    x = if (there) "{.file {path}} is a folder." else "There is no file {.file {path}}.",
    i = if (grepl("^(https?|ftp)://", path)) "Download it first, or read it with {.code magick::image_read()}."
  ), "argument", call)
}

# The name of a format, by the bytes that a file starts with; NULL for none that is read.
file_format <- function(start) {
  starts <- function(bytes, at = 1) identical(start[at - 1 + seq_along(bytes)], bytes)
  text <- function(letters, at = 1) starts(charToRaw(letters), at)
  if (starts(as.raw(c(0xff, 0xd8, 0xff)))) return("jpeg")
  if (starts(as.raw(0x89)) && text("PNG\r\n\032\n", 2)) return("png")
  if (text("GIF8")) return("gif")
  if (text("BM")) return("bmp")
  if (text("RIFF") && text("WEBP", 9)) return("webp")
  if (any(vapply(tiff_starts, starts, NA))) return("tiff")
  if (text("P") && start[2] %in% charToRaw("123456")) return("pnm")
  if (text("jP  ", 5) || starts(as.raw(c(0xff, 0x4f, 0xff, 0x51)))) return("jp2")
  if (text("ftyp", 5)) return("heif") # and AVIF
}

tiff_starts <- list(as.raw(c(0x49, 0x49, 0x2a, 0)), as.raw(c(0x4d, 0x4d, 0, 0x2a)))

# What a file says of itself: `size`, height and width; `orientation`, EXIF's number; and of a JPEG how many channels
# it has. What is not known is left out.
file_header <- function(format, bytes) {
  size <- function(...) list(size = c(...))
  switch(format,
    jpeg = jpeg_header(bytes),
    png = c(size(number(bytes, 21, 4), number(bytes, 17, 4)), exif(bytes, charToRaw("eXIf"))),
    gif = size(number(bytes, 9, 2, "little"), number(bytes, 7, 2, "little")),
    bmp = size(bmp_size(bytes)),
    webp = webp_header(bytes),
    tiff = tiff_header(bytes),
    pnm = size(pnm_size(bytes)),
    jp2 = size(named_size(bytes, "ihdr")),
    heif = size(rev(named_size(bytes, "ispe", 4)))
  )
}

# An unsigned number of some bytes; NA behind the end.
number <- function(bytes, at, size, endian = "big") {
  if (!isTRUE(at - 1 + size <= length(bytes))) return(NA_real_)
  digits <- as.integer(bytes[at - 1 + seq_len(size)])
  sum(256^(if (endian == "big") rev(seq_len(size)) - 1 else seq_len(size) - 1) * digits)
}

# The markers of a JPEG up to its pixels. Bytes between them are skipped, as decoders do.
jpeg_header <- function(bytes) {
  header <- list()
  at <- 3
  while (length(at <- grepRaw(as.raw(0xff), bytes, at, fixed = TRUE)) && at + 3 <= length(bytes)) {
    marker <- as.integer(bytes[at + 1])
    at <- at + 1
    if (marker %in% c(0, 0xff)) next # one that is none, and one that fills
    if (marker == 0xda) break
    if (marker %in% c(1, 0xd0:0xd9)) next # without a length
    length <- number(bytes, at + 1, 2)
    if (marker %in% setdiff(0xc0:0xcf, c(0xc4, 0xc8, 0xcc))) {
      header$size <- c(number(bytes, at + 4, 2), number(bytes, at + 6, 2))
      header$channels <- number(bytes, at + 8, 1)
    } else if (marker == 0xe1 && length > 2 && is.null(header$orientation)) {
      part <- bytes[seq(at + 3, min(at + length, length(bytes)))]
      header$orientation <- exif(part, exif_name)$orientation %||% xmp_orientation(part)
    }
    at <- at + 1 + length
  }
  if (is.null(header$size)) stop("It does not say how large it is.")
  header
}

# Orientation in XMP's text, which some programs write instead of EXIF.
xmp_orientation <- function(part) {
  at <- grepRaw("tiff:Orientation(=\"|>)[1-8]", part)
  if (length(at)) as.integer(rawToChar(part[at + 18]))
}

# The orientation in EXIF data, which stand right behind some bytes: a name, such as "eXIf".
exif <- function(bytes, name) {
  for (start in tiff_starts) {
    at <- grepRaw(c(name, start), bytes, fixed = TRUE)
    if (length(at)) return(tiff_header(bytes[seq(at + length(name), length(bytes))])["orientation"])
  }
}

# A WebP names its EXIF data, then gives their length; some programs write a JPEG's name there as well.
webp_header <- function(bytes) {
  at <- grepRaw("EXIF", bytes, fixed = TRUE)
  orientation <- if (length(at) && at + 7 <= length(bytes)) exif(bytes, bytes[at + 0:7]) %||% exif(bytes, exif_name)
  size <- switch(rawToChar(bytes[13:16][bytes[13:16] != 0]),
    VP8X = 1 + c(number(bytes, 28, 3, "little"), number(bytes, 25, 3, "little")),
    VP8L = 1 + c(number(bytes, 22, 4, "little") %/% 2^14, number(bytes, 22, 2, "little")) %% 2^14,
    c(number(bytes, 29, 2, "little"), number(bytes, 27, 2, "little")) %% 2^14
  )
  c(list(size = size), orientation)
}

# The largest size that JPEG 2000, or HEIC and AVIF, announce: two numbers behind a name.
named_size <- function(bytes, name, gap = 0) {
  sizes <- lapply(grepRaw(name, bytes, fixed = TRUE, all = TRUE) + nchar(name) + gap, function(at) {
    c(number(bytes, at, 4), number(bytes, at + 4, 4))
  })
  if (length(sizes)) sizes[[order(-vapply(sizes, prod, 0))[1]]]
}

# Of the first kind of BMP these are two bytes each; a negative height says that rows run downwards.
bmp_size <- function(bytes) {
  each <- if (identical(number(bytes, 15, 4, "little"), 12)) 2 else 4
  sizes <- c(number(bytes, 19 + each, each, "little"), number(bytes, 19, each, "little"))
  if (each == 4) pmin(sizes, 2^32 - sizes) else sizes
}

# The sizes of PNM files are text, in which there may be comments.
pnm_size <- function(bytes) {
  text <- rawToChar(utils::head(bytes[bytes != 0], 1000))
  gap <- "(?:\\s|#[^\n]*\n)+"
  numbers <- regmatches(text, regexec(paste0("^P[1-6]", gap, "(\\d+)", gap, "(\\d+)"), text, perl = TRUE))[[1]]
  as.double(numbers[3:2])
}

exif_name <- c(charToRaw("Exif"), as.raw(c(0, 0)))

# The entries of a TIFF's first directory that say how its pixels lie. EXIF data are such a file without pixels.
tiff_header <- function(bytes) {
  endian <- if (bytes[1] == 0x49) "little" else "big"
  start <- number(bytes, 5, 4, endian) + 1
  count <- number(bytes, start, 2, endian)
  entries <- if (is.na(count)) numeric() else start + 2 + 12 * (seq_len(min(count, 1000)) - 1)
  tags <- vapply(entries, function(at) number(bytes, at, 2, endian), 0)
  tag <- function(which) {
    at <- entries[match(which, tags)]
    value <- number(bytes, at + 8, if (identical(number(bytes, at + 2, 2, endian), 4)) 4 else 2, endian)
    # More than one value, or two, is elsewhere.
    if (!is.na(value) && isTRUE(number(bytes, at + 4, 4, endian) <= 2)) value
  }
  if (isTRUE(tag(0x153) == 3) || isTRUE(tag(0x102) > 16)) stop("It has real numbers, or more than 16 bits.")
  list(size = c(tag(0x101), tag(0x100)), orientation = tag(0x112))
}

# libjpeg, and browsers, make up what is missing, so a file has to have its end.
check_end <- function(format, bytes) {
  end <- if (format == "jpeg") as.raw(c(0xff, 0xd9)) else charToRaw("IEND")
  if (!length(grepRaw(end, bytes, fixed = TRUE))) stop("The end of the file is missing.")
}

# The first picture of any other file. PAM is what magick writes with all bits, and without compressing.
read_magick <- function(bytes) {
  x <- magick::image_read(bytes)[1]
  is_shown <- magick::image_info(x)$colorspace %in% c("sRGB", "RGB", "Gray")
  if (!is_shown) x <- magick::image_convert(x, colorspace = "sRGB")
  pam <- magick::image_write(x, format = "pam", depth = 16)
  start <- grepRaw("ENDHDR\n", pam, fixed = TRUE) + 7
  header <- strsplit(strsplit(rawToChar(pam[seq_len(start - 1)]), "\n")[[1]], " ")
  header <- stats::setNames(as.list(vapply(header, `[`, "", 2)), vapply(header, `[`, "", 1))
  header <- lapply(header[c("DEPTH", "WIDTH", "HEIGHT", "MAXVAL")], as.double)
  size <- if (header$MAXVAL > 255) 2 else 1
  pixels <- readBin(pam[start:length(pam)], "integer", length(pam), size, signed = FALSE, endian = "big")
  pixels <- aperm(array(pixels / header$MAXVAL, c(header$DEPTH, header$WIDTH, header$HEIGHT)), 3:1)
  if (header$DEPTH == 1) dim(pixels) <- dim(pixels)[1:2]
  pixels
}

# Rows and columns as the viewer sees them, of an image that lies in its file as EXIF's number says: they are exchanged
# from 5 on, then reversed.
upright <- function(pixels, number) {
  if (is.null(number) || !number %in% 2:8) return(pixels)
  shape <- dim(pixels)
  dim(pixels) <- c(shape[1:2], prod(shape[-(1:2)]))
  if (number > 4) pixels <- aperm(pixels, c(2, 1, 3))
  turn <- (number - 1) %% 4
  rows <- seq_len(dim(pixels)[1])
  cols <- seq_len(dim(pixels)[2])
  pixels <- pixels[if (turn %in% 2:3) rev(rows) else rows, if (turn %in% 1:2) rev(cols) else cols, , drop = FALSE]
  dim(pixels) <- c(dim(pixels)[1:2], shape[-(1:2)])
  pixels
}
