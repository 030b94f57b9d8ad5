#' Watch where a learnable crop looks while it learns
#'
#' A callback for `fit()`. Before training and after every epoch the model is run on a few images, as for prediction,
#' and the boxes that its [layer_learnable_crop()] cuts are kept and summed up. Afterwards `plot()` shows them as strips
#' of film, with curves of their spread, their size and their overlap with the true boxes; [animate_crops()] makes a GIF
#' of them; `as.data.frame()` gives the numbers, and `autoplot()` draws either with ggplot2. Losses and accuracies are
#' in what `fit()` returns: with keras3, `plot(history)`; with reticulate alone,
#' `matplot(as.data.frame(lapply(history$history, unlist)), type = "b")`.
#'
#' There is a warning of class `kerascrop_warning_crops`, once for each problem, and a line in what `print()` shows,
#' when all crops are at the same place, when nearly all have the smallest or the largest size or lie at the image's
#' edge, and when boxes are no longer numbers. Training itself is the same with a monitor and without one.
#'
#' @param images A few inputs of the model, as `fit()` takes them: an array, or a list of arrays; 16 images are plenty.
#' @param boxes Their true boxes, a matrix with a row `x1, y1, x2, y2` in pixels for each image, or for several crops of
#'   each an array `(images, crops, 4)`, which are paired as by `metric_box_iou(match = TRUE)`; or `NULL`. Boxes with
#'   an `NA`, or without area, count as missing.
#' @param layer The layer, or its name; `NULL` takes the model's only learnable crop.
#' @param x,object A monitor. `summary()` says how its boxes changed, how far they moved and, with true boxes, how well
#'   they match.
#' @param max How many images to draw at most.
#' @param steps How many epochs to print or draw at most: the first, the last, and some between.
#' @param col Colours of true and predicted boxes.
#' @param lwd Width of the boxes' lines.
#' @param what `"epochs"`: a row, or a point of the curves, for each epoch. `"boxes"`: a row, or a picture, for each
#'   epoch and image.
#' @param row.names,optional,... Ignored.
#' @returns The callback. It has the fields `seen`, the images that reach the layer; `boxes`, a list of matrices, one
#'   before training and one for each epoch; `history`, `remarks`. `plot()` returns the monitor, invisibly; `autoplot()`
#'   a ggplot.
#'
#'   A data frame has, for each epoch, `epoch` (how many were over), `spread` (standard deviation of the boxes'
#'   centres, as a fraction of the image's side, along the axis where it is larger), `width` and `height` (means, in
#'   pixels) and, with true boxes, `iou` (mean). For boxes: `epoch`, `image`, for several crops
#'   `crop`, and `x1`, `y1`, `x2`, `y2`.
#' @section Errors:
#' `kerascrop_error_box`: there is not one true box for each image. `kerascrop_error_shape`: there are no images.
#' `kerascrop_error_size`: `max` or `steps` is not a positive whole number. `kerascrop_error_argument`: any other wrong
#' argument, or a monitor that has not seen a training yet. When training begins: a Python error, `ArgumentError`,
#' if the model has no learnable crop, or several.
#' @family training
#' @export
#' @examplesIf reticulate::py_module_available("keras")
#' digits <- cluttered_digits(64, seed = 1)
#' keras <- reticulate::import("keras")
#' model <- keras$Sequential(list(keras$Input(list(64L, 64L, 1L))))
#' layer_learnable_crop(model, 24, 24, size = "square")
#' model$add(keras$layers$Flatten())
#' model$add(keras$layers$Dense(10L))
#' loss <- keras$losses$SparseCategoricalCrossentropy(from_logits = TRUE)
#' model$compile("adam", loss, jit_compile = FALSE) # a few steps are not worth compiling
#'
#' monitor <- callback_crop_monitor(digits$x[1:4, , , , drop = FALSE], digits$boxes[1:4, ])
#' history <- model$fit(
#'   as_numpy(digits$x), as_numpy(digits$y, NULL), epochs = 3L, verbose = 0L, callbacks = list(monitor)
#' )
#' monitor
#' plot(monitor)
callback_crop_monitor <- function(images, boxes = NULL, layer = NULL) {
  call <- rlang::current_env()
  check_given(images, "shape", "images", call)
  if (inherits(images, "cluttered_digits")) {
    kerascrop_abort(c(
      "{.arg images} must be an array, or a list of arrays.", x = "It is {shown(images)}.",
      i = "The images are {.code images$x}."
    ), "argument")
  }
  parts <- if (is_plain_list(images)) images else list(images)
  if (!length(parts) || any(vapply(parts, function(part) identical(dim(part)[1], 0L), NA))) {
    kerascrop_abort(c("{.arg images} must have an image or more.", x = "It is {shown(images)}."), "shape")
  }
  images <- if (is_plain_list(images)) lapply(images, as_tensor, "images", call) else as_tensor(images, "images", call)
  boxes <- or_null(as_box_tensor)(boxes)
  layer <- as_layer(layer)
  module <- load_module(call)
  monitor <- with_python_errors(module$CropMonitor(images, boxes = boxes, layer = layer), call)
  monitor$warn <- function(text) kerascrop_warn("{text}", "crops")
  monitor
}

