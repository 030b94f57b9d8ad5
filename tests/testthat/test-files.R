# Files that Pillow writes, and what it shows of them, as `(height, width, 4)`.
pillow_files <- function(env = parent.frame()) {
  skip_without_python()
  skip_if_not_installed("magick")
  skip_if_not_installed("png")
  skip_if_not_installed("jpeg")
  skip_if_not(reticulate::py_module_available("PIL"), "pillow")
  folder <- withr::local_tempdir(.local_envir = env)
  python <- reticulate::py_run_string("
def make(folder):
    import os, numpy
    from PIL import Image
    rng = numpy.random.default_rng(1)
    clear = Image.fromarray(rng.integers(0, 256, (4, 5, 4), 'uint8'), 'RGBA').resize((30, 21), Image.BICUBIC)
    photo, grey = clear.convert('RGB'), clear.convert('L')
    palette = photo.convert('P')
    files = {
        'colour.jpg': photo, 'progressive.jpg': photo, 'grey.jpg': grey, 'print.jpg': photo.convert('CMYK'),
        'colour.png': photo, 'clear.png': clear, 'clear_grey.png': clear.convert('LA'), 'palette.png': palette,
        'clear_palette.png': palette, 'one_bit.png': grey.convert('1'), 'palette.bmp': palette, 'grey.bmp': grey,
        'colour.bmp': photo, 'palette.gif': palette, 'film.gif': palette, 'colour.webp': photo, 'colour.tif': photo,
        'packed.tif': photo, 'print.tif': photo.convert('CMYK'), 'palette.tif': palette, 'colour.ppm': photo,
        'colour.jp2': photo, 'png.jpg': photo,
    }
    options = {
        'progressive.jpg': {'progressive': True}, 'clear_palette.png': {'transparency': 7},
        'film.gif': {'save_all': True, 'append_images': [palette.rotate(180)]}, 'colour.webp': {'lossless': True},
        'packed.tif': {'compression': 'tiff_lzw'}, 'png.jpg': {'format': 'PNG'}, 'colour.jp2': {'irreversible': False},
    }
    for number in range(1, 9):
        for suffix in ('.jpg', '.png', '.tif', '.webp'):
            exif = Image.Exif()
            exif[0x0112] = number
            files[f'turned_{number}{suffix}'] = photo
            options[f'turned_{number}{suffix}'] = {'exif': exif, **({'lossless': True} if suffix == '.webp' else {})}
    for name, image in files.items():
        image.save(os.path.join(folder, name), **options.get(name, {}))
    with open(os.path.join(folder, 'colour.bmp'), 'rb') as file:
        data = file.read()
    with open(os.path.join(folder, 'downwards.bmp'), 'wb') as file:
        file.write(data[:22] + (-21).to_bytes(4, 'little', signed=True) + data[26:])
    with open(os.path.join(folder, 'os2.bmp'), 'wb') as file:
        head = [50, 0, 0, 0, 0, 0, 0, 0, 26, 0, 0, 0, 12, 0, 0, 0, 4, 0, 2, 0, 1, 0, 24, 0]
        file.write(b'BM' + bytes([*head, *range(24)]))
    deep = numpy.linspace(0, 65535, 630).reshape(21, 30).astype('uint16')
    for name in ('deep.png', 'deep.tif', 'deep.pgm'):
        Image.fromarray(deep).save(os.path.join(folder, name))
    return deep.tolist()

def shown(file):
    import numpy
    from PIL import Image, ImageOps
    image = ImageOps.exif_transpose(Image.open(file))
    if image.mode == 'CMYK':
        image = image.convert('RGB')
    return numpy.asarray(image.convert('RGBA')).astype('float64')
", local = TRUE)
  list(folder = folder, deep = python$make(folder), shown = python$shown)
}

with_opacity <- function(x) image_array(x, channels = 4)[1, , , ]

test_that("files are read as Pillow shows them: all formats, palettes, print, and how photographs lie", {
  files <- pillow_files()
  names <- setdiff(list.files(files$folder), c("deep.png", "deep.tif", "deep.pgm"))
  expect_length(names, 25 + 32)
  for (name in names) {
    file <- file.path(files$folder, name)
    found <- with_opacity(file)
    truth <- files$shown(file) / 255
    expect_identical(dim(found), dim(truth), info = name)
    # a TIFF's palette has 16 bits, of which Pillow takes 8
    expect_lt(max(abs(found - truth)), if (name == "palette.tif") 1 / 255 else 1e-6, label = name)
  }
})

test_that("of 16 bits all are kept", {
  files <- pillow_files()
  truth <- matrix(unlist(files$deep), 21, 30, byrow = TRUE) / 65535
  for (name in c("deep.png", "deep.tif", "deep.pgm")) {
    expect_lt(max(abs(image_array(file.path(files$folder, name))[1, , , 1] - truth)), 1e-12, label = name)
  }
})

test_that("photographs are left as they are stored, in all functions that read files", {
  files <- pillow_files()
  stored <- file.path(files$folder, "colour.png")
  for (suffix in c(".png", ".tif", ".webp")) {
    for (number in c(2, 6)) {
      file <- file.path(files$folder, paste0("turned_", number, suffix))
      expect_identical(image_array(file, orient = FALSE), image_array(stored))
    }
  }
  file <- file.path(files$folder, "turned_6.png")
  upright <- image_array(file)
  expect_identical(dim(upright), c(1L, 30L, 21L, 3L))
  expect_identical(without_boxes(crop_center(file, 30, 11)), upright[1, , 6:16, ])
  expect_identical(without_boxes(crop_center(file, 11, 30, orient = FALSE)), image_array(stored)[1, 6:16, , ])
  for (crop in list(crop_border(file, 0, orient = FALSE), crop_random(file, 21, 30, orient = FALSE),
                    crop_multi(file, 21, 30, "grid", orient = FALSE),
                    crop_boxes(file, c(0, 0, 30, 21), orient = FALSE))) {
    expect_identical(dim(crop), c(21L, 30L, 3L))
  }
  withr::local_pdf(NULL)
  expect_silent(plot_crops(file, c(0, 0, 30, 21), orient = FALSE))
  expect_silent(plot_boxes(c(0, 0, 30, 21), file, orient = FALSE))
  expect_error(crop_center(file, 2, 2, orient = 1), "orient", class = "kerascrop_error_argument")
})

test_that("only regular files are read, and none that would take too much memory", {
  skip_on_os("windows")
  pipe <- withr::local_tempfile(fileext = ".png")
  system2("mkfifo", shQuote(pipe))
  for (path in c(pipe, "/dev/zero", "/dev/null")) {
    expect_error(crop_center(path, 2, 2), basename(path), class = "kerascrop_error_argument")
  }
  bytes <- "a\xff"
  Encoding(bytes) <- "bytes"
  expect_error(crop_center(bytes, 2, 2), class = "kerascrop_error_shape")
  photo <- system.file("extdata", "chelsea.jpg", package = "kerascrop")
  expect_error(image_array(photo, max_pixels = 451 * 300 - 1), "451 x 300", class = "kerascrop_error_argument")
  skip_if_not_installed("jpeg")
  expect_identical(dim(image_array(photo, max_pixels = 451 * 300)), c(1L, 300L, 451L, 3L))
})

test_that("sizes that a file only claims take no memory, also behind bytes that do not belong there", {
  file <- withr::local_tempfile()
  zeros <- as.raw(rep(0, 40))
  heads <- list(
    png = c(as.raw(c(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13)), charToRaw("IHDR"),
            as.raw(c(0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 8, 2)), zeros),
    jpeg = c(as.raw(c(0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0xff, 0xff, 0xff, 0xff, 3)), zeros, as.raw(c(0xff, 0xd9))),
    behind = c(as.raw(c(0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 7, 7, 7, 0xff, 0, 0xff, 0xff, 0xc0, 0, 11, 8)),
               as.raw(c(0xff, 0xff, 0xff, 0xff, 3)), zeros, as.raw(c(0xff, 0xd9))),
    webp = c(charToRaw("RIFF"), zeros[1:4], charToRaw("WEBPVP8X"), zeros[1:8], as.raw(rep(0xff, 6))),
    pnm = charToRaw("P6\n# a comment\n65535 65535 255\n"),
    gif = c(charToRaw("GIF89a"), as.raw(c(0xff, 0xff, 0xff, 0xff)), zeros),
    bmp = c(charToRaw("BM"), zeros[1:16], as.raw(c(0, 0, 1, 0, 0, 0, 1, 0)), zeros)
  )
  for (head in heads) {
    writeBin(head, file)
    expect_error(image_array(file), "(65535|65536|16777216|2147483647) x", class = "kerascrop_error_argument")
  }
})

test_that("damaged files are read or named, and take no memory: some of the cases of tests/fuzz", {
  program <- test_path("..", "fuzz", "images.R")
  skip_if_not(file.exists(program), "tests/fuzz")
  skip_if_not_installed("png")
  skip_if_not_installed("jpeg")
  fuzz <- new.env()
  sys.source(program, fuzz)
  withr::local_preserve_seed()
  expect_true(fuzz$run_cases(60, 7)) |> capture.output() |> expect_match("60 cases .* 0 findings", all = FALSE)
})
