some_rows <- function(file = "a.jpg", label = "cat") {
  sides <- data.frame(x1 = c(0.1, 1 / 3), y1 = c(0, 2), x2 = c(10, 50), y2 = c(pi, 30))
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
  expect_null(read_stored(tempfile(), "boxes", NULL))
})

test_that("what is no such file is an error, and stays as it is", {
  path <- withr::local_tempfile(fileext = ".csv")
  for (lines in list("a,b\n1,2", "file,x1,y1,x2,y2\na.png,3,0,1,5", "file,x1,y1,x2,y2\na.png,3,0,NA,5", "\"open")) {
    writeLines(lines, path)
    expect_error(store_boxes(path, "a.png", some_rows("a.png")), class = "kerascrop_error_box")
    expect_identical(readLines(path, warn = FALSE), strsplit(lines, "\n")[[1]])
  }
  expect_error(read_stored(tempdir(), "boxes", NULL), class = "kerascrop_error_argument")
})
