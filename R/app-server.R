# What `crop_app()` does. Each part below does one thing for the session; `work` is what they share:
# the images' folder and names, the file of boxes, and what was drawn.

app_server <- function(setup) {
  open_sessions <- 0
  function(input, output, session) {
    work <- open_work(setup, session)
    open_sessions <<- open_sessions + 1
    session$onSessionEnded(function() {
      open_sessions <<- open_sessions - 1
      # Who reloads the page is back soon.
      if (setup$run) later::later(function() if (open_sessions == 0) finish(work), 5)
    })
    editor <- crop_editor_server("editor", work$picture, shiny::reactive(start_boxes(work, work$file())), setup$labels)
    keep_boxes(work, editor)
    walk_images(input, work, editor)
    take_files(input, work)
    show_state(output, session, work)
    show_strip(output, session, work)
    offer_exports(output, work)
    if (!is.null(setup$model)) ask_model(input, output, session, work, editor, setup)
    shiny::observeEvent(input$done, {
      leave_image(work, editor)
      finish(work)
    })
  }
}

# Ends the app, from the console. Who dropped files has not seen yet where they are.
finish <- function(work) {
  if (work$dropped) cli::cli_inform(c(i = "The images and their {.file boxes.csv} are in {.file {work$folder}}."))
  shiny::stopApp(stored_boxes(work))
}

# ---- what the parts share ------------------------------------------------------------------------------------

open_work <- function(setup, session) {
  folder <- if (is.null(setup$images)) dropped_folder(session) else setup$images$folder
  work <- new.env()
  work$folder <- folder
  work$dropped <- is.null(setup$images)
  work$store <- setup$store %||% file.path(folder, "boxes.csv")
  work$given <- setup$given
  work$sizes <- list()
  work$drafts <- list() # boxes of images that this session has touched
  work$files <- shiny::reactiveVal(setup$images$files %||% images_in(folder))
  work$stored <- shiny::reactiveVal(read_stored(work$store, "boxes", NULL) %||% no_boxes())
  work$place <- shiny::reactiveVal(1)
  work$problems <- shiny::reactiveVal(character()) # of files that were dropped
  work$unsaved <- shiny::reactiveVal(NULL) # why
  work$file <- shiny::reactive(shiny::req(work$files()[work$place()]))
  work$header <- shiny::reactive({
    tryCatch(list(size_of(work, work$file())), kerascrop_error = plain_message)
  })
  work$picture <- shiny::reactive(if (is.list(work$header())) path_of(work, work$file()))
  work
}

path_of <- function(work, file) work_path(work$folder, file)

# Height and width of an image, whose file is read once.
size_of <- function(work, file) {
  if (is.null(work$sizes[[file]])) work$sizes[[file]] <- open_sized(path_of(work, file), NULL)$size
  work$sizes[[file]]
}

# Boxes of an image to begin with: drawn in this session, or kept before, or given.
start_boxes <- function(work, file) {
  drawn <- work$drafts[[file]]
  if (!is.null(drawn)) return(drawn)
  for (rows in list(shiny::isolate(work$stored()), work$given)) {
    rows <- rows[rows$file %in% file, ]
    if (nrow(rows)) return(as_labelled_boxes(rows[!is_empty(rows), ], "boxes", NULL))
  }
  as_labelled_boxes(NULL, "boxes", NULL)
}

# The boxes of the images at hand: the file may hold others as well.
stored_boxes <- function(work) {
  rows <- shiny::isolate(work$stored())
  rows <- rows[rows$file %in% shiny::isolate(work$files()), ]
  rownames(rows) <- NULL
  rows
}

# A folder for the files of one session, whose name is in the page's address.
dropped_folder <- function(session) {
  root <- file.path(tools::R_user_dir("kerascrop", "data"), "dropped")
  key <- shiny::parseQueryString(shiny::isolate(session$clientData$url_search))$work
  known <- is_string(key) && grepl("^[0-9a-f]{32}$", key) && dir.exists(file.path(root, key))
  if (!known) {
    remove_old(root)
    key <- session$token
    shiny::updateQueryString(paste0("?work=", key), mode = "replace", session = session)
  }
  dir.create(file.path(root, key), recursive = TRUE, showWarnings = FALSE, mode = "0700")
  file.path(root, key)
}

remove_old <- function(root, days = 30) {
  folders <- list.dirs(root, recursive = FALSE)
  is_old <- vapply(folders, function(folder) {
    changed <- max(file.mtime(c(folder, list.files(folder, full.names = TRUE))))
    difftime(Sys.time(), changed, units = "days") > days
  }, NA)
  unlink(folders[is_old], recursive = TRUE)
}

# ---- boxes are kept ------------------------------------------------------------------------------------------

keep_boxes <- function(work, editor) {
  shiny::observeEvent(editor$boxes(), {
    file <- shown_file(work, editor)
    if (!same_boxes(editor$boxes(), start_boxes(work, file))) keep(work, file, editor$boxes())
  })
}

