# A monitor that has watched two epochs.
watched <- function(boxes = NULL, ...) {
  model <- two_outputs(...)
  images <- array(runif(6 * 32 * 40), c(6, 32, 40, 1))
  model$compile("adam", loss = list(some_labels(), NULL), run_eagerly = TRUE)
  monitor <- callback_crop_monitor(images, boxes)
  y <- list(as_numpy(c(0, 1, 2, 0, 1, 2), "int32"), as_numpy(matrix(0, 6, 4)))
  model$fit(as_numpy(images), y, epochs = 2L, verbose = 0L, callbacks = list(monitor))
  monitor
}

test_that("a monitor keeps the boxes of every epoch, and gives them as data frames", {
  skip_without_python()
  boxes <- box_window(3:14, 5:16)[rep(1, 6), ]
  boxes[2, ] <- NA
  monitor <- watched(boxes, size = "square")
  epochs <- as.data.frame(monitor)
  expect_named(epochs, c("epoch", "spread", "width", "height", "iou"))
  expect_identical(as.integer(epochs$epoch), 0:2)
  long <- as.data.frame(monitor, what = "boxes")
  expect_identical(dim(long), c(18L, 6L))
  expect_equal(tapply(long$x2 - long$x1, long$epoch, mean), epochs$width, ignore_attr = TRUE, tolerance = 1e-5)
  last <- as.matrix(long[long$epoch == 2 & long$image != 2, c("x1", "y1", "x2", "y2")])
  expect_equal(mean(box_iou(last, boxes[-2, ])), epochs$iou[3], tolerance = 1e-5)
  expect_equal(monitor$boxes[[3]][1, ], unlist(long[13, 3:6]), ignore_attr = TRUE)
})

test_that("a monitor prints a line, a table and its remarks", {
  skip_without_python()
  monitor <- callback_crop_monitor(array(0, c(2, 8, 8, 1)))
  expect_output(print(monitor), "has not seen a training yet")
  expect_identical(nrow(as.data.frame(monitor)), 0L)
  expect_identical(nrow(as.data.frame(monitor, what = "boxes")), 0L)
  monitor <- watched()
  expect_output(print(monitor), "of 6 images, 2 epochs:\n *epoch +spread +width +height\n *0 .*\n *1 .*\n *2 ")
  monitor$remarks <- list("Look here.")
  expect_output(print(monitor), "! Look here.")
  # The epochs of the table are those of the film.
  monitor$history <- lapply(0:12, function(epoch) list(epoch = epoch, spread = 0.1, width = 4, height = 4))
  printed <- utils::capture.output(print(monitor))
  rows <- regmatches(printed, regexpr("^ +[0-9]+ ", printed))
  expect_identical(as.numeric(rows), c(0, 2, 4, 6, 8, 10, 12))
  method <- function(generic) getS3method(generic, "kerascrop.training.CropMonitor", envir = asNamespace("kerascrop"))
  expect_identical(formals(method("print"))$steps, formals(method("plot"))$steps)
})

test_that("plot() draws the boxes of the chosen epochs where they are", {
  skip_without_python()
  skip_if_not_installed("png")
  monitor <- watched(box_window(3:14, 5:16)[rep(1, 6), ])
  file <- withr::local_tempfile(fileext = ".png")
  draw <- function(...) {
    withr::with_png(file, plot(monitor, ..., col = c("#00FF00", "#FF0000"), lwd = 3), width = 600, height = 500)
    png::readPNG(file)
  }
  is_red <- function(page) page[, , 1] > 0.9 & page[, , 2] < 0.1 & page[, , 3] < 0.1
  # Three epochs, two images: red frames in six places, above the curves.
  strips <- is_red(draw(max = 2))[1:280, ]
  columns <- rle(colSums(strips) > 0)
  rows <- rle(rowSums(strips) > 0)
  expect_identical(sum(columns$values), 3L)
  expect_identical(sum(rows$values), 2L)
  expect_identical(sum(rle(colSums(is_red(draw(max = 1, steps = 2))[1:240, ]) > 0)$values), 2L)
  before <- graphics::par("mfrow", "mar")
  expect_identical(withVisible(plot(monitor))$visible, FALSE)
  expect_identical(graphics::par("mfrow", "mar"), before)
})

