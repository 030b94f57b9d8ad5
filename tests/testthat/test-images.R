test_that("every kind of image comes back as what it was", {
  grey <- matrix(1:20, 4, 5)
  expect_identical(without_boxes(crop_center(grey, 2, 3)), grey[2:3, 2:4])
  colour <- some_images(c(4, 5, 3))
  expect_identical(without_boxes(crop_center(colour, 2, 3)), colour[2:3, 2:4, ])
  features <- some_images(c(2, 4, 5, 64))
  expect_identical(without_boxes(crop_center(features, 2, 3)), features[, 2:3, 2:4, ])
})

test_that("the shipped photographs are read by their path", {
  skip_if_not_installed("jpeg")
  cat <- crop_center(system.file("extdata", "chelsea.jpg", package = "kerascrop"), 200, 200)
  expect_identical(dim(cat), c(200L, 200L, 3L))
  expect_true(min(cat) >= 0 && max(cat) <= 1 && sd(cat) > 0.05)
})

test_that("a file that is no image, or only the start of one, is named", {
  skip_if_not_installed("jpeg")
  photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
  cut <- withr::local_tempfile(fileext = ".jpg")
  writeBin(readBin(photo, "raw", 300), cut)
  expect_error(crop_center(cut, 10, 10), basename(cut), class = "kerascrop_error_argument")
  writeBin(readBin(photo, "raw", 20000), cut)
  expect_error(crop_center(cut, 10, 10), "end of the file", class = "kerascrop_error_argument")
  text <- withr::local_tempfile(lines = "no image", fileext = ".png")
  expect_error(crop_center(text, 10, 10), "image file", class = "kerascrop_error_argument")
  empty <- withr::local_tempfile(lines = character(), fileext = ".png")
  expect_error(crop_center(empty, 10, 10), class = "kerascrop_error_argument")
  expect_error(crop_center("nowhere.png", 10, 10), "nowhere.png", class = "kerascrop_error_argument")
  expect_error(crop_center(tempdir(), 10, 10), class = "kerascrop_error_argument")
})

test_that("what is no image is told apart", {
  expect_error(crop_center(1:10, 2, 2), class = "kerascrop_error_shape")
  expect_error(crop_center(array(0, 2:6), 2, 2), class = "kerascrop_error_shape")
  expect_error(crop_center(list(1), 2, 2), class = "kerascrop_error_shape")
  expect_error(crop_center(data.frame(a = 1:3), 2, 2), class = "kerascrop_error_shape")
  expect_error(crop_center(NULL, 2, 2), class = "kerascrop_error_shape")
  expect_error(crop_center(array(0, c(100, 28, 28)), 2, 2), class = "kerascrop_error_shape")
  expect_error(crop_center(array(0, c(3, 0, 5, 1)), 2, 2), class = "kerascrop_error_shape")
  expect_snapshot(error = TRUE, {
    crop_center(1:10, 2, 2)
    crop_center(array(0, c(100, 28, 28)), 2, 2)
    crop_center(matrix(0, 4, 5), 5, 5)
    crop_border(matrix(0, 4, 5), 2)
    crop_boxes(array(0, c(2, 4, 5, 1)), rbind(1:4, 1:4, 1:4) + c(0, 0, 0))
  })
})

# Images of imager, which is not needed for them.
as_cimg <- function(x) structure(x, class = c("cimg", "imager_array", "numeric"))

