# Builds a Python layer, then: returns it (no `object`), adds it to a Sequential model, or calls it on a
# tensor, a list of tensors, or an array.
compose <- function(object, class, ..., call = caller_env()) {
  # The left side of a pipe comes first, so that names are given in the order in which one reads.
  object <- if (missing(object)) NULL else object
  check_object(object, class, call)
  arguments <- check_named_dots(list(...), call)
  arguments <- arguments[!vapply(arguments, is.null, NA)]
  module <- load_module(call)
  layer <- with_python_errors(do.call(module[[class]], arguments), call)
  if (is.null(object)) return(layer)
  if (is_sequential(object)) {
    with_python_errors(add_layer(object, layer), call)
    return(invisible(object))
  }
  inputs <- as_inputs(object, arguments$data_format, call)
  with_python_errors(layer(inputs), call)
}

# Keras can keep a layer that does not fit: take it out again.
add_layer <- function(model, layer) {
  before <- length(model$layers)
  withCallingHandlers(model$add(layer), error = function(error) if (length(model$layers) > before) model$pop())
}

is_sequential <- function(object) any(endsWith(class(object), ".Sequential"))

is_python <- function(object) inherits(object, "python.builtin.object")

# Stops unless `object` is something that a layer can be composed with, and shows the call that was meant.
check_object <- function(object, class, call) {
  is_array <- (is.numeric(object) || is.logical(object) || is.raw(object)) && length(dim(object)) >= 2
  is_tensor <- is_python(object) && reticulate::py_has_attr(object, "shape")
  takes_pairs <- class %in% c("BoxCrop", "LearnableCrop")
  is_pair <- takes_pairs && is.list(object) && !is.data.frame(object) && length(object) == 2
  if (is.null(object) || is_tensor || is_sequential(object) || is_pair || is_array) return(invisible())
  name <- call_name(call)
  kerascrop_abort(c(
    "{.arg object} must be a Sequential model, a tensor, an array of images, or missing.",
    x = "It is {shown(object)}.",
    i = if (is.numeric(object)) {
      first <- if (class == "BorderCrop") "cropping" else "height"
      "To make a layer that is not in a model yet, name the other arguments, as in
       {.code {name}({first} = {shown(object)}{if (first == 'height') ', ...'})}."
    } else if (is.list(object)) {
      "Take one tensor of it, such as {.code object[[1]]}."
    } else if (is_python(object) && reticulate::py_has_attr(object, "outputs")) {
      "For a functional model use its output, {.code model$outputs[[1]]}."
    }
  ), "argument", call)
}

call_name <- function(call) {
  name <- tryCatch(rlang::call_name(rlang::frame_call(call)), error = function(error) NULL)
  name %||% "layer"
}

# R arrays become tensors of Keras's float type, or keep their integers; Python objects pass.
as_inputs <- function(object, data_format, call) {
  if (is_python(object)) return(object)
  if (is.list(object)) return(lapply(unname(object), as_tensor, call = call))
  data_format <- data_format %||% reticulate::import("keras")$config$image_data_format()
  if (data_format == "channels_last") check_channels(dim(object), "object", call)
  as_tensor(object, call)
}

as_tensor <- function(object, call) {
  if (is_python(object)) return(object)
  move_to_numpy(object, if (is.double(object)) "float32", call, "object")
}