as_layer <- or_null(function(x, arg, call) {
  if (is_string(x) || is_python(x)) return(x)
  kerascrop_abort(c(
    "{.arg {arg}} must be {.code NULL}, a layer, or its name.", x = "It is {shown(x)}."
  ), "argument", call)
})

#' @rdname callback_crop_monitor
#' @method as.data.frame kerascrop.training.CropMonitor
#' @export
as.data.frame.kerascrop.training.CropMonitor <- function(x, row.names = NULL, optional = FALSE, ...,
                                                         what = c("epochs", "boxes")) {
  as_monitor(x, "x", rlang::current_env())
  what <- as_choice(what, c("epochs", "boxes"))
  epochs <- do.call(rbind, lapply(x$history, as.data.frame))
  epochs <- epochs %||% data.frame(epoch = integer(), spread = double(), width = double(), height = double())
  if (what == "epochs") return(epochs)
  boxes <- do.call(rbind, lapply(x$boxes, stack_boxes)) %||% matrix(0, 0, 4)
  colnames(boxes) <- box_sides
  images <- if (nrow(epochs)) nrow(x$boxes[[1]]) else 0
  crops <- if (images) nrow(boxes) / nrow(epochs) / images else 1
  of <- data.frame(
    epoch = rep(epochs$epoch, each = images * crops), image = rep(rep(seq_len(images), each = crops), nrow(epochs))
  )
  if (crops > 1) of$crop <- rep(seq_len(crops), images * nrow(epochs))
  cbind(of, boxes)
}

# Boxes `(images, 4)`, or `(images, crops, 4)`, as a matrix of a row for each box: all of an image, then the next.
stack_boxes <- function(x) {
  if (length(dim(x)) == 3) matrix(aperm(x, c(3, 2, 1)), ncol = 4, byrow = TRUE) else x
}

#' @rdname callback_crop_monitor
#' @method plot kerascrop.training.CropMonitor
#' @export
plot.kerascrop.training.CropMonitor <- function(x, max = 4, steps = 7, col = box_colours()[1:2], lwd = 2, ...) {
  film <- as_film(x, max, col, lwd)
  epochs <- as.data.frame(x)
  chosen <- spread_out(nrow(epochs), as_count(steps))
  curves <- curves_of(epochs)
  # A line of numbers, the strips, and the curves: each curve is as wide as `length(chosen)` parts of a frame.
  frames <- matrix(seq_len((length(film$images) + 1) * length(chosen)), ncol = length(chosen), byrow = TRUE)
  rows <- rbind(
    frames[, rep(seq_along(chosen), each = length(curves)), drop = FALSE],
    rep(max(frames) + seq_along(curves), each = length(chosen))
  )
  keep <- graphics::par(no.readonly = TRUE)
  on.exit(graphics::par(keep))
  graphics::layout(rows, heights = c(0.2, rep(1, length(film$images)), max(1.3, 0.35 * length(film$images))))
  graphics::par(mar = rep(0.15, 4), oma = c(if (is.null(film$truth)) 0.3 else 1.6, 0.3, 0.3, 0.3), cex = 0.7)
  for (epoch in epochs$epoch[chosen]) {
    graphics::plot.new()
    graphics::text(0.5, 0.5, paste("epoch", epoch), xpd = NA)
  }
  for (image in film$images) for (look in chosen) draw_look(film, image, look)
  graphics::par(mar = c(2.6, 2.4, 2, 0.8), mgp = c(1.4, 0.4, 0), tcl = -0.25)
  for (title in names(curves)) draw_curve(epochs, curves[[title]], title, film$col[2])
  if (!is.null(film$truth)) draw_legend(c("true", "predicted"), film$col)
  invisible(x)
}

