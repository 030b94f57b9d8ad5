# kerascrop, from end to end: crop a photograph in every way, then train a network that learns where to crop.
#
#   make demo                                       from a checkout: sets up what is needed, then runs this
#   source(system.file("examples/demo.R", package = "kerascrop"))   from R, with a Keras that works
#
# Pictures and figures go to the folder demo-output/, or to the one that KERASCROP_DEMO_OUTPUT names.

library(kerascrop)

output <- Sys.getenv("KERASCROP_DEMO_OUTPUT", "demo-output")
dir.create(output, showWarnings = FALSE, recursive = TRUE)
if (!dir.exists(output) || file.access(output, 2) != 0) {
  stop("The folder ", output, " cannot be written to. Set KERASCROP_DEMO_OUTPUT to one that can.", call. = FALSE)
}
picture <- function(name, width, height, code) {
  png(file.path(output, name), width, height, res = 110)
  on.exit(dev.off())
  force(code)
}
say <- function(...) cat(sprintf(...), "\n", sep = "")

# ---- 1. A photograph ---------------------------------------------------------------------------------------

photo <- jpeg::readJPEG(system.file("extdata", "chelsea.jpg", package = "kerascrop"))
eye <- c(145.5, 78.2, 211.3, 144) # x1, y1, x2, y2
ear <- c(331, -40, 481, 110) # partly outside
set.seed(1)
crops <- list(
  "crop_center(photo, 200, 200)" = crop_center(photo, 200, 200),
  "crop_border(photo, c(40, 90))" = crop_border(photo, c(40, 90)),
  "crop_border(photo, -40, fill_value = 0.6)" = crop_border(photo, -40, fill_value = 0.6),
  "crop_random(photo, 160, 160)" = crop_random(photo, 160, 160),
  "crop_boxes(photo, eye, 200, 200)" = crop_boxes(photo, eye, 200, 200),
  'crop_boxes(photo, ear, fill_mode = "reflect")' = crop_boxes(photo, ear, fill_mode = "reflect")
)
boxes <- do.call(rbind, lapply(crops, attr, "boxes"))
images <- aperm(array(photo, c(dim(photo), length(crops))), c(4, 1, 2, 3))
picture("photo.png", 1400, 900, plot_crops(images, boxes, crops, names(crops), ncol = 2))
say("1. Cropped a photograph of %d x %d pixels in %d ways: photo.png", nrow(photo), ncol(photo), length(crops))

# ---- 2. Digits on cluttered canvases: learn where to look ----------------------------------------------------

train <- cluttered_digits(6000, seed = 1)
test <- cluttered_digits(2000, split = "test", seed = 2)
keras <- reticulate::import("keras")
keras$utils$set_random_seed(1L)
epochs <- 8L

# The same classifier, on whatever comes before it.
classifier <- function(model) {
  layers <- keras$layers
  for (layer in list(
    layers$Conv2D(32L, 3L, padding = "same", activation = "relu"), layers$MaxPooling2D(),
    layers$Conv2D(64L, 3L, padding = "same", activation = "relu"), layers$MaxPooling2D(),
    layers$Flatten(), layers$Dense(128L, activation = "relu"), layers$Dropout(0.3), layers$Dense(10L)
  )) {
    model$add(layer)
  }
  model
}

train_model <- function(model, train_x, test_x) {
  steps <- ceiling(nrow(train$boxes) / 64) * epochs
  model$compile(
    keras$optimizers$Adam(keras$optimizers$schedules$CosineDecay(2e-3, as.integer(steps))),
    keras$losses$SparseCategoricalCrossentropy(from_logits = TRUE),
    metrics = list("accuracy"), jit_compile = FALSE # XLA takes longer to compile than this takes to train
  )
  history <- model$fit(
    as_numpy(train_x), as_numpy(train$y, NULL), validation_data = list(as_numpy(test_x), as_numpy(test$y, NULL)),
    batch_size = 64L, epochs = epochs, verbose = if (isatty(stdout())) 1L else 2L # a bar, or a line an epoch
  )
  lapply(history$history, unlist)
}

