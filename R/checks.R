# Each check converts its value, or stops with an error that names the argument, what it got and what
# would work, in the name of the function that the user called.

largest_size <- .Machine$integer.max

# What there is to choose, as in Python: test-parity.R compares.
data_formats <- c("channels_last", "channels_first")
if_smaller_choices <- c("error", "resize", "pad", "keep")
fill_modes <- c("constant", "nearest", "reflect")
window_fill_modes <- c(fill_modes, "mirror")
pad_positions <- c("center", "start", "end", "random")
interpolations <- c("bilinear", "bicubic", "nearest")
focus_choices <- c("boxes", "mask", "foreground")
multi_views <- c("five", "ten", "grid")
like_places <- c("center", "start", "end")
pool_hows <- c("mean", "max", "attention")
learnable_sizes <- c("fixed", "square", "free")
crop_modes <- c("random", "center")
label_modes <- c("int", "categorical", "binary")
color_modes <- c("rgb", "grayscale", "rgba")
subsets <- c("training", "validation")
file_if_smaller_choices <- setdiff(if_smaller_choices, "keep")
file_errors <- c("raise", "skip")
reductions <- c("mean_with_sample_weight", "sum_over_batch_size", "mean", "sum", "none")
digit_splits <- c("train", "test")

# Numbers of R's own. Those that have a class may mean something else: bit64 keeps its integers in doubles. What has a
# class is not asked for its length either: that may be a method, which fails.
is_numbers <- function(x) is.numeric(x) && !is.object(x)

is_number <- function(x) is_numbers(x) && length(x) == 1 && is.finite(x)

is_whole <- function(x) {
  is_numbers(x) && length(x) <= largest_size && all(is.finite(x)) && all(x == trunc(x)) && all(abs(x) <= largest_size)
}

# One whole number. Only then its length is known to be one.
is_one_whole <- function(x) is_number(x) && is_whole(x)

# A string, whose characters are known: R cannot compare, or count, those of the encoding "bytes".
is_string <- function(x) rlang::is_string(x) && !is.object(x) && !is.na(x) && Encoding(x) != "bytes"

are_strings <- function(x) is.character(x) && !is.object(x) && !anyNA(x) && !any(Encoding(x) == "bytes")

is_plain_list <- function(x) is.list(x) && !is.object(x)

# A check that lets `NULL` pass: `or_null(as_size)(height)`.
or_null <- function(check) {
  function(x, ..., arg = caller_arg(x), call = caller_env()) {
    force(arg)
    if (is.null(x)) return(NULL)
    check_alive(x, arg, call)
    check(x, ..., arg = arg, call = call)
  }
}

# What a user gave, in a few words, whatever it is: methods of its class may fail.
shown <- function(x) {
  suppressWarnings(tryCatch(in_words(x), error = function(error) paste("an object of type", typeof(x))))
}

in_words <- function(x) {
  if (is_python(x)) return(paste("a Python object of class", python_class(x)))
  if (inherits(x, "python.builtin.object")) return("a Python object of a session that has ended")
  if (is.null(x)) return("NULL")
  if (is.character(x)) x <- valid_text(x)
  if (is.factor(x)) return("a factor")
  if (inherits(x, "connection")) return("a connection")
  if (rlang::is_string(x)) return(paste0('"', shortened(x), '"'))
  if (is.atomic(x) && length(x) == 1) return(format(x, digits = 10))
  if (is.atomic(x) && !is.object(x) && is.null(dim(x)) && length(x) > 0 && length(x) <= 6) {
    shown <- if (is.character(x)) paste0('"', x, '"') else format(x, trim = TRUE)
    return(paste0("c(", paste(shown, collapse = ", "), ")"))
  }
  if (is.language(x) || is.environment(x) || isS4(x)) return(paste("an object of class", class(x)[1]))
  if (is.function(x)) return("a function")
  if (is.array(x) && !is.object(x)) return(paste("an array of shape", paste(dim(x), collapse = " x ")))
  paste("of class", class(x)[1], "and length", length(x))
}

# Text, cut off where it is longer than `most` letters.
shortened <- function(text, most = 60) if (nchar(text) > most) paste0(substr(text, 1, 57), "...") else text

