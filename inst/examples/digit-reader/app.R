# Which digit is it? Draw a box around one, and a network says which.
#
#   shiny::runApp(system.file("examples/digit-reader", package = "kerascrop"))

library(shiny)
library(kerascrop)

photo <- system.file("extdata", "digits.png", package = "kerascrop")

ui <- fluidPage(
  titlePanel("Which digit is it?"),
  fluidRow(
    column(7, crop_editor_ui("photo")),
    column(5, h3(textOutput("answer")), plotOutput("crops", height = 180), verbatimTextOutput("code"))
  )
)

# Made once, for all sessions. Your own would be loaded: keras$saving$load_model("reader.keras").
reader <- local({
  model <- NULL
  function() {
    if (!is.null(model)) return(model)
    keras <- reticulate::import("keras")
    layers <- keras$layers
    digits <- cluttered_digits(4000, canvas = 40, seed = 1)
    x <- crop_boxes(digits$x, digits$boxes + runif(16000, -3, 3), 24, 24, antialias = TRUE)
    model <<- keras$Sequential(list(
      keras$Input(list(24L, 24L, 1L)), layers$Conv2D(16L, 3L, 2L, activation = "relu"),
      layers$Conv2D(32L, 3L, 2L, activation = "relu"), layers$Flatten(), layers$Dense(10L, activation = "softmax")
    ))
    model$compile("adam", "sparse_categorical_crossentropy")
    model$fit(as_numpy(x), as_numpy(digits$y, NULL), epochs = 10L, verbose = 0L)
    model
  }
})

server <- function(input, output, session) {
  editor <- crop_editor_server("photo", photo, height = 24, width = 24)

  # R has one thread: what takes seconds waits until the picture is on the screen.
  network <- reactiveVal()
  start <- function() withReactiveDomain(session, network(list(reader())))
  observeEvent(req(editor$shown()), later::later(start, 0.1), once = TRUE)

  output$answer <- renderText({
    if (is.null(network())) return("Starting Python, and teaching a network to read ...")
    if (!nrow(editor$boxes())) return("Draw a box around a digit.")
    chances <- from_numpy(network()[[1]](as_numpy(editor$crops()))) # not predict(): see the vignette
    paste(sprintf("%d (%.0f %%)", max.col(chances) - 1, 100 * apply(chances, 1, max)), collapse = ", ")
  })
  output$crops <- renderPlot({
    req(nrow(editor$boxes()) > 0)
    plot_crops(editor$crops(), titles = seq_len(nrow(editor$boxes())))
  })
  output$code <- renderText(editor$code()[["array"]])
}

shinyApp(ui, server)
