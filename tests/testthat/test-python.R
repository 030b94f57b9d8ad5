test_that("library(kerascrop) starts no Python", {
  out <- in_new_process("library(kerascrop); cat(isNamespaceLoaded('reticulate'), reticulate::py_available())")
  expect_identical(tail(out, 1), "FALSE FALSE")
})

test_that("plain arrays are cropped without Python", {
  out <- in_new_process(
    "library(kerascrop); x <- crop_center(matrix(1:16, 4), 2, 2); cat(x, reticulate::py_available())"
  )
  expect_identical(tail(out, 1), "6 7 10 11 FALSE")
})

test_that("the module is imported once, and tells its version", {
  skip_without_python()
  expect_identical(kerascrop_python(), kerascrop_python())
  expect_identical(kerascrop_python()$`__version__`, as.character(utils::packageVersion("kerascrop")))
})

test_that("whoever loads Keras can load models with our layers, in any order", {
  skip_without_python()
  file <- withr::local_tempfile(fileext = ".keras")
  keras <- keras_module()
  model <- keras$Sequential(list(keras$Input(list(9L, 12L, 3L))))
  model |> layer_center_crop(4, 5)
  model$save(file)
  load <- sprintf("cat('loaded', keras$saving$load_model('%s')$layers[[1]]$height)", file)
  import <- "keras <- reticulate::import('keras')"
  for (code in list(c("library(kerascrop)", import), c(import, "library(kerascrop)"))) {
    expect_match(tail(in_new_process(c(code, load)), 1), "loaded 4")
  }
})

test_that("versions are compared, development versions too", {
  expect_false(is_older("3.12.0.dev2025110103", "3.9"))
  expect_false(is_older("3.9.0rc1", "3.9"))
  expect_true(is_older("3.8.1", "3.9"))
  expect_true(is_older("2.15.0", "3.9"))
  expect_false(is_older(NA, "3.9"))
})

test_that("errors of Python say what to run", {
  skip_without_python()
  withr::local_envvar(RETICULATE_PYTHON = NA, WORKON_HOME = withr::local_tempdir())
  python <- reticulate::py_config()$python
  anonymous <- function(lines) gsub("numpy(<2|>=1.26)", "numpy...", gsub(python, "<python>", lines, fixed = TRUE))
  expect_snapshot(error = TRUE, {
    abort_import("ModuleNotFoundError: No module named 'keras'", call = NULL)
    abort_import("ImportError: bad {thing}", call = NULL)
  }, transform = anonymous)
  hint <- function(python, chosen, missing = NULL) {
    message(paste(anonymous(python_hint(python, chosen, missing)), collapse = " "))
  }
  expect_snapshot({
    hint(NULL, NA)
    hint(NULL, "/nowhere/python")
    hint("/one/bin/python", "/one/bin/python3", "jax")
    hint("/one/bin/python", "/two/bin/python")
    hint("/one/bin/python", NA)
  })
  dir.create(file.path(Sys.getenv("WORKON_HOME"), own_environment, "bin"), recursive = TRUE)
  file.create(file.path(Sys.getenv("WORKON_HOME"), own_environment, "bin", c("python", "activate")))
  expect_match(python_hint("/one/bin/python", NA, NULL), "use_virtualenv")
})

test_that("the environment of install_kerascrop() is used, whoever starts Python, unless another one is asked for", {
  skip_without_python()
  home <- withr::local_tempdir()
  folder <- file.path(home, own_environment)
  python <- reticulate::py_config()$python
  status <- suppressWarnings(system2(python, c("-m", "venv", "--without-pip", shQuote(folder)), stdout = FALSE))
  skip_if_not(status == 0, "a virtual environment can be made")
  packages <- dirname(dirname(reticulate::import("numpy")$`__file__`))
  writeLines(packages, file.path(Sys.glob(file.path(folder, "lib", "python*", "site-packages")), "packages.pth"))
  code <- c("library(kerascrop)", "numpy <- reticulate::import('numpy')", "cat(reticulate::py_config()$python)")
  used <- function(...) tail(in_new_process(code, c(..., WORKON_HOME = home)), 1)
  expect_match(used(RETICULATE_PYTHON = NA, VIRTUAL_ENV = NA), folder, fixed = TRUE) # reticulate sets both
  expect_identical(used(RETICULATE_PYTHON = python), python)
})

test_that("another backend that is there is offered", {
  skip_without_python()
  expect_null(backend_hint("keras"))
  expect_null(backend_hint(NULL))
  hint <- backend_hint("tensorflow")
  others <- c("jax", "torch")[!is.na(vapply(c("jax", "torch"), python_version, ""))]
  if (length(others)) expect_match(hint, paste0("KERAS_BACKEND = .*", others[1])) else expect_null(hint)
})

test_that("the demo stops in words when its folder cannot be written to", {
  file <- withr::local_tempfile(lines = "a file, not a folder")
  demo <- system.file("examples", "demo.R", package = "kerascrop")
  out <- in_new_process(sprintf("source('%s')", demo), c(KERASCROP_DEMO_OUTPUT = file))
  expect_match(paste(out, collapse = " "), "cannot be written to")
  expect_identical(readLines(file), "a file, not a folder")
})

