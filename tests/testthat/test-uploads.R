# A file as Shiny hands it over: its bytes under a name of the server's, and the name that the browser says.
sent <- function(name, bytes, env = parent.frame()) {
  path <- withr::local_tempfile(.local_envir = env)
  writeBin(if (is.character(bytes)) charToRaw(bytes) else bytes, path)
  data.frame(name = name, size = file.size(path), type = "image/png", datapath = path)
}

png_bytes <- function(pixels = matrix(c(0, 1), 2, 3)) {
  skip_if_not_installed("png")
  png::writePNG(pixels)
}

# A PNG whose header says that it is larger.
with_size <- function(bytes, width, height) {
  bytes[17:24] <- rev(writeBin(as.integer(c(height, width)), raw(), endian = "little"))
  bytes
}

test_that("images are taken, by what they hold, under a name that ends like it", {
  folder <- withr::local_tempdir()
  bytes <- png_bytes()
  taken <- take_uploads(sent("photo.jpg", bytes), folder)
  expect_identical(taken, list(files = "photo.jpg.png", problems = character()))
  expect_identical(readBin(file.path(folder, "photo.jpg.png"), "raw", 1e5), bytes)
})

test_that("two files of one name are both kept, one file twice is not", {
  folder <- withr::local_tempdir()
  first <- sent("a.png", png_bytes())
  second <- sent("A.png", png_bytes(matrix(1, 4, 4)))
  taken <- take_uploads(rbind(first, second, first), folder)
  expect_identical(taken$files, c("a.png", "A (2).png"))
  expect_match(taken$problems, "there already")
})

test_that("what is hostile or broken gets one plain sentence, and leaves nothing", {
  folder <- withr::local_tempdir()
  bomb <- with_size(png_bytes(), 50000L, 50000L)
  files <- list(
    svg = sent("x.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), text = sent("x.png", "hello"),
    empty = sent("empty.png", raw()), half = sent("half.png", png_bytes()[1:20]), bomb = sent("bomb.png", bomb),
    html = sent("<img src=x onerror=alert(1)>.png", "<html>")
  )
  for (kind in names(files)) {
    taken <- take_uploads(files[[kind]], folder)
    expect_identical(taken$files, character(), info = kind)
    expect_length(taken$problems, 1)
    expect_no_match(taken$problems, "[\033<>]")
    expect_no_match(taken$problems, files[[kind]]$datapath, fixed = TRUE)
  }
  expect_match(take_uploads(files$bomb, folder)$problems, "50000 x 50000 pixels")
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), character())
})

test_that("a pipe is not waited for", {
  skip_on_os("windows")
  path <- withr::local_tempfile()
  skip_if_not(system2("mkfifo", shQuote(path)) == 0, "mkfifo")
  expect_length(take_uploads(data.frame(name = "x.png", datapath = path), withr::local_tempdir())$problems, 1)
})

test_that("files are limited, each and together", {
  folder <- withr::local_tempdir()
  expect_true(upload_bytes <= 100 * 2^20 && upload_pixels <= 1e8 && folder_bytes <= 2 * 2^30)
  big <- withr::local_tempfile()
  writeBin(png_bytes(), big)
  skip_if_not(system2("truncate", c("-s", "101M", shQuote(big))) == 0, "truncate") # a sparse file
  expect_match(take_uploads(data.frame(name = "big.png", datapath = big), folder)$problems, "more than")
  expect_identical(list.files(folder), character())
})

test_that("names are safe in a folder and on a page", {
  expect_identical(safe_name("../../etc/pass wd.png"), "pass wd.png")
  expect_identical(safe_name("C:\\photos\\a.png"), "a.png")
  expect_identical(safe_name("caf\u00e9 1.JPG"), "caf\u00e9 1.JPG")
  for (name in c("<script>.png", "a\"b'c`d.png", "a\nb\033[1m.png", "..", ".hidden", "", "$(rm).png", "a&b;c|d.png",
                 strrep("a", 1e4), "caf\xe9.png", `Encoding<-`("\xe9a", "bytes"))) {
    safe <- safe_name(name)
    expect_match(safe, "^[^.<>\"'`&;|$/\\\\[:cntrl:]][^<>\"'`&;|$/\\\\[:cntrl:]]*$")
    expect_lte(nchar(safe), 111)
  }
  expect_identical(new_name("a.png", character()), "a.png")
  expect_identical(new_name("a.png", c("A.PNG", "a (2).png")), "a (3).png")
  expect_identical(with_ending("a.JPEG", "jpeg"), "a.JPEG")
  expect_identical(with_ending("a", "tiff"), "a.tif")
})
