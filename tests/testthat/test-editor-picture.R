photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")

picture_of <- function(image) as_picture(image, "image", rlang::current_env())

# The pixels of a picture that is sent, as another reader sees them.
decoded <- function(picture) (if (picture$type == "image/png") png::readPNG else jpeg::readJPEG)(picture$bytes)

test_that("files that browsers show are sent as they are, and not decoded", {
  found <- picture_of(photo)
  expect_identical(found$picture$bytes, readBin(photo, "raw", 1e6))
  expect_identical(found$picture[c("type", "orientation")], list(type = "image/jpeg", orientation = 1))
  expect_identical(found[c("height", "width", "name")], list(height = 300, width = 451, name = "chelsea.jpg"))
})

test_that("arrays of any kind are sent as a picture of the same pixels", {
  skip_if_not_installed("png")
  x <- array(sample(0:255, 7 * 9 * 3, TRUE), c(7, 9, 3))
  raster <- grDevices::as.raster(x, max = 255)
  for (image in list(x, x / 255, array(as.raw(x), dim(x)), array(x, c(1, dim(x))), raster)) {
    found <- picture_of(image)
    expect_identical(found[c("height", "width", "name")], list(height = 7L, width = 9L, name = "Image"))
    expect_equal(decoded(found$picture)[, , 1:3], x / 255, tolerance = 1e-7)
  }
  grey <- matrix(sample(0:255, 63, TRUE), 7)
  expect_equal(decoded(picture_of(grey)$picture)[, , 2], grey / 255, tolerance = 1e-7)
})

test_that("a large array is sent reduced, and its size is the original's", {
  skip_if_not_installed("jpeg")
  x <- matrix(rep(seq(0, 1, length.out = 3000), each = 2000), 2000) # 6 million pixels, that get lighter to the right
  found <- picture_of(x)
  pixels <- decoded(found$picture)
  expect_identical(c(found$height, found$width), c(2000L, 3000L))
  expect_lte(prod(dim(pixels)[1:2]), most_shown * 1.01)
  expect_equal(dim(pixels)[2] / dim(pixels)[1], 3 / 2, tolerance = 1e-3)
  expect_equal(colMeans(pixels[, , 1]), seq(0, 1, length.out = ncol(pixels)), tolerance = 0.01)
})

test_that("what a photograph's EXIF says of how it lies goes with it, and its size is upright", {
  # An EXIF segment behind the start of the file: a little-endian TIFF with one entry, orientation 6.
  entry <- as.raw(c(0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0))
  tiff <- c(charToRaw("II"), as.raw(c(42, 0, 8, 0, 0, 0, 1, 0)), entry, as.raw(rep(0, 4)))
  part <- c(charToRaw("Exif"), as.raw(c(0, 0)), tiff)
  bytes <- readBin(photo, "raw", 1e6)
  file <- withr::local_tempfile(fileext = ".jpg")
  length <- as.raw(c(0, length(part) + 2))
  writeBin(c(bytes[1:2], as.raw(c(0xff, 0xe1)), length, part, bytes[-(1:2)]), file)
  found <- picture_of(file)
  expect_identical(c(found$height, found$width, found$picture$orientation), c(451, 300, 6))
  expect_identical(dim(image_array(file))[2:3], c(451L, 300L))
  expect_length(grepRaw(exif_name, found$picture$bytes, fixed = TRUE), 0) # or the browser would turn it once more
})

test_that("broken and hostile files are errors", {
  folder <- withr::local_tempdir()
  write <- function(name, bytes) {
    writeBin(bytes, file.path(folder, name))
    file.path(folder, name)
  }
  bytes <- readBin(photo, "raw", 1e6)
  svg <- write("a.svg", charToRaw("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))
  disguised <- write("a.jpg", charToRaw("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))
  half <- write("half.jpg", bytes[seq_len(length(bytes) / 2)])
  bomb <- bytes
  start <- grepRaw(as.raw(c(0xff, 0xc0)), bomb)
  bomb[start + 5:8] <- as.raw(0xff) # 65535 x 65535 pixels
  for (file in c(svg, disguised, half, write("bomb.jpg", bomb), write("empty.png", raw()))) {
    expect_error(picture_of(file), class = "kerascrop_error_argument")
  }
})
