# Random calls of every exported function with nonsense: a value or a `kerascrop_error`, and nothing else.
#
#   Rscript tests/fuzz/functions.R --cases 2000 --seed 1
#
# Each case starts from a call that works, and spoils an argument or two. A finding is an error or a warning of another
# class, a call that takes longer than half a minute, an end of R, or a failure that leaves something behind: random
# numbers drawn, options, plots, folders and files changed, a layer in a model.

suppressPackageStartupMessages(library(kerascrop))
invisible(requireNamespace("magick", quietly = TRUE)) # which sets an option of its own when it is loaded

seconds <- 30 # that a call may take

# ---- nonsense ----

forged <- function(class, x = list()) structure(x, class = class)

nonsense_of_r <- list(
  null = function() NULL, missing = function() NULL, # this one is left out na = function() NA, true = function() TRUE,
  nan = function() NaN, inf = function() Inf, zero = function() 0, one = function() 1L, minus = function() -1,
  half = function() 2.5, large = function() 2^31, huge = function() 1e308, tiny = function() 5e-324,
  int_na = function() NA_integer_, string_na = function() NA_character_, two = function() c(4, 5),
  four = function() c(1, 2, 5, 6), wrong_four = function() c(5, 6, 1, 2), many = function() seq_len(1e6),
  some_na = function() c(1, NA, 3, NaN), no_numbers = function() numeric(), strings = function() c("a", "b"),
  empty_string = function() "", no_strings = function() character(), choice = function() "pad",
  view = function() "grid", glue = function() "{stop('glue')} {.arg a} %s", ansi = function() "\033[1mbold\033[0m",
  newline = function() "a\nb", long = function() strrep("a", 1e5), list_of_strings = function() list("a", "b"),
  invalid = function() "caf\xe9 \xff", latin = function() iconv("caf\u00e9", "UTF-8", "latin1"),
  bytes = function() `Encoding<-`("\xe9a", "bytes"), bytes_two = function() `Encoding<-`(c("\xe9", "a"), "bytes"),
  complex = function() 1 + 2i, raw = function() as.raw(1:4), list = function() list(),
  list_null = function() list(NULL),
  nested = function() list(list(1, list("a"))), named = function() list(images = 1, boxes = "a"),
  odd_names = function() list(images = array(0, c(2, 9, 12, 3)), images = 1, 3), pairlist = function() pairlist(a = 1),
  fun = function() function(...) stop("of the user's"), prim = function() sum, env = function() new.env(),
  globalenv = function() globalenv(), symbol = function() quote(x), call = function() quote(stop("evaluated")),
  formula = function() y ~ x, expression = function() expression(a, b), s4 = function() methods::getClass("numeric"),
  factor = function() factor(c("a", "b")), date = function() Sys.Date(), time = function() as.POSIXlt(Sys.time()),
  posix_forged = function() forged("POSIXlt"), difftime = function() as.difftime(3, units = "secs"),
  no_rows = function() data.frame(x1 = double(), y1 = double(), x2 = double(), y2 = double()),
  frame = function() data.frame(a = 1:2, b = c("a", "b")), frame_list = function() data.frame(x = I(list(1, 2))),
  empty_matrix = function() matrix(0, 0, 4), empty_array = function() array(0, c(2, 0, 12, 3)),
  no_images = function() array(0, c(0, 9, 12, 3)), five = function() array(0, rep(2, 5)),
  one_dim = function() array(1:3), strings_matrix = function() matrix("a", 2, 4), list_matrix = function() {
    matrix(list(1), 2, 2)
  }, na_matrix = function() matrix(NA_real_, 2, 4), logical_matrix = function() matrix(NA, 9, 12),
  raster = function() grDevices::as.raster(matrix(c("red", NA), 4, 4)), bad_raster = function() {
    forged("raster", matrix("no colour", 2, 2))
  }, null_frame = function() forged("data.frame"), connection = function() stdin(), condition = function() {
    simpleError("an error")
  }, pointer = function() methods::new("externalptr"), folder = function() tempdir(), file = function() "no.png",
  int64 = function() forged("integer64", 5e-324), factor_forged = function() forged("factor", c(1.5, 2)),
  huge_seq = function() 1:2^40, promise_fun = function() function(images, training) NULL,
  pointless = function() forged("python.builtin.object"),
  forged_env = function() forged("python.builtin.object", new.env()),
  forged_pointer = function() {
    forged(
      c("numpy.ndarray", "python.builtin.object"), list2env(list(pyobj = methods::new("externalptr"), convert = FALSE))
    )
  },
  forged_function = function() forged(c("kerascrop.layers.layer.Layer", "python.builtin.object"), function(x) x),
  forged_array = function() forged("numpy.ndarray"), forged_string = function() forged("python.builtin.object", "a"),
  forged_model = function() forged(c("keras.src.models.sequential.Sequential", "python.builtin.object")),
  forged_monitor = function() forged("kerascrop.training.CropMonitor", list(boxes = list(1), history = list(1))),
  forged_digits = function() forged("cluttered_digits"), forged_magick = function() forged("magick-image"),
  forged_cimg = function() forged(c("cimg", "imager_array", "numeric"), array("a", c(1, 1, 1, 1)))
)

