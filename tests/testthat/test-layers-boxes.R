test_that("layer_box_crop() of a whole-pixel box is the slice", {
  skip_without_python()
  x <- some_images()
  boxes <- rbind(box_window(1:4, 1:5), box_window(3:6, 8:12), box_window(6:9, 2:6))
  y <- from_numpy(layer_box_crop(list(x, boxes), 4, 5))
  for (i in 1:3) expect_equal(y[i, , , ], x[i, box_rows(boxes[i, ]), box_cols(boxes[i, ]), ])
})

test_that("formats and options reach Python", {
  skip_without_python()
  x <- some_images()
  boxes <- box_window(3:6, 8:12)[c(1, 1, 1), ]
  relative <- sweep(boxes, 2, c(12, 9, 12, 9), "/")
  expect_equal(
    from_numpy(layer_box_crop(list(x, relative), 4, 5, box_format = "rel_xyxy")), x[, 3:6, 8:12, ],
    tolerance = 1e-5
  )
  suppressWarnings(
    outside <- from_numpy(layer_box_crop(list(x, boxes - 100), 4, 5, fill_value = 3)), "kerascrop_warning_box"
  )
  expect_true(all(outside == 3))
  many <- aperm(array(rbind(boxes, boxes), c(3, 2, 4)), 1:3)
  expect_identical(dim(from_numpy(layer_box_crop(list(x, many), 4, 5))), c(3L, 2L, 4L, 5L, 3L))
})

test_that("boxes are cropped out of the images that are told, counted from 1 in R and from 0 in tensors", {
  skip_without_python()
  x <- some_images()
  windows <- list(c(1, 3), c(4, 2), c(6, 8), c(2, 5), c(3, 1))
  boxes <- do.call(rbind, lapply(windows, function(at) box_window(at[1] + 0:3, at[2] + 0:4)))
  images <- c(3, 1, 3, 2, 2)
  expected <- array(0, c(5, 4, 5, 3))
  for (i in 1:5) expected[i, , , ] <- x[images[i], windows[[i]][1] + 0:3, windows[[i]][2] + 0:4, ]
  expect_equal(from_numpy(layer_box_crop(list(x, boxes, images), 4, 5)), expected)
  expect_equal(from_numpy(layer_box_crop(list(as_numpy(x), as_numpy(boxes), as.integer(images)), 4, 5)), expected)
  expect_equal(from_numpy(layer_box_crop(list(x, boxes, as_numpy(images - 1, "int32")), 4, 5)), expected)
  joint <- list(boxes = boxes, images = x, box_indices = images)
  expect_equal(from_numpy(layer_box_crop(joint, 4, 5)$images), expected)
  one <- layer_box_crop(list(x, boxes[1, , drop = FALSE], 3), 4, 5)
  expect_equal(from_numpy(one)[1, , , ], expected[1, , , ])
})

test_that("interpolation, align_corners and gradient_reach reach Python", {
  skip_without_python()
  x <- some_images()
  boxes <- box_window(3:6, 8:12)[c(1, 1, 1), ]
  # the nearest pixel: twice the size repeats each number
  y <- from_numpy(layer_box_crop(list(x, boxes), 8, 10, interpolation = "nearest"))
  expect_equal(y, x[, rep(3:6, each = 2), rep(8:12, each = 2), ])
  # crop_boxes() is compared with the formula
  for (interpolation in interpolations) {
    y <- from_numpy(layer_box_crop(list(x, boxes - 0.4), 8, 10, interpolation = interpolation))
    z <- crop_boxes(x, boxes - 0.4, 8, 10, interpolation = interpolation)
    expect_equal(y, without_boxes(z), tolerance = 1e-5)
  }
  ramp <- outer(rep(1, 3), outer(1:9, 1:12, function(i, j) 10 * i + j))
  dim(ramp) <- c(dim(ramp), 1)
  # from the first pixel to the last: rows 3 to 6 in seven steps of half a pixel
  y <- from_numpy(layer_box_crop(list(ramp, boxes), 7, 9, align_corners = TRUE))
  expect_equal(y[1, , , 1], outer(seq(3, 6, 0.5), seq(8, 12, 0.5), function(i, j) 10 * i + j), tolerance = 1e-5)
  expect_identical(layer_box_crop(height = 4, width = 5, gradient_reach = 3)$gradient_reach, 3)
})

