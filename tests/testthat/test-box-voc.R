xml_folder <- function(..., env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  texts <- c(...)
  for (name in names(texts)) {
    dir.create(dirname(file.path(folder, name)), showWarnings = FALSE)
    writeLines(texts[[name]], file.path(folder, name), useBytes = TRUE)
  }
  folder
}

voc <- function(source = "Unknown", file = "a.png", name = "<name>cat</name>", xmin = 11) {
  sprintf("<annotation>
\t<folder>photos</folder><filename>%s</filename><source><database>%s</database></source>
\t<size><width>50</width><height>40</height><depth>3</depth></size>
\t<object>%s<pose>Unspecified</pose><difficult>0</difficult>
\t\t<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>
\t\t<bndbox><xmax>20</xmax><xmin> %s </xmin><ymax>40</ymax><ymin>1</ymin></bndbox>
\t</object>
</annotation>", file, source, name, xmin)
}

test_that("labelImg's numbers are edges, those of the challenge pixels from 1 on", {
  skip_if_not_installed("xml2")
  edges <- data.frame(file = "a.png", x1 = 11, y1 = 1, x2 = 20, y2 = 40, label = "cat", height = 40L, width = 50L)
  pixels <- transform(edges, x1 = 10, y1 = 0)
  expect_identical(read_boxes(xml_folder(a.xml = voc())), edges)
  expect_identical(read_boxes(xml_folder(a.xml = voc("The VOC2007 Database"))), pixels)
  expect_identical(read_boxes(xml_folder(a.xml = voc()), first_pixel = 1), pixels)
  expect_identical(read_boxes(xml_folder(a.xml = voc("The VOC2007 Database")), first_pixel = 0), edges)
  folder <- withr::local_tempdir()
  write_boxes(pixels, folder, "voc", first_pixel = 1)
  expect_identical(xml2::xml_integer(xml2::xml_find_first(xml2::read_xml(file.path(folder, "a.xml")), "//xmin")), 11L)
  expect_identical(read_boxes(folder, first_pixel = 1), pixels)
})

test_that("folders are those of the XML files, or of the names in them", {
  skip_if_not_installed("xml2")
  folder <- xml_folder("x/a.xml" = voc(), "x/b.xml" = voc(file = "y/b.png"), "c.XML" = voc(file = "c &amp; d"))
  read <- read_boxes(folder)
  expect_identical(read$file, c("c & d", "x/a.png", "y/b.png"))
  one <- xml_folder(a.xml = voc())
  expect_identical(read_boxes(file.path(one, "a.xml")), read_boxes(one))
})

test_that("what is broken, or no boxes, is an error that names the file", {
  skip_if_not_installed("xml2")
  unfolded <- vapply(c("", 1:8), function(i) strrep(paste0("&x", i, ";"), 10), "")
  entities <- paste0("<!ENTITY x", c("", 1:9), " \"", c(strrep("ha", 100), unfolded), "\">", collapse = "")
  bomb <- paste0("<!DOCTYPE a [", entities, "]>", voc(name = "<name>&x9;</name>"))
  outside <- paste0("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>", voc(name = "<name>&x;</name>"))
  for (text in list(
    "<annotation>", "", "<b/>", "<annotation/>", voc(file = ""), voc(name = ""), voc(xmin = "left"),
    voc(xmin = "1e999"), voc(xmin = 30), voc(xmin = 20), sub("</object>", "<object/></object>", voc(xmin = "")), bomb,
    outside, sub("<ymax>40", "<ymax>-3", voc())
  )) {
    expect_error(read_boxes(xml_folder(bad.xml = text)), "bad.xml", class = "kerascrop_error_box")
  }
  twice <- xml_folder("a.xml" = voc(), "b.xml" = voc())
  expect_error(read_boxes(twice), "b.xml.*a.png.*a.xml", class = "kerascrop_error_box")
  rows <- data.frame(file = "a.png", x1 = 1, y1 = 2, x2 = 3, y2 = 4, label = "a\001", height = 9, width = 9)
  expect_error(write_boxes(rows, tempfile(), "voc"), "XML", class = "kerascrop_error_box")
})
