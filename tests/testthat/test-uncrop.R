test_that("whole-pixel crops of every kind of image go back unchanged", {
  types <- list(
    some_images(), some_images(c(9, 12, 3)), array(0, c(0, 9, 12, 1)),
    matrix(1:108, 9, 12), matrix(as.raw(1:108), 9, 12), matrix(1:108 > 50, 9, 12)
  )
  for (x in types) {
    expect_identical(uncrop(crop_multi(x, 3, 4, "grid")), x)
    expect_identical(uncrop(crop_border(x, -2)), x)
    expect_identical(uncrop(crop_center(x, 20, 15, "pad")), x)
  }
  x <- some_images()
  expected <- array(7, dim(x))
  expected[, 3:6, 4:8, ] <- x[, 3:6, 4:8, ]
  expect_identical(uncrop(crop_center(x, 4, 5), fill_value = 7), expected)
  y <- crop_random(x, 4, 5, seed = 1)
  for (i in 1:3) {
    box <- attr(y, "boxes")[i, ]
    expect_identical(uncrop(y)[i, box_rows(box), box_cols(box), ], x[i, box_rows(box), box_cols(box), ])
  }
  expect_identical(sum(uncrop(y) != 0), 3L * 4L * 5L * 3L)
})

test_that("overlaps are averaged, mirrored crops mirrored back", {
  x <- some_images(c(2, 9, 12, 3))
  expect_equal(uncrop(crop_multi(x, 4, 5, "grid", stride = 2)), x, tolerance = 1e-14)
  expect_equal(uncrop(crop_multi(x, 7, 8, "ten")), x, tolerance = 1e-14)
  crops <- array(c(2, 4), c(2, 1, 2, 1))
  boxes <- structure(rbind(box_window(1, 1:2), box_window(1, 2:3)), size = c(height = 1, width = 3))
  expect_identical(uncrop(crops, boxes), matrix(c(2, 3, 4), 1))
  storage.mode(crops) <- "integer"
  expect_identical(uncrop(crops, boxes), matrix(2:4, 1))
})

test_that("other crops are resized to their boxes, as the layer does", {
  skip_without_python()
  x <- some_images(c(2, 9, 12, 3))
  boxes <- rbind(c(1.5, 0.5, 8, 7.25), c(-2, 3, 14, 8))
  y <- crop_boxes(x, boxes, 6, 6)
  layer <- layer_uncrop(list(without_boxes(y), boxes), 9, 12, fill_value = 3)
  expect_equal(uncrop(y, fill_value = 3), from_numpy(layer), tolerance = 1e-5)
  # a ramp comes back where the crop was, but for its edges
  ramp <- outer(1:9, 1:12, function(row, col) 10 * row + col)
  y <- uncrop(crop_boxes(ramp, c(1, 1, 11, 8), 14, 20))
  expect_equal(y[3:7, 3:10], ramp[3:7, 3:10], tolerance = 1e-5)
  expect_true(all(y[9, ] == 0) && all(y[, 12] == 0))
})

test_that("what a network made of the crops goes where the crops were", {
  x <- some_images(c(9, 12, 3))
  tiles <- crop_multi(x, 3, 4, "grid")
  expect_identical(uncrop(without_boxes(tiles) * 2, attr(tiles, "boxes")), x * 2)
  expect_identical(uncrop(tiles[, , , 1:2], attr(tiles, "boxes")), x[, , 1:2])
  grey <- crop_multi(x[, , 1], 3, 4, "grid")
  expect_identical(uncrop(grey[, , , c(1, 1)], attr(grey, "boxes")), x[, , c(1, 1)])
})

test_that("boxes without a size make one image for each crop", {
  crops <- array(1:8, c(2, 2, 2, 1))
  y <- uncrop(crops, rbind(box_window(1:2, 1:2), box_window(2:3, 2:3)), 3, 3)
  expect_identical(y[1, 1:2, 1:2, 1], crops[1, , , 1])
  expect_identical(y[2, 2:3, 2:3, 1], crops[2, , , 1])
  expect_identical(sum(y), sum(1:8))
  # what lies outside is dropped
  expect_identical(uncrop(matrix(1:4, 2), box_window(0:1, 0:1), 2, 2), matrix(c(4L, 0L, 0L, 0L), 2))
})

test_that("boxes and sizes that are missing or do not fit are errors", {
  m <- matrix(1:4, 2, 2)
  expect_error(uncrop(m, c(0, 0, 2, NA), 4, 4), "boxes", class = "kerascrop_error_box")
  expect_error(uncrop(m, c(0, 0, 0, 2), 4, 4), "boxes", class = "kerascrop_error_box")
  expect_error(uncrop(m, c(0, 0, 2, 2), 4, 2.5), "width", class = "kerascrop_error_size")
  expect_error(uncrop(m, c(0, 0, 2, 2), 4, 4, fill_value = 0.5), "fill_value", class = "kerascrop_error_argument")
  expect_error(uncrop(1:4, c(0, 0, 2, 2), 4, 4), class = "kerascrop_error_shape")
  expect_snapshot(error = TRUE, {
    uncrop(m)
    uncrop(m, c(0, 0, 2, 2))
    uncrop(m, rbind(1:4, 1:4), 5, 5)
  })
})
