#' Crop plain arrays
#'
#' The crops of the layers, for images in R arrays, with no model, and without Python. `crop_center()`, `crop_border()`,
#' `crop_window()`, `crop_random()` and `crop_multi()` move whole pixels: the result has the type of `x`, and every
#' number is the same (unless images are enlarged, by `if_smaller = "resize"`). `crop_boxes()` takes boxes with
#' real-valued sides and resamples, in double precision.
#'
#' @param x Images: a matrix (height, width), an array `(height, width, channels)` with 1 to 4 channels, or a batch
#'   `(batch, height, width, channels)` with any number; numeric, logical or raw. Or an image of the package magick, a
#'   raster, a list of rasters of one size, or a cimg or pixset of the package imager. Or the path of one image file,
#'   which [image_array()] tells more about. See below.
#' @param height,width Size of the crop in pixels. For `crop_boxes()` the default is the size of the first box, rounded.
#' @param if_smaller What to do when the images are smaller than the crop: `"error"`; `"resize"`, enlarge them
#'   (bilinear, logical ones to the nearest pixel; integers are rounded), keeping their aspect, until the crop fits;
#'   `"pad"`, add pixels of `fill_value` on both sides, an odd one at the end; `"keep"`, leave that axis as it is. For
#'   `crop_window()`, when the images end within the window: `"pad"` adds the pixels that it lacks, `"keep"` leaves them
#'   out, and it is an error if no pixel of the window is there.
#' @param pad_position With `if_smaller = "pad"`, where an image is among the new pixels: `"center"`, `"start"`, top
#'   left, or `"end"`, or one of these for each axis; in `crop_random()` also `"random"`.
#' @param random_pad Pixels to add on each side before the place is drawn, so that crops may reach so far outside.
#' @param cropping Pixels to remove: one number for all sides; `c(height, width)`, each for both sides of its axis; or
#'   `list(c(top, bottom), c(left, right))`. Negative numbers add pixels of `fill_value`.
#' @param rows,cols For `crop_window()`, row and column numbers that follow each other, counted from 1, such as
#'   `17:240`; `-1` or `NULL` is all of them.
#' @param offset,size Instead, `c(top, left)` pixels before the window, negative ones counted from the image's end, and
#'   its `c(height, width)`, in which -1 is all of the axis from the offset on.
#' @param box Or else one whole-pixel box, `x1, y1, x2, y2`.
#' @param seed A whole number, for the same places in every call; `NULL` continues R's own random numbers, which
#'   [set.seed()] fixes. Each image of a batch has a place of its own.
#' @param views Which windows: `"five"`, the corners (top left, top right, bottom left, bottom right) and the centre;
#'   `"ten"`, the same five, and each mirrored left to right; `"grid"`, windows `stride` pixels apart, row by row, the
#'   last ones ending where the image ends.
#' @param stride For `"grid"`: one number of pixels, or `c(vertical, horizontal)`. `NULL` takes the crops' size.
#' @param boxes Boxes, `x1, y1, x2, y2` in pixels (see [kerascrop-package]): four numbers, or a matrix or data frame
#'   with a row for each. Names may say that the numbers have another order or meaning: see [box_names]. One image
#'   may have several boxes; a batch has one for each image, or one for all.
#' @param antialias Where a box is larger than the crop, make each pixel of the crop a weighted mean of all the
#'   image's pixels around it, rather than of the nearest four, which avoids aliasing.
#' @param fill_mode What is outside of the image: `"constant"`, `"nearest"` (a a a|a b c d) or `"reflect"` (c b a|a b c
#'   d); for pixels that are added also `"mirror"` (d c b|a b c d). A box inside of the image shows nothing of that.
#' @param fill_value The number for `"constant"`, and for pixels that are added: one that the type of `x` can hold.
#' @param interpolation `"bilinear"`; `"bicubic"`, smoother, which may overshoot; or `"nearest"`, the pixel that holds
#'   the sample, for masks and labels, which keeps their type.
#' @inheritParams image_array
#' @returns Images of the same kind as `x`, an array for a file; several crops of one image give a batch, in
#'   `crop_multi()` those of the first image first. The attribute `boxes` has the boxes that were cut, a row for each
#'   crop (those of mirrored windows run from right to left), with the dimensions of the images as their own attribute
#'   `size`: so [uncrop()] can undo all of this.
#' @section Kinds of images, and their numbers:
#' Crops have the numbers of their images; nothing is scaled. What these are differs from kind to kind:
#'
#' * arrays: what you put in, such as 0 to 1, or 0 to 255. Channels are grey; grey and opacity; red, green and blue; or
#'   these and opacity.
#' * the path of a file: read as an array of numbers from 0 to 1, whatever the file's depth.
#' * magick: bytes from 0 to 255 (an image of more bits loses its finer steps), grey, RGB or RGBA. Each frame is an
#'   image of a batch; crops come back as frames, without a file format: name it in `magick::image_write(crop, file,
#'   format = "jpeg")`.
#' * rasters ([grDevices::as.raster()]): bytes, with a channel for opacity where any colour is not opaque. Several crops
#'   are a list of rasters.
#' * cimg: what the package imager put in, mostly 0 to 1. Each `z`, a frame of a video, is an image of a batch. A pixset
#'   is logical; resampled it becomes a cimg.
#'
#' So `fill_value` is 0 to 255 for magick and rasters, and 1 is nearly black there. `raw` arrays are bytes too.
#' [plot_crops()] tells these ranges apart when it draws.
#'
#' @section Errors:
#' `kerascrop_error_size`: a size is not a positive whole number, or larger than the images while `if_smaller` is
#' `"error"`. `kerascrop_error_shape`: `x` has another shape. `kerascrop_error_box`: boxes of another shape, with `NA`,
#' or reversed (a box that reaches outside of the image is not an error; where one lies wholly outside, there is a
#' warning of class `kerascrop_warning_box`). `kerascrop_error_argument`: anything else about the arguments, also a
#' file that cannot be read.
#' @family array functions
#' @seealso [layer_center_crop()] and the other layers, for models; [plot_crops()] to look at the result;
#'   [boxes_from_masks()] to crop to the foreground.
#' @name crop_array
#' @examples
#' x <- matrix(1:16, 4, 4)
#' crop_border(x, 1)
#' crop_border(x, c(-1, 0))
#' crop_window(x, rows = 2:4, cols = 1:2)
#' crop_window(x, offset = c(-1, 0)) # the last row
#' crop_random(x, 2, 2, seed = 1)
#' crop_center(x, 6, 2, if_smaller = "pad")
#'
#' tiles <- crop_multi(x, 2, 2, "grid")
#' dim(tiles)
#' uncrop(tiles)
#'
#' # a raster gives a raster
#' red <- as.raster(matrix(c("red", "#FF000080"), 4, 4))
#' crop_center(red, 2, 2)
#' @examplesIf rlang::is_installed("jpeg")
#'
#' # from a file, and to a file
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' cat <- crop_center(photo, 200, 200)
#' dim(cat)
#' attr(cat, "boxes")
#' jpeg::writeJPEG(cat, tempfile(fileext = ".jpg"), quality = 0.95)
#' @examplesIf rlang::is_installed("magick")
#'
#' # a magick image gives a magick image
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' crop_center(magick::image_read(photo), 200, 200)
NULL

