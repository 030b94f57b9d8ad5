test_that("bytes and numbers from 0 to 1 are told apart, in images of any size", {
  image <- function(x, channels = 1) array(x, c(1, 2, 2, channels))
  expect_identical(told_range(image(as.raw(0:1))), c(0, 255))
  expect_identical(told_range(image(c(0, 1))), c(0, 1))
  expect_identical(told_range(image(c(0L, 200L))), c(0, 255))
  expect_identical(told_range(image(c(0, 200.5))), c(0, 200.5))
  expect_identical(told_range(image(c(0, 200.5), 3)), c(0, 255))
  expect_identical(told_range(image(c(-1, 300), 3)), c(-1, 300))
  expect_identical(told_range(image(c(-3, -3))), c(-3, -2))
  expect_identical(told_range(image(c(NA, Inf))), c(0, 1))
  expect_identical(told_range(image(c(NA, -Inf, 3, 7.5))), c(3, 7.5))
  large <- array(2, c(1, 1500, 1500, 1))
  expect_identical(told_range(large), c(0, 255))
  large[length(large)] <- 2.5
  expect_identical(told_range(large), c(2, 2.5))
  # a dark crop of bytes stays dark
  expect_identical(crop_range(image(c(0, 1)), c(0, 255)), c(0, 255))
  expect_identical(crop_range(image(c(0, 0.5)), c(0, 255)), c(0, 1))
  expect_identical(crop_range(image(as.raw(1:2)), c(0, 1)), c(0, 255))
  expect_identical(crop_range(image(c(0, 0.5)), c(-3, 3)), c(-3, 3))
})

test_that("a photograph is reduced to what the device shows; a small image is not touched", {
  x <- some_images(c(2, 30, 45, 3))
  expect_identical(device_pixels(x, 2, c(30, 45)), x[2, , , ])
  expect_identical(device_pixels(x, 2, c(500, 45)), x[2, , , ])
  means <- function(image, n) {
    parts <- array(image, c(n, dim(image)[1] / n, n, dim(image)[2] / n, dim(image)[3]))
    apply(parts, c(2, 4, 5), mean)
  }
  expect_equal(device_pixels(x, 1, c(10, 15)), means(x[1, , , ], 3))
  # along a ramp a pixel is where its place is, however many there are
  ramp <- array(rep(seq_len(4000), each = 20), c(1, 20, 4000, 1))
  reduced <- device_pixels(ramp, 1, c(7, 640))
  expect_identical(dim(reduced), c(7L, 640L, 1L))
  expect_equal(reduced[3, , 1], (seq_len(640) - 0.5) * 4000 / 640 + 0.5, tolerance = 1e-3)
})

test_that("native rasters have the colours that as.raster() gives", {
  for (channels in 1:4) {
    x <- array(stats::runif(5 * 7 * channels, -0.2, 1.2), c(5, 7, channels))
    x[1, 1, 1] <- NA
    native <- native_raster(x, c(0, 1))
    bytes <- function(shift) bitwAnd(bitwShiftR(as.vector(native), shift), 255L)
    colours <- grDevices::rgb(bytes(0), bytes(8), bytes(16), bytes(24), maxColorValue = 255)
    expected <- as.vector(as_raster(array(x, c(1, dim(x))), c(0, 1))) # row by row, too
    expect_identical(grDevices::col2rgb(colours, TRUE), grDevices::col2rgb(expected, TRUE))
  }
  half <- native_raster(array(c(0, 0, 0, 128), c(1, 1, 4)), c(0, 255)) # the bytes of NA
  expect_identical(as.vector(half), NA_integer_)
})

test_that("a large photograph is drawn as a small one of it is, and without copies of it", {
  small <- outer(1:60, 1:80, function(i, j) (i + j) %% 7 / 6)
  large <- small[rep(1:60, each = 30), rep(1:80, each = 30)]
  draw <- function(x) drawn(plot_crops(x), 160, 120)
  expect_equal(draw(large), draw(small[rep(1:60, each = 6), rep(1:80, each = 6)]), tolerance = 0.02)
  expect_lt(peak_copies(large, drawn(plot_crops(large, c(100, 200, 300, 300), crops = TRUE), 160, 120)), 1)
  expect_lt(peak_copies(large, drawn(plot_boxes(c(100, 200, 300, 300), large), 320, 240)), 1)
  expect_lt(peak_copies(large, crop_boxes(large, c(10.5, 20, 30, 40))), 0.5)
  expect_lt(peak_copies(large, crop_center(large, 20, 20)), 0.5)
})
