# A box from column 2 to 4 and row 3 to 4, in all the ways that it may be written.
named_boxes <- list(
  c(x1 = 1, y1 = 2, x2 = 4, y2 = 4), c(y2 = 4, x2 = 4, y1 = 2, x1 = 1), c(X1 = 1, X2 = 4, Y1 = 2, Y2 = 4),
  data.frame(xmin = 1, xmax = 4, ymin = 2, ymax = 4), # Shiny's brush, VOC
  data.frame(ymin = 2, xmin = 1, ymax = 4, xmax = 4), # TensorFlow
  list(xmin = 1, xmax = 4, ymin = 2, ymax = 4, domain = list(left = 0, right = 12), direction = "xy"),
  c(left = 1, top = 2, right = 4, bottom = 4), c(Top = 2, Left = 1, Bottom = 4, Right = 4),
  c(left = 1, upper = 2, right = 4, lower = 4), c(t = 2, l = 1, b = 4, r = 4),
  c(xleft = 1, ybottom = 4, xright = 4, ytop = 2), # as rect() has it
  c(x0 = 1, y0 = 2, x1 = 4, y1 = 4), c(x = 1, y = 2, xend = 4, yend = 4),
  c(x = 1, y = 2, w = 3, h = 2), c(height = 2, width = 3, x = 1, y = 2), c(left = 1, top = 2, width = 3, height = 2),
  c(xmin = 1, ymin = 2, w = 3, h = 2), c(cx = 2.5, cy = 3, w = 3, h = 2),
  data.frame(x_center = 2.5, y_center = 3, width = 3, height = 2),
  data.frame(bbox_x = 1, bbox_y = 2, bbox_w = 3, bbox_h = 2),
  data.frame(X.Min = 1L, Y.Min = 2L, X.Max = 4L, Y.Max = 4L),
  # the image's size stands beside the sides
  data.frame(file = "a.jpg", width = 12, height = 9, class = "cat", xmin = 1, ymin = 2, xmax = 4, ymax = 4),
  cbind(score = 0.5, y1 = 2, y2 = 4, x1 = 1, x2 = 4),
  # COCO
  list(bbox = c(1, 2, 3, 2)), list(id = 7, bbox = list(1, 2, 3, 2)), data.frame(id = 1, bbox = I(list(c(1, 2, 3, 2)))),
  data.frame(id = 1, bbox = I(matrix(c(1, 2, 3, 2), 1))), list(bbox = data.frame(x = 1, y = 2, width = 3, height = 2))
)
named_box <- box_window(3:4, 2:4)

wrong_names <- list(
  c(a = 1, b = 2, c = 4, d = 4), c(x1 = 1, y1 = 2, x2 = 4, d = 4), c(x1 = 1, 2, 4, 4),
  c(x1 = 1, y1 = 2, x2 = 4, x2 = 4),
  c(x1 = 1, xmin = 1, x2 = 4, y1 = 2, y2 = 4), c(x1 = 1, x2 = 4, y = 2, h = 2), c(x = 1, y = 2, w = 3, d = 2),
  data.frame(matrix(1:4, 1)), data.frame(x1 = 1, y1 = 2), data.frame(x1 = "1", y1 = "2", x2 = "4", y2 = "4"),
  data.frame(x1 = factor(1), y1 = 2, x2 = 4, y2 = 4), list(x1 = 1, y1 = 2, x2 = 4, y2 = c(4, 5)),
  list(x1 = mean, y1 = 2, x2 = 4, y2 = 4), list(bbox = 1:3), list(bbox = "a"), data.frame(bbox = 1),
  c(x = 1, y = 2, w = 0, h = 2), c(cx = 1, cy = 2, w = 3, h = -2), list(bbox = c(1, 2, 3, 0)), list(1, 2, 4, 4)
)

test_that("names tell a box's numbers, whatever their order", {
  x <- some_images(c(9, 12, 3))
  expected <- crop_boxes(x, named_box)
  crops <- without_boxes(expected)
  for (box in named_boxes) {
    expect_identical(crop_boxes(x, box), expected)
    expect_identical(box_iou(box, named_box), 1)
    expect_identical(box_iou(named_box, box), 1)
    expect_identical(uncrop(crops, box, 9, 12), uncrop(crops, named_box, 9, 12))
    expect_identical(list(box_rows(box), box_cols(box)), list(3:4, 2:4))
  }
})

test_that("several boxes with names are several boxes", {
  boxes <- rbind(named_box, box_window(5:8, 1:9), box_window(1, 12))
  frame <- data.frame(label = letters[1:3], w = c(3, 9, 1), h = c(2, 4, 1), x = boxes[, 1], y = boxes[, 2])
  coco <- data.frame(id = 3:1)
  coco$bbox <- split(as.matrix(frame[c("x", "y", "w", "h")]), 1:3)
  for (named in list(frame, as.list(frame), as.matrix(frame[-1]), coco, as.data.frame(boxes)[4:1])) {
    expect_identical(box_iou(named, boxes), c(1, 1, 1))
  }
  expect_identical(nrow(as_boxes(frame[0, ])), 0L)
  expect_identical(nrow(as_boxes(coco[0, ])), 0L)
})

test_that("other names are errors, which show what was understood", {
  x <- matrix(0, 9, 12)
  for (box in wrong_names) {
    expect_error(crop_boxes(x, box), "boxes", class = "kerascrop_error_box")
    expect_error(box_iou(box, named_box), "boxes", class = "kerascrop_error_box")
    expect_error(uncrop(x, box, 9, 12), "boxes", class = "kerascrop_error_box")
    expect_error(theta_from_boxes(box, "xyxy", 9, 12), "boxes", class = "kerascrop_error_box")
  }
  # half of the names say nothing of boxes: numbers in order
  expect_identical(as_boxes(cbind(1, 2, 4, down = 4)), named_box)
  expect_snapshot(error = TRUE, {
    box_iou(c(xmin = 1, xmax = 4, top = 2, foo = 4), named_box)
    theta_from_boxes(c(x = 1, y = 2, w = 3, h = 2), "rel_xyxy")
  })
})

