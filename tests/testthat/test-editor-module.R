skip_if_not_installed("shiny")
skip_if_not_installed("htmlwidgets")

drawn_boxes <- function(...) {
  sides <- matrix(as.double(c(...)), ncol = 4, byrow = TRUE, dimnames = list(NULL, box_sides))
  data.frame(sides, label = rep(NA_character_, nrow(sides)))
}

image_of <- function(height, width) array(stats::runif(height * width * 3), c(height, width, 3))

# What the browser does not do here: an editor sends its boxes.
draw <- function(session, number, ...) {
  inputs <- rlang::set_names(list(drawn_boxes(...), NA_integer_), paste0("editor", number, c("", "_selected")))
  do.call(session$setInputs, inputs)
}

test_that("boxes are those to start from until others are drawn", {
  image <- image_of(20, 30)
  given <- data.frame(xmin = 1, ymin = 2, xmax = 5, ymax = 8)
  shiny::testServer(crop_editor_server, args = list(image = image, boxes = given), {
    editor <- session$getReturned()
    session$flushReact()
    expect_equal(editor$boxes(), drawn_boxes(1, 2, 5, 8))
    expect_identical(editor$selected(), NA_integer_)
    expect_false(editor$shown())
    session$setInputs(editor1 = drawn_boxes()) # what an editor says before it is drawn
    expect_equal(editor$boxes(), drawn_boxes(1, 2, 5, 8))
    draw(session, 1, 0, 0, 4, 4, 3, 2, 30, 20)
    expect_equal(editor$boxes(), drawn_boxes(0, 0, 4, 4, 3, 2, 30, 20))
    session$setInputs(editor1_selected = 2L, editor1_picture = TRUE)
    expect_identical(editor$selected(), 2L)
    expect_true(editor$shown())
    draw(session, 1)
    expect_identical(nrow(editor$boxes()), 0L)
  })
})

test_that("boxes never belong to another image: each has an editor of its own", {
  images <- list(image_of(20, 30), image_of(9, 9))
  which <- shiny::reactiveVal(1)
  starts <- list(c(0, 0, 3, 3), c(1, 1, 2, 2))
  shiny::testServer(
    crop_editor_server,
    args = list(image = shiny::reactive(images[[which()]]), boxes = shiny::reactive(starts[[which()]])), {
      editor <- session$getReturned()
      draw(session, 1, 0, 0, 20, 20)
      which(2)
      session$flushReact()
      expect_identical(editor$image(), images[[2]])
      draw(session, 1, 0, 0, 21, 21) # late, from the first image's editor
      expect_equal(editor$boxes(), drawn_boxes(1, 1, 2, 2))
      draw(session, 2, 3, 3, 9, 9)
      expect_equal(editor$boxes(), drawn_boxes(3, 3, 9, 9))
      which(1)
      session$flushReact()
      expect_equal(editor$boxes(), drawn_boxes(0, 0, 3, 3)) # what the caller says, not what was left
    }
  )
})

test_that("an image that comes again, as it is, keeps its editor", {
  tick <- shiny::reactiveVal(1)
  image <- image_of(9, 9)
  again <- shiny::reactive({
    tick()
    image
  })
  shiny::testServer(crop_editor_server, args = list(image = again), {
    draw(session, 1, 0, 0, 4, 4)
    tick(2)
    session$flushReact()
    expect_equal(session$getReturned()$boxes(), drawn_boxes(0, 0, 4, 4))
  })
})

test_that("crops are slices of the image, whatever it is", {
  photo <- image_of(20, 30)
  shiny::testServer(crop_editor_server, args = list(image = photo), {
    editor <- session$getReturned()
    session$flushReact()
    expect_identical(editor$crops(), list())
    draw(session, 1, 2, 3, 12, 10, 0, 0, 30, 20)
    crops <- lapply(editor$crops(), plain)
    expect_identical(crops, list(
      array(photo[4:10, 3:12, ], c(1, 7, 10, 3)), array(photo, c(1, 20, 30, 3))
    ))
  })
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png")
  png::writePNG(photo, file)
  shiny::testServer(crop_editor_server, args = list(image = file, height = 4, width = 5), {
    editor <- session$getReturned()
    draw(session, 1, 2, 3, 7, 7, 10, 10, 15, 14)
    expect_identical(dim(editor$crops()), c(2L, 4L, 5L, 3L))
    pixels <- png::readPNG(file)
    expect_identical(plain(editor$crops())[2, , , ], pixels[11:14, 11:15, ])
    draw(session, 1)
    expect_identical(dim(editor$crops()), c(0L, 4L, 5L, 3L))
  })
})

