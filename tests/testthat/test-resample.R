random_boxes <- function(n) {
  first <- matrix(stats::runif(2 * n, -6, 10), n)
  size <- matrix(stats::runif(2 * n, 0.1, 15), n)
  whole <- stats::runif(n) < 0.3
  first[whole, ] <- round(first[whole, ])
  size[whole, ] <- ceiling(size[whole, ])
  cbind(first, first + size)
}

test_that("crops are those of the module's sample(), with every option", {
  skip_without_python()
  sample_python <- kerascrop_python()$sample
  options <- expand.grid(
    how = c("bilinear", "bicubic", "nearest", "antialias"), fill_mode = fill_modes, fill_value = c(0, 5),
    stringsAsFactors = FALSE
  )
  withr::local_seed(1)
  for (i in rep(seq_len(nrow(options)), 6)) {
    how <- options[i, ]
    antialias <- how$how == "antialias"
    interpolation <- if (antialias) "bilinear" else how$how
    x <- array(stats::rnorm(3 * 7 * 9 * 2), c(3, 7, 9, 2))
    x <- x[, seq_len(sample(7, 1)), seq_len(sample(9, 1)), , drop = FALSE]
    boxes <- random_boxes(3)
    size <- sample(9, 2)
    crops <- suppressWarnings(
      crop_boxes(x, boxes, size[1], size[2], antialias, how$fill_mode, how$fill_value, interpolation),
      "kerascrop_warning_box" # some lie outside
    )
    expected <- sample_python(
      as_numpy(x, "float64"), as_numpy(boxes, "float64"), size, antialias, how$fill_mode, how$fill_value, interpolation
    )
    expect_equal(without_boxes(crops), from_numpy(expected), tolerance = 1e-12)
  }
})

test_that("crops that go back are the module's paste()", {
  skip_without_python()
  withr::local_seed(1)
  for (i in 1:20) {
    crops <- array(stats::rnorm(4 * 6 * 5 * 2), c(4, 6, 5, 2))
    boxes <- random_boxes(4)
    if (i %% 2) boxes <- boxes[, c(3, 2, 1, 4)]
    size <- sample(12, 2)
    expected <- kerascrop_python()$paste(
      as_numpy(crops, "float64"), as_numpy(boxes, "float64"), size, fill_value = 3
    )
    images <- uncrop(crops, boxes, size[1], size[2], fill_value = 3)
    expect_equal(array(images, c(4, size, 2)), from_numpy(expected), tolerance = 1e-12)
  }
})

test_that("missing numbers and those without end are seen where they have a weight", {
  x <- matrix(1:20 / 2, 4, 5)
  x[1, 1] <- NA
  x[4, 5] <- Inf
  y <- crop_boxes(x, c(0, 0, 5, 4), 8, 10)
  expect_identical(is.na(y[1:3, 1:3]), matrix(c(TRUE, TRUE, TRUE), 3, 3))
  expect_identical(sum(is.na(y)), 9L)
  expect_identical(sum(is.infinite(y)), 9L)
  expect_false(anyNA(crop_boxes(x, c(1, 1, 4, 4), 6, 6, antialias = TRUE)[3:4, 3:4]))
})

test_that("no function for arrays starts Python", {
  skip_on_cran()
  said <- in_new_process(c(
    "library(kerascrop)",
    "x <- array(runif(2 * 9 * 12 * 3), c(2, 9, 12, 3))",
    "box <- c(xmin = 1.5, xmax = 7, ymin = 2, ymax = 6.25)",
    "for (fit in c('resize', 'pad', 'keep')) {",
    "  crop_center(x, 20, 5, fit); crop_random(x, 20, 5, 1, fit); crop_multi(x, 20, 5, 'ten', if_smaller = fit)",
    "}",
    "crop_border(x, -1)",
    "for (how in c('bilinear', 'bicubic', 'nearest')) y <- crop_boxes(x, box, 5, 5, interpolation = how)",
    "y <- crop_boxes(x, box, 2, 2, antialias = TRUE, fill_mode = 'reflect')",
    "uncrop(y)",
    "box_iou(box, box); box_window(1:3, 2:4); boxes_from_masks(x)",
    "boxes_from_theta(theta_from_boxes(box, 'xyxy', 9, 12), 'xywh', 9, 12)",
    "image_array(x)",
    "pdf(NULL); plot_crops(x, rbind(box, box), crops = TRUE); plot_boxes(box, x[1, , , ])",
    "cat('Python:', 'reticulate' %in% loadedNamespaces() && reticulate::py_available(), '\\n')"
  ), c(RETICULATE_PYTHON = "/nowhere/python"))
  expect_match(said, "Python: FALSE", all = FALSE)
})
