skip_without_tensorflow <- function() {
  skip_without_python()
  skip_if_not_installed("png")
  skip_if_not(reticulate::py_module_available("tensorflow"), "tensorflow")
}

# Two classes of three PNG files.
image_folder <- function(env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  for (class in c("cat", "cup")) {
    dir.create(file.path(folder, class))
    for (i in 1:3) png::writePNG(array(runif(20 * 30 * 3), c(20, 30, 3)), file.path(folder, class, paste0(i, ".png")))
  }
  folder
}

first_batch <- function(dataset) reticulate::iter_next(reticulate::as_iterator(dataset))

test_that("centre crops are slices of the files, in order, with their labels", {
  skip_without_tensorflow()
  dataset <- crops_from_directory(image_folder(), 10, 8, "center")
  expect_identical(dataset$class_names, c("cat", "cup"))
  batch <- first_batch(dataset)
  crops <- from_numpy(batch[[1]])
  for (i in 1:6) {
    image <- round(png::readPNG(dataset$file_paths[i]) * 255)
    expect_equal(crops[i, , , ], image[6:15, 12:19, ])
  }
  expect_identical(from_numpy(batch[[2]]), rep(0:1, each = 3))
})

test_that("random crops, resized crops and label modes have the right shapes", {
  skip_without_tensorflow()
  folder <- image_folder()
  dataset <- crops_from_directory(
    folder, 10, 8, batch_size = 4, resize = 16, label_mode = "categorical", class_names = c("cup", "cat"), seed = 1
  )
  expect_identical(dataset$class_names, c("cup", "cat"))
  batch <- first_batch(dataset)
  expect_identical(dim(from_numpy(batch[[1]])), c(4L, 10L, 8L, 3L))
  expect_identical(dim(from_numpy(batch[[2]])), c(4L, 2L))
  labels <- first_batch(crops_from_directory(folder, 10, 8, "center", labels = 6:1))[[2]]
  expect_identical(from_numpy(labels), 6:1)
  alone <- first_batch(crops_from_directory(folder, 10, 8, labels = NULL, batch_size = NULL, color_mode = "grayscale"))
  expect_identical(dim(from_numpy(alone)), c(10L, 8L, 1L))
  subsets <- lapply(c("training", "validation"), function(subset) {
    crops_from_directory(folder, 10, 8, validation_split = 1 / 3, subset = subset, seed = 1)$file_paths
  })
  expect_identical(lengths(subsets), c(4L, 2L))
  expect_length(intersect(subsets[[1]], subsets[[2]]), 0)
})

test_that("labels may be numbers, a factor, names, or flags", {
  skip_without_tensorflow()
  folder <- image_folder()
  read <- function(...) {
    dataset <- crops_from_directory(folder, 10, 8, "center", ...)
    list(dataset$class_names, as.vector(from_numpy(first_batch(dataset)[[2]])))
  }
  cups <- factor(c("cup", "cat", "cup", "cup", "cat", "cat"), c("dog", "cup", "cat"))
  expect_identical(read(labels = cups), list(c("dog", "cup", "cat"), c(1L, 2L, 1L, 1L, 2L, 2L)))
  expect_identical(read(labels = as.character(cups)), list(c("cat", "cup"), c(1L, 0L, 1L, 1L, 0L, 0L)))
  expect_identical(read(labels = as.character(cups), class_names = c("cup", "cat"))[[2]], c(0L, 1L, 0L, 0L, 1L, 1L))
  expect_identical(read(labels = cups == "cat", label_mode = "binary"), list(c("FALSE", "TRUE"), c(0, 1, 0, 0, 1, 1)))
  expect_identical(read(labels = rep(TRUE, 6), label_mode = "binary")[[2]], rep(1, 6))
  expect_identical(read(labels = c(7, 1, 1, 1, 1, 7)), list(c("1", "7"), c(7L, 1L, 1L, 1L, 1L, 7L)))
  for (labels in list(rep(1:2, 3), rep(-1:0, 3))) {
    expect_error(
      read(labels = labels, label_mode = "binary"), "needs `labels` 0 and 1", class = "kerascrop_error_argument"
    )
  }
  for (wrong in list(c(1:5, NA), factor(c(1:5, NA)), addNA(factor(c(1:5, NA))), c("a", NA), c(TRUE, NA), 1:6 / 2,
                     "cat", list(1), matrix(1:6, 2), Sys.Date() + 0:5, numeric(), 1:5, c("a", "b"))) {
    expect_error(read(labels = wrong), "labels", class = "kerascrop_error_argument")
  }
})

