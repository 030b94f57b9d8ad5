# The app that test_shiny.py talks to: Rscript tests/browser/app.R <port>
library(shiny)
library(kerascrop)
photos <- system.file("extdata", c("chelsea.jpg", "coffee.jpg"), package = "kerascrop")

ui <- function(request) {
  fluidPage(
    title = "Crops", lang = "en", crop_editor_output("crops", height = 420), verbatimTextOutput("seen"),
    crop_editor(photos[1], c(1, 2, 3, 4), element_id = "still", height = 300), verbatimTextOutput("seen_still"),
    lapply(c("add", "set", "clear", "choose", "image", "draw", "others"), function(name) actionButton(name, name))
  )
}

server <- function(input, output) {
  output$crops <- render_crop_editor({
    input$draw
    crop_editor(photos[1], c(10, 20, 100, 90), labels = c("eye", "nose"))
  })
  output$seen <- renderText({
    boxes <- cbind(input$crops, selected = rep(input$crops_selected, nrow(input$crops)))
    boxes[1:4] <- lapply(boxes[1:4], sprintf, fmt = "%.17g") # with all their digits
    as.character(jsonlite::toJSON(boxes, na = "null", dataframe = "rows"))
  })
  more <- data.frame(x1 = 1 / 3, y1 = 2, x2 = 50, y2 = 60, label = "nose")
  observeEvent(input$add, update_crop_editor("crops", add = more))
  observeEvent(input$others, {
    update_crop_editor("crops", labels = c("paw", "nose"), ghosts = list(all = c(0, 0, 451, 300)))
  })
  output$seen_still <- renderText(paste(unlist(input$still[1:4]), collapse = " "))
  observeEvent(input$set, update_crop_editor("crops", boxes = rbind(c(0, 0, 10, 10), c(5, 5, 20, 20))))
  observeEvent(input$clear, update_crop_editor("crops", boxes = matrix(0, 0, 4)))
  observeEvent(input$choose, update_crop_editor("crops", select = 1))
  observeEvent(input$image, update_crop_editor("crops", image = photos[2], labels = c("cup", "spoon")))
}

app <- shinyApp(ui, server, enableBookmarking = "url")
runApp(app, port = as.integer(commandArgs(TRUE)[1]), host = "127.0.0.1", launch.browser = FALSE)
