# What layers are called with. A layer's inputs have names, in order: `images`, perhaps with `features`, or with `boxes`
# and `box_indices`; `crops` and `boxes`; or `predictions`, perhaps with `weights`. Each part is checked and converted
# as its name says.

# A named list of images and what goes with them.
is_joint <- function(object) is_plain_list(object) && "images" %in% names(object)

# Several of a layer's inputs, in order; what comes after the second may be missing.
are_parts <- function(object, inputs) {
  is_plain_list(object) && length(object) >= 2 && length(object) <= length(inputs)
}

# Stops unless `object` is something that a layer can be composed with, and shows the call that was meant.
check_object <- function(object, inputs, call) {
  check_alive(object, "object", call)
  check_keras(object, call)
  is_array <- (is.numeric(object) || is.logical(object) || is.raw(object)) && length(dim(object)) >= 2
  is_tensor <- is_python(object) && reticulate::py_has_attr(object, "shape")
  takes_images <- "images" %in% inputs
  is_first <- inputs[1] %in% c("images", "predictions") && (is_tensor || is_array)
  is_joint <- takes_images && is_joint(object)
  if (is_sequential(object) || is_first || is_joint || are_parts(object, inputs)) return(invisible())
  name <- call_name(call)
  first <- setdiff(names(formals(rlang::frame_fn(call))), c("object", "..."))[1]
  kerascrop_abort(c(
    paste0("{.arg object} must be ", what_fits(inputs), ", or missing."),
    x = "It is {shown(object)}.",
    i = if ("predictions" %in% inputs) {
      "To make a layer that is not in a model yet, name the arguments, as in {.code {name}(how = \"max\")}."
    } else if (is.numeric(object) && length(object) <= 2 && !is.na(first)) {
      "To make a layer that is not in a model yet, name the other arguments, as in
       {.code {name}({first} = {shown(object)}{if (!first %in% c('cropping', 'length')) ', ...'})}."
    } else if (!takes_images) {
      "A crop layer with {.code return_boxes = TRUE} returns such a list."
    } else if (inherits(object, "cluttered_digits")) {
      "The images are {.code object$x}."
    } else if (is_plain_list(object) && !is.null(names(object))) {
      "The names are {.val {names(object)}}."
    } else if (is_plain_list(object) && !"boxes" %in% inputs) {
      "Take one tensor of it, such as {.code object[[1]]}; or name its parts, as in
       {.code list(images = x, segmentation_masks = m)}."
    } else if (is_python(object) && reticulate::py_has_attr(object, "outputs")) {
      "For a functional model use its output, {.code model$outputs[[1]]}."
    } else if (is_string(object) || inherits(object, c("magick-image", "raster", "imager_array"))) {
      "{.fn crop_center} and the like take files, and images of other packages; layers take arrays."
    }
  ), "argument", call)
}

# Stops where `object` is of Keras 2: its models would not tell the layers that they train.
check_keras <- function(object, call) {
  if (!is_legacy(object)) return(invisible())
  kerascrop_abort(c(
    "{.arg object} must be of Keras 3, as the R package {.pkg keras3} makes it.",
    x = "It is of the legacy Keras 2, which the R package {.pkg keras} uses, and the Python package {.pkg tf_keras}:
         random crops would never be random there.",
    i = "Run {.code install.packages(\"keras3\")}, restart R, and begin with {.code library(keras3)} instead of
         {.code library(keras)}. Inputs are then {.code keras_input()}, models {.code keras_model()}."
  ), "argument", call)
}

is_legacy <- function(object) {
  if (is_plain_list(object)) return(any(vapply(object, is_legacy, NA)))
  any(grepl("^(tf_keras|keras[.](src[.])?engine|tensorflow[.]python[.]keras)[.]", class(object)))
}

what_fits <- function(inputs) {
  if ("predictions" %in% inputs) {
    return("a Sequential model, a tensor or an array of predictions, a list of predictions and their weights")
  }
  if (!"images" %in% inputs) return("a list of two, crops and their boxes")
  if ("reference" %in% inputs) {
    return("a list of two, images and a reference, a named list with {.code images} and {.code reference}")
  }
  if (!"boxes" %in% inputs) return("a Sequential model, a tensor, an array of images, a named list with {.code images}")
  "a list of images, boxes and perhaps the numbers of the boxes' images, a named list with {.code images} and
   {.code boxes}"
}