# The image that the editor's boxes belong to.
shown_file <- function(work, editor) {
  files <- shiny::isolate(work$files())
  files[match(editor$image(), path_of(work, files))]
}

same_boxes <- function(one, other) {
  label <- function(boxes) ifelse(is.na(boxes$label), "", boxes$label)
  nrow(one) == nrow(other) && all(sides_of(one) == sides_of(other)) && all(label(one) == label(other))
}

keep <- function(work, file, boxes) {
  work$drafts[[file]] <- boxes
  tryCatch(
    {
      size <- size_of(work, file)
      as_boxes(boxes)
      work$stored(store_boxes(work$store, file, stored_rows(file, boxes, size[1], size[2]), NULL))
      work$unsaved(NULL)
    },
    kerascrop_error = function(error) work$unsaved(plain_message(error))
  )
}

# An image that one goes on from with boxes in it is labelled, also if these were given.
leave_image <- function(work, editor) {
  shiny::isolate({
    if (is.null(work$picture())) return()
    if (nrow(editor$boxes())) keep(work, shown_file(work, editor), editor$boxes())
  })
}

# ---- from image to image -------------------------------------------------------------------------------------

walk_images <- function(input, work, editor) {
  go <- function(to) {
    leave_image(work, editor)
    work$place(min(max(to, 1), length(work$files())))
  }
  shiny::observeEvent(input$go, if (is_one_whole(input$go)) go(input$go))
  shiny::observeEvent(input$previous, go(work$place() - 1))
  shiny::observeEvent(input$`next`, go(work$place() + 1))
  shiny::observeEvent(input$along, {
    if (work$place() >= length(work$files()) || is.null(work$picture())) return()
    boxes <- editor$boxes()
    go(work$place() + 1)
    take_along(work, work$file(), boxes)
  })
}

# Boxes for another image, beside those that it has, without what would be outside of it.
take_along <- function(work, file, boxes) {
  size <- tryCatch(size_of(work, file), kerascrop_error = function(error) NULL)
  if (is.null(size)) return()
  inside <- boxes$x1 < size[2] & boxes$y1 < size[1]
  boxes <- boxes[inside, ]
  boxes$x2 <- pmin(boxes$x2, size[2])
  boxes$y2 <- pmin(boxes$y2, size[1])
  work$drafts[[file]] <- rbind(start_boxes(work, file), boxes)
}

take_files <- function(input, work) {
  shiny::observeEvent(input$dropped, {
    taken <- take_uploads(input$dropped, work$folder)
    work$problems(taken$problems)
    before <- length(work$files())
    work$files(c(work$files(), taken$files)) # in this session new ones come last
    if (length(taken$files)) work$place(before + 1)
  })
}

# ---- what the page says --------------------------------------------------------------------------------------

show_state <- function(output, session, work) {
  labelled <- shiny::reactive(which(work$files() %in% work$stored()$file))
  output$progress <- shiny::renderUI({
    n <- length(work$files())
    if (!n) return()
    words <- sprintf("%d of %d labelled", length(labelled()), n)
    shiny::tagList(shiny::tags$progress(max = n, value = length(labelled()), `aria-hidden` = "true"), words)
  })
  output$title <- shiny::renderText({
    if (!length(work$files())) return("Drop images onto this page, or choose some.")
    sprintf("%d of %d: %s", work$place(), length(work$files()), work$file())
  })
  output$problem <- shiny::renderText({
    own <- if (length(work$files()) && !is.list(work$header())) work$header()
    paste(c(work$problems(), own), collapse = "\n")
  })
  output$saved <- shiny::renderText({
    if (!is.null(work$unsaved())) return(paste("Not saved!", work$unsaved()))
    n <- sum(!is_empty(work$stored()))
    if (!n) return("")
    where <- if (work$dropped) ": the address of this page leads back here" else paste(" in", work$store)
    sprintf("%d %s saved%s", n, if (n == 1) "box" else "boxes", where)
  })
  shiny::observe(session$sendCustomMessage("kerascrop-marks", list(current = work$place(), labelled = labelled())))
}

show_strip <- function(output, session, work) {
  source <- session$registerDataObj("thumbnails", NULL, function(data, request) {
    file <- shiny::parseQueryString(request$QUERY_STRING)$image
    files <- shiny::isolate(work$files())
    send_thumbnail(path_of(work, files[match(file, files)]))
  })
  output$strip <- shiny::renderUI({
    labelled <- shiny::isolate(work$files() %in% work$stored()$file)
    files <- work$files()
    # By its name: browsers keep pictures, and the order may change.
    address <- vapply(enc2utf8(files), utils::URLencode, "", reserved = TRUE)
    Map(thumbnail_button, seq_along(files), files, paste0(source, "&image=", address), labelled)
  })
}

