#' Crop where a function of your own says
#'
#' You write a function that chooses a box for each image. The layer cuts it out, resizes it to `height` by `width`, and
#' crops masks, bounding boxes and key points in the same way. It is for crops that no other layer makes: around the
#' brightest spot, say, or around what a saliency map or another network finds.
#'
#' @inheritParams layer_center_crop
#' @param choose A function of two arguments, `function(images, training)`, that returns a box for each image. `images`
#'   are `(batch, height, width, channels)`, whatever `data_format` is; `training` is `TRUE` or `FALSE`. There are two
#'   cases:
#'   * Where the numbers are known, `images` is an R array, and `choose` may be any R code. It returns a matrix with a
#'     row `x1, y1, x2, y2` for each image, in pixels (see [box_window()]); for one image also four numbers. This is the
#'     case where the layer is called on an array or a tensor, and in models compiled with `run_eagerly = TRUE`.
#'   * In a model's graph, that is, in `fit()` and `predict()` without `run_eagerly = TRUE`, `images` is a symbolic
#'     tensor, which has no numbers yet. Then `choose` has to compute with functions for tensors, keras3's `op_*()` or
#'     those of `reticulate::import("keras")$ops`, and to return a tensor `(batch, 4)`.
#'
#'   A function for tensors may be used in both cases: the functions take R arrays too.
#' @param antialias Where a box is larger than the crop, make each pixel of the crop a weighted mean of all the
#'   image's pixels around it, rather than of the nearest four, which avoids aliasing.
#' @returns The layer, the model, or the crops `(batch, height, width, channels)`, of the layer's floating-point type,
#'   as `object` says. A named list gives a named list.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Saved models:
#' An R function cannot be saved with a model. Weights and all other settings are, and the model can be loaded; but the
#' layer in it has no function, and stops with an error that says so when the model is used. Keep the code that makes
#' the model: run it again, and load the weights into the new model, `model$load_weights("model.weights.h5")`, with
#' keras3 `load_model_weights(model, "model.weights.h5")`. A copy that `clone_model()` makes has no function, either.
#' @section Errors:
#' `kerascrop_error_argument`: `choose` is missing, is not a function of two arguments, or fails; its own message is
#' passed on. `kerascrop_error_box`: it returns anything but a box for each image, a missing value, or sides in
#' the wrong order. In `fit()` and `predict()` these are errors of Python's, with the same words. The others as in
#' [layer_center_crop()].
#' @family crop layers
#' @seealso [layer_box_crop()] for boxes that are known, [layer_learnable_crop()] for boxes that are learned;
#'   [boxes_from_masks()] makes boxes of masks.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(2 * 20 * 30), c(2, 20, 30, 1))
#' x[1, 5, 8, 1] <- 2
#' x[2, 15, 20, 1] <- 2
#'
#' # seven pixels each way, with the brightest one in the middle
#' around_brightest <- function(images, training) {
#'   t(apply(images, 1, function(image) {
#'     brightest <- which(image == max(image), arr.ind = TRUE)
#'     box_window(brightest[1] + -3:3, brightest[2] + -3:3)
#'   }))
#' }
#' crops <- from_numpy(layer_custom_crop(x, 7, 7, around_brightest))
#' all.equal(crops[1, , , ], x[1, 2:8, 5:11, ], tolerance = 1e-6)
#'
#' # the same with tensors, which a model can predict with; places count from 0 there
#' keras <- reticulate::import("keras")
#' ops <- keras$ops
#' around_brightest <- function(images, training) {
#'   place <- ops$argmax(ops$reshape(images, c(-1L, 600L)), axis = 1L) # row by row
#'   x <- ops$cast(ops$mod(place, 30L), "float32")
#'   y <- ops$cast(ops$floor_divide(place, 30L), "float32")
#'   ops$add(ops$stack(list(x, y, x, y), axis = 1L), as_numpy(c(-3, -3, 4, 4)))
#' }
#' images <- keras$Input(list(20L, 30L, 1L))
#' model <- keras$Model(images, layer_custom_crop(images, 7, 7, around_brightest))
#' all.equal(from_numpy(model$predict(as_numpy(x), verbose = 0L)), crops, tolerance = 1e-6)
layer_custom_crop <- function(object, height, width, choose, data_format = NULL, ..., antialias = FALSE,
                              box_format = "xyxy", min_visible = 0, pass_through = NULL, return_boxes = FALSE) {
  compose(object, "CustomCrop", checked_arguments(choose = as_chooser(choose)))
}

