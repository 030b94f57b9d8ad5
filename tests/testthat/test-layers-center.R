test_that("layer_center_crop() is the middle slice, in both data formats", {
  skip_without_python()
  x <- some_images()
  for (size in list(c(3, 4), c(4, 5), c(9, 12), c(1, 1))) {
    rows <- (9 - size[1]) %/% 2 + seq_len(size[1])
    cols <- (12 - size[2]) %/% 2 + seq_len(size[2])
    expected <- x[, rows, cols, , drop = FALSE]
    expect_equal(from_numpy(layer_center_crop(x, size[1], size[2])), expected)
    first <- layer_center_crop(aperm(x, c(1, 4, 2, 3)), size[1], size[2], "channels_first")
    expect_equal(from_numpy(first), aperm(expected, c(1, 4, 2, 3)))
  }
})

test_that("return_boxes tells the place", {
  skip_without_python()
  y <- layer_center_crop(some_images(), 4, 5, return_boxes = TRUE)
  expect_equal(from_numpy(y[[2]]), unname(box_window(3:6, 4:8)[c(1, 1, 1), ]))
})

test_that("wrong sizes never reach Python", {
  for (size in list(0, -1, 20.7, NA, Inf, 1e10, c(2, 2), "2", NULL)) {
    expect_error(layer_center_crop(NULL, size, 4), "height", class = "kerascrop_error_size")
    expect_error(layer_center_crop(NULL, 4, size), "width", class = "kerascrop_error_size")
  }
  expect_error(layer_center_crop(NULL, 4, 4, "NHWC"), "data_format", class = "kerascrop_error_argument")
  expect_error(layer_center_crop(NULL, 4, 4, return_boxes = 1), "return_boxes", class = "kerascrop_error_argument")
})

test_that("sequences and volumes are cropped", {
  skip_without_python()
  x <- some_images(c(2, 9, 3))
  expect_equal(from_numpy(layer_center_crop_1d(x, 4)), x[, 3:6, ])
  expect_equal(from_numpy(layer_center_crop_1d(x, 2, "channels_first")), x[, , 1:2])
  expect_equal(from_numpy(layer_center_crop_1d(x[1, , ], 4)), x[1, 3:6, ])
  x <- some_images(c(2, 5, 6, 7, 3))
  expect_equal(from_numpy(layer_center_crop_3d(x, 2, 3, 4)), x[, 2:3, 2:4, 2:5, ])
  y <- layer_center_crop_3d(x, 2, 3, 4, return_boxes = TRUE)
  expect_equal(from_numpy(y[[2]])[1, ], c(1, 1, 1, 5, 4, 3))
})

test_that("if_smaller says what happens to small images", {
  skip_without_python()
  x <- some_images()
  expect_error(layer_center_crop(x, 20, 5), class = "kerascrop_error_size")
  pad <- from_numpy(layer_center_crop(x, 12, 5, if_smaller = "pad", fill_value = -1))
  expect_equal(pad[, 2:10, , ], x[, , 4:8, ])
  expect_true(all(pad[, c(1, 11, 12), , ] == -1))
  expect_equal(from_numpy(layer_center_crop(x, 20, 5, if_smaller = "keep")), x[, , 4:8, ])
  ramp <- array(rep(1:12 - 0.5, each = 9), c(1, 9, 12, 1))
  resized <- from_numpy(layer_center_crop(ramp, 18, 18, if_smaller = "resize"))
  expect_equal(resized[1, 7, , 1], 1.5 + (1:18 - 0.5) / 2, tolerance = 1e-6)
})

test_that("shared arguments are checked, in the name of the call", {
  expect_error(layer_center_crop(NULL, 4, 4, if_smaller = "shrink"), "if_smaller", class = "kerascrop_error_argument")
  expect_error(layer_center_crop(NULL, 4, 4, min_visible = 2), "min_visible", class = "kerascrop_error_argument")
  expect_error(layer_center_crop(NULL, 4, 4, fill_value = NA), "fill_value", class = "kerascrop_error_argument")
  expect_error(layer_center_crop_1d(NULL, 4, box_format = "coco"), "box_format", class = "kerascrop_error_box")
  expect_error(layer_center_crop_1d(NULL), "`length`", class = "kerascrop_error_size")
  expect_error(layer_center_crop_3d(NULL, 4, 4), "`width`", class = "kerascrop_error_size")
  expect_error(layer_center_crop_3d(20, 20, 20), "depth = 20, ...", fixed = TRUE, class = "kerascrop_error_argument")
  error <- rlang::catch_cnd(layer_center_crop_3d(NULL, 2.5, 4, 4))
  expect_match(conditionMessage(error), "`depth`")
  expect_identical(error$call, quote(layer_center_crop_3d(NULL, 2.5, 4, 4)))
})
