# The checks of the arguments that layers have in common, by the names of the arguments.
argument_checks <- list(
  height = as_size, width = as_size, depth = as_size, length = as_size,
  data_format = as_data_format, name = as_name, seed = as_seed, dtype = as_dtype, trainable = as_flag,
  if_smaller = function(x, ...) as_choice(x, if_smaller_choices, ...),
  focus = or_null(function(x, ...) as_choice(x, focus_choices, ...)),
  fill_mode = function(x, ...) as_choice(x, window_fill_modes, ...), fill_value = as_number,
  mask_fill_value = as_number, pad_position = as_pad_position, random_pad = function(x, ...) as_count(x, 0, ...),
  gradient_reach = as_reach, align_corners = as_flag,
  box_format = as_box_format, min_visible = as_fraction, positive_fraction = as_fraction, pass_through = as_keys,
  antialias = as_flag, per_image = as_flag, return_boxes = as_flag, snap = as_flag,
  resize = as_flag, input_shape = as_input_shape,
  how = function(x, ...) as_choice(x, pool_hows, ...), units = function(x, ...) as_count(x, 1, ...),
  return_weights = as_flag
)

# The arguments of the layer function that calls this, but for `object`, each checked by its name. Arguments that are
# given here have been checked in a way of their own, and are taken as they are. Arguments in `...` must have names.
checked_arguments <- function(..., call = caller_env()) {
  given <- list(...)
  names <- setdiff(names(formals(rlang::frame_fn(call))), c("object", "...", names(given)))
  check <- function(name) {
    eval(as.call(list(argument_checks[[name]], as.name(name), arg = name, call = call)), call)
  }
  c(sapply(names, check, simplify = FALSE), given, checked_dots(eval(quote(list(...)), call), call))
}

# Arguments in `...`: they must have names, and those that are known are checked.
checked_dots <- function(dots, call) {
  dots <- check_named_dots(dots, call)
  known <- intersect(names(dots), names(argument_checks))
  dots[known] <- Map(function(name) argument_checks[[name]](dots[[name]], arg = name, call = call), known)
  dots
}

# Builds a Python layer, then: returns it (no `object`), adds it to a Sequential model, or calls it on a
# tensor, an array, or a list of them. `inputs` names what the layer takes, in order.
compose <- function(object, class, arguments, inputs = "images", call = caller_env()) {
  # Evaluated first, so that in a pipe Keras numbers the names of layers in the order in which one reads them.
  object <- if (missing(object)) NULL else object
  if (!is.null(object)) check_object(object, inputs, call)
  arguments <- arguments[!vapply(arguments, is.null, NA)]
  module <- load_module(call)
  layer <- with_python_errors(do.call(module[[class]], arguments), call)
  if (is.null(object)) layer else call_layer(layer, object, inputs, call)
}

# Calls a layer, or adds it to a Sequential model.
call_layer <- function(layer, object, inputs, call, ...) {
  if (is_sequential(object)) {
    with_python_errors(add_layer(object, layer), call)
    return(invisible(object))
  }
  warned <- FALSE
  tensors <- withCallingHandlers(as_inputs(object, inputs, layer, call), kerascrop_warning_box = function(warning) {
    warned <<- TRUE
  })
  recorded <- python_part("pipelines.from_r", call, convert = TRUE)$recorded
  result <- with_python_errors(recorded(layer, list(inputs = tensors, ...), load_module(call)$BoxWarning), call)
  if (!warned) for (text in result[[2]]) kerascrop_warn("{text}", "box", call)
  result[[1]]
}

# A layer in R is a function. When users call it, its inputs are converted and its errors told as in `compose()`.
#' @exportS3Method reticulate::py_to_r_wrapper
py_to_r_wrapper.kerascrop.layers.layer.Layer <- function(x) {
  force(x)
  function(object, ...) {
    call <- rlang::current_env()
    check_given(object, "argument", "object", call)
    inputs <- unlist(x$input_names)
    check_object(object, inputs, call)
    call_layer(x, object, inputs, call, ...)
  }
}

# Keras may add a layer before it finds that it does not fit: take it out again.
add_layer <- function(model, layer) {
  before <- length(model$layers)
  withCallingHandlers(model$add(layer), error = function(error) if (length(model$layers) > before) model$pop())
}

is_sequential <- function(object) is_python(object) && any(endsWith(class(object), ".Sequential"))

call_name <- function(call) {
  name <- tryCatch(rlang::call_name(rlang::frame_call(call)), error = function(error) NULL)
  name %||% "layer"
}
