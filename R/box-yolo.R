# YOLO's text files, one for each image: a line for each box, with the class's number from 0 on, then the centre, width
# and height as fractions of the image's. Names of the classes are in `classes.txt`, or in a `data.yaml`.

yolo_decimals <- 9 # of sides in pixels: what fractions keep of a number

is_yolo_file <- function(name) {
  grepl("[.]txt$", name) & !basename(name) %in% c("classes.txt", "requirements.txt", "README.txt")
}

read_yolo <- function(names, folder, images, arg, call) {
  if (is.null(images)) images <- image_sizes(yolo_image_folder(folder), "images", call)
  read <- lapply(names, function(name) {
    path <- file.path(folder, name)
    file <- yolo_image(name, path, images, arg, call)
    size <- images$size(file)
    classes <- yolo_classes(file.path(folder, dirname(name)), folder, arg, call)
    boxes <- read_yolo_file(path, classes, size, arg, call)
    data.frame(file = file, boxes, height = size[1], width = size[2])
  })
  table <- do.call(rbind, read)
  as_box_table(table, arg, call, folder, table$place)
}

yolo_image <- function(name, path, images, arg, call) {
  stem <- tools::file_path_sans_ext(name)
  files <- images$named(stem)
  if (!length(files)) files <- images$named(with_images(stem))
  if (length(files) == 1) return(files)
  what <- if (length(files)) paste0("there are ", length(files), ": ", toString(files)) else "there is none"
  stop_table(path, paste0(
    "It needs its image, for the name and the size, but ", what, ": give `images`, the folder of the images"
  ), arg, call)
}

read_yolo_file <- function(path, classes, size, arg, call) {
  lines <- strsplit(gsub("\r", "", text_in(path, arg, call), fixed = TRUE), "\n", fixed = TRUE)[[1]]
  there <- which(nzchar(trimws(lines)))
  none <- data.frame(x1 = NA_real_, y1 = NA_real_, x2 = NA_real_, y2 = NA_real_, label = "", place = "no line")
  if (!length(there)) return(none)
  rows <- lapply(there, function(line) {
    wrong <- function(...) stop_table(path, paste0("In line ", line, ", ", ...), arg, call)
    parts <- strsplit(trimws(lines[line]), "[[:space:]]+")[[1]]
    numbers <- suppressWarnings(as.double(parts))
    is_outline <- length(parts) > 6 && length(parts) %% 2 == 1
    if (anyNA(numbers) || !(is_outline || length(parts) %in% 5:6)) {
      wrong("there must be a class's number, then x, y, width and height (or a polygon), not ", shortened(lines[line]))
    }
    label <- classes[match(numbers[1], seq_along(classes) - 1)]
    if (is.null(classes)) label <- format(numbers[1], digits = 15)
    if (is.na(label)) wrong("there is no class ", parts[1], ", but ", length(classes), " classes, from 0 on")
    numbers <- if (is_outline) numbers[-1] else numbers[2:5]
    if (!all(numbers >= -0.01 & numbers <= 1.01)) {
      wrong("the numbers must be fractions of the image's size, from 0 to 1")
    }
    x <- numbers[c(TRUE, FALSE)]
    y <- numbers[c(FALSE, TRUE)]
    sides <- if (is_outline) {
      c(min(x), min(y), max(x), max(y))
    } else {
      c(x[1] - x[2] / 2, y[1] - y[2] / 2, x[1] + x[2] / 2, y[1] + y[2] / 2)
    }
    sides <- round(sides * rep(rev(size), 2), yolo_decimals)
    data.frame(
      x1 = sides[1], y1 = sides[2], x2 = sides[3], y2 = sides[4], label = label,
      place = paste("line", line, "of", basename(path))
    )
  })
  do.call(rbind, rows)
}

# Ultralytics's place of an image, for that of its labels: the last folder `labels` is `images` there.
with_images <- function(path) {
  parts <- strsplit(path, "/", fixed = TRUE)[[1]]
  last <- utils::tail(which(parts[-length(parts)] == "labels"), 1)
  paste(replace(parts, last, rep("images", length(last))), collapse = "/")
}

