#' Crop given boxes
#'
#' Cuts one box, or several, out of each image and resizes each to `height` by `width`, differentiably in the image and
#' in the box. A whole-pixel box that is as large as the crop gives the slice exactly. A box may reach outside of the
#' image: `fill_mode` says what is there. `vignette("differentiable-crops")` explains all of this, with pictures.
#'
#' @inheritParams layer_center_crop
#' @param object A list of two: images `(batch, height, width, channels)` and boxes, `(batch, 4)` or
#'   `(batch, boxes, 4)`; tensors or arrays. Or a list of three, to crop boxes out of any image: images, boxes
#'   `(boxes, 4)`, and for each box the number of its image, `(boxes,)`. In an R vector these numbers count from 1, as
#'   R does; in a tensor or NumPy array from 0, as `tf.image.crop_and_resize()` takes them. Or a named list of `images`
#'   and `boxes`, and what goes with the images, see below; or of `images`, `boxes` and `box_indices` alone. Boxes from
#'   R may have names: see [box_names]. Missing or `NULL`: the layer itself.
#' @param box_format What the four numbers of a box are: `"xyxy"`, left, top, right and bottom in pixels (edge
#'   coordinates, see [kerascrop-package]); Keras's other names `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`,
#'   `"rel_xyxy"`, `"rel_yxyx"`, `"rel_xywh"`, `"rel_center_xywh"` (`rel_`: fractions of the image); or `"grid"`,
#'   corners in `[-1, 1]`, PyTorch's image coordinates. It is also that of `bounding_boxes` in a named list.
#' @param antialias Where a box is larger than the crop, make each pixel of the crop a weighted mean of all the
#'   image's pixels around it, rather than of the nearest four, which avoids aliasing.
#' @param fill_mode What is outside of the image: `"constant"`, `"nearest"` (the edge's pixels) or `"reflect"`. A box
#'   inside of the image shows nothing of that.
#' @param fill_value The number for `"constant"`.
#' @param interpolation `"bilinear"`; `"bicubic"`, smoother, which may overshoot (PyTorch's); or `"nearest"`, the pixel
#'   that holds the sample, which gives the boxes no gradient. Masks always take the nearest pixel.
#' @param align_corners Take the first sample at the centre of the box's first pixel and the last one at the centre of
#'   its last pixel, rather than in the middle of equal parts. Relative boxes then count from the centre of the image's
#'   first pixel to that of its last one: with `box_format = "rel_yxyx"` these are the boxes, and the crops, of
#'   `tf.image.crop_and_resize()`, with `"grid"` the boxes of PyTorch's `grid_sample(align_corners = True)`.
#' @param gradient_reach A number of pixels, at least 1: the boxes' gradient is computed as if each sample saw so far to
#'   each side, so that a box that is off by more than a pixel is drawn to where it should be. The crops stay the same.
#'   `NULL`: the true gradient.
#' @param boxes Boxes that are the same for all images: one, as four numbers or a row, or several rows. Then `object` is
#'   what [layer_center_crop()] takes, a Sequential model too. `NULL`: the boxes come with the images.
#' @returns The layer, or the crops: `(batch, height, width, channels)`, for several boxes
#'   `(batch, boxes, height, width, channels)`, with numbers of images `(boxes, height, width, channels)`. They are of
#'   the layer's floating-point type, also where the images are integers: a resampled pixel is an average. A named list
#'   gives a named list.
#' @inheritSection layer_center_crop Masks, bounding boxes and key points
#' @section Errors:
#' `kerascrop_error_box`: boxes of another shape, or an unknown format; numbers of images that are not there; boxes in
#' an R array with `NA`, reversed or without area (in a tensor these give `NaN`, and mirrored crops).
#' `kerascrop_error_size`, `kerascrop_error_shape`, `kerascrop_error_argument` and `kerascrop_error_python` as in
#' [layer_center_crop()].
#' @family crop layers
#' @seealso [crop_boxes()] for plain arrays; [box_window()] makes boxes from rows and columns.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' x <- array(runif(9 * 12 * 3), c(1, 9, 12, 3))
#' box <- box_window(rows = 3:6, cols = 4:9)
#' y <- layer_box_crop(list(x, box), height = 4, width = 6)
#' all.equal(from_numpy(y), x[, 3:6, 4:9, , drop = FALSE], tolerance = 1e-6)
#'
#' # two boxes of the second of three images, and one of the third
#' x <- array(runif(3 * 9 * 12), c(3, 9, 12, 1))
#' boxes <- rbind(box, box + 1, box)
#' y <- layer_box_crop(list(x, boxes, c(2, 2, 3)), height = 4, width = 6)
#' all.equal(from_numpy(y)[2, , , ], x[2, 4:7, 5:10, ], tolerance = 1e-6)
layer_box_crop <- function(object, height, width, box_format = "xyxy", antialias = FALSE,
                           fill_mode = "constant", fill_value = 0, data_format = NULL, ...,
                           interpolation = c("bilinear", "bicubic", "nearest"), align_corners = FALSE,
                           gradient_reach = NULL, boxes = NULL, min_visible = 0, pass_through = NULL,
                           return_boxes = FALSE) {
  interpolation <- as_interpolation(interpolation, antialias)
  arguments <- checked_arguments(
    interpolation = interpolation, boxes = as_constant_boxes(boxes, box_format),
    fill_mode = as_choice(fill_mode, fill_modes)
  )
  if (!is.null(boxes)) return(compose(object, "BoxCrop", arguments))
  compose(object, "BoxCrop", arguments, inputs = c("images", "boxes", "box_indices"))
}

