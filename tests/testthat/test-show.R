test_that("a layer prints, formats and sums up in words, and a forged one is an error", {
  skip_without_python()
  layer <- layer_center_crop(height = 4, width = 6, name = "mine")
  expect_output(print(layer), "<CenterCrop name=mine, height=4, width=6>", fixed = TRUE)
  expect_identical(format(layer), "<CenterCrop name=mine, height=4, width=6>")
  expect_output(settings <- summary(layer), "if_smaller")
  expect_identical(settings$height, 4L)
  expect_output(summary(layer_learnable_crop(height = 4, width = 6, localizer = "global")), "global")
  forged <- structure(list(), class = c("kerascrop.layers.layer.Layer", "python.builtin.object"))
  for (f in list(print, format, summary, plot)) expect_error(f(forged), class = "kerascrop_error_argument")
})

test_that("a layer without a name has one that tells it from Keras's", {
  skip_without_python()
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(9L, 9L, 1L)), keras$layers$RandomCrop(4L, 4L)))
  layer_random_crop(model, 3, 3)
  lines <- character()
  model$summary(print_fn = function(line, ...) lines <<- c(lines, line))
  expect_length(grep("kerascrop_random_crop", lines), 1)
  expect_match(layer_center_crop_1d(length = 4)$name, "^kerascrop_center_crop_1d")
})

# What is drawn: the images and boxes that reach plot_crops().
drawn <- function(code) {
  seen <- NULL
  local_mocked_plots <- function(images, boxes, ...) {
    seen <<- list(images = images, boxes = boxes)
    invisible(images)
  }
  withr::local_pdf(NULL)
  namespace <- asNamespace("kerascrop")
  before <- get("plot_crops", namespace)
  unlockBinding("plot_crops", namespace)
  assign("plot_crops", local_mocked_plots, namespace)
  withr::defer(assign("plot_crops", before, namespace))
  code
  seen
}

test_that("plot() of a layer draws what it cuts", {
  skip_without_python()
  x <- some_images(c(2, 9, 12, 3)) / 1000
  got <- drawn(plot(layer_center_crop(height = 3, width = 6), x))
  expect_equal(got$images, x, tolerance = 1e-6)
  expect_equal(got$boxes, list(rbind(c(3, 3, 9, 6), c(3, 3, 9, 6))))
  got <- drawn(plot(layer_multi_crop(height = 3, width = 6), x[1, , , ]))
  expect_equal(got$boxes, rbind(c(0, 0, 6, 3), c(6, 0, 12, 3), c(0, 6, 6, 9), c(6, 6, 12, 9), c(3, 3, 9, 6)))
  boxes <- rbind(c(1.5, 2, 5, 7), c(0, 0, 4, 4.25))
  expect_equal(drawn(plot(layer_box_crop(height = 3, width = 3), list(x, boxes)))$boxes, list(boxes))
  channels_first <- layer_center_crop(height = 3, width = 6, data_format = "channels_first")
  expect_equal(drawn(plot(channels_first, aperm(x, c(1, 4, 2, 3))))$images, x, tolerance = 1e-6)
  withr::local_pdf(NULL)
  expect_invisible(plot(layer_random_crop(height = 3, width = 6, seed = 1), x, training = TRUE, crops = TRUE))
  expect_invisible(plot(layer_center_crop(height = 3, width = 6), matrix(1:32 / 32, 4, 8)))
})

test_that("plot() of a layer in a model needs no image; elsewhere it says that it does", {
  skip_without_python()
  withr::local_pdf(NULL)
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(9L, 12L, 1L))))
  layer_center_crop(model, 3, 6)
  expect_invisible(plot(model$layers[[1]]))
  expect_error(plot(layer_center_crop(height = 3, width = 6)), "images", class = "kerascrop_error_argument")
  expect_error(plot(layer_uncrop(height = 3, width = 6), 1), class = "kerascrop_error_argument")
  expect_error(plot(layer_crop_pool(), 1), "crops images", class = "kerascrop_error_argument")
  expect_error(plot(layer_center_crop(height = 3, width = 6), "no.jpg"), class = "kerascrop_error_argument")
  expect_error(plot(layer_center_crop(height = 3, width = 6), matrix(1, 2, 2)), class = "kerascrop_error_size")
})

test_that("a monitor sums up how its boxes changed", {
  skip_without_python()
  monitor <- callback_crop_monitor(array(0, c(2, 8, 8, 1)), rbind(c(0, 0, 4, 4), c(2, 2, 6, 6)))
  expect_output(print(summary(monitor)), "not seen a training")
  expect_match(format(monitor), "not seen a training")
  monitor$seen <- array(0, c(2, 8, 8, 1))
  monitor$boxes <- list(rbind(c(0, 0, 4, 4), c(2, 2, 6, 6)), rbind(c(3, 4, 7, 8), c(2, 2, 6, 6)))
  record <- function(epoch, iou) list(epoch = epoch, spread = 0.1, width = 4, height = 4, iou = iou)
  monitor$history <- list(record(0L, 1), record(1L, 0.5))
  summed <- summary(monitor)
  expect_equal(summed$moved, 2.5) # one by (3, 4), one not at all
  expect_equal(summed$moved_in_all, 2.5)
  expect_output(print(summed), "IoU: 1.0 -> 0.5, best 1.00 after epoch 0", fixed = TRUE)
  expect_output(print(summed), "moved: 2.5 pixels", fixed = TRUE)
  forged <- structure(list(), class = "kerascrop.training.CropMonitor")
  for (f in list(print, format, summary, plot, as.data.frame)) {
    expect_error(f(forged), class = "kerascrop_error_argument")
  }
})

test_that("digits print, format and sum up, and what is none is an error", {
  skip_without_python()
  digits <- cluttered_digits(3, canvas = 30, digit = 12, seed = 1)
  expect_match(format(digits), "3 images")
  expect_output(summary(digits), "digit")
  forged <- structure(list(), class = "cluttered_digits")
  for (f in list(print, format, summary, plot)) expect_error(f(forged), class = "kerascrop_error_argument")
})
