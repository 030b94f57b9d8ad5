# Most tests call Python: they need the packages that the module stands on.
skip_without_python <- function() {
  skip_if_not(tryCatch(reticulate::py_module_available("keras"), error = function(e) FALSE), "Python with keras")
}

# Images no two numbers of which are equal.
some_images <- function(shape = c(3, 9, 12, 3)) array(as.double(sample(prod(shape))), shape)

without_boxes <- function(x) {
  attr(x, "boxes") <- NULL
  x
}

# Every tensor of a list, and of the lists in it, as an R array.
as_arrays <- function(x) if (is.list(x)) lapply(x, as_arrays) else from_numpy(x)

keras_module <- function() reticulate::import("keras")