nonsense_of_python <- function() {
  keras <- reticulate::import("keras", convert = FALSE)
  builtins <- reticulate::import_builtins(convert = FALSE)
  numpy <- reticulate::import("numpy", convert = FALSE)
  list(
    symbolic = function() keras$KerasTensor(list(NULL, 9L, 12L, 3L)),
    symbolic_scalar = function() keras$KerasTensor(list()),
    tensor = function() keras$ops$ones(c(2L, 4L)), scalar = function() keras$ops$ones(list()),
    tensor_images = function() keras$ops$ones(c(2L, 9L, 12L, 3L)), array = function() numpy$zeros(c(2L, 9L, 12L, 3L)),
    strings_np = function() numpy$array(list("a", "b")), objects_np = function() numpy$array(list("a", NULL)),
    dict = function() reticulate::r_to_py(list(images = 1)), py_list = function() builtins$list(list(1, 2)),
    py_string = function() builtins$str("pad"), py_none = function() reticulate::r_to_py(NULL),
    py_int = function() builtins$int(3L), py_object = function() builtins$object(), py_class = function() builtins$int,
    py_module = function() numpy, py_iterator = function() builtins$iter(list(1, 2)),
    layer = function() keras$layers$Dense(2L), crop_layer = function() layer_center_crop(height = 2, width = 2),
    model = function() keras$Sequential(), policy = function() keras$mixed_precision$DTypePolicy("mixed_float16"),
    complex_np = function() numpy$zeros(c(2L, 9L, 12L, 3L), "complex64")
  )
}

# ---- calls that work ----

some_images <- function() array((0:647 * 7 %% 251) / 251, c(2, 9, 12, 3))
some_boxes <- function() cbind(x1 = c(1, 2), y1 = c(0, 2), x2 = c(6, 7), y2 = c(4, 6))

# Arguments of the layers, by their names; those that are not here have their defaults.
layer_arguments <- list(
  height = 4, width = 5, depth = 2, length = 4, cropping = 1, seed = 1, name = "crop", dtype = "float32",
  trainable = TRUE, data_format = "channels_last", slices = 1:3, rows = 1:4, cols = 3:8, steps = 2:5,
  choose = function(images, training) matrix(c(1, 2, 5, 6), NROW(images), 4, byrow = TRUE)
)

