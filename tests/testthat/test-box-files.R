# Boxes in three images, one of which has none, with names that files and formats may stumble over.
annotated <- function() {
  data.frame(
    file = c("b.jpg", "b.jpg", "sub/caf\u00e9 & <1>.png", "sub/none.png"), x1 = c(10, 1 / 3, 0, NA),
    y1 = c(20, 0.1, 0, NA), x2 = c(30, 50, 100, NA), y2 = c(50, 40.1, 80, NA),
    label = c("cup", "007", "\"caf\u00e9\" & <b>", ""), height = c(80L, 80L, 100L, 10L),
    width = c(120L, 120L, 100L, 20L)
  )
}

# The place of each format in a folder.
places <- function(folder) {
  file.path(folder, c(csv = "a.csv", coco = "a.json", voc = "voc", yolo = "yolo")) |>
    rlang::set_names(names(annotation_formats))
}

skip_without_readers <- function() for (package in c("jsonlite", "xml2")) skip_if_not_installed(package)

test_that("boxes come back as they were, in each format", {
  skip_without_readers()
  folder <- withr::local_tempdir()
  path <- places(folder)
  for (format in names(path)) {
    write_boxes(annotated(), path[[format]], format)
    read <- read_boxes(path[[format]], images = if (format == "yolo") annotated())
    if (format == "yolo") {
      expect_equal(read, annotated(), tolerance = 1e-8)
    } else {
      expect_identical(read, annotated())
    }
  }
  expect_setequal(list.files(folder, all.files = TRUE, no.. = TRUE), basename(path)) # nothing is left beside them
  expect_identical(read_boxes(path[["coco"]], "coco"), read_boxes(path[["csv"]], "csv"))
})

test_that("all numbers survive, also such as no decimal fraction is", {
  skip_without_readers()
  folder <- withr::local_tempdir()
  set.seed(3)
  n <- 300
  sides <- replicate(2, t(apply(matrix(stats::runif(2 * n, 0, 4000), n), 1, sort)), simplify = FALSE)
  rows <- data.frame(file = "a.png", x1 = sides[[1]][, 1], y1 = sides[[2]][, 1], x2 = sides[[1]][, 2])
  rows <- data.frame(rows, y2 = sides[[2]][, 2], label = "a", height = 4000L, width = 4000L)
  for (format in c("csv", "coco", "voc")) {
    path <- places(folder)[[format]]
    write_boxes(rows, path, format)
    expect_identical(read_boxes(path), rows)
  }
  path <- places(folder)[["yolo"]]
  write_boxes(rows, path, "yolo")
  read <- read_boxes(path, images = rows)
  expect_lt(max(abs(read[box_sides] - rows[box_sides])), 1e-9)
  whole <- transform(rows, x1 = floor(x1), y1 = floor(y1), x2 = ceiling(x2), y2 = ceiling(y2))
  write_boxes(whole, path, "yolo")
  expect_identical(read_boxes(path, images = rows), whole)
})

test_that("what Python writes R reads, and the other way round", {
  skip_without_python()
  skip_without_readers()
  module <- kerascrop_python()
  folder <- withr::local_tempdir()
  rows <- annotated()
  columns <- lapply(rows, function(column) as.list(ifelse(is.na(column), NaN, column)))
  columns$file <- as.list(rows$file)
  columns$label <- as.list(rows$label)
  for (format in names(places(folder))) {
    theirs <- file.path(folder, paste0("python-", basename(places(folder)[[format]])))
    with_python_errors(module$write_boxes(columns, theirs, format))
    images <- if (format == "yolo") rows
    expect_equal(read_boxes(theirs, images = images), rows, tolerance = if (format == "yolo") 1e-8 else 0)
    ours <- places(folder)[[format]]
    write_boxes(rows, ours, format)
    read <- module$read_boxes(ours, images = if (format == "yolo") columns)
    read <- as.data.frame(lapply(read, function(column) replace(as.vector(column), column %in% NaN, NA)))
    expect_equal(read, rows, tolerance = if (format == "yolo") 1e-8 else 0, ignore_attr = TRUE)
  }
})

