"""Boxes of several images as a table: the columns, what may stand in them, and the images' sizes.

In here a table is a dict of lists, equally long, with the names of `COLUMNS`. An image without boxes has one row, whose
sides are NaN. A size that is not known is None.
"""

import contextlib
import math
import os

import numpy as np

from kerascrop import checks
from kerascrop.pipelines import files

SIDES = ("x1", "y1", "x2", "y2")
COLUMNS = ("file", *SIDES, "label", "height", "width")
LONGEST_PATH = 4096  # characters
NO_BOX = (math.nan,) * 4
NAMELESS = "object"  # the class of boxes without a label, in the formats that know none without a class


def as_table(boxes, where="`boxes`"):
    """A table of what a user gave: a dict of columns, a data frame, or a list of dicts, one for each row."""
    try:
        columns = _columns(boxes)
        lengths = {len(column) for column in columns.values()}
    except Exception:  # objects may raise anything when they are looked at
        columns, lengths = {}, set()
    missing = [name for name in COLUMNS[:5] if name not in columns]
    if missing or len(lengths) != 1:
        raise checks.BoxError(
            f"{where} must have the columns {', '.join(COLUMNS[:5])}, equally long: a dict of them, a data frame, or a "
            f"list of dicts; not {checks.shown(boxes)}."
        )
    (length,) = lengths
    columns = {name: columns.get(name, [None] * length) for name in COLUMNS}
    return check_table(columns, where)


def _columns(boxes):
    if isinstance(boxes, (list, tuple)):
        names = {name for row in boxes for name in row}
        if not boxes:
            names = COLUMNS
        return {name: [row.get(name) for row in boxes] for name in names}
    if isinstance(boxes, str):
        raise TypeError
    return {str(name): list(boxes[name]) for name in boxes.keys()}


def check_table(columns, where, places=None):
    """The table, with plain strings and numbers; stops at the first row that is none.

    Args:
        columns: a dict of lists; labels, heights and widths may be None or NaN.
        where: what has the boxes, for errors.
        places: for each row where that is, such as "annotations[3]"; None counts rows from 1.
    """

    def stop(row, problem):
        place = places[row] if places else f"row {row + 1}"
        name = columns["file"][row]
        named = f", file {checks.shown(name)}" if isinstance(name, str) else ""
        raise checks.BoxError(f"{where}, {place}{named}: {problem}")

    table = {name: [] for name in COLUMNS}
    sizes, alone = {}, {}
    for row, (file, *sides, label, height, width) in enumerate(zip(*(columns[name] for name in COLUMNS))):
        if not is_text(file) or not file:
            stop(row, f"`file` must be a name, not {checks.shown(file)}.")
        sides = [_side(side) for side in sides]
        if None in sides or 0 < sum(map(math.isnan, sides)) < 4:
            stop(row, f"{', '.join(SIDES)} must be finite numbers, or all missing, not {_shown(columns, row)}.")
        size = tuple(_length(length) for length in (height, width))
        if 0 in size or (None in size) and size != (None, None):
            shown = ", ".join(map(checks.shown, (height, width)))
            stop(row, f"height and width must be whole numbers, at least 1, or both missing, not {shown}.")
        empty = math.isnan(sides[0])
        if file in sizes and (empty or alone[file]):
            stop(row, "a row without a box says that its image has none, so there must be no other.")
        alone[file] = empty
        if sizes.setdefault(file, size) != size:
            stop(row, f"the image is {_size(size)} here, but {_size(sizes[file])} before.")
        x1, y1, x2, y2 = sides
        if x2 <= x1 or y2 <= y1:
            stop(row, f"x1 < x2 and y1 < y2 must hold, not {_shown(columns, row)}.")
        if size[0] and (x2 <= 0 or y2 <= 0 or x1 >= size[1] or y1 >= size[0]):
            stop(row, f"the box {_shown(columns, row)} lies outside of its image, {_size(size)}.")
        label = _label(label)
        if label is None:
            stop(row, f"`label` must be a name, a whole number, or missing, not {checks.shown(columns['label'][row])}.")
        for name, value in zip(COLUMNS, (str(file), *sides, label, *size)):
            table[name].append(value)
    return table


def is_text(value):
    """Whether it is a string that files can hold."""
    if not isinstance(value, str) or "\0" in value:
        return False
    with contextlib.suppress(UnicodeEncodeError):
        return bool(value.encode()) or True
    return False


def _is_missing(value):
    return value is None or isinstance(value, (float, np.floating)) and math.isnan(value)


def _side(value):
    return math.nan if _is_missing(value) else checks.real_number(value)


def _length(value):
    """A side of an image, None where it is not known, 0 for what is none."""
    return None if _is_missing(value) else max(checks.whole_number(value) or 0, 0)


