# A model for images of 40 x 40 pixels with three answers.
a_cropping_model <- function(...) {
  keras <- keras_module()
  keras$utils$set_random_seed(1L)
  model <- keras$Sequential(list(keras$Input(list(40L, 40L, 1L))))
  model |> layer_learnable_crop(8, 8, ...)
  model$add(keras$layers$Flatten())
  model$add(keras$layers$Dense(3L))
  model
}

# Bright squares in the upper left, and in the second image in the lower right as well.
two_images <- function() {
  x <- array(0, c(2, 40, 40, 1))
  x[, 5:12, 5:12, ] <- 1
  x[2, 29:36, 29:36, ] <- 1
  x
}

test_that("a model's boxes come with its doubt, which is large where another place would do as well", {
  skip_without_python()
  model <- a_cropping_model()
  x <- two_images()
  proposals <- propose_boxes(model, x, labels = c("a", "b", "c"))
  expect_named(proposals, c("file", "x1", "y1", "x2", "y2", "label", "height", "width", "doubt"))
  located <- from_numpy(model$layers[[1]]$locate(as_numpy(x)))
  expect_equal(unname(as.matrix(proposals[box_sides])), located, tolerance = 1e-4, ignore_attr = TRUE)
  expect_identical(proposals$file, c("1", "2"))
  expect_lt(proposals$doubt[1], 0.3)
  expect_gt(proposals$doubt[2], 0.9)
  expect_true(all(proposals$label %in% c("a", "b", "c")))
  expect_identical(propose_boxes(a_cropping_model(localizer = "global"), x)$doubt, c(NA_real_, NA_real_))
})

test_that("files of a folder are named from there on, as crop_app() and write_boxes() have them", {
  skip_without_python()
  skip_if_not_installed("png")
  folder <- withr::local_tempdir()
  dir.create(file.path(folder, "sub"))
  for (i in 1:2) png::writePNG(two_images()[i, , , 1], file.path(folder, c("b.png", "sub/a.png")[i]))
  proposals <- propose_boxes(a_cropping_model(), folder)
  expect_identical(proposals$file, c("b.png", "sub/a.png"))
  expect_identical(proposals$height, c(40L, 40L))
  path <- withr::local_tempfile(fileext = ".csv")
  write_boxes(proposals, path)
  expect_equal(read_boxes(path)[box_sides], proposals[box_sides], tolerance = 0)
})

test_that("what is no model, or no images, is an error", {
  skip_without_python()
  model <- a_cropping_model()
  for (images in list(NULL, 3, "no-such", tempfile(), matrix(0, 2, 2), globalenv())) {
    expect_error(propose_boxes(model, images), class = "kerascrop_error_argument")
  }
  for (wrong in list(NULL, 3, "no-such.keras", keras_module()$layers$Dense(2L))) {
    expect_error(propose_boxes(wrong, two_images()), class = "kerascrop_error_argument")
  }
  expect_error(propose_boxes(model, two_images(), c("a", "b")), "labels", class = "kerascrop_error_argument")
})

test_that("the app's strip is put in order by what the model says of each image", {
  skip_without_python()
  for (package in c("png", "shiny", "later")) skip_if_not_installed(package)
  folder <- withr::local_tempdir()
  for (i in 1:3) png::writePNG(two_images()[c(1, 1, 2)[i], , , 1], file.path(folder, paste0(i, ".png")))
  work <- list2env(list(
    files = shiny::reactiveVal(paste0(1:3, ".png")), place = shiny::reactiveVal(1),
    stored = shiny::reactiveVal(no_boxes()), folder = folder
  ))
  sort_strip(work, ask_module(NULL)$Proposer(a_cropping_model()), list(isClosed = function() FALSE), wait = 0)
  for (i in 1:10) later::run_now(0.1)
  expect_identical(shiny::isolate(work$files()), c("1.png", "3.png", "2.png"))
})

test_that("a strip has the worst first, of those that nobody has seen or labelled", {
  files <- letters[1:6]
  doubt <- c(a = 0.1, b = 0.2, c = 0.9, d = NA, e = 0.5, f = 0.8)
  expect_identical(worst_first(files, 1, character(), doubt), c("a", "c", "f", "e", "b", "d"))
  expect_identical(worst_first(files, 2, "f", doubt), c("a", "b", "c", "e", "d", "f"))
  expect_identical(worst_first(files, 6, character(), doubt), files)
  expect_identical(worst_first(c(files, "new"), 1, character(), doubt), c("a", "c", "f", "e", "b", "d", "new"))
})