# Boxes that are the same for all images: four numbers, or a row for each.
as_constant_boxes <- or_null(function(x, box_format, arg, call) {
  if (is_python(x)) return(x)
  box_format <- as_box_format(box_format, "box_format", call)
  x <- as_box_matrix(x, arg, call, box_format)
  check_box_values(x, box_format, NULL, call)
  move_to_numpy(if (nrow(x) > 1) x else as.vector(x), "float64", call, arg)
})

# Stops unless boxes from R, of any format, can be cut, and warns of those that lie outside of images of `lengths`,
# where these are known.
check_box_values <- function(boxes, box_format, lengths, call) {
  check_finite_boxes(boxes, "boxes", call)
  if (is.null(dim(boxes)) && length(boxes) == 4) boxes <- t(boxes)
  if (!is.numeric(boxes) || length(boxes) %% 4 != 0 || dim(boxes)[length(dim(boxes))] %||% 0 != 4) return(invisible())
  boxes <- matrix(boxes, ncol = 4)
  check_areas(boxes, box_format, call)
  if (!grepl("rel_|center|grid", box_format)) warn_fractions(boxes, box_format, call)
  if (is.null(lengths)) return(invisible())
  warn_outside(to_sides(boxes, box_format, lengths[[1]], lengths[[2]]), lengths[[1]], lengths[[2]], call)
}

# Boxes of any format must have an area.
check_areas <- function(boxes, box_format, call) {
  if (has_sides(box_format)) return(invisible(as_boxes(boxes, "boxes", call, box_format = box_format)))
  order <- if (is_y_first(box_format)) "y, x, height, width" else "x, y, width, height"
  check_box_sizes(boxes, "boxes", call, "The order in the format {.val {box_format}} is {order}.")
}

# Boxes that are a place and a size.
check_box_sizes <- function(boxes, arg, call, hint = NULL, .envir = caller_env()) {
  empty <- which(boxes[, 3] <= 0 | boxes[, 4] <= 0)
  if (!length(empty)) return(invisible())
  hint <- if (!is.null(hint)) cli::format_inline(hint, .envir = .envir)
  kerascrop_abort(c(
    "{.arg {arg}} must have a width and a height above 0.",
    x = "Box {empty[1]} is {shown(boxes[empty[1], ])}.",
    i = if (!is.null(hint)) "{hint}"
  ), "box", call)
}

# Numbers of `n` images that come from R count from 1; Python's from 0.
as_box_indices <- function(indices, n, call) {
  wrong <- if (is_whole(indices)) indices[indices < 1 | indices > n] else indices
  if (length(wrong)) {
    kerascrop_abort(c(
      "{.arg box_indices} must be the numbers of images, whole numbers from 1{if (n < Inf) paste(' to', n)}.",
      x = "{if (is_whole(indices)) 'One is' else 'It is'} {shown(if (is_whole(indices)) wrong[1] else wrong)}.",
      i = if (is_whole(indices) && 0 %in% wrong) {
        "R counts from 1; in a NumPy array, {.code as_numpy(x, \"int32\")}, numbers count from 0."
      }
    ), "box", call)
  }
  array(as.integer(indices) - 1L, dim(indices) %||% length(indices))
}
