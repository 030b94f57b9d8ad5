#' Learn where to crop
#'
#' A small network inside the layer predicts one box for each image, and the crop is resampled, differentiably in the
#' box: so whatever is trained on the crops also trains the prediction, from class labels alone. The box lies inside
#' of the image by construction.
#'
#' The built-in localizer is a network of about 7,500 parameters, or 24,000 where sizes are learned or images are larger
#' than its view. It looks at a copy of the image of at most `view` pixels a side, and scores every place in it; at the
#' best place it looks again, in the image itself, and corrects the box. It starts at what stands out from the
#' rest of the image, in colour or in brightness, with a box of about the size of that; or, where that size is unusual
#' among the images seen in training so far (more than two standard deviations from their mean), with the nearest one
#' that is not. In training a crop is the mean of two places, weighted by how much each stands out, so that the second
#' can become the first. Boxes are also moved by up to 8 per cent and scaled by up to 15 per cent at random: where that
#' cuts off a part of the object, the loss rises, so the localizer learns to leave some room around it.
#'
#' The layer adds three losses of its own, which need no labels; so the loss that `fit()` prints in training is above
#' that of your classes.
#' * When an image is turned by 180 degrees, the place that is found should turn with it.
#' * The network should find by itself the place that it found with the help of what stands out. It learns this most
#'   from images whose crops served the network behind: there the gradient that comes back to the crop is small.
#' * A box that is disturbed at random, twice, should be corrected to the same box both times, which teaches sizes that
#'   fit.
#'
#' In training the localizer sees images mirrored at random. There is nothing to tune or to schedule. But where
#' something else in the images is as large as the object and stands out more, the localizer may find that instead. Then
#' show it some true boxes, with [loss_box()], which teach it directly: a few dozen go a long way. Watch it with
#' [callback_crop_monitor()].
#'
#' The first step of `fit()` takes some seconds longer than the others, in which TensorFlow builds the graph.
#'
#' @inheritParams layer_center_crop
#' @param size What is learned: `"fixed"`, the place of a window of `height` by `width` pixels; `"square"`, a place
#'   and a side; `"free"`, a place, a width and a height.
#' @param min_size,max_size Bounds of the learned size, in pixels, or, at most 1, as a fraction of the image (of its
#'   shorter side for `"square"`). The defaults are half the crop's size, and the whole image.
#' @param resize Resize every crop to `height` by `width`. `FALSE` keeps the images' scale, so that sizes can differ in
#'   a batch: a crop stands in the top left corner of a canvas of `height` by `width` pixels, the rest of which is 0,
#'   and `max_size` is at most the canvas. A pixel that the box covers in part counts by that part, which is what gives
#'   the size a gradient. With `return_boxes = TRUE` the boxes tell the size of what is in each canvas.
#' @param localizer `NULL`, the built-in one; [map_localizer()], the same on the features of a network of your own;
#'   `"global"`, one trainable box for all images; or a Keras layer or model
#'   that returns 2, 3 or 4 numbers in `[0, 1]` for each image, as `size` asks: x and y of the place, in the room that
#'   the box leaves (0 touches the left or top edge, 1 the right or bottom), then the side, or the width and height,
#'   between their bounds. Numbers outside count as 0 or 1 and have no gradient, so end it with a sigmoid; Python
#'   warns the first time that it sees such numbers. With such a localizer `object` may be a list,
#'   `list(images, features)`: then the localizer sees the features, as it does with a named list that has `features`.
#' @param antialias Where a box is larger than the crop, make each pixel of the crop a weighted mean of all the
#'   image's pixels around it, rather than of the nearest four, which avoids aliasing.
#' @param snap At prediction, move a `"fixed"` box to whole pixels, so that the crop is an exact slice. It has no effect
#'   on other sizes.
#' @param crops How many crops of each image. Several are at places that do not coincide, the highest peaks of the
#'   localizer's map, with weights that [layer_crop_pool()] takes: so labels alone can teach the map which of them help.
#' @param view How large a copy of the image the built-in localizer looks at, in pixels along the longer side, at least
#'   4; smaller images are seen as they are. In a copy of twice the side, things half as large are found, for four times
#'   the time.
#' @param seed A whole number, for the same exploration in training in every run; `NULL` draws one.
#' @returns The layer, the model, or the crops `(batch, height, width, channels)`, as `object` says. Several crops of an
#'   image are `(batch, crops, height, width, channels)`; with `return_boxes = TRUE` their boxes `(batch, crops, 4)`
#'   follow, and then their weights, `(batch, crops)`, which add up to 1. The layer's method
#'   `locate()` gives the boxes for a batch of images, a tensor `(batch, 4)`. A named list gives a named list.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Errors:
#' `kerascrop_error_size`: a size is not a positive number, `min_size` is above `max_size`, or the images, or the canvas
#' of `resize = FALSE`, are smaller than a box. `kerascrop_error_shape`: `object` is not a batch of images, or the
#' localizer returns more or fewer numbers than `size` asks for. The others as in [layer_center_crop()].
#' @references Jaderberg et al. (2015), "Spatial Transformer Networks", \doi{10.48550/arXiv.1506.02025}, for learning
#'   through resampling.
#' @family crop layers
#' @seealso [cluttered_digits()] to try it on; [callback_crop_monitor()] to watch it learn; [loss_box()] where boxes are
#'   known; [plot_crops()] to see where it looks. `vignette("learning-where-to-look")` shows all of them.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' digits <- cluttered_digits(8, seed = 1)
#' crop <- layer_learnable_crop(height = 24, width = 24, size = "square")
#' dim(from_numpy(crop(as_numpy(digits$x))))
#' boxes <- from_numpy(crop$locate(as_numpy(digits$x))) # before any training
#' plot_crops(digits$x, list(truth = digits$boxes, predicted = boxes))
layer_learnable_crop <- function(object, height, width, size = c("fixed", "square", "free"), min_size = NULL,
                                 max_size = NULL, resize = TRUE, localizer = NULL, antialias = TRUE,
                                 snap = FALSE, crops = 1, view = 256, seed = NULL, data_format = NULL, ...,
                                 box_format = "xyxy", min_visible = 0, pass_through = NULL, return_boxes = FALSE) {
  compose(object, "LearnableCrop", checked_arguments(
    size = as_choice(size, learnable_sizes), min_size = as_extent(min_size),
    max_size = as_extent(max_size), localizer = as_localizer(localizer), crops = as_count(crops),
    view = as_size(view)
  ), inputs = c("images", "features"))
}