#' @rdname callback_crop_monitor
#' @method autoplot kerascrop.training.CropMonitor
#' @rawNamespace S3method(ggplot2::autoplot,kerascrop.training.CropMonitor)
autoplot.kerascrop.training.CropMonitor <- function(object, what = c("epochs", "boxes"), max = 4, steps = 7,
                                                    col = box_colours()[1:2], ...) {
  what <- as_choice(what, c("epochs", "boxes"))
  film <- as_film(object, max, col, 1)
  steps <- as_count(steps)
  if (what == "epochs") gg_curves(as.data.frame(object), film$col[2]) else gg_film(film, steps)
}

#' An animation of what a learnable crop learned
#'
#' Writes a GIF with a frame for each epoch that a [callback_crop_monitor()] has watched: its images, with their true
#' boxes and those that the layer cuts.
#'
#' @param monitor A monitor, after training.
#' @param path Where to write the file.
#' @param max How many images to show at most.
#' @param ncol Images in a row; the default makes a square.
#' @param width Width of the frames, in pixels.
#' @param fps Frames in a second. The last one stays longer.
#' @param col Colours of true and predicted boxes.
#' @param lwd Width of the boxes' lines.
#' @returns `path`, invisibly.
#' @section Errors:
#' `kerascrop_error_argument`: `monitor` is not a monitor, or has not seen a training yet; or another wrong argument.
#' `kerascrop_error_size`: `max`, `ncol` or `width` is not a positive whole number.
#' `rlib_error_package_not_found`: the package magick is missing.
#' @family training
#' @export
#' @examplesIf requireNamespace("magick", quietly = TRUE) && reticulate::py_module_available("keras")
#' digits <- cluttered_digits(64, seed = 1)
#' keras <- reticulate::import("keras")
#' model <- keras$Sequential(list(keras$Input(list(64L, 64L, 1L))))
#' layer_learnable_crop(model, 24, 24)
#' model$add(keras$layers$Flatten())
#' model$add(keras$layers$Dense(10L))
#' loss <- keras$losses$SparseCategoricalCrossentropy(from_logits = TRUE)
#' model$compile("adam", loss, jit_compile = FALSE) # a few steps are not worth compiling
#' monitor <- callback_crop_monitor(digits$x[1:4, , , , drop = FALSE])
#' history <- model$fit(
#'   as_numpy(digits$x), as_numpy(digits$y, NULL), epochs = 2L, verbose = 0L, callbacks = list(monitor)
#' )
#' animate_crops(monitor, tempfile(fileext = ".gif"))
animate_crops <- function(monitor, path, max = 9, ncol = NULL, width = 480, fps = 4, col = box_colours()[1:2],
                          lwd = 2) {
  film <- as_film(monitor, max, col, lwd)
  check_given(path, "argument", "path", rlang::current_env())
  check_writable(path)
  n <- length(film$images)
  ncol <- min(or_null(as_count)(ncol) %||% ceiling(sqrt(n)), n)
  width <- as_size(width)
  rows <- ceiling(n / ncol)
  height <- round(rows * width / ncol * dim(film$seen)[2] / dim(film$seen)[3]) + 30
  fps <- as_positive(fps)
  rlang::check_installed("magick", "to write an animation.")
  # magick has a graphics device of its own, but not on every machine a font for it.
  folder <- withr::local_tempdir()
  draw <- function() {
    graphics::par(mfrow = c(rows, ncol), mar = rep(0.2, 4), oma = c(0.2, 0.2, 1.8, 0.2))
    for (look in cli::cli_progress_along(film$epochs, "Drawing")) {
      for (image in film$images) draw_look(film, image, look)
      for (empty in seq_len(ncol * rows - n)) graphics::plot.new()
      graphics::mtext(paste("epoch", film$epochs[look]), outer = TRUE, line = 0.3)
    }
  }
  call <- rlang::current_env()
  tryCatch(
    withr::with_png(file.path(folder, "%05d.png"), width = width, height = height, res = 96, code = draw()),
    error = function(error) {
      problem <- conditionMessage(error)
      kerascrop_abort(c(
        "Frames of {width} x {height} pixels cannot be drawn.", x = "{problem}",
        i = "Give another {.arg width}, or another {.arg ncol}."
      ), "argument", call)
    }
  )
  frames <- magick::image_read(sort(list.files(folder, full.names = TRUE)))
  delay <- c(rep(1, length(film$epochs) - 1), 4) * max(round(100 / fps), 2)
  write_whole(magick::image_write(magick::image_animate(frames, delay = delay), format = "gif"), path)
  invisible(path)
}