# What R users give becomes tensors; Python objects pass.
as_inputs <- function(object, inputs, layer, call) {
  if (is_python(object)) return(object)
  if (!is.list(object)) {
    return(as_parts(rlang::set_names(list(object), inputs[1]), "object", inputs, layer, call)[[1]])
  }
  if (is_joint(object)) {
    check_joint_names(object, "object", call)
    object <- object[!vapply(object, is.null, NA)]
    return(as_parts(object, names(object), inputs, layer, call))
  }
  args <- sprintf("object[[%d]]", seq_along(object))
  unname(as_parts(rlang::set_names(object, inputs[seq_along(object)]), args, inputs, layer, call))
}

# The parts that a layer is called with, by their names. Boxes from R are checked here: of a tensor the numbers may be
# unknown until the model runs.
as_parts <- function(parts, args, inputs, layer, call) {
  Map(function(part, arg) check_alive(part, arg, call), parts, args)
  shape <- dim(parts[[inputs[1]]])
  n <- shape[1] %||% Inf
  lengths <- if ("boxes" %in% inputs) image_lengths(shape, layer$data_format)
  convert <- function(part, name, arg) {
    if (is_python(part)) return(part)
    if (name == "bounding_boxes") return(as_bounding_boxes(part, layer$box_format, call))
    switch(if (name %in% inputs) name else "",
      images = , reference = as_image_tensor(part, arg, layer, call),
      crops = as_image_tensor(part, arg, layer, call, rank = 2),
      boxes = as_tensor(as_input_boxes(part, n, inputs, layer$box_format, call, lengths), arg, call),
      box_indices = as_tensor(as_box_indices(part, n, call), arg, call),
      predictions = , weights = as_tensor(part, arg, call),
      as_tensors(part, arg, call)
    )
  }
  Map(convert, parts, names(parts), args)
}

# Boxes that are cut must have an area; those where crops are put back may be mirrored, or reach anywhere.
as_input_boxes <- function(boxes, n, inputs, box_format, call, lengths = NULL) {
  check_image_numbers(boxes, n, "boxes", call)
  boxes <- order_boxes(boxes, box_format, "boxes", call, sized = TRUE)
  if ("crops" %in% inputs) {
    check_finite_boxes(boxes, "boxes", call)
  } else {
    check_box_values(boxes, box_format, lengths, call)
  }
  boxes
}

# Height and width in the shape of images, NULL where they are not known.
image_lengths <- function(shape, data_format) {
  if (length(shape) < 3 || anyNA(shape)) return(NULL)
  shape[length(shape) - if (identical(data_format, "channels_first")) 1:0 else 2:1]
}

as_bounding_boxes <- function(boxes, box_format, call) {
  if (!is_plain_list(boxes) || !"boxes" %in% names(boxes)) {
    kerascrop_abort(c(
      "{.arg bounding_boxes} must be a list of {.code boxes} and perhaps {.code labels}.",
      x = "It is {shown(boxes)}.",
      i = "For instance {.code bounding_boxes = list(boxes = boxes, labels = labels)}."
    ), "box", call)
  }
  check_joint_names(boxes, "bounding_boxes", call)
  boxes[["boxes"]] <- order_boxes(boxes[["boxes"]], box_format, "bounding_boxes$boxes", call)
  check_finite_boxes(boxes[["boxes"]], "bounding_boxes$boxes", call)
  Map(function(part, name) as_tensor(part, name, call), boxes, names(boxes))
}

check_joint_names <- function(parts, arg, call) {
  names <- rlang::names2(parts)
  if (all(nzchar(names)) && !anyDuplicated(names)) return(invisible())
  kerascrop_abort(c(
    "Each part of {.arg {arg}} must have a name of its own.", x = "The names are {.val {names}}."
  ), "argument", call)
}

# What passes uncropped: a tensor, or a list of tensors and of lists.
as_tensors <- function(x, arg, call) {
  if (!is_plain_list(x)) return(as_tensor(x, arg, call))
  names <- rlang::names2(x)
  Map(function(part, name) as_tensors(part, name, call), x, ifelse(nzchar(names), names, arg))
}

as_image_tensor <- function(x, arg, layer, call, rank = layer$rank) {
  if (layer$data_format == "channels_last") check_channels(dim(x), arg, call, rank)
  as_tensor(x, arg, call)
}

# Boxes `x1, y1, x2, y2` become floating-point numbers, which know `NaN`.
as_box_tensor <- function(x, arg, call) {
  if (is_python(x)) return(x)
  x <- order_boxes(x, "xyxy", arg, call)
  if (is.integer(x) || is.logical(x)) storage.mode(x) <- "double"
  as_tensor(x, arg, call)
}

# R arrays become tensors of Keras's float type, or keep their integers.
as_tensor <- function(x, arg, call) {
  if (is_python(x)) return(x)
  if (is.data.frame(x)) x <- as.matrix(x)
  move_to_numpy(x, if (is.double(x)) "float32", call, arg)
}