test_that("classes are numbered in the order that is given, and keep their numbers", {
  skip_without_readers()
  folder <- withr::local_tempdir()
  path <- file.path(folder, "labels")
  images <- transform(annotated()[1, ], file = c("b.jpg"))
  write_boxes(transform(images, label = "cup"), path, "yolo", classes = c("dog", "cup"))
  expect_identical(substr(readLines(file.path(path, "b.txt")), 1, 2), "1 ")
  more <- transform(images, file = "c.jpg", label = "ant")
  write_boxes(more, path, "yolo")
  expect_identical(readLines(file.path(path, "classes.txt")), c("dog", "cup", "ant"))
  read <- read_boxes(path, images = rbind(images, more))
  expect_identical(read$label, c("cup", "ant"))
  expect_error(write_boxes(more, path, "yolo", classes = "ant"), "dog", class = "kerascrop_error_argument")
  expect_error(write_boxes(more, file.path(folder, "a.json"), classes = "b"), "ant", class = "kerascrop_error_box")
  write_boxes(more, file.path(folder, "a.json"), classes = c("b", "ant"))
  coco <- jsonlite::fromJSON(file.path(folder, "a.json"))
  expect_identical(coco$categories$name[coco$annotations$category_id], "ant")
})

test_that("sizes that are missing are read from the images", {
  skip_without_readers()
  folder <- system.file("extdata", package = "kerascrop")
  rows <- data.frame(file = c("chelsea.jpg", "coffee.jpg"), x1 = 1, y1 = 2, x2 = 30, y2 = 40, label = "a")
  path <- withr::local_tempfile(fileext = ".json")
  expect_error(write_boxes(rows, path), "chelsea.jpg.*images", class = "kerascrop_error_box")
  expect_false(file.exists(path))
  write_boxes(rows, path, images = folder)
  expect_identical(read_boxes(path)[c("height", "width")], data.frame(height = c(300L, 400L), width = c(451L, 600L)))
  labels <- withr::local_tempdir()
  write_boxes(rows, labels, "yolo", images = folder)
  expect_identical(read_boxes(labels, images = folder)$file, rows$file)
  expect_error(read_boxes(labels), "chelsea.txt.*images", class = "kerascrop_error_box")
})

test_that("boxes that are none are errors which say which row, before anything is written", {
  skip_without_readers()
  folder <- withr::local_tempdir()
  wrong <- list(
    list(x1 = NA), list(x1 = 30), list(y2 = 20), list(x2 = Inf), list(x1 = 500, x2 = 600), list(height = 81L),
    list(height = 0.5), list(width = NA), list(label = I(list(1))), list(file = ""), list(file = NA), list(x1 = "a")
  )
  for (format in names(annotation_formats)) for (change in wrong) {
    rows <- annotated()
    rows[[names(change)[1]]][1] <- change[[1]]
    if (length(change) > 1) rows[[names(change)[2]]][1] <- change[[2]]
    if (is.list(change$label)) rows$label <- I(as.list(rows$label))
    expect_error(write_boxes(rows, places(folder)[[format]], format), class = "kerascrop_error_box")
  }
  expect_error(write_boxes(replace(annotated(), "x1", c(10, 60, 0, NA)), "a.csv"), "row 2.*b.jpg")
  expect_error(write_boxes(annotated()[c(1, 4, 4), ], "a.csv"), "none.png", class = "kerascrop_error_box")
  expect_error(write_boxes(annotated()[-1], "a.csv"), "file", class = "kerascrop_error_box")
  expect_identical(list.files(folder), character())
})

