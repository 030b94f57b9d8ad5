table_row <- function(file = "a.jpg", label = "cat") {
  sides <- data.frame(x1 = c(0.1, 1 / 3), y1 = c(0, 2), x2 = c(10, 50), y2 = c(pi, 30))
  data.frame(file = file, sides, label = label, height = 40L, width = 60L)
}

csv_file <- function(..., env = parent.frame()) {
  path <- withr::local_tempfile(fileext = ".csv", .local_envir = env)
  writeLines(c(...), path, sep = "\n", useBytes = TRUE)
  path
}

test_that("boxes must say which file they are in", {
  for (x in list(
    1:4, list(), data.frame(x1 = 1), table_row()[-1], "boxes.csv", table_row(NA), table_row(""), NULL, globalenv()
  )) {
    expect_error(as_box_table(x, "boxes", NULL), "boxes", class = "kerascrop_error_box")
  }
  expect_identical(as_box_table(table_row(), "boxes", NULL), table_row())
  expect_identical(as_box_table(table_row(factor("a.jpg"), factor("cat")), "boxes", NULL), table_row())
  expect_identical(as_box_table(table_row(label = 7L), "boxes", NULL)$label, c("7", "7"))
  expect_identical(as_box_table(table_row()[0, ], "boxes", NULL), no_boxes())
})

test_that("a height and width beside a corner are the box's, beside four sides the image's", {
  corner <- data.frame(file = "a.jpg", x = 1, y = 2, width = 3, height = 4)
  table <- as_box_table(corner, "boxes", NULL)
  expect_equal(table[box_sides], data.frame(x1 = 1, y1 = 2, x2 = 4, y2 = 6))
  expect_identical(table$height, NA_integer_)
})

test_that("numbers are written short, and read back the same", {
  x <- c(1, 0.1, 1 / 3, 1e-300, 123456789.123456789, NA)
  expect_identical(exact_numbers(x)[c(1, 2, 6)], c("1", "0.1", ""))
  expect_identical(as.double(exact_numbers(x[-6])), x[-6])
})

test_that("CSV files of others are read: any names of sides, any order, missing values, and a byte order mark", {
  path <- csv_file("\ufefflabel,ymin,xmin,ymax,xmax,file,comment", ",1,2,3,4.5,a.png,\"x,\ny\"", "NA,NA,,NaN,,b.png,z")
  read <- read_boxes(path)
  expect_identical(unlist(read[1, box_sides]), c(x1 = 2, y1 = 1, x2 = 4.5, y2 = 3))
  expect_identical(read$label, c("", "NA"))
  expect_identical(is.na(read$x1), c(FALSE, TRUE))
  expect_identical(read$height, c(NA_integer_, NA_integer_))
  path <- withr::local_tempfile()
  cat("file,x1,y1,x2,y2\r\na.png,1,2,3,4", file = path) # without an end of the line
  expect_identical(read_boxes(path)$y2, 4)
  file.create(path)
  expect_identical(read_boxes(path), no_boxes())
})

test_that("what is no such file is an error that says where", {
  expect_error(read_boxes(csv_file("a,b", "1,2")), "file", class = "kerascrop_error_box")
  header <- "file,x1,y1,x2,y2"
  for (line in c("a.png,3,0,1,5", "a.png,3,0,NA,5", "a.png,1,2,x,4", "a.png,1_0,2,30,4", ",1,2,3,4", "a.png,1,2,3")) {
    expect_error(read_boxes(csv_file(header, "b.png,1,2,3,4", line)), class = "kerascrop_error_box")
  }
  expect_error(read_boxes(csv_file(header, "b.png,1,2,3,4", "a.png,1,2,x,4")), "row 2.*x2.*x")
  expect_error(read_boxes(csv_file(header, "\"open")), class = "kerascrop_error_box")
  expect_error(read_boxes(csv_file("file,x1,y1,x2,y2,x2", "a.png,1,2,3,4,5")), "twice", class = "kerascrop_error_box")
  expect_error(read_boxes(csv_file(header, "caf\xe9.png,1,2,3,4")), "UTF-8", class = "kerascrop_error_box")
  path <- withr::local_tempfile()
  writeBin(as.raw(c(0x66, 0, 0x69)), path)
  expect_error(read_boxes(path), "UTF-8", class = "kerascrop_error_box")
})
