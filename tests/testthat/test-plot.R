test_that("plot_crops() draws an image the right way up, with its box where the pixels are", {
  x <- matrix(0, 10, 20)
  x[1:5, 1:10] <- 1
  # One image fills the page but for the margins: the top left quarter is white, the rest black.
  page <- drawn(plot_crops(x))
  expect_gt(mean(page[20:40, 20:80, 1]), 0.99)
  expect_lt(mean(page[60:80, 120:180, 1]), 0.01)
  expect_lt(mean(page[20:40, 120:180, 1]), 0.01)

  red <- drawn(plot_crops(x, box_window(6:10, 11:20), col = "#FF0000", lwd = 4))
  is_red <- red[, , 1] > 0.9 & red[, , 2] < 0.1
  where <- which(is_red, arr.ind = TRUE)
  expect_gt(nrow(where), 100)
  expect_gt(min(where[, "row"]), 45)
  expect_gt(min(where[, "col"]), 90)
})

test_that("boxes have a dark rim, so that they are seen on images of their own colour", {
  green <- array(rep(c(0, 1, 0), each = 200), c(10, 20, 3))
  box <- box_window(3:8, 1:10)
  # along the image's middle: its green, the box's side between two dark lines, and green again
  sides <- function(page) {
    line <- page[dim(page)[1] / 2, , ]
    rle(line[line[, 3] < 0.5, 2] > 0.5)$values
  }
  expected <- c(FALSE, TRUE, FALSE, TRUE, FALSE, TRUE, FALSE, TRUE)
  expect_identical(sides(drawn(plot_crops(green, box, col = "#00FF00"), 400, 300)), expected)
  expect_identical(sides(drawn(plot_boxes(box, green, col = "#00FF00"), 400, 300)), expected)
})

test_that("a data frame of boxes is drawn as a matrix is", {
  x <- matrix(0.5, 10, 20)
  boxes <- rbind(box_window(1:4, 1:4), box_window(3:8, 5:16))
  frame <- as.data.frame(boxes)
  expect_identical(drawn(plot_crops(x, frame, crops = TRUE)), drawn(plot_crops(x, boxes, crops = TRUE)))
  same_boxes <- function(frame, boxes, ...) {
    expect_identical(drawn(plot_boxes(frame, ...), 400, 300), drawn(plot_boxes(boxes, ...), 400, 300))
  }
  same_boxes(frame, boxes)
  rownames(frame) <- rownames(boxes) <- c("a", "b")
  same_boxes(frame, boxes, x)
  frames <- list(p = frame, q = frame[1, ])
  same_boxes(frames, lapply(frames, as.matrix), x)
})

test_that("crops stand beside their images, in order", {
  x <- array(0, c(2, 8, 8, 1))
  x[1, 1:4, 1:4, 1] <- 1
  page <- drawn(plot_crops(x, box_window(1:4, 1:4)[c(1, 1), ], crops = TRUE, ncol = 1), 200, 200)
  expect_gt(mean(page[30:70, 130:170, 1]), 0.95)
  expect_lt(mean(page[130:170, 130:170, 1]), 0.05)
})

test_that("colours, transparency and ranges are drawn as they are", {
  blue <- array(rep(c(0, 0, 255), each = 16), c(4, 4, 3))
  page <- drawn(plot_crops(blue))
  expect_equal(page[50, 100, 1:3], c(0, 0, 1))
  grey <- drawn(plot_crops(matrix(c(10, 20), 2, 2), range = c(10, 30)))
  expect_equal(grey[80, 100, 1], 0.5, tolerance = 0.01)
  missing <- drawn(plot_crops(matrix(c(NA, 1), 2, 2)))
  expect_equal(missing[20, 100, 1], 0)
})

test_that("an image, a batch, features and paths are drawn, and the graphics settings stay", {
  skip_if_not_installed("jpeg")
  withr::local_pdf(NULL)
  before <- graphics::par("mfrow", "mar", "oma")
  photo <- system.file("extdata", "coffee.jpg", package = "kerascrop")
  expect_identical(plot_crops(photo, box_window(1:100, 1:100), crops = TRUE, titles = "coffee"), photo)
  plot_crops(some_images(c(30, 4, 5, 3)), titles = 1:30)
  boxes <- list(a = box_window(1:2, 1:2)[c(1, 1), ], b = box_window(2:3, 2:3)[c(1, 1), ])
  plot_crops(some_images(c(2, 4, 5, 64)), boxes)
  plot_crops(some_images(c(2, 4, 5, 1)), crops = list(matrix(1, 2, 2), some_images(c(3, 3, 3))))
  plot_crops(array(0, c(0, 4, 5, 1)))
  expect_identical(graphics::par("mfrow", "mar", "oma"), before)
})

test_that("rasters and their crops are drawn in their colours", {
  red <- grDevices::as.raster(matrix("#FF0000", 10, 10))
  page <- drawn(plot_crops(red, crops = array(rep(c(0, 0, 0.5), each = 16), c(4, 4, 3))))
  expect_equal(page[50, 50, 1:3], c(1, 0, 0))
  expect_equal(page[50, 150, 1:3], c(0, 0, 0.5), tolerance = 0.01)
})

