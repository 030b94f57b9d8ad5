# The picture that the editor shows. What browsers show themselves, PNG and JPEG files, is sent as it is: only its
# header is read here, so that a photograph of 50 megapixels is there at once. Other images are written as such files,
# reduced where they are large. Boxes are in pixels of the original all along.

most_shown <- 2^22 # pixels that are written; what the browser shows of a file is bounded in picture.js

# A list: the image's `height` and `width`, upright; its `name`; and the `picture`: `bytes`, `type`, and EXIF's number
# of how it lies.
as_picture <- function(image, arg, call) {
  found <- if (is_string(image)) file_picture(image, arg, call)
  name <- if (is_string(image)) valid_text(basename(image)) else "Image"
  c(found %||% array_picture(image, arg, call), name = name)
}

# A file's own bytes; NULL where browsers do not show it, or not in its colours.
file_picture <- function(path, arg, call) {
  file <- open_image(path, arg, call)
  header <- file$header
  turned <- (header$orientation %||% 1) %in% 2:8
  if (!file$format %in% c("png", "jpeg") || isTRUE(header$channels == 4) || turned && file$format == "png") return(NULL)
  in_file(path, call, check_end(file$format, file$bytes))
  size <- if (turned && header$orientation > 4) rev(header$size) else header$size
  if (length(size) != 2 || anyNA(size) || any(size < 1)) stop_file(path, "It does not say how large it is.", call)
  # How it lies is the editor's to show, as R found it: browsers, which would turn it too, look for EXIF by its name.
  bytes <- file$bytes
  bytes[grepRaw(exif_name, bytes, fixed = TRUE, all = TRUE)] <- charToRaw("-")
  list(height = size[1], width = size[2], picture = list(
    bytes = bytes, type = paste0("image/", file$format), orientation = if (turned) header$orientation else 1
  ))
}

array_picture <- function(image, arg, call) {
  x <- as_images(image, arg, call)
  if (x$n != 1) kerascrop_abort(c("{.arg {arg}} must be one image.", x = "There are {x$n}."), "shape", call)
  size <- ceiling(x$lengths * min(1, sqrt(most_shown / prod(x$lengths))))
  pixels <- native_raster(device_pixels(x$x, 1, size), told_range(x$x))
  is_opaque <- x$channels %in% c(1, 3) || x$channels > 4
  format <- if (is_opaque && prod(size) > 2^18 && rlang::is_installed("jpeg")) "jpeg" else "png"
  rlang::check_installed(format, "to show this image.", call = call)
  bytes <- if (format == "jpeg") jpeg::writeJPEG(pixels, quality = 0.92) else png::writePNG(pixels)
  list(height = x$lengths[["height"]], width = x$lengths[["width"]], picture = list(
    bytes = bytes, type = paste0("image/", format), orientation = 1
  ))
}

# Sends the picture of an editor that is about to be drawn: within the page, or where a Shiny app draws it, from an
# address of the session's, so that the app's own messages do not wait for it.
send_picture <- function(widget) {
  drawing <- if (isNamespaceLoaded("shiny")) shiny::getCurrentOutputInfo()
  session <- if (!is.null(drawing)) shiny::getDefaultReactiveDomain()
  widget$x$picture <- sent_picture(widget$x$picture, drawing$name, session)
  widget
}

sent_picture <- function(picture, id, session) {
  sent <- picture[c("type", "orientation")]
  if (is.null(session)) return(c(sent, data = jsonlite::base64_enc(picture$bytes)))
  # One picture for each editor: the next takes its place.
  c(sent, url = session$registerDataObj(paste0(id, "_picture"), picture[c("bytes", "type")], function(data, request) {
    shiny::httpResponse(200L, data$type, data$bytes, list("Cache-Control" = "no-store"))
  }))
}
