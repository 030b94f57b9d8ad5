# Draws the README's pictures: those of the demo, which computes everything that they show.
output <- tempfile()
Sys.setenv(KERASCROP_DEMO_OUTPUT = output)
source("inst/examples/demo.R")
dir.create("man/figures", showWarnings = FALSE, recursive = TRUE)
stopifnot(file.copy(file.path(output, c("photo.png", "digits.png")), "man/figures", overwrite = TRUE))
