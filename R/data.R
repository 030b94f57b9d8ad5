#' Crop the batches of a generator
#'
#' Wraps any generator of batches, from R or from Python, so that the images come out cropped: at a random place of each
#' image for training, in the centre for prediction.
#'
#' @param generator What makes the batches:
#'   * an R function without arguments, which returns the next batch each time it is called, and `NULL` after the last
#'     (a generator of the package coro works too). A batch is `x`, `list(x, y)` or `list(x, y, sample_weight)`; `x` is
#'     an array of images `(batch, height, width, channels)`, or a named list with `images` and what is cropped along
#'     with them, as the crop layers take it;
#'   * a Python generator or iterator of such batches;
#'   * a Keras `PyDataset`, such as the flows of an `ImageDataGenerator`.
#' @param height,width Size of the crops in pixels: whole numbers, at least 1.
#' @param mode `"random"` draws a place for each image, anew in each batch; `"center"` takes the middle.
#' @param seed A whole number, for the same places in every run; `NULL` draws one from R's random numbers, which
#'   [set.seed()] fixes. Places are counted from the first batch on: a training that is resumed in a new session needs
#'   another seed, so as not to repeat them.
#' @param data_format `"channels_last"`, `"channels_first"`, or `NULL` for Keras's setting.
#' @param ... Named arguments of the Keras layer that crops: `name`, `dtype`, `trainable`.
#' @inheritParams layer_random_crop
#' @returns For `fit()` and `predict()` of keras3, or `model$fit()`: a Python generator, which ends when its source
#'   does; from a `PyDataset` another one, whose length `fit()` knows. [reticulate::iter_next()] takes a batch out by
#'   hand. Labels and weights pass untouched; R arrays of doubles become `float32`, factors whole numbers from 0.
#'
#'   An R function is called one batch ahead, always by R's main thread; with it, leave Keras's `steps_per_execution` at
#'   1.
#' @section Errors:
#' `kerascrop_error_argument` and `kerascrop_error_size`: wrong arguments, at once. A batch that cannot be cropped, or
#' an error in an R function, stops the training with a Python error that says which batch it was, counted from 1.
#' @family data
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' batches <- function() list(array(runif(4 * 32 * 32 * 3), c(4, 32, 32, 3)), c(0, 1, 1, 0))
#' cropped <- crop_generator(batches, 24, 24)
#' batch <- reticulate::iter_next(cropped)
#' dim(batch[[1]])
#' # model |> fit(cropped, steps_per_epoch = 10)
crop_generator <- function(generator, height, width, mode = c("random", "center"), seed = NULL, if_smaller = "error",
                           data_format = NULL, ..., per_image = TRUE, focus = NULL, positive_fraction = 1,
                           fill_value = 0, fill_mode = "constant", mask_fill_value = 0, pad_position = "center",
                           random_pad = 0, box_format = "xyxy", min_visible = 0, pass_through = NULL,
                           return_boxes = FALSE) {
  call <- rlang::current_env()
  check_given(generator, "argument", "generator", call)
  seed <- seed_or_draw(seed, call)
  arguments <- checked_arguments(generator = NULL, mode = as_choice(mode, crop_modes), seed = seed)
  if (!is_python(generator) && !is.function(generator)) {
    kerascrop_abort(c(
      "{.arg generator} must be an R function that returns batches, or a Python generator or {.cls PyDataset}.",
      x = "It is {shown(generator)}.",
      i = "A function such as {.code function() list(x, y)} works."
    ), "argument")
  }
  with_python_errors({
    if (!is_python(generator)) generator <- python_batches(generator, arguments$box_format %||% "xyxy", call)
    do.call(load_module(call)$crop_generator, replace(arguments, "generator", list(generator)))
  }, call)
}

