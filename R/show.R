# How what R users get prints, and how it is drawn and summed up: layers, monitors, digits.

#' Print, draw and sum up layers
#'
#' A layer prints as one line, with those of its arguments that are not the defaults. `summary()` lists all of them.
#' `plot()` draws what the layer cuts out of images.
#'
#' @param x,object A layer of this package.
#' @param images Images, of any kind that [crop_center()] takes, or whatever else the layer is called on, such as a list
#'   of images and boxes for [layer_box_crop()]. `NULL`: an empty canvas of the size that the layer's model has.
#' @param training Whether the layer crops as in training, at random places for instance.
#' @param ... `plot()`: arguments of [plot_crops()], such as `crops = TRUE`. Otherwise ignored.
#' @returns `x` or, for `summary()`, a list of the layer's arguments, invisibly. `format()`: a string.
#' @section Errors:
#' `kerascrop_error_argument`: there is nothing to draw on, or the layer is none that cuts images. The others are those
#' that the layer itself gives for `images`.
#' @family plots
#' @name show_layers
#' @examplesIf reticulate::py_module_available("keras") && requireNamespace("jpeg", quietly = TRUE)
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' crop <- layer_random_crop(height = 160, width = 160, seed = 1)
#' crop
#' plot(crop, photo, training = TRUE)
#' plot(layer_multi_crop(height = 160, width = 160), photo)
NULL

#' @rdname show_layers
#' @export
print.kerascrop.layers.layer.Layer <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @rdname show_layers
#' @export
format.kerascrop.layers.layer.Layer <- function(x, ...) {
  check_alive(x, "x", rlang::current_env())
  reticulate::py_str(x)
}

#' @rdname show_layers
#' @export
summary.kerascrop.layers.layer.Layer <- function(object, ...) {
  call <- rlang::current_env()
  check_alive(object, "object", call)
  settings <- with_python_errors(object$get_config(), call)
  cat(class(object)[1], " ", settings$name, "\n", sep = "")
  for (name in setdiff(names(settings), "name")) cat("  ", name, ": ", shown_setting(settings[[name]]), "\n", sep = "")
  invisible(settings)
}

shown_setting <- function(x) {
  if (is.list(x) && !is.null(x$class_name)) return(paste(x$class_name, x$config$name))
  if (is.list(x)) return(paste0("(", paste(vapply(x, shown_setting, ""), collapse = ", "), ")"))
  shown(x)
}

#' @rdname show_layers
#' @method plot kerascrop.layers.layer.Layer
#' @export
plot.kerascrop.layers.layer.Layer <- function(x, images = NULL, ..., training = FALSE) {
  call <- rlang::current_env()
  check_alive(x, "x", call)
  check_alive(images, "images", call)
  training <- as_flag(training)
  if (!is_python(x, "kerascrop.layers.base.Crop") || x$rank != 2) {
    kerascrop_abort(c("{.arg x} must be a layer that crops images.", x = "It is {format(x)}."), "argument")
  }
  on_canvas <- is.null(images)
  if (on_canvas) {
    images <- canvas_of(x, call)
  } else if (!is_python(images) && !is_plain_list(images) && (is.object(images) || length(dim(images)) < 3)) {
    images <- image_array(images) # whatever kind of image it is
  }
  inputs <- unlist(x$input_names)
  check_object(images, inputs, call)
  looked <- with_python_errors(x$look(as_inputs(images, inputs, x, call), training), call)
  seen <- from_numpy(looked[[1]])
  boxes <- from_numpy(looked[[2]]) # (images, crops, 4)
  sets <- lapply(seq_len(dim(boxes)[2]), function(k) array(boxes[, k, ], dim(boxes)[c(1, 3)]))
  if (on_canvas) {
    plot_boxes(do.call(rbind, sets), height = dim(seen)[2], width = dim(seen)[3], ...)
  } else if (dim(seen)[1] == 1) {
    plot_crops(seen, do.call(rbind, sets), ...)
  } else {
    arguments <- list(...)
    arguments$col <- arguments$col %||% rep_len(box_colours(), length(sets))
    do.call(plot_crops, c(list(seen, sets), arguments))
  }
  invisible(x)
}

# An empty image of the size that a layer's model has.
canvas_of <- function(layer, call) {
  shape <- tryCatch(unlist(lapply(layer$input$shape, function(length) length %||% NA)), error = function(error) NULL)
  if (length(shape) == 4) shape[1] <- 1
  if (length(shape) == 4 && !anyNA(shape)) return(array(0, shape))
  kerascrop_abort(c(
    "{.arg images} is missing, and the layer is in no model whose images have a known size.",
    i = "Give what to draw on: {.code plot(layer, image)}."
  ), "argument", call)
}