test_that("the curves of many images stay readable, with whole epochs", {
  skip_without_python()
  skip_if_not_installed("png")
  frame <- as.data.frame(box_window(3:14, 5:16)[rep(1, 6), ])
  monitor <- watched(frame)
  expect_identical(monitor$truth, watched(as.matrix(frame))$truth)
  file <- withr::local_tempfile(fileext = ".png")
  # Six rows of noise, whose last ends where a quarter of the page is left for the curves.
  withr::with_png(file, plot(monitor, max = 6), width = 400, height = 1200)
  darkness <- stats::filter(rowMeans(png::readPNG(file)[, , 1]), rep(1 / 9, 9)) # lines are thinner
  expect_lt(max(which(darkness < 0.8)), 0.77 * 1200)
  expect_identical(whole_marks(0:3), c(0, 1, 2, 3)) # pretty() has halves
})

test_that("autoplot() draws the curves, or the boxes of the chosen epochs", {
  skip_without_python()
  skip_if_not_installed("ggplot2")
  boxes <- box_window(3:14, 5:16)[rep(1, 6), ]
  boxes[2, ] <- NA
  monitor <- watched(boxes, size = "square")
  epochs <- as.data.frame(monitor)
  points <- ggplot2::layer_data(ggplot2::autoplot(monitor), 2)
  expect_equal(points$y, c(epochs$spread, epochs$width, epochs$iou), tolerance = 1e-5)
  expect_equal(points$x, rep(0:2, 3), ignore_attr = TRUE)
  expect_identical(as.integer(points$PANEL), rep(1:3, each = 3))
  film <- ggplot2::autoplot(monitor, "boxes", max = 2, steps = 2)
  expect_identical(nrow(ggplot2::layer_data(film, 1)), 32L * 40L * 2L * 2L) # each image in each column
  sides <- c("xmin", "ymin", "xmax", "ymax")
  true <- ggplot2::layer_data(film, 2)
  expect_equal(unique(abs(true[!is.na(true$xmin), sides])), data.frame(rbind(boxes[1, ])), ignore_attr = TRUE)
  predicted <- ggplot2::layer_data(film, 3)
  wanted <- subset(as.data.frame(monitor, what = "boxes"), epoch %in% c(0, 2) & image <= 2)
  wanted <- wanted[order(wanted$image, wanted$epoch), 3:6] # panels are counted row by row
  expect_equal(abs(predicted[order(predicted$PANEL), sides]), wanted, ignore_attr = TRUE, tolerance = 1e-5)
})

test_that("crops that collapse are a warning of R, once, with a class", {
  skip_without_python()
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(16L, 16L, 1L))))
  layer_learnable_crop(model, 8, 8)
  model$add(keras$layers$Flatten())
  model$add(keras$layers$Dense(1L))
  model$compile("sgd", "mse", run_eagerly = TRUE)
  images <- array(0, c(4, 16, 16, 1)) # all alike, as are their crops
  monitor <- callback_crop_monitor(images)
  told <- list()
  withCallingHandlers(
    model$fit(as_numpy(images), as_numpy(c(0, 1, 0, 1)), epochs = 2L, verbose = 0L, callbacks = list(monitor)),
    kerascrop_warning_crops = function(condition) {
      told <<- c(told, list(condition))
      rlang::cnd_muffle(condition)
    }
  )
  expect_length(told, 1)
  expect_s3_class(told[[1]], "kerascrop_warning")
  expect_match(conditionMessage(told[[1]]), "All crops are at the same place.*After epoch 1")
  expect_match(monitor$remarks, "All crops are at the same place")
})

test_that("animate_crops() writes a frame for each epoch", {
  skip_without_python()
  skip_if_not_installed("magick")
  monitor <- watched()
  file <- withr::local_tempfile(fileext = ".gif")
  expect_identical(animate_crops(monitor, file, width = 200), file)
  frames <- magick::image_info(magick::image_read(file))
  expect_identical(frames$format, rep("GIF", 3))
  expect_identical(frames$width, rep(200L, 3))
})

test_that("without magick animate_crops() says so", {
  skip_without_python()
  monitor <- watched()
  withr::local_options("rlang:::is_installed_hook" = function(...) FALSE)
  expect_error(animate_crops(monitor, "x.gif"), "magick", class = "rlib_error_package_not_found")
})

