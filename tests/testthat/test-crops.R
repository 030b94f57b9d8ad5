arrays <- list(
  matrix = matrix(c(1:19, NA), 4, 5), colours = array(runif(60), c(4, 5, 3)), batch = array(1:120 / 2, c(2, 4, 5, 3)),
  bytes = as.raw(1:20) |> array(c(4, 5)), mask = matrix(rep(c(TRUE, FALSE), 10), 4, 5)
)

# The middle of two rows and two columns, as R cuts it.
slice <- function(x) {
  shape <- length(dim(x))
  index <- c(if (shape == 4) list(TRUE), list(2:3, 2:3), if (shape > 2) list(TRUE))
  do.call(`[`, c(list(x), index, list(drop = FALSE)))
}

test_that("crops are compared by their numbers, and know their boxes", {
  for (x in arrays) {
    crop <- crop_center(x, 2, 2)
    expect_true(all.equal(crop, slice(x)))
    expect_identical(crop, slice(x))
    expect_match(all.equal(crop, slice(x)[1]), "Length|Lengths|Attributes", all = FALSE)
    expect_identical(unname(attr(crop, "boxes")[1, ]), c(1, 1, 3, 3))
    expect_identical(dim(crop), dim(slice(x)))
    expect_identical(typeof(crop), typeof(x))
    expect_identical(is.matrix(crop), is.matrix(x))
    expect_identical(capture.output(crop), capture.output(slice(x)))
    expect_true(identical(slice(uncrop(crop)), slice(x)))
  }
})

test_that("what is computed of crops is a plain array", {
  x <- arrays$colours
  crop <- crop_center(x, 2, 2)
  mask <- crop_center(arrays$mask, 2, 2)
  made <- list(
    crop * 2, 2 * crop, -crop, crop + crop, crop > 0.5, crop == slice(x), sqrt(crop), round(crop, 1), crop[, , 1:2],
    crop[1, , ], as.vector(crop), aperm(crop), array(crop, dim(crop)), unlist(list(crop)), ifelse(crop > 0.5, 1, 0)
  )
  part <- slice(x)
  expected <- list(
    part * 2, 2 * part, -part, part + part, part > 0.5, part == part, sqrt(part), round(part, 1), part[, , 1:2],
    part[1, , ], as.vector(part), aperm(part), array(part, dim(part)), unlist(list(part)), ifelse(part > 0.5, 1, 0)
  )
  for (i in seq_along(made)) expect_true(identical(made[[i]], expected[[i]]))
  expect_true(identical(!mask, !slice(arrays$mask)))
  expect_true(identical(t(mask), t(slice(arrays$mask))))
  expect_true(identical(sum(crop), sum(part)))
  expect_true(identical(crop_center(arrays$matrix, 2, 2) %*% diag(2), slice(arrays$matrix) %*% diag(2)))
  flat <- crop
  dim(flat) <- NULL
  expect_true(identical(flat, as.vector(part)))
})

test_that("some numbers of crops can be replaced before they go back", {
  x <- matrix(1:20, 4, 5)
  crop <- crop_center(x, 2, 2)
  crop[1, ] <- 0L
  x[2, 2:3] <- 0L
  expect_true(identical(slice(uncrop(crop)), slice(x)))
})

test_that("crops are arrays to all functions of the package, and to Python", {
  x <- array(runif(160), c(8, 10, 2))
  crop <- crop_center(x, 4, 6)
  part <- x[3:6, 3:8, ]
  expect_true(identical(without_boxes(crop_center(crop, 2, 2)), without_boxes(crop_center(part, 2, 2))))
  expect_true(identical(image_array(list(crop, part))[1, , , ], image_array(list(part, part))[1, , , ]))
  expect_identical(boxes_from_masks(crop > 0.5), boxes_from_masks(part > 0.5))
  skip_without_python()
  expect_true(identical(from_numpy(as_numpy(crop, "float64")), part))
  expect_identical(reticulate::py_to_r(reticulate::r_to_py(crop)), part)
  expect_identical(reticulate::py_to_r(reticulate::r_to_py(list(a = crop))), list(a = part))
  batch <- crop_center(array(runif(320), c(2, 8, 10, 2)), 4, 6)
  layer <- layer_center_crop(height = 2, width = 2)
  expect_equal(from_numpy(layer(batch)), batch[, 2:3, 3:4, ], tolerance = 1e-6)
  expect_equal(from_numpy(layer_center_crop(batch, 2, 2)), batch[, 2:3, 3:4, ], tolerance = 1e-6)
})