test_that("a missing package is named, with the remedy", {
  skip_without_python()
  python <- reticulate::py_config()$python
  blocked <- withr::local_tempdir()
  for (name in c("keras", "tensorflow")) {
    code <- sprintf("raise ModuleNotFoundError(\"No module named '%s'\")", name)
    writeLines(code, file.path(blocked, paste0(name, ".py")))
    out <- in_new_process(
      "library(kerascrop)
       e <- tryCatch(layer_center_crop(NULL, 2, 2), error = identity)
       cat(class(e)[1], conditionMessage(e), deparse(conditionCall(e)))",
      c(RETICULATE_PYTHON = python, PYTHONPATH = blocked)
    )
    text <- paste(out, collapse = "\n")
    expect_match(text, "kerascrop_error_python")
    expect_match(text, sprintf("package .?%s.? is\\s+missing", name))
    expect_match(text, "install_kerascrop()", fixed = TRUE)
    expect_match(text, "RETICULATE_PYTHON", fixed = TRUE)
    unlink(file.path(blocked, paste0(name, ".py")))
  }
})

test_that("a Keras that is too old is named, with the command that mends it", {
  skip_without_python()
  out <- in_new_process(
    "library(kerascrop)
     e <- tryCatch(kerascrop_python(), error = identity)
     cat(class(e)[1], conditionMessage(e))",
    c(RETICULATE_PYTHON = reticulate::py_config()$python, PYTHONPATH = fake_version("keras", "2.15.0"))
  )
  text <- paste(out, collapse = " ")
  expect_match(text, "kerascrop_error_python")
  expect_match(text, "2.15.0", fixed = TRUE)
  expect_match(text, "keras >= 3", fixed = TRUE)
  expect_match(text, "-m\\s+pip\\s+install\\s+'keras>=3")
})

test_that("NumPy 2 is refused where reticulate cannot read it, before anything is imported", {
  skip_without_python()
  out <- in_new_process(
    "library(kerascrop)
     e <- tryCatch(kerascrop_python(), error = identity)
     cat(class(e)[1], conditionMessage(e))
     cat(' imported:', reticulate::py_eval('\"keras\" in __import__(\"sys\").modules'))",
    c(RETICULATE_PYTHON = reticulate::py_config()$python, PYTHONPATH = fake_version("numpy", "2.3.0"))
  )
  text <- paste(out, collapse = " ")
  if (old_reticulate()) {
    expect_match(text, "kerascrop_error_python")
    expect_match(text, "NumPy\\s+2.3.0")
    expect_match(text, "pip\\s+install\\s+'numpy<2'")
    expect_match(text, "imported: FALSE")
  } else {
    expect_no_match(text, "kerascrop_error")
  }
})

test_that("two Pythons in one session are told apart", {
  skip_without_python()
  out <- in_new_process(
    sprintf("library(kerascrop)
     reticulate::use_python('%s', required = TRUE)
     invisible(reticulate::py_config())
     message <- function() cat(conditionMessage(tryCatch(kerascrop_python(), error = identity)), '\n==\n')
     message()
     Sys.setenv(RETICULATE_PYTHON = '%s')
     message()", empty_python(), reticulate::py_config()$python),
    c(RETICULATE_PYTHON = NA)
  )
  text <- strsplit(gsub("\\s+", " ", paste(out, collapse = " ")), "==")[[1]]
  expect_match(text[1], "keras is missing from '.*bin/python'")
  expect_match(text[1], "run `.* -m pip install 'keras>=3.*` in a terminal")
  expect_match(text[2], "ran already, and a session has one Python: restart R")
})

test_that("a missing Python is an error in words, and kerascrop_sitrep() still reports", {
  out <- in_new_process(
    "library(kerascrop)
     e <- tryCatch(layer_center_crop(NULL, 2, 2), error = identity)
     cat(class(e)[1], conditionMessage(e), '\\n')
     report <- kerascrop_sitrep()
     cat('still here', is.character(report$problem))",
    c(RETICULATE_PYTHON = "/nowhere/python")
  )
  text <- paste(out, collapse = "\n")
  expect_match(text, "kerascrop_error_python")
  expect_match(text, "install_kerascrop()", fixed = TRUE)
  expect_match(text, "still here TRUE")
})

test_that("install_kerascrop() checks its arguments first", {
  for (name in list("", NA_character_, 1, c("a", "b"), NULL)) {
    expect_error(install_kerascrop(name), "envname", class = "kerascrop_error_argument")
  }
  expect_error(install_kerascrop("env", "3.11"), class = "kerascrop_error_argument")
})

test_that("NumPy 2 is only refused where reticulate cannot read it", {
  expect_match(paste(python_packages(), collapse = " "), "keras>=3")
  expect_identical(any(python_packages() == "numpy<2"), old_reticulate())
})
