test_that("cluttered_digits() puts each digit where its box says", {
  skip_without_python()
  digits <- cluttered_digits(20, distractors = 0, seed = 1)
  expect_identical(dim(digits$x), c(20L, 64L, 64L, 1L))
  expect_true(is.integer(digits$y) && all(digits$y %in% 0:9))
  for (i in 1:20) {
    box <- digits$boxes[i, ]
    expect_equal(sum(digits$x[i, , , ]), sum(digits$x[i, box_rows(box), box_cols(box), ]))
  }
})

test_that("seeds replay, R's own too", {
  skip_without_python()
  expect_identical(cluttered_digits(3, seed = 4), cluttered_digits(3, seed = 4))
  set.seed(1)
  a <- cluttered_digits(3)
  set.seed(1)
  expect_identical(cluttered_digits(3), a)
})

test_that("wrong arguments are errors", {
  expect_error(cluttered_digits(0), "`n`", class = "kerascrop_error_size")
  expect_error(cluttered_digits(1, split = "val"), "split", class = "kerascrop_error_argument")
  expect_error(cluttered_digits(1, distractors = -1), "distractors", class = "kerascrop_error_size")
  skip_without_python()
  expect_error(cluttered_digits(1, canvas = 10), "canvas", class = "kerascrop_error_size")
})

test_that("they print as one line, and draw themselves", {
  skip_without_python()
  digits <- cluttered_digits(3, seed = 1)
  expect_output(print(digits), "^3 images `x` of 64 x 64 pixels with a digit `y` of 20 x 20 each, at `boxes`$")
  withr::local_pdf(NULL)
  expect_identical(plot(digits, crops = TRUE), digits)
  skip_if_not_installed("ggplot2")
  page <- ggplot2::ggplot_build(ggplot2::autoplot(digits, max = 2))
  expect_identical(nrow(page$data[[1]]), 2L * 64L * 64L)
  expect_equal(as.matrix(page$data[[2]][c("xmin", "xmax")]), digits$boxes[1:2, c("x1", "x2")], ignore_attr = TRUE)
  # a pixel's colour is its light
  first <- subset(page$data[[1]], PANEL == 1 & x == 9.5 & abs(y) == 4.5)
  light <- grDevices::col2rgb(first$fill)[1] / 255
  expect_equal(light, digits$x[1, 5, 10, 1], tolerance = 0.05)
})

test_that("plot() takes other titles", {
  skip_without_python()
  withr::local_pdf(NULL)
  digits <- cluttered_digits(2, seed = 1)
  expect_identical(plot(digits, titles = c("a", "b")), digits)
})
