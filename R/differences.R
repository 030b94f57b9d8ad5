#' Differences from keras3
#'
#' [layer_center_crop()] and [layer_random_crop()] take the arguments of keras3's functions of these names, in their
#' order, so code written for those runs with these; [layer_border_crop()] does what keras3's `layer_cropping_1d()`,
#' `layer_cropping_2d()` and `layer_cropping_3d()` do. Where images are at least as large as the crops, centre and
#' border crops have the same pixels as Keras's; random ones are drawn in another way. This page lists what differs, on
#' purpose; the package's tests compare each with Keras 3.15.
#'
#' With both packages attached, the names `layer_center_crop` and `layer_random_crop` are those of the one attached
#' last. `kerascrop::layer_random_crop()` is always this one.
#'
#' @section Random crops:
#' * Each image has a place of its own. Keras draws one for the whole batch, as `per_image = FALSE` does.
#' * At prediction the crop is the centre, of the crop's size. Keras passes the image on uncropped, although its output
#'   shape says otherwise, so that a dense layer behind it fails.
#' * A layer that is called outside of training, as on an array, gives the centre; for random places say `training =
#'   TRUE`. Keras's crops at random there, too.
#' * Each axis is random on its own. Keras cuts the centre unless both sides of the image are larger than the crop.
#' * A layer whose `seed` was `NULL` has drawn one, and gives the same crops again when it has been saved and loaded.
#' * Models with these layers can be compiled by XLA. Keras switches XLA off for the whole model.
#'
#' @section Sizes:
#' * An image that is smaller than the crop is an error. `if_smaller = "resize"` is Keras's way: to enlarge the image.
#'   Keras first cuts it down to the crop's aspect, by whole pixels, and then enlarges, so places differ by less than a
#'   pixel where that aspect is not the image's.
#' * Sizes that become known when a model runs are checked, too. Keras returns crops of another size, or of no pixels.
#' * Sizes must be whole numbers: 20.7 is an error. keras3 makes it 20.
#' * `layer_center_crop(20, 20)` is an error that shows the call that was meant. keras3 takes the first 20 for the
#'   `object`.
#' * Margins may be negative, to add pixels, as Keras's `layer_zero_padding_2d()` does. Keras refuses them.
#'
#' @section Types, masks, boxes and key points:
#' * The type stays: integer images stay integers, and so do masks and labels, in tfdatasets pipelines as well. Keras
#'   makes them floating-point numbers.
#' * Masks need no axis for channels. Keras takes a batch of such masks for one image with channels.
#' * Bounding boxes move with the random crop, in all formats. Keras moves x by the offset of the rows and y by that of
#'   the columns, and breaks relative boxes (keras issue 23518).
#' * The format of bounding boxes is `box_format`, in Keras `bounding_box_format`.
#' * A box of which nothing, or less than `min_visible`, is left, gets the label -1 and sides of 0. Keras's random crop
#'   keeps its label.
#' * Key points move with the image. Keras leaves them where they were.
#'
#' @name differences_from_keras3
#' @aliases differences-from-keras3
#' @family crop layers
NULL
