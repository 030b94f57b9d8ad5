test_that("box_window() counts rows and columns from 1, boxes from 0", {
  expect_equal(box_window(17:240, 1:100), cbind(x1 = 0, y1 = 16, x2 = 100, y2 = 240))
  expect_equal(box_window(5, 7), cbind(x1 = 6, y1 = 4, x2 = 7, y2 = 5))
  box <- box_window(-3:4, 2:9)
  expect_equal(box_rows(box), -3:4)
  expect_equal(box_cols(box), 2:9)
})

test_that("box_window() holds the pixels that R's index holds", {
  x <- some_images(c(30, 40, 3))
  expect_identical(without_boxes(crop_boxes(x, box_window(7:20, 11:40))), x[7:20, 11:40, ])
})

test_that("box_window() and its way back refuse what is no window", {
  expect_error(box_window(c(1, 3), 1:2), class = "kerascrop_error_box")
  expect_error(box_window(1:2, 3:1), class = "kerascrop_error_box")
  expect_error(box_window("1:3", 1:2), class = "kerascrop_error_box")
  expect_error(box_window(integer(), 1:2), class = "kerascrop_error_box")
  expect_error(box_rows(c(0, 0.5, 2, 2)), class = "kerascrop_error_box")
  expect_error(box_cols(rbind(1:4, 1:4 + 1)), class = "kerascrop_error_box")
})

test_that("box_iou() counts shared pixels", {
  paint <- function(box) {
    canvas <- matrix(FALSE, 15, 15)
    canvas[box_rows(box), box_cols(box)] <- TRUE
    canvas
  }
  for (i in 1:50) {
    boxes <- lapply(1:2, function(k) {
      from <- sample(0:8, 2)
      t(c(from, from + sample(1:6, 2, TRUE)))
    })
    painted <- lapply(boxes, paint)
    expect_equal(
      box_iou(boxes[[1]], boxes[[2]]),
      sum(painted[[1]] & painted[[2]]) / sum(painted[[1]] | painted[[2]])
    )
  }
})

test_that("box_iou() pairs rows, or one box with all", {
  a <- rbind(c(0, 0, 2, 2), c(5, 5, 7, 7))
  expect_equal(box_iou(a, a), c(1, 1))
  expect_equal(box_iou(a[1, ], a), c(1, 0))
  expect_error(box_iou(a, a[c(1, 2, 1), ]), class = "kerascrop_error_box")
})

test_that("a data frame of boxes is as good as a matrix", {
  x <- some_images(c(9, 12, 3))
  boxes <- rbind(box_window(1:4, 3:6), box_window(5:8, 2:5))
  frame <- as.data.frame(boxes)
  expect_identical(box_iou(frame, frame[1, ]), box_iou(boxes, boxes[1, ]))
  expect_equal(box_rows(frame[2, ]), 5:8)
  crops <- crop_boxes(x, frame)
  expect_identical(crops, crop_boxes(x, boxes))
  expect_identical(uncrop(crops, frame, 9, 12), uncrop(crops, boxes, 9, 12))
  expect_error(crop_boxes(x, data.frame(a = "b")), "boxes", class = "kerascrop_error_box")
  expect_identical(crop_boxes(x, cbind(frame, label = 1)), crops)
  expect_error(crop_boxes(x, unname(cbind(boxes, 1))), "2 x 5", class = "kerascrop_error_box")
  skip_without_python()
  expect_identical(theta_from_boxes(frame, "xyxy", 9, 12), theta_from_boxes(boxes, "xyxy", 9, 12))
  both <- some_images(c(2, 9, 12, 3))
  layer <- layer_box_crop(height = 4, width = 4)
  expect_identical(from_numpy(layer(list(both, frame))), from_numpy(layer(list(both, boxes))))
  expect_error(layer(list(both, unname(frame)[, c(3, 2, 1, 4)])), class = "kerascrop_error_box")
  joint <- function(boxes) list(images = x, bounding_boxes = list(boxes = boxes))
  cut <- layer_center_crop(height = 6, width = 6)
  expect_identical(as_arrays(cut(joint(frame))), as_arrays(cut(joint(boxes))))
})

