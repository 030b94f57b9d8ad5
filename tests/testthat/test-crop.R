test_that("crop_center() is the middle slice, odd and even", {
  x <- some_images()
  for (height in 1:9) {
    for (width in c(1, 4, 5, 12)) {
      rows <- (9 - height) %/% 2 + seq_len(height)
      cols <- (12 - width) %/% 2 + seq_len(width)
      y <- crop_center(x, height, width)
      expect_identical(without_boxes(y), x[, rows, cols, , drop = FALSE])
      expect_identical(attr(y, "boxes"), box_window(rows, cols)[c(1, 1, 1), ])
    }
  }
})

test_that("crop_center() agrees with the layer", {
  skip_without_python()
  x <- some_images()
  for (size in list(c(3, 4), c(4, 5), c(9, 12))) {
    expect_equal(
      without_boxes(crop_center(x, size[1], size[2])),
      from_numpy(layer_center_crop(x, size[1], size[2]))
    )
  }
})

test_that("every kind of image comes back as what it was", {
  grey <- matrix(1:20, 4, 5)
  expect_identical(without_boxes(crop_center(grey, 2, 3)), grey[2:3, 2:4])
  colour <- some_images(c(4, 5, 3))
  expect_identical(without_boxes(crop_center(colour, 2, 3)), colour[2:3, 2:4, ])
  features <- some_images(c(2, 4, 5, 64))
  expect_identical(without_boxes(crop_center(features, 2, 3)), features[, 2:3, 2:4, ])
})

test_that("types stay: integer, logical, raw", {
  for (x in list(array(1:24, c(4, 6)), array(1:24 > 7, c(4, 6)), array(as.raw(1:24), c(4, 6)))) {
    expect_identical(without_boxes(crop_center(x, 2, 2)), x[2:3, 3:4])
    expect_identical(without_boxes(crop_border(x, list(c(1, 1), c(2, 2)))), x[2:3, 3:4])
    expect_identical(typeof(crop_border(x, -1)), typeof(x))
    expect_identical(without_boxes(crop_boxes(x, box_window(1:2, 2:3))), x[1:2, 2:3])
  }
})

test_that("crop_border() takes all forms of margins, and negative ones add", {
  x <- some_images()
  expect_identical(without_boxes(crop_border(x, 2)), x[, 3:7, 3:10, ])
  expect_identical(without_boxes(crop_border(x, c(1, 2))), x[, 2:8, 3:10, ])
  expect_identical(without_boxes(crop_border(x, list(c(1, 2), c(0, 3)))), x[, 2:7, 1:9, ])
  y <- crop_border(x, list(c(-1, 2), c(3, -2)), fill_value = 7)
  expect_identical(dim(y), c(3L, 8L, 11L, 3L))
  expect_identical(y[, 2:8, 1:9, ], x[, 1:7, 4:12, ])
  expect_true(all(y[, 1, , ] == 7) && all(y[, , 10:11, ] == 7))
  expect_identical(attr(y, "boxes")[1, ], c(x1 = 3, y1 = -1, x2 = 14, y2 = 7))
})

test_that("crop_border() agrees with the layer", {
  skip_without_python()
  x <- some_images()
  margins <- list(c(-1, 2), c(3, -2))
  expect_equal(
    without_boxes(crop_border(x, margins, fill_value = 7)),
    from_numpy(layer_border_crop(x, margins, fill_value = 7))
  )
})

test_that("crop_random() gives each image its own place, all of them, and replays", {
  x <- array(0, c(2000, 5, 6, 1))
  boxes <- attr(crop_random(x, 3, 4, seed = 1), "boxes")
  counts <- table(boxes[, "x1"], boxes[, "y1"])
  expect_identical(dim(counts), c(3L, 3L))
  expect_gt(stats::chisq.test(as.vector(counts))$p.value, 1e-4)

  x <- some_images()
  y <- crop_random(x, 4, 5, seed = 2)
  for (i in 1:3) {
    box <- attr(y, "boxes")[i, ]
    expect_identical(y[i, , , ], x[i, box_rows(box), box_cols(box), ])
  }
  expect_identical(crop_random(x, 4, 5, seed = 2), y)
})

test_that("crop_random() follows set.seed(), and a seed of its own leaves R's alone", {
  x <- some_images()
  set.seed(1)
  a <- crop_random(x, 4, 5)
  set.seed(1)
  expect_identical(crop_random(x, 4, 5), a)
  set.seed(1)
  crop_random(x, 4, 5, seed = 99)
  expect_identical(crop_random(x, 4, 5), a)
})

test_that("crop_boxes() resamples boxes with real sides in double precision", {
  skip_without_python()
  ramp <- outer(1:9, 1:12, function(row, col) 10 * (row - 0.5) + (col - 0.5))
  box <- c(2.3, 1.1, 9.9, 7.7)
  y <- crop_boxes(ramp, box, 3, 4)
  expected <- outer(1:3, 1:4, function(i, j) 10 * (1.1 + (i - 0.5) * 6.6 / 3) + 2.3 + (j - 0.5) * 7.6 / 4)
  expect_equal(without_boxes(y), expected, tolerance = 1e-14)
  expect_equal(unname(attr(y, "boxes")), t(box))
})

