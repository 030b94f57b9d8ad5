"""Boxes in and out: files that annotation tools and detectors read and write."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from kerascrop import checks
from kerascrop.annotations import coco, csv_file, storage, table, voc, yolo

FORMATS = ("csv", "coco", "voc", "yolo")
IN_FOLDERS = {"voc": voc.is_annotation, "yolo": yolo.is_labels}  # formats with a file for each image: which they are


def read_boxes(
    path: str | os.PathLike,
    format: str | None = None,
    images: str | os.PathLike | Mapping | None = None,
    first_pixel: int | None = None,
) -> dict[str, np.ndarray]:
    """Boxes of several images, from the files of an annotation tool.

    Four formats are read:

    * `"csv"`: one file, with columns `file, x1, y1, x2, y2`, and perhaps `label`, `height` and `width`;
    * `"coco"`: one JSON file with `images`, `annotations` and `categories`. Annotations with `iscrowd`, which are
      around many objects, are left out;
    * `"voc"`: one XML file for each image, as Pascal VOC and labelImg have them, in a folder and the folders in it;
    * `"yolo"`: one text file for each image, as Ultralytics and labelImg have them, in a folder and the folders in it,
      with the names of the classes in `classes.txt` or `data.yaml`. Without these a label is the class's number.

    Boxes are `x1, y1, x2, y2`, in pixels of the image, whose top left corner is 0, 0: `x2 - x1` is a box's width. COCO
    and YOLO count in the same way. The numbers in VOC's data sets are of pixels, from 1 on, both ends included; they
    become `xmin - 1, ymin - 1, xmax, ymax`. Other programs that write such files put edges there, as ours are: so does
    labelImg, though it rounds down, and writes 1 for 0. `first_pixel` says which it is; None goes by the files: those
    of the challenge name "The VOC2007 Database", or another year's, as their source.

    Args:
        path: a file or a folder.
        format: one of the above; None tells it by what is there.
        images: for YOLO, whose files know neither the images' endings nor their sizes: the folder of the images, or
            a table with the columns `file`, `height` and `width`. None takes images beside the labels, or, for labels
            in a folder `labels`, those in `images` beside it.
        first_pixel: for VOC, 1 or 0, or None: see above.

    Returns:
        A dict of arrays, equally long, which `pandas.DataFrame()` takes: `file`, the image's name, from the folder on;
        `x1`, `y1`, `x2`, `y2`; `label`, a name, empty for none; and `height` and `width` of the image, NaN where they
        are not known. An image that has no boxes in a file of its own, or in COCO's list, has one row, with NaN for the
        sides: as `BoxLoss` takes boxes that are missing.

    Raises:
        ArgumentError: there is no such file or folder, or its format is not clear.
        BoxError: a file is broken, names a class or an image that there is not, or has boxes that are none: reversed,
            without area, or outside of their image. XML that declares entities is not read. The error says where it is.

    Example:

    >>> boxes = kerascrop.read_boxes("annotations.json")
    >>> kerascrop.write_boxes(boxes, "labels", "yolo")
    """
    where = _check_path(path)
    if not os.path.exists(where):
        raise checks.ArgumentError(f"`path` must be a file or a folder, but there is no {where!r}.")
    format = checks.check_choice(format, "format", (*FORMATS, None)) or _told(where)
    if first_pixel is not None:
        first_pixel = _check_first(first_pixel)
    images = images if images is None else table.Images(images)
    if os.path.isdir(where) and format not in IN_FOLDERS:
        raise checks.ArgumentError(f"`path` must be a file for the format {format!r}; {where!r} is a folder.")
    if format == "csv":
        found = csv_file.parse(storage.text_of_file(where), where)
    elif format == "coco":
        found = coco.parse(storage.text_of_file(where), where)
    else:
        folder, names = where, storage.files_in(where, IN_FOLDERS[format])
        if not os.path.isdir(where):
            folder, names = os.path.dirname(where) or ".", [os.path.basename(where)]
        if not names:
            raise checks.ArgumentError(f"`path` must hold files of the format {format!r}; {where!r} has none.")
        read = {"voc": storage.bytes_of_file, "yolo": storage.text_of_file}[format]
        texts = {name: read(os.path.join(folder, name)) for name in names}
        found = voc.parse(texts, folder, first_pixel) if format == "voc" else yolo.parse(texts, folder, images)
    return table.as_arrays(found)


def write_boxes(
    boxes: Mapping | Sequence[Mapping],
    path: str | os.PathLike,
    format: str | None = None,
    classes: Sequence[str] | None = None,
    images: str | os.PathLike | Mapping | None = None,
    first_pixel: int = 0,
) -> None:
    """Boxes of several images, as a file, or files, that annotation tools and detectors read.

    The formats are those of `read_boxes()`, which gives the same boxes again: to the last bit, but for YOLO's
    fractions, which keep nine decimals of a pixel, and for `first_pixel=1`. Images without boxes stay, and so do the
    names of classes, of files and of folders in them. Rows come back by image; from folders images come sorted. Boxes
    without a label get the class `"object"`, except in CSV. All is written beside its place first: there is never half
    a file, and none where something is wrong. In a folder that is there, files of the same names are replaced.

    Args:
        boxes: what `read_boxes()` returns; or a data frame, or a list with a dict for each row. `file` and the four
            sides are needed, for other formats than CSV also the images' sizes.
        path: `".csv"` or `".json"` at its end tell the format; for `"voc"` and `"yolo"` it is a folder.
        format: see `read_boxes()`.
        classes: all classes, in the order in which they are numbered; None takes those that are there, sorted. A
            `classes.txt` that is there keeps its numbers: new classes come after those in it.
        images: the folder of the images, to read sizes from that the boxes lack; or a table with `file`, `height` and
            `width`.
        first_pixel: for VOC, what the first pixel's number is. 0 writes the sides as they are, which labelImg reads;
            1 writes the first and the last pixel, as Pascal VOC defined it.

    Raises:
        ArgumentError: the format is not clear, or the path cannot be written.
        BoxError: boxes with a NaN, reversed or outside of their image, sizes that are missing or contradict each other,
            or names that the format cannot hold. The error says which row.

    Example:

    >>> kerascrop.write_boxes([dict(file="a.jpg", x1=8, y1=9, x2=30, y2=40, label="cup")], "boxes.csv")
    """
    where = _check_path(path)
    rows = table.as_table(boxes)
    format = checks.check_choice(format, "format", (*FORMATS, None))
    if format is None:
        format = {".csv": "csv", ".json": "coco"}.get(os.path.splitext(where)[1].lower())
        if format is None:
            raise checks.ArgumentError(
                f"`format` must be given, one of {', '.join(map(repr, FORMATS))}, where `path` does not end in .csv or "
                f".json: {where!r}."
            )
    first_pixel = _check_first(first_pixel)
    images = table.Images(images)
    given = classes if classes is None else _check_classes(classes)
    wants_folder = format in IN_FOLDERS
    if os.path.exists(where) and os.path.isdir(where) != wants_folder:
        what = "folder" if wants_folder else "file"
        raise checks.ArgumentError(f"`path` must be a {what} for the format {format!r}, which {where!r} is not.")
    if not os.path.isdir(os.path.dirname(os.path.abspath(where))):
        raise checks.ArgumentError(f"`path` must be in a folder that exists, not {where!r}.")
    numbered = _classes(rows, given, where if format == "yolo" else None, format)
    if format != "csv":
        rows = table.with_sizes(rows, images, format)
    if wants_folder:
        _check_files(rows, format)
    texts = {
        "csv": lambda: {"": csv_file.text_of(rows)},
        "coco": lambda: {"": coco.text_of(rows, numbered)},
        "voc": lambda: voc.texts_of(rows, first_pixel),
        "yolo": lambda: yolo.texts_of(rows, numbered),
    }[format]()
    storage.write_files(where, texts)


def _check_path(path):
    where = table.path_text(path)
    if where is None:
        raise checks.ArgumentError(f"`path` must be the path of a file or a folder, not {checks.shown(path)}.")
    return where


def _check_first(value):
    if checks.whole_number(value) not in (0, 1):
        raise checks.ArgumentError(f"`first_pixel` must be 0 or 1, not {checks.shown(value)}.")
    return int(value)


def _check_classes(classes):
    try:
        names = list(classes)
        fine = not isinstance(classes, str) and all(table.is_text(name) and name for name in names)
    except Exception:  # objects may raise anything when they are looked at
        names, fine = [], False
    if not fine or len(set(names)) < len(names):
        raise checks.ArgumentError(f"`classes` must be different names, not {checks.shown(classes)}.")
    return list(map(str, names))


def _classes(rows, given, folder, format):
    """The classes in the order of their numbers; stops where boxes have others, or where numbers would change."""
    there = {label for boxes in table.rows_of(rows).values() for *_, label in boxes}
    if format == "csv":
        there -= {table.NAMELESS} if "" in rows["label"] else set()
    numbered = folder and yolo.class_names(folder, folder, above=0) or []
    if given is not None and given[: len(numbered)] != numbered:
        raise checks.ArgumentError(
            f"`classes` must begin with those that {folder!r} has, {', '.join(numbered)}: else the files there would "
            "mean others. Write into a new folder."
        )
    if given is None:
        return numbered + sorted(there - set(numbered))
    if there - set(given):
        raise checks.BoxError(f"`boxes` have the label {min(there - set(given))!r}, which is not among `classes`.")
    return given


def _check_files(rows, format):
    """Stop unless each image gets a file of its own, inside of the folder."""
    stems = {}
    for file in dict.fromkeys(rows["file"]):
        storage.check_inside(file)
        stem = os.path.splitext(file)[0]
        if stem in stems or not IN_FOLDERS[format](f"{stem}.{'xml' if format == 'voc' else 'txt'}"):
            other = repr(stems[stem]) if stem in stems else "another file"
            raise checks.BoxError(
                f"The files of {format!r} are named as the images are, but for the ending: that of {file!r} would have "
                f"the name of {other}."
            )
        stems[stem] = file


def _told(path):
    """The format of what is there."""
    if os.path.isdir(path):
        there = [format for format, is_one in IN_FOLDERS.items() if storage.files_in(path, is_one)]
        if len(there) == 1:
            return there[0]
        what = "both .xml and .txt files" if there else "neither .xml nor .txt files"
        raise checks.ArgumentError(f"`format` must be given: in {path!r} there are {what}.")
    start = storage.bytes_of_file(path)[:1000].replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return {b"{": "coco", b"[": "coco", b"<": "voc"}.get(start, "csv")
