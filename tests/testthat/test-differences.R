# What the help page says of keras3; what it says of Keras itself is tested from Python.
test_that("a call without an object, and sizes that are not whole, are errors here and not in keras3", {
  skip_without_python()
  expect_error(layer_center_crop(20, 20), "height = 20", class = "kerascrop_error_argument")
  expect_error(layer_center_crop(NULL, 20.7, 20), "20.7", class = "kerascrop_error_size")
  skip_if_not_installed("keras3")
  expect_identical(as.integer(keras3::layer_center_crop(height = 20.7, width = 20)$height), 20L)
  error <- rlang::catch_cnd(keras3::layer_center_crop(20, 20), "error")
  expect_no_match(conditionMessage(error), "height = 20")
})

test_that("the only names that keras3 has too are those that the help page tells", {
  skip_if_not_installed("keras3")
  both <- intersect(getNamespaceExports("kerascrop"), getNamespaceExports("keras3"))
  expect_setequal(both, c("layer_center_crop", "layer_random_crop"))
})

test_that("calls in the order of keras3's arguments give the same crops", {
  skip_without_python()
  x <- some_images()
  expected <- aperm(x, c(1, 4, 2, 3))[, , 3:6, 4:8]
  first <- as_numpy(aperm(x, c(1, 4, 2, 3)))
  expect_equal(from_numpy(layer_center_crop(first, 4, 5, "channels_first")), expected)
  expect_equal(from_numpy(layer_random_crop(first, 4, 5, 7, "channels_first", "crop")), expected)
  skip_if_not_installed("keras3")
  expect_equal(from_numpy(keras3::layer_center_crop(first, 4, 5, "channels_first")), expected)
})