# Where the images of a folder of labels are: beside them, or as Ultralytics has it.
yolo_image_folder <- function(folder) {
  beside <- dirname(with_images(file.path(normalizePath(folder, "/"), "label")))
  if (dir.exists(beside)) beside else folder
}

# The names of the classes: of the nearest file that has them, from a folder up to its root, and `above` that. NULL
# where there is no such file.
yolo_classes <- function(folder, root, arg, call, above = 2) {
  folder <- normalizePath(folder, "/")
  depth <- function(path) lengths(regmatches(path, gregexpr("/", path)))
  for (i in seq_len(depth(folder) - depth(normalizePath(root, "/")) + 1 + above)) {
    text <- file.path(folder, "classes.txt")
    if (file.exists(text)) {
      names <- sub("[\r\n]+$", "", text_in(text, arg, call))
      return(if (nzchar(names)) strsplit(names, "\r?\n")[[1]] else character())
    }
    data <- file.path(folder, c("data.yaml", "dataset.yaml"))
    data <- data[file.exists(data)]
    if (length(data)) return(yaml_names(data[1], arg, call))
    folder <- dirname(folder)
  }
}

# The list `names` of a YAML file, or its named list, by number from 0 on.
yaml_names <- function(path, arg, call) {
  rlang::check_installed("yaml", "to read the names of classes.", call = call)
  wrong <- function(problem) stop_table(path, problem, arg, call)
  as_text <- c("bool#yes", "bool#no", "int", "int#hex", "int#oct", "float", "float#fix", "float#exp", "null")
  handlers <- rlang::set_names(rep(list(identity), length(as_text)), as_text)
  data <- tryCatch(
    yaml::yaml.load(text_in(path, arg, call), handlers = handlers, eval.expr = FALSE),
    error = function(error) wrong(one_line(conditionMessage(error)))
  )
  found <- if (is.list(data)) data$names
  keys <- if (is.null(names(found))) seq_along(found) - 1 else suppressWarnings(as.double(names(found)))
  found <- unlist(found, use.names = FALSE)
  if (!is.character(found) || !setequal(keys, seq_along(found) - 1)) {
    wrong("It must have `names`: a list of the classes, or their names by number, from 0 on")
  }
  found[order(keys)]
}

# The files of a table with sizes: text, by the files' names. The names of the classes stand in each folder.
yolo_texts <- function(table, classes, arg, call) {
  wrong <- grep("[\r\n]", classes, value = TRUE)
  if (length(wrong)) stop_table(NULL, paste("A class of YOLO's has a name of one line, not", wrong[1]), arg, call)
  width <- table$width
  height <- table$height
  fractions <- cbind(
    (table$x1 + table$x2) / 2 / width, (table$y1 + table$y2) / 2 / height, (table$x2 - table$x1) / width,
    (table$y2 - table$y1) / height
  )
  row <- which(rowSums(fractions < 0 | fractions > 1) > 0)[1]
  if (!is.na(row)) {
    stop_table(NULL, paste0(
      "YOLO's fractions are from 0 to 1, but in row ", row, ", of ", table$file[row],
      ", the box reaches too far out of its image: `clip_boxes()` moves sides inside"
    ), arg, call)
  }
  numbers <- do.call(paste, lapply(1:4, function(i) exact_numbers(fractions[, i])))
  lines <- paste0(match(classes_of(table), classes) - 1, " ", numbers, "\n")
  lines[is_empty(table)] <- ""
  names <- paste0(tools::file_path_sans_ext(table$file), ".txt")
  texts <- vapply(split(lines, factor(names, unique(names))), paste, "", collapse = "")
  folders <- unique(c(".", dirname(names)))
  text <- paste0(classes, "\n", collapse = "")
  of_classes <- rlang::set_names(rep(if (length(classes)) text else "", length(folders)), ifelse(
    folders == ".", "classes.txt", file.path(folders, "classes.txt")
  ))
  c(texts, of_classes)
}
