box_of_every_format <- list(
  xyxy = c(3, 2, 9, 6), yxyx = c(2, 3, 6, 9), xywh = c(3, 2, 6, 4), center_xywh = c(6, 4, 6, 4),
  center_yxhw = c(4, 6, 4, 6), rel_xyxy = c(3 / 12, 2 / 9, 9 / 12, 6 / 9), rel_yxyx = c(2 / 9, 3 / 12, 6 / 9, 9 / 12),
  rel_xywh = c(3 / 12, 2 / 9, 6 / 12, 4 / 9), rel_center_xywh = c(6 / 12, 4 / 9, 6 / 12, 4 / 9),
  grid = c(-0.5, -5 / 9, 0.5, 1 / 3)
)

test_that("every format becomes sides, and comes back", {
  expect_setequal(names(box_of_every_format), box_formats)
  for (format in box_formats) {
    box <- t(box_of_every_format[[format]])
    expect_equal(to_sides(box, format, 9, 12), t(box_of_every_format$xyxy))
    expect_equal(from_sides(t(box_of_every_format$xyxy), format, 9, 12), box)
    expect_identical(dim(to_sides(box[0, , drop = FALSE], format, 9, 12)), c(0L, 4L))
  }
})

test_that("the module converts in the same way", {
  skip_without_python()
  boxes <- matrix(stats::runif(40), ncol = 4)
  boxes[, 3:4] <- boxes[, 1:2] + boxes[, 3:4]
  for (format in box_formats) {
    there <- kerascrop_python()$convert_boxes(as_numpy(boxes, "float64"), "xyxy", format, height = 9L, width = 12L)
    expect_equal(from_sides(boxes, format, 9, 12), from_numpy(there), tolerance = 1e-14)
  }
})
