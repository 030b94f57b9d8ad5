test_that("layer_multi_crop() cuts corners and centre, and mirrors them", {
  skip_without_python()
  x <- some_images()
  rows <- list(1:4, 1:4, 6:9, 6:9, 3:6)
  cols <- list(1:5, 8:12, 1:5, 8:12, 4:8)
  five <- from_numpy(layer_multi_crop(x, 4, 5))
  ten <- layer_multi_crop(x, 4, 5, "ten", return_boxes = TRUE)
  expect_identical(dim(five), c(3L, 5L, 4L, 5L, 3L))
  crops <- from_numpy(ten[[1]])
  boxes <- from_numpy(ten[[2]])
  for (i in 1:5) {
    expect_equal(five[, i, , , ], x[, rows[[i]], cols[[i]], ])
    expect_equal(crops[, i, , , ], x[, rows[[i]], cols[[i]], ])
    expect_equal(crops[, i + 5, , , ], x[, rows[[i]], rev(cols[[i]]), ])
    expect_equal(boxes[1, i, ], as.vector(box_window(rows[[i]], cols[[i]])))
    expect_equal(boxes[1, i + 5, c(3, 2, 1, 4)], boxes[1, i, ])
  }
})

test_that("a grid covers the image, row by row", {
  skip_without_python()
  x <- some_images()
  y <- layer_multi_crop(x, 4, 5, "grid", stride = c(3, 4), return_boxes = TRUE)
  first <- from_numpy(y[[2]])[1, , 1:2]
  expect_equal(first, cbind(rep(c(0, 4, 7), 3), rep(c(0, 3, 5), each = 3)))
  for (i in 1:9) expect_equal(from_numpy(y[[1]])[, i, , , ], x[, first[i, 2] + 1:4, first[i, 1] + 1:5, ])
  expect_identical(dim(from_numpy(layer_multi_crop(x, 3, 4, "grid"))), c(3L, 9L, 3L, 4L, 3L))
})

test_that("wrong views and strides are errors", {
  expect_error(layer_multi_crop(NULL, 4, 4, "nine"), "views", class = "kerascrop_error_argument")
  expect_error(layer_multi_crop(NULL, 4, 4, "grid", stride = 0), "stride", class = "kerascrop_error_size")
  expect_error(layer_multi_crop(NULL, 4, 4, stride = 2), "grid", class = "kerascrop_error_argument")
  expect_error(layer_multi_crop(NULL, 4.5, 4, "grid", stride = 2), "height", class = "kerascrop_error_size")
  expect_snapshot(error = TRUE, {
    layer_multi_crop(NULL, 4, 4, "grid", stride = 0)
    layer_multi_crop(NULL, 4, 4, "grid", stride = 5)
    layer_multi_crop(NULL, 4, 4, stride = 2)
  })
})
