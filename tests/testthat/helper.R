# Most tests call Python: they need the packages that the module stands on.
skip_without_python <- function() {
  skip_if_not(tryCatch(reticulate::py_module_available("keras"), error = function(e) FALSE), "Python with keras")
}

# Images no two numbers of which are equal.
some_images <- function(shape = c(3, 9, 12, 3)) array(as.double(sample(prod(shape))), shape)

# Crops as another array or image: without what tells where they were cut.
without_boxes <- function(x) {
  attr(x, "boxes") <- NULL
  if (inherits(x, "kerascrop_crops")) unclass(x) else x
}

# Every tensor of a list, and of the lists in it, as an R array.
as_arrays <- function(x) if (is.list(x)) lapply(x, as_arrays) else from_numpy(x)

keras_module <- function() reticulate::import("keras")

# Runs R code in a new process, with other settings, and gives what it prints. Shell commands may come `before`.
in_new_process <- function(code, env = character(), before = "") {
  file <- withr::local_tempfile(fileext = ".R")
  writeLines(c(sprintf(".libPaths(c(%s))", paste(shQuote(.libPaths()), collapse = ", ")), code), file)
  withr::local_envvar(env)
  command <- paste(before, shQuote(file.path(R.home("bin"), "Rscript")), "--vanilla", shQuote(file), "2>&1")
  suppressWarnings(system(command, intern = TRUE))
}

# A Python with no packages, in a folder of its own.
empty_python <- function(env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  status <- suppressWarnings(system2(
    reticulate::py_config()$python, c("-m", "venv", "--without-pip", shQuote(folder)), stdout = FALSE, stderr = FALSE
  ))
  skip_if_not(status == 0, "a virtual environment can be made")
  file.path(folder, "bin", "python")
}

# A folder for PYTHONPATH in which a package seems to have some version.
fake_version <- function(package, version, env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  info <- file.path(folder, paste0(package, "-", version, ".dist-info"))
  dir.create(info)
  writeLines(c(paste("Name:", package), paste("Version:", version)), file.path(info, "METADATA"))
  folder
}

# A model with two outputs, classes and boxes.
two_outputs <- function(...) {
  keras <- keras_module()
  keras$utils$set_random_seed(1L)
  images <- keras$Input(list(32L, 40L, 1L))
  crop <- layer_learnable_crop(images, 12, 12, localizer = "global", return_boxes = TRUE, name = "crop", ...)
  classes <- keras$layers$Dense(3L, name = "label")(keras$layers$Flatten()(crop[[1]]))
  keras$Model(images, list(classes, crop[[2]]))
}

some_labels <- function() keras_module()$losses$SparseCategoricalCrossentropy(from_logits = TRUE)

# The pixels that a plot draws, as an array of numbers from 0 to 1.
drawn <- function(code, width = 200, height = 100) {
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png")
  grDevices::png(file, width, height)
  tryCatch(code, finally = grDevices::dev.off())
  png::readPNG(file)
}

# The most memory that some code takes, in copies of an array.
peak_copies <- function(x, code) {
  before <- sum(gc(reset = TRUE, full = TRUE)[, 2])
  force(code)
  (sum(gc()[, 6]) - before) * 2^20 / as.numeric(utils::object.size(x))
}