test_that("a gradient that reaches further points to a target that is further away", {
  skip_without_python()
  skip_if_not(reticulate::py_module_available("tensorflow"), "tensorflow")
  tf <- reticulate::import("tensorflow")
  image <- array(0, c(1, 24, 40, 1))
  image[, 10:13, 22:25, ] <- 1 # the target: 22 pixels from the left, and the box is 6 too far to the left
  target <- as_numpy(image[, 8:15, 20:27, , drop = FALSE])
  start <- as_numpy(box_window(8:15, 14:21))
  crop_of <- function(reach) from_numpy(layer_box_crop(list(image, start), 8, 8, gradient_reach = reach))
  slope <- function(gradient_reach) {
    box <- tf$Variable(start)
    crop <- layer_box_crop(height = 8, width = 8, gradient_reach = gradient_reach)
    with(reticulate::`%as%`(tf$GradientTape(), tape), {
      loss <- tf$reduce_sum(tf$math$squared_difference(crop(list(as_numpy(image), box)), target))
    })
    sum(from_numpy(tape$gradient(loss, box))[c(1, 3)])
  }
  expect_equal(crop_of(8), crop_of(NULL))
  expect_identical(slope(NULL), 0) # nothing of it is within a pixel
  expect_lt(slope(8), 0) # down the slope is to the right
})

test_that("crops of integer images are floating-point numbers", {
  skip_without_python()
  x <- array(sample(0:255, 2 * 9 * 12 * 3, TRUE), c(2, 9, 12, 3))
  y <- layer_box_crop(list(as_numpy(x, "uint8"), box_window(3:6, 8:12)[c(1, 1), ]), 4, 5)
  expect_identical(keras_module()$backend$standardize_dtype(y$dtype), "float32")
  expect_equal(from_numpy(y), x[, 3:6, 8:12, ])
})

test_that("wrong numbers of images are errors", {
  x <- some_images()
  boxes <- box_window(3:6, 8:12)[c(1, 1), ]
  crop <- function(indices) layer_box_crop(list(x, boxes, indices), 4, 5)
  for (indices in list(c(0, 1), c(1, 4), c(1, NA), c(1, 1.5), "1", c(TRUE, FALSE), factor(1:2))) {
    expect_error(crop(indices), "box_indices", class = "kerascrop_error_box")
  }
  joint <- list(images = x, boxes = boxes, box_indices = c(1, 4))
  expect_error(layer_box_crop(joint, 4, 5), "1 to 3", class = "kerascrop_error_box")
  expect_snapshot(error = TRUE, {
    layer_box_crop(list(x, boxes, c(0, 1)), 4, 5)
    layer_box_crop(list(x, boxes, c(1, 1.5)), 4, 5)
    layer_box_crop(list(x, boxes, 1, 2), 4, 5)
    layer_box_crop(list(x, boxes), 4, 5, interpolation = "bicubic", antialias = TRUE)
    layer_box_crop(list(x, boxes), 4, 5, gradient_reach = 0.5)
  })
  skip_without_python()
  expect_error(crop(1:3), "box_indices", class = "kerascrop_error_box")
  expect_error(crop(matrix(1, 2, 1)), "box_indices", class = "kerascrop_error_box")
})

test_that("wrong arguments are errors", {
  expect_error(layer_box_crop(NULL, 4, 4, box_format = "coco"), "box_format", class = "kerascrop_error_box")
  expect_error(layer_box_crop(NULL, 4, 4, fill_mode = "wrap"), "fill_mode", class = "kerascrop_error_argument")
  expect_error(layer_box_crop(NULL, 4, 4, interpolation = "cubic"), "interpol", class = "kerascrop_error_argument")
  expect_error(layer_box_crop(NULL, 4, 4, align_corners = NA), "align", class = "kerascrop_error_argument")
  expect_error(layer_box_crop(NULL, 0, 4), "height", class = "kerascrop_error_size")
  skip_without_python()
  x <- some_images()
  expect_error(layer_box_crop(x, 4, 4), class = "kerascrop_error_argument")
  grey <- list(x[, , , 1], matrix(1:4, 3, 4, TRUE))
  expect_error(layer_box_crop(grey, 4, 4), "channels", class = "kerascrop_error_shape")
  expect_error(layer_box_crop(list(x, matrix(0, 3, 5)), 4, 4), class = "kerascrop_error_box")
  expect_error(layer_box_crop(list(x, matrix(1:4, 2, 4, TRUE)), 4, 4), class = "kerascrop_error_box")
  expect_error(layer_box_crop(list(x, matrix(NA_real_, 3, 4)), 4, 4), class = "kerascrop_error_box")
  expect_error(layer_box_crop(list(x, matrix(4:1, 3, 4, TRUE)), 4, 4), class = "kerascrop_error_box")
  expect_error(layer_box_crop(list(x, matrix(NA_real_, 3, 4)), 4, 4, "xywh"), class = "kerascrop_error_box")
})

