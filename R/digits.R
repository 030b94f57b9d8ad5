#' Handwritten digits on cluttered canvases
#'
#' Each image has one digit at a random place, and pieces of other digits strewn around it: a small task in which a
#' network has to find what it should look at. The digits are real, 1,797 of 8 x 8 pixels from the UCI repository
#' (Alpaydin and Kaynak 1998, \doi{10.24432/C50P49}, CC BY 4.0), enlarged: 1,400 of them are drawn from for training,
#' the other 397 for testing.
#'
#' @param n How many images.
#' @param canvas Height and width of an image, in pixels.
#' @param digit Height and width of the digit, in pixels.
#' @param distractors How many pieces of other digits, of 2/5 the digit's size, are strewn over each canvas.
#' @param split `"train"` or `"test"`.
#' @param seed A whole number, for the same images in every run; `NULL` draws one from R's random numbers, which
#'   [set.seed()] fixes.
#' @returns A list: `x`, images `(n, canvas, canvas, 1)` from 0 to 1; `y`, the digits, integers from 0 to 9; `boxes`,
#'   where they are, a matrix with a row `x1, y1, x2, y2` for each.
#' @section Errors:
#' `kerascrop_error_size`: a number is no positive whole number, or the digit is larger than the canvas.
#' `kerascrop_error_argument`: anything else about the arguments.
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' digits <- cluttered_digits(6, seed = 1)
#' plot_crops(digits$x, digits$boxes, titles = digits$y)
cluttered_digits <- function(n, canvas = 64, digit = 20, distractors = 6, split = c("train", "test"), seed = NULL) {
  n <- as_size(n)
  canvas <- as_size(canvas)
  digit <- as_size(digit)
  distractors <- as_count(distractors)
  split <- as_choice(split, c("train", "test"))
  call <- rlang::current_env()
  seed <- seed_or_draw(seed, call)
  digits <- with_python_errors(
    python_part("digits", call)$cluttered_digits(n, canvas, digit, distractors, split, seed), call
  )
  boxes <- from_numpy(digits$boxes)
  colnames(boxes) <- box_sides
  list(x = from_numpy(digits$x), y = from_numpy(digits$y), boxes = boxes)
}
