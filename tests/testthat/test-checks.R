test_that("a size may be any whole number", {
  expect_identical(as_size(24), 24L)
  expect_identical(as_size(24L), 24L)
  for (x in list(TRUE, NA_integer_, 24.5, -3, "24", list(24), matrix(1, 1, 2))) {
    expect_error(as_size(x), class = "kerascrop_error_size")
  }
})

test_that("margins become a pair for each axis", {
  expect_identical(as_margins(4), list(c(4L, 4L), c(4L, 4L)))
  expect_identical(as_margins(c(1, 2)), list(c(1L, 1L), c(2L, 2L)))
  expect_identical(as_margins(list(1, c(2, -3))), list(c(1L, 1L), c(2L, -3L)))
  expect_identical(as_margins(c(1, -2), 1), list(c(1L, -2L)))
  expect_identical(as_margins(list(c(1, -2)), 1), list(c(1L, -2L)))
  expect_identical(as_margins(3, 1), list(c(3L, 3L)))
  expect_identical(as_margins(1:3, 3), list(c(1L, 1L), c(2L, 2L), c(3L, 3L)))
  expect_identical(as_margins(list(1, c(2, 3), 0), 3), list(c(1L, 1L), c(2L, 3L), c(0L, 0L)))
  for (case in list(list(1:2, 3), list(1:3, 1), list(list(1, 2, 3), 2))) {
    expect_error(as_margins(case[[1]], case[[2]]), class = "kerascrop_error_size")
  }
})

test_that("fractions, bounds, strides and names are checked", {
  expect_identical(as_fraction(1L), 1)
  for (x in list(-0.1, 1.1, NA, "1", c(0, 1), NULL)) expect_error(as_fraction(x), class = "kerascrop_error_argument")
  expect_identical(as_bounds(c(1, 2)), c(1, 2))
  for (x in list(c(2, 1), c(0, 1), 1, c(1, NA), c(1, Inf), "1", NULL)) {
    expect_error(as_bounds(x), class = "kerascrop_error_argument")
  }
  expect_error(as_bounds(c(0.5, 2), most = 1), "at most 1", class = "kerascrop_error_argument")
  sizes <- c(height = 4, width = 6)
  expect_null(as_stride(NULL, sizes, "five"))
  expect_identical(as_stride(3, sizes, "grid"), c(3L, 3L))
  expect_identical(as_stride(c(4, 6), sizes, "grid"), c(4L, 6L))
  for (x in list(0, 1.5, NA, 5, c(1, 7), 1:3, "2")) {
    expect_error(as_stride(x, sizes, "grid"), class = "kerascrop_error_size")
  }
  expect_error(as_stride(3, sizes, "five"), "grid", class = "kerascrop_error_argument")
  expect_null(as_reach(NULL))
  expect_identical(as_reach(4L), 4)
  for (x in list(0.5, NA, Inf, "4", c(2, 2), TRUE)) expect_error(as_reach(x), class = "kerascrop_error_argument")
  expect_identical(as_interpolation(interpolations, TRUE), "bilinear")
  expect_identical(as_interpolation("nearest", FALSE), "nearest")
  expect_error(as_interpolation("nearest", TRUE), "antialias", class = "kerascrop_error_argument")
  expect_identical(as_name("crop"), "crop")
  for (x in list(3, NA_character_, "", c("a", "b"))) expect_error(as_name(x), class = "kerascrop_error_argument")
})

test_that("flags, choices, numbers and seeds are checked", {
  expect_true(as_flag(TRUE))
  expect_error(as_flag(NA), class = "kerascrop_error_argument")
  expect_identical(as_choice(c("a", "b"), c("a", "b")), "a")
  expect_error(as_choice("c", c("a", "b")), class = "kerascrop_error_argument")
  expect_identical(as_number(2L), 2)
  expect_error(as_number(Inf), class = "kerascrop_error_argument")
  expect_identical(as_positive(2L), 2)
  for (x in list(0, -1, Inf, NA, "1", c(1, 2))) expect_error(as_positive(x), class = "kerascrop_error_argument")
  expect_identical(as_dtype("uint8"), "uint8")
  for (x in list(1, NA, c("a", "b"), mean)) expect_error(as_dtype(x), class = "kerascrop_error_argument")
  expect_null(as_seed(NULL))
  expect_error(as_seed(1.5), class = "kerascrop_error_argument")
  expect_null(as_data_format(NULL))
  expect_error(as_data_format("NCHW"), class = "kerascrop_error_argument")
})

