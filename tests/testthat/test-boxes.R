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

test_that("box_iou() agrees with Python", {
  skip_without_python()
  a <- matrix(c(0, 0, 4, 4, 1, 2, 5, 8), 2, byrow = TRUE)
  python <- kerascrop_python()$box_iou(as_numpy(a), as_numpy(a[2:1, ]))
  expect_equal(as.vector(from_numpy(python)), box_iou(a, a[2:1, ]), tolerance = 1e-6)
})

test_that("R and Python know the same formats and fill modes", {
  skip_without_python()
  expect_setequal(box_formats, unlist(reticulate::import("kerascrop.boxes")$BOX_FORMATS))
  expect_setequal(fill_modes, unlist(reticulate::import("kerascrop.sampling")$FILL_MODES))
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
