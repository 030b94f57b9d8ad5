# The page of `crop_app()`. What it looks like is in inst/app/app.css; inst/app/app.js passes on keys and clicks in the
# strip.

app_page <- function(setup) {
  tags <- shiny::tags
  shiny::bootstrapPage(
    title = "Boxes by hand",
    lang = "en",
    app_files(),
    tags$div(
      class = "ca-app",
      tags$header(
        class = "ca-head",
        tags$div(class = "ca-progress", shiny::uiOutput("progress", inline = TRUE)),
        tags$div(class = "ca-saved", role = "status", shiny::textOutput("saved", inline = TRUE)),
        export_menu(),
        if (setup$run) tags$button(id = "done", type = "button", class = "ca-button ca-main action-button", "Done")
      ),
      tags$main(
        class = "ca-main-area",
        tags$section(
          class = "ca-stage", `aria-label` = "Image",
          tags$h1(class = "ca-title", shiny::textOutput("title", inline = TRUE)),
          tags$div(class = "ca-problem", role = "alert", shiny::textOutput("problem", inline = TRUE)),
          crop_editor_ui("editor", height = "100%")
        ),
        tags$aside(
          class = "ca-side", `aria-label` = "What to do",
          tags$div(
            class = "ca-buttons",
            app_button("previous", "Previous", "K"), app_button("next", "Next", "J"),
            app_button("along", "Take the boxes along to the next", "C")
          ),
          if (!is.null(setup$model)) model_panel(),
          if (is.null(setup$images)) drop_area()
        )
      ),
      shiny::uiOutput("strip", container = tags$nav, class = "ca-strip", `aria-label` = "Images")
    )
  )
}

app_files <- function() {
  file <- function(name) system.file("app", name, package = "kerascrop", mustWork = TRUE)
  shiny::tags$head(
    shiny::tags$meta(name = "viewport", content = "width=device-width, initial-scale=1"),
    shiny::tags$link(rel = "icon", href = "data:,"),
    shiny::includeCSS(file("app.css")), shiny::includeScript(file("app.js"))
  )
}

app_button <- function(id, text, key) {
  shiny::tags$button(
    id = id, type = "button", class = "ca-button action-button", `data-key` = tolower(key), `aria-keyshortcuts` = key,
    text, shiny::tags$kbd(key, `aria-hidden` = "true")
  )
}

model_panel <- function() {
  shiny::tags$section(
    class = "ca-model", `aria-label` = "The model",
    shiny::tags$h2("The model says"),
    shiny::tags$p(class = "ca-answer", role = "status", shiny::textOutput("answer", inline = TRUE)),
    app_button("take", "Take its box", "P")
  )
}

drop_area <- function() {
  shiny::tags$section(
    class = "ca-drop", `aria-label` = "Add images",
    shiny::fileInput(
      "dropped", "Drop images here", multiple = TRUE, accept = c("image/*", paste0(".", image_endings)),
      buttonLabel = "Choose ...", placeholder = "", width = "100%"
    )
  )
}

export_menu <- function() {
  links <- Map(function(format, name) {
    shiny::tags$li(shiny::downloadLink(paste0("export_", format), name))
  }, names(export_formats), export_formats)
  shiny::tags$details(class = "ca-export", shiny::tags$summary("Export"), shiny::tags$ul(unname(links)))
}

# A picture of the strip. The button's number is the image's.
thumbnail_button <- function(number, file, source, labelled) {
  shiny::tags$button(
    type = "button", class = paste("ca-thumb", if (labelled) "ca-labelled"), `data-image` = number, title = file,
    `aria-label` = paste0(file, if (labelled) ", labelled"),
    shiny::tags$img(src = source, loading = "lazy", alt = "", decoding = "async")
  )
}