test_that("rasters come back as rasters, with the same colours", {
  colours <- matrix(grDevices::hsv(seq(0, 0.9, length.out = 20)), 4, 5)
  x <- grDevices::as.raster(colours)
  expect_identical(without_boxes(crop_center(x, 2, 3)), grDevices::as.raster(colours[2:3, 2:4]))
  expect_identical(uncrop(crop_multi(x, 2, 2, "grid")), x)
  expect_identical(uncrop(crop_border(x, 1)), uncrop(crop_center(x, 2, 3)))
  expect_identical(as.matrix(crop_border(x, c(0, -1)))[, 1], rep("#000000", 4))
  tiles <- crop_multi(x, 2, 2, "five")
  expect_length(tiles, 5)
  expect_identical(tiles[[4]], grDevices::as.raster(colours[3:4, 4:5]))
  again <- crop_center(without_boxes(tiles), 1, 2)
  expect_identical(again[[4]], grDevices::as.raster(colours[3, 4:5, drop = FALSE]))
  expect_identical(without_boxes(crop_multi(x, 4, 5, "ten"))[[6]], grDevices::as.raster(colours[, 5:1]))
  # opacity stays; it is a channel only where there is some
  clear <- grDevices::as.raster(matrix(c("#FF000080", "#00FF00FF"), 2, 2))
  expect_identical(as.matrix(crop_center(clear, 1, 1)), matrix("#FF000080"))
  expect_error(crop_center(list(x, clear), 1, 1), "same size", class = "kerascrop_error_shape")
  expect_error(crop_center(list(x, colours), 1, 1), class = "kerascrop_error_shape")
  expect_error(crop_border(x, -1, fill_value = 0.5), "fill_value", class = "kerascrop_error_argument")
})

test_that("cimg images come back as such, with rows and columns where imager has them", {
  pixels <- some_images(c(12, 9, 2, 3)) # x, y, z, channels
  x <- as_cimg(pixels)
  y <- crop_center(x, 4, 6)
  expect_identical(class(y), class(x))
  expect_identical(as.vector(y), as.vector(pixels[4:9, 3:6, , ]))
  expect_identical(dim(crop_multi(as_cimg(pixels[, , 1, , drop = FALSE]), 4, 6)), c(6L, 4L, 5L, 3L))
  expect_identical(uncrop(crop_multi(x, 3, 4, "grid")), x)
  mask <- structure(pixels > 300, class = c("pixset", "imager_array", "logical"))
  expect_identical(class(crop_border(mask, 1)), class(mask))
  box <- boxes_from_masks(structure(array(c(rep(FALSE, 30), TRUE), c(31, 1, 1, 1)), class = class(mask)))
  expect_identical(as.vector(box), c(30, 0, 31, 1))
  skip_without_python()
  expect_identical(class(crop_boxes(mask, c(0.5, 0, 4, 4), 2, 2)), class(x))
})

test_that("magick images come back as such, frame by frame", {
  skip_if_not_installed("magick")
  skip_if_not_installed("jpeg")
  photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
  x <- magick::image_read(photo)
  bytes <- function(image, ...) as.integer(magick::image_data(image, ...))
  y <- crop_center(x, 100, 200)
  expect_s3_class(y, "magick-image")
  expect_identical(bytes(y), bytes(x)[101:200, 126:325, ])
  expect_identical(attr(y, "boxes")[1, ], c(x1 = 125, y1 = 100, x2 = 325, y2 = 200))
  expect_identical(bytes(uncrop(crop_multi(x, 100, 200, "grid"))), bytes(x))
  both <- magick::image_join(x, magick::image_flip(x))
  tiles <- crop_multi(both, 100, 200, "ten")
  expect_length(tiles, 20)
  expect_identical(bytes(tiles[11]), bytes(magick::image_flip(x))[1:100, 1:200, ])
  expect_identical(bytes(tiles[16]), bytes(magick::image_flip(x))[1:100, 200:1, ])
  # grey images, and those with opacity
  grey <- magick::image_convert(x, colorspace = "gray")
  expect_identical(bytes(crop_center(grey, 10, 20), "gray"), bytes(grey, "gray")[146:155, 216:235, , drop = FALSE])
  clear <- magick::image_transparent(x, "white", fuzz = 60)
  expect_identical(bytes(crop_border(clear, 50), "rgba"), bytes(clear, "rgba")[51:250, 51:401, ])
  expect_error(crop_center(c(x, magick::image_scale(x, "50")), 5, 5), "same size", class = "kerascrop_error_shape")
  expect_error(crop_center(magick::image_read(character()), 5, 5), class = "kerascrop_error")
  skip_without_python()
  half <- crop_boxes(x, c(0, 0, 451, 300), 150, 225, antialias = TRUE)
  expect_equal(bytes(half), without_boxes(round(crop_boxes(bytes(x), c(0, 0, 451, 300), 150, 225, antialias = TRUE))))
})