# The inputs of a layer, in one of their forms.
some_input <- function(name) {
  x <- if (grepl("_1d$", name)) array(1:72 / 72, c(2, 9, 4)) else if (grepl("_3d$", name)) {
    array(1:720 / 720, c(2, 5, 9, 8, 1))
  } else {
    some_images()
  }
  if (name == "layer_uncrop") return(list(x[, 1:4, 1:5, ], some_boxes()))
  if (name == "layer_crop_pool") return(list(x[, , , 1], x[, , 1, 1]))
  if (startsWith(name, "layer_crop_like")) return(list(x, x))
  if (name == "layer_box_crop") return(list(x, some_boxes()))
  joint <- list(images = x, labels = c(1, 0), keypoints = array(1, c(2, 3, if (grepl("_1d", name)) 1 else 2)))
  if (!grepl("_[13]d", name)) {
    joint$segmentation_masks <- x[, , , 1] > 0.5
    joint$bounding_boxes <- list(boxes = array(rep(some_boxes(), each = 1), c(2, 1, 4)), labels = matrix(1L, 2, 1))
  }
  if (grepl("_3d", name)) joint$keypoints <- NULL
  list(
    x, reticulate::import("keras")$Sequential(), NULL, joint, as_numpy(x)
  )[[sample.int(5, 1)]]
}

with_defaults <- function(f, given) {
  defaults <- Filter(function(x) !identical(x, rlang::missing_arg()), as.list(formals(f)))
  defaults <- defaults[setdiff(names(defaults), c("...", names(given)))]
  c(given, lapply(defaults, eval, envir = environment(f)))
}

calls <- function(folder, monitor) {
  x <- some_images()
  boxes <- some_boxes()
  size <- list(height = 4, width = 5)
  batches <- function() list(x, c(1, 0))
  session <- list2env(list(sendInputMessage = function(...) NULL, registerDataObj = function(...) "address"))
  class(session) <- "MockShinySession"
  slices <- function() reticulate::import("tensorflow")$data$Dataset$from_tensor_slices(as_numpy(x))
  dataset <- tryCatch(slices()$batch(2L), error = function(error) NULL)
  found <- list(
    as_numpy = list(x = x), from_numpy = list(x = as_numpy(x)), image_array = list(x = list(x[1, , , ], x[2, , , ])),
    box_rows = list(box = boxes[1, ]), box_cols = list(box = boxes[1, ]), box_iou = list(boxes = boxes, others = boxes),
    box_window = list(rows = 1:4, cols = 2:5),
    clip_boxes = list(boxes = boxes, height = 9, width = 12), boxes_from_masks = list(masks = x[, , , 1] > 0.5),
    theta_from_boxes = list(boxes = boxes, box_format = "xyxy", height = 9, width = 12),
    boxes_from_theta = list(theta = cbind(diag(2), 0), box_format = "xyxy", height = 9, width = 12),
    cluttered_digits = list(n = 1, canvas = 40, digit = 12, distractors = 1, seed = 1),
    crop_border = list(x = x, cropping = 1), crop_center = c(list(x = x), size), crop_random = c(list(x = x), size),
    crop_multi = c(list(x = x), size), crop_window = list(x = x, rows = 2:4, cols = -1),
    crop_boxes = list(x = x, boxes = boxes),
    uncrop = list(crops = x[, 1:4, 1:5, ], boxes = boxes, height = 9, width = 12),
    plot_crops = list(images = x, boxes = boxes, crops = x, titles = 1:2),
    plot_boxes = list(boxes = boxes, labels = 1:2),
    crop_editor = list(
      image = x[1, , , ], boxes = boxes, labels = c("a", "b"), size = c(4, 5), ghosts = list(a = boxes)
    ),
    crop_editor_output = list(id = "crops"), render_crop_editor = list(expr = quote(stop("not run")), quoted = TRUE),
    update_crop_editor = list(
      id = "crops", image = x[1, , , ], boxes = boxes, add = boxes, select = 1, session = session
    ),
    crop_editor_ui = list(id = "crops"),
    crop_editor_server = list(id = "crops", image = x[1, , , ], boxes = boxes, labels = "a", height = 4, width = 4),
    crop_app = list(images = folder, boxes = file.path(tempdir(), "boxes.csv"), labels = "a", run = FALSE),
    crop_generator = c(list(generator = batches), size, seed = 1, focus = list(NULL)),
    crop_dataset = c(list(dataset = dataset), size, min_visible = 0),
    crops_from_directory = c(list(path = folder), size, batch_size = 1), install_kerascrop = list(envname = ""),
    kerascrop_python = list(), kerascrop_sitrep = list(), loss_box = list(y_true = boxes, y_pred = boxes + 1),
    metric_box_iou = list(), callback_crop_monitor = list(images = x, boxes = boxes),
    animate_crops = list(monitor = monitor, path = file.path(tempdir(), "crops.gif"), width = 60)
  )
  names <- getNamespaceExports("kerascrop")
  for (name in setdiff(names, names(found))) {
    f <- getExportedValue("kerascrop", name)
    arguments <- names(formals(f))
    keep <- intersect(names(layer_arguments), c(arguments, if ("..." %in% arguments) c("name", "dtype", "trainable")))
    found[[name]] <- if (startsWith(name, "layer_")) layer_arguments[keep] else list()
  }
  found <- found[sort(intersect(names, names(found)))]
  Map(function(name, given) with_defaults(getExportedValue("kerascrop", name), given), names(found), found)
}