test_that("or_null() lets NULL pass, and blames the argument and the call that the check would", {
  expect_null(or_null(as_size)(NULL))
  expect_identical(or_null(as_size)(4), 4L)
  expect_identical(or_null(as_count)(0, least = 0), 0L)
  user_function <- function(height) or_null(as_size)(height)
  own <- function(height) as_size(height)
  error <- rlang::catch_cnd(user_function("big"))
  expect_identical(conditionMessage(error), conditionMessage(rlang::catch_cnd(own("big"))))
  expect_identical(error$call, quote(user_function("big")))
  error <- rlang::catch_cnd(or_null(as_choice)("c", c("a", "b"), arg = "letter", call = quote(f())))
  expect_match(conditionMessage(error), "letter")
  expect_identical(error$call, quote(f()))
})

# What is wrong for every argument of the cases below.
nonsense <- list(globalenv(), matrix("a", 2, 2), list(list(1)))

# Calls a function with nonsense in each of its arguments in turn, and gives the errors that are not the package's own,
# or do not name the argument.
raw_errors <- function(name, good, nonsense) {
  f <- getExportedValue("kerascrop", name)
  found <- character()
  for (arg in names(good)) for (value in nonsense) {
    arguments <- replace(good, arg, list(value))
    error <- rlang::catch_cnd(do.call(f, arguments), "error")
    own <- inherits(error, "kerascrop_error") && !inherits(error, "kerascrop_error_python")
    if (!own || !grepl(arg, conditionMessage(error))) {
      found <- c(found, paste(name, arg, class(value)[1], if (is.null(error)) "passed" else conditionMessage(error)))
    }
  }
  found
}

