# `crop_app()` at a port: of a folder, or, without one, of files that are dropped.
arguments <- commandArgs(TRUE)
options(shiny.port = as.integer(arguments[1]), shiny.launch.browser = FALSE)
suppressPackageStartupMessages(library(kerascrop))
shiny::runApp(crop_app(if (length(arguments) > 1) arguments[2], labels = c("cat", "cup"), run = FALSE), quiet = TRUE)
