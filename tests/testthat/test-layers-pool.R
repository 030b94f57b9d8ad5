# Predictions for four crops of each of three images, and their weights.
some_predictions <- function() array(stats::rnorm(3 * 4 * 2), c(3, 4, 2))
some_weights <- function() matrix(stats::runif(3 * 4), 3)

test_that("layer_crop_pool() takes the mean, weighted or not, and the largest", {
  skip_without_python()
  x <- some_predictions()
  weights <- some_weights()
  weights[2, 3] <- 0
  expect_equal(from_numpy(layer_crop_pool(x)), apply(x, c(1, 3), mean), tolerance = 1e-6)
  expect_equal(from_numpy(layer_crop_pool(x, "max")), apply(x, c(1, 3), max), tolerance = 1e-6)
  means <- apply(x * array(weights, dim(x)), c(1, 3), sum) / rowSums(weights)
  expect_equal(from_numpy(layer_crop_pool(list(x, weights))), means, tolerance = 1e-5)
  largest <- x
  largest[2, 3, ] <- -Inf
  expect_equal(
    from_numpy(layer_crop_pool(how = "max")(list(x, as_numpy(weights)))), apply(largest, c(1, 3), max),
    tolerance = 1e-6
  )
  both <- as_arrays(layer_crop_pool(list(x, weights), return_weights = TRUE))
  expect_equal(both, list(means, weights / rowSums(weights)), tolerance = 1e-5)
})

test_that("attention is equation 9 of Ilse et al.", {
  skip_without_python()
  x <- some_predictions()
  layer <- layer_crop_pool(how = "attention", units = 6, return_weights = TRUE)
  both <- as_arrays(layer(x))
  parts <- lapply(layer$weights, from_numpy) # V, U, w
  scores <- apply(x, 1:2, function(h) sum((tanh(h %*% parts[[1]]) * stats::plogis(h %*% parts[[2]])) %*% parts[[3]]))
  weights <- exp(scores) / rowSums(exp(scores))
  expect_equal(both, list(apply(x * array(weights, dim(x)), c(1, 3), sum), weights), tolerance = 1e-5)
})

test_that("it goes into models", {
  skip_without_python()
  keras <- keras_module()
  x <- some_predictions()
  model <- keras$Sequential(list(keras$Input(list(4L, 2L))))
  expect_identical(layer_crop_pool(model, "max", name = "joined"), model)
  expect_equal(from_numpy(model(as_numpy(x))), apply(x, c(1, 3), max), tolerance = 1e-6)
  inputs <- list(keras$Input(list(4L, 2L)), keras$Input(list(4L)))
  model <- keras$Model(inputs, inputs |> layer_crop_pool("attention", units = 3))
  expect_identical(unlist(model$output_shape), 2L)
  expect_match(layer_crop_pool()$name, "^kerascrop_crop_pool")
})

test_that("wrong arguments and predictions are errors", {
  expect_error(layer_crop_pool(how = "median"), "how", class = "kerascrop_error_argument")
  expect_error(layer_crop_pool(units = 0), "units", class = "kerascrop_error_size")
  expect_error(layer_crop_pool(return_weights = NA), "return_weights", class = "kerascrop_error_argument")
  for (object in list("max", 32, list(1), 1:3)) {
    expect_error(layer_crop_pool(object), "predictions.*how = \"max\"", class = "kerascrop_error_argument")
  }
  expect_error(layer_crop_pool(list(some_predictions(), list(1))), "object\\[\\[2\\]\\]", class = "kerascrop_error")
  skip_without_python()
  x <- some_predictions()
  weights <- some_weights()
  expect_error(layer_crop_pool(how = "max", return_weights = TRUE), "maximum", class = "kerascrop_error_argument")
  expect_error(layer_crop_pool(x[, 1, ]), "MultiCrop", class = "kerascrop_error_shape")
  expect_error(layer_crop_pool(list(x, weights[1:2, ])), "a weight for each crop", class = "kerascrop_error_shape")
  expect_error(layer_crop_pool(list(x, -weights)), "negative", class = "kerascrop_error_argument")
})
