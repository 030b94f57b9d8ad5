# Serve a model with a learnable crop over HTTP: a photograph in; boxes, crops and classes out.
#
#   KERASCROP_MODEL=model.keras KERASCROP_CLASSES=cat,dog \
#     Rscript -e 'plumber::pr_run(plumber::pr("plumber.R"), port = 8000)'
#   curl --data-binary @photo.jpg http://127.0.0.1:8000/crop
#
# The model is a functional one, on images with pixels from 0 to 1, whose layer_learnable_crop() has
# `return_boxes = TRUE`; its first output are the classes' scores. R answers one request after the other, and the others
# wait: start several of these behind a proxy where that is too slow. The model is called as a function, which takes
# milliseconds; `predict()` takes a tenth of a second or two, whatever it predicts.

library(kerascrop)

LARGEST <- 10e6 # bytes of an upload
PIXELS <- 25e6 # and its pixels: a small file can hold many, which would fill the memory
options(plumber.maxRequestSize = LARGEST)
# The body stays as it is, whatever it says of itself.
plumber::register_parser("photo", function(...) function(value, ...) value, regex = ".*")

model_file <- Sys.getenv("KERASCROP_MODEL")
if (!file.exists(model_file)) stop("KERASCROP_MODEL must be the file of a Keras model, not '", model_file, "'.")
kerascrop_python() # before the model is loaded: it holds layers of kerascrop
keras <- reticulate::import("keras")
model <- keras$saving$load_model(model_file)
is_crop <- function(layer) inherits(layer, "kerascrop.layers.learnable.LearnableCrop")
crop <- Filter(is_crop, model$layers)[[1]]
model <- keras$Model(model$inputs, list(crop$output[[1]], crop$output[[2]], model$outputs[[1]]))
size <- unlist(model$input_shape[2:4]) # height, width, channels
classes <- strsplit(Sys.getenv("KERASCROP_CLASSES"), ",")[[1]]

# The photograph as an array (height, width, channels); an error if it cannot be read.
read_photo <- function(bytes) {
  file <- tempfile()
  on.exit(unlink(file))
  writeBin(bytes, file)
  photo <- image_array(file, channels = size[3], max_pixels = PIXELS)
  array(photo, dim(photo)[-1])
}

# What the model says of it: crops, boxes in pixels of the photograph, and scores.
look <- function(photo) {
  whole <- box_window(rows = seq_len(nrow(photo)), cols = seq_len(ncol(photo)))
  shown <- crop_boxes(photo, whole, size[1], size[2], antialias = TRUE)
  parts <- lapply(model(list(as_numpy(array(shown, c(1, size)))), training = FALSE), from_numpy)
  crops <- array(parts[[1]], c(length(parts[[2]]) / 4, tail(dim(parts[[1]]), 3)))
  boxes <- matrix(parts[[2]], ncol = 4) %*% diag(rep(c(ncol(photo) / size[2], nrow(photo) / size[1]), 2))
  scores <- c(parts[[3]])
  names(scores) <- if (length(classes) == length(scores)) classes else seq_along(scores) - 1
  list(crops = crops, boxes = boxes, scores = scores)
}

as_png <- function(crop) jsonlite::base64_enc(png::writePNG(pmin(pmax(crop, 0), 1)))

# The answer to a request that cannot be met.
refuse <- function(res, status, message) {
  res$status <- status
  list(error = message)
}

#* Where the model looks in a photograph, what it sees there, and what it takes it for
#* @post /crop
#* @parser photo
#* @serializer unboxedJSON
function(req, res) {
  if (!length(req$bodyRaw)) return(refuse(res, 400, "Send a photograph, such as a JPEG or PNG, as the request's body."))
  photo <- tryCatch(read_photo(req$bodyRaw), kerascrop_error = identity)
  if (inherits(photo, "error")) {
    message <- "The body must be an image file that can be read, of at most %.0f million pixels."
    return(refuse(res, 415, sprintf(message, PIXELS / 1e6)))
  }
  seen <- look(photo)
  list(
    class = names(which.max(seen$scores)),
    scores = as.list(seen$scores),
    boxes = seen$boxes, # x1, y1, x2, y2
    crops = I(apply(seen$crops, 1, function(crop) as_png(array(crop, dim(seen$crops)[-1])))) # PNG files in base64
  )
}

#* Whether the service is up
#* @get /health
#* @serializer unboxedJSON
function() list(status = "ok")