as_monitor <- function(x, arg, call) {
  if (is_python(x, "kerascrop.training.CropMonitor")) return(x)
  kerascrop_abort(c(
    "{.arg {arg}} must be what {.fn callback_crop_monitor} returns.", x = "It is {shown(x)}."
  ), "argument", call)
}

#' @rdname callback_crop_monitor
#' @method print kerascrop.training.CropMonitor
#' @export
print.kerascrop.training.CropMonitor <- function(x, steps = 7, ...) {
  epochs <- as.data.frame(x)
  steps <- as_count(steps)
  cat(format(x), if (nrow(epochs)) ":", "\n", sep = "")
  if (nrow(epochs)) print(format(epochs[spread_out(nrow(epochs), steps), ], digits = 3), row.names = FALSE)
  for (remark in x$remarks) cat("!", remark, "\n")
  invisible(x)
}

#' @rdname callback_crop_monitor
#' @method format kerascrop.training.CropMonitor
#' @export
format.kerascrop.training.CropMonitor <- function(x, ...) {
  as_monitor(x, "x", rlang::current_env())
  n <- length(x$boxes)
  if (n == 0) return("A crop monitor that has not seen a training yet.")
  images <- nrow(x$boxes[[1]])
  cli::ansi_strip(cli::format_inline(
    "A crop monitor of {images} image{?s}{if (!is.null(x$truth)) ' with true boxes'}, {n - 1} epoch{?s}"
  ))
}

#' @rdname callback_crop_monitor
#' @method summary kerascrop.training.CropMonitor
#' @export
summary.kerascrop.training.CropMonitor <- function(object, ...) {
  as_monitor(object, "object", rlang::current_env())
  epochs <- as.data.frame(object)
  middles <- function(boxes) (boxes[, 1:2, drop = FALSE] + boxes[, 3:4, drop = FALSE]) / 2
  centres <- lapply(object$boxes, function(boxes) middles(stack_boxes(boxes)))
  far <- function(from, to) mean(sqrt(rowSums((to - from)^2)))
  n <- length(centres)
  structure(
    list(
      what = format(object), epochs = epochs, remarks = unlist(object$remarks),
      moved = if (n > 1) mapply(far, centres[-n], centres[-1]) else double(),
      moved_in_all = if (n > 1) far(centres[[1]], centres[[n]]) else 0
    ),
    class = "kerascrop_monitor_summary"
  )
}

#' @export
print.kerascrop_monitor_summary <- function(x, ...) {
  cat(x$what, "\n", sep = "")
  n <- nrow(x$epochs)
  if (n == 0) return(invisible(x))
  line <- function(name, values, more = "") {
    ends <- format(values[unique(c(1, n))], digits = 3)
    if (length(values)) cat("  ", name, ": ", paste(ends, collapse = " -> "), more, "\n", sep = "")
  }
  iou <- x$epochs$iou
  best <- if (any(is.finite(iou))) which.max(iou)
  line("IoU", iou, if (length(best)) sprintf(", best %.2f after epoch %s", iou[best], x$epochs$epoch[best]) else "")
  line("width", x$epochs$width, " pixels")
  line("height", x$epochs$height, " pixels")
  line("spread", x$epochs$spread)
  if (n > 1) cat(sprintf("  moved: %.1f pixels in all, %.1f in the last epoch\n", x$moved_in_all, x$moved[n - 1]))
  for (remark in x$remarks) cat("!", remark, "\n")
  invisible(x)
}

#' @rdname cluttered_digits
#' @export
format.cluttered_digits <- function(x, ...) {
  check_digits(x, "x", rlang::current_env())
  canvas <- dim(x$x)[2]
  digit <- if (length(x$y)) x$boxes[[1, "y2"]] - x$boxes[[1, "y1"]] else 0
  cli::ansi_strip(cli::format_inline(
    "{length(x$y)} image{?s} {.code x} of {canvas} x {canvas} pixels with a digit {.code y} of {digit} x {digit} each,
     at {.code boxes}", keep_whitespace = FALSE
  ))
}

#' @rdname cluttered_digits
#' @export
print.cluttered_digits <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

#' @rdname cluttered_digits
#' @export
summary.cluttered_digits <- function(object, ...) {
  print(object)
  print(table(digit = object$y))
  invisible(object)
}

# Stops unless a list is what `cluttered_digits()` makes, or a part of it.
check_digits <- function(x, arg, call) {
  parts <- unclass(x)
  fine <- is.list(parts) && length(dim(parts$x)) == 4 && is_numbers(parts$y) && is.matrix(parts$boxes) &&
    all(c(dim(parts$x)[1], nrow(parts$boxes)) == length(parts$y)) && identical(colnames(parts$boxes), box_sides)
  if (fine) return(invisible())
  kerascrop_abort("{.arg {arg}} must be what {.fn cluttered_digits} returns.", "argument", call)
}
