# Damaged image files, read by R: numbers from 0 to 1, or an error that names the file.
#
#   Rscript tests/fuzz/images.R --cases 2000 --seed 1
#
# Each case spoils a small file: bytes that change, go, come twice or from another file, and sizes of gigapixels. A
# finding is any other error, numbers that are none, more memory than the largest image that is allowed takes, a call
# that takes longer than half a minute, or an end of R.

suppressPackageStartupMessages(library(kerascrop))

seconds <- 30 # that a call may take
most_pixels <- 1e6
most_memory <- 500 # megabytes beyond what the first files took

# ---- files ----

# Some of each format that can be written here, in many ways.
some_files <- function() {
  set.seed(1)
  pixels <- array(stats::runif(21 * 30 * 4), c(21, 30, 4))
  files <- list()
  if (requireNamespace("png", quietly = TRUE)) {
    for (n in 1:4) files[[paste0("png", n)]] <- png::writePNG(pixels[, , seq_len(n)])
  }
  if (requireNamespace("jpeg", quietly = TRUE)) {
    for (n in c(1, 3)) files[[paste0("jpeg", n)]] <- jpeg::writeJPEG(pixels[, , seq_len(n)], raw())
    exif <- c(
      as.raw(c(0xff, 0xe1, 0, 34)), charToRaw("Exif"), as.raw(c(0, 0)), charToRaw("MM"),
      as.raw(c(0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0))
    )
    files$turned <- c(files$jpeg3[1:2], exif, files$jpeg3[-(1:2)])
  }
  if (requireNamespace("magick", quietly = TRUE)) {
    image <- magick::image_read(files$png3)
    formats <- c("gif", "bmp", "tiff", "webp", "ppm", "jp2")
    files[formats] <- lapply(formats, function(format) magick::image_write(image, format = format))
    files$film <- magick::image_write(magick::image_join(image, magick::image_flip(image)), format = "gif")
    files$print <- magick::image_write(magick::image_convert(image, colorspace = "CMYK"), format = "jpeg")
    files$packed <- magick::image_write(magick::image_quantize(image, 8), format = "tiff", compression = "LZW")
  }
  files
}

number_bytes <- function(value, size) {
  bytes <- as.raw(value %/% 256^(seq_len(size) - 1) %% 256)
  if (stats::runif(1) < 0.5) rev(bytes) else bytes
}

one_of <- function(x) x[[sample.int(length(x), 1)]]

# A file with a fault or several, many of them near its start, where its sizes are.
spoilt <- function(bytes, files) {
  for (fault in sample(8, one_of(c(1, 1, 1, 2, 4)), replace = TRUE)) {
    length <- length(bytes)
    if (!length) return(bytes)
    at <- sample.int(min(length, one_of(c(32, 128, 1e6))), 1)
    upto <- function(n) seq(at, min(at + n - 1, length))
    switch(fault,
      bytes[at] <- as.raw(sample.int(256, 1) - 1),
      bytes[at] <- xor(bytes[at], as.raw(2^sample(0:7, 1))),
      bytes <- bytes[seq_len(at)],
      bytes <- bytes[-upto(one_of(c(1, 2, 8, 64)))],
      bytes <- append(bytes, bytes[upto(one_of(c(1, 4, 64)))], at - 1),
      {
        other <- one_of(files)
        bytes <- c(bytes[seq_len(at)], other[seq(sample.int(length(other), 1), length(other))])
      },
      {
        place <- upto(one_of(c(2, 4)))
        value <- one_of(c(0, 1, 127, 255, 32767, 65535, 65536, 2^31 - 1, 2^32 - 1))
        bytes[place] <- number_bytes(value, length(place))
      },
      bytes[upto(64)] <- as.raw(0)
    )
  }
  bytes
}

# ---- cases ----

# What is wrong with how a file is read; NULL if nothing is.
wrong_with <- function(file) {
  setTimeLimit(elapsed = seconds, transient = TRUE)
  on.exit(setTimeLimit())
  tryCatch(
    {
      pixels <- withCallingHandlers(
        image_array(file, max_pixels = most_pixels), warning = function(warning) invokeRestart("muffleWarning")
      )
      fine <- is.double(pixels) && length(dim(pixels)) == 4 && !anyNA(pixels) && all(pixels >= 0 & pixels <= 1)
      if (!fine) "numbers that are none from 0 to 1"
    },
    kerascrop_error = function(error) {
      if (!grepl(basename(file), conditionMessage(error), fixed = TRUE)) {
        paste("an error that does not name the file:", conditionMessage(error))
      }
    },
    error = function(error) paste(class(error)[1], conditionMessage(error))
  )
}

# Megabytes that this process had at most; NA where the system does not say.
peak <- function() {
  status <- tryCatch(readLines("/proc/self/status"), error = function(error) character())
  as.numeric(gsub("[^0-9]", "", grep("^VmHWM", status, value = TRUE))) / 1024
}

run_cases <- function(cases, seed) {
  files <- some_files()
  file <- tempfile("spoilt", fileext = ".image")
  findings <- list()
  read <- 0
  note <- function(kind, case) {
    kind <- gsub("[0-9]+", "0", kind)
    if (is.null(findings[[kind]])) cat("case ", case, ": ", kind, "\n", sep = "")
    findings[[kind]] <<- case
  }
  for (case in seq_len(cases)) {
    set.seed(seed * 1e6 + case)
    writeLines(paste("case", case), progress)
    writeBin(spoilt(one_of(files), files), file)
    problem <- wrong_with(file)
    if (!is.null(problem)) note(problem, case)
    if (case == 50) start <- peak()
    if (case > 50 && isTRUE(peak() - start > most_memory)) note("too much memory", case)
  }
  cat(cases, " cases of ", length(files), " files, seed ", seed, ". ", length(findings), " findings.\n", sep = "")
  length(findings) == 0
}

progress <- tempfile()

if (sys.nframe() == 0) {
  given <- commandArgs(TRUE)
  option <- function(name, default) {
    at <- match(paste0("--", name), given)
    if (is.na(at)) default else given[at + 1]
  }
  cases <- as.integer(option("cases", 2000))
  seed <- as.integer(option("seed", 1))
  progress <- option("progress", progress)
  if ("--progress" %in% given) quit(status = if (run_cases(cases, seed)) 0 else 1)
  # In a process of its own, as a file may end R.
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  status <- system2(file.path(R.home("bin"), "Rscript"), c(shQuote(script), shQuote(given), "--progress", progress))
  if (!status %in% 0:1) cat("R ended with status ", status, " in ", readLines(progress), ": 1 finding\n", sep = "")
  quit(status = as.integer(status != 0))
}
