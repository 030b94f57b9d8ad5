skip_if_not_installed("shiny")
skip_if_not_installed("htmlwidgets")
skip_if_not_installed("png")

# A folder of images, 20 x 30 pixels, the first of them 10 x 10.
folder_of <- function(names = c("a.png", "b.png", "sub/c.png"), env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  for (name in names) {
    dir.create(file.path(folder, dirname(name)), showWarnings = FALSE)
    size <- if (name == names[1]) c(10, 10) else c(20, 30)
    png::writePNG(array(stats::runif(prod(size) * 3), c(size, 3)), file.path(folder, name))
  }
  folder
}

test_that("images are a folder's, in the order of people, or single files", {
  folder <- folder_of(c("img10.png", "img2.png", "IMG1.PNG", "sub/a.png"))
  file.create(file.path(folder, c("notes.txt", "png")))
  found <- as_image_files(folder)
  expect_identical(found$files, c("IMG1.PNG", "img2.png", "img10.png", "sub/a.png"))
  paths <- file.path(folder, c("img10.png", "sub/a.png"))
  expect_identical(as_image_files(paths[1]), list(folder = folder, files = "img10.png"))
  expect_identical(as_image_files(paths), list(folder = NULL, files = paths))
  expect_null(as_image_files(NULL))
})

test_that("what is wrong is said before the app starts", {
  folder <- folder_of()
  a <- file.path(folder, "a.png")
  empty <- withr::local_tempdir()
  given <- data.frame(file = "z.png", x1 = 0, y1 = 0, x2 = 4, y2 = 4)
  for (call in expression(
    crop_app(1), crop_app(character()), crop_app("no such folder"), crop_app(empty), crop_app(c(a, a)),
    crop_app(c(a, file.path(folder, ".", "a.png"))), crop_app(NA_character_), crop_app(c(folder, a)),
    crop_app(c(a, file.path(folder, "sub", "c.png"))), crop_app(folder, model = 3),
    crop_app(folder, model = "none.keras"),
    crop_app(folder, boxes = file.path(folder, "none", "b.csv")), crop_app(folder, boxes = a),
    crop_app(folder, boxes = given), crop_app(folder, boxes = matrix(1:4, 1)),
    crop_app(folder, boxes = replace(given, "x2", NA)),
    crop_app(folder, labels = c("a", "a")), crop_app(folder, labels = 1:3), crop_app(folder, run = NA)
  )) expect_error(eval(call), class = "kerascrop_error", info = deparse(call))
  expect_identical(list.files(folder), c("a.png", "b.png", "sub"))
})

test_that("a folder that cannot be written to is said at once", {
  folder <- folder_of()
  Sys.chmod(folder, "500")
  withr::defer(Sys.chmod(folder, "700"))
  skip_if(file.access(folder, 2) == 0, "everything can be written by this user")
  expect_error(crop_app(folder), "boxes = ", class = "kerascrop_error_argument")
})

test_that("a file of boxes that is a folder, or not one of boxes, is left alone", {
  folder <- folder_of()
  writeLines("my,notes", file.path(folder, "boxes.csv"))
  expect_error(crop_app(folder), "boxes.csv", class = "kerascrop_error_box")
  expect_identical(readLines(file.path(folder, "boxes.csv")), "my,notes")
})

test_that("with run = FALSE it is an app, which allows files of 100 MB while it runs", {
  app <- crop_app(folder_of(), run = FALSE)
  expect_s3_class(app, "shiny.appobj")
  withr::local_options(shiny.maxRequestSize = NULL)
  expect_null(crop_app(run = FALSE)$options$shiny.maxRequestSize)
})

test_that("the addin is a function of the package", {
  file <- system.file("rstudio", "addins.dcf", package = "kerascrop")
  expect_true(is.function(getExportedValue("kerascrop", read.dcf(file)[, "Binding"])))
})