test_that("box_iou() is right for boxes of any size", {
  for (size in c(1e-200, 1e-3, 300, 1e9, 1e200)) {
    expect_equal(box_iou(c(0, 0, 2, 2) * size, c(1, 0, 3, 2) * size), 1 / 3)
    expect_equal(box_iou(c(0, 0, 1, size), c(0, 0, 2, size)), 1 / 2)
  }
  expect_equal(box_iou(c(0L, 0L, 100000L, 100000L), c(0, 0, 5e4, 1e5)), 1 / 2)
  expect_equal(box_iou(c(1e9, 1e9, 1e9 + 1, 1e9 + 1), c(1e9, 1e9, 1e9 + 2, 1e9 + 1)), 1 / 2)
  for (others in list(TRUE, "a", NULL, list(), matrix(1:12, 3), 1:3, matrix(0, 0, 4))) {
    expect_error(box_iou(rbind(1:4, 1:4 + c(0, 0, 1, 1)), others), "others", class = "kerascrop_error_box")
  }
})

test_that("clip_boxes() moves sides to the image's edge, in every format", {
  boxes <- rbind(c(-3, 2, 5, 8), c(10, 4, 30, 9.5), c(1, 2, 3, 4))
  clipped <- rbind(c(0, 2, 5, 8), c(10, 4, 12, 9), c(1, 2, 3, 4))
  for (format in box_formats) {
    result <- clip_boxes(from_sides(boxes, format, 9, 12), 9, 12, format)
    expect_equal(unname(result), from_sides(clipped, format, 9, 12))
    expect_equal(clip_boxes(result, 9, 12, format), result) # its names agree with the format
  }
  expect_warning(gone <- clip_boxes(c(-3, 2, -1, 8), 9, 12), "outside", class = "kerascrop_warning_box")
  expect_equal(gone, cbind(x1 = 0, y1 = 2, x2 = 0, y2 = 8))
  expect_error(clip_boxes(c(3, 2, 1, 8), 9, 12), "boxes", class = "kerascrop_error_box")
  expect_error(clip_boxes(c(3, 2, 0, 8), 9, 12, "xywh"), "boxes", class = "kerascrop_error_box")
  expect_error(clip_boxes(c(3, NA, 4, 8), 9, 12), "boxes", class = "kerascrop_error_box")
  expect_error(clip_boxes(c(3, 2, 4, 8), 0, 12), "height", class = "kerascrop_error_size")
  expect_error(clip_boxes(c(3, 2, 4, 8), 9), "width", class = "kerascrop_error_size")
})

test_that("clip_boxes() keeps missing boxes as they are, in every format", {
  for (format in box_formats) {
    there <- from_sides(rbind(c(10, 4, 30, 9)), format, 9, 12)
    boxes <- rbind(-1, NaN, unname(there), NA, deparse.level = 0)
    expect_no_warning(clipped <- unname(clip_boxes(boxes, 9, 12, format)))
    expect_identical(clipped[-3, ], boxes[-3, ])
    expect_equal(clipped[3, , drop = FALSE], from_sides(rbind(c(10, 4, 12, 9)), format, 9, 12))
  }
  expect_error(clip_boxes(rbind(-1, c(3, 2, 1, 8)), 9, 12), "Box 2", class = "kerascrop_error_box")
  expect_error(clip_boxes(rbind(c(-1, -1, -1, NA)), 9, 12), "boxes", class = "kerascrop_error_box")
})

test_that("boxes_from_masks() of nothing, and sizes that are none, are errors", {
  for (masks in list(NULL, list(), integer(), matrix(0, 0, 0), array(0, c(2, 0, 3)), array(0, c(0, 0, 0)))) {
    expect_error(boxes_from_masks(masks), "masks", class = "kerascrop_error_shape")
  }
  expect_error(boxes_from_theta(2.0), "theta", class = "kerascrop_error_box")
  for (box in list(c(1, 2, 0, 2), c(1, 2, 3, -4))) {
    expect_error(theta_from_boxes(box, "xywh", 9, 12), "boxes", class = "kerascrop_error_box")
  }
  mirrored <- theta_from_boxes(c(0.5, -1, -0.5, 1))
  expect_equal(boxes_from_theta(mirrored), t(c(0.5, -1, -0.5, 1)))
  expect_error(boxes_from_theta(mirrored, "rel_xywh"), "theta", class = "kerascrop_error_box")
})

test_that("box_iou() agrees with Python", {
  skip_without_python()
  a <- matrix(c(0, 0, 4, 4, 1, 2, 5, 8), 2, byrow = TRUE)
  python <- kerascrop_python()$box_iou(as_numpy(a), as_numpy(a[2:1, ]))
  expect_equal(as.vector(from_numpy(python)), box_iou(a, a[2:1, ]), tolerance = 1e-6)
})

