# How fast arrays move from R to NumPy and back, against reticulate, in one run; what predict() of keras3 gains.
#
#   Rscript bench/bridge.R [--large]     # --large: up to 1 GB in R, and the peak of the memory
suppressPackageStartupMessages(library(kerascrop))

# Milliseconds of each function: the least of some rounds, in each of which every one runs for at least 20 ms. Other
# programs on the machine only ever add to it.
milliseconds <- function(functions, rounds) {
  elapsed <- function(f, times) {
    start <- Sys.time() # to the microsecond, unlike system.time()
    for (i in seq_len(times)) f()
    as.double(Sys.time() - start, units = "secs")
  }
  times <- vapply(functions, function(f) {
    times <- 1
    while (elapsed(f, times) < 0.02) times <- times * 4
    times
  }, 1)
  rounds <- replicate(rounds, vapply(sample(names(functions)), function(name) {
    1000 * elapsed(functions[[name]], times[[name]]) / times[[name]]
  }, 1)[names(functions)])
  apply(rounds, 1, min)
}

markdown <- function(rows) {
  write_row <- function(cells) cat("|", paste(cells, collapse = " | "), "|\n")
  write_row(names(rows))
  write_row(rep("---", length(rows)))
  numbers <- vapply(rows, is.numeric, TRUE)
  rows[numbers] <- lapply(rows[numbers], function(column) vapply(signif(column, 2), format, "", scientific = FALSE))
  for (i in seq_len(nrow(rows))) write_row(rows[i, ])
  cat("\n")
}

# How far the memory in use rises above where it was, in MB; NA where Linux does not tell.
peak <- function(f) {
  status <- function(what) {
    as.numeric(gsub("[^0-9]", "", grep(what, readLines("/proc/self/status"), value = TRUE))) / 1024
  }
  if (file.access("/proc/self/clear_refs", 2) != 0) return(NA)
  gc()
  writeLines("5", "/proc/self/clear_refs")
  before <- status("VmRSS")
  result <- f()
  status("VmHWM") - before
}

size <- function(bytes) {
  power <- min(3, floor(log10(bytes) / 3))
  paste(signif(bytes / 1000^power, 2), c("B", "kB", "MB", "GB")[power + 1])
}

cat(
  "R ", format(getRversion()), ", reticulate ", format(utils::packageVersion("reticulate")), ", NumPy ",
  reticulate::import("numpy")$`__version__`, "; load ", if (file.exists("/proc/loadavg")) readLines("/proc/loadavg"),
  "\n\nR double to float32 and back: ms, the least of some rounds, and how many times faster than reticulate\n\n",
  sep = ""
)
shapes <- list(
  c(5, 5, 5), c(64, 64, 3), c(224, 224, 3), c(1000, 1000), c(10000, 784), c(8, 512, 512, 3), c(1, 1024, 1024, 3),
  c(64, 64, 64), c(32, 112, 112, 64), c(64, 224, 224, 3)
)
large <- "--large" %in% commandArgs(TRUE)
if (large) shapes <- c(shapes, list(c(833, 224, 224, 3), c(160000, 784)))

moves <- function(shape) {
  x <- array(stats::runif(prod(shape)), shape)
  y <- as_numpy(x)
  list(
    as_numpy = function() as_numpy(x), np_array = function() reticulate::np_array(x, "float32"),
    from_numpy = function() from_numpy(y), py_to_r = function() reticulate::py_to_r(y)
  )
}
name <- function(shape) paste0(paste(shape, collapse = " \u00d7 "), " (", size(8 * prod(shape)), ")")

markdown(do.call(rbind, lapply(shapes, function(shape) {
  ms <- as.list(milliseconds(moves(shape), if (prod(shape) < 1e7) 25 else if (prod(shape) < 1e8) 9 else 3))
  data.frame(
    `in R` = name(shape), as_numpy = ms$as_numpy, np_array = ms$np_array, faster = ms$np_array / ms$as_numpy,
    from_numpy = ms$from_numpy, py_to_r = ms$py_to_r, faster = ms$py_to_r / ms$from_numpy, check.names = FALSE
  )
})))

if (large) {
  cat("How far the memory rises, in sizes of the result\n\n")
  markdown(do.call(rbind, lapply(Filter(function(shape) prod(shape) > 5e6, shapes), function(shape) {
    result <- prod(shape) * c(as_numpy = 4, np_array = 4, from_numpy = 8, py_to_r = 8) / 2^20
    cbind(`in R` = name(shape), as.data.frame(as.list(vapply(moves(shape), peak, 1) / result)))
  })))
}

if (requireNamespace("keras3", quietly = TRUE)) {
  cat("predict() of a keras3 model on an R array: ms as it is, and wrapped in as_numpy()\n\n")
  markdown(do.call(rbind, lapply(list(c(64, 224, 224, 3), c(8, 512, 512, 3), c(1000, 28, 28, 1)), function(shape) {
    x <- array(stats::runif(prod(shape)), shape)
    model <- keras3::keras_model_sequential(input_shape = shape[-1]) |>
      layer_center_crop(24, 24) |>
      keras3::layer_conv_2d(16, 3, activation = "relu") |>
      keras3::layer_global_average_pooling_2d() |>
      keras3::layer_dense(10)
    ms <- milliseconds(list(
      plain = function() stats::predict(model, x, verbose = 0),
      wrapped = function() stats::predict(model, as_numpy(x), verbose = 0)
    ), 9)
    data.frame(`in R` = name(shape), plain = ms[1], wrapped = ms[2], faster = ms[1] / ms[2], check.names = FALSE)
  })))
} else {
  cat("keras3 is not installed: its predict() is left out\n")
}
