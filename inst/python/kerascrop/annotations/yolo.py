"""YOLO's text files, one for each image: a line for each box, with the class's number from 0 on, then the centre, width
and height as fractions of the image's. Names of the classes are in `classes.txt`, or in a `data.yaml`.
"""

import json
import os
import re

from kerascrop import checks
from kerascrop.annotations.csv_file import NUMBER, exact
from kerascrop.annotations.storage import text_of_file
from kerascrop.annotations.table import Images, by_image, check_table, rows_of

CLASSES = "classes.txt"
NO_LABELS = {CLASSES, "requirements.txt", "README.txt"}
PLACES = 9  # decimals of sides in pixels: what fractions keep of a number


def is_labels(name):
    """Whether a file may hold an image's labels, by its name."""
    return name.endswith(".txt") and os.path.basename(name) not in NO_LABELS


def parse(texts, folder, images):
    """The table of files `{name: text}`, named from their folder on."""
    found, known = [], images or Images(image_folder(folder))
    for name, text in texts.items():
        stem, path = os.path.splitext(name)[0], os.path.join(folder, name)
        names = known.named(stem) or known.named(_with_images(stem))
        if len(names) != 1:
            what = f"there are {len(names)}: {', '.join(names)}" if names else "there is none"
            raise checks.BoxError(
                f"{path!r} needs its image, for the name and the size, but {what}. Give `images`, the folder of the "
                "images."
            )
        (file,) = names
        size = known.size(file)
        classes = class_names(os.path.join(folder, os.path.dirname(name)), folder)
        boxes = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                label, *sides = _box(line.split(), classes, size, f"{path!r}, line {number}")
                boxes.append((*sides, label, f"line {number} of {path!r}"))
        found.append((file.replace(os.sep, "/"), size, boxes))
    columns, places = by_image(found)
    return check_table(columns, repr(folder), places)


def _box(parts, classes, size, place):
    """The label and the sides of a line."""
    is_outline = len(parts) > 6 and len(parts) % 2 == 1
    if not all(map(NUMBER.fullmatch, parts)) or not (is_outline or len(parts) in (5, 6)):
        raise checks.BoxError(
            f"{place}: a line must be a class's number, then x, y, width and height (or a polygon), not "
            f"{checks.shown(' '.join(parts))}."
        )
    number, *numbers = map(float, parts)
    if classes is None:
        label = str(int(number))
    elif number != int(number) or not 0 <= number < len(classes):
        raise checks.BoxError(f"{place}: there is no class {parts[0]}, but {len(classes)} classes, from 0 on.")
    else:
        label = classes[int(number)]
    if is_outline:
        x, y = numbers[::2], numbers[1::2]
        sides = (min(x), min(y), max(x), max(y))
    else:
        x, y, width, height = numbers[:4]
        sides = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        numbers = numbers[:4]
    if not all(-0.01 <= each <= 1.01 for each in numbers):
        raise checks.BoxError(f"{place}: the numbers must be fractions of the image's size, from 0 to 1.")
    height, width = size
    return label, *(round(side * length, PLACES) for side, length in zip(sides, (width, height) * 2))


def _with_images(path):
    """Ultralytics's place of an image, for that of its labels: the last folder `labels` is `images` there."""
    parts = path.split(os.sep)
    if "labels" in parts[:-1]:
        parts[len(parts) - 1 - parts[::-1].index("labels", 1)] = "images"
    return os.sep.join(parts)


def image_folder(folder):
    """Where the images of a folder of labels are: beside them, or as Ultralytics has it, in `images` for `labels`."""
    beside = os.path.dirname(_with_images(os.path.join(os.path.abspath(folder), "")))
    return beside if os.path.isdir(beside) else folder


def class_names(folder, root, above=2):
    """The names of the classes: of the nearest file that has them, from a folder up to its root, and `above` that.

    None where there is no such file.
    """
    folder, root = os.path.abspath(folder), os.path.abspath(root)
    for _ in range(folder.count(os.sep) - root.count(os.sep) + 1 + above):
        for name, names_of in ((CLASSES, _lines), ("data.yaml", yaml_names), ("dataset.yaml", yaml_names)):
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                return names_of(text_of_file(path), path)
        folder = os.path.dirname(folder)
    return None


def _lines(text, path):
    return text.rstrip("\r\n").replace("\r\n", "\n").split("\n") if text.strip() else []


SCALAR = r"""\s*(?:(\d+)\s*:\s*)?("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s,\]}"'#][^,\]}#\n]*)"""
IN_A_LINE = re.compile(SCALAR + r"\s*(?:#.*)?\s*(?:,|$)")
ON_LINES = re.compile(r"""\s*(?:-|(\d+)\s*:)\s+("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#].*?)\s*(?:\s#.*)?""")


def yaml_names(text, path):
    """The list `names` of a YAML file, or its dict from 0 on, in a line or with a line for each."""
    found = re.search(r"^names:[ \t]*(?:#.*)?(.*)$", text, re.MULTILINE)
    rest = text[found.end() :] if found else ""
    if found and found[1][:1] in ("[", "{"):
        inside = re.match(r"[\[{]((?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\]}\"'])*)[\]}]", found[1] + rest)
        parts, at = [], 0
        while inside and inside[1][at:].strip():
            part = IN_A_LINE.match(inside[1], at)
            if not part:
                parts = []
                break
            parts.append(part.groups())
            at = part.end()
    else:
        parts = []
        for line in rest.lstrip("\n").splitlines():
            part = ON_LINES.fullmatch(line)
            if part:
                parts.append(part.groups())
            elif line.strip() and not line.lstrip().startswith("#"):
                break
    keys = [int(key) if key else number for number, (key, _) in enumerate(parts)]
    if not parts or sorted(keys) != list(range(len(keys))):
        raise checks.BoxError(f"{path!r} must have `names`: a list of the classes, or a dict by number, from 0 on.")
    return [_scalar(name) for _, (_, name) in sorted(zip(keys, parts))]


def _scalar(text):
    if text.startswith('"'):
        return json.loads(text)
    return text[1:-1].replace("''", "'") if text.startswith("'") else text.strip()


def texts_of(table, classes):
    """The files of a table with sizes: `{name: text}`; the names of the classes stand in each folder."""
    sizes = dict(zip(table["file"], zip(table["height"], table["width"])))
    wrong = [name for name in classes if "\n" in name or "\r" in name]
    if wrong:
        raise checks.BoxError(f"A class of YOLO's has a name of one line, not {wrong[0]!r}.")
    texts = {}
    for file, boxes in rows_of(table).items():
        height, width = sizes[file]
        lines = []
        for x1, y1, x2, y2, label in boxes:
            numbers = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height
            if not all(0 <= number <= 1 for number in numbers):
                raise checks.BoxError(
                    f"YOLO's fractions are from 0 to 1, but the box {x1:g}, {y1:g}, {x2:g}, {y2:g} of {file!r} reaches "
                    "too far out of its image: `kerascrop.clip_boxes()` moves its sides inside."
                )
            lines.append(" ".join(map(str, (classes.index(label), *map(exact, numbers)))) + "\n")
        texts[os.path.splitext(file)[0] + ".txt"] = "".join(lines)
    for folder in {os.path.dirname(name) for name in texts} | {""}:
        texts[os.path.join(folder, CLASSES)] = "".join(f"{name}\n" for name in classes)
    return texts