test_that("the code makes the same crops, of the image and in a model", {
  skip_if_not_installed("png")
  file <- file.path(withr::local_tempdir(), "a \"b\"'s.png")
  png::writePNG(image_of(20, 30), file)
  boxes <- drawn_boxes(2, 3, 12, 10, 1 / 3, 0.1, 20.7, 19.95, -2, 4, 8, 25)
  run <- function(code, env = new.env()) {
    eval(parse(text = code), env)
    env
  }
  for (image in list(file, image_array(file))) for (size in list(NULL, c(height = 6, width = 5))) {
    crops <- cut_drawn(image_array(image), boxes, size)
    code <- crop_code(image, boxes, size)
    env <- new.env()
    if (!is.character(image)) env$image <- image
    expect_identical(run(code[["array"]], env)$crops, crops)
    if (!reticulate::py_module_available("keras")) next
    made <- run(code[["model"]])
    x <- as_numpy(image_array(image))
    layers <- mget(sort(ls(made, pattern = "^crop")), made)
    of_model <- lapply(unname(layers), function(layer) from_numpy(layer(x)))
    expected <- if (is.null(size)) lapply(crops, plain) else list(array(plain(crops), c(1, dim(crops))))
    expect_equal(of_model, expected, tolerance = 1e-5)
  }
  for (code in crop_code(file, drawn_boxes())) expect_length(parse(text = code), 0)
})

test_that("nothing in a file's name or a label becomes code", {
  name <- "x\"); stop(\"run\") # \n stop('run')"
  code <- crop_code(name, cbind(drawn_boxes(1, 1, 4, 4)[box_sides], label = "\nstop('run')"))
  expect_no_match(code[["model"]], "run")
  expect_identical(parse(text = code[["array"]])[[2]], call("<-", quote(image), call("image_array", name)))
})

test_that("the arguments are checked", {
  image <- image_of(9, 9)
  for (call in expression(
    crop_editor_ui(1), crop_editor_ui("a", width = "wide"), crop_editor_ui("a", height = NA),
    crop_editor_server(1, image), crop_editor_server("a"), crop_editor_server("a", "no such file.png"),
    crop_editor_server("a", 1:3), crop_editor_server("a", image, c(3, 0, 1, 4)),
    crop_editor_server("a", image, c(1, NA, 3, 4)),
    crop_editor_server("a", image, labels = c("b", "b")), crop_editor_server("a", image, labels = NA),
    crop_editor_server("a", image, NULL, NULL, 3), crop_editor_server("a", image, height = 4),
    crop_editor_server("a", image, height = 0, width = 4)
  )) expect_error(eval(call), class = "kerascrop_error", info = deparse(call))
})

test_that("without shiny, what to install is said", {
  skip_on_cran()
  folder <- withr::local_tempdir() # a library without it
  code <- c(
    "assignInNamespace('check_installed', function(...) rlang::abort('', 'rlib_error_package_not_found'), 'rlang')",
    "for (call in expression(crop_editor_ui('a'), crop_editor_server('a', matrix(0, 2, 2)), crop_app())) {",
    "  cat(class(tryCatch(eval(call, asNamespace('kerascrop')), error = identity))[1], '\\n')",
    "}"
  )
  said <- in_new_process(c("library(kerascrop)", code))
  expect_identical(trimws(said), rep("rlib_error_package_not_found", 3))
})

test_that("the page has a place for the editor, of the size that is asked for", {
  html <- as.character(crop_editor_ui("photo", width = 300, height = "50vh"))
  expect_match(html, "id=\"photo-place\"", fixed = TRUE)
  expect_match(html, "width: 300px; height: 50vh;", fixed = TRUE)
})