test_that("names that a folder cannot hold, or that meet in it, are errors", {
  skip_without_readers()
  folder <- withr::local_tempdir()
  named <- function(...) transform(annotated()[rep(1, ...length()), ], file = c(...))
  for (format in c("voc", "yolo")) {
    for (file in c("../a.png", "/tmp/a.png", "a/../../b.png", "C:\\a.png", "..\\a.png", "a//b.png")) {
      expect_error(write_boxes(named(file), file.path(folder, "x"), format), class = "kerascrop_error_box")
    }
    expect_error(write_boxes(named("a.jpg", "a.png"), file.path(folder, "x"), format), "a.png")
  }
  expect_error(write_boxes(named("classes.png"), file.path(folder, "x"), "yolo"), "classes.png")
  expect_identical(list.files(folder), character())
  write_boxes(named("../a.png"), file.path(folder, "a.csv")) # a list may lead anywhere
  expect_identical(read_boxes(file.path(folder, "a.csv"))$file, "../a.png")
})

test_that("the format is told by what is there", {
  skip_without_readers()
  folder <- withr::local_tempdir()
  for (path in places(folder)) write_boxes(annotated(), path, names(which(places(folder) == path)))
  for (format in c("csv", "coco", "voc")) {
    renamed <- file.path(folder, paste0("renamed-", format))
    file.rename(places(folder)[[format]], renamed)
    expect_identical(read_boxes(renamed), annotated())
  }
  file.copy(places(folder)[["yolo"]], file.path(folder, "renamed-voc"), recursive = TRUE)
  expect_error(read_boxes(file.path(folder, "renamed-voc")), "both", class = "kerascrop_error_argument")
  expect_error(read_boxes(withr::local_tempdir()), "neither", class = "kerascrop_error_argument")
  expect_error(write_boxes(annotated(), file.path(folder, "new")), "format", class = "kerascrop_error_argument")
})

test_that("what is no path, or cannot be written, is an error of ours", {
  skip_without_readers()
  folder <- withr::local_tempdir()
  file.create(file.path(folder, "file"))
  for (path in list("no-such", 3, NULL, NA, c("a", "b"), "", strrep("a", 1e5))) {
    expect_error(read_boxes(path), class = "kerascrop_error_argument")
  }
  for (format in c("csv", "coco")) {
    expect_error(read_boxes(folder, format), class = "kerascrop_error_argument")
    expect_error(write_boxes(annotated(), folder, format), class = "kerascrop_error_argument")
    expect_error(write_boxes(annotated(), file.path(folder, "no", "such"), format), class = "kerascrop_error_argument")
  }
  for (format in c("voc", "yolo")) {
    expect_error(read_boxes(folder, format), class = "kerascrop_error_argument")
    expect_error(write_boxes(annotated(), file.path(folder, "file"), format), class = "kerascrop_error_argument")
    expect_error(write_boxes(annotated(), file.path(folder, "no", "such"), format), class = "kerascrop_error_argument")
  }
  expect_identical(list.files(folder), "file")
  skip_if(Sys.info()[["user"]] == "root", "a read-only folder: root writes everywhere")
  Sys.chmod(folder, "500")
  withr::defer(Sys.chmod(folder, "700"))
  for (format in names(annotation_formats)) {
    expect_error(write_boxes(annotated(), places(folder)[[format]], format), class = "kerascrop_error_argument")
  }
})

test_that("a folder that is there keeps its other files, and where moving fails nothing is half-written", {
  skip_without_readers()
  folder <- withr::local_tempdir()
  writeLines("mine", file.path(folder, "notes.md"))
  write_boxes(annotated(), folder, "voc")
  expect_setequal(list.files(folder, recursive = TRUE), c(
    "b.xml", "notes.md", "sub/caf\u00e9 & <1>.xml", "sub/none.xml"
  ))
  before <- readLines(file.path(folder, "b.xml"))
  unlink(file.path(folder, "sub"), recursive = TRUE)
  file.create(file.path(folder, "sub")) # where a folder should be
  other <- transform(annotated(), file = c("a/b.jpg", "a/b.jpg", file[3:4]))
  expect_error(write_boxes(other, folder, "voc"), class = "kerascrop_error_argument")
  expect_identical(readLines(file.path(folder, "b.xml")), before)
  expect_length(list.files(folder, "^[.]kerascrop", all.files = TRUE), 0)
})