test_that("nonsense in any argument of any function is an error that names it", {
  skip_on_cran() # it takes half a minute
  skip_without_python()
  x <- some_images()
  boxes <- box_window(1:4, 1:5)
  size <- list(height = 4, width = 5)
  joint <- list(box_format = "xyxy", min_visible = 0, pass_through = "a", return_boxes = FALSE)
  layer <- list(name = "a", dtype = "float32", trainable = TRUE, data_format = "channels_last")
  no_file <- withr::local_tempfile(lines = "file,x1,y1,x2,y2", fileext = ".csv")
  fit <- list(if_smaller = "pad", fill_value = 0, fill_mode = "constant", pad_position = "end")
  random <- list(seed = 1, per_image = TRUE)
  place <- list(offset = NULL, size = NULL, box = NULL)
  cases <- list(
    as_numpy = list(x = x, dtype = "float32"), from_numpy = list(x = 1), image_array = list(x = x),
    box_rows = list(box = boxes),
    clip_boxes = c(list(boxes = boxes), size, list(box_format = "xyxy")), box_cols = list(box = boxes),
    read_boxes = list(path = no_file, format = "csv", images = tempdir(), first_pixel = 0),
    write_boxes = list(boxes = no_boxes(), path = no_file, format = "csv", classes = "a", images = tempdir(),
                       first_pixel = 0),
    box_iou = list(boxes = boxes, others = boxes), box_window = list(rows = 1, cols = 1),
    boxes_from_masks = list(masks = x), theta_from_boxes = c(list(boxes = boxes, box_format = "xyxy"), size),
    boxes_from_theta = c(list(theta = cbind(diag(2), 0), box_format = "xyxy"), size),
    cluttered_digits = list(n = 1, canvas = 40, digit = 12, distractors = 1, split = "train", seed = 1),
    crop_border = list(x = x, cropping = 1, fill_value = 0, fill_mode = "mirror"),
    crop_center = c(list(x = x), size, fit),
    crop_random = c(list(x = x), size, list(seed = 1, random_pad = 1), fit),
    crop_multi = c(list(x = x), size, list(views = "grid", stride = 2), fit),
    crop_window = c(list(x = x, rows = 1:4, cols = 1:5), place, fit[1:3]),
    crop_boxes = c(list(x = x, boxes = boxes), size, list(
      antialias = FALSE, fill_mode = "constant", fill_value = 0, interpolation = "bilinear"
    )),
    uncrop = c(list(crops = x[1, , , ], boxes = boxes), size, list(fill_value = 0)),
    plot_crops = list(images = x, boxes = boxes[c(1, 1, 1), ], crops = x, titles = 1:3, max = 1, ncol = 1, col = 1,
                      lwd = 1, range = 0:1),
    plot_boxes = c(list(boxes = boxes, image = x[1, , , ], labels = 1), size, list(
      title = "a", col = 1, lwd = 1, range = 0:1
    )),
    crop_generator = c(list(generator = NULL), size, list(mode = "random", seed = 1, if_smaller = "error")),
    crop_dataset = c(
      list(dataset = NULL), size, list(mode = "random", seed = 1, num_parallel_calls = 1, random_pad = 1), fit,
      joint[1:2]
    ),
    crops_from_directory = c(list(path = tempdir()), size, list(
      mode = "random", batch_size = 1, resize = 9, labels = "inferred", label_mode = "int", class_names = "a",
      color_mode = "rgb", shuffle = TRUE, seed = 1, validation_split = 0.5, subset = "training", if_smaller = "error",
      antialias = TRUE, errors = "raise"
    )),
    install_kerascrop = list(envname = "a"), map_localizer = list(backbone = NULL, view = 16, seed = 1),
    crop_editor = list(
      image = x[1, , , ], boxes = boxes, labels = "a", aspect = NULL, size = c(4, 5), snap = TRUE, ghosts = list(boxes),
      width = 300, height = 300, element_id = "a"
    ),
    crop_editor_output = list(id = "a", width = 300, height = 300), render_crop_editor = list(quoted = TRUE),
    update_crop_editor = list(id = "a", image = x[1, , , ], boxes = boxes, add = boxes, select = 1, labels = "a",
                              ghosts = list(boxes), session = NULL),
    crop_editor_ui = list(id = "a", width = 300, height = 300),
    crop_editor_server = list(id = "a", image = x[1, , , ], boxes = boxes, labels = "a", height = 4, width = 4),
    crop_app = list(
      images = system.file("extdata", package = "kerascrop"), boxes = "boxes.csv", model = NULL, labels = "a",
      run = FALSE
    ),
    propose_boxes = list(model = NULL, images = x, labels = "a"),
    loss_box = list(reduction = "mean", name = "a", dtype = "float32", match = TRUE),
    metric_box_iou = list(name = "a", dtype = "float32", match = TRUE),
    callback_crop_monitor = list(images = x, boxes = boxes, layer = "a"), animate_crops = list(monitor = NULL)
  )
  functions <- setdiff(getNamespaceExports("kerascrop"), c("kerascrop_python", "kerascrop_sitrep"))
  # Layers share their arguments: one value for each, by its name.
  of_layers <- c(size, layer, fit, joint, random, list(
    depth = 1, length = 4, cropping = 1, focus = "mask", positive_fraction = 1, scale = c(0.1, 1), ratio = c(1, 2),
    views = "grid", stride = 1, antialias = FALSE, fill_mode = "constant", interpolation = "bilinear",
    align_corners = TRUE, gradient_reach = 2, boxes = boxes, size = "fixed", min_size = 1, max_size = 1, resize = TRUE,
    localizer = "global", snap = TRUE, crops = 1, view = 16, choose = function(images, training) 1:4,
    how = "mean", units = 8, return_weights = TRUE, slices = 1, rows = 1:4, cols = 1:5, steps = 1:4, box = NULL,
    place = "end", mask_fill_value = 0, random_pad = 1,
    offset = NULL
  ))
  one_margin <- "layer_border_crop_1d" # to which a list of one number is not nonsense
  for (name in setdiff(grep("^layer_", functions, value = TRUE), one_margin)) {
    arguments <- setdiff(names(formals(getExportedValue("kerascrop", name))), c("object", "..."))
    expect_identical(setdiff(arguments, names(of_layers)), character())
    cases[[name]] <- of_layers[union(arguments, names(layer))]
    if (grepl("window", name)) cases[[name]]["size"] <- list(NULL)
  }
  expect_setequal(c(names(cases), one_margin), functions)
  withr::local_pdf(NULL)
  for (name in names(cases)) expect_identical(raw_errors(name, cases[[name]], nonsense), character())
})

