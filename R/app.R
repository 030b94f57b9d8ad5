#' Label images with boxes
#'
#' An app in which one draws boxes on images, one after the other: from the console, from RStudio's menu of addins, or
#' on a server.
#'
#' Below the image is a strip of all images, which shows those that are done. **J** and **K** go to the next and the
#' previous one, and **C** takes the boxes along to the next; the editor has its own keys, see [crop_editor()]. An image
#' counts as labelled once somebody has drawn in it, or has gone on from it with boxes in it.
#'
#' With a `model` the app shows where its learned crop would cut, and **P** takes that box over, to be corrected.
#' Whenever a box is drawn, moved or selected, the app says what the model answers if it looks there. Python and the
#' model are started once the first image is on the screen, and the page says so. Then the model looks at all images,
#' and those that nobody has seen or labelled yet are put in order, the one first of which it is least sure: see
#' [propose_boxes()]. A whole image goes to the model, with numbers from 0 to 1, or up to 255 if the model has a layer
#' `Rescaling`; it is resized if the model takes one size only.
#'
#' @param images A folder of images, whose subfolders count as well; or paths of image files; or `NULL`, to drop files
#'   onto the page.
#' @param boxes Where to keep the boxes: the path of a CSV file, by default `boxes.csv` in the folder of the images. Or
#'   boxes to start from, as [read_boxes()] gives them: a data frame with columns `file`, `x1`, `y1`, `x2`, `y2` (or
#'   other [box_names]), and perhaps `label`. These are proposals: of an image that has boxes in the CSV file, those are
#'   shown instead.
#' @param model A Keras model with one [layer_learnable_crop()]; or the path of one that was saved, or a function that
#'   returns one, so that Python need not run yet. `NULL`: none.
#' @param labels The classes to choose from, or `NULL`. If the model tells as many classes apart, its answers have these
#'   names, in this order.
#' @param run `FALSE` returns the app, for [shiny::runApp()] or the file `app.R` of a server, instead of running it.
#' @returns The boxes of all labelled images, a data frame `file, x1, y1, x2, y2, label, height, width`: sides in
#'   pixels, an empty label where there is none, and the image's size. With `run = FALSE` a Shiny app.
#' @section What is kept, and where:
#' After every change the boxes are written to the CSV file, as a whole or not at all, with the columns that this
#' function returns; files are named from the images' folder on. So nothing is lost if the browser is closed, or R ends:
#' the same call goes on from there. `read_boxes("boxes.csv")` reads them, for training. The page also gives them as
#' COCO's JSON, or as YOLO's text files or Pascal VOC's XML files in an archive, as [write_boxes()] makes them.
#'
#' Files that are dropped onto the page are kept, with their boxes, in a folder of their own for each session, in
#' `tools::R_user_dir("kerascrop", "data")`. The page's address leads back to them; so does a call with that folder.
#' When a folder has not changed for 30 days it is removed. Such files have at most 100 MB and 100 megapixels, and are
#' images by what they hold, not by their names.
#' @section Errors:
#' `rlib_error_package_not_found`: the package shiny or htmlwidgets is missing.
#' `kerascrop_error_argument`: there are no such images; a file is named twice; the boxes cannot be written where they
#' should; a model without a learnable crop, or with several; labels that are none. `kerascrop_error_box`: boxes of the
#' wrong form. What is wrong with an image, or with a model that is loaded later, is said on the page.
#' @family editor
#' @seealso [crop_editor_server()] for an app of your own; `vignette("cropping-in-shiny")`.
#' @export
#' @examplesIf interactive()
#' boxes <- crop_app(system.file("extdata", package = "kerascrop"), boxes = tempfile(fileext = ".csv"), labels = "cup")
crop_app <- function(images = NULL, boxes = NULL, model = NULL, labels = NULL, run = rlang::is_interactive()) {
  call <- rlang::current_env()
  check_shiny(call)
  setup <- list(
    images = as_image_files(images), model = as_model_loader(model), labels = as_classes(labels), run = as_flag(run)
  )
  given <- as_given_boxes(boxes, setup$images)
  setup$store <- given$store
  setup$given <- given$boxes
  check_kept(setup, call)
  app <- shiny::shinyApp(app_page(setup), app_server(setup), onStart = raise_upload_limit)
  if (!setup$run) return(app)
  viewer <- shiny::dialogViewer("kerascrop: boxes by hand", width = 1200, height = 900)
  shiny::runGadget(app, viewer = viewer, stopOnCancel = FALSE)
}