test_that("a PNG file is read as the numbers that were written", {
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png")
  for (channels in list(NULL, 2, 3, 4)) {
    x <- array(sample(0:255, 20 * prod(channels), TRUE) / 255, c(4, 5, channels))
    png::writePNG(x, file)
    expect_equal(without_boxes(crop_border(file, 0)), x, tolerance = 1e-12)
  }
})

test_that("image_array() makes a batch of numbers from 0 to 1 of any kind of image", {
  skip_if_not_installed("png")
  bytes <- array(sample(0:255, 60, TRUE), c(4, 5, 3))
  batch <- array(bytes / 255, c(1, 4, 5, 3))
  files <- c(withr::local_tempfile(fileext = ".png"), withr::local_tempfile(fileext = ".png"))
  png::writePNG(bytes / 255, files[1])
  png::writePNG(1 - bytes / 255, files[2])
  raster <- grDevices::as.raster(bytes, max = 255)
  cimg <- as_cimg(aperm(array(bytes / 255, c(4, 5, 1, 3)), c(2, 1, 3, 4)))
  raw <- array(as.raw(bytes), dim(bytes))
  for (x in list(bytes / 255, batch, files[1], raster, cimg, raw)) {
    expect_equal(image_array(x), batch, tolerance = 1e-12)
  }
  both <- image_array(files)
  expect_equal(both[1, , , ], bytes / 255, tolerance = 1e-12)
  expect_equal(both[2, , , ], 1 - bytes / 255, tolerance = 1e-12)
  expect_identical(image_array(bytes)[1, , , ], bytes) # of numbers, one cannot know
  expect_identical(image_array(bytes[, , 1])[1, , , 1], bytes[, , 1])
  png::writePNG(bytes[1:3, , 1] / 255, files[2])
  expect_error(image_array(files), "same size", class = "kerascrop_error_shape")
  expect_error(image_array(c(files, "nowhere.png")), "nowhere.png", class = "kerascrop_error_argument")
  expect_error(image_array(), class = "kerascrop_error_shape")
  expect_error(image_array(character()), class = "kerascrop_error_shape")
  skip_if_not_installed("magick")
  frames <- magick::image_read(c(files[1], files[1]))
  expect_equal(image_array(frames)[2, , , ], bytes / 255, tolerance = 1e-12)
})

test_that("image_array() takes a list of images of any kinds, one image each", {
  bytes <- array(sample(0:255, 60, TRUE), c(4, 5, 3))
  raster <- grDevices::as.raster(bytes, max = 255)
  cimg <- as_cimg(aperm(array(bytes / 255, c(4, 5, 1, 3)), c(2, 1, 3, 4)))
  images <- list(bytes / 255, raster, cimg, array(as.raw(bytes), dim(bytes)), array(bytes / 255, c(1, 4, 5, 3)))
  y <- image_array(images)
  expect_identical(dim(y), c(5L, 4L, 5L, 3L))
  for (i in seq_along(images)) expect_equal(y[i, , , ], bytes / 255, tolerance = 1e-12)
  grey <- image_array(list(bytes[, , 1], bytes[, , 2]))
  expect_identical(grey[1, , , 1], bytes[, , 1])
  expect_identical(grey[2, , , 1], bytes[, , 2])
  skip_if_not_installed("jpeg")
  files <- system.file("extdata", c("chelsea.jpg", "coffee.jpg"), package = "kerascrop")
  y <- image_array(lapply(files, crop_center, 30, 40))
  for (i in 1:2) expect_identical(y[i, , , ], without_boxes(crop_center(files[i], 30, 40)))
  expect_snapshot(error = TRUE, {
    image_array(as.list(files))
    image_array(list(bytes, bytes[, -1, ]))
    image_array(list(bytes, array(0, c(2, 4, 5, 3))))
    image_array(list(bytes, "nowhere.png"))
    image_array(list())
  })
})

