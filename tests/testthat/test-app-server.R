skip_if_not_installed("shiny")
skip_if_not_installed("htmlwidgets")
skip_if_not_installed("png")

folder_of_three <- function(env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  for (name in c("a", "b", "c")) {
    size <- if (name == "b") c(10, 10) else c(20, 30)
    png::writePNG(array(stats::runif(prod(size) * 3), c(size, 3)), file.path(folder, paste0(name, ".png")))
  }
  folder
}

setup_of <- function(folder, given = no_boxes()) {
  list(images = as_image_files(folder), store = file.path(folder, "boxes.csv"), given = given, run = FALSE)
}

# What the browser sends: boxes of the editor with this number, and a button that is pressed.
draw_in <- function(session, number, ..., label = NA_character_) {
  sides <- matrix(as.double(c(...)), ncol = 4, byrow = TRUE, dimnames = list(NULL, box_sides))
  boxes <- data.frame(sides, label = rep_len(label, nrow(sides)))
  inputs <- rlang::set_names(list(boxes, NA_integer_), paste0("editor-editor", number, c("", "_selected")))
  do.call(session$setInputs, inputs)
}

press <- function(session, ...) {
  for (id in c(...)) do.call(session$setInputs, rlang::set_names(list(stats::runif(1)), id))
}

saved <- function(folder) utils::read.csv(file.path(folder, "boxes.csv"))

test_that("boxes are saved as one goes, with the image that they were drawn on", {
  folder <- folder_of_three()
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    expect_match(output$title, "1 of 3: a.png")
    draw_in(session, 1, 1, 2, 11, 12, label = "cat")
    expect_equal(saved(folder), data.frame(
      file = "a.png", x1 = 1, y1 = 2, x2 = 11, y2 = 12, label = "cat", height = 20, width = 30
    ))
    expect_match(output$saved, "1 box saved")
    press(session, "next")
    expect_match(output$title, "2 of 3: b.png")
    draw_in(session, 1, 0, 0, 30, 20) # late, from the first image
    draw_in(session, 2, 0, 0, 5, 5, 1, 1, 9, 9)
    expect_identical(saved(folder)$file, c("a.png", "b.png", "b.png"))
    draw_in(session, 2)
    expect_identical(saved(folder)$file, "a.png")
    expect_match(output$progress$html, "1 of 3 labelled")
  })
})

test_that("who comes back finds what was there, and a session that is cut off loses nothing", {
  folder <- folder_of_three()
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    draw_in(session, 1, 1, 2, 11, 12)
    session$close()
  })
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    expect_equal(start_boxes(list(stored = function() saved(folder), given = no_boxes()), "a.png")$x2, 11)
    press(session, "next", "previous")
    draw_in(session, 3, 1, 2, 11, 12, 0, 0, 4, 4)
    expect_identical(nrow(saved(folder)), 2L)
  })
})

test_that("the next and previous image stop at the ends; nonsense from the browser does nothing", {
  shiny::testServer(app_server(setup_of(folder_of_three())), {
    session$flushReact()
    press(session, "previous")
    expect_match(output$title, "1 of 3")
    press(session, "next", "next", "next", "next")
    expect_match(output$title, "3 of 3")
    for (to in list(-5, 1e9, "a", 1.5, NA, list(), 2)) session$setInputs(go = to)
    expect_match(output$title, "2 of 3")
  })
})

test_that("boxes are taken along to the next image, inside of it, and count there once one goes on", {
  folder <- folder_of_three()
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    draw_in(session, 1, 1, 2, 12, 8, 11, 0, 20, 9, label = c("x", "y"))
    press(session, "along")
    expect_match(output$title, "2 of 3")
    expect_identical(saved(folder)$file, c("a.png", "a.png"))
    press(session, "next")
    b <- saved(folder)[3, ]
    expect_equal(b, data.frame(
      file = "b.png", x1 = 1, y1 = 2, x2 = 10, y2 = 8, label = "x", height = 10, width = 10
    ), ignore_attr = TRUE)
    press(session, "along") # the last image: nowhere to go
    expect_match(output$title, "3 of 3")
  })
})

test_that("given boxes are proposals: they are kept once one has seen them, and never instead of saved ones", {
  folder <- folder_of_three()
  given <- as_box_table(data.frame(file = c("a.png", "b.png"), x1 = 1, y1 = 1, x2 = 4, y2 = 4), "boxes", NULL)
  store_boxes(file.path(folder, "boxes.csv"), "b.png", replace(given[2, ], "x2", 9))
  shiny::testServer(app_server(setup_of(folder, given = given)), {
    session$flushReact()
    expect_identical(saved(folder)$file, "b.png")
    press(session, "next", "next")
    expect_identical(saved(folder)$file, c("a.png", "b.png"))
    expect_equal(saved(folder)$x2, c(4, 9))
  })
})

test_that("an editor that is not drawn yet does not take boxes away", {
  folder <- folder_of_three()
  rows <- stored_rows("a.png", as_labelled_boxes(1:4, "boxes", NULL), 20, 30)
  store_boxes(file.path(folder, "boxes.csv"), "a.png", rows)
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    session$setInputs(`editor-editor1` = as_labelled_boxes(NULL, "boxes", NULL))
    expect_identical(saved(folder)$file, "a.png")
  })
})

