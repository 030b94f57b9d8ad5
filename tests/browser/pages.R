# Writes the pages that the tests open: Rscript tests/browser/pages.R <folder>
library(kerascrop)
folder <- commandArgs(TRUE)[1]
photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")

page <- function(name, ...) {
  htmlwidgets::saveWidget(crop_editor(...), file.path(folder, paste0(name, ".html")), selfcontained = FALSE,
                          libdir = "libraries", title = name)
}

# The colour of each pixel says where it is: read_place() in browser.py.
rows <- rep(0:399, 640)
cols <- rep(0:639, each = 400)
places <- array(as.raw(c(cols %% 256, rows %% 256, cols %/% 256 + 16 * (rows %/% 256))), c(400, 640, 3))

page("places", places, labels = c("cat", "dog", "bird"), height = 620)
page("real", places, snap = FALSE, height = 620)
page("aspect", places, aspect = 3 / 2, height = 620)
page("size", places, size = c(50, 80), height = 620)
eyes <- data.frame(x1 = c(119, 279), y1 = c(74, 94), x2 = c(215, 350), y2 = c(165, 170), label = c("eye", NA))
page("photo", photo, eyes, labels = c("eye", "nose", "ear"), ghosts = list(centre = c(125, 50, 325, 250)), height = 560)
nasty <- "<img src=x onerror='window.hit=1'>"
page("nasty", photo, data.frame(x1 = 9, y1 = 9, x2 = 99, y2 = 99, label = nasty), labels = nasty, height = 560,
     ghosts = rlang::set_names(list(1:4), nasty))
set.seed(1)
left <- runif(1000, 0, 430)
top <- runif(1000, 0, 280)
many <- data.frame(x1 = left, y1 = top, x2 = left + runif(1000, 5, 20), y2 = top + runif(1000, 5, 20), label = "eye")
page("many", photo, many, labels = "eye", height = 560)

for (file in list.files(folder, "jpg$", full.names = TRUE)) page(tools::file_path_sans_ext(basename(file)), file)

two <- htmltools::tagList(
  htmltools::tags$h1("Two"),
  crop_editor(photo, labels = c("eye", "nose"), element_id = "one", height = 420),
  crop_editor(photo, 1:4, labels = "cat", element_id = "two", height = 420)
)
htmltools::save_html(two, file.path(folder, "two.html"), libdir = "libraries")