# ---- running ----

# All that a failure must leave as it was.
state <- function(model) {
  list(
    seed = get0(".Random.seed", globalenv()), kind = RNGkind(), options = options(), device = grDevices::dev.list(),
    par = graphics::par(no.readonly = TRUE), folder = getwd(), files = c(list.files(), list.files(tempdir())),
    layers = if (!is.null(model)) length(model$layers)
  )
}

described <- function(arguments, spoilt) paste(names(arguments), "=", spoilt, collapse = ", ")

run_case <- function(i, seed, all_calls, values) {
  set.seed(seed * 100003L + i, "Mersenne-Twister", "Inversion", "Rejection")
  name <- names(all_calls)[(i - 1) %% length(all_calls) + 1]
  arguments <- all_calls[[name]]
  if (startsWith(name, "layer_")) {
    arguments <- c(list(object = some_input(name)), arguments)
    if (name == "layer_custom_crop" && sample.int(3, 1) == 1) arguments$choose <- function(images, training) images
  }
  spoilt <- sample(names(arguments), min(sample(c(0, 1, 1, 1, 2), 1), length(arguments)))
  kinds <- sample(names(values), length(spoilt), replace = TRUE)
  text <- paste0("case ", i, ": ", name, "(", paste(spoilt, "=", kinds, collapse = ", "), ")")
  writeLines(text, progress)
  for (k in seq_along(spoilt)) {
    if (kinds[k] == "missing") {
      arguments[spoilt[k]] <- NULL
      next
    }
    value <- values[[kinds[k]]]()
    if (is.list(arguments[[spoilt[k]]]) && spoilt[k] == "object" && sample.int(3, 1) > 1) {
      inside <- sample.int(length(arguments$object), 1)
      arguments$object[inside] <- list(value)
      text <- sub(")$", paste0(" in part ", inside, ")"), text)
    } else {
      arguments[spoilt[k]] <- list(value)
    }
  }
  if (name == "install_kerascrop" && is.character(arguments$envname)) arguments$envname <- 3 # it would install
  model <- if (startsWith(name, "layer_") && inherits(arguments$object, "keras.src.models.sequential.Sequential")) {
    arguments$object
  }
  if (inherits(model, "python.builtin.object") && !is.environment(model)) model <- NULL
  f <- getExportedValue("kerascrop", name)
  later <- if (startsWith(name, "layer_") && sample.int(2, 1) == 1) some_input(name) # what the layer is called on
  before <- state(model)
  warned <- NULL
  setTimeLimit(elapsed = seconds, transient = TRUE)
  # Arguments are bound to names, so that language objects are values, not code; one that is missing is left out.
  given <- Filter(function(x) !identical(x, rlang::missing_arg()), arguments)
  frame <- list2env(stats::setNames(given, sprintf("value_%d", seq_along(given))), parent = globalenv())
  call <- as.call(c(list(f), stats::setNames(lapply(sprintf("value_%d", seq_along(given)), as.name), names(given))))
  outcome <- tryCatch(
    withCallingHandlers(
      {
        value <- eval(call, frame)
        is_layer <- inherits(value, "kerascrop.layers.layer.Layer") && is.function(value)
        if (is_layer && !is.null(later)) value(later, training = TRUE)
        "value"
      },
      warning = function(warning) {
        if (!inherits(warning, "kerascrop_warning")) warned <<- warning
        invokeRestart("muffleWarning")
      },
      message = function(message) invokeRestart("muffleMessage")
    ),
    error = function(error) error
  )
  setTimeLimit()
  if (!is.null(warned)) return(list("finding", paste0("warning: ", conditionMessage(warned)), text))
  if (identical(outcome, "value")) return(list("value"))
  if (!inherits(outcome, "kerascrop_error")) {
    return(list("finding", paste0(class(outcome)[1], ": ", conditionMessage(outcome)), text))
  }
  kind <- setdiff(grep("^kerascrop_error_", class(outcome), value = TRUE), "kerascrop_error")[1]
  message <- conditionMessage(outcome)
  if (kind == "kerascrop_error_python") return(list("finding", paste0("Python: ", message), text))
  if (grepl("\033\\[[0-9;]*m", message) && !"ansi" %in% kinds) return(list("finding", "codes in the message", text))
  if (nchar(message, "bytes") > 5000) return(list("finding", "a message without end", text))
  after <- state(model)
  changed <- names(before)[!mapply(identical, before, after)]
  if (length(changed)) return(list("finding", paste("a failure changed the", paste(changed, collapse = ", ")), text))
  list(sub("kerascrop_error_", "", kind))
}