# Text, in which bytes that its encoding does not have are written as numbers.
valid_text <- function(x) {
  wrong <- !validEnc(x) | Encoding(x) == "bytes"
  x[wrong] <- iconv(x[wrong], "ASCII", "UTF-8", sub = "byte")
  x
}

as_size <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "size", arg, call)
  if (is_one_whole(x) && x >= 1) return(as.integer(x))
  several <- is_whole(x) && length(x) %in% 2:3 && all(x >= 1)
  sides <- if (several) utils::tail(c("depth", "height", "width"), length(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be a whole number of pixels, at least 1.",
    x = "It is {shown(x)}.",
    i = if (several && arg == sides[1]) {
      "Give {.code {paste(sides, '=', x, collapse = ', ')}}."
    } else if (is_number(x) && x > 0 && x < 1) {
      "It is a number of pixels, not a fraction of the image."
    } else if (is_number(x) && x >= 1 && x < largest_size) {
      "Did you mean {round(x)}?"
    } else {
      "A size such as {.code {arg} = 24} works."
    }
  ), "size", call)
}

# Stops when an argument without a default is missing from the user's call.
check_given <- function(x, class, arg, call) {
  if (!missing(x)) return(check_alive(x, arg, call, class))
  kerascrop_abort(c("{.arg {arg}} is missing.", i = "It has no default."), class, call)
}

# Stops for what says that it is an object of Python's and is not, before anything is asked of it: R would end.
check_alive <- function(x, arg, call, class = "argument") {
  if (!inherits(x, "python.builtin.object") || is_alive(x)) return(invisible())
  kerascrop_abort(c(
    "{.arg {arg}} is {shown(x)}.", i = "Python's objects cannot be saved with R's: make it again."
  ), class, call)
}

# How many of something: a whole number.
as_count <- function(x, least = 1, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "size", arg, call)
  if (is_one_whole(x) && x >= least) return(as.integer(x))
  kerascrop_abort(c("{.arg {arg}} must be a whole number, at least {least}.", x = "It is {shown(x)}."), "size", call)
}

# Margins as a pair `(before, after)` for each axis. Two numbers for a sequence are its two sides.
as_margins <- function(x, rank = 2, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "size", arg, call)
  sides <- if (is_numbers(x) && length(x) <= 3) as.list(x) else if (is_plain_list(x)) x
  sides <- if (length(sides) == 1 && !is.list(x)) rep(sides, rank) else sides
  if (rank == 1 && is_numbers(x) && length(x) == 2) sides <- list(x)
  twice <- function(side) if (is.numeric(side) && length(side) == 1) rep(side, 2) else side
  pairs <- lapply(lapply(sides, unlist), twice)
  fine <- length(pairs) == rank && all(vapply(pairs, function(pair) length(pair) == 2 && is_whole(pair), NA))
  if (fine) return(lapply(pairs, as.integer))
  forms <- list(
    "{.code c(before, after)} for each side",
    "{.code c(height, width)} for each axis; {.code list(c(top, bottom), c(left, right))} for each side",
    "{.code c(depth, height, width)} for each axis; a list of three pairs {.code c(before, after)} for each side"
  )
  kerascrop_abort(c(
    "{.arg {arg}} must be whole numbers of pixels.",
    x = "It is {shown(x)}.",
    i = paste0("One number goes for all sides; ", forms[[rank]], ". Negative numbers add a border.")
  ), "size", call)
}

as_flag <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "argument", arg, call)
  if (is.logical(x) && !is.object(x) && length(x) == 1 && !is.na(x)) return(x)
  kerascrop_abort(c("{.arg {arg}} must be {.code TRUE} or {.code FALSE}.", x = "It is {shown(x)}."), "argument", call)
}

as_choice <- function(x, choices, arg = caller_arg(x), call = caller_env()) {
  check_given(x, "argument", arg, call)
  if (identical(x, choices)) return(choices[1])
  if (is_string(x) && x %in% choices) return(as.vector(x))
  kerascrop_abort(
    c("{.arg {arg}} must be one of {.or {.val {choices}}}.", x = "It is {shown(x)}."), "argument", call
  )
}

