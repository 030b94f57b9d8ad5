# A folder of text files, by their names; lines are the file's.
text_folder <- function(..., env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  texts <- list(...)
  for (name in names(texts)) {
    dir.create(dirname(file.path(folder, name)), showWarnings = FALSE, recursive = TRUE)
    writeLines(texts[[name]], file.path(folder, name), useBytes = TRUE)
  }
  folder
}

known <- data.frame(file = "a.png", height = 40, width = 50)

test_that("lines are classes, centres and sizes; confidences are left out, and outlines have boxes around them", {
  lines <- c("1 0.5 0.5 0.2 0.5", "0 0.1 0.25 0.2 0.5 0.93", "", "1 0 0 0.2 0.1 0.1 0.5")
  read <- read_boxes(text_folder(a.txt = lines, classes.txt = c("cat", "dog")), images = known)
  expect_equal(read, data.frame(
    file = "a.png", x1 = c(20, 0, 0), y1 = c(10, 0, 0), x2 = c(30, 10, 10), y2 = c(30, 20, 20),
    label = c("dog", "cat", "dog"), height = 40L, width = 50L
  ))
  expect_identical(read_boxes(text_folder(a.txt = lines), "yolo", images = known)$label, c("1", "0", "1"))
  expect_identical(read_boxes(text_folder(a.txt = character()), images = known)$x1, NA_real_)
})

test_that("names of classes come from classes.txt or data.yaml, in the folder or above", {
  skip_if_not_installed("yaml")
  line <- "1 0.5 0.5 0.2 0.5"
  for (names in list(
    c("names:", "  0: cat # a comment", "  1: 007"), "names: [cat, '007']", c("nc: 2", "names: ['cat',", "  \"007\"]"),
    c("path: .", "names:", "- cat", "- \"007\"", "train: images"), "names: {1: 007, 0: cat}"
  )) {
    folder <- text_folder("labels/train/a.txt" = line, data.yaml = names)
    expect_identical(read_boxes(file.path(folder, "labels", "train"), images = known)$label, "007")
  }
  folder <- text_folder(a.txt = line, data.yaml = "names: [yes, no]", classes.txt = c("x", "y z"))
  expect_identical(read_boxes(folder, images = known)$label, "y z")
  unlink(file.path(folder, "classes.txt"))
  expect_identical(read_boxes(folder, images = known)$label, "no") # as it is written, not as YAML understands it
  for (names in list("nc: 2", "names: {0: a, 2: b}", "names: [a", "names: []")) {
    folder <- text_folder(a.txt = line, data.yaml = names)
    expect_error(read_boxes(folder, images = known), "data.yaml", class = "kerascrop_error_box")
  }
})

test_that("images are found beside the labels, or where Ultralytics has them", {
  skip_if_not_installed("png")
  line <- "0 0.5 0.5 0.2 0.5"
  places <- list(c("a.txt", "a.png"), c("labels/a.txt", "images/a.png"), c("labels/val/a.txt", "images/val/a.png"))
  for (place in places) {
    folder <- do.call(text_folder, rlang::set_names(list(line, "x"), place))
    png::writePNG(matrix(0, 40, 50), file.path(folder, place[2]))
    read <- read_boxes(dirname(file.path(folder, place[1])))
    expect_equal(unlist(read[c("x1", "y2", "width")]), c(x1 = 20, y2 = 30, width = 50))
    expect_identical(read$file, "a.png")
    if (startsWith(place[1], "labels")) expect_identical(read_boxes(folder, "yolo")$file, place[2])
  }
  file.copy(file.path(folder, "images/val/a.png"), file.path(folder, "images/val/a.jpg"))
  expect_error(read_boxes(file.path(folder, "labels")), "there are 2", class = "kerascrop_error_box")
})

test_that("what is no line is an error that says where", {
  for (line in c(
    "0", "0 0.5 0.5 0.2", "0 0.5 0.5 0.2 x", "cat 0.5 0.5 0.2 0.2", "0 25 20 10 20", "2 0.5 0.5 0.2 0.2",
    "-1 0.5 0.5 0.2 0.2", "0.5 0.5 0.5 0.2 0.2", "0 0.5 0.5 0 0.2", "0 0.5 0.5 -0.1 0.2", "0 1 2 3 4 5 6 7"
  )) {
    folder <- text_folder(a.txt = c("0 0.5 0.5 0.2 0.5", line), classes.txt = c("cat", "dog"))
    expect_error(read_boxes(folder, images = known), "line 2", class = "kerascrop_error_box")
  }
  rows <- data.frame(file = "a.png", x1 = -40, y1 = 2, x2 = 30, y2 = 4, label = "a", height = 40L, width = 50L)
  expect_error(write_boxes(rows, tempfile(), "yolo"), "row 1.*a.png", class = "kerascrop_error_box")
  rows <- transform(rows, x1 = 1, label = "two\nlines")
  expect_error(write_boxes(rows, tempfile(), "yolo"), class = "kerascrop_error_box")
})