test_that("half a PNG file is an error, a JPEG file in the colours of print is none", {
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png")
  png::writePNG(array(runif(60 * 80 * 3), c(60, 80, 3)), file)
  whole <- readBin(file, "raw", file.size(file))
  for (part in c(8, 40, length(whole) %/% 2, length(whole) - 20)) {
    writeBin(whole[seq_len(part)], file)
    expect_error(crop_center(file, 10, 10), basename(file), class = "kerascrop_error_argument")
  }
  skip_if_not_installed("magick")
  photo <- magick::image_read(system.file("extdata", "chelsea.jpg", package = "kerascrop"))
  print <- withr::local_tempfile(fileext = ".jpg")
  magick::image_write(magick::image_convert(photo, colorspace = "CMYK"), print, format = "jpeg")
  expect_lt(max(abs(image_array(print) - image_array(magick::image_read(print)))), 0.51 / 255)
})

# An image of each number of channels, of numbers from 0 to 1.
channelled <- function(n) array(runif(20 * n), c(4, 5, n))

test_that("channels are made to order", {
  grey <- channelled(1)
  clear_grey <- channelled(2)
  colour <- channelled(3)
  clear <- channelled(4)
  to <- function(x, channels, ...) image_array(x, channels, ...)[1, , , ]
  luma <- function(x) x[, , 1] * 19595 / 2^16 + x[, , 2] * 38470 / 2^16 + x[, , 3] * 7471 / 2^16
  opaque <- matrix(1, 4, 5)
  threefold <- function(x) array(x[, , 1], c(4, 5, 3))
  over <- function(x, background) {
    opacity <- x[, , dim(x)[3]]
    sapply(1:3, function(i) x[, , if (dim(x)[3] == 4) i else 1] * opacity + background[i] * (1 - opacity),
           simplify = "array")
  }
  expect_equal(to(grey, 3), threefold(grey))
  expect_equal(to(grey, 4), array(c(threefold(grey), opaque), c(4, 5, 4)))
  expect_equal(to(clear_grey, 4), array(c(threefold(clear_grey), clear_grey[, , 2]), c(4, 5, 4)))
  expect_equal(to(clear_grey, 3), over(clear_grey, c(1, 1, 1)))
  expect_equal(to(clear_grey, 1), over(clear_grey, c(1, 1, 1))[, , 1])
  expect_equal(to(colour, 1), luma(colour))
  expect_equal(to(colour, 4), array(c(colour, opaque), c(4, 5, 4)))
  expect_equal(to(clear, 3), over(clear, c(1, 1, 1)))
  expect_equal(to(clear, 3, background = "red"), over(clear, c(1, 0, 0)))
  expect_equal(to(clear, 1, background = "black"), luma(over(clear, c(0, 0, 0))))
  for (x in list(grey, clear_grey, colour, clear)) expect_identical(to(x, NULL), image_array(x)[1, , , ])
  # bytes, in numbers and in crops, which keep their kind
  bytes <- round(clear * 255)
  expect_equal(to(bytes, 3), over(bytes / 255, c(1, 1, 1)) * 255)
  raw <- array(as.raw(bytes), dim(bytes))
  expect_identical(
    without_boxes(crop_border(raw, 0, channels = 3)),
    array(as.raw(round(over(bytes / 255, c(1, 1, 1)) * 255)), c(4, 5, 3))
  )
  expect_identical(crop_border(array(1:20, c(4, 5, 1)), 0, channels = 3)[, , 2], matrix(1:20, 4))
  raster <- grDevices::as.raster(matrix(c("#FF000080", "#00FF00FF"), 1, 2))
  expect_identical(as.character(crop_border(raster, 0, channels = 3, background = "blue")), c("#80007F", "#00FF00"))
  for (channels in list(2, 0, "3", c(1, 3), NA, 1.5)) {
    expect_error(image_array(grey, channels), "channels", class = "kerascrop_error_argument")
  }
  for (background in list("no colour", NA, c("red", "blue"), "transparent", "#FF000080", 1, NULL)) {
    expect_error(image_array(clear, 3, background), "background", class = "kerascrop_error_argument")
  }
  expect_error(crop_center(array(0, c(1, 4, 5, 7)), 2, 2, channels = 3), "has 7", class = "kerascrop_error_shape")
})

