# How fast arrays move from R to NumPy and back, against reticulate, in one run.
#
#   make bench

library(kerascrop)

milliseconds <- function(code, times = 7) {
  call <- substitute(code)
  frame <- parent.frame()
  eval(call, frame)
  1000 * stats::median(replicate(times, system.time(eval(call, frame))[["elapsed"]]))
}

shapes <- list(c(64, 224, 224, 3), c(32, 256, 256, 3), c(8, 512, 512, 3), c(32, 112, 112, 64), c(224, 224, 3), c(1000, 2000))
rows <- lapply(shapes, function(shape) {
  x <- array(stats::runif(prod(shape)), shape)
  y <- as_numpy(x)
  there <- c(milliseconds(as_numpy(x)), milliseconds(reticulate::np_array(x, "float32")))
  back <- c(milliseconds(from_numpy(y)), milliseconds(reticulate::py_to_r(y)))
  data.frame(
    shape = paste(shape, collapse = " x "),
    as_numpy = there[1], np_array = there[2], times_faster = there[2] / there[1],
    from_numpy = back[1], py_to_r = back[2], times_faster_back = back[2] / back[1]
  )
})
cat("Medians in milliseconds, R double to float32 and back\n\n")
print(do.call(rbind, rows), digits = 3, row.names = FALSE)
