truth <- rbind(c(0, 0, 20, 20), c(10, 10, 30, 30), NA, -1)
predicted <- rbind(c(2, 2, 22, 22), c(40, 40, 60, 60), c(0, 0, 9, 9), c(0, 0, 9, 9))

# Zheng et al. 2020, equation 7, for the pairs that are known.
expected <- local({
  distance <- c(2 * 2^2, 2 * 30^2)
  diagonal <- c(2 * 22^2, 2 * 50^2)
  1 - box_iou(truth[1:2, ], predicted[1:2, ]) + distance / diagonal
})

test_that("loss_box() computes its formula, and leaves out what is missing", {
  skip_without_python()
  expect_equal(from_numpy(loss_box(truth, predicted)), c(expected, 0, 0), tolerance = 1e-6)
  shuffled <- function(x) aperm(array(t(x), c(4, nrow(x), 1)), c(3, 2, 1)) # the boxes of one image
  paired <- from_numpy(loss_box(shuffled(truth[1:2, ]), shuffled(predicted[2:1, ]), match = TRUE))
  expect_equal(c(paired), expected, tolerance = 1e-6)
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
  expect_error(loss_box(match = NA), "match", class = "kerascrop_error_argument")
  expect_error(loss_box(foo = 3), "foo", class = "kerascrop_error_argument")
  expect_error(metric_box_iou(foo = 1), "foo", class = "kerascrop_error_argument")
  skip_without_python()
  expect_error(loss_box(truth), "y_pred", class = "kerascrop_error_box")
  expect_error(loss_box(1:4, predicted), "compares boxes", class = "kerascrop_error_box")
})

test_that("boxes of integers may be missing, too", {
  skip_without_python()
  expect_equal(from_numpy(loss_box(rbind(c(0L, 0L, 2L, 2L), NA), rbind(1:4, 1:4)))[2], 0)
  expect_equal(from_numpy(loss_box(matrix(NA, 1, 4), t(1:4))), 0)
})
