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
