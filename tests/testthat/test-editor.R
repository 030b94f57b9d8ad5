photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")

# What the page gets, as the browser reads it: JSON, with numbers as strings.
sent <- function(widget) {
  jsonlite::fromJSON(htmlwidgets:::toJSON2(widget$x[names(widget$x) != "picture"], na = "null"), simplifyVector = FALSE)
}

sent_boxes <- function(boxes) {
  frame <- data.frame(lapply(boxes[1:4], function(column) vapply(column, as.double, 0)))
  frame$label <- vapply(boxes$label, function(label) if (is.null(label)) NA_character_ else label, "")
  frame
}

test_that("boxes reach the page with all their digits, and their labels", {
  skip_if_not_installed("htmlwidgets")
  x <- matrix(0, 90, 120)
  boxes <- data.frame(left = c(1 / 3, 0.1 + 0.2), top = pi, width = 20, height = 30 + 1e-13, label = c("cat", NA))
  x1 <- boxes$left
  found <- sent_boxes(sent(crop_editor(x, boxes))$boxes)
  expect_identical(found$x1, x1)
  expect_identical(found$x2, x1 + 20)
  expect_identical(found$y2, rep(pi + (30 + 1e-13), 2))
  expect_identical(found$label, c("cat", NA))
  one <- sent(crop_editor(x, 1:4))
  expect_identical(lengths(one$boxes), c(x1 = 1L, y1 = 1L, x2 = 1L, y2 = 1L, label = 1L))
  for (none in list(NULL, boxes[0, ], matrix(0, 0, 4))) {
    expect_identical(lengths(sent(crop_editor(x, none))$boxes, FALSE), rep(0L, 5))
  }
})

test_that("the size of the image, and the editor's settings, reach the page", {
  skip_if_not_installed("htmlwidgets")
  x <- sent(crop_editor(photo, labels = c("cat", "dog"), aspect = 3 / 2, snap = FALSE))
  expect_identical(x[c("width", "height", "name", "snap", "aspect")], list(
    width = 451L, height = 300L, name = "chelsea.jpg", snap = FALSE, aspect = 1.5
  ))
  expect_identical(x$labels, list("cat", "dog"))
  expect_null(x$size)
  expect_identical(sent(crop_editor(photo, size = c(40, 60)))$size, list(height = 40L, width = 60L))
  one <- sent(crop_editor(photo, data.frame(x1 = 1, y1 = 2, x2 = 9, y2 = 9, label = factor("bird")), labels = "cat"))
  expect_identical(one$labels, list("cat", "bird"))
  expect_identical(sent(crop_editor(photo, labels = character()))$labels, list())
})

test_that("ghosts are boxes, layers, or models with a learnable crop", {
  skip_if_not_installed("htmlwidgets")
  ghosts <- sent(crop_editor(photo, ghosts = list(a = 1:4, rbind(1:4, 5:8))))$ghosts
  expect_identical(vapply(ghosts, `[[`, "", "name"), c("a", "ghost 2"))
  expect_identical(lengths(lapply(ghosts, function(ghost) ghost$boxes$x1)), 1:2)
  skip_without_python()
  layer <- layer_center_crop(height = 100, width = 151, name = "middle")
  five <- layer_multi_crop(height = 50, width = 60)
  found <- sent(crop_editor(photo, size = layer, ghosts = list(layer, five = five)))
  expect_identical(found$size, list(height = 100L, width = 151L))
  expect_identical(found$ghosts[[1]]$name, "middle")
  expect_identical(as.double(unlist(found$ghosts[[1]]$boxes)), c(150, 100, 301, 200))
  expect_identical(as.double(unlist(found$ghosts[[2]]$boxes$x2)), c(60, 451, 60, 451, 255))
})

