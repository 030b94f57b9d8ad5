"""Pascal VOC's XML, a file for each image, in UTF-8.

The numbers of a file count pixels: from 1 on, both ends included, in the data sets of the challenge, which say "VOC" of
themselves; elsewhere, as labelImg writes them, they are edges from 0 on.
"""

import math
import os
import re
import xml.etree.ElementTree as ElementTree

from kerascrop import checks
from kerascrop.annotations.csv_file import exact
from kerascrop.annotations.table import by_image, check_table, rows_of

CORNERS = ("xmin", "ymin", "xmax", "ymax")
OF_THE_CHALLENGE = re.compile(r"\s*The VOC *\d{4} Database\s*")
UNKNOWN_TO_XML = re.compile("[\0-\x08\x0b-\x1f\ufffe\uffff]")


def is_annotation(name):
    """Whether a file may hold an image's boxes, by its name."""
    return name.lower().endswith(".xml")


class _Plain(ElementTree.TreeBuilder):
    """Stops at a document type: entities, which may unfold without end, are declared there."""

    def doctype(self, *_):
        raise checks.BoxError("it declares a document type")


def parse(texts, folder, first_pixel):
    """The table of files `{name: bytes}`, named from their folder on."""
    images, origins = [], {}
    for name, content in texts.items():
        path = os.path.join(folder, name)

        def stop(problem):
            raise checks.BoxError(f"{path!r} is no VOC file of boxes: {problem}.")

        try:
            root = ElementTree.fromstring(content, ElementTree.XMLParser(target=_Plain()))
        except (ElementTree.ParseError, checks.BoxError, LookupError, ValueError) as error:
            stop(error)
        file = root.findtext("filename") or ""
        if root.tag != "annotation" or not file:
            stop("it must have an <annotation> with a <filename>")
        if not os.path.dirname(file):
            file = "/".join(filter(None, (os.path.dirname(name), file)))
        if file in origins:
            stop(f"it is of {file!r}, as {origins[file]!r} is")
        origins[file] = path
        shift = first_pixel
        if shift is None:
            shift = int(bool(OF_THE_CHALLENGE.fullmatch(root.findtext("source/database") or "")))
        boxes = []
        for number, thing in enumerate(root.findall("object"), 1):
            place = f"object {number} of {path!r}"
            label = thing.findtext("name")
            corners = [_number(thing.findtext(f"bndbox/{corner}")) for corner in CORNERS]
            if label is None or None in corners:
                stop(f"object {number} must have a <name>, and a <bndbox> with numbers for {', '.join(CORNERS)}")
            x1, y1, x2, y2 = corners
            boxes.append((x1 - shift, y1 - shift, x2, y2, label, place))
        size = [_number(root.findtext(f"size/{side}")) or None for side in ("height", "width")]
        images.append((file, size if None not in size else (None, None), boxes))
    columns, places = by_image(images)
    return check_table(columns, repr(folder), places)


def _number(text):
    try:
        number = float(text)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def texts_of(table, first_pixel):
    """The files of a table with sizes: `{name: text}`."""
    sizes = dict(zip(table["file"], zip(table["height"], table["width"])))
    texts = {}
    for file, boxes in rows_of(table).items():
        height, width = sizes[file]
        stem = os.path.splitext(file)[0]
        lines = [
            "<annotation>",
            f"  <folder>{_escaped(os.path.dirname(file))}</folder>",
            f"  <filename>{_escaped(os.path.basename(file))}</filename>",
            "  <source><database>Unknown</database></source>",
            f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>",
            "  <segmented>0</segmented>",
        ]
        for x1, y1, x2, y2, label in boxes:
            corners = zip(CORNERS, (x1 + first_pixel, y1 + first_pixel, x2, y2))
            lines += [
                "  <object>",
                f"    <name>{_escaped(label)}</name>",
                "    <pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>",
                f"    <bndbox>{''.join(f'<{corner}>{exact(side)}</{corner}>' for corner, side in corners)}</bndbox>",
                "  </object>",
            ]
        texts[f"{stem}.xml"] = "\n".join([*lines, "</annotation>", ""])
    return texts


def _escaped(text):
    wrong = UNKNOWN_TO_XML.search(text)
    if wrong:
        raise checks.BoxError(f"XML cannot hold the character {wrong[0]!r} of {checks.shown(text)}.")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