test_that("what is not read is told in a warning, and pipes are not waited for", {
  skip_without_tensorflow()
  skip_on_os("windows")
  folder <- image_folder()
  file.create(file.path(folder, "cat", "photo.heic"))
  expect_warning(crops_from_directory(folder, 10, 8), "photo.heic", class = "kerascrop_warning_files")
  system2("mkfifo", shQuote(file.path(folder, "cat", "pipe.png")))
  expect_error(
    suppressWarnings(crops_from_directory(folder, 10, 8)), "pipe.png.*regular file", class = "kerascrop_error_argument"
  )
  dir.create(file.path(folder, "dog"))
  expect_error(crops_from_directory(folder, 10, 8), "none in dog", class = "kerascrop_error_argument")
  expect_error(
    crops_from_directory(folder, 10, 8, class_names = "cup", max_pixels = 599), "30 x 20 pixels",
    class = "kerascrop_error_argument"
  )
})

test_that("broken files are named in an error, or in a warning of R", {
  skip_without_tensorflow()
  folder <- image_folder()
  file.create(file.path(folder, "cat", "empty.png"))
  expect_error(crops_from_directory(folder, 10, 8), "empty.png.*is empty", class = "kerascrop_error_argument")
  expect_warning(dataset <- crops_from_directory(folder, 10, 8, errors = "skip"), "empty.png.*left out")
  expect_length(dataset$file_paths, 6)
})

test_that("wrong arguments are errors", {
  folder <- withr::local_tempdir()
  expect_error(crops_from_directory(height = 5, width = 6), "path", class = "kerascrop_error_argument")
  expect_error(crops_from_directory(file.path(folder, "x"), 5, 6), "no folder", class = "kerascrop_error_argument")
  bytes <- "a\xff"
  Encoding(bytes) <- "bytes"
  expect_error(crops_from_directory(bytes, 5, 6), "path", class = "kerascrop_error_argument")
  expect_error(crops_from_directory(folder, 5, 6, orient = 1), "orient", class = "kerascrop_error_argument")
  expect_error(crops_from_directory(folder, 5, 6, max_pixels = 0), "max_pixels", class = "kerascrop_error_size")
  expect_error(crops_from_directory(folder, 0, 6), "height", class = "kerascrop_error_size")
  expect_error(crops_from_directory(folder, 5, 6, "middle"), "mode", class = "kerascrop_error_argument")
  expect_error(crops_from_directory(folder, 5, 6, labels = "a"), "labels", class = "kerascrop_error_argument")
  expect_error(crops_from_directory(folder, 5, 6, resize = 0), "resize", class = "kerascrop_error_size")
  expect_error(crops_from_directory(folder, 5, 6, subset = "training"), "seed", class = "kerascrop_error_argument")
  skip_without_tensorflow()
  expect_error(crops_from_directory(folder, 5, 6), "no folders in it", class = "kerascrop_error_argument")
  dir.create(file.path(folder, "a"))
  expect_error(crops_from_directory(folder, 5, 6), "no images", class = "kerascrop_error_argument")
  file.copy(system.file("extdata", "chelsea.jpg", package = "kerascrop"), file.path(folder, "a"))
  expect_error(crops_from_directory(folder, 5, 6, resize = 4), "resize", class = "kerascrop_error_size")
  expect_error(crops_from_directory(folder, 5, 6, errors = "ignore"), "errors", class = "kerascrop_error_argument")
  expect_error(crops_from_directory(folder, 5, 6, color_mode = "cmyk"), "color", class = "kerascrop_error_argument")
})

test_that("a class that is there twice is an error", {
  expect_error(
    crops_from_directory(tempdir(), 4, 4, class_names = c("a", "a")), "twice", class = "kerascrop_error_argument"
  )
})