# What is drawn of a monitor: its images, and for each epoch its boxes.
as_film <- function(monitor, max, col, lwd, call = caller_env()) {
  check_given(monitor, "argument", "monitor", call)
  as_monitor(monitor, "monitor", call)
  if (!length(monitor$boxes)) {
    kerascrop_abort(c(
      "There is nothing to draw yet.", i = "Give the monitor to {.code fit(callbacks = list(monitor))} first."
    ), "argument", call)
  }
  check_colours(col, call = call)
  seen <- monitor$seen
  boxes <- lapply(monitor$boxes, stack_boxes)
  truth <- monitor$truth
  if (!is.null(truth)) {
    truth <- stack_boxes(truth)
    missing <- !(truth[, 3] > truth[, 1] & truth[, 4] > truth[, 2]) # TRUE or NA
    truth[!missing %in% FALSE, ] <- NA
  }
  list(
    seen = seen, images = seq_len(min(dim(seen)[1], as_count(max, arg = "max", call = call))),
    range = as_range(NULL, seen), epochs = vapply(monitor$history, function(record) as.double(record$epoch), 0),
    truth = truth, boxes = boxes, of = rep(seq_len(dim(seen)[1]), each = nrow(boxes[[1]]) / dim(seen)[1]),
    col = rep_len(col, 2), lwd = as_positive(lwd, "lwd", call)
  )
}

draw_look <- function(film, image, look) {
  draw_image(film$seen[image, , , , drop = FALSE], film$range)
  if (!is.null(film$truth)) draw_boxes(film$truth[film$of == image, , drop = FALSE], film$col[1], film$lwd)
  draw_boxes(film$boxes[[look]][film$of == image, , drop = FALSE], film$col[2], film$lwd)
}

# At most `max` of the numbers up to `n`: the first, the last, and some between.
spread_out <- function(n, max) unique(round(seq(1, n, length.out = min(max, n))))

# Which columns are drawn as curves, and under which titles.
curves_of <- function(epochs) {
  same <- isTRUE(all.equal(epochs$width, epochs$height, tolerance = 1e-4))
  curves <- list(
    spread = "spread", "size, pixels" = c("width", if (!same) "height"), IoU = intersect("iou", names(epochs))
  )
  curves[lengths(curves) > 0]
}

draw_curve <- function(epochs, columns, title, col) {
  values <- as.matrix(epochs[columns])
  top <- if (title == "IoU") 1 else max(values[is.finite(values)], 0.01) * 1.05
  graphics::matplot(
    epochs$epoch, values, type = "o", pch = 20, lty = seq_len(ncol(values)), col = col, ylim = c(0, top),
    xlab = "epoch", ylab = "", main = title, cex.main = 1, las = 1, bty = "l", xaxt = "n"
  )
  graphics::axis(1, whole_marks(epochs$epoch))
  if (ncol(values) > 1) graphics::legend("bottomright", columns, lty = 1:2, col = col, bty = "n")
}

