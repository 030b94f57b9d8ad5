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
  outside <- from_numpy(layer_box_crop(list(x, boxes - 100), 4, 5, fill_value = 3))
  expect_true(all(outside == 3))
  many <- aperm(array(rbind(boxes, boxes), c(3, 2, 4)), 1:3)
  expect_identical(dim(from_numpy(layer_box_crop(list(x, many), 4, 5))), c(3L, 2L, 4L, 5L, 3L))
})

test_that("wrong arguments are errors", {
  expect_error(layer_box_crop(NULL, 4, 4, box_format = "coco"), "box_format", class = "kerascrop_error_box")
  expect_error(layer_box_crop(NULL, 4, 4, fill_mode = "wrap"), "fill_mode", class = "kerascrop_error_argument")
  skip_without_python()
  x <- some_images()
  expect_error(layer_box_crop(x, 4, 4), class = "kerascrop_error_argument")
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