test_that("all functions that crop make channels to order", {
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png")
  clear <- round(channelled(4) * 255) / 255
  png::writePNG(clear, file)
  whole <- image_array(file, 3)[1, , , ]
  crops <- list(
    crop_center(file, 4, 5, channels = 3), crop_border(file, 0, channels = 3), crop_random(file, 4, 5, channels = 3),
    crop_multi(file, 4, 5, "grid", channels = 3), crop_boxes(file, c(0, 0, 5, 4), channels = 3)
  )
  for (crop in crops) expect_equal(without_boxes(crop), whole)
  expect_equal(uncrop(crop_center(file, 2, 2, channels = 3))[2:3, 2:3, ], whole[2:3, 2:3, ])
})

test_that("a list of grey and coloured images, with opacity or without, becomes a batch", {
  skip_if_not_installed("png")
  grey <- channelled(1)[, , 1]
  colour <- channelled(3)
  clear <- channelled(4)
  file <- withr::local_tempfile(fileext = ".png")
  png::writePNG(round(clear * 255) / 255, file)
  y <- image_array(list(grey, colour))
  expect_identical(dim(y), c(2L, 4L, 5L, 3L))
  expect_identical(y[1, , , 3], grey)
  expect_identical(y[2, , , ], colour)
  y <- image_array(list(grey, file, channelled(2), array(as.raw(255), c(4, 5, 3))))
  expect_identical(dim(y), c(4L, 4L, 5L, 4L))
  expect_identical(y[1, , , 4], matrix(1, 4, 5))
  expect_equal(y[2, , , ], round(clear * 255) / 255)
  expect_identical(y[4, , , ], array(1, c(4, 5, 4)))
  expect_identical(dim(image_array(list(grey, channelled(2)))), c(2L, 4L, 5L, 2L))
  expect_identical(dim(image_array(list(grey, clear), channels = 1)), c(2L, 4L, 5L, 1L))
  expect_warning(image_array(list(file, clear * 255)), "larger", class = "kerascrop_warning_range")
  expect_error(image_array(list(grey, channelled(7)), 3), class = "kerascrop_error_shape")
  skip_if_not_installed("magick")
  y <- image_array(list(magick::image_read(file), grey))
  expect_equal(y[1, , , ], round(clear * 255) / 255)
})

test_that("image_array() of a crop has no boxes", {
  expect_named(attributes(image_array(crop_center(some_images(), 4, 4))), "dim")
})

test_that("pixels become colours: grey, the mean of many channels, or light and opacity", {
  x <- array(as.raw(0:255), c(4, 8, 8))
  expect_equal(displayable(x)[2, 3, 1], mean(as.integer(x[2, 3, ])))
  grey <- as_raster(array(c(0, 1, 2, NA), c(1, 2, 2, 1)), c(0, 2))
  expect_identical(as.character(as.matrix(grey)), c("#000000", "#808080", "#FFFFFF", "#000000"))
  faint <- as_raster(array(c(1, 0.2), c(1, 1, 1, 2)), c(0, 1))
  expect_identical(as.character(as.matrix(faint)), "#FFFFFF33")
})
