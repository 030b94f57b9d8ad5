# A model with learnable crops of 12 x 12, in images of any size, that tells 3 classes apart.
model_with <- function(crops = 1) {
  keras <- keras_module()
  keras$utils$set_random_seed(1L)
  model <- keras$Sequential(list(keras$Input(list(40L, 60L, 3L))))
  for (i in seq_len(crops)) layer_learnable_crop(model, 20 - 4 * i, 20 - 4 * i, name = paste0("crop", i))
  model$add(keras$layers$Flatten())
  model$add(keras$layers$Dense(3L))
  model
}

a_photo <- function(env = parent.frame()) {
  skip_if_not_installed("png")
  file <- withr::local_tempfile(fileext = ".png", .local_envir = env)
  png::writePNG(array(stats::runif(40 * 60 * 3), c(40, 60, 3)), file)
  file
}

test_that("a model that is there is checked at once, one that is to be loaded when it is", {
  expect_null(as_model_loader(NULL, "model", NULL))
  for (x in list(1, "none.keras", NA_character_, list(), TRUE)) {
    expect_error(as_model_loader(x), class = "kerascrop_error_argument")
  }
  calls <- 0
  load <- as_model_loader(function() calls <<- calls + 1)
  expect_identical(calls, 0)
  expect_identical(c(load(), load()), c(1, 1)) # once for all sessions
  skip_without_python()
  expect_error(as_model_loader(model_with(0)), "none", class = "kerascrop_error_argument")
  expect_error(as_model_loader(model_with(2)), "crop1.*crop2", class = "kerascrop_error_argument")
  expect_error(as_model_loader(reticulate::dict()), "model", class = "kerascrop_error_argument")
})

test_that("a model says where it looks in a file, and what it sees in a box", {
  skip_without_python()
  photo <- a_photo()
  model <- model_with(1)
  file <- withr::local_tempfile(fileext = ".keras")
  model$save(file)
  proposer <- NULL
  for (step in model_steps(as_model_loader(file), function(x) proposer <<- x)) step()
  said <- ask_about_image(proposer, photo)
  x <- as_numpy(image_array(photo))
  expect_equal(said$boxes, from_numpy(model$get_layer("crop1")$locate(x)), tolerance = 1e-5, ignore_attr = TRUE)
  expect_equal(said$answer, as.vector(from_numpy(model(x))), tolerance = 1e-4)
  box <- c(x1 = 3.5, y1 = 4, x2 = 30, y2 = 21)
  crop <- crop_boxes(image_array(photo), box, 16, 16, antialias = TRUE)
  weights <- lapply(model$layers[[length(model$layers)]]$weights, from_numpy)
  expected <- as.vector(as.vector(aperm(crop[1, , , ], 3:1)) %*% weights[[1]] + weights[[2]])
  expect_equal(ask_about_box(proposer, box), expected, tolerance = 1e-4)
})

test_that("steps run one after the other, each announced before it begins, and stop at an error", {
  skip_if_not_installed("later")
  log <- character()
  note <- function(x) log <<- c(log, x)
  session <- list(isClosed = function() FALSE)
  wait <- function() while (!later::loop_empty()) later::run_now(1)
  run_steps(list(one = function() note("1"), two = function() note("2")), note, session, function() note("end"))
  expect_identical(log, "one") # nothing is done yet
  wait()
  expect_identical(log, c("one", "1", "two", "2", "end"))
  log <- character()
  broken <- list(one = function() stop("\033[1mbroken\033[0m"), two = function() note("2"))
  run_steps(broken, note, session, function() note("end"))
  wait()
  expect_identical(log, c("one", "broken"))
  log <- character()
  run_steps(list(one = function() note("1")), note, list(isClosed = function() TRUE), function() note("end"))
  wait()
  expect_identical(log, "one")
})

test_that("answers are in words", {
  expect_identical(answer_in_words(c(0.2, 0.7, 0.1)), "class 1 70 %, class 0 20 %, class 2 10 %")
  expect_identical(answer_in_words(log(c(1, 3)), c("cat", "cup")), "cup 75 %, cat 25 %") # logits
  expect_identical(answer_in_words(c(1, 0, 0, 0), c("a", "b"), most = 1), "class 0 100 %") # other names than classes
  expect_identical(answer_in_words(0.25), "0.25")
  expect_match(answer_in_words(c(NaN, 1)), "not a number")
  expect_equal(sum(as_chances(c(1000, -1000, 3))), 1)
})
