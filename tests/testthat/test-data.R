# Batches of numbered images: `n` of them, then NULL.
some_batches <- function(n, images = some_images(c(3, 9, 12, 1))) {
  i <- 0
  function() {
    i <<- i + 1
    if (i <= n) list(images + 1000 * i, c(i, 0, 1))
  }
}

small_model <- function() {
  keras <- keras_module()
  model <- keras$Sequential(list(keras$layers$GlobalAveragePooling2D(), keras$layers$Dense(1L)))
  model$compile("sgd", "mse")
  model
}

test_that("crop_generator() takes an R function to its end", {
  skip_without_python()
  images <- some_images(c(3, 9, 12, 1))
  cropped <- crop_generator(some_batches(2, images), 5, 6, "center")
  for (i in 1:2) {
    batch <- reticulate::iter_next(cropped)
    expect_equal(batch[[1]], images[, 3:7, 4:9, , drop = FALSE] + 1000 * i)
    expect_equal(as.vector(batch[[2]]), c(i, 0, 1))
  }
  expect_null(reticulate::iter_next(cropped))
})

test_that("random places are windows, one for each image, and seeds replay, R's own too", {
  skip_without_python()
  images <- some_images(c(3, 9, 12, 1))
  run <- function(seed = NULL) {
    cropped <- crop_generator(some_batches(4, images - 1000), 5, 6, seed = seed)
    lapply(1:4, function(i) reticulate::iter_next(cropped)[[1]] - 1000 * (i - 1))
  }
  crops <- run(1)
  corners <- sapply(crops, function(crop) {
    sapply(1:3, function(i) {
      corner <- which(images[i, , , 1] == crop[i, 1, 1, 1], arr.ind = TRUE)
      expect_equal(crop[i, , , 1], images[i, corner[1] + 0:4, corner[2] + 0:5, 1])
      sum(corner * c(100, 1))
    })
  })
  expect_gt(length(unique(as.vector(corners))), 6)
  expect_identical(run(1), crops)
  set.seed(2)
  a <- run()
  set.seed(2)
  expect_identical(run(), a)
})

test_that("integers, factors, weights and named lists become what Keras wants", {
  skip_without_python()
  x <- array(1:150, c(2, 5, 5, 3))
  cropped <- crop_generator(function() list(x, factor(c("b", "a")), c(1, 2)), 3, 3, "center")
  np <- reticulate::import("numpy", convert = FALSE)
  batch <- reticulate::import("builtins", convert = FALSE)$`next`(cropped)
  types <- vapply(0:2, function(i) as.character(batch[[i]]$dtype$name), "")
  expect_identical(types, c("int32", "int32", "float32"))
  expect_identical(from_numpy(batch[[0]]), x[, 2:4, 2:4, ])
  expect_identical(from_numpy(batch[[1]]), c(1L, 0L))
  alone <- reticulate::iter_next(crop_generator(function() x, 3, 3, "center"))
  expect_equal(alone, x[, 2:4, 2:4, ])
})

test_that("errors in a generator name the batch", {
  skip_without_python()
  i <- 0
  failing <- function() {
    i <<- i + 1
    if (i == 3) stop("the disk is gone")
    array(0, c(2, 5, 5, 1))
  }
  cropped <- crop_generator(failing, 3, 3)
  for (i_batch in 1:2) expect_identical(dim(reticulate::iter_next(cropped)), c(2L, 3L, 3L, 1L))
  expect_error(reticulate::iter_next(cropped), "Batch 3: the disk is gone")
  expect_error(reticulate::iter_next(crop_generator(function() array(0, c(2, 5, 5, 1)), 6, 3)), "Batch 1: .*height 6")
  expect_error(reticulate::iter_next(crop_generator(function() list(NA), 6, 3)), "Batch 1: ")
  expect_error(reticulate::iter_next(crop_generator(function() matrix(0, 5, 5), 6, 3)), "Batch 1: .*4 axes")
})