# The images' folder, and their names in it; NULL where they will be dropped.
as_image_files <- function(x, arg = caller_arg(x), call = caller_env()) {
  check_alive(x, arg, call)
  if (is.null(x)) return(NULL)
  if (!are_strings(x) || !length(x) || !is.null(dim(x))) {
    kerascrop_abort(c(
      "{.arg {arg}} must be {.code NULL}, a folder, or paths of image files.", x = "It is {shown(x)}."
    ), "argument", call)
  }
  if (length(x) == 1 && dir.exists(x)) {
    files <- images_in(x)
    if (length(files)) return(list(folder = x, files = files))
    kerascrop_abort(c("{.arg {arg}} must hold images.", x = "There are none in {.file {x}}."), "argument", call)
  }
  for (path in x) check_file(path, arg, call)
  twice <- x[duplicated(normalizePath(x))]
  if (length(twice)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be different files.", x = "{.file {twice[1]}} is there twice."
    ), "argument", call)
  }
  folder <- unique(dirname(x))
  if (length(folder) == 1) list(folder = folder, files = basename(x)) else list(folder = NULL, files = x)
}

# The names of images in a folder, in the order in which people count: 2 before 10.
images_in <- function(folder) {
  files <- list.files(folder, image_pattern, recursive = TRUE, ignore.case = TRUE)
  padded <- vapply(regmatches(files, gregexpr("\\d+|\\D+", files)), function(parts) {
    digits <- grepl("^\\d", parts)
    parts[digits] <- formatC(parts[digits], width = 20, flag = "0")
    paste(parts, collapse = "")
  }, "")
  files[order(tolower(padded), files)]
}

# The file that boxes are kept in, and those to start from.
as_given_boxes <- function(x, images, arg = "boxes", call = caller_env()) {
  store <- if (is_string(x)) x else if (!is.null(images$folder)) file.path(images$folder, "boxes.csv")
  if (!is.null(images) && is.null(store)) {
    kerascrop_abort(c(
      "{.arg {arg}} must be the path of a CSV file to keep the boxes in.",
      x = "The images are in several folders, so there is no place for it that is plain."
    ), "argument", call)
  }
  list(store = store, boxes = if (is.null(x) || is_string(x)) no_boxes() else as_box_table(x, arg, call))
}

# Stops at once where boxes could not be kept, or are of other images.
check_kept <- function(setup, call) {
  if (!is.null(setup$store)) {
    read_stored(setup$store, "boxes", call)
    writable <- tryCatch(check_writable(setup$store), kerascrop_error = function(error) FALSE)
    if (isFALSE(writable)) {
      kerascrop_abort(c(
        "The boxes cannot be kept in {.file {setup$store}}.",
        i = "Name a CSV file that can be written, as {.code boxes = \"boxes.csv\"}."
      ), "argument", call)
    }
  }
  other <- setdiff(setup$given$file, setup$images$files)
  if (is.null(setup$images) || !length(other)) return(invisible())
  kerascrop_abort(c(
    "{.arg boxes} must be of the {.arg images}.", x = "There is no image {.file {other[1]}} among them."
  ), "argument", call)
}

# Shiny takes files up to 5 MB, unless this says more.
raise_upload_limit <- function() {
  before <- options(shiny.maxRequestSize = max(getOption("shiny.maxRequestSize"), upload_bytes))
  shiny::onStop(function() options(before))
}
