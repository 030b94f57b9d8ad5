"""Windows by place: the same rows and columns of every image, whatever its size."""

from typing import NamedTuple

import numpy as np

from kerascrop import axes, checks
from kerascrop.engine import windows

IF_SMALLER = ("error", "pad", "keep")


class Lines(NamedTuple):
    """Rows, columns or steps that follow each other, counted as Python's slices count: negative ones from the end."""

    start: int
    stop: int | None

    @property
    def ends_with_image(self):
        """Whether the stop is counted from the image's end, as the end itself, None, is."""
        return self.stop is None or self.stop < 0

    @property
    def least(self):
        """The length of the smallest image that has them all."""
        if self.start < 0:
            return -self.start
        return self.start - (self.stop or 0) + 1 if self.ends_with_image else self.stop

    @property
    def least_for_any(self):
        """The length of the smallest image that has any of them."""
        if self.start < 0:
            return 1 - (self.stop or 0)
        return self.least if self.ends_with_image else self.start + 1

    def of(self, length):
        """Start and size in an image of some length, a number or a tensor; what depends on an unknown one is None."""
        start = self.start if self.start >= 0 else None if length is None else length + self.start
        if (self.start < 0) == self.ends_with_image:
            return start, (self.stop or 0) - self.start
        return start, None if length is None else length + (self.stop or 0) - start


def fit(lines, lengths, if_smaller, layer):
    """Where windows start, and a `windows.Fit`, for `Lines` along each axis of images.

    Args:
        lines: for each axis.
        lengths: of the images: integers, scalar tensors, or None if only a shape is asked for.
        if_smaller: for images that end within the window: `"error"`; `"pad"`: add the pixels that are missing, at that
            end; `"keep"`: leave them out.
        layer: the layer's name, for the error.

    Raises:
        SizeError: an image has none of the lines, or not all and `if_smaller` is `"error"`.
    """
    fitted = []
    names = axes.AXIS_NAMES[len(lines)], axes.LINE_NAMES[len(lines)]
    for line, length, side, name in zip(lines, lengths, *names):
        least = line.least if if_smaller == "error" else line.least_for_any
        remedy = ", or `if_smaller`: 'pad' or 'keep'" if least > line.least_for_any else ""
        message = f"`{layer}` cannot cut its {name} out of images of {side} {{}}: it takes {least} at least{remedy}."
        length = windows.at_least(length, least, message)
        whole = windows.extreme(max, length, line.least)
        lacks = 0 if whole is None or if_smaller == "error" else whole - length
        start, size = line.of(whole)
        if if_smaller == "keep":
            size, lacks = None if length is None else size - lacks, 0
        fitted.append((start, whole, size, (lacks, 0) if line.start < 0 else (0, lacks)))
    starts, *parts = zip(*fitted)
    return starts, windows.Fit(*parts)


def check_place(lines, offset, size, box, rank):
    """The `Lines` along each axis, from the one of three forms that is given.

    Args:
        lines: for each axis a pair `(start, stop)`, a `slice` or a `range`; -1 or None for all of the axis.
        offset, size: a whole number for each axis, and as many; a size of -1 is all of the axis from the offset on.
        box: whole-pixel corners, x first.

    Raises:
        ArgumentError: none of the forms is given, or several are.
        SizeError: numbers that are no window.
    """
    names = axes.LINE_NAMES[rank]
    forms = any(line is not None for line in lines), offset is not None or size is not None, box is not None
    if sum(forms) != 1:
        raise checks.ArgumentError(
            f"A window needs its place in one form, not in {sum(forms)}: `{'`, `'.join(names)}`; `offset` and `size`; "
            "or `box`."
        )
    if forms[0]:
        return tuple(_from_lines(*named) for named in zip(lines, names))
    if forms[1]:
        starts = (0,) * rank if offset is None else _check_whole(offset, "offset", rank)
        sizes = (-1,) * rank if size is None else _check_whole(size, "size", rank)
        return tuple(map(_from_size, starts, sizes))
    sides = _check_whole(box, "box", 2 * rank)
    pairs = tuple(zip(sides[:rank], sides[rank:]))[::-1]
    if any(not 0 <= first < last for first, last in pairs):
        raise checks.SizeError(
            f"`box` must be corners inside the image, the first ones smaller, not {checks.shown(box)}. `BorderCrop` "
            "adds pixels outside."
        )
    return tuple(Lines(*pair) for pair in pairs)


def _from_lines(given, name):
    whole = Lines(0, None)
    if given is None or checks.whole_number(given) == -1:
        return whole
    is_range = isinstance(given, (slice, range)) and given.step in (None, 1)
    pair = (given.start, given.stop) if is_range else given if isinstance(given, (list, tuple)) else ()
    ends = [checks.whole_number(end) for end in pair]
    if len(pair) == 2 and all(end is not None or given is None for end, given in zip(ends, pair)):
        lines = Lines(ends[0] or 0, ends[1])
        if _holds_pixels(lines):
            return lines
    raise checks.SizeError(
        f"`{name}` must be (start, stop) as in a slice, whole numbers with a pixel between them, or -1 for all, not "
        f"{checks.shown(given)}."
    )


def _from_size(start, size):
    stop = None if size == -1 or start + size == 0 > start else start + size
    if (size < 1 and size != -1) or not _holds_pixels(Lines(start, stop)):
        raise checks.SizeError(
            f"`size` must be at least 1, or -1 for all of the axis, and fit between `offset` and the image's end, not "
            f"{size} from {start} on."
        )
    return Lines(start, stop)


def _holds_pixels(lines):
    """Whether there are images in which lines hold a pixel, and only such as have room for them."""
    if lines.start < 0:
        return lines.stop is None or lines.start < lines.stop < 0
    return lines.ends_with_image or lines.start < lines.stop


def _check_whole(values, name, number):
    """As many whole numbers; one number is a list of one."""
    values = values.tolist() if isinstance(values, np.ndarray) else values
    values = values if isinstance(values, (list, tuple)) else (values,)
    whole = tuple(map(checks.whole_number, values))
    if len(whole) != number or None in whole:
        raise checks.SizeError(f"`{name}` must be {number} whole numbers of pixels, not {checks.shown(values)}.")
    return whole
