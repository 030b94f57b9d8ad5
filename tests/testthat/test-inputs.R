test_that("what a layer can be composed with is told by the names of its inputs, before Python starts", {
  x <- some_images()
  pair <- list(x, x)
  fits <- function(object, inputs) {
    is.null(rlang::catch_cnd(check_object(object, inputs, rlang::current_env()), "error"))
  }
  images <- "images"
  boxed <- c("images", "boxes", "box_indices")
  seen <- c("images", "features")
  crops <- c("crops", "boxes")
  predictions <- c("predictions", "weights")
  expect_true(all(fits(x, images), fits(x, boxed), fits(x, seen)))
  expect_true(all(fits(list(images = x), images), fits(list(images = x, boxes = 1:4), boxed)))
  expect_true(all(fits(pair, boxed), fits(pair, seen), fits(pair, crops), fits(c(pair, 1), boxed)))
  expect_false(any(fits(x, crops), fits(list(images = x), crops), fits(pair, images), fits(c(pair, 1), seen)))
  expect_true(fits(x, predictions) && fits(pair, predictions))
  expect_false(any(fits(c(pair, 1), predictions), fits(list(images = x), predictions), fits(20, predictions)))
  expect_false(any(fits(c(pair, 1), crops), fits(c(pair, 1, 2), boxed), fits(list(x), boxed), fits(20, images)))
})

test_that("each part is converted as its name says", {
  skip_without_python()
  call <- rlang::current_env()
  x <- some_images()
  boxes <- box_window(3:6, 4:8)[c(1, 1), c(4, 2, 1, 3)] # columns in another order
  layer <- layer_box_crop(height = 4, width = 5)
  inputs <- c("images", "boxes", "box_indices")
  parts <- as_inputs(list(x, as.data.frame(boxes), c(1, 3)), inputs, layer, call)
  expect_null(names(parts))
  expect_equal(as_arrays(parts), list(x, unname(boxes[, box_sides]), c(0L, 2L)))
  named <- as_inputs(list(box_indices = 3, boxes = boxes, images = x, id = list(a = 1:2)), inputs, layer, call)
  expect_equal(
    as_arrays(named), list(box_indices = 2L, boxes = unname(boxes[, box_sides]), images = x, id = list(a = 1:2))
  )
  back <- layer_uncrop(height = 9, width = 12)
  mirrored <- rbind(c(8, 2, 3, 6)) # may be put back, but not be cut
  expect_equal(as_arrays(as_inputs(list(x[1:2, , , ], mirrored), c("crops", "boxes"), back, call))[[2]], mirrored)
  expect_error(as_inputs(list(x, mirrored), inputs, layer, call), "x1 < x2", class = "kerascrop_error_box")
})

test_that("a layer made in Python is called in R as its class names its inputs", {
  skip_without_python()
  class <- class(layer_box_crop(height = 4, width = 5))[1]
  code <- sprintf(
    "from %s import BoxCrop\nclass Own(BoxCrop):\n  def __init__(self):\n    super().__init__(4, 5)",
    sub("[.]BoxCrop$", "", class)
  )
  own <- reticulate::py_run_string(code, local = TRUE)$Own()
  expect_output(print(own), "Own")
  x <- some_images()
  expect_equal(from_numpy(own(list(x, box_window(3:6, 4:8), 2)))[1, , , ], x[2, 3:6, 4:8, ])
  expect_error(own(list(x, box_window(3:6, 4:8), 4)), "1 to 3", class = "kerascrop_error_box")
})

test_that("no argument of a layer is taken for one of the functions inside", {
  skip_without_python()
  for (name in c("inputs", "class", "arguments", "call")) {
    arguments <- rlang::set_names(list(4, 5, "a"), c("height", "width", name))
    expect_error(do.call(layer_center_crop, arguments), name, class = "kerascrop_error_argument")
  }
})
