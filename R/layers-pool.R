#' Join what a network says of several crops of an image
#'
#' A network behind [layer_multi_crop()], or behind another layer that cuts several crops of each image, says something
#' of each of them; this layer makes one answer for the image of them.
#'
#' * `"mean"` is the mean over the crops, weighted where weights are given. If the predictions are probabilities of
#'   classes, and the weights those of the places that were cropped, it is the likelihood of a mixture: labels of images
#'   alone then teach the layer that gave the weights which of its crops helped.
#' * `"max"` is the largest number, element by element: one crop that shows a thing is enough.
#' * `"attention"` learns from the predictions, here features, how much each crop counts: the weights are the softmax
#'   over the crops of \eqn{w^T (\tanh(V h) \odot \sigma(U h))}{w' (tanh(V h) * sigmoid(U h))}, for the features
#'   \eqn{h} of a crop.
#'
#' @inheritParams layer_center_crop
#' @param object Predictions `(batch, crops, ...)`, for `"attention"` features `(batch, crops, features)`; or a list of
#'   two, predictions and weights `(batch, crops)`, not negative, of any sum: their ratio counts, and for `"attention"`
#'   their logarithm is added to what the softmax is taken of. A crop of weight 0 does not count; if all of an image are
#'   0, it is as if no weights were given. Tensors or arrays; or a Sequential model. Missing or `NULL`: the layer.
#' @param how What is computed: `"mean"`, `"max"` or `"attention"`.
#' @param units For `"attention"`, the number of rows of \eqn{V} and of \eqn{U}.
#' @param return_weights Return a list of two: the joined predictions, and the weights that were used, `(batch, crops)`,
#'   which add up to 1. Not with `"max"`, which has none.
#' @returns The layer, the model, or the joined predictions, `(batch, ...)`, as `object` says.
#' @section Errors:
#' `kerascrop_error_shape`: predictions without an axis of crops, or weights of another shape; for `"attention"`,
#' predictions of more axes, or of an unknown number of features. `kerascrop_error_size`: `units` is not a positive
#' whole number. `kerascrop_error_argument`: anything else about the arguments, such as weights that are negative.
#' `kerascrop_error_python`: Python or Keras is missing.
#' @references
#' Ilse, M., Tomczak, J. M. and Welling, M. (2018). Attention-based deep multiple instance learning. *ICML*, equation 9.
#' <https://arxiv.org/abs/1802.04712>
#' @family crop layers
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' # What a network says of two crops of one image: probabilities of two classes
#' predictions <- array(c(0.9, 0.5, 0.1, 0.5), c(1, 2, 2))
#' from_numpy(layer_crop_pool(predictions))
#' from_numpy(layer_crop_pool(list(predictions, matrix(c(3, 1), 1))))
#'
#' # A model that looks for the class in each tile of a grid
#' keras <- reticulate::import("keras")
#' images <- keras$Input(list(64L, 64L, 3L))
#' network <- keras$Sequential(list(keras$layers$Flatten(), keras$layers$Dense(2L, activation = "softmax")))
#' tiles <- layer_multi_crop(images, 32, 32, "grid")
#' classes <- keras$layers$TimeDistributed(network)(tiles) |> layer_crop_pool("max")
#' keras$Model(images, classes)$output_shape
layer_crop_pool <- function(object, how = "mean", units = 32, return_weights = FALSE, ...) {
  compose(object, "CropPool", checked_arguments(), inputs = c("predictions", "weights"))
}
