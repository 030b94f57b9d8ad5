#' The crop editor in a Shiny app
#'
#' `crop_editor_output()` is its place in the user interface, `render_crop_editor()` draws it, and
#' `update_crop_editor()` changes it. The boxes are the input of the same name.
#'
#' With the id `"crops"`, `input$crops` is a data frame with a row for each box: `x1`, `y1`, `x2`, `y2`, in pixels of
#' the image, and `label`, `NA` for none. It has no rows where there are no boxes, and is `NULL` before the editor is
#' drawn. It changes when a box is let go, not while it is dragged. `input$crops_selected` is the row of the selected
#' box, or `NA`.
#'
#' @param id The id of the output, and of the input.
#' @param width,height Size on the page: a number of pixels or a CSS string.
#' @param expr Code that makes a [crop_editor()].
#' @param env,quoted Where `expr` is run, and whether it is quoted already.
#' @param image,boxes,labels,ghosts What [crop_editor()] takes. `NULL` leaves them as they are; boxes without a row,
#'   such as `boxes[0, ]`, clear. The boxes stay where an image is followed by another, unless others are given.
#' @param add Boxes that are added to those that are there.
#' @param select The row of the box to select.
#' @param session The session of the app.
#' @returns `crop_editor_output()`: HTML. `render_crop_editor()`: a function for `output`. `update_crop_editor()`:
#'   nothing, invisibly. What it changes can be undone, except for another image.
#' @section Errors:
#' Those of [crop_editor()]; and `kerascrop_error_argument`: there is no session, or `ghosts` are a layer or model and
#' no `image` is given. `rlib_error_package_not_found`: the package shiny or htmlwidgets is missing.
#' @family editor
#' @export
#' @examplesIf interactive() && rlang::is_installed("shiny") && rlang::is_installed("htmlwidgets")
#' photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
#' ui <- shiny::fluidPage(
#'   crop_editor_output("crops"), shiny::actionButton("clear", "Clear"), shiny::tableOutput("table")
#' )
#' server <- function(input, output) {
#'   output$crops <- render_crop_editor(crop_editor(photo, labels = c("eye", "nose")))
#'   output$table <- shiny::renderTable(input$crops)
#'   shiny::observeEvent(input$clear, update_crop_editor("crops", boxes = matrix(0, 0, 4)))
#' }
#' shiny::shinyApp(ui, server)
crop_editor_output <- function(id, width = "100%", height = "520px") {
  rlang::check_installed(c("shiny", "htmlwidgets"), "to use the crop editor in an app.")
  id <- as_id(id)
  output <- htmlwidgets::shinyWidgetOutput(id, "crop_editor", as_css(width), as_css(height), package = "kerascrop")
  kept <- shiny::restoreInput(id, NULL)
  if (!length(kept)) return(output)
  boxes <- jsonlite::toJSON(js_boxes(boxes_from_input(kept)), na = "null", auto_unbox = TRUE)
  output[[1]] <- shiny::tagAppendAttributes(output[[1]], `data-boxes` = as.character(boxes))
  output
}

#' @rdname crop_editor_output
#' @export
render_crop_editor <- function(expr, env = parent.frame(), quoted = FALSE) {
  rlang::check_installed(c("shiny", "htmlwidgets"), "to use the crop editor in an app.")
  quoted <- as_flag(quoted)
  if (missing(expr)) kerascrop_abort("{.arg expr} is missing: code that makes a {.fn crop_editor}.", "argument")
  if (quoted) check_alive(expr, "expr", rlang::current_env()) else expr <- substitute(expr) # which is not run yet
  if (!is.call(expr) && !is.symbol(expr)) {
    kerascrop_abort(c("{.arg expr} must be code.", x = "It is {shown(expr)}."), "argument")
  }
  check_alive(env, "env", rlang::current_env())
  if (!is.environment(env) || is.object(env)) {
    kerascrop_abort(c("{.arg env} must be an environment.", x = "It is {shown(env)}."), "argument")
  }
  htmlwidgets::shinyRenderWidget(expr, crop_editor_output, env, quoted = TRUE)
}

#' @rdname crop_editor_output
#' @export
update_crop_editor <- function(id, image = NULL, boxes = NULL, add = NULL, select = NULL, labels = NULL, ghosts = NULL,
                               session = shiny::getDefaultReactiveDomain()) {
  call <- rlang::current_env()
  rlang::check_installed(c("shiny", "htmlwidgets"), "to use the crop editor in an app.")
  id <- as_id(id)
  select <- or_null(as_count)(select)
  if (!is.null(labels)) labels <- I(as_classes(labels))
  check_alive(image, "image", call)
  check_alive(boxes, "boxes", call)
  check_alive(add, "add", call)
  shown <- if (!is.null(image)) as_picture(image, "image", call)
  lengths <- if (!is.null(shown)) c(height = shown$height, width = shown$width)
  message <- list(
    boxes = if (!is.null(boxes)) js_boxes(as_labelled_boxes(boxes, "boxes", call, lengths)),
    add = if (!is.null(add)) js_boxes(as_labelled_boxes(add, "add", call, lengths)),
    select = select, labels = labels, ghosts = if (!is.null(ghosts)) as_ghosts(ghosts, image, call)
  )
  check_session(session, call)
  if (!is.null(shown)) {
    shown$picture <- sent_picture(shown$picture, id, session)
    message$image <- shown
  }
  session$sendInputMessage(id, message[!vapply(message, is.null, NA)])
  invisible()
}

check_session <- function(session, call) {
  if (inherits(session, c("ShinySession", "session_proxy", "MockShinySession"))) return(invisible())
  kerascrop_abort(c(
    "{.arg session} must be the session of a Shiny app.", x = "It is {shown(session)}.",
    i = "Call {.fn update_crop_editor} in the app's server function."
  ), "argument", call)
}

# `input$id`: columns of numbers and labels; `NULL`, as for any input that is not there yet, before the editor is drawn.
boxes_from_input <- function(value, ...) {
  if (is.null(value)) return(NULL)
  column <- function(name, missing) {
    values <- lapply(value[[name]], function(x) x %||% missing)
    vapply(values, function(x) if (length(x)) as.vector(x, typeof(missing)) else missing, missing, USE.NAMES = FALSE)
  }
  sides <- lapply(rlang::set_names(box_sides), column, NA_real_)
  data.frame(sides, label = column("label", NA_character_))
}

declare_inputs <- function() {
  shiny::registerInputHandler("kerascrop.boxes", boxes_from_input, force = TRUE)
  shiny::registerInputHandler("kerascrop.selected", function(value, ...) as.integer(value %||% NA), force = TRUE)
}