run_cases <- function(cases, seed, only = NULL) {
  folder <- tempfile("pictures")
  for (name in c("cat", "dog")) {
    dir.create(file.path(folder, name), recursive = TRUE)
    photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
    file.copy(photo, file.path(folder, name, "1.jpg"))
  }
  grDevices::pdf(NULL)
  graphics::par(mar = rep(0.5, 4))
  values <- c(nonsense_of_r, nonsense_of_python())
  monitor <- callback_crop_monitor(some_images())
  all_calls <- calls(folder, monitor)
  if (length(only)) all_calls <- all_calls[only]
  set.seed(seed)
  counts <- character()
  findings <- list()
  for (i in cases) {
    result <- run_case(i, seed, all_calls, values)
    counts <- c(counts, result[[1]])
    name <- if (result[[1]] == "finding") sub("^case \\d+: (\\w+).*", "\\1", result[[3]])
    key <- if (!is.null(name)) paste(name, substr(result[[2]], 1, 60))
    if (!is.null(key) && !key %in% names(findings)) {
      findings[[key]] <- result
      cat(result[[3]], "\n    ", gsub("\n", "\n    ", substr(result[[2]], 1, 500)), "\n", sep = "")
    }
  }
  counts <- table(counts)
  cat(
    length(cases), " calls of ", length(all_calls), " functions, seed ", seed, ": ",
    paste(counts, names(counts), collapse = ", "), ". ", length(findings), " kinds of findings.\n", sep = ""
  )
  length(findings) == 0
}

progress <- tempfile()

if (sys.nframe() == 0) {
  given <- commandArgs(TRUE)
  option <- function(name, default) {
    at <- match(paste0("--", name), given)
    if (is.na(at)) default else given[at + 1]
  }
  cases <- as.integer(option("cases", 2000))
  seed <- as.integer(option("seed", 1))
  only <- option("only", NULL)
  progress <- option("progress", progress)
  if ("--progress" %in% given) quit(status = if (run_cases(seq_len(cases), seed, only)) 0 else 1)
  # In a process of its own, as a call may end R.
  script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE))
  status <- system2(file.path(R.home("bin"), "Rscript"), c(shQuote(script), shQuote(given), "--progress", progress))
  if (!status %in% 0:1) cat("R ended with status ", status, " in ", readLines(progress), "\n", sep = "")
  quit(status = as.integer(status != 0))
}