#' Crop the images of a tf.data dataset
#'
#' Cuts the images of a TensorFlow dataset, batched or not, at a random place of each for training, in the centre for
#' prediction. Everything happens in TensorFlow's own threads. `uint8` stays `uint8`, and labels stay as they are.
#'
#' @inheritParams crop_generator
#' @param dataset A dataset of Python's `tf.data`, also from the package tfdatasets: of `x`, `(x, y)` or `(x, y,
#'   sample_weight)`; `x` are images, or a dict with `images` and what is cropped along with them. Sizes may be unknown.
#' @param num_parallel_calls How many elements are cropped at the same time; `NULL` lets TensorFlow decide. The order
#'   stays, and a seed gives the same places, either way.
#' @returns A dataset of the same structure. Each epoch has places of its own.
#' @section Errors:
#' `kerascrop_error_argument`, `kerascrop_error_size`, `kerascrop_error_shape`: wrong arguments or elements, or
#' TensorFlow is not installed (Keras may run on another backend). Images of unknown size that are too small stop the
#' dataset when they come.
#' @family data
#' @export
#' @examplesIf reticulate::py_module_available("tensorflow")
#' tf <- reticulate::import("tensorflow")
#' images <- as_numpy(array(0:255, c(8, 32, 32, 3)), "uint8")
#' dataset <- tf$data$Dataset$from_tensor_slices(images)$batch(4L)
#' crop_dataset(dataset, 24, 24)
crop_dataset <- function(dataset, height, width, mode = c("random", "center"), seed = NULL, if_smaller = "error",
                         data_format = NULL, num_parallel_calls = NULL, ..., per_image = TRUE, focus = NULL,
                         positive_fraction = 1, fill_value = 0, fill_mode = "constant", mask_fill_value = 0,
                         pad_position = "center", random_pad = 0, box_format = "xyxy", min_visible = 0,
                         pass_through = NULL, return_boxes = FALSE) {
  call <- rlang::current_env()
  check_given(dataset, "argument", "dataset", call)
  seed <- seed_or_draw(seed, call)
  arguments <- checked_arguments(
    dataset = dataset, mode = as_choice(mode, crop_modes), seed = seed,
    num_parallel_calls = or_null(as_count)(num_parallel_calls)
  )
  if (!is_python(dataset)) {
    kerascrop_abort(c(
      "{.arg dataset} must be a dataset of {.code tf.data}.",
      x = "It is {shown(dataset)}.",
      i = "{.fn crop_generator} takes R functions; arrays can go through {.fn layer_random_crop} or {.fn crop_random}."
    ), "argument")
  }
  with_python_errors(do.call(load_module(call)$crop_dataset, arguments), call)
}

# The seed that is given, or one drawn from R's random numbers, for a function with the environment `call`. If it fails,
# these are as if it had not been called.
seed_or_draw <- function(seed, call) {
  seed <- as_seed(seed, arg = "seed", call = call)
  if (!is.null(seed)) return(seed)
  restore_seed_on_failure(call)
  sample.int(largest_size, 1)
}

restore_seed_on_failure <- function(call) {
  before <- get0(".Random.seed", globalenv(), inherits = FALSE)
  restore <- function() {
    if (is.null(before)) rm(".Random.seed", envir = globalenv()) else assign(".Random.seed", before, globalenv())
  }
  failed <- new.env() # which no function returns
  at_exit <- bquote(if (identical(returnValue(.(failed)), .(failed))) .(restore)())
  do.call(on.exit, list(at_exit, add = TRUE), envir = call)
}

# An R function that returns batches, as a Python iterator of them.
python_batches <- function(generator, box_format, call) {
  # Loaded here rather than in `result()`, which Python calls, and where nothing should fail.
  parts <- python_part("pipelines.from_r", call)
  number <- 0
  result <- function() {
    number <<- number + 1
    tryCatch(
      {
        batch <- generator()
        if (is.null(batch) || identical(batch, as.symbol(".__exhausted__."))) return(NULL)
        reticulate::tuple("batch", as_python_batch(batch, box_format))
      },
      error = function(error) {
        reticulate::tuple("error", paste0("Batch ", number, ": ", cli::ansi_strip(conditionMessage(error))))
      },
      # The thread that waits for this batch would never get it.
      interrupt = function(interrupt) reticulate::tuple("error", paste0("Batch ", number, ": interrupted."))
    )
  }
  # One batch has to be ready ahead, or else two threads wait for each other forever. reticulate does this from 1.31 on.
  if ("prefetch" %in% names(formals(reticulate::py_iterator))) {
    results <- do.call(reticulate::py_iterator, list(result, prefetch = 1L))
  } else {
    results <- parts$Ahead(result)
  }
  parts$batches(results)
}

# `list(x, y)` becomes a tuple, as Keras wants it; a named list of images and what goes along with them a dict.
as_python_batch <- function(batch, box_format) {
  if (!is.list(batch) || is_python(batch) || "images" %in% names(batch)) return(as_python_part(batch, box_format))
  do.call(reticulate::tuple, lapply(unname(batch), as_python_part, box_format))
}

as_python_part <- function(part, box_format) {
  if (is_python(part) || is.null(part) || is.character(part)) return(part)
  if (is.factor(part)) part <- as.integer(part) - 1L
  boxes <- if (is_joint(part) && is_plain_list(part$bounding_boxes)) part$bounding_boxes[["boxes"]]
  if (!is.null(boxes)) {
    part$bounding_boxes$boxes <- order_boxes(boxes, box_format, "bounding_boxes$boxes", rlang::current_env())
  }
  if (is.list(part)) return(lapply(part, as_python_part, box_format))
  move_to_numpy(part, if (is.double(part)) "float32", arg = "batch")
}