#' @rdname crop_array
#' @export
crop_center <- function(x, height, width, if_smaller = c("error", "resize", "pad", "keep"), fill_value = 0,
                        fill_mode = "constant", pad_position = "center", channels = NULL, background = "white",
                        orient = TRUE) {
  images <- images_to_crop(x, channels, background, orient)
  sizes <- c(height = as_size(height), width = as_size(width))
  fit <- fit_windows(images$lengths, sizes, as_if_smaller(if_smaller), as_fixed_position(pad_position, if_smaller))
  cut_fitted(images, center_starts(fit), fit, as_number(fill_value), as_window_fill(fill_mode))
}

#' @rdname crop_array
#' @export
crop_border <- function(x, cropping, fill_value = 0, fill_mode = "constant", channels = NULL, background = "white",
                        orient = TRUE) {
  images <- images_to_crop(x, channels, background, orient)
  margins <- as_margins(cropping)
  fill_value <- as_number(fill_value)
  check_margins_fit(images$lengths, margins)
  starts <- vapply(margins, `[`, 0L, 1)
  left <- images$lengths - vapply(margins, function(margin) sum(as.double(margin)), 0)
  cut_windows(images, starts, left, fill_value, as_window_fill(fill_mode))
}

#' @rdname crop_array
#' @export
crop_window <- function(x, rows = NULL, cols = NULL, offset = NULL, size = NULL, box = NULL,
                        if_smaller = "error", fill_value = 0, fill_mode = "constant", channels = NULL,
                        background = "white", orient = TRUE) {
  images <- images_to_crop(x, channels, background, orient)
  place <- as_place(list(rows = rows, cols = cols), offset, size, box)
  fit <- fit_place(place, images$lengths, as_choice(if_smaller, place_if_smaller_choices))
  cut_windows(images, fit$starts, fit$sizes, as_number(fill_value), as_window_fill(fill_mode))
}