say("\n2. Training a classifier whose first layer learns where to crop, from the digits' labels alone")
input <- function(x) keras$Sequential(list(keras$Input(dim(x)[-1])))
model <- input(train$x) |> layer_learnable_crop(24, 24, size = "square", name = "crop") |> classifier()
started <- Sys.time()
history <- train_model(model, train$x, test$x)
seconds <- as.numeric(Sys.time() - started, units = "secs")

say("\n   The same classifier on the true boxes, which the learned crop was never shown")
cut <- function(digits) crop_boxes(digits$x, digits$boxes, 24, 24)
truth <- train_model(classifier(input(cut(train))), cut(train), cut(test))

crop <- model$get_layer("crop")
predicted <- from_numpy(crop$locate(as_numpy(test$x)))
iou <- box_iou(predicted, test$boxes)
metrics <- list(
  test_error = 1 - tail(history$val_accuracy, 1), mean_iou = mean(iou),
  true_boxes_test_error = 1 - tail(truth$val_accuracy, 1), epochs = epochs, seconds = round(seconds, 1)
)
say(
  "\n   learned crop: test error %.1f %%, mean IoU with the true boxes %.2f (%.0f s)",
  100 * metrics$test_error, metrics$mean_iou, seconds
)
say("   true boxes: test error %.1f %%", 100 * metrics$true_boxes_test_error)

# ---- 3. What it looks at --------------------------------------------------------------------------------------

some <- 1:12
picture("digits.png", 1200, 850, plot_crops(
  test$x[some, , , , drop = FALSE],
  list("true box" = test$boxes[some, ], "learned box" = predicted[some, ]),
  crops = crop_boxes(test$x[some, , , , drop = FALSE], predicted[some, ], 24, 24, antialias = TRUE),
  titles = test$y[some]
))
picture("training.png", 800, 500, {
  par(mar = c(4, 4, 1, 1))
  curves <- 100 * (1 - cbind(truth$val_accuracy, history$accuracy, history$val_accuracy))
  matplot(curves, type = "b", pch = 16, lty = 1, lwd = 2, col = c("grey60", "#9AD9C6", "#009E73"),
    xlab = "epoch", ylab = "error, %", ylim = c(0, 100), bty = "n", las = 1)
  legend("topright", c("true boxes, test", "learned crop, training", "learned crop, test"),
    col = c("grey60", "#9AD9C6", "#009E73"), lwd = 2, pch = 16, bty = "n")
})
say("\n3. Drew test images with their boxes, and the course of training: digits.png, training.png")

# ---- 4. Save, load in a new process, predict the same -----------------------------------------------------------

file <- file.path(output, "model.keras")
model$save(file)
predictions <- from_numpy(model(as_numpy(test$x[1:200, , , , drop = FALSE])))
code <- '
  library(kerascrop)
  arguments <- commandArgs(TRUE)
  model <- reticulate::import("keras")$saving$load_model(arguments[1], safe_mode = TRUE)
  x <- cluttered_digits(2000, split = "test", seed = 2)$x[1:200, , , , drop = FALSE]
  saveRDS(from_numpy(model(as_numpy(x))), arguments[2])
'
script <- tempfile(fileext = ".R")
again <- tempfile(fileext = ".rds")
writeLines(code, script)
status <- system2(file.path(R.home("bin"), "Rscript"), shQuote(c(script, file, again)))
stopifnot("the new process failed" = status == 0)
metrics$largest_difference_after_loading <- max(abs(readRDS(again) - predictions))
stopifnot("predictions differ after loading" = metrics$largest_difference_after_loading < 1e-4)
say(
  "\n4. Saved the model and loaded it in a new process, in safe mode: predictions differ by at most %.1g",
  metrics$largest_difference_after_loading
)

jsonlite::write_json(metrics, file.path(output, "metrics.json"), auto_unbox = TRUE, digits = NA, pretty = TRUE)
say("\nAll in %s/: %s", output, paste(list.files(output), collapse = ", "))
