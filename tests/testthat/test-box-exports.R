exported <- function() {
  data.frame(
    file = c("b.jpg", "sub/a.png", "b.jpg"), x1 = c(10, 0, 1 / 3), y1 = c(20, 0, 0.1), x2 = c(30, 100, 50),
    y2 = c(50, 80, 40.1), label = c("cup", "", "caf\u00e9"), height = c(80L, 100L, 80L), width = c(120L, 100L, 120L)
  )
}

test_that("COCO's JSON has places and sizes, images and classes by number", {
  skip_if_not_installed("jsonlite")
  coco <- jsonlite::fromJSON(coco_text(exported()))
  expect_identical(coco$images$file_name, c("b.jpg", "sub/a.png"))
  expect_identical(coco$images[c("width", "height")], data.frame(width = c(120L, 100L), height = c(80L, 100L)))
  expect_equal(do.call(rbind, coco$annotations$bbox), rbind(
    c(10, 20, 20, 30), c(0, 0, 100, 80), c(1 / 3, 0.1, 50 - 1 / 3, 40)
  ), tolerance = 1e-14)
  expect_identical(coco$images$file_name[match(coco$annotations$image_id, coco$images$id)], exported()$file)
  names <- coco$categories$name[match(coco$annotations$category_id, coco$categories$id)]
  expect_identical(names, c("cup", "object", "caf\u00e9"))
  expect_equal(coco$annotations$area, c(600, 8000, (50 - 1 / 3) * 40))
  expect_identical(jsonlite::fromJSON(coco_text(no_boxes()))$annotations, list())
})

test_that("pycocotools reads it", {
  skip_if_not_installed("jsonlite")
  skip_if_not(tryCatch(reticulate::py_module_available("pycocotools"), error = function(e) FALSE), "pycocotools")
  file <- withr::local_tempfile(fileext = ".json")
  writeLines(coco_text(exported()), file, useBytes = TRUE)
  coco <- NULL
  reticulate::py_capture_output(coco <- reticulate::import("pycocotools.coco")$COCO(file))
  expect_length(coco$getAnnIds(imgIds = 1L), 2)
  expect_equal(unlist(coco$loadAnns(1L)[[1]]$bbox), c(10, 20, 20, 30))
})

test_that("YOLO's files have centres and sizes as fractions, classes from 0 on", {
  folder <- withr::local_tempdir()
  write_archive(yolo_lines(exported()), file.path(folder, "a.tar.gz"))
  utils::untar(file.path(folder, "a.tar.gz"), exdir = folder, tar = "internal")
  read <- function(name) as.matrix(utils::read.table(file.path(folder, name)))
  classes <- readLines(file.path(folder, "classes.txt"), encoding = "UTF-8")
  b <- read("b.txt")
  expect_identical(classes[b[, 1] + 1], c("cup", "caf\u00e9"))
  expect_equal(unname(b[1, -1]), c(20 / 120, 35 / 80, 20 / 120, 30 / 80))
  corners <- cbind(b[, 2] - b[, 4] / 2, b[, 3] - b[, 5] / 2, b[, 2] + b[, 4] / 2, b[, 3] + b[, 5] / 2)
  expect_equal(unname(corners) %*% diag(c(120, 80, 120, 80)), unname(as.matrix(exported()[c(1, 3), box_sides])))
  expect_equal(unname(read("sub/a.txt")[1, ]), c(which(classes == "object") - 1, 0.5, 0.4, 1, 0.8))
  expect_identical(yolo_lines(no_boxes()), list(classes.txt = character()))
  alike <- replace(exported(), "file", c("a.jpg", "a.png", "a.jpg"))
  expect_error(yolo_lines(alike), "a.png", class = "kerascrop_error_argument")
})
