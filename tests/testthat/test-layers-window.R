test_that("each form of a place is R's own slice, in layers and in arrays", {
  skip_without_python()
  x <- some_images()
  forms <- list(
    list(list(rows = 3:6, cols = 4:8), x[, 3:6, 4:8, ]),
    list(list(offset = c(2, 3), size = c(4, 5)), x[, 3:6, 4:8, ]),
    list(list(box = c(3, 2, 8, 6)), x[, 3:6, 4:8, ]),
    list(list(box = box_window(3:6, 4:8)), x[, 3:6, 4:8, ]),
    list(list(rows = 9, cols = -1), x[, 9, , , drop = FALSE]),
    list(list(cols = 2:12), x[, , 2:12, ]),
    list(list(size = c(-1, 3)), x[, , 1:3, ]),
    list(list(offset = c(-5, 0)), x[, 5:9, , ]),
    list(list(offset = c(-5, -4), size = c(2, 4)), x[, 5:6, 9:12, ])
  )
  for (form in forms) {
    expect_equal(from_numpy(do.call(layer_window_crop, c(list(x), form[[1]]))), form[[2]])
    expect_equal(without_boxes(do.call(crop_window, c(list(x), form[[1]]))), form[[2]])
  }
})

test_that("what images lack is left out or filled, as in crop_window()", {
  skip_without_python()
  x <- some_images()
  for (arguments in list(list(rows = 8:11), list(offset = c(-11, 3), size = c(4, 20)))) {
    for (if_smaller in c("pad", "keep")) {
      all <- c(list(x), arguments, if_smaller = if_smaller, fill_value = 7)
      expect_equal(from_numpy(do.call(layer_window_crop, all)), without_boxes(do.call(crop_window, all)))
    }
  }
  expect_equal(without_boxes(crop_window(x, rows = 8:11, if_smaller = "keep")), x[, 8:9, , ])
  y <- without_boxes(crop_window(x, rows = 8:11, if_smaller = "pad", fill_value = 7))
  expect_equal(y[, 1:2, , ], x[, 8:9, , ])
  expect_true(all(y[, 3:4, , ] == 7))
  y <- crop_window(x[1, , , ], offset = c(-11, 0), size = c(4, -1), if_smaller = "pad")
  expect_equal(attr(y, "boxes")[1, ], c(x1 = 0, y1 = -2, x2 = 12, y2 = 2))
})

test_that("sequences and volumes", {
  skip_without_python()
  x <- some_images(c(2, 9, 3))
  expect_equal(from_numpy(layer_window_crop_1d(x, 3:6)), x[, 3:6, ])
  expect_equal(from_numpy(layer_window_crop_1d(x, offset = -4)), x[, 6:9, ])
  expect_equal(from_numpy(layer_window_crop_1d(x, box = c(2, 6))), x[, 3:6, ])
  x <- some_images(c(2, 5, 6, 7, 3))
  expect_equal(from_numpy(layer_window_crop_3d(x, 2:4, -1, 3:7)), x[, 2:4, , 3:7, ])
  expect_equal(from_numpy(layer_window_crop_3d(x, offset = c(1, 0, 2), size = c(3, -1, 5))), x[, 2:4, , 3:7, ])
  expect_equal(from_numpy(layer_window_crop_3d(x, box = c(2, 0, 1, 7, 6, 4))), x[, 2:4, , 3:7, ])
})
