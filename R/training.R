#' Loss and metric for boxes
#'
#' For models with an output that is boxes, such as [layer_learnable_crop()] with `return_boxes = TRUE`. Where true
#' boxes are known, for all images or for some, `loss_box()` teaches them along with the classes, and
#' `metric_box_iou()` tells how well predicted boxes match them: intersection over union, from 0 to 1.
#'
#' True and predicted boxes are `(batch, 4)`, or `(batch, boxes, 4)`, `x1, y1, x2, y2` in pixels. **Missing boxes do not
#' count**: those with an `NA`, or without area, such as `-1, -1, -1, -1`. The loss is the mean over the others of a
#' batch, so a few known boxes count as much as many would.
#'
#' The loss of a pair of boxes is `1 - IoU + d^2 / c^2`, from 0 to 2, where `d` is the distance of their centres and `c`
#' the diagonal of the smallest box around both. The last term has a gradient towards the true box even where the two
#' do not overlap, or one contains the other.
#'
#' In training, the boxes that the built-in localizer of [layer_learnable_crop()] predicts also get the gradient of the
#' cross-entropy between its map and the cell of the true centre, which the loss's value leaves out: this finds objects
#' that no gradient of a box leads to. The boxes have to reach the loss as the layer returned them.
#'
#' @param y_true,y_pred Boxes, tensors or arrays, to compute the loss of each pair at once, 0 where the true box is
#'   missing. Without them: the loss itself, for `compile()`.
#' @param ... Must be empty: the other arguments are given by name.
#' @param reduction What becomes of the losses of a batch: `"mean_with_sample_weight"`, the mean over the boxes that are
#'   known; `"sum_over_batch_size"`, their sum divided by the number of all boxes; `"sum"`; or `NULL`, no reduction.
#' @param name Name of the loss or the metric.
#' @param dtype Type to compute in; `NULL` takes Keras's float type.
#' @param match Pair each of several true boxes of an image, `(images, boxes, 4)`, with a predicted one of its own, the
#'   nearest pair first, instead of in order: for a [layer_learnable_crop()] of several `crops`. There are as many true
#'   boxes as crops; where an image has fewer, the others are missing ones.
#' @returns `loss_box()`: a Keras loss; for boxes a tensor `(batch)` of losses. `metric_box_iou()`: a Keras metric;
#'   where all boxes are missing it is 0.
#' @section Errors:
#' `kerascrop_error_box`: `y_true` and `y_pred` are not boxes. In training this is a Python error, `BoxError`.
#' `kerascrop_error_argument`: anything else about the arguments.
#' @references Zheng et al. (2020), "Distance-IoU Loss: Faster and Better Learning for Bounding Box Regression",
#'   equation 7, \doi{10.48550/arXiv.1911.08287}.
#' @family training
#' @seealso [box_iou()] for boxes in R.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' truth <- rbind(c(0, 0, 20, 20), c(10, 10, 30, 30), NA)
#' predicted <- rbind(c(2, 2, 22, 22), c(40, 40, 60, 60), c(0, 0, 9, 9))
#' from_numpy(loss_box(truth, predicted))
#'
#' # beside the classes: labels and boxes are the two outputs
#' keras <- reticulate::import("keras")
#' images <- keras$Input(list(64L, 64L, 1L))
#' crop <- layer_learnable_crop(images, 24, 24, return_boxes = TRUE)
#' classes <- keras$layers$Dense(10L)(keras$layers$Flatten()(crop[[1]]))
#' model <- keras$Model(images, list(classes, crop[[2]]))
#' model$compile(
#'   "adam",
#'   loss = list(keras$losses$SparseCategoricalCrossentropy(from_logits = TRUE), loss_box()),
#'   metrics = list(list("accuracy"), list(metric_box_iou()))
#' )
#' digits <- cluttered_digits(32, seed = 1)
#' digits$boxes[1:20, ] <- NA # not known
#' y <- list(as_numpy(digits$y, NULL), as_numpy(digits$boxes)) # keras3 takes R arrays too
#' history <- model$fit(as_numpy(digits$x), y, verbose = 0L)
#' unlist(history$history)
loss_box <- function(y_true, y_pred, ..., reduction = "mean_with_sample_weight", name = "box_loss", dtype = NULL,
                     match = FALSE) {
  check_no_dots(list(...), "{.arg reduction}, {.arg name}, {.arg dtype} and {.arg match} are given by name.")
  match <- as_flag(match)
  reduction <- or_null(as_choice)(reduction, reductions)
  name <- as_name(name)
  dtype <- as_dtype(dtype)
  call <- rlang::current_env()
  module <- load_module(call)
  at_once <- !(missing(y_true) && missing(y_pred))
  if (at_once) {
    check_given(y_true, "box", "y_true", call)
    check_given(y_pred, "box", "y_pred", call)
    reduction <- "none"
    y_true <- as_box_tensor(y_true, "y_true", call)
    y_pred <- as_box_tensor(y_pred, "y_pred", call)
  }
  with_python_errors(call = call, {
    loss <- module$BoxLoss(reduction = reduction %||% "none", name = name, dtype = dtype, match = match)
    if (at_once) loss(y_true, y_pred) else loss
  })
}

#' @rdname loss_box
#' @export
metric_box_iou <- function(..., name = "box_iou", dtype = NULL, match = FALSE) {
  check_no_dots(list(...), "{.arg name}, {.arg dtype} and {.arg match} are given by name.")
  match <- as_flag(match)
  name <- as_name(name)
  dtype <- as_dtype(dtype)
  module <- load_module(rlang::current_env())
  with_python_errors(module$BoxIoU(name = name, dtype = dtype, match = match))
}
