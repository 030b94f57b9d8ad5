#' A crop editor for Shiny apps
#'
#' A Shiny module around [crop_editor()]: an image on which users of an app draw boxes. Its server gives the boxes, the
#' crops, and the R code that makes the same crops. `vignette("cropping-in-shiny")` has whole apps.
#'
#' Each image gets an editor of its own, so what is drawn always belongs to the image that it was drawn on, also when
#' somebody is faster than the network.
#'
#' @param id The module's id, the same for both functions.
#' @param width,height `crop_editor_ui()`: the editor's size on the page, a number of pixels or a CSS string.
#'   `crop_editor_server()`: the size of the crops, in pixels; `NULL`, each has the size of its box, rounded.
#' @param image An image of any kind that [crop_center()] takes, the path of a file for instance; or a reactive of one.
#'   Where a reactive gives `NULL` there is no editor.
#' @param boxes Boxes to start from, as [crop_editor()] takes them; or a reactive of them, which is read when the image
#'   changes. Later, `update(boxes = )` sets them.
#' @param labels The classes to choose from, or `NULL`.
#' @param ... Other arguments of [crop_editor()], such as `aspect`, by name.
#' @returns `crop_editor_ui()`: an element of a page. `crop_editor_server()`: a list of functions; all but the last are
#'   reactives.
#' * `image()`: the image that is edited.
#' * `boxes()`: a data frame `x1, y1, x2, y2, label` in pixels of this image.
#' * `crops()`: the crops, cut out of the image's own pixels, not of those on the screen, as [image_array()] reads them
#'   and [crop_boxes()] cuts them: a list of arrays `(1, height, width, channels)`; with `height` and `width` one array
#'   `(boxes, height, width, channels)`. The image is decoded when this is first asked for.
#' * `code()`: two texts, `array` and `model`: R code that makes the same crops of the image, and layers that make them
#'   in a model.
#' * `selected()`: the row of the box that is selected, or `NA`.
#' * `shown()`: whether the image is on the screen.
#' * `update(...)`: calls [update_crop_editor()] for the editor that is there, with `boxes`, `add`, `select`, `labels`
#'   or `ghosts`.
#' @section Errors:
#' `kerascrop_error_argument`: an argument is wrong. `rlib_error_package_not_found`: the package shiny or
#' htmlwidgets is missing. `kerascrop_error_size`:
#' `height` or `width` is not a positive whole number, or one of them is missing. What is wrong with an image or boxes
#' that a reactive gives is said in the place of the editor.
#' @family editor
#' @seealso [crop_app()] for a whole app.
#' @export
#' @examplesIf interactive()
#' library(shiny)
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' ui <- fluidPage(crop_editor_ui("photo"), verbatimTextOutput("code"))
#' server <- function(input, output) {
#'   editor <- crop_editor_server("photo", photo)
#'   output$code <- renderText(editor$code()[["array"]])
#' }
#' shinyApp(ui, server)
crop_editor_ui <- function(id, width = "100%", height = "480px") {
  check_shiny(rlang::current_env())
  ns <- shiny::NS(as_id(id))
  width <- as_css(width)
  height <- as_css(height)
  style <- sprintf("width: %s; height: %s;", shiny::validateCssUnit(width), shiny::validateCssUnit(height))
  shiny::tagList(
    shiny::singleton(shiny::tags$head(shiny::tags$script(shiny::HTML(tell_picture)))),
    shiny::uiOutput(ns("place"), style = style)
  )
}

#' @rdname crop_editor_ui
#' @export
crop_editor_server <- function(id, image, boxes = NULL, labels = NULL, ..., height = NULL, width = NULL) {
  call <- rlang::current_env()
  check_shiny(call)
  id <- as_id(id)
  check_given(image, "shape", "image", call)
  image <- as_reactive(image, function(x) as_images(x, "image", call))
  boxes <- as_reactive(boxes, function(x) as_boxes(x, "boxes", call))
  labels <- as_classes(labels)
  size <- as_sizes_of_crops(height, width)
  options <- check_named_dots(list(...), hint = "They go to {.fn crop_editor}: {.arg aspect} works, for instance.")
  check_in_app(call)
  shiny::moduleServer(id, function(input, output, session) {
    picture <- shiny::reactiveVal()
    shiny::observe(picture(image()), priority = 100) # before all that looks at the boxes
    editors <- 0
    # What is edited: an editor with a number of its own for each image.
    edited <- shiny::reactive({
      image <- shiny::req(picture())
      editors <<- editors + 1
      list(id = paste0("editor", editors), image = image, boxes = shiny::isolate(boxes()))
    })
    output$place <- shiny::renderUI(crop_editor_output(session$ns(edited()$id), "100%", "100%"))
    before <- NULL
    shiny::observe({
      now <- edited()
      forget_editor(before, output, session)
      before <<- now$id
      output[[now$id]] <- render_crop_editor(rlang::exec(crop_editor, now$image, now$boxes, labels, !!!options))
    })
    # An editor that is not drawn yet says that it has no boxes; which one is selected it says with its first own ones.
    selected <- shiny::reactive(input[[paste0(edited()$id, "_selected")]])
    drawn <- shiny::reactive({
      if (is.null(selected())) as_labelled_boxes(edited()$boxes, "boxes", NULL) else input[[edited()$id]]
    })
    pixels <- shiny::reactive(image_array(edited()$image))
    list(
      image = shiny::reactive(edited()$image),
      boxes = drawn,
      crops = shiny::reactive(cut_drawn(pixels(), drawn(), size)),
      code = shiny::reactive(crop_code(edited()$image, drawn(), size)),
      selected = shiny::reactive(selected() %||% NA_integer_),
      shown = shiny::reactive(isTRUE(input[[paste0(edited()$id, "_picture")]])),
      update = function(...) update_crop_editor(shiny::isolate(edited()$id), ..., session = session)
    )
  })
}