# The whole numbers at which an axis has marks.
whole_marks <- function(x) unique(round(pretty(x)))

gg_curves <- function(epochs, col) {
  curves <- curves_of(epochs)
  columns <- unlist(curves, use.names = FALSE)
  points <- data.frame(
    epoch = epochs$epoch, value = unlist(epochs[columns], use.names = FALSE),
    column = rep(columns, each = nrow(epochs)),
    title = rep(factor(names(curves), names(curves)), lengths(curves) * nrow(epochs))
  )
  ggplot2::ggplot(points, ggplot2::aes(.data$epoch, .data$value, linetype = .data$column)) +
    ggplot2::geom_line(colour = col) +
    ggplot2::geom_point(colour = col) +
    ggplot2::geom_blank(ggplot2::aes(y = ifelse(.data$title == "IoU", 1, 0))) + # the whole range of it
    ggplot2::expand_limits(y = 0) +
    ggplot2::facet_wrap(ggplot2::vars(.data$title), scales = "free_y") +
    ggplot2::scale_linetype_manual(
      NULL, values = c(spread = 1, width = 1, height = 2, iou = 1),
      breaks = if ("height" %in% columns) c("width", "height")
    ) +
    ggplot2::scale_x_continuous(breaks = whole_marks) +
    ggplot2::labs(x = "epoch", y = NULL)
}

# A row for each image, a column for each of the chosen epochs.
gg_film <- function(film, steps) {
  pixels <- lapply(film$images, function(image) {
    colours <- as.matrix(as_raster(film$seen[image, , , , drop = FALSE], film$range))
    data.frame(image, x = c(col(colours)) - 0.5, y = c(row(colours)) - 0.5, colour = c(colours))
  })
  boxes <- function(matrix, which, ...) {
    if (is.null(matrix)) return(NULL)
    shown <- film$of %in% film$images
    sides <- structure(matrix[shown, , drop = FALSE], dimnames = list(NULL, box_sides))
    data.frame(sides, image = film$of[shown], which, ...)
  }
  frame <- function(data) {
    if (is.null(data)) return(NULL)
    ggplot2::geom_rect(
      ggplot2::aes(xmin = .data$x1, ymin = .data$y1, xmax = .data$x2, ymax = .data$y2, colour = .data$which),
      data = data, fill = NA, na.rm = TRUE
    )
  }
  chosen <- spread_out(length(film$epochs), steps)
  looks <- lapply(chosen, function(look) boxes(film$boxes[[look]], "predicted", epoch = film$epochs[look]))
  ggplot2::ggplot() +
    ggplot2::geom_raster(ggplot2::aes(.data$x, .data$y, fill = .data$colour), data = do.call(rbind, pixels)) +
    frame(boxes(film$truth, "true")) +
    frame(do.call(rbind, looks)) +
    ggplot2::facet_grid(
      ggplot2::vars(.data$image), ggplot2::vars(.data$epoch),
      labeller = ggplot2::labeller(.cols = function(epoch) paste("epoch", epoch))
    ) +
    ggplot2::scale_fill_identity() +
    ggplot2::scale_colour_manual(
      NULL, values = c(true = film$col[1], predicted = film$col[2]), breaks = c("true", "predicted")
    ) +
    ggplot2::scale_x_continuous(expand = c(0, 0)) +
    ggplot2::scale_y_reverse(expand = c(0, 0)) +
    ggplot2::coord_equal() +
    ggplot2::theme_void() +
    ggplot2::theme(
      legend.position = if (is.null(film$truth)) "none" else "bottom", plot.margin = ggplot2::margin(4, 4, 4, 4),
      strip.text = ggplot2::element_text(margin = ggplot2::margin(3, 3, 3, 3))
    )
}