# The function that Python calls; it calls the user's.
as_chooser <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "argument", arg, call)
  takes <- if (is.function(x)) names(formals(args(x)))
  if (length(takes) >= 2 || "..." %in% takes) return(function(images, training) chosen_boxes(x, images, training))
  kerascrop_abort(c(
    "{.arg {arg}} must be a function of two arguments, as {.code function(images, training)}, that returns boxes.",
    x = if (!is.function(x)) {
      "It is {shown(x)}."
    } else if (length(takes)) {
      "It has only {.arg {takes}}."
    } else {
      "It has none."
    }
  ), "argument", call)
}

# The boxes that a function chooses, given the images' numbers where these are known.
chosen_boxes <- function(choose, images, training) {
  numbers <- tryCatch(from_numpy(images), error = function(error) NULL)
  # For the backtrace of an error rlang would look at the arguments of all calls, and symbolic tensors are not to be
  # looked at: TensorFlow's error would take the place of the user's.
  if (is.null(numbers)) withr::local_options("rlang:::disable_trace_capture" = TRUE)
  boxes <- tryCatch(choose(numbers %||% images, training), error = function(error) {
    problem <- conditionMessage(error)
    stop_in_python(
      c("{.arg choose} failed.", x = "{problem}", i = if (is.null(numbers)) symbolic_hint), "argument"
    )
  })
  if (is_python(boxes)) boxes else as_chosen(boxes, dim(numbers)[1])
}

symbolic_hint <- "In a model's graph images are symbolic tensors: {.arg choose} must use keras3's {.code op_*()}
                  functions and return a tensor {.code (batch, 4)}; or compile the model with
                  {.code run_eagerly = TRUE}."

# Boxes from R, one for each of `n` images, as a tensor. For symbolic images `n` is NULL, and boxes from R are wrong.
as_chosen <- function(boxes, n) {
  boxes <- tryCatch(order_boxes(boxes, "xyxy", "boxes", NULL, sized = TRUE), kerascrop_error = function(error) {
    problem <- conditionMessage(error)
    stop_in_python(c("{.arg choose} returned what are no boxes.", x = "{problem}"), "box")
  })
  if (is.numeric(boxes) && is.null(dim(boxes)) && length(boxes) == 4) boxes <- t(boxes)
  problem <- if (is.null(n) || !is.numeric(boxes) || !is.matrix(boxes) || ncol(boxes) != 4) {
    "It returned {shown(boxes)}."
  } else if (nrow(boxes) != n) {
    "It returned {nrow(boxes)} box{?es} for {n} image{?s}."
  } else if (length(wrong <- which(!is_box(boxes)))) {
    "Box {wrong[1]} is {shown(unname(boxes[wrong[1], ]))}."
  }
  if (is.null(problem)) return(move_to_numpy(boxes, "float32"))
  stop_in_python(c(
    "{.arg choose} must return boxes: a matrix with a row {.code x1, y1, x2, y2} for each image, in pixels, with
     {.code x1 < x2} and {.code y1 < y2}.",
    x = problem, i = if (is.null(n)) symbolic_hint
  ), "box")
}

# Whether rows are finite numbers, with sides in order.
is_box <- function(boxes) {
  rowSums(!is.finite(boxes)) == 0 & (boxes[, 3] > boxes[, 1] & boxes[, 4] > boxes[, 2]) %in% TRUE
}