# In the browser: an editor has drawn its picture.
tell_picture <- "document.addEventListener('kerascrop:picture', (event) => {
  Shiny.setInputValue(event.target.id + '_picture', true);
}, true);"

# A value that is checked now, or a reactive, whose values are checked when they come.
as_reactive <- function(x, check) {
  if (is.function(x) && !is_python(x)) return(x)
  if (!is.null(x)) check(x)
  function() x
}

check_shiny <- function(call) {
  rlang::check_installed(c("shiny", "htmlwidgets"), "to crop by hand in an app.", call = call)
}

check_in_app <- function(call) {
  if (!is.null(shiny::getDefaultReactiveDomain())) return(invisible())
  kerascrop_abort(c(
    "{.fn crop_editor_server} needs the session of a Shiny app.", i = "Call it in the app's server function."
  ), "argument", call)
}

as_sizes_of_crops <- function(height, width, call = caller_env()) {
  height <- or_null(as_size)(height, call = call)
  width <- or_null(as_size)(width, call = call)
  if (is.null(height) != is.null(width)) {
    kerascrop_abort("{.arg height} and {.arg width} of the crops go together: give both, or none.", "size", call)
  }
  c(height = height, width = width)
}

# Frees what an editor that is gone had: its picture, and its image.
forget_editor <- function(id, output, session) {
  if (is.null(id)) return()
  output[[id]] <- NULL
  session$registerDataObj(paste0(session$ns(id), "_picture"), NULL, function(...) NULL)
}

sides_of <- function(boxes) matrix(as.double(unlist(boxes[box_sides])), ncol = 4, dimnames = list(NULL, box_sides))

# Crops of one image `(1, height, width, channels)`: a list, or one array where they have a `size`.
cut_drawn <- function(pixels, boxes, size = NULL) {
  sides <- unname(sides_of(boxes))
  if (!is.null(size)) return(crop_boxes(pixels, sides, size[["height"]], size[["width"]]))
  lapply(seq_len(nrow(sides)), function(i) crop_boxes(pixels, sides[i, ]))
}

# R code that makes these crops: of an image, and as layers of a model.
crop_code <- function(image, boxes, size = NULL) {
  if (!nrow(boxes)) return(c(array = "# No box is drawn.", model = "# No box is drawn."))
  sides <- unname(sides_of(boxes))
  rows <- apply(sides, 1, function(row) paste0("c(", paste(exact_numbers(row), collapse = ", "), ")"))
  matrix <- paste0("boxes <- rbind(\n  ", paste(rows, collapse = ",\n  "), "\n)")
  source <- sprintf("image <- image_array(%s)", if (is_string(image)) deparse(enc2utf8(image)) else "image")
  as_arguments <- function(size) sprintf("height = %d, width = %d", size[["height"]], size[["width"]])
  array <- if (is.null(size)) {
    "crops <- lapply(seq_len(nrow(boxes)), function(i) crop_boxes(image, boxes[i, ]))"
  } else {
    sprintf("crops <- crop_boxes(image, boxes, %s)", as_arguments(size))
  }
  model <- if (is.null(size)) {
    sizes <- apply(sides, 1, function(row) as_arguments(box_sizes(row)))
    c("# a layer for each box", sprintf("crop_%d <- layer_box_crop(%s, boxes = %s)", seq_along(rows), sizes, rows))
  } else {
    c(matrix, sprintf("crop <- layer_box_crop(%s, boxes = boxes)", as_arguments(size)))
  }
  c(
    array = paste(c("library(kerascrop)", source, matrix, array), collapse = "\n"),
    model = paste(c("library(kerascrop)", model), collapse = "\n")
  )
}
