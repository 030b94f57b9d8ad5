# What stands in both languages, and has to be the same.

# Where Python keeps what there is to choose: a module, and a name in it.
python_choices <- list(
  if_smaller_choices = c("kerascrop.engine.windows", "IF_SMALLER"),
  place_if_smaller_choices = c("kerascrop.engine.places", "IF_SMALLER"),
  window_fill_modes = c("kerascrop.engine.cutting", "FILL_MODES"),
  pad_positions = c("kerascrop.engine.windows", "PAD_POSITIONS"),
  fill_modes = c("kerascrop.engine.sampling", "FILL_MODES"),
  interpolations = c("kerascrop.engine.sampling", "INTERPOLATIONS"),
  box_formats = c("kerascrop.geometry", "BOX_FORMATS"),
  focus_choices = c("kerascrop.layers.random_crop", "FOCI"), multi_views = c("kerascrop.layers.multi", "VIEWS"),
  like_places = c("kerascrop.layers.like", "PLACES"), pool_hows = c("kerascrop.layers.pool", "HOW"),
  learnable_sizes = c("kerascrop.layers.learnable", "SIZES"), crop_modes = c("kerascrop.pipelines.batches", "MODES"),
  label_modes = c("kerascrop.pipelines.directories", "LABEL_MODES"),
  color_modes = c("kerascrop.pipelines.directories", "CHANNELS")
)

# Arguments that only Python users have: for algorithms that nobody writes in R.
only_python <- "adjoint"

python_object <- function(place) reticulate::import(place[1])[[place[2]]]

# The choices that a Python error lists, but for the one that is none.
listed <- function(code) {
  text <- conditionMessage(rlang::catch_cnd(with_python_errors(code), "error"))
  setdiff(gsub("'", "", regmatches(text, gregexpr("'[^']+'", text))[[1]]), "none such")
}

own_functions <- function(pattern = "") {
  names <- grep(pattern, getNamespaceExports("kerascrop"), value = TRUE)
  sapply(names, getExportedValue, ns = "kerascrop", simplify = FALSE)
}

test_that("every list of choices is Python's", {
  skip_without_python()
  kerascrop_python()
  for (name in names(python_choices)) {
    choices <- python_object(python_choices[[name]])
    theirs <- unlist(if (is.null(names(choices))) choices else names(choices)) # without None, which is NULL in R
    expect_setequal(getFromNamespace(name, "kerascrop"), theirs)
  }
})

test_that("what Python has no name for is what its errors list", {
  skip_without_python()
  module <- kerascrop_python()
  expect_setequal(listed(module$CenterCrop(4L, 4L, data_format = "none such")), data_formats)
  expect_setequal(listed(module$cluttered_digits(1L, split = "none such")), digit_splits)
  expect_setequal(listed(module$BoxLoss(reduction = "none such")), reductions)
  skip_if_not(reticulate::py_module_available("tensorflow"), "tensorflow")
  read <- function(...) module$crops_from_directory(tempdir(), 4L, 4L, ...)
  expect_setequal(listed(read(if_smaller = "none such")), file_if_smaller_choices)
  expect_setequal(listed(read(errors = "none such")), file_errors)
  expect_setequal(listed(read(validation_split = 0.5, subset = "none such")), subsets)
})

test_that("choices that stand in a signature are those that are checked", {
  checked <- list(
    mode = crop_modes, size = learnable_sizes, views = multi_views,
    interpolation = interpolations, if_smaller = if_smaller_choices, split = digit_splits
  )
  is_choice <- function(default) is.call(default) && identical(default[[1]], quote(c)) && is.character(default[[2]])
  defaults <- unlist(lapply(unname(own_functions()), function(f) Filter(is_choice, as.list(formals(f)))), FALSE)
  expect_setequal(names(defaults), names(checked))
  for (arg in names(checked)) for (default in defaults[names(defaults) == arg]) {
    expect_identical(eval(default), checked[[arg]])
  }
})

test_that("the layers take the same arguments and inputs in both languages", {
  skip_without_python()
  module <- kerascrop_python()
  functions <- own_functions("^layer_")
  needed <- list(
    height = 4, width = 4, depth = 4, length = 4, cropping = 1, steps = 1:4, rows = 1:4, choose = function(...) NULL
  )
  of_keras <- c("name", "dtype", "trainable", "kwargs")
  signature <- reticulate::import("inspect")$signature
  for (name in names(functions)) {
    f <- functions[[name]]
    composed <- as.list(body(f)[[length(body(f))]]) # the last thing that it does is compose(object, class, ...)
    class <- module[[composed[[3]]]]
    layer <- do.call(f, needed[intersect(names(formals(f)), names(needed))])
    theirs <- reticulate::import_builtins()$list(signature(class)$parameters)
    expect_setequal(setdiff(names(formals(f)), c("object", "...", of_keras)), setdiff(theirs, c(of_keras, only_python)))
    expect_identical(eval(composed$inputs %||% "images"), unlist(layer$input_names))
  }
})

test_that("the pipelines take the same arguments in both languages", {
  skip_without_python()
  signature <- reticulate::import("inspect")$signature
  arguments <- function(f) reticulate::import_builtins()$list(signature(f)$parameters)
  of_keras <- c("name", "dtype", "trainable", "options")
  for (name in c("crop_generator", "crop_dataset", "crops_from_directory")) {
    theirs <- setdiff(arguments(kerascrop_python()[[name]]), of_keras)
    expect_setequal(setdiff(names(formals(own_functions()[[name]])), "..."), theirs)
  }
})