# Browsers make pictures small better than R; what they do not know is made small here.
send_thumbnail <- function(path) {
  file <- tryCatch(open_sized(path, NULL), error = function(error) NULL)
  if (is.null(file)) return(shiny::httpResponse(404L, "text/plain", "No image."))
  headers <- list(`X-Content-Type-Options` = "nosniff", `Cache-Control` = "private, max-age=3600")
  if (file$format %in% c("jpeg", "png", "gif", "bmp", "webp")) {
    return(shiny::httpResponse(200L, paste0("image/", file$format), file$bytes, headers))
  }
  small <- tryCatch(shrunk(image_array(path)), error = function(error) NULL)
  if (is.null(small)) return(shiny::httpResponse(404L, "text/plain", "No image."))
  shiny::httpResponse(200L, "image/png", png::writePNG(small), headers)
}

# An image `(1, height, width, channels)` of at most 160 pixels a side.
shrunk <- function(pixels, most = 160) {
  size <- pmax(1, round(dim(pixels)[2:3] * min(1, most / dim(pixels)[2:3])))
  device_pixels(pixels, 1, size)
}

# ---- boxes in other forms ------------------------------------------------------------------------------------

export_formats <- c(csv = "CSV", coco = "COCO (JSON)", yolo = "YOLO (text files)", voc = "Pascal VOC (XML files)")

offer_exports <- function(output, work) {
  offer <- function(format, name) {
    force(format) # which a loop changes
    shiny::downloadHandler(name, function(file) {
      tryCatch(export_boxes(stored_boxes(work), file, format), error = function(error) {
        work$problems(plain_message(error))
        stop(error)
      })
    })
  }
  names <- c(csv = "boxes.csv", coco = "boxes.json", yolo = "boxes-yolo.tar.gz", voc = "boxes-voc.tar.gz")
  for (format in names(names)) output[[paste0("export_", format)]] <- offer(format, names[[format]])
}

# A file in one of these formats; a folder of files becomes a compressed archive.
export_boxes <- function(rows, file, format) {
  if (is.null(annotation_formats[[format]])) return(write_boxes(rows, file, format))
  folder <- tempfile()
  on.exit(unlink(folder, recursive = TRUE))
  write_boxes(rows, folder, format)
  withr::with_dir(folder, utils::tar(file, files_in(".", nzchar), compression = "gzip", tar = "internal"))
}

# ---- a model -------------------------------------------------------------------------------------------------

ask_model <- function(input, output, session, work, editor, setup) {
  words <- shiny::reactiveVal("Waits for the first image.")
  proposer <- shiny::reactiveVal()
  told <- shiny::reactiveVal(list()) # what the model said of the image, when it was shown
  output$answer <- shiny::renderText(words())

  steps <- model_steps(setup$model, keep = function(x) proposer(list(x)))
  started <- FALSE
  shiny::observe({
    if (started || !editor$shown()) return()
    started <<- TRUE
    run_steps(steps, words, session, finally = function() sort_strip(work, proposer_of(proposer), session))
  })

  # Of each image when it is on the screen.
  shiny::observe({
    shiny::req(proposer(), editor$shown())
    path <- editor$image()
    words("Looking at the image ...")
    later::later(function() {
      if (session$isClosed() || !identical(path, shiny::isolate(editor$image()))) return()
      said <- tryCatch(ask_about_image(proposer_of(proposer), path), error = plain_message)
      if (is.character(said)) return(words(said))
      colnames(said$boxes) <- box_sides
      told(c(said, path = path))
      editor$update(ghosts = list(model = said$boxes))
    }, 0.1)
  })

  # And of the box that is drawn or selected, from then on.
  shiny::observe({
    shiny::req(identical(told()$path, editor$image()))
    boxes <- editor$boxes()
    if (!nrow(boxes)) return(words(paste("In its own box:", answer_in_words(told()$answer, setup$labels))))
    chosen <- editor$selected()
    box <- unlist(boxes[if (is.na(chosen)) nrow(boxes) else min(chosen, nrow(boxes)), box_sides])
    answer <- tryCatch(
      answer_in_words(ask_about_box(proposer_of(proposer), box), setup$labels), error = plain_message
    )
    words(answer)
  })

  shiny::observeEvent(input$take, {
    if (!identical(told()$path, editor$image())) return()
    editor$update(add = data.frame(told()$boxes, label = best_class(told()$answer, setup$labels)))
  })
}

proposer_of <- function(proposer) shiny::isolate(proposer())[[1]]

# Looks at all images, one after the other, and between them lets Shiny answer; then shows those first of which the
# model is least sure.
sort_strip <- function(work, proposer, session, wait = 0.2) {
  files <- shiny::isolate(work$files())
  doubt <- rlang::set_names(rep(NA_real_, length(files)), files)
  look <- function(i) {
    if (session$isClosed()) return()
    if (i <= length(files)) {
      doubt[i] <<- tryCatch(doubt_of_image(proposer, path_of(work, files[i])), error = function(error) NA_real_)
      return(later::later(function() look(i + 1), wait))
    }
    shiny::isolate({
      place <- work$place()
      work$files(worst_first(work$files(), place, work$stored()$file, doubt))
    })
  }
  if (length(files) > 2) later::later(function() look(1), wait)
}
