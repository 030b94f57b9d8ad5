# The numbers of rows that are seen at -3 to 8 in an image of four.
seen <- list(
  nearest = c(1, 1, 1, 1, 1:4, 4, 4, 4, 4), reflect = c(4:1, 1:4, 4:1), mirror = c(3, 4, 3, 2, 1:4, 3, 2, 1, 2)
)

test_that("pixels that are added show the image again", {
  x <- array(1:24, c(2, 4, 3))
  for (mode in names(seen)) {
    expect_identical(seen_lines(-3:8, 4, mode), as.double(seen[[mode]]))
    expect_true(all(seen_lines(-3:8, 1, mode) == 1))
    y <- crop_border(x[1, , ], list(c(-4, -4), 0), fill_mode = mode)
    expect_identical(without_boxes(y), x[1, seen[[mode]], ])
  }
})

test_that("arrays are filled as the layers fill", {
  skip_without_python()
  x <- some_images()
  for (mode in window_fill_modes) {
    fill <- list(fill_mode = mode, fill_value = 7)
    same <- function(layer, crop, ...) {
      arguments <- c(list(x, ...), fill)
      expect_equal(from_numpy(do.call(layer, arguments)), without_boxes(do.call(crop, arguments)))
    }
    same(layer_border_crop, crop_border, list(c(-12, 1), c(-1, -3)))
    same(layer_window_crop, crop_window, rows = 8:14, if_smaller = "pad")
    for (position in list("center", "start", c("end", "start"))) {
      same(layer_center_crop, crop_center, 14, 20, if_smaller = "pad", pad_position = position)
    }
    if (mode != "mirror") {
      boxes <- crop_boxes(x[1, , , ], c(-2, 3, 15, 8), fill_mode = mode, fill_value = 7)
      theirs <- layer_box_crop(list(x[1, , , ], c(-2, 3, 15, 8)), 5, 17, fill_mode = mode, fill_value = 7)
      expect_equal(without_boxes(boxes), from_numpy(theirs))
    }
  }
})

test_that("images are padded at random places, and crops reach out of them at random", {
  x <- matrix(1, 3, 4)
  tops <- replicate(50, attr(crop_random(x, 5, 4, if_smaller = "pad", pad_position = "random"), "boxes")[2])
  expect_setequal(tops, -2:0)
  boxes <- t(replicate(300, attr(crop_random(x, 3, 4, random_pad = 1), "boxes")[1:2]))
  expect_setequal(paste(boxes[, 1], boxes[, 2]), outer(-1:1, -1:1, paste))
  expect_identical(sum(crop_random(x, 3, 4, random_pad = 1, fill_mode = "mirror")), 12)
})

test_that("what does not go is an error", {
  x <- matrix(0, 3, 4)
  expect_error(crop_center(x, 2, 2, pad_position = "end"), "pad_position", class = "kerascrop_error_argument")
  for (position in list("random", "left", 1, character(), NULL)) {
    expect_error(
      crop_center(x, 5, 5, "pad", pad_position = position), "pad_position", class = "kerascrop_error_argument"
    )
  }
  expect_error(crop_border(x, -1, fill_mode = "wrap"), "fill_mode", class = "kerascrop_error_argument")
  expect_error(crop_random(x, 2, 2, random_pad = -1), "random_pad", class = "kerascrop_error_size")
  expect_error(
    crop_random(x, 2, 2, if_smaller = "resize", random_pad = 1), "random_pad", class = "kerascrop_error_argument"
  )
  expect_error(
    layer_box_crop(height = 2, width = 2, fill_mode = "mirror"), "fill_mode", class = "kerascrop_error_argument"
  )
})
