test_that("crop_center() is the middle slice, odd and even", {
  x <- some_images()
  for (height in 1:9) {
    for (width in c(1, 4, 5, 12)) {
      rows <- (9 - height) %/% 2 + seq_len(height)
      cols <- (12 - width) %/% 2 + seq_len(width)
      y <- crop_center(x, height, width)
      expect_identical(without_boxes(y), x[, rows, cols, , drop = FALSE])
      expect_identical(attr(y, "boxes")[, ], box_window(rows, cols)[c(1, 1, 1), ])
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
  ramp <- outer(1:9, 1:12, function(row, col) 10 * (row - 0.5) + (col - 0.5))
  box <- c(2.3, 1.1, 9.9, 7.7)
  y <- crop_boxes(ramp, box, 3, 4)
  expected <- outer(1:3, 1:4, function(i, j) 10 * (1.1 + (i - 0.5) * 6.6 / 3) + 2.3 + (j - 0.5) * 7.6 / 4)
  expect_equal(without_boxes(y), expected, tolerance = 1e-14)
  expect_equal(unname(attr(y, "boxes")[, ]), drop(box))
})

test_that("a seed gives the same places whatever R's generator is, which stays as it was", {
  x <- some_images(c(20, 9, 12, 1))
  expected <- crop_random(x, 4, 5, seed = 7)
  kind <- RNGkind()
  withr::defer(suppressWarnings(do.call(RNGkind, as.list(kind))))
  for (other in list(c("Wichmann-Hill", "Box-Muller", "Rounding"), c("Knuth-TAOCP-2002", "Inversion", "Rejection"))) {
    suppressWarnings(do.call(RNGkind, as.list(other)))
    set.seed(1)
    before <- .Random.seed
    expect_identical(crop_random(x, 4, 5, seed = 7), expected)
    expect_identical(.Random.seed, before)
    rm(".Random.seed", envir = globalenv())
    expect_identical(crop_random(x, 4, 5, seed = 7), expected)
    expect_false(exists(".Random.seed", globalenv(), inherits = FALSE))
    expect_identical(RNGkind(), other)
  }
})

test_that("boxes wholly outside are warned of, by layers too where the images' size is known", {
  x <- array(runif(9 * 12), c(9, 12))
  inside <- c(-3, -3, 0.5, 0.5)
  expect_no_warning(crop_boxes(x, inside))
  for (box in list(c(-3, 0, 0, 4), c(0, -3, 4, -1), c(12, 0, 14, 4), c(0, 9, 4, 12))) {
    expect_warning(crop_boxes(x, box), "outside", class = "kerascrop_warning_box")
    expect_warning(crop_boxes(x, rbind(inside, box), 3, 3, fill_mode = "nearest"), class = "kerascrop_warning_box")
  }
  skip_without_python()
  layer <- function(box, box_format = "xyxy", ...) {
    layer_box_crop(list(array(x, c(1, 9, 12, 1)), t(box)), 3, 3, box_format, ...)
  }
  expect_no_warning(layer(inside))
  expect_warning(layer(c(12, 0, 14, 4)), "outside", class = "kerascrop_warning_box")
  expect_warning(layer(c(12, 0, 2, 4), "xywh"), class = "kerascrop_warning_box")
  expect_warning(layer(c(1.1, 0, 1.2, 1), "rel_xyxy"), class = "kerascrop_warning_box")
  tensors <- list(as_numpy(array(x, c(1, 9, 12, 1))), as_numpy(t(c(12, 0, 14, 4))))
  expect_warning(layer_box_crop(tensors, 3, 3), "outside", class = "kerascrop_warning_box")
  images <- array(x, c(2, 9, 12, 1))
  expect_warning(layer_box_crop(images, 3, 3, boxes = c(12, 0, 14, 4)), "outside", class = "kerascrop_warning_box")
  expect_no_warning(layer_box_crop(images, 3, 3, boxes = inside))
  planes <- array(x, c(1, 1, 9, 12))
  expect_no_warning(layer_box_crop(list(planes, t(c(2, 2, 9, 8))), 3, 3, data_format = "channels_first"))
})

test_that("boxes that look like fractions of the image are warned of", {
  x <- array(runif(9 * 12), c(9, 12))
  fractions <- c(0.1, 0.2, 0.8, 0.9)
  expect_warning(crop_boxes(x, fractions, 3, 3), "from 0 to 1", class = "kerascrop_warning_boxes")
  withr::local_pdf(NULL)
  expect_warning(plot_boxes(fractions, x), class = "kerascrop_warning_boxes")
  expect_no_warning(crop_boxes(x, c(0, 0, 1, 1)))
  expect_no_warning(crop_boxes(x, c(0.1, 0.2, 1.8, 0.9), 3, 3))
  skip_without_python()
  batch <- array(x, c(1, 9, 12, 1))
  expect_warning(layer_box_crop(list(batch, t(fractions)), 3, 3), class = "kerascrop_warning_boxes")
  expect_no_warning(layer_box_crop(list(batch, t(fractions)), 3, 3, box_format = "rel_xyxy"))
})

test_that("crop_boxes() takes several boxes of one image, and one for each of a batch", {
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
  x <- some_images(c(9, 12, 3))
  y <- crop_boxes(x, c(-2, -1, 3, 2), fill_value = 5)
  expect_identical(y[2:3, 3:5, ], x[1:2, 1:3, ])
  expect_true(all(y[1, , ] == 5) && all(y[, 1:2, ] == 5))
  edge <- crop_boxes(x, c(-2, -1, 3, 2), fill_mode = "nearest")
  expect_equal(edge[1, 1, ], x[1, 1, ])
})

test_that("crop_boxes() takes the nearest pixel, which keeps the type, or is bicubic", {
  numbers <- outer(1:9, 1:12, function(i, j) 12L * i + j)
  box <- box_window(3:6, 4:8)
  for (x in list(numbers, numbers %% 5L == 0L, array(as.raw(numbers), dim(numbers)), numbers / 2)) {
    y <- crop_boxes(x, box, 8, 15, interpolation = "nearest")
    expect_identical(without_boxes(y), x[rep(3:6, each = 2), rep(4:8, each = 3)])
  }
  over <- crop_boxes(numbers, c(-2, 0, 2, 4), 8, 8, interpolation = "nearest", fill_value = -1L)
  expect_identical(over[, 1], rep(-1L, 8))
  # Keys' cubic (1981), with the parameter -0.75
  cubic <- function(d) {
    d <- abs(d)
    ifelse(d <= 1, 1.25 * d^3 - 2.25 * d^2 + 1, ifelse(d < 2, -0.75 * (d^3 - 5 * d^2 + 8 * d - 4), 0))
  }
  weights <- function(first, step, size, length) {
    cubic(outer(first + (seq_len(size) - 0.5) * step, seq_len(length) - 0.5, "-"))
  }
  x <- matrix(runif(9 * 12), 9)
  y <- crop_boxes(x, c(4, 3, 8, 6), 6, 5, interpolation = "bicubic")
  expect_equal(without_boxes(y), weights(3, 0.5, 6, 9) %*% x %*% t(weights(4, 0.8, 5, 12)), tolerance = 1e-12)
  expect_identical(without_boxes(crop_boxes(numbers, box, interpolation = "bicubic")), numbers[3:6, 4:8])
  expect_error(crop_boxes(numbers, box, interpolation = "cubic"), class = "kerascrop_error_argument")
  expect_error(crop_boxes(numbers, box, 4, 4, TRUE, interpolation = "nearest"), class = "kerascrop_error_argument")
})

test_that("an empty batch gives an empty batch", {
  x <- array(0, c(0, 9, 12, 3))
  expect_identical(dim(crop_center(x, 4, 5)), c(0L, 4L, 5L, 3L))
  expect_identical(dim(crop_border(x, 1)), c(0L, 7L, 10L, 3L))
  expect_identical(dim(crop_random(x, 4, 5)), c(0L, 4L, 5L, 3L))
  expect_identical(dim(crop_boxes(x, box_window(1:2, 1:3))), c(0L, 2L, 3L, 3L))
})

test_that("sizes that are none are errors before anything is done", {
  x <- matrix(0, 9, 9)
  for (size in list(0, -1, 2.5, NA, NaN, Inf, 1e10, c(2, 2), "2", NULL, TRUE, numeric())) {
    expect_error(crop_center(x, size, 2), "height", class = "kerascrop_error_size")
    expect_error(crop_random(x, 2, size), "width", class = "kerascrop_error_size")
  }
  wrong <- list(
    mean, quote(x), factor(1), data.frame(a = 1), 1.5, NA, "1", NULL, 1:3, list(1:3, 1), list(1, NA), Inf
  )
  for (margins in wrong) {
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
  bytes <- array(as.raw(1:4), c(2, 2))
  expect_error(crop_border(bytes, -1, fill_value = 256), "fill_value", class = "kerascrop_error_argument")
  expect_error(crop_border(x > 0, -1, fill_value = 2), "fill_value", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(layer_border_crop(array(1, c(1, 4, 4, 1)), -1.5e9), class = "kerascrop_error_size")
  expect_error(layer_border_crop(array(1L, c(1, 4, 4, 1)), -1, fill_value = 0.5), class = "kerascrop_error_argument")
  expect_error(layer_center_crop(NULL, 2), "`width`", class = "kerascrop_error_size")
})

test_that("if_smaller = 'pad' and 'keep' move whole pixels, for every size", {
  x <- some_images()
  for (height in c(3, 9, 10, 12)) {
    for (width in c(5, 12, 17)) {
      keep <- crop_center(x, height, width, "keep")
      expect_identical(keep, crop_center(x, min(height, 9), min(width, 12)))
      above <- max(height - 9, 0) %/% 2
      left <- max(width - 12, 0) %/% 2
      pad <- crop_center(x, height, width, "pad", fill_value = -1)
      inside <- pad[, above + seq_len(dim(keep)[2]), left + seq_len(dim(keep)[3]), ]
      expect_identical(inside, without_boxes(keep))
      expect_equal(sum(pad == -1), 3 * 3 * (height * width - prod(dim(keep)[2:3])))
      expect_identical(attr(pad, "boxes")[1, "y1"], c(y1 = if (height > 9) -above else (9 - height) %/% 2))
    }
  }
  expect_identical(typeof(crop_random(array(as.raw(1:6), c(2, 3)), 4, 4, if_smaller = "pad")), "raw")
})

test_that("crop_center() and crop_multi() agree with the layers where images are small", {
  skip_without_python()
  x <- some_images()
  types <- list(x, array(as.integer(x), dim(x)), x > 400)
  for (if_smaller in c("resize", "pad", "keep")) {
    for (size in list(c(12, 5), c(4, 20), c(20, 30), c(3, 3))) {
      for (x in types) {
        y <- crop_center(x, size[1], size[2], if_smaller, fill_value = 1)
        layer <- layer_center_crop(x, size[1], size[2], if_smaller = if_smaller, fill_value = 1, return_boxes = TRUE)
        # an average may fall between two integers, and be rounded either way
        expect_lte(max(abs(y - from_numpy(layer[[1]]))), if (is.integer(x)) 1 else 1e-3)
        expect_identical(typeof(y), typeof(x))
        expect_equal(unname(attr(y, "boxes")[, ]), from_numpy(layer[[2]]), tolerance = 1e-5)
      }
    }
  }
})

test_that("crop_random() places enlarged images' windows inside", {
  x <- some_images(c(64, 9, 30, 1))
  boxes <- attr(crop_random(x, 18, 18, seed = 1, if_smaller = "resize"), "boxes")
  expect_equal(unique(boxes[, "y1"]), 0)
  expect_equal(unique(boxes[, "x2"] - boxes[, "x1"]), 9)
  expect_gt(length(unique(boxes[, "x1"])), 20)
  expect_true(all(boxes[, "x1"] >= 0) && all(boxes[, "x2"] <= 30))
})

test_that("crop_multi() gives the windows of each image in turn", {
  x <- some_images(c(2, 9, 12, 3))
  rows <- list(1:4, 1:4, 6:9, 6:9, 3:6)
  cols <- list(1:5, 8:12, 1:5, 8:12, 4:8)
  five <- crop_multi(x, 4, 5)
  ten <- crop_multi(x, 4, 5, "ten")
  for (image in 1:2) {
    for (i in 1:5) {
      expect_identical(five[(image - 1) * 5 + i, , , ], x[image, rows[[i]], cols[[i]], ])
      expect_identical(ten[(image - 1) * 10 + i, , , ], x[image, rows[[i]], cols[[i]], ])
      expect_identical(ten[(image - 1) * 10 + 5 + i, , , ], x[image, rows[[i]], rev(cols[[i]]), ])
    }
  }
  expect_identical(attr(ten, "boxes")[6, ], c(x1 = 5, y1 = 0, x2 = 0, y2 = 4))
  grid <- crop_multi(x[1, , , ], 4, 5, "grid", stride = c(3, 4))
  boxes <- attr(grid, "boxes")
  expect_identical(unname(boxes[, "x1"]), rep(c(0, 4, 7), 3))
  expect_identical(unname(boxes[, "y1"]), rep(c(0, 3, 5), each = 3))
  for (i in 1:9) expect_identical(grid[i, , , ], x[1, box_rows(boxes[i, ]), box_cols(boxes[i, ]), ])
})

test_that("crop_multi() agrees with the layer", {
  skip_without_python()
  x <- some_images(c(2, 9, 12, 3))
  for (case in list(list("five", NULL), list("ten", NULL), list("grid", NULL), list("grid", c(3, 2)))) {
    for (size in list(c(4, 5), c(5, 12))) {
      y <- crop_multi(x, size[1], size[2], case[[1]], case[[2]])
      layer <- as_arrays(layer_multi_crop(x, size[1], size[2], case[[1]], case[[2]], return_boxes = TRUE))
      windows <- dim(y)[1] / 2
      for (i in seq_len(windows)) {
        expect_equal(y[c(i, windows + i), , , ], layer[[1]][, i, , , ])
        expect_equal(unname(attr(y, "boxes")[i, ]), layer[[2]][1, i, ])
      }
    }
  }
})

test_that("wrong views, strides and choices are errors", {
  x <- matrix(0, 9, 9)
  expect_error(crop_multi(x, 4, 4, "nine"), "views", class = "kerascrop_error_argument")
  expect_error(crop_multi(x, 10, 4), "height", class = "kerascrop_error_size")
  expect_error(crop_multi(x, 4, 4, stride = 2), "grid", class = "kerascrop_error_argument")
  expect_error(crop_center(x, 10, 4, "shrink"), "if_smaller", class = "kerascrop_error_argument")
  expect_error(crop_center(x, 10, 4, "pad", fill_value = NA), "fill_value", class = "kerascrop_error_argument")
  expect_error(crop_center(x > 0, 10, 4, "pad", fill_value = 2), "fill_value", class = "kerascrop_error_argument")
  expect_snapshot(error = TRUE, {
    crop_multi(x, 4, 4, "grid", stride = 5)
    crop_multi(x, 4, 4, "grid", stride = 0)
  })
})

test_that("odd arguments are errors of the package", {
  x <- matrix(0, 9, 12)
  expect_error(crop_center(x, "\xff", 1), "height", class = "kerascrop_error_size")
  expect_error(crop_center("\xff.jpg", 1, 1), "no file", class = "kerascrop_error_argument")
  expect_error(crop_border(x, list(mean, 1)), "cropping", class = "kerascrop_error_size")
  foo <- structure(matrix("foo", 2, 2), class = "raster")
  expect_error(crop_center(foo, 1, 1), "colours", class = "kerascrop_error_argument")
  expect_no_warning(
    expect_error(crop_center(strrep("long", 5000), 1, 1), "no file", class = "kerascrop_error_argument")
  )
})