test_that("two sessions write to one folder without losing each other's boxes", {
  folder <- folder_of_three()
  other <- data.frame(file = "b.png", x1 = 0, y1 = 0, x2 = 5, y2 = 5)
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    store_boxes(file.path(folder, "boxes.csv"), "b.png", as_box_table(other, "boxes", NULL)) # the other one
    draw_in(session, 1, 1, 2, 11, 12)
    expect_setequal(saved(folder)$file, c("a.png", "b.png"))
  })
})

test_that("a file that cannot be written is said, and nothing is lost", {
  folder <- folder_of_three()
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    dir.create(file.path(folder, "boxes.csv"))
    draw_in(session, 1, 1, 2, 11, 12)
    expect_match(output$saved, "Not saved")
    expect_no_match(output$saved, "\033")
    unlink(file.path(folder, "boxes.csv"), recursive = TRUE)
    draw_in(session, 1, 1, 2, 11, 13)
    expect_equal(saved(folder)$y2, 13)
  })
})

test_that("a broken image is said in its place, and one goes on", {
  folder <- folder_of_three()
  writeLines("no image", file.path(folder, "a.png"))
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    expect_match(output$problem, "a.png")
    expect_no_match(output$problem, "\033")
    press(session, "along", "next")
    expect_identical(output$problem, "")
    draw_in(session, 1, 0, 0, 5, 5)
    expect_identical(saved(folder)$file, "b.png")
  })
})

test_that("dropped files have a folder for each session, which the address leads back to", {
  withr::local_envvar(R_USER_DATA_DIR = withr::local_tempdir())
  skip_if_not_installed("png")
  file <- withr::local_tempfile()
  png::writePNG(array(0.5, c(20, 30, 3)), file)
  folder <- NULL
  dropping <- function(setup = list(given = no_boxes(), run = FALSE)) app_server(setup)
  shiny::testServer(dropping(), {
    session$flushReact()
    session$setInputs(dropped = data.frame(name = c("p<b>.png", "x.svg"), datapath = c(file, tempfile())))
    expect_match(output$title, "1 of 1: p_b_.png")
    expect_match(output$problem, "x.svg")
    draw_in(session, 1, 0, 0, 5, 5)
    folder <<- list.dirs(file.path(tools::R_user_dir("kerascrop", "data"), "dropped"), recursive = FALSE)
  })
  expect_length(folder, 1)
  expect_setequal(list.files(folder), c("boxes.csv", "p_b_.png"))
  shiny::testServer(dropping(), {
    session$flushReact()
    expect_match(output$title, "Drop images") # of the other session
  })
  back <- function(search) {
    session <- list(clientData = list(url_search = search), token = strrep("0", 32))
    shiny::withReactiveDomain(shiny::MockShinySession$new(), dropped_folder(session))
  }
  expect_identical(back(paste0("?work=", basename(folder))), folder)
})

test_that("old folders are removed, and no others", {
  root <- withr::local_tempdir()
  for (name in c("old", "used", "new")) dir.create(file.path(root, name))
  file.create(file.path(root, "used", "boxes.csv"))
  Sys.setFileTime(file.path(root, c("old", "used")), Sys.time() - 31 * 24 * 3600)
  remove_old(root)
  expect_setequal(list.files(root), c("used", "new"))
})

test_that("thumbnails are images, and of images alone", {
  folder <- folder_of_three()
  expect_identical(send_thumbnail(file.path(folder, "a.png"))$content_type, "image/png")
  writeLines("<svg onload='alert(1)'/>", file.path(folder, "a.png"))
  for (path in list(file.path(folder, "a.png"), file.path(folder, NA), NA_character_, folder)) {
    expect_identical(send_thumbnail(path)$status, 404L)
  }
  expect_identical(dim(shrunk(array(0, c(1, 400, 100, 3)))), c(160L, 40L, 3L))
})

test_that("boxes are the same or not", {
  one <- data.frame(x1 = 0, y1 = 0, x2 = 4, y2 = 5, label = NA)
  expect_true(same_boxes(one, replace(one, "label", "")))
  expect_true(same_boxes(one[0, ], one[0, ]))
  expect_false(same_boxes(one, one[0, ]))
  expect_false(same_boxes(one, replace(one, "x2", 4.5)))
  expect_false(same_boxes(one, replace(one, "label", "cat")))
})

test_that("what is exported is what was drawn", {
  skip_if_not_installed("jsonlite")
  folder <- folder_of_three()
  shiny::testServer(app_server(setup_of(folder)), {
    session$flushReact()
    draw_in(session, 1, 1, 2, 11, 12, label = "cat")
    expect_identical(utils::read.csv(output$export_csv), saved(folder))
    expect_equal(jsonlite::fromJSON(output$export_coco)$annotations$bbox[[1]], c(1, 2, 10, 10))
    expect_setequal(utils::untar(output$export_yolo, list = TRUE, tar = "internal"), c("a.txt", "classes.txt"))
    skip_if_not_installed("xml2")
    voc <- withr::local_tempdir()
    utils::untar(output$export_voc, exdir = voc, tar = "internal")
    expect_equal(read_boxes(voc), saved(folder))
  })
})