#' @rdname crop_array
#' @export
crop_random <- function(x, height, width, seed = NULL, if_smaller = c("error", "resize", "pad", "keep"),
                        fill_value = 0, fill_mode = "constant", pad_position = "center", random_pad = 0,
                        channels = NULL, background = "white", orient = TRUE) {
  images <- images_to_crop(x, channels, background, orient)
  sizes <- c(height = as_size(height), width = as_size(width))
  seed <- as_seed(seed)
  if_smaller <- as_if_smaller(if_smaller)
  position <- check_padded(as_pad_position(pad_position, pad_positions), if_smaller)
  random_pad <- as_random_pad(random_pad, if_smaller)
  fill_mode <- as_window_fill(fill_mode)
  fit <- with_border(fit_windows(images$lengths, sizes, if_smaller, position), random_pad)
  if (is.null(seed)) restore_seed_on_failure(rlang::current_env())
  starts <- with_random_seed(seed, {
    vapply(room(fit) + 1, sample.int, integer(images$n), size = images$n, replace = TRUE) - 1L
  })
  cut_fitted(images, starts, fit, as_number(fill_value), fill_mode)
}

#' @rdname crop_array
#' @export
crop_multi <- function(x, height, width, views = c("five", "ten", "grid"), stride = NULL,
                       if_smaller = c("error", "resize", "pad", "keep"), fill_value = 0, fill_mode = "constant",
                       pad_position = "center", channels = NULL, background = "white", orient = TRUE) {
  images <- images_to_crop(x, channels, background, orient)
  sizes <- c(height = as_size(height), width = as_size(width))
  views <- as_choice(views, multi_views)
  stride <- as_stride(stride, sizes, views)
  fit <- fit_windows(images$lengths, sizes, as_if_smaller(if_smaller), as_fixed_position(pad_position, if_smaller))
  starts <- if (views == "grid") grid_starts(fit, stride %||% fit$sizes) else five_starts(fit)
  if (views == "ten") starts <- starts[c(1:5, 1:5), ]
  windows <- nrow(starts)
  starts <- starts[rep(seq_len(windows), images$n), , drop = FALSE]
  if (views == "ten") images <- with_mirrored(images, rep(1:10 > 5, images$n))
  cut_fitted(images, starts, fit, as_number(fill_value), as_window_fill(fill_mode))
}