# A word, or one for each axis.
as_pad_position <- function(x, choices = pad_positions, arg = caller_arg(x), call = caller_env()) {
  fine <- are_strings(x) && length(x) %in% 1:3 && all(x %in% choices)
  if (fine) return(if (length(x) > 1) as.list(x) else as.vector(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be one of {.or {.val {choices}}}, or one of these for each axis.", x = "It is {shown(x)}."
  ), "argument", call)
}

as_number <- function(x, arg = caller_arg(x), call = caller_env()) {
  if (is_number(x)) return(as.double(x))
  kerascrop_abort(c("{.arg {arg}} must be a finite number.", x = "It is {shown(x)}."), "argument", call)
}

as_positive <- function(x, arg = caller_arg(x), call = caller_env()) {
  if (is_number(x) && x > 0) return(as.double(x))
  kerascrop_abort(c("{.arg {arg}} must be a number above 0.", x = "It is {shown(x)}."), "argument", call)
}

# How many pixels a gradient sees to each side; NULL for as many as the crop sees.
as_reach <- or_null(function(x, arg, call) {
  if (is_number(x) && x >= 1) return(as.double(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be {.code NULL} or a number of pixels, at least 1.", x = "It is {shown(x)}."
  ), "argument", call)
})

as_interpolation <- function(x, antialias, arg = caller_arg(x), call = caller_env()) {
  force(arg)
  x <- as_choice(x, interpolations, arg, call)
  if (x == "bilinear" || !isTRUE(antialias)) return(x)
  kerascrop_abort(c(
    "{.code antialias = TRUE} goes with {.code {arg} = \"bilinear\"} only.", x = "{.arg {arg}} is {shown(x)}."
  ), "argument", call)
}

# A number from 0 to 1.
as_fraction <- function(x, arg = caller_arg(x), call = caller_env()) {
  if (is_number(x) && x >= 0 && x <= 1) return(as.double(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be a number from 0 to 1.", x = "It is {shown(x)}.",
    i = if (is_number(x) && x > 1 && x <= 100) "{x} per cent are {.code {arg} = {x / 100}}."
  ), "argument", call)
}

# Two positive numbers, the smaller one first.
as_bounds <- function(x, most = Inf, arg = caller_arg(x), call = caller_env()) {
  if (is_numbers(x) && length(x) == 2 && all(is.finite(x)) && x[1] > 0 && x[1] <= x[2] && x[2] <= most) {
    return(as.double(x))
  }
  kerascrop_abort(c(
    "{.arg {arg}} must be two positive numbers, the smaller one first{if (most < Inf) paste(', at most', most)}.",
    x = "It is {shown(x)}."
  ), "argument", call)
}

# How far apart windows start, for `views` that are a grid: one number, or `c(vertical, horizontal)`.
as_stride <- or_null(function(x, sizes, views, arg, call) {
  force(arg)
  if (!identical(views, "grid")) {
    kerascrop_abort(c(
      "{.arg {arg}} goes with {.code views = \"grid\"} only.", x = "{.arg views} is {shown(views[1])}."
    ), "argument", call)
  }
  if (!is_whole(x) || !length(x) %in% 1:2 || any(x < 1)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be a whole number of pixels, at least 1, or {.code c(vertical, horizontal)}.",
      x = "It is {shown(x)}."
    ), "size", call)
  }
  x <- rep_len(as.integer(x), 2)
  for (axis in which(x > sizes)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be at most the size of the crops, or pixels would be left out.",
      x = "It is {x[axis]}, but {.arg {names(sizes)[axis]}} is {sizes[[axis]]}."
    ), "size", call)
  }
  x
})

as_name <- or_null(function(x, arg, call, may_be_empty = FALSE) {
  if (is_string(x) && (may_be_empty || nzchar(x))) return(as.vector(x))
  kerascrop_abort(c("{.arg {arg}} must be {.code NULL} or a string.", x = "It is {shown(x)}."), "argument", call)
})

# Names of parts: strings, or none.
as_keys <- or_null(function(x, arg, call) {
  if (are_strings(x) && is.null(dim(x))) return(as.list(x))
  kerascrop_abort(c("{.arg {arg}} must be {.code NULL} or names.", x = "It is {shown(x)}."), "argument", call)
})

