# What checks and converts the arguments that layers have in common, by their names.
argument_checks <- list(
  height = as_size, width = as_size, depth = as_size, length = as_size,
  data_format = as_data_format, name = as_name, seed = as_seed, dtype = as_dtype, trainable = as_flag,
  if_smaller = function(x, ...) as_choice(x, if_smaller_choices, ...),
  focus = function(x, ...) if (!is.null(x)) as_choice(x, c("boxes", "mask", "foreground"), ...),
  fill_mode = function(x, ...) as_choice(x, fill_modes, ...), fill_value = as_number,
  gradient_reach = as_reach, align_corners = as_flag,
  box_format = as_box_format, min_visible = as_fraction, positive_fraction = as_fraction,
  antialias = as_flag, per_image = as_flag, return_boxes = as_flag, snap = as_flag,
  resize = as_flag
)

# The arguments of the layer function that calls this, each checked by its name, but for `object`. Those that are
# given here, checked in their own way, are taken instead.
checked_arguments <- function(..., call = caller_env()) {
  given <- list(...)
  names <- setdiff(names(formals(rlang::frame_fn(call))), c("object", "...", names(given)))
  check <- function(name) {
    eval(as.call(list(argument_checks[[name]], as.name(name), arg = name, call = call)), call)
  }
  c(sapply(names, check, simplify = FALSE), given)
}

# `...`, of which each has a name, and those that are known are checked.
checked_dots <- function(dots, call) {
  dots <- check_named_dots(dots, call)
  known <- intersect(names(dots), names(argument_checks))
  dots[known] <- Map(function(name) argument_checks[[name]](dots[[name]], name, call), known)
  dots
}

# Builds a Python layer, then: returns it (no `object`), adds it to a Sequential model, or calls it on a
# tensor, an array, or a list of them.
compose <- function(object, class, arguments, ..., call = caller_env()) {
  # The left side of a pipe comes first, so that names are given in the order in which one reads.
  object <- if (missing(object)) NULL else object
  if (!is.null(object)) check_object(object, class, call)
  arguments <- c(arguments, checked_dots(list(...), call))
  arguments <- arguments[!vapply(arguments, is.null, NA)]
  module <- load_module(call)
  layer <- with_python_errors(do.call(module[[class]], arguments), call)
  if (is.null(object)) layer else call_layer(layer, object, call)
}

# Calls a layer, or adds it to a Sequential model.
call_layer <- function(layer, object, call, ...) {
  if (is_sequential(object)) {
    with_python_errors(add_layer(object, layer), call)
    return(invisible(object))
  }
  inputs <- as_inputs(object, layer, call)
  with_python_errors(layer$`__call__`(inputs, ...), call)
}

# A layer in R is a function. When users call it, its inputs are converted and its errors told as in `compose()`.
#' @exportS3Method reticulate::py_to_r_wrapper
py_to_r_wrapper.kerascrop.layers.base.Crop <- function(x) {
  force(x)
  function(object, ...) {
    call <- rlang::current_env()
    check_given(object, "argument", "object", call)
    check_object(object, python_class(x), call)
    call_layer(x, object, call, ...)
  }
}

#' @exportS3Method reticulate::py_to_r_wrapper
py_to_r_wrapper.kerascrop.layers.uncrop.Uncrop <- py_to_r_wrapper.kerascrop.layers.base.Crop

# Without what reticulate prints of functions.
#' @export
print.kerascrop.layers.base.Crop <- function(x, ...) {
  cat(reticulate::py_str(x), "\n", sep = "")
  invisible(x)
}

#' @export
print.kerascrop.layers.uncrop.Uncrop <- print.kerascrop.layers.base.Crop

# Keras can keep a layer that does not fit: take it out again.
add_layer <- function(model, layer) {
  before <- length(model$layers)
  withCallingHandlers(model$add(layer), error = function(error) if (length(model$layers) > before) model$pop())
}

is_sequential <- function(object) any(endsWith(class(object), ".Sequential"))

# A named list of images and what goes with them.
is_joint <- function(object) is_plain_list(object) && "images" %in% names(object)

# Two inputs in order: images and boxes or features; crops and their boxes.
is_pair <- function(object) is_plain_list(object) && length(object) == 2

# What a box layer takes in order: images and boxes, and perhaps the number of each box's image.
is_boxed <- function(object) is_plain_list(object) && length(object) %in% 2:3