test_that("boxes that are none are told apart", {
  expect_snapshot(error = TRUE, {
    box_iou(1:3, 1:4)
    box_iou(c(0, 0, NA, 1), c(0, 0, 1, 1))
    box_iou(c(0, 0, Inf, 1), c(0, 0, 1, 1))
    box_iou(c(3, 0, 1, 1), c(0, 0, 1, 1))
    box_iou("a", c(0, 0, 1, 1))
    box_window(c(1, 3), 1:2)
  })
})

test_that("boxes_from_masks() is the smallest box around what is not zero", {
  masks <- array(0, c(3, 9, 12))
  masks[1, 3:6, 4:8] <- 1
  masks[2, 9, 1] <- -0.5
  expected <- rbind(box_window(3:6, 4:8), box_window(9, 1), box_window(1:9, 1:12))
  expect_identical(boxes_from_masks(masks), expected)
  expect_identical(boxes_from_masks(array(masks, c(3, 9, 12, 1))), expected)
  expect_identical(boxes_from_masks(masks[1, , ] == 1), expected[1, , drop = FALSE])
  channels <- array(0, c(9, 12, 2))
  channels[3, 8, 1] <- channels[6, 4, 2] <- 1
  expect_identical(boxes_from_masks(channels), expected[1, , drop = FALSE])
  expect_identical(dim(boxes_from_masks(masks[0, , ])), c(0L, 4L))
  expect_error(boxes_from_masks(1:4), class = "kerascrop_error_shape")
  expect_error(boxes_from_masks(), "masks", class = "kerascrop_error_shape")
  expect_error(boxes_from_masks(matrix(c(1, NA), 1, 2)), "missing", class = "kerascrop_error_argument")
})

test_that("boxes_from_masks() agrees with the module's", {
  skip_without_python()
  masks <- array(stats::runif(8 * 9 * 12) > 0.97, c(8, 9, 12))
  expect_equal(unname(boxes_from_masks(masks)), from_numpy(kerascrop_python()$boxes_from_masks(as_numpy(masks, NULL))))
})

test_that("theta_from_boxes() is the matrix of Jaderberg et al., and boxes_from_theta() undoes it", {
  boxes <- rbind(c(-1, -1, 1, 1), c(-0.5, 0, 0.5, 0.25), c(0.75, -1, 0.25, 1.5)) # the last one mirrors
  theta <- theta_from_boxes(boxes)
  expect_identical(dim(theta), c(3L, 2L, 3L))
  for (i in 1:3) {
    # it maps the corners of the crop to those of the box
    corners <- theta[i, , ] %*% rbind(c(-1, 1), c(-1, 1), 1)
    expect_equal(as.vector(corners), boxes[i, ])
    expect_identical(theta[i, , 1:2][c(2, 3)], c(0, 0))
  }
  expect_equal(boxes_from_theta(theta), boxes)
  expect_equal(boxes_from_theta(theta[2, , ]), boxes[2, , drop = FALSE])
  expect_equal(theta_from_boxes(boxes[2, ])[1, , ], theta[2, , ])
})

test_that("matrices and boxes of all formats agree, in pixels too", {
  box <- box_window(3:6, 4:9) # 3, 2 to 9, 6 of 12 x 9 pixels
  same <- list(
    xyxy = c(3, 2, 9, 6), yxyx = c(2, 3, 6, 9), xywh = c(3, 2, 6, 4), center_xywh = c(6, 4, 6, 4),
    center_yxhw = c(4, 6, 4, 6), rel_xyxy = c(3 / 12, 2 / 9, 9 / 12, 6 / 9), grid = c(-0.5, -5 / 9, 0.5, 1 / 3)
  )
  expected <- rbind(c(0.5, 0, 0), c(0, 4 / 9, -1 / 9))
  for (format in names(same)) {
    theta <- theta_from_boxes(same[[format]], format, height = 9, width = 12)
    expect_equal(theta[1, , ], expected)
    expect_equal(boxes_from_theta(theta, format, 9, 12), t(same[[format]]))
  }
  expect_equal(theta_from_boxes(same$rel_xyxy, "rel_xyxy")[1, , ], expected)
})

