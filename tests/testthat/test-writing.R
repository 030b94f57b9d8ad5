test_that("a file is written as a whole, and its links and permissions stay", {
  folder <- withr::local_tempdir()
  path <- file.path(folder, "a.gif")
  bytes <- as.raw(1:200)
  write_whole(bytes, path)
  expect_identical(readBin(path, "raw", 300), bytes)
  skip_on_os("windows")
  Sys.chmod(path, "600", use_umask = FALSE)
  link <- file.path(folder, "link.gif")
  file.symlink(path, link)
  write_whole(rev(bytes), link)
  expect_identical(readBin(path, "raw", 300), rev(bytes))
  expect_identical(unname(Sys.readlink(link)), path)
  expect_identical(format(file.mode(path)), "600")
  expect_setequal(list.files(folder, all.files = TRUE, no.. = TRUE), c("a.gif", "link.gif"))
})

test_that("what cannot be written is an error, and leaves what was there", {
  skip_on_os("windows")
  folder <- withr::local_tempdir()
  path <- file.path(folder, "a.gif")
  writeLines("old", path)
  pipe <- file.path(folder, "pipe")
  system2("mkfifo", shQuote(pipe))
  devices <- Filter(file.exists, c("/dev/full", "/dev/null"))
  for (path_to in c(devices, pipe, folder, file.path(folder, "none", "a.gif"), file.path(path, "a.gif"), "")) {
    expect_error(write_whole(as.raw(1), path_to), "path_to", class = "kerascrop_error_argument")
  }
  expect_true(all(file.exists(devices)) && all(vapply(devices, is_special, NA)))
  # a disk that is full after 100 kB
  said <- in_new_process(c(
    "library(kerascrop)", sprintf("path <- '%s'", path),
    "error <- rlang::catch_cnd(getFromNamespace('write_whole', 'kerascrop')(raw(5e5), path))",
    "cat(class(error)[1], readLines(path), length(list.files(dirname(path), all.files = TRUE, no.. = TRUE)))"
  ), before = "ulimit -f 100; trap '' XFSZ; ")
  expect_match(said, "kerascrop_error_argument old 2", all = FALSE)
})