test_that("fit() takes cropped batches of an R function", {
  skip_without_python()
  model <- small_model()
  calls <- 0
  endless <- function() {
    calls <<- calls + 1
    list(array(runif(4 * 9 * 12 * 3), c(4, 9, 12, 3)), matrix(1, 4, 1))
  }
  # Many steps: threads that wait for each other would show.
  model$fit(crop_generator(endless, 5, 6), steps_per_epoch = 60L, epochs = 2L, shuffle = FALSE, verbose = 0L)
  expect_equal(as.numeric(model$optimizer$iterations$numpy()), 120)
  expect_gte(calls, 120)
  predictions <- model$predict(crop_generator(some_batches(3, some_images()), 5, 6, "center"), steps = 3L, verbose = 0L)
  expect_identical(dim(predictions), c(9L, 1L))
})

test_that("keras3's fit() takes them too", {
  skip_without_python()
  skip_if_not_installed("keras3")
  model <- small_model()
  batches <- crop_generator(function() list(some_images(), matrix(1, 3, 1)), 5, 6)
  keras3::fit(model, batches, steps_per_epoch = 20, epochs = 1, verbose = 0)
  expect_equal(as.numeric(model$optimizer$iterations$numpy()), 20)
})

test_that("Python generators and PyDatasets pass through", {
  skip_without_python()
  images <- some_images()
  source <- reticulate::py_run_string("
import keras
class Batches(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x
    def __len__(self):
        return 3
    def __getitem__(self, i):
        return self.x, i
", local = TRUE)
  batches <- source$Batches(as_numpy(images))
  cropped <- crop_generator(batches, 5, 6, "center")
  expect_s3_class(cropped, "keras.src.trainers.data_adapters.py_dataset_adapter.PyDataset")
  expect_equal(cropped$num_batches, 3)
  expect_equal(cropped$`__getitem__`(1L)[[1]], images[, 3:7, 4:9, ])
  iterator <- reticulate::import_builtins()$iter(list(as_numpy(images)))
  expect_equal(reticulate::iter_next(crop_generator(iterator, 5, 6, "center")), images[, 3:7, 4:9, ])
})

test_that("crop_dataset() crops a tf.data dataset and keeps its types", {
  skip_without_python()
  skip_if_not(reticulate::py_module_available("tensorflow"), "tensorflow")
  tf <- reticulate::import("tensorflow")
  images <- array(rep_len(0:250, 4 * 9 * 12 * 3), c(4, 9, 12, 3))
  dataset <- tf$data$Dataset$from_tensor_slices(reticulate::tuple(as_numpy(images, "uint8"), as_numpy(1:4, NULL)))
  cropped <- crop_dataset(dataset$batch(4L), 5, 6, "center")
  batch <- reticulate::iter_next(reticulate::as_iterator(cropped))
  expect_identical(batch[[1]]$dtype$name, "uint8")
  expect_equal(from_numpy(batch[[1]]), images[, 3:7, 4:9, ])
  expect_identical(from_numpy(batch[[2]]), 1:4)
  expect_error(crop_dataset(dataset, 10, 6), "height 10", class = "kerascrop_error_size")
  expect_error(crop_dataset(keras_module(), 5, 6), "dataset", class = "kerascrop_error_argument")
})

# Bright blobs of 6 x 8 pixels, with their boxes and masks, all numbered.
some_scenes <- function(n = 8) {
  x <- array(0, c(n, 32, 40, 1))
  boxes <- array(0, c(n, 1, 4))
  for (i in seq_len(n)) {
    window <- box_window(sample(26, 1) + 0:5, sample(33, 1) + 0:7)
    x[i, box_rows(window), box_cols(window), 1] <- i
    boxes[i, 1, ] <- window
  }
  labels <- matrix(seq_len(n))
  masks <- array(as.integer(x), dim(x)[1:3])
  list(images = x, segmentation_masks = masks, bounding_boxes = list(boxes = boxes, labels = labels))
}

# Each crop shows all of its blob, where its mask and its box say, and the blob has its number.
expect_blobs <- function(crops) {
  expect_identical(dim(crops$images), c(8L, 16L, 16L, 1L))
  expect_equal(crops$images[, , , 1], crops$segmentation_masks)
  for (i in 1:8) {
    box <- crops$bounding_boxes$boxes[i, 1, ]
    expected <- matrix(0, 16, 16)
    expected[box_rows(box), box_cols(box)] <- i
    expect_equal(crops$segmentation_masks[i, , ], expected)
    expect_equal(sum(expected > 0), 48)
  }
  expect_equal(crops$bounding_boxes$labels, matrix(1:8))
}

test_that("crop_generator() finds the boxes in named lists, and passes arguments of the random crop on", {
  skip_without_python()
  withr::local_seed(1)
  scenes <- some_scenes()
  cropped <- crop_generator(function() list(scenes, 1:8), 16, 16, seed = 1, focus = "boxes", min_visible = 1)
  places <- lapply(1:3, function(i) {
    batch <- reticulate::iter_next(cropped)
    expect_blobs(batch[[1]])
    expect_equal(as.vector(batch[[2]]), 1:8)
    batch[[1]]$bounding_boxes$boxes
  })
  expect_false(identical(places[[1]], places[[2]]))
  scenes$bounding_boxes$boxes <- sweep(scenes$bounding_boxes$boxes, 3, c(40, 32, 40, 32), "/")
  relative <- crop_generator(function() scenes, 16, 16, focus = "boxes", min_visible = 1, box_format = "rel_xyxy")
  crops <- reticulate::iter_next(relative)
  crops$bounding_boxes$boxes <- round(16 * crops$bounding_boxes$boxes, 4)
  expect_blobs(crops)
})

test_that("crop_dataset() takes images, masks and boxes, with a focus", {
  skip_without_python()
  skip_if_not(reticulate::py_module_available("tensorflow"), "tensorflow")
  withr::local_seed(2)
  tf <- reticulate::import("tensorflow")
  scenes <- some_scenes()
  tensors <- list(
    images = as_numpy(scenes$images), segmentation_masks = as_numpy(scenes$segmentation_masks, "int32"),
    bounding_boxes = list(boxes = as_numpy(scenes$bounding_boxes$boxes), labels = as_numpy(matrix(1:8), "int32"))
  )
  dataset <- tf$data$Dataset$from_tensor_slices(tensors)$batch(8L)
  cropped <- crop_dataset(dataset, 16, 16, seed = 1, focus = "boxes", min_visible = 1)
  expect_blobs(as_arrays(reticulate::iter_next(reticulate::as_iterator(cropped))))
  # without a focus some blobs are cut off, or missed
  plain <- as_arrays(reticulate::iter_next(reticulate::as_iterator(crop_dataset(dataset, 16, 16, min_visible = 1))))
  expect_true(any(plain$bounding_boxes$labels == -1))
})

test_that("further arguments are checked by name", {
  batches <- function() NULL
  expect_error(crop_generator(batches, 5, 6, min_visible = 3), "min_visible", class = "kerascrop_error_argument")
  expect_error(crop_generator(batches, 5, 6, box_format = "coco"), "box_format", class = "kerascrop_error_box")
  expect_error(crop_dataset(batches, 5, 6, focus = "face"), "focus", class = "kerascrop_error_argument")
  expect_error(crop_dataset(batches, 5, 6, positive_fraction = 2), "positive", class = "kerascrop_error_argument")
  expect_snapshot(error = TRUE, {
    crop_generator(batches, 5, 6, colour = "red")
    crop_generator(batches, 5, 6, "random", 1, "error", NULL, 3)
  })
})

test_that("wrong arguments are errors before Python starts", {
  batches <- function() NULL
  expect_error(crop_generator(height = 5, width = 6), "generator", class = "kerascrop_error_argument")
  expect_error(crop_generator(some_images(), 5, 6), "generator", class = "kerascrop_error_argument")
  expect_error(crop_generator(batches, 5.5, 6), "height", class = "kerascrop_error_size")
  expect_error(crop_generator(batches, 5), "width", class = "kerascrop_error_size")
  expect_error(crop_generator(batches, 5, 6, "middle"), "mode", class = "kerascrop_error_argument")
  expect_error(crop_generator(batches, 5, 6, seed = -1), "seed", class = "kerascrop_error_argument")
  expect_error(crop_generator(batches, 5, 6, data_format = "last"), "data_format", class = "kerascrop_error_argument")
  expect_error(crop_dataset(batches, 5, 6), "dataset", class = "kerascrop_error_argument")
  expect_error(crop_dataset(batches, 5, 6, num_parallel_calls = 0), "num_parallel", class = "kerascrop_error_size")
})
