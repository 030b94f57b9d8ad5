# Builds the site with pkgdown, in docs/, without the network. Articles that are up to date are left as they are.
options(pkgdown.internet = FALSE)
# For packages that are not installed, it would ask CRAN where they are.
utils::assignInNamespace("CRAN_urls", function() data.frame(Package = character(), URL = character()), "downlit")

pkgdown::init_site()
pkgdown::build_home()
pkgdown::build_reference(run_dont_run = FALSE, devel = FALSE)
pkgdown::build_articles(lazy = TRUE)
pkgdown::build_news()

# What the README links to: articles, under their names in the site, and files.
page <- readLines("docs/index.html")
writeLines(gsub("vignettes/([a-z0-9-]+)[.]Rmd", "articles/\\1.html", page), "docs/index.html")
for (file in c("inst/python/README.md", "inst/extdata/README.md", "inst/examples/pytorch.py")) {
  dir.create(file.path("docs", dirname(file)), showWarnings = FALSE, recursive = TRUE)
  page <- file.path(getwd(), "docs", sub("[.]md$", ".html", file))
  if (endsWith(file, ".md")) {
    options <- c("--standalone", "--metadata=title:kerascrop")
    rmarkdown::pandoc_convert(normalizePath(file), to = "html", from = "gfm", output = page, options = options)
  } else {
    file.copy(file, page, overwrite = TRUE)
  }
}