# Stops unless `object` is something that a layer can be composed with, and shows the call that was meant.
check_object <- function(object, class, call) {
  is_array <- (is.numeric(object) || is.logical(object) || is.raw(object)) && length(dim(object)) >= 2
  is_tensor <- is_python(object) && reticulate::py_has_attr(object, "shape")
  fits <- if (class == "Uncrop") {
    is_pair(object)
  } else {
    is_tensor || is_array || is_joint(object) || (class == "LearnableCrop" && is_pair(object)) ||
      (class == "BoxCrop" && is_boxed(object))
  }
  if (is_sequential(object) || fits) return(invisible())
  name <- call_name(call)
  first <- setdiff(names(formals(rlang::frame_fn(call))), c("object", "..."))[1]
  kerascrop_abort(c(
    if (class == "Uncrop") {
      "{.arg object} must be a list of two, crops and their boxes, or missing."
    } else if (class == "BoxCrop") {
      "{.arg object} must be a list of images, boxes and perhaps the numbers of the boxes' images, a named list with
       {.code images} and {.code boxes}, or missing."
    } else {
      "{.arg object} must be a Sequential model, a tensor, an array of images, a named list with {.code images},
       or missing."
    },
    x = "It is {shown(object)}.",
    i = if (is.numeric(object) && length(object) <= 2 && !is.na(first)) {
      "To make a layer that is not in a model yet, name the other arguments, as in
       {.code {name}({first} = {shown(object)}{if (!first %in% c('cropping', 'length')) ', ...'})}."
    } else if (class == "Uncrop") {
      "A crop layer with {.code return_boxes = TRUE} returns such a list."
    } else if (inherits(object, "cluttered_digits")) {
      "Its images are {.code object$x}."
    } else if (is_plain_list(object) && !is.null(names(object))) {
      "Its names are {.val {names(object)}}."
    } else if (is_plain_list(object) && class != "BoxCrop") {
      "Take one tensor of it, such as {.code object[[1]]}; or name its parts, as in
       {.code list(images = x, segmentation_masks = m)}."
    } else if (is_python(object) && reticulate::py_has_attr(object, "outputs")) {
      "For a functional model use its output, {.code model$outputs[[1]]}."
    } else if (rlang::is_string(object) || inherits(object, c("magick-image", "raster", "imager_array"))) {
      "{.fn crop_center} and its like take files, and images of other packages; layers take arrays."
    }
  ), "argument", call)
}

call_name <- function(call) {
  name <- tryCatch(rlang::call_name(rlang::frame_call(call)), error = function(error) NULL)
  name %||% "layer"
}

# What R users give becomes tensors; Python objects pass.
as_inputs <- function(object, layer, call) {
  if (is_python(object)) return(object)
  if (inherits(layer, "kerascrop.layers.box.BoxCrop")) {
    object <- as_box_inputs(object, layer$box_format, call)
  } else if (inherits(layer, "kerascrop.layers.uncrop.Uncrop")) {
    object[[2]] <- order_sides(object[[2]], layer$box_format)
    check_finite_boxes(object[[2]], "boxes", call)
  }
  if (is_joint(object)) return(as_joint(object, layer, call))
  if (is.list(object)) {
    images <- as_image_tensor(object[[1]], layer, "object[[1]]", call, rank = 2) # what takes lists takes images
    return(c(list(images), lapply(unname(object[-1]), as_tensor, "object", call)))
  }
  as_image_tensor(object, layer, "object", call)
}

# A named list of R arrays and tensors.
as_joint <- function(object, layer, call) {
  check_joint_names(object, "object", call)
  object <- object[!vapply(object, is.null, NA)]
  boxes <- object[["bounding_boxes"]]
  if (!is.null(boxes) && !is_python(boxes)) {
    if (!is_plain_list(boxes) || !"boxes" %in% names(boxes)) {
      kerascrop_abort(c(
        "{.arg bounding_boxes} must be a list of {.code boxes} and perhaps {.code labels}.",
        x = "It is {shown(boxes)}.",
        i = "For instance {.code bounding_boxes = list(boxes = boxes, labels = labels)}."
      ), "box", call)
    }
    check_joint_names(boxes, "bounding_boxes", call)
    boxes[["boxes"]] <- order_sides(boxes[["boxes"]], layer$box_format)
    check_finite_boxes(boxes[["boxes"]], "bounding_boxes$boxes", call)
    object[["bounding_boxes"]] <- Map(function(part, name) as_tensor(part, name, call), boxes, names(boxes))
  }
  object[["images"]] <- as_image_tensor(object[["images"]], layer, "images", call)
  as_tensors(object, call)
}

check_joint_names <- function(parts, arg, call) {
  names <- rlang::names2(parts)
  if (all(nzchar(names)) && !anyDuplicated(names)) return(invisible())
  kerascrop_abort(c(
    "Each part of {.arg {arg}} must have a name of its own.", x = "The names are {.val {names}}."
  ), "argument", call)
}

# Lists in the list too: bounding boxes, and what passes uncropped.
as_tensors <- function(parts, call, arg = "object") {
  names <- rlang::names2(parts)
  convert <- function(part, name) if (is_plain_list(part)) as_tensors(part, call, name) else as_tensor(part, name, call)
  Map(convert, parts, ifelse(nzchar(names), names, arg))
}

as_image_tensor <- function(x, layer, arg, call, rank = layer$rank) {
  if (is_python(x)) return(x)
  if (layer$data_format == "channels_last") check_channels(dim(x), arg, call, rank)
  as_tensor(x, arg, call)
}

# Boxes `x1, y1, x2, y2` become floating-point numbers, which know `NaN`.
as_box_tensor <- function(x, arg, call) {
  if (is_python(x)) return(x)
  x <- order_sides(x, "xyxy")
  if (is.integer(x) || is.logical(x)) storage.mode(x) <- "double"
  as_tensor(x, arg, call)
}

# R arrays become tensors of Keras's float type, or keep their integers.
as_tensor <- function(x, arg, call) {
  if (is_python(x)) return(x)
  x <- without_frame(x)
  move_to_numpy(x, if (is.double(x)) "float32", call, arg)
}