test_that("plot_boxes() draws boxes where they are, in their colours, with labels", {
  boxes <- rbind(a = c(0, 0, 20, 10), b = c(20, 10, 40, 20))
  page <- drawn(plot_boxes(boxes, height = 20, width = 40, col = c("#FF0000", "#0000FF"), lwd = 3), 400, 300)
  at <- function(channel, others) {
    colMeans(which(page[, , channel] > 0.9 & apply(page[, , others], 1:2, max) < 0.1, arr.ind = TRUE))
  }
  expect_true(all(at(1, 2:3) < at(3, 1:2)))
  over <- drawn(plot_boxes(boxes, matrix(0, 20, 40), labels = c(0.5, 0.9), title = "scores"), 400, 300)
  expect_gt(mean(over == 0), 0.1)
  withr::local_pdf(NULL)
  before <- graphics::par("mfrow", "mar", "oma", "fig")
  expect_identical(plot_boxes(boxes), boxes)
  plot_boxes(list(truth = boxes, predicted = boxes + 3), labels = 1:4)
  plot_boxes(attr(crop_multi(some_images(c(9, 12, 3)), 4, 5, "ten"), "boxes"))
  plot_boxes(c(-5, -5, -1, -1))
  expect_identical(graphics::par("mfrow", "mar", "oma", "fig"), before)
  expect_error(plot_boxes(), "boxes", class = "kerascrop_error_box")
  expect_error(plot_boxes(NULL), class = "kerascrop_error_box")
  expect_error(plot_boxes(list()), class = "kerascrop_error_box")
  expect_error(plot_boxes(boxes, some_images()), "one image", class = "kerascrop_error_argument")
  expect_error(plot_boxes(boxes, labels = "a"), "labels", class = "kerascrop_error_argument")
  expect_error(plot_boxes(boxes, labels = mean), "labels", class = "kerascrop_error_argument")
  expect_error(plot_boxes(boxes, title = 1), "title", class = "kerascrop_error_argument")
  expect_error(plot_boxes(boxes, height = 0), "height", class = "kerascrop_error_size")
  expect_error(plot_boxes(boxes, lwd = "thick"), "lwd", class = "kerascrop_error_argument")
})

test_that("what does not fit is an error before anything is drawn", {
  x <- some_images()
  expect_error(plot_crops(1:3), class = "kerascrop_error_shape")
  expect_error(plot_crops(x, box_window(1:2, 1:2)), class = "kerascrop_error_box")
  expect_error(plot_crops(x, 1:3), class = "kerascrop_error_box")
  expect_error(plot_crops(x, crops = TRUE), "boxes", class = "kerascrop_error_argument")
  expect_error(plot_crops(x, crops = x[1:2, , , ]), "crops", class = "kerascrop_error_argument")
  expect_error(plot_crops(x, titles = "one"), "titles", class = "kerascrop_error_argument")
  expect_error(plot_crops(x, range = c(1, 0)), "range", class = "kerascrop_error_argument")
  expect_error(plot_crops(x, titles = mean), "titles", class = "kerascrop_error_argument")
  expect_error(plot_crops(x, col = "nocol"), "col", class = "kerascrop_error_argument")
  sets <- lapply(1:3, function(i) matrix(1:4, 3, 4, byrow = TRUE))
  expect_error(plot_crops(x, sets, col = c("red", "blue")), "2 for 3", class = "kerascrop_error_argument")
  expect_error(plot_boxes(list(1:4, 1:4), col = "red"), "1 for 2", class = "kerascrop_error_argument")
  expect_error(plot_crops(x[1, , , ], matrix(0, 0, 4), crops = TRUE), class = "kerascrop_error_box")
  expect_error(plot_crops(x, max = 0), "max", class = "kerascrop_error_size")
  expect_error(plot_crops(x, ncol = 1.5), "ncol", class = "kerascrop_error_size")
})

test_that("boxes that look like fractions are warned of once", {
  withr::local_pdf(NULL)
  told <- 0
  withCallingHandlers(
    plot_crops(some_images(c(3, 8, 8, 1)), matrix(c(0.1, 0.1, 0.9, 0.9), 3, 4, byrow = TRUE), crops = TRUE),
    kerascrop_warning_boxes = function(condition) {
      told <<- told + 1
      rlang::cnd_muffle(condition)
    }
  )
  expect_identical(told, 1)
})

test_that("a canvas may be of any size", {
  withr::local_pdf(NULL)
  expect_no_error(plot_boxes(c(0, 0, 9e5, 9e5)))
  page <- drawn(plot_boxes(c(0, 0, 2e6, 1e6), height = 1e6, width = 2e6), 400, 300)
  expect_equal(page[150, 200, 1:3], c(1, 1, 1))
})

test_that("bytes of many channels are drawn as their mean", {
  withr::local_pdf(NULL)
  x <- array(as.raw(0:255), c(1, 4, 8, 8))
  expect_no_warning(plot_crops(x, box_window(1:2, 1:2), crops = TRUE))
})

test_that("only row names that someone gave are labels", {
  frame <- data.frame(x1 = 0:2, y1 = 0:2, x2 = 3:5, y2 = 3:5)
  expect_null(as_box_labels(NULL, frame[frame$x1 > 0, ], 2))
  rownames(frame) <- c("a", "b", "c")
  expect_identical(as_box_labels(NULL, frame[-1, ], 2), c("b", "c"))
  expect_identical(as_box_labels(NULL, as.matrix(frame), 3), c("a", "b", "c"))
})

test_that("what has no colours is an error, also what only looks like a Python object", {
  forged <- structure(list(), class = "python.builtin.object")
  for (col in list(forged, list("red"), mean, "no such", NA_character_[0], -1)) {
    expect_error(plot_boxes(c(1, 2, 5, 6), col = col), "col", class = "kerascrop_error_argument")
  }
})