# The shape of one image, for the first layer of a Sequential model, as keras3 takes it: `NA` or `NULL` is any length.
as_input_shape <- or_null(function(x, arg, call) {
  lengths <- lapply(if (is.numeric(x)) as.list(x) else x, function(length) if (!identical(is.na(length), TRUE)) length)
  is_length <- function(length) is.null(length) || length(length) == 1 && is_whole(length) && length >= 1
  if ((is.numeric(x) || is.list(x)) && length(lengths) && all(vapply(lengths, is_length, NA))) {
    return(do.call(reticulate::tuple, lapply(lengths, function(length) if (!is.null(length)) as.integer(length))))
  }
  kerascrop_abort(c(
    "{.arg {arg}} must be whole numbers, at least 1, or {.code NA} where any length fits.",
    x = "It is {shown(x)}.", i = "For instance {.code {arg} = c(64, 64, 3)}."
  ), "argument", call)
})

# What Keras takes as `dtype`.
as_dtype <- or_null(function(x, arg, call) {
  if (is_string(x) || is_python(x) && reticulate::py_has_attr(x, "compute_dtype")) return(x)
  kerascrop_abort(c(
    "{.arg {arg}} must be the name of a type, such as {.val float32}, or a Keras policy.", x = "It is {shown(x)}."
  ), "argument", call)
})

# R's integers, NumPy and all backends have these in common.
as_seed <- or_null(function(x, arg, call) {
  if (is_one_whole(x) && x >= 0) return(as.integer(x))
  kerascrop_abort(c(
    "{.arg {arg}} must be {.code NULL} or a whole number from 0 to {largest_size}.", x = "It is {shown(x)}."
  ), "argument", call)
})

as_data_format <- or_null(function(x, arg, call) as_choice(x, data_formats, arg, call))

# `...` passes arguments to a layer by name; a value without a name is a mistake.
check_named_dots <- function(dots, call = caller_env(), hint = dots_hint) {
  unnamed <- which(!nzchar(rlang::names2(dots)))
  if (!length(unnamed)) return(dots)
  kerascrop_abort(c(
    "Arguments in {.arg ...} must be named.",
    x = "{shown(dots[[unnamed[1]]])} has no name.",
    i = hint
  ), "argument", call)
}

# Where `...` takes nothing, and is there so that the arguments behind it have to be named.
check_no_dots <- function(dots, hint, call = caller_env()) {
  check_named_dots(dots, call, hint)
  if (!length(dots)) return(invisible())
  kerascrop_abort(c("{.arg {names(dots)[1]}} is not an argument of this function.", i = hint), "argument", call)
}

dots_hint <- "They go to the Keras layer: {.arg name}, {.arg dtype} and {.arg trainable} work."

# Stops when an array would have more numbers than an index can count.
check_memory <- function(shape, call = caller_env()) {
  if (prod(shape) <= largest_size) return(invisible())
  kerascrop_abort(c(
    "The crops would be too large.",
    x = "They would have shape {paste(shape, collapse = ' x ')}, {format(prod(shape), digits = 2)} numbers.",
    i = "Use smaller sizes, or fewer images at a time."
  ), "size", call)
}

# Stops when windows of `sizes` pixels do not fit into images of `lengths`.
check_fits <- function(lengths, sizes, call = caller_env()) {
  for (axis in names(sizes)[sizes > lengths]) {
    kerascrop_abort(c(
      "The crop must fit into the image.",
      x = "{.arg {axis}} is {sizes[[axis]]}, but the image's {axis} is {lengths[[axis]]}.",
      i = "Use a {.arg {axis}} of at most {lengths[[axis]]}, a larger image, or {.arg if_smaller}:
           {.or {.val {setdiff(if_smaller_choices, 'error')}}}."
    ), "size", call)
  }
}

# Stops when margins leave nothing of images of `lengths`.
check_margins_fit <- function(lengths, margins, call = caller_env()) {
  for (axis in which(lengths - vapply(margins, sum, 0) < 1)) {
    kerascrop_abort(c(
      "{.arg cropping} must leave something of the image.",
      x = "It removes {margins[[axis]][1]} + {margins[[axis]][2]} pixels,
           but the image's {names(lengths)[axis]} is {lengths[[axis]]}.",
      i = "Use smaller margins."
    ), "size", call)
  }
}
