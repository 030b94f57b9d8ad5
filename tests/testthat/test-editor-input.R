photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")

# A session that keeps what it is sent.
fake_session <- function() {
  session <- structure(new.env(), class = "MockShinySession")
  session$sendInputMessage <- function(id, message) session$sent <- list(id = id, message = message)
  session$registerDataObj <- function(name, data, filter) {
    session$served <- list(name = name, response = filter(data, NULL))
    "session/address"
  }
  session
}

test_that("boxes that the page sends become a data frame in the package's own names", {
  frame <- function(...) boxes_from_input(jsonlite::fromJSON(..., simplifyVector = FALSE), NULL, "crops")
  none <- data.frame(x1 = double(), y1 = double(), x2 = double(), y2 = double(), label = character())
  expect_identical(frame('{"x1":[],"y1":[],"x2":[],"y2":[],"label":[]}'), none)
  expect_null(boxes_from_input(NULL)) # the editor is not drawn yet
  expect_identical(
    frame('{"x1":[1,0.30000000000000004],"y1":[2,3],"x2":[10,20.5],"y2":[11,12],"label":["cat",null]}'),
    data.frame(x1 = c(1, 0.1 + 0.2), y1 = c(2, 3), x2 = c(10, 20.5), y2 = c(11, 12), label = c("cat", NA))
  )
  one <- frame('{"x1":[1],"y1":[2],"x2":[3],"y2":[4],"label":[null]}')
  expect_identical(one$label, NA_character_)
  expect_identical(plain(crop_boxes(diag(9), one)), diag(9)[3:4, 2:3])
})

test_that("shiny knows the inputs' types, whichever of the two packages was loaded first", {
  skip_if_not_installed("shiny")
  code <- c(
    "none <- list(x1 = list(), y1 = list(), x2 = list(), y2 = list(), label = list())",
    "boxes <- shiny:::inputHandlers$get('kerascrop.boxes')(none)",
    "cat(nrow(boxes), shiny:::inputHandlers$get('kerascrop.selected')(NULL))"
  )
  for (first in list(c("library(shiny)", "library(kerascrop)"), c("library(kerascrop)", "library(shiny)"))) {
    expect_match(in_new_process(c(first, code)), "0 NA", all = FALSE)
  }
})

test_that("an update says what changes, and nothing else", {
  skip_if_not_installed("shiny")
  session <- fake_session()
  update_crop_editor("crops", boxes = data.frame(x1 = 1, y1 = 2, x2 = 3, y2 = 1e6, label = "cat"), session = session)
  expect_identical(session$sent$id, "crops")
  expect_identical(names(session$sent$message), "boxes")
  expect_identical(jsonlite::toJSON(session$sent$message, auto_unbox = TRUE, na = "null"), structure(
    '{"boxes":{"x1":["1"],"y1":["2"],"x2":["3"],"y2":["1000000"],"label":["cat"]}}', class = "json"
  ))
  update_crop_editor("crops", add = c(1, 2, 3, 4), select = 2, labels = character(), session = session)
  expect_identical(names(session$sent$message), c("add", "select", "labels"))
  update_crop_editor("crops", boxes = matrix(0, 0, 4), session = session)
  expect_identical(lengths(session$sent$message$boxes, FALSE), rep(0L, 5))
  update_crop_editor("crops", image = photo, session = session)
  expect_identical(session$served$name, "crops_picture")
  expect_identical(session$served$response$content, readBin(photo, "raw", 1e6))
  expect_identical(session$sent$message$image$picture$url, "session/address")
  expect_identical(session$sent$message$image[c("height", "width")], list(height = 300, width = 451))
})

test_that("an update that cannot be is an error, and nothing is sent", {
  skip_if_not_installed("shiny")
  session <- fake_session()
  expect_error(update_crop_editor("crops", boxes = 1:3, session = session), class = "kerascrop_error_box")
  expect_error(update_crop_editor("crops", add = c(1, NA, 3, 4), session = session), class = "kerascrop_error_box")
  expect_error(update_crop_editor("crops", photo, c(900, 0, 999, 9), session = session), class = "kerascrop_error_box")
  expect_error(update_crop_editor("crops", select = 0, session = session), class = "kerascrop_error_size")
  expect_error(update_crop_editor("crops", labels = 1, session = session), class = "kerascrop_error_argument")
  expect_error(update_crop_editor(3, session = session), class = "kerascrop_error_argument")
  expect_error(update_crop_editor("crops", session = NULL), "session", class = "kerascrop_error_argument")
  expect_null(session$sent)
  skip_without_python()
  layer <- layer_center_crop(height = 4, width = 4)
  error <- rlang::catch_cnd(update_crop_editor("crops", ghosts = layer, session = session))
  expect_s3_class(error, "kerascrop_error_argument")
  expect_match(conditionMessage(error), "image")
})

test_that("the output has a place on the page, with a bookmark's boxes in it", {
  skip_if_not_installed("shiny")
  html <- as.character(crop_editor_output("crops", height = 300))
  expect_match(html, 'id="crops"')
  expect_match(html, "height:300px")
  expect_no_match(html, "data-boxes")
  context <- shiny:::RestoreContext$new('?_inputs_&crops={"x1":[1],"y1":[2],"x2":[3],"y2":[4],"label":["cat"]}')
  kept <- shiny:::withRestoreContext(context, as.character(crop_editor_output("crops")))
  expect_match(kept, "data-boxes")
  expect_match(kept, "cat")
  for (id in list(3, "", NA_character_, c("a", "b"))) {
    expect_error(crop_editor_output(id), class = "kerascrop_error_argument")
  }
})

test_that("what makes the editor runs when it is drawn, and not before", {
  skip_if_not_installed("shiny")
  expect_true(is.function(render_crop_editor(stop("run"))))
  expect_true(is.function(render_crop_editor(quote(stop("run")), quoted = TRUE)))
  expect_error(render_crop_editor(), class = "kerascrop_error_argument")
})

test_that("an app draws the editor, with the picture at an address of the session's", {
  skip_if_not_installed("shiny")
  server <- function(input, output, session) {
    output$crops <- render_crop_editor(crop_editor(photo, c(1, 2, 30, 40)))
  }
  shiny::testServer(server, {
    drawn <- jsonlite::fromJSON(output$crops)$x
    expect_identical(unlist(drawn$boxes[1:4], use.names = FALSE), c("1", "2", "30", "40"))
    expect_null(drawn$picture$bytes)
    expect_identical(c(drawn$height, drawn$width), c(300L, 451L))
  })
})