def _label(value):
    if _is_missing(value):
        return ""
    if isinstance(value, str):
        return str(value) if is_text(value) else None
    number = checks.whole_number(value)
    return None if number is None else str(number)


def _shown(columns, row):
    return ", ".join(checks.shown(columns[side][row]) for side in SIDES)


def _size(size):
    return "of unknown size" if None in size else f"{size[1]} pixels wide and {size[0]} high"


def as_arrays(table):
    """A table as users get it: NumPy arrays. Sizes are whole numbers, or floats with NaN where some are not known."""

    def lengths(values):
        if None not in values:
            return np.array(values, "int64")
        return np.array([math.nan if value is None else value for value in values])

    as_array = {"height": lengths, "width": lengths, **dict.fromkeys(SIDES, lambda x: np.array(x, "float64"))}
    return {name: as_array.get(name, lambda x: np.array(x, str))(table[name]) for name in COLUMNS}


def rows_of(table):
    """The table's rows that have a box, by image: `{file: [(x1, y1, x2, y2, label), ...]}`, in order."""
    found = {file: [] for file in table["file"]}
    for file, *sides, label in zip(*(table[name] for name in COLUMNS[:6])):
        if not math.isnan(sides[0]):
            found[file].append((*sides, label or NAMELESS))
    return found


def by_image(images):
    """A table of `[(file, (height, width), [(x1, y1, x2, y2, label, place), ...]), ...]`; places are for errors.

    Returns the columns, and the place of each row.
    """
    rows = [
        (file, *sides, label, *size, place)
        for file, size, boxes in images
        for *sides, label, place in boxes or [(*NO_BOX, "", "no box")]
    ]
    *columns, places = zip(*rows) if rows else [()] * (len(COLUMNS) + 1)
    return dict(zip(COLUMNS, map(list, columns))), list(places)


class Images:
    """Where the images are that boxes are of: their files' names and sizes.

    Args:
        given: a folder of image files, or a table with the columns `file`, `height` and `width`; None for none.
    """

    def __init__(self, given):
        self.folder, self.known = None, {}
        if given is None:
            return
        folder = path_text(given)
        if folder is not None:
            if not os.path.isdir(folder):
                raise checks.ArgumentError(f"`images` must be a folder that exists, not {checks.shown(given)}.")
            self.folder = folder
            return
        try:
            columns = _columns(given)
            rows = list(zip(columns["file"], columns["height"], columns["width"]))
        except Exception:  # objects may raise anything when they are looked at
            rows = [None]
        if not all(row and is_text(row[0]) and _length(row[1]) and _length(row[2]) for row in rows):
            raise checks.ArgumentError(
                "`images` must be a folder, or a table of images with file, height and width, not "
                f"{checks.shown(given)}."
            )
        self.known = {str(file): (_length(height), _length(width)) for file, height, width in rows}

    def size(self, file):
        """Height and width of an image as viewers show it; None where it is not known."""
        if file in self.known or self.folder is None:
            return self.known.get(file)
        path = os.path.join(self.folder, file)
        try:
            with files.opened(path) as image:
                turned = files.orientation(image) > 4
                return (image.width, image.height) if turned else (image.height, image.width)
        except files.Unreadable as problem:
            raise checks.ArgumentError(f"The image {path!r} {problem}.") from None

    def named(self, stem):
        """The names of images that are `stem`, but for the ending."""
        if self.folder is None:
            return [file for file in self.known if os.path.splitext(file)[0] == stem]
        folder, name = os.path.split(stem)
        inside = os.path.join(self.folder, folder)
        if inside not in self.known:  # a folder is listed once
            listed = sorted(os.listdir(inside)) if os.path.isdir(inside) else []
            self.known[inside] = [file for file in listed if os.path.splitext(file)[1].lower() in files.suffixes()]
        return [os.path.join(folder, file) for file in self.known[inside] if os.path.splitext(file)[0] == name]


def with_sizes(table, images, what):
    """The table, with the sizes that it lacks read from the images; stops where that cannot be."""
    sizes = {}
    for row, (file, height, width) in enumerate(zip(table["file"], table["height"], table["width"])):
        if height is None:
            if file not in sizes:
                sizes[file] = images.size(file)
            if sizes[file] is None:
                raise checks.BoxError(
                    f"{what} needs the images' sizes, but that of {file!r} is not known: give the columns height and "
                    "width, or `images`, the folder of the images."
                )
            table["height"][row], table["width"][row] = sizes[file]
    return check_table(table, "`boxes`") if sizes else table


def path_text(path):
    """A path as text; None for what is none."""
    if isinstance(path, (str, os.PathLike)):
        with contextlib.suppress(Exception):  # an object's own
            path = os.fspath(path)
            if is_text(path) and 0 < len(path) < LONGEST_PATH:
                os.path.exists(path)
                return path
    return None
