# A model beside the editor: loaded while the page is already there, then asked about each image and each box.

# A function that gives the model, loaded when it is first called; NULL where there is none. What is not loaded yet
# can be checked only then.
as_model_loader <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_alive(x, arg, call)
  if (is.null(x)) return(NULL)
  loaded <- NULL
  if (is_python(x)) {
    with_python_errors(ask_module(call)$Proposer(x), call) # has it one learnable crop?
    return(function() x)
  }
  if (!is.function(x)) check_model_file(x, arg, call)
  function() {
    if (is.null(loaded)) {
      loaded <<- if (is.function(x)) x() else load_model(x, call)
    }
    loaded
  }
}

check_model_file <- function(x, arg, call) {
  if (is_string(x) && file.exists(x)) return(invisible())
  kerascrop_abort(c(
    "{.arg {arg}} must be a Keras model, the path of a saved one, or a function that returns one.",
    x = if (is_string(x)) "There is no file {.file {x}}." else "It is {shown(x)}."
  ), "argument", call)
}

load_model <- function(path, call) {
  kerascrop_python() # which Keras has to know its layers from
  with_python_errors(reticulate::import("keras")$saving$load_model(path.expand(path)), call)
}

ask_module <- function(call) python_part("proposals", call, convert = FALSE)

# What a model says, in the order in which it becomes known: `say` gets each state in words.
#
# R has one thread, and to import TensorFlow takes it some seconds. So the work is done in steps, between which Shiny
# answers: the first one waits until the first picture is on the screen.
model_steps <- function(loader, keep) {
  list(
    "Starting Python ..." = function() kerascrop_python(),
    "Loading the model ..." = function() keep(with_python_errors(ask_module(NULL)$Proposer(loader()), NULL))
  )
}

run_steps <- function(steps, say, session, finally) {
  run <- function(i) {
    if (session$isClosed()) return()
    if (i > length(steps)) return(finally())
    failed <- tryCatch(
      {
        steps[[i]]()
        NULL
      },
      error = function(error) error
    )
    if (is.null(failed)) announce(i + 1) else say(plain_message(failed))
  }
  # The words are sent before the step that they announce begins.
  announce <- function(i) {
    if (i <= length(steps)) say(names(steps)[i])
    later::later(function() run(i), 0.1)
  }
  announce(1)
}

# An error in one line of plain text: without colours, and without the bullets of its parts.
plain_message <- function(error) {
  lines <- strsplit(cli::ansi_strip(conditionMessage(error)), "\n")[[1]]
  paste(trimws(sub("^([^[:alnum:][:space:]'`\"]|[xi]) ", "", lines)), collapse = " ")
}

# What a model says of an image: `boxes`, where it would crop, and `answer`.
ask_about_image <- function(proposer, path) {
  result <- with_python_errors(proposer$show(normalizePath(path)), NULL)
  list(boxes = from_numpy(result[[0]]), answer = from_numpy(result[[1]]))
}

# How unsure a model is of where it would crop, from 0 to 1; NA where it does not say.
doubt_of_image <- function(proposer, path) {
  doubt <- with_python_errors(proposer$doubt(normalizePath(path)), NULL)
  as.double(reticulate::py_to_r(doubt[[2]]))
}

ask_about_box <- function(proposer, box) {
  with_python_errors(from_numpy(proposer$judge(as.list(unname(box)))), NULL)
}

# An answer in words: the most likely classes; one number as it is.
answer_in_words <- function(answer, labels = NULL, most = 3) {
  answer <- as.vector(answer)
  if (length(answer) == 1) return(format(answer, digits = 3))
  if (!all(is.finite(answer))) return("The model's answer is not a number.")
  chances <- as_chances(answer)
  names <- if (length(labels) == length(answer)) labels else paste("class", seq_along(answer) - 1)
  order <- utils::head(order(-chances), most)
  paste(sprintf("%s %.0f %%", names[order], 100 * chances[order]), collapse = ", ")
}

# The class that a box gets which is taken over from the model, where the labels are the model's classes.
best_class <- function(answer, labels) {
  if (length(labels) == length(answer) && all(is.finite(answer))) labels[which.max(answer)] else NA_character_
}

# Probabilities as they are; other numbers count as logits.
as_chances <- function(answer) {
  if (all(answer >= 0) && abs(sum(answer) - 1) < 1e-3) return(answer)
  powers <- exp(answer - max(answer))
  powers / sum(powers)
}