test_that("a model's box comes in pixels of the image, whatever size the model sees", {
  skip_if_not_installed("htmlwidgets")
  skip_without_python()
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(c(150L, 200L, 3L))))
  layer_learnable_crop(model, 75, 50, localizer = "global", name = "look")
  boxes <- boxes_of(model, photo, "ghosts", rlang::current_env())
  # The one box of all images starts in the middle: 50 of 200 columns and 75 of 150 rows.
  expect_equal(boxes[, 3] - boxes[, 1], 451 / 4, tolerance = 1e-5)
  expect_equal(boxes[, 4] - boxes[, 2], 300 / 2, tolerance = 1e-5)
  plain <- keras$Sequential(list(keras$Input(c(150L, 200L, 3L)), keras$layers$Flatten()))
  expect_error(crop_editor(photo, ghosts = list(plain)), "LearnableCrop", class = "kerascrop_error_argument")
})

test_that("what is no editor's is an error of ours", {
  skip_if_not_installed("htmlwidgets")
  x <- matrix(0, 9, 12)
  expect_error(crop_editor(), class = "kerascrop_error_shape")
  expect_error(crop_editor(mean), class = "kerascrop_error_shape")
  expect_error(crop_editor(array(0, c(2, 9, 12, 3))), class = "kerascrop_error_shape")
  expect_error(crop_editor("no-such-photo.jpg"), class = "kerascrop_error_argument")
  for (boxes in list(1:3, c(4, 4, 1, 1), c(1, NA, 4, 4), c(12, 0, 20, 5), c(0, -5, 5, 0), data.frame(a = 1), "a")) {
    expect_error(crop_editor(x, boxes), class = "kerascrop_error_box")
  }
  odd <- data.frame(x1 = 1, y1 = 1, x2 = 3, y2 = 3, label = I(list(1)))
  expect_error(crop_editor(x, odd), class = "kerascrop_error_box")
  for (labels in list(c("a", "a"), NA_character_, "", 1, list("a"))) {
    expect_error(crop_editor(x, labels = labels), class = "kerascrop_error_argument")
  }
  for (size in list(3, c(10, 12), c(9, 12.5), c(0, 1), "a")) {
    expect_error(crop_editor(x, size = size), class = "kerascrop_error_size")
  }
  expect_error(crop_editor(x, aspect = -1), class = "kerascrop_error_argument")
  expect_error(crop_editor(x, aspect = 1, size = c(3, 3)), class = "kerascrop_error_argument")
  expect_error(crop_editor(x, width = "a lot"), class = "kerascrop_error_argument")
  expect_error(crop_editor(x, ghosts = list(a = matrix(0, 0, 4))), class = "kerascrop_error_box")
  expect_error(crop_editor(x, NULL, NULL, 3), class = "kerascrop_error_argument")
  expect_warning(crop_editor(x, c(0.1, 0.1, 0.5, 0.5)), class = "kerascrop_warning_boxes")
})

test_that("without the packages that show it, the error says what to install", {
  withr::local_options("rlang:::is_installed_hook" = function(...) FALSE)
  expect_error(crop_editor(matrix(0, 9, 12)), "htmlwidgets", class = "rlib_error_package_not_found")
  expect_error(crop_editor_output("crops"), "shiny", class = "rlib_error_package_not_found")
  expect_error(render_crop_editor(NULL), "shiny", class = "rlib_error_package_not_found")
  expect_error(update_crop_editor("crops"), "shiny", class = "rlib_error_package_not_found")
})

test_that("nothing that a label or a name says becomes HTML", {
  skip_if_not_installed("htmlwidgets")
  nasty <- "</script><script>alert(1)</script>"
  folder <- withr::local_tempdir()
  file <- file.path(folder, "a<img src=x onerror=alert(1)>.jpg")
  file.copy(photo, file)
  page <- file.path(folder, "page.html")
  htmlwidgets::saveWidget(crop_editor(file, labels = nasty), page, selfcontained = FALSE)
  html <- paste(readLines(page), collapse = "\n")
  expect_no_match(html, "</script><script>alert", fixed = TRUE)
  expect_identical(lengths(regmatches(html, gregexpr("<img", html))), 1L) # in the JSON, which is text
})
