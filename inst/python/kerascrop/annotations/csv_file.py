"""One CSV file in UTF-8, with a column for each of the table's; a number that is missing is empty."""

import csv
import io
import math
import re

from kerascrop import checks
from kerascrop.annotations.table import COLUMNS, SIDES, check_table

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
MISSING = ("", "NA", "NaN", "nan")


def parse(text, path):
    """The table of a file's text."""
    try:
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True)) or [[]]
    except csv.Error as error:
        raise checks.BoxError(f"{path!r} is no CSV file of boxes: {error}.") from None
    missing = [name for name in COLUMNS[:5] if header.count(name) != 1]
    if missing:
        raise checks.BoxError(f"{path!r} must have a column {missing[0]!r}; it has {checks.shown(header)}.")
    rows = [row for row in rows if row]
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise checks.BoxError(f"{path!r}, row {number}: there are {len(row)} values for {len(header)} columns.")
    columns = dict(zip(header, map(list, zip(*rows)))) if rows else {}
    columns = {name: columns.get(name, [None] * len(rows)) for name in COLUMNS}
    for name in (*SIDES, "height", "width"):
        columns[name] = [_number(value) for value in columns[name]]
    return check_table(columns, repr(path))


def _number(text):
    if text is None or text in MISSING:
        return None
    return float(text) if NUMBER.fullmatch(text) else text


def text_of(table):
    """The text of a table."""
    lines = [",".join(COLUMNS)]
    for row in zip(*(table[name] for name in COLUMNS)):
        lines.append(",".join(_quoted(value) if isinstance(value, str) else exact(value) for value in row))
    return "\n".join([*lines, ""])


def _quoted(text):
    return '"' + text.replace('"', '""') + '"'


def exact(value):
    """A number as short text that gives the same number again; nothing for one that is missing."""
    if value is None or isinstance(value, float) and math.isnan(value):
        return ""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