test_that("boxes in a named list are looked at too", {
  x <- some_images()
  boxes <- matrix(4:1, 3, 4, TRUE)
  expect_error(layer_box_crop(list(images = x, boxes = boxes), 4, 4), "x1 < x2", class = "kerascrop_error_box")
  expect_error(layer_box_crop(list(images = x, boxes = boxes * NA), 4, 4), "boxes", class = "kerascrop_error_box")
  expect_error(layer_box_crop(NULL, 4, 4, min_visible = 3), "min_visible", class = "kerascrop_error_argument")
})

test_that("sizes that are none, and sides in the wrong order, are errors in each format's own words", {
  skip_without_python()
  x <- some_images()
  boxes <- rbind(c(1, 1, 4, 4), c(3, 2, -4, 5), c(1, 1, 4, 4))
  for (format in c("xywh", "center_xywh", "rel_xywh")) {
    expect_error(
      layer_box_crop(list(x, boxes), 4, 4, format), "Box 2 .*x, y, width, height", class = "kerascrop_error_box"
    )
  }
  expect_error(layer_box_crop(list(x, boxes), 4, 4, "center_yxhw"), "height, width", class = "kerascrop_error_box")
  expect_error(layer_box_crop(list(x, boxes), 4, 4, "yxyx"), "top, left, bottom", class = "kerascrop_error_box")
  expect_error(layer_box_crop(list(x, boxes), 4, 4), "left, top, right", class = "kerascrop_error_box")
})

test_that("boxes that look like fractions are warned of with the format that is meant", {
  skip_without_python()
  boxes <- matrix(c(0.5, 0.5, 1, 1), 3, 4, byrow = TRUE)
  crop <- function(format) layer_box_crop(list(some_images(), boxes), 4, 4, format)
  for (format in c("xyxy", "yxyx", "xywh")) {
    expect_warning(crop(format), paste0("\"rel_", format), class = "kerascrop_warning_boxes")
  }
  expect_no_warning(crop("center_xywh"))
})

test_that("numbers of images that are none are an error", {
  skip_without_python()
  x <- some_images()
  expect_error(
    layer_box_crop(list(x, box_window(1:4, 1:5), mean), 4, 5), "a function", class = "kerascrop_error_box"
  )
})

test_that("constant boxes are slices of every image", {
  skip_without_python()
  x <- some_images()
  box <- box_window(3:6, 4:8)
  expect_equal(from_numpy(layer_box_crop(x, 4, 5, boxes = c(3, 2, 8, 6))), x[, 3:6, 4:8, ], tolerance = 1e-6)
  expect_equal(from_numpy(layer_box_crop(x, 4, 5, boxes = box)), x[, 3:6, 4:8, ], tolerance = 1e-6)
  y <- from_numpy(layer_box_crop(x, 4, 5, boxes = data.frame(ymin = c(2, 0), xmin = c(3, 0), ymax = c(6, 4),
                                                             xmax = c(8, 5))))
  expect_equal(y[, 1, , , ], x[, 3:6, 4:8, ], tolerance = 1e-6)
  expect_equal(y[, 2, , , ], x[, 1:4, 1:5, ], tolerance = 1e-6)
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(9L, 12L, 3L))))
  model |> layer_box_crop(4, 5, boxes = c(3, 2, 8, 6))
  expect_equal(from_numpy(model(as_numpy(x))), x[, 3:6, 4:8, ], tolerance = 1e-6)
  for (boxes in list(c(3, 2, NA, 6), c(8, 2, 3, 6), 1:3)) {
    expect_error(layer_box_crop(x, 4, 5, boxes = boxes), class = "kerascrop_error_box")
  }
  expect_error(layer_box_crop(x, 4, 5, boxes = "a"), class = "kerascrop_error")
  expect_error(layer_box_crop(list(x, box), 4, 5, boxes = box), class = "kerascrop_error_argument")
})