#' @rdname crop_array
#' @export
crop_boxes <- function(x, boxes, height = NULL, width = NULL, antialias = FALSE,
                       fill_mode = "constant", fill_value = 0,
                       interpolation = c("bilinear", "bicubic", "nearest"),
                       channels = NULL, background = "white", orient = TRUE) {
  images <- images_to_crop(x, channels, background, orient)
  if (!missing(boxes)) check_image_numbers(boxes, images$n, "boxes", rlang::current_env())
  boxes <- warn_fractions(as_boxes(boxes))
  warn_outside(boxes, images$lengths[["height"]], images$lengths[["width"]])
  sizes <- if (nrow(boxes)) box_sizes(boxes[1, ]) else c(height = 1, width = 1)
  height <- height %||% sizes[["height"]]
  width <- width %||% sizes[["width"]]
  sizes <- c(height = as_size(height), width = as_size(width))
  antialias <- as_flag(antialias)
  fill_mode <- as_choice(fill_mode, fill_modes)
  fill_value <- as_number(fill_value)
  interpolation <- as_interpolation(interpolation, antialias)
  if (nrow(boxes) == 1) boxes <- boxes[rep(1, images$n), , drop = FALSE]
  if (images$n != 1 && images$n != nrow(boxes)) {
    kerascrop_abort(c(
      "A batch needs one box for each image, or one for all.",
      x = "There are {images$n} images, but {nrow(boxes)} boxes."
    ), "box")
  }
  if (are_slices(boxes, sizes)) {
    return(cut_windows(images, boxes[, 2:1, drop = FALSE], sizes, fill_value, fill_mode))
  }
  if (interpolation == "nearest") as_type(fill_value, images$x, rlang::current_env())
  crops <- resample(
    images, boxes, sizes, antialias = antialias, fill_mode = fill_mode, fill_value = fill_value,
    interpolation = interpolation
  )
  images$restore(if (interpolation == "nearest") with_type_of(crops, images$x) else crops, boxes)
}

# Images of any kind, with the arguments that all `crop_*()` have for them.
images_to_crop <- function(x, channels, background, orient, call = caller_env()) {
  as_images(
    x, "x", call, as_channels(channels, call = call), as_background(background, call = call),
    as_flag(orient, call = call)
  )
}

# Whether crops of boxes are nothing but pixels of the image.
are_slices <- function(boxes, sizes) {
  is_whole(boxes) && all(boxes[, 3] - boxes[, 1] == sizes[[2]], boxes[, 4] - boxes[, 2] == sizes[[1]])
}

# One box of one of the images, as `crop_boxes()` would cut it: `(1, height, width, channels)`.
cut_box <- function(images, i, box, call = caller_env()) {
  sizes <- box_sizes(box)
  check_memory(c(sizes, images$channels), call)
  if (are_slices(box, sizes)) return(cut_window(images$x, i, box[2:1], sizes, as_type(0, images$x, call)))
  images$n <- 1
  resample(images, box, sizes, call = call, first = i)
}

# The size of a box, in whole pixels.
box_sizes <- function(box) c(height = max(round(box[[4]] - box[[2]]), 1), width = max(round(box[[3]] - box[[1]]), 1))

# Runs code under a seed of its own and leaves R's random numbers as they were; `NULL` goes on with them.
with_random_seed <- function(seed, code) {
  if (is.null(seed)) return(code)
  kind <- RNGkind()
  if (!exists(".Random.seed", globalenv(), inherits = FALSE)) {
    on.exit({
      suppressWarnings(do.call(RNGkind, as.list(kind))) # it warns of R's old way to sample
      rm(".Random.seed", envir = globalenv())
    })
  }
  # The places of a seed are the same, whichever generator is set.
  withr::with_seed(
    seed, code, .rng_kind = "Mersenne-Twister", .rng_normal_kind = "Inversion", .rng_sample_kind = "Rejection"
  )
}