test_that("images' numbers beside boxes must be those of the rows", {
  x <- some_images(c(2, 9, 12, 1))
  boxes <- data.frame(image = 1:2, rbind(named_box, named_box + 1))
  expect_no_error(crop_boxes(x, boxes))
  expect_no_error(crop_boxes(x, transform(boxes, image = c(17, 4))))
  expect_no_error(crop_boxes(x[1, , , , drop = FALSE], transform(boxes, image = 1)))
  withr::local_pdf(NULL)
  for (image in list(2:1, c(1, 1))) {
    boxes$image <- image
    expect_error(crop_boxes(x, boxes), "image", class = "kerascrop_error_box")
    expect_error(plot_crops(x, boxes), "image", class = "kerascrop_error_box")
  }
})

test_that("plots take boxes with names, and lists of sets of them", {
  withr::local_pdf(NULL)
  x <- matrix(0, 9, 12)
  for (box in named_boxes) {
    expect_identical(as_box_list(box, 1), list(named_box))
    expect_identical(as_box_list(list(a = box, b = named_box), 1), list(a = named_box, b = named_box))
    expect_identical(plot_boxes(box, x), box)
    expect_identical(plot_crops(x, box, crops = TRUE), x)
  }
  sets <- list(left = c(0, 0, 2, 2), right = c(4, 0, 6, 2)) # names of a legend
  expect_identical(names(as_box_list(sets, 1)), c("left", "right"))
  for (box in wrong_names) expect_error(plot_boxes(list(a = box)), "boxes", class = "kerascrop_error_box")
})

test_that("layers, losses and companions know the names", {
  skip_without_python()
  x <- some_images(c(1, 9, 12, 3))
  expected <- from_numpy(layer_box_crop(list(x, named_box), 4, 5))
  crops <- some_images(c(1, 4, 5, 3))
  pasted <- from_numpy(layer_uncrop(list(crops, named_box), 9, 12))
  as_frame <- function(box) if (is.list(box)) box else as.list(if (is.matrix(box)) box[1, ] else box)
  for (box in named_boxes) {
    box <- as_frame(box)
    expect_identical(from_numpy(layer_box_crop(list(x, box), 4, 5)), expected)
    expect_identical(from_numpy(layer_box_crop(list(images = x, boxes = box), 4, 5)$images), expected)
    expect_identical(from_numpy(layer_uncrop(list(crops, box), 9, 12)), pasted)
    expect_identical(from_numpy(layer_custom_crop(x, 4, 5, function(images, training) box)), expected)
    expect_equal(from_numpy(loss_box(box, box)), 0, tolerance = 1e-6)
    cut <- layer_border_crop(list(images = x[1, , , ], bounding_boxes = list(boxes = box)), 1)$bounding_boxes$boxes
    expect_equal(as.vector(from_numpy(cut)), as.vector(named_box) - 1)
    theta <- theta_from_boxes(box, "xyxy", 9, 12)
    expect_identical(theta, theta_from_boxes(named_box, "xyxy", 9, 12))
  }
  layer <- layer_box_crop(height = 4, width = 5)
  named <- Filter(function(box) !is.null(names(box)), wrong_names)
  for (box in named) expect_error(layer(list(x, box)), "boxes", class = "kerascrop_error_box")
  expect_error(layer_custom_crop(x, 4, 5, function(images, training) c(a = 1, b = 2, c = 4, d = 4)), "names",
               class = "kerascrop_error_box")
  # an array's last axis
  boxes <- array(named_box[, 4:1], c(1, 1, 4), list(NULL, NULL, c("y2", "x2", "y1", "x1")))
  expect_identical(from_numpy(layer(list(x, boxes)))[, 1, , , ], expected[1, , , ])
  batches <- function() list(images = x, bounding_boxes = list(boxes = boxes))
  batch <- reticulate::iter_next(crop_generator(batches, 9, 12))
  expect_equal(as.vector(batch$bounding_boxes$boxes), as.vector(named_box))
})

test_that("names have to agree with a format that is given", {
  skip_without_python()
  x <- some_images(c(1, 9, 12, 1))
  crop <- function(box, box_format) from_numpy(layer_box_crop(list(x, t(box)), 4, 5, box_format))
  expected <- crop(named_box[1, ], "xyxy")
  fractions <- c(12, 9, 12, 9)
  sides <- named_box[1, 4:1]
  sized <- c(h = 2, y = 2, w = 3, x = 1)
  expect_identical(crop(sides, "yxyx"), expected)
  expect_identical(crop(sized, "xywh"), expected)
  expect_identical(crop(c(h = 2, cy = 3, w = 3, cx = 2.5), "center_yxhw"), expected)
  expect_identical(crop(c(h = 2, y = 3, w = 3, x = 2.5), "center_xywh"), expected)
  expect_equal(crop(sides / rev(fractions), "rel_yxyx"), expected, tolerance = 1e-6)
  expect_equal(crop(sized / fractions[c(2, 2, 1, 1)], "rel_xywh"), expected, tolerance = 1e-6)
  for (case in list(list(sides, "xywh"), list(sides, "rel_center_xywh"), list(sized, "yxyx"), list(sized, "grid"),
                    list(c(cx = 3, cy = 3, w = 2, h = 2), "xywh"))) {
    expect_error(crop(case[[1]], case[[2]]), "box_format", class = "kerascrop_error_box")
  }
})
