json_file <- function(text, env = parent.frame()) {
  path <- withr::local_tempfile(fileext = ".json", .local_envir = env)
  writeLines(text, path, useBytes = TRUE)
  path
}

coco <- function(images = '{"id": 7, "file_name": "a.png", "height": 40, "width": 50}',
                 annotations = '{"id": 1, "image_id": 7, "category_id": 90, "bbox": [1, 2, 3.5, 4]}',
                 categories = '{"id": 90, "name": "cat"}') {
  sprintf('{"images": [%s], "annotations": [%s], "categories": [%s]}', images, annotations, categories)
}

test_that("images, boxes and classes are joined by their numbers, which may be any", {
  skip_if_not_installed("jsonlite")
  expect_identical(read_boxes(json_file(coco())), data.frame(
    file = "a.png", x1 = 1, y1 = 2, x2 = 4.5, y2 = 6, label = "cat", height = 40L, width = 50L
  ))
  crowd <- '{"image_id": "b", "category_id": 90, "bbox": [1, 2, 3, 4], "iscrowd": 1}'
  first <- '{"image_id": "b", "category_id": 5, "bbox": [0, 0, 9, 9], "xyxy": [0, 0, 8, 8]}'
  images <- '{"id": 7, "file_name": "a.png"}, {"id": "b", "file_name": "b/\\u00fc.png"}, {"id": 8, "file_name": "c"}'
  names <- '{"id": 90, "name": "cat"}, {"id": 5, "name": "1"}'
  last <- '{"image_id": 7, "category_id": 90, "bbox": [1, 2, 3, 4]}'
  read <- read_boxes(json_file(coco(images, paste(crowd, first, last, sep = ","), names)))
  expect_identical(read$file, c("a.png", "b/\u00fc.png", "c"))
  expect_identical(read$label, c("cat", "1", ""))
  expect_identical(read$x2, c(4, 9, NA)) # what is stored beside, and contradicts, does not count
  expect_identical(nrow(read_boxes(json_file(coco("", "", "")))), 0L)
})

test_that("places and sizes, images and classes are written by number", {
  skip_if_not_installed("jsonlite")
  path <- withr::local_tempfile(fileext = ".json")
  rows <- data.frame(
    file = c("b.jpg", "a.png", "b.jpg"), x1 = c(10, 0, 1 / 3), y1 = c(20, 0, 0.1), x2 = c(30, 100, 50),
    y2 = c(50, 80, 40.1), label = c("cup", "", "caf\u00e9"), height = c(80L, 100L, 80L), width = c(120L, 100L, 120L)
  )
  write_boxes(rows, path)
  coco <- jsonlite::fromJSON(path)
  expect_identical(coco$images$file_name, c("b.jpg", "a.png"))
  expect_identical(coco$images[c("width", "height")], data.frame(width = c(120L, 100L), height = c(80L, 100L)))
  boxes <- if (is.list(coco$annotations$bbox)) do.call(rbind, coco$annotations$bbox) else coco$annotations$bbox
  expect_equal(boxes, rbind(c(10, 20, 20, 30), c(0, 0, 100, 80), c(1 / 3, 0.1, 50 - 1 / 3, 40)), tolerance = 1e-14)
  expect_identical(coco$images$file_name[match(coco$annotations$image_id, coco$images$id)], rows$file)
  names <- coco$categories$name[match(coco$annotations$category_id, coco$categories$id)]
  expect_identical(names, c("cup", "object", "caf\u00e9"))
  expect_equal(coco$annotations$area, c(600, 8000, (50 - 1 / 3) * 40))
})

test_that("what is broken, or points nowhere, is an error that says where", {
  skip_if_not_installed("jsonlite")
  box <- function(...) coco(annotations = paste0("{", paste(..., sep = ", "), "}"))
  image <- '"image_id": 7'
  class <- '"category_id": 90'
  bbox <- '"bbox": [1, 2, 3, 4]'
  cases <- list(
    "{" = "", "[1, 2]" = "images", "null" = "images", '{"images": 3}' = "images",
    '{"images": [], "annotations": {}, "categories": []}' = "annotations"
  )
  cases[[coco(images = '{"id": 7}')]] <- "file_name"
  cases[[coco(images = "7")]] <- "images"
  cases[[coco(images = '{"id": 7, "file_name": "a"}, {"id": 7, "file_name": "b"}')]] <- "images\\[2\\]"
  cases[[coco(images = '{"id": 7, "file_name": "a"}, {"id": 8, "file_name": "a"}')]] <- "two images.*a"
  cases[[coco(categories = '{"id": 1, "name": "cat"}')]] <- "annotations\\[1\\].*category_id 90"
  cases[[box('"image_id": 8', class, bbox)]] <- "annotations\\[1\\].*image_id 8"
  cases[[box(class, bbox)]] <- "image_id"
  cases[[box(image, class)]] <- "annotations\\[1\\].*bbox"
  cases[[box(image, class, '"bbox": [1, 2, 3]')]] <- "bbox"
  cases[[box(image, class, '"bbox": [1, 2, "3", 4]')]] <- "bbox"
  cases[[box(image, class, '"bbox": [1, 2, -3, 4]')]] <- "annotations\\[1\\].*a.png"
  cases[[box(image, class, '"bbox": [100, 2, 3, 4]')]] <- "outside"
  cases[[box(image, class, '"bbox": [1, 2, 1e999, 4]')]] <- ""
  for (text in names(cases)) {
    error <- rlang::catch_cnd(read_boxes(json_file(text), "coco"), "error")
    expect_s3_class(error, "kerascrop_error_box")
    expect_match(conditionMessage(error), cases[[text]], ignore.case = TRUE)
  }
  deep <- paste0(strrep("[", 1e5), strrep("]", 1e5))
  expect_error(read_boxes(json_file(deep)), class = "kerascrop_error_box")
})

test_that("pycocotools reads it", {
  skip_if_not(tryCatch(reticulate::py_module_available("pycocotools"), error = function(e) FALSE), "pycocotools")
  path <- withr::local_tempfile(fileext = ".json")
  rows <- data.frame(file = "b.jpg", x1 = 10, y1 = 20, x2 = 30, y2 = 50, label = "cup", height = 80L, width = 120L)
  write_boxes(rows, path)
  coco <- NULL
  reticulate::py_capture_output(coco <- reticulate::import("pycocotools.coco")$COCO(path))
  expect_equal(unlist(coco$loadAnns(1L)[[1]]$bbox), c(10, 20, 20, 30))
})
