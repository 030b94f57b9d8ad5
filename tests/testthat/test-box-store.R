some_rows <- function(file = "a.jpg", label = "cat") {
  sides <- data.frame(x1 = c(0.1, 1 / 3), y1 = c(0, 2), x2 = c(10, 5e5), y2 = c(pi, 30))
  data.frame(file = file, sides, label = label, height = 40L, width = 60L)
}

test_that("boxes come back as they were, whatever the names and numbers are", {
  path <- withr::local_tempfile(fileext = ".csv")
  names <- c("a, \"b\".jpg", "caf\u00e9.png", "two\nlines.png", "sub/NA.png", "=1+1.png")
  for (name in names) stored <- store_boxes(path, name, some_rows(name, c("NA", "<b>,\"")))
  expect_identical(stored, do.call(rbind, lapply(names, some_rows, label = c("NA", "<b>,\""))))
  expect_identical(read_stored(path, "boxes", NULL), stored)
  plain <- utils::read.csv(path, encoding = "UTF-8") # as a script would
  expect_equal(plain[box_sides], stored[box_sides], tolerance = 0)
  expect_identical(plain$file, names[rep(seq_along(names), each = 2)])
})

test_that("the boxes of one image are replaced, those of others stay, also such as came from elsewhere", {
  path <- withr::local_tempfile(fileext = ".csv")
  store_boxes(path, "a.jpg", some_rows("a.jpg"))
  other <- utils::read.csv(path)
  utils::write.csv(rbind(other, replace(other, "file", "b.jpg")), path, row.names = FALSE) # another session
  stored <- store_boxes(path, "a.jpg", some_rows("a.jpg")[2, ])
  expect_identical(stored$file, c("b.jpg", "b.jpg", "a.jpg"))
  expect_identical(store_boxes(path, "b.jpg", no_boxes())$file, "a.jpg")
  expect_identical(nrow(store_boxes(path, "a.jpg", no_boxes())), 0L)
  expect_identical(read_stored(path, "boxes", NULL), no_boxes())
})

test_that("boxes that others wrote are read by the names of their columns", {
  path <- withr::local_tempfile(fileext = ".csv")
  expect_null(read_stored(path, "boxes", NULL))
  writeLines(c("label,ymin,xmin,ymax,xmax,file", ",1,2,3,4.5,a.png"), path)
  read <- read_stored(path, "boxes", NULL)
  expect_identical(unlist(read[box_sides]), c(x1 = 2, y1 = 1, x2 = 4.5, y2 = 3))
  expect_identical(read$label, "")
  expect_identical(read$height, NA_integer_)
})

test_that("what is no such file is an error, and stays as it is", {
  path <- withr::local_tempfile(fileext = ".csv")
  for (lines in list("a,b\n1,2", "file,x1,y1,x2,y2\na.png,3,0,1,5", "file,x1,y1,x2,y2\na.png,3,0,NA,5", "\"open")) {
    writeLines(lines, path)
    expect_error(store_boxes(path, "a.png", some_rows("a.png")), class = "kerascrop_error_box")
    expect_identical(readLines(path, warn = FALSE), strsplit(lines, "\n")[[1]])
  }
  expect_error(read_stored(tempdir(), "boxes", NULL), class = "kerascrop_error_box")
})

test_that("given boxes must say which file they are in", {
  for (x in list(1:4, list(), data.frame(x1 = 1), some_rows()[-1], "boxes.csv", some_rows(NA), some_rows(""))) {
    expect_error(as_stored(x, "boxes", NULL), "boxes", class = "kerascrop_error_box")
  }
  expect_identical(as_stored(some_rows(), "boxes", NULL), some_rows())
  expect_identical(as_stored(some_rows(label = factor("cat")), "boxes", NULL), some_rows())
  expect_identical(as_stored(some_rows()[0, ], "boxes", NULL), no_boxes())
})

test_that("numbers are written short, and read back the same", {
  x <- c(1, 0.1, 1 / 3, 1e-300, 123456789.123456789, NA)
  expect_identical(exact_numbers(x)[c(1, 2, 6)], c("1", "0.1", ""))
  expect_identical(as.double(exact_numbers(x[-6])), x[-6])
})