test_that("tensors of matrices and boxes stay tensors", {
  skip_without_python()
  boxes <- array(c(-1, -0.5, -1, 0, 1, 0.5, 1, 0.25), c(1, 2, 4))
  theta <- theta_from_boxes(as_numpy(boxes))
  expect_true(is_python(theta))
  expect_identical(dim(from_numpy(theta)), c(1L, 2L, 2L, 3L))
  expect_equal(from_numpy(theta)[1, , , ], theta_from_boxes(boxes[1, , ]), tolerance = 1e-6)
  expect_equal(from_numpy(boxes_from_theta(theta)), boxes, tolerance = 1e-6)
})

test_that("wrong matrices and boxes are told apart", {
  flat <- cbind(diag(2), 0)
  for (x in list(1:6, "a", diag(3), array(0, c(2, 3, 3)), flat * NA, NULL)) {
    expect_error(boxes_from_theta(x), "theta", class = "kerascrop_error_box")
  }
  for (x in list(1:3, "a", matrix(0, 2, 3), c(0, NA, 1, 1), NULL)) {
    expect_error(theta_from_boxes(x), "boxes", class = "kerascrop_error_box")
  }
  expect_error(theta_from_boxes(), "boxes", class = "kerascrop_error_box")
  expect_error(boxes_from_theta(), "theta", class = "kerascrop_error_box")
  expect_error(theta_from_boxes(1:4, "coco"), "box_format", class = "kerascrop_error_box")
  expect_error(theta_from_boxes(1:4, "xyxy", 0, 9), "height", class = "kerascrop_error_size")
  expect_error(boxes_from_theta(flat, "xyxy", 9, 1.5), "width", class = "kerascrop_error_size")
  skip_without_python()
  turned <- cbind(c(0, 1), c(-1, 0), 0)
  sheared <- as_numpy(cbind(c(1, 0), c(0.5, 1), 0))
  for (x in list(turned, sheared)) {
    expect_error(boxes_from_theta(x), "rotates or shears", class = "kerascrop_error_box")
  }
  expect_error(boxes_from_theta(as_numpy(diag(4))), "2, 3", class = "kerascrop_error_box")
  expect_snapshot(error = TRUE, {
    theta_from_boxes(1:4, "xyxy")
    boxes_from_theta(diag(3))
    boxes_from_theta(turned)
  })
})

test_that("columns that have the sides' names may have any order", {
  x <- some_images(c(9, 12, 3))
  boxes <- rbind(box_window(1:4, 3:6), box_window(5:8, 2:5))
  other <- boxes[, c("x1", "x2", "y1", "y2")]
  expect_identical(crop_boxes(x, as.data.frame(other)), crop_boxes(x, boxes))
  expect_identical(box_iou(other, boxes), c(1, 1))
  expect_identical(box_iou(other[1, ], boxes[1, ]), 1)
  expect_identical(box_cols(other[2, , drop = FALSE]), box_cols(boxes[2, ]))
  skip_without_python()
  expect_identical(theta_from_boxes(other, "xyxy", 9, 12), theta_from_boxes(boxes, "xyxy", 9, 12))
  expect_identical(theta_from_boxes(other, "yxyx", 9, 12), theta_from_boxes(boxes, "xyxy", 9, 12))
  both <- some_images(c(2, 9, 12, 3))
  expected <- from_numpy(layer_box_crop(list(both, boxes), 4, 4))
  expect_identical(from_numpy(layer_box_crop(list(both, other), 4, 4)), expected)
  expect_identical(from_numpy(layer_box_crop(list(both, as.data.frame(other)), 4, 4, "yxyx")), expected)
  expect_identical(from_numpy(layer_box_crop(list(images = both, boxes = other), 4, 4)$images), expected)
  expect_identical(
    from_numpy(layer_uncrop(list(both, other), 20, 20)), from_numpy(layer_uncrop(list(both, boxes), 20, 20))
  )
  cut <- function(boxes) {
    as_arrays(layer_center_crop(list(images = x, bounding_boxes = list(boxes = boxes)), 6, 6)$bounding_boxes)
  }
  expect_identical(cut(other), cut(boxes))
  expect_equal(from_numpy(loss_box(other, boxes)), c(0, 0), tolerance = 1e-6)
})

test_that("a matrix of boxes that has no numbers is told by its type", {
  expect_error(crop_boxes(matrix(0, 9, 9), matrix("1", 2, 4)), "character matrix", class = "kerascrop_error_box")
  expect_error(crop_boxes(matrix(0, 9, 9), matrix(TRUE, 2, 4)), "logical matrix", class = "kerascrop_error_box")
})