#' Find crops with the features of a network of your own
#'
#' A localizer for [layer_learnable_crop()]: the built-in map of where the object is, made of the features of a
#' `backbone`, such as a network from `keras3::application_mobilenet_v2()` without its top, rather than of its own small
#' convolutions. Use it where objects do not stand out, and where a trained network knows what they look like.
#'
#' A cell of the backbone's map is the smallest thing that is found: a network that makes an image 32 times smaller sees
#' 8 by 8 cells in a view of 256 pixels. Take the output of one of its earlier layers, or a larger `view`. The backbone
#' sees the images with the range that the crop layer gets. `freeze_weights(backbone)` keeps its weights.
#'
#' @param backbone A Keras layer or model that makes a map of features, `(batch, rows, columns, features)`, of images
#'   `(batch, height, width, channels)`, in whole square cells; `NULL` for the built-in convolutions.
#' @param view How large a copy of the image it looks at, in pixels along the longer side, at least 4. A backbone for
#'   images of one size sees that size.
#' @param seed A whole number, for the same exploration in training in every run; `NULL` draws one.
#' @returns A Keras layer, to be used as `localizer` in one [layer_learnable_crop()].
#' @section Errors:
#' `kerascrop_error_argument`: `backbone` is not a Keras layer or model. `kerascrop_error_size`: `view` is not a whole
#' number of at least 4. When the crop layer is built, `kerascrop_error_shape`: the backbone does not return a map, or
#' does not take such images.
#' @family crop layers
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' keras <- reticulate::import("keras")
#' backbone <- keras$Sequential(list(
#'   keras$layers$Conv2D(8L, 3L, strides = 2L, padding = "same", activation = "relu"),
#'   keras$layers$Conv2D(16L, 3L, strides = 2L, padding = "same", activation = "relu")
#' ))
#' crop <- layer_learnable_crop(height = 24, width = 24, localizer = map_localizer(backbone))
#' digits <- cluttered_digits(4, seed = 1)
#' dim(from_numpy(crop(as_numpy(digits$x))))
map_localizer <- function(backbone = NULL, view = 256, seed = NULL) {
  backbone <- as_backbone(backbone)
  view <- as_size(view)
  seed <- as_seed(seed)
  localizers <- load_module(rlang::current_env())$localizers
  with_python_errors(localizers$MapLocalizer(backbone = backbone, view = view, seed = seed))
}

is_layer <- function(x) is_python(x) && reticulate::py_has_attr(x, "trainable_variables")

as_backbone <- or_null(function(x, arg, call) {
  if (is_layer(x)) return(x)
  kerascrop_abort(c("{.arg {arg}} must be a Keras layer or model.", x = "It is {shown(x)}."), "argument", call)
})

as_extent <- or_null(function(x, arg, call) {
  if (is_number(x) && x > 0) return(as.double(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be a number of pixels, or a fraction of the image up to 1.", x = "It is {shown(x)}."
  ), "size", call)
})

as_localizer <- or_null(function(x, arg, call) {
  if (identical(x, "global") || is_layer(x)) return(x)
  kerascrop_abort(c(
    "{.arg localizer} must be {.code NULL}, {.val global}, or a Keras layer or model.", x = "It is {shown(x)}."
  ), "argument", call)
})
