#' Handwritten digits on cluttered canvases
#'
#' Each image has one digit at a random place, and pieces of other digits strewn around it: a small task in which a
#' network has to find what it should look at. The digits are real, 1,797 of 8 x 8 pixels from the UCI repository
#' (Alpaydin and Kaynak 1998, \doi{10.24432/C50P49}, CC BY 4.0), enlarged: 1,400 of them are drawn from for training,
#' the other 397 for testing. Making them needs Python, as the layers do.
#'
#' @param n How many images.
#' @param canvas Height and width of an image, in pixels.
#' @param digit Height and width of the digit, in pixels.
#' @param distractors How many pieces of other digits, of 2/5 the digit's size, are strewn over each canvas.
#' @param split `"train"` or `"test"`.
#' @param seed A whole number, for the same images in every run; `NULL` draws one from R's random numbers, which
#'   [set.seed()] fixes.
#' @param x,object What `cluttered_digits()` returned.
#' @param titles Titles of the images, one each.
#' @param max How many images to draw at most.
#' @param ... Further arguments of [plot_crops()], such as `crops = TRUE`.
#' @returns A list, which prints as one line, and has a `plot()` and, where ggplot2 is installed, an `autoplot()`: `x`,
#'   images `(n, canvas, canvas, 1)` from 0 to 1; `y`, the digits, integers from 0 to 9; `boxes`, where they are, a
#'   matrix with a row `x1, y1, x2, y2` for each.
#' @section Errors:
#' `kerascrop_error_size`: a number is not a positive whole number, or the digit is larger than the canvas.
#' `kerascrop_error_argument`: anything else about the arguments.
#' @family training
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' digits <- cluttered_digits(6, seed = 1)
#' digits
#' plot(digits, crops = TRUE)
cluttered_digits <- function(n, canvas = 64, digit = 20, distractors = 6, split = c("train", "test"), seed = NULL) {
  n <- as_count(n)
  canvas <- as_size(canvas)
  digit <- as_size(digit)
  distractors <- as_count(distractors, least = 0)
  split <- as_choice(split, digit_splits)
  call <- rlang::current_env()
  seed <- seed_or_draw(seed, call)
  digits <- with_python_errors(
    python_part("digits", call)$cluttered_digits(n, canvas, digit, distractors, split, seed), call
  )
  boxes <- from_numpy(digits$boxes)
  colnames(boxes) <- box_sides
  structure(list(x = from_numpy(digits$x), y = from_numpy(digits$y), boxes = boxes), class = "cluttered_digits")
}

#' @rdname cluttered_digits
#' @export
plot.cluttered_digits <- function(x, ..., titles = x$y) {
  check_digits(x, "x", rlang::current_env())
  plot_crops(x$x, x$boxes, titles = titles, ...)
  invisible(x)
}

#' @rdname cluttered_digits
#' @method autoplot cluttered_digits
#' @rawNamespace S3method(ggplot2::autoplot,cluttered_digits)
autoplot.cluttered_digits <- function(object, max = 16, ...) {
  check_digits(object, "object", rlang::current_env())
  shown <- seq_len(min(length(object$y), as_count(max)))
  canvas <- dim(object$x)[2]
  label <- factor(sprintf("%d: %d", shown, object$y[shown]), sprintf("%d: %d", shown, object$y[shown]))
  pixels <- expand.grid(image = shown, row = seq_len(canvas), col = seq_len(canvas))
  pixels$light <- as.vector(object$x[shown, , , 1])
  pixels$label <- label[pixels$image]
  boxes <- data.frame(object$boxes[shown, , drop = FALSE], label = label)
  ggplot2::ggplot(pixels) +
    ggplot2::geom_raster(ggplot2::aes(.data$col - 0.5, .data$row - 0.5, fill = .data$light)) +
    ggplot2::geom_rect(
      ggplot2::aes(xmin = .data$x1, ymin = .data$y1, xmax = .data$x2, ymax = .data$y2),
      data = boxes, fill = NA, colour = box_colours()[1]
    ) +
    ggplot2::facet_wrap(ggplot2::vars(.data$label)) +
    ggplot2::scale_fill_gradient(low = "black", high = "white", limits = c(0, 1), guide = "none") +
    ggplot2::scale_y_reverse(expand = c(0, 0)) +
    ggplot2::scale_x_continuous(expand = c(0, 0)) +
    ggplot2::coord_equal() +
    ggplot2::labs(x = NULL, y = NULL)
}