test_that("wrong arguments are errors", {
  expect_error(callback_crop_monitor(), "images", class = "kerascrop_error_shape")
  expect_error(callback_crop_monitor(array(0, c(2, 8, 8, 1)), layer = 3), "layer", class = "kerascrop_error_argument")
  for (none in list(list(), array(0, c(0, 8, 8, 1)), list(array(0, c(0, 8, 8, 1))))) {
    expect_error(callback_crop_monitor(none), "an image or more", class = "kerascrop_error_shape")
  }
  expect_error(animate_crops(1, "x.gif"), "monitor", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(callback_crop_monitor("a"), "images", class = "kerascrop_error_argument")
  expect_error(
    callback_crop_monitor(array(0, c(2, 8, 8, 1)), rbind(1:4)), "one for each image", class = "kerascrop_error_box"
  )
  monitor <- callback_crop_monitor(array(0, c(2, 8, 8, 1)))
  expect_error(plot(monitor), "nothing to draw", class = "kerascrop_error_argument")
  expect_error(as.data.frame(monitor, what = "all"), "what", class = "kerascrop_error_argument")
  monitor <- watched()
  expect_error(plot(monitor, max = 0), "max", class = "kerascrop_error_size")
  expect_error(plot(monitor, col = "nocol"), "col", class = "kerascrop_error_argument")
  expect_error(animate_crops(monitor), "path", class = "kerascrop_error_argument")
  expect_error(animate_crops(monitor, "/no/such/folder/x.gif"), "path", class = "kerascrop_error_argument")
  expect_error(animate_crops(monitor, tempfile(), fps = 0), "fps", class = "kerascrop_error_argument")
  expect_error(animate_crops(monitor, tempfile(), lwd = -1), "lwd", class = "kerascrop_error_argument")
  expect_error(animate_crops(monitor, tempdir()), "folder", class = "kerascrop_error_argument")
  folder <- withr::local_tempdir()
  Sys.chmod(folder, "555")
  if (file.access(folder, 2) != 0) { # it is 0 for root
    expect_error(animate_crops(monitor, file.path(folder, "x.gif")), "written", class = "kerascrop_error_argument")
  }
  skip_if_not_installed("magick")
  for (width in c(10, 1e6)) {
    expect_error(
      suppressWarnings(animate_crops(monitor, tempfile(), width = width)), "width", class = "kerascrop_error_argument"
    )
  }
})

test_that("true boxes may be missing, of any type", {
  skip_without_python()
  images <- array(0, c(2, 8, 8, 1))
  for (boxes in list(matrix(NA, 2, 4), rbind(1:4, NA))) {
    expect_identical(from_numpy(callback_crop_monitor(images, boxes)$truth)[2, ], rep(NaN, 4))
  }
})

test_that("the boxes of several crops are rows of their own, in pictures too", {
  skip_without_python()
  keras <- keras_module()
  images <- keras$Input(list(32L, 40L, 1L))
  found <- layer_learnable_crop(images, 8, 8, crops = 3, return_boxes = TRUE)
  model <- keras$Model(images, list(found[[1]], found[[2]]))
  model$compile("adam", loss = list(NULL, loss_box(match = TRUE)), run_eagerly = TRUE)
  truth <- aperm(array(c(2, 3, 10, 11, 20, 20, 28, 28, NA, NA, NA, NA), c(4, 3, 5)), c(3, 2, 1))
  x <- array(runif(5 * 32 * 40), c(5, 32, 40, 1))
  monitor <- callback_crop_monitor(x[1:2, , , , drop = FALSE], truth[1:2, , ])
  y <- list(as_numpy(array(0, c(5, 3, 8, 8, 1))), as_numpy(truth))
  suppressWarnings(
    model$fit(as_numpy(x), y, epochs = 1L, verbose = 0L, callbacks = list(monitor)),
    classes = "kerascrop_warning_crops" # boxes at the edges of small images
  )
  long <- as.data.frame(monitor, what = "boxes")
  expect_identical(dim(long), c(12L, 7L))
  expect_equal(unlist(long[long$epoch == 1 & long$image == 2 & long$crop == 3, 4:7]), monitor$boxes[[2]][2, 3, ],
    ignore_attr = TRUE)
  expect_true(all(is.finite(summary(monitor)$epochs$iou)))
  expect_output(print(summary(monitor)), "2 images with true boxes, 1 epoch\n.*moved")
  file <- withr::local_tempfile(fileext = ".png")
  withr::with_png(file, plot(monitor, col = c("#00FF00", "#FF0000"), lwd = 3), width = 600, height = 500)
  page <- png::readPNG(file)
  reds <- page[, , 1] > 0.9 & page[, , 2] < 0.1 & page[, , 3] < 0.1
  expect_gt(sum(reds), 12 * 50) # twelve boxes of a hundred pixels around or so
  skip_if_not_installed("ggplot2")
  film <- ggplot2::autoplot(monitor, "boxes")
  expect_identical(nrow(ggplot2::layer_data(film, 3)), 12L)
})
