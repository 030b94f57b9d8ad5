truth <- rbind(c(0, 0, 20, 20), c(10, 10, 30, 30), NA, -1)
predicted <- rbind(c(2, 2, 22, 22), c(40, 40, 60, 60), c(0, 0, 9, 9), c(0, 0, 9, 9))

# Zheng et al. 2020, equation 7, for the pairs that are known.
expected <- local({
  distance <- c(2 * 2^2, 2 * 30^2)
  diagonal <- c(2 * 22^2, 2 * 50^2)
  1 - box_iou(truth[1:2, ], predicted[1:2, ]) + distance / diagonal
})

# A model with two outputs, classes and boxes.
two_outputs <- function(...) {
  keras <- keras_module()
  keras$utils$set_random_seed(1L)
  images <- keras$Input(list(32L, 40L, 1L))
  crop <- layer_learnable_crop(images, 12, 12, localizer = "global", return_boxes = TRUE, name = "crop", ...)
  classes <- keras$layers$Dense(3L, name = "label")(keras$layers$Flatten()(crop[[1]]))
  keras$Model(images, list(classes, crop[[2]]))
}

some_labels <- function() keras_module()$losses$SparseCategoricalCrossentropy(from_logits = TRUE)

# A monitor that has watched two epochs.
watched <- function(boxes = NULL, ...) {
  model <- two_outputs(...)
  images <- array(runif(6 * 32 * 40), c(6, 32, 40, 1))
  model$compile("adam", loss = list(some_labels(), NULL), jit_compile = FALSE)
  monitor <- callback_crop_monitor(images, boxes)
  y <- list(as_numpy(c(0, 1, 2, 0, 1, 2), "int32"), as_numpy(matrix(0, 6, 4)))
  model$fit(as_numpy(images), y, epochs = 2L, verbose = 0L, callbacks = list(monitor))
  monitor
}

test_that("loss_box() computes its formula, and leaves out what is missing", {
  skip_without_python()
  expect_equal(from_numpy(loss_box(truth, predicted)), c(expected, 0, 0), tolerance = 1e-6)
  loss <- loss_box(name = "boxes")
  expect_identical(loss$name, "boxes")
  expect_equal(as.double(from_numpy(loss(as_numpy(truth), as_numpy(predicted)))), mean(expected), tolerance = 1e-6)
  loss <- loss_box(reduction = "sum")
  expect_equal(as.double(from_numpy(loss(as_numpy(truth), as_numpy(predicted)))), sum(expected), tolerance = 1e-6)
  loss <- loss_box(reduction = NULL)
  expect_equal(from_numpy(loss(as_numpy(truth), as_numpy(predicted))), c(expected, 0, 0), tolerance = 1e-6)
})

test_that("metric_box_iou() agrees with box_iou()", {
  skip_without_python()
  metric <- metric_box_iou()
  metric$update_state(as_numpy(truth), as_numpy(predicted))
  mean_iou <- mean(box_iou(truth[1:2, ], predicted[1:2, ]))
  expect_equal(as.double(from_numpy(metric$result())), mean_iou, tolerance = 1e-6)
})

test_that("a model with two outputs trains on classes and boxes, and is the same when it is loaded", {
  skip_without_python()
  model <- two_outputs()
  model$compile(
    keras_module()$optimizers$Adam(0.3), loss = list(some_labels(), loss_box()),
    metrics = list(list("accuracy"), list(metric_box_iou())), loss_weights = list(0.01, 1), jit_compile = FALSE
  )
  images <- as_numpy(array(runif(8 * 32 * 40), c(8, 32, 40, 1)))
  boxes <- matrix(c(1, 2, 13, 14), 8, 4, byrow = TRUE)
  boxes[c(1, 3), ] <- NA
  y <- list(as_numpy(rep(0:1, 4), "int32"), as_numpy(boxes))
  model$fit(images, y, epochs = 40L, verbose = 0L)
  scores <- model$evaluate(images, y, verbose = 0L, return_dict = TRUE)
  found <- from_numpy(model(images)[[2]])
  expect_equal(scores$crop_box_iou, mean(box_iou(found, boxes[2, ])), tolerance = 1e-4)
  expect_gt(scores$crop_box_iou, 0.5)
  file <- withr::local_tempfile(fileext = ".keras")
  model$save(file)
  again <- keras_module()$saving$load_model(file)
  expect_equal(again$evaluate(images, y, verbose = 0L, return_dict = TRUE), scores, tolerance = 1e-5)
})

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

test_that("keras3's compile() and fit() take them", {
  skip_without_python()
  skip_if_not_installed("keras3")
  images <- keras3::layer_input(c(32, 40, 1))
  crop <- layer_learnable_crop(images, 12, 12, localizer = "global", return_boxes = TRUE, name = "crop")
  classes <- crop[[1]] |> keras3::layer_flatten() |> keras3::layer_dense(3, name = "label")
  model <- keras3::keras_model(images, list(classes, crop[[2]]))
  x <- array(runif(6 * 32 * 40), c(6, 32, 40, 1))
  boxes <- box_window(3:14, 5:16)[rep(1, 6), ]
  boxes[1, ] <- NA
  monitor <- callback_crop_monitor(x, boxes)
  compile <- getExportedValue("keras3", "compile")
  compile(
    model, "adam",
    loss = list(keras3::loss_sparse_categorical_crossentropy(from_logits = TRUE), loss_box()),
    metrics = list(list("accuracy"), list(metric_box_iou()))
  )
  fit <- getExportedValue("keras3", "fit")
  history <- fit(model, x, list(rep(0:2, 2), boxes), epochs = 2, verbose = 0, callbacks = list(monitor))
  expect_true(all(c("crop_loss", "crop_box_iou") %in% names(history$metrics)))
  expect_identical(nrow(as.data.frame(monitor)), 3L)
  file <- withr::local_tempfile(fileext = ".keras")
  keras3::save_model(model, file)
  again <- keras3::load_model(file)
  y <- list(rep(0:2, 2), boxes)
  evaluate <- getExportedValue("keras3", "evaluate")
  expect_equal(evaluate(again, x, y, verbose = 0), evaluate(model, x, y, verbose = 0), tolerance = 1e-5)
})

test_that("wrong arguments are errors", {
  expect_error(loss_box(reduction = "all"), "reduction", class = "kerascrop_error_argument")
  expect_error(loss_box(name = 3), "name", class = "kerascrop_error_argument")
  expect_error(metric_box_iou("iou"), class = "kerascrop_error_argument")
  expect_error(callback_crop_monitor(), "images", class = "kerascrop_error_shape")
  expect_error(callback_crop_monitor(array(0, c(2, 8, 8, 1)), layer = 3), "layer", class = "kerascrop_error_argument")
  expect_error(animate_crops(1, "x.gif"), "monitor", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(callback_crop_monitor("a"), "images", class = "kerascrop_error_argument")
  expect_error(loss_box(truth), "y_pred", class = "kerascrop_error_box")
  expect_error(loss_box(1:4, predicted), "compares boxes", class = "kerascrop_error_box")
  expect_error(
    callback_crop_monitor(array(0, c(2, 8, 8, 1)), truth), "one for each image", class = "kerascrop_error_box"
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
})
