# The service in inst/examples/plumber/, over HTTP, in a process of its own.

# A model of images of 32 x 48, its service's port and process.
serve <- function(env = parent.frame()) {
  for (package in c("plumber", "png", "jsonlite")) skip_if_not_installed(package)
  skip_without_python()
  skip_on_cran()
  folder <- withr::local_tempdir(.local_envir = env)
  keras <- keras_module()
  keras$utils$set_random_seed(1L)
  images <- keras$Input(list(32L, 48L, 3L))
  crop <- layer_learnable_crop(images, 12, 16, return_boxes = TRUE)
  scores <- keras$layers$Dense(3L, activation = "softmax")(keras$layers$Flatten()(crop[[1]]))
  model <- keras$Model(images, scores)
  file <- file.path(folder, "model.keras")
  model$save(file)
  port <- as.integer(reticulate::py_eval("__import__('socket').create_server(('127.0.0.1', 0)).getsockname()[1]"))
  log <- file.path(folder, "log")
  writeLines(c(
    sprintf(".libPaths(c(%s))", paste(shQuote(.libPaths()), collapse = ", ")),
    sprintf("writeLines(as.character(Sys.getpid()), %s)", shQuote(file.path(folder, "pid"))),
    sprintf("pr <- plumber::pr(%s)", shQuote(system.file("examples/plumber/plumber.R", package = "kerascrop"))),
    sprintf("plumber::pr_run(pr, port = %d, quiet = TRUE, docs = FALSE)", port)
  ), file.path(folder, "serve.R"))
  withr::local_envvar(KERASCROP_MODEL = file, KERASCROP_CLASSES = "cat,dog,cup")
  rscript <- file.path(R.home("bin"), "Rscript")
  system2(rscript, c("--vanilla", shQuote(file.path(folder, "serve.R"))), stdout = log, stderr = log, wait = FALSE)
  pid <- function() as.integer(readLines(file.path(folder, "pid")))
  withr::defer(tools::pskill(pid()), envir = env)
  for (try in 1:2400) { # to import TensorFlow and to load the model takes minutes on a busy machine
    up <- identical(tryCatch(ask(port, "/health")$status, error = function(error) NULL), 200L)
    if (up) break
    Sys.sleep(0.25)
  }
  if (!up) stop("The service did not start: ", paste(readLines(log), collapse = "\n"))
  list(port = port, model = model, pid = pid())
}

http <- function() {
  # Imports are inside, as what is local has no globals of its own.
  reticulate::py_run_string("
def ask(url, body=None):
    import urllib.error, urllib.request
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=300) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()

def announce(port, length):
    import http.client
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=300)
    connection.putrequest('POST', '/crop')
    connection.putheader('Content-Length', str(int(length)))
    connection.endheaders()
    return connection.getresponse().status

def ask_often(ask, url, body, times, at_once):
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda _: ask(url, body)[0], range(int(times))))
", local = TRUE)
}

url <- function(port, path) sprintf("http://127.0.0.1:%d%s", port, path)

# The status and the JSON of an answer; a body of raw bytes is posted.
ask <- function(port, path, body = NULL) {
  answer <- http()$ask(url(port, path), if (!is.null(body)) reticulate::r_to_py(body))
  list(status = answer[[1]], json = jsonlite::fromJSON(answer[[2]]))
}

# The resident memory of a process in MB, on Linux.
memory_of <- function(pid) {
  lines <- readLines(sprintf("/proc/%d/status", pid))
  as.numeric(gsub("[^0-9]", "", grep("^VmRSS", lines, value = TRUE))) / 1024
}

test_that("a service answers with classes, boxes in the photograph's pixels, and crops, or says what is wrong", {
  service <- serve()
  photo <- array(51 / 255, c(32, 48, 3))
  photo[11:18, 21:32, 1] <- 1 # what stands out
  answer <- ask(service$port, "/crop", png::writePNG(photo))
  expect_equal(answer$status, 200)
  expected <- from_numpy(service$model(as_numpy(array(photo, c(1, dim(photo)))), training = FALSE))
  expect_equal(unlist(answer$json$scores, use.names = FALSE), c(expected), tolerance = 1e-3)
  expect_equal(answer$json$class, c("cat", "dog", "cup")[which.max(expected)])
  box <- answer$json$boxes
  expect_equal(c(box[3] - box[1], box[4] - box[2]), c(16, 12), tolerance = 1e-3)
  crop <- png::readPNG(jsonlite::base64_dec(answer$json$crops))
  expect_equal(dim(crop), c(12, 16, 3))
  expect_lt(max(abs(crop - without_boxes(crop_boxes(photo, box, 12, 16, antialias = TRUE)))), 0.01)

  twice <- ask(service$port, "/crop", png::writePNG(photo[rep(1:32, each = 2), rep(1:48, each = 2), ]))
  expect_equal(twice$json$boxes, 2 * box, tolerance = 0.05)

  expect_equal(ask(service$port, "/crop", raw())$status, 400)
  broken <- ask(service$port, "/crop", as.raw(1:100))
  expect_equal(broken$status, 415)
  expect_match(broken$json$error, "image file that can be read")
  whole <- png::writePNG(photo)
  expect_equal(ask(service$port, "/crop", whole[seq_len(length(whole) %/% 2)])$status, 415)
  huge <- whole
  huge[17:24] <- as.raw(c(0, 0, 0x40, 0, 0, 0, 0x40, 0)) # 16384 x 16384, as its header says
  expect_equal(ask(service$port, "/crop", huge)$status, 415)
  expect_equal(http()$announce(service$port, 2e7), 413) # the service does not wait for the bytes
  expect_equal(ask(service$port, "/nowhere")$status, 404)
  expect_equal(ask(service$port, "/crop")$status, 405)
  expect_equal(ask(service$port, "/health")$json$status, "ok")

  skip_if_not(file.exists("/proc/self/status"), "a system that tells the memory of a process")
  client <- http()
  many <- function(times) {
    client$ask_often(client$ask, url(service$port, "/crop"), reticulate::r_to_py(whole), times, 2L)
  }
  expect_setequal(many(100), 200L)
  before <- memory_of(service$pid)
  expect_setequal(many(400), 200L)
  expect_lt(memory_of(service$pid) - before, 20)
})