test_that("crop_boxes() takes several boxes of one image, and one for each of a batch", {
  skip_without_python()
  x <- some_images(c(9, 12, 3))
  boxes <- rbind(box_window(1:2, 1:3), box_window(4:5, 6:8))
  y <- crop_boxes(x, boxes)
  expect_identical(y[1, , , ], x[1:2, 1:3, ])
  expect_identical(y[2, , , ], x[4:5, 6:8, ])
  expect_identical(dim(crop_boxes(x, boxes + 0.5, 4, 4)), c(2L, 4L, 4L, 3L))

  batch <- some_images(c(2, 9, 12, 3))
  y <- crop_boxes(batch, boxes)
  expect_identical(y[1, , , ], batch[1, 1:2, 1:3, ])
  expect_identical(y[2, , , ], batch[2, 4:5, 6:8, ])
  expect_identical(without_boxes(crop_boxes(batch, boxes[1, ])), batch[, 1:2, 1:3, ])
})

test_that("a box that reaches outside is filled", {
  skip_without_python()
  x <- some_images(c(9, 12, 3))
  y <- crop_boxes(x, c(-2, -1, 3, 2), fill_value = 5)
  expect_identical(y[2:3, 3:5, ], x[1:2, 1:3, ])
  expect_true(all(y[1, , ] == 5) && all(y[, 1:2, ] == 5))
  edge <- crop_boxes(x, c(-2, -1, 3, 2), fill_mode = "nearest")
  expect_equal(edge[1, 1, ], x[1, 1, ])
})

test_that("an empty batch gives an empty batch", {
  x <- array(0, c(0, 9, 12, 3))
  expect_identical(dim(crop_center(x, 4, 5)), c(0L, 4L, 5L, 3L))
  expect_identical(dim(crop_border(x, 1)), c(0L, 7L, 10L, 3L))
  expect_identical(dim(crop_random(x, 4, 5)), c(0L, 4L, 5L, 3L))
  expect_identical(dim(crop_boxes(x, box_window(1:2, 1:3))), c(0L, 2L, 3L, 3L))
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
  expect_error(crop_center(text, 10, 10), "PNG or JPEG", class = "kerascrop_error_argument")
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

test_that("sizes that are none are errors before anything is done", {
  x <- matrix(0, 9, 9)
  for (size in list(0, -1, 2.5, NA, NaN, Inf, 1e10, c(2, 2), "2", NULL, TRUE, numeric())) {
    expect_error(crop_center(x, size, 2), "height", class = "kerascrop_error_size")
    expect_error(crop_random(x, 2, size), "width", class = "kerascrop_error_size")
  }
  for (margins in list(mean, quote(x), factor(1), data.frame(a = 1), 1.5, NA, "1", NULL, 1:3, list(1:3, 1), list(1, NA), Inf)) {
    expect_error(crop_border(x, margins), "cropping", class = "kerascrop_error_size")
  }
  expect_error(crop_random(x, 2, 2, seed = -1), "seed", class = "kerascrop_error_argument")
  expect_error(crop_border(x, -1, fill_value = "white"), "fill_value", class = "kerascrop_error_argument")
  expect_error(crop_boxes(x, 1:4, fill_mode = "wrap"), "fill_mode", class = "kerascrop_error_argument")
  expect_error(crop_boxes(x, 1:4, antialias = NA), "antialias", class = "kerascrop_error_argument")
  expect_error(crop_boxes(x, 1:4, height = 2.5), "`height`", class = "kerascrop_error_size")
  expect_error(crop_boxes(x, 1:4, width = "wide"), "`width`", class = "kerascrop_error_size")
})

test_that("missing arguments, huge crops and fill values that the type cannot hold are errors", {
  x <- matrix(1L, 4, 4)
  expect_error(crop_center(x, 2), "`width`", class = "kerascrop_error_size")
  expect_error(crop_border(x), "`cropping`", class = "kerascrop_error_size")
  expect_error(crop_boxes(x), "`boxes`", class = "kerascrop_error_box")
  expect_error(crop_center(), "`x`", class = "kerascrop_error_shape")
  expect_error(crop_border(x, -1.5e9), class = "kerascrop_error_size")
  expect_error(crop_boxes(x, c(1, 1, 4, 4), 1e9, 1e9), class = "kerascrop_error_size")
  expect_error(crop_border(x, -1, fill_value = 0.5), "fill_value", class = "kerascrop_error_argument")
  expect_error(crop_border(array(as.raw(1:4), c(2, 2)), -1, fill_value = 256), "fill_value", class = "kerascrop_error_argument")
  expect_error(crop_border(x > 0, -1, fill_value = 2), "fill_value", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(layer_border_crop(array(1, c(1, 4, 4, 1)), -1.5e9), class = "kerascrop_error_size")
  expect_error(layer_border_crop(array(1L, c(1, 4, 4, 1)), -1, fill_value = 0.5), class = "kerascrop_error_argument")
  expect_error(layer_center_crop(NULL, 2), "`width`", class = "kerascrop_error_size")
})