test_that("a check blames the user's call, and names the argument, the value and the remedy", {
  user_function <- function(height) as_size(height)
  error <- rlang::catch_cnd(user_function(20.7))
  expect_identical(error$call, quote(user_function(20.7)))
  expect_snapshot(error = TRUE, {
    user_function(20.7)
    user_function("big")
    user_function(c(1, 2))
    user_function(NULL)
    user_function(1e10)
  })
})

# What users can have in a variable by mistake, and R's functions may choke on.
oddities <- function() {
  forged <- function(x) structure(x, class = "python.builtin.object")
  list(
    `Encoding<-`("\xe9a", "bytes"), "caf\xe9", strrep("a", 1e5), c("a", "b"), NA_character_, list(1, "a"), 1 + 2i, Inf,
    2^31, 1:2^40, quote(x), quote(stop("evaluated")), y ~ x, expression(a), mean, sum, globalenv(), stdin(),
    factor("a"), Sys.Date(), as.difftime(3, units = "secs"), structure(5e-324, class = "integer64"),
    structure(list(), class = "POSIXlt"), data.frame(), methods::getClass("numeric"), methods::new("externalptr"),
    forged(list()), forged(new.env()), forged("a"), forged(function() 1),
    forged(list2env(list(pyobj = methods::new("externalptr"))))
  )
}

test_that("whatever is no value of an argument is an error of ours in a few words", {
  checks <- list(
    as_size, as_count, as_margins, as_flag, function(x, ...) as_choice(x, c("a", "b"), ...), as_number, as_positive,
    as_fraction, as_bounds, as_seed, as_data_format, as_dtype, as_reach, as_box_format, as_extent, as_layer,
    function(x, ...) as_stride(x, c(height = 4, width = 4), "grid", ...), as_lines,
    function(x, ...) as_like_place(x, 2, ...), as_pad_position, function(x, ...) as_wholes(x, 2, ...),
    function(x, ...) as_whole_box(x, 2, ...)
  )
  found <- list()
  for (check in checks) for (x in oddities()) {
    error <- rlang::catch_cnd(check(x, arg = "its_name"), "condition")
    text <- if (!is.null(error)) conditionMessage(error)
    fine <- inherits(error, "kerascrop_error") && grepl("its_name", text) && nchar(text) < 500
    if (!is.null(error) && !fine) found <- c(found, list(error))
  }
  expect_identical(found, list())
})

test_that("what only says that it is a Python object ends in an error, not R", {
  for (x in Filter(function(x) inherits(x, "python.builtin.object"), oddities())) {
    expect_false(is_python(x))
    for (f in list(as_numpy, from_numpy, image_array, crop_center, plot_boxes, box_rows, layer_center_crop,
                   layer_box_crop, layer_uncrop, loss_box, boxes_from_theta, crop_generator, crop_dataset,
                   callback_crop_monitor, animate_crops)) {
      expect_s3_class(rlang::catch_cnd(f(x), "error"), "kerascrop_error")
    }
  }
})

test_that("numbers with a class are not R's", {
  expect_error(as_size(as.difftime(3, units = "secs")), class = "kerascrop_error_size")
  expect_error(as_seed(structure(5e-324, class = "integer64")), class = "kerascrop_error_argument")
})

test_that("hints say what would work for what was given", {
  expect_error(as_size(0.5), "not a fraction", class = "kerascrop_error_size")
  expect_error(as_size(20.7), "21", class = "kerascrop_error_size")
  expect_error(as_fraction(20), "0.2", class = "kerascrop_error_argument")
  expect_no_match(conditionMessage(rlang::catch_cnd(as_fraction(300))), "per cent")
})

test_that("a call that fails draws no random numbers", {
  set.seed(1)
  before <- .Random.seed
  expect_error(crop_random(matrix(0L, 9, 9), 4, 4, if_smaller = "pad", fill_value = 0.5), class = "kerascrop_error")
  expect_error(crop_dataset(1, 4, 4), class = "kerascrop_error")
  expect_error(crop_generator(1, 4, 4), class = "kerascrop_error")
  expect_identical(.Random.seed, before)
  crop_random(matrix(0, 9, 9), 4, 4)
  expect_false(identical(.Random.seed, before))
})
