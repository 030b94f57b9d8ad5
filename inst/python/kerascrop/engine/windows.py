"""Whole-pixel crops: where windows start, and what happens to images that are too small.

A window is a start and a size along one axis, in pixels counted from 0. Choosing one is plain
arithmetic on integers, or on integer tensors where a length is known only when the model runs.
"""

import math
import numbers
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from kerascrop import checks
from kerascrop.axes import AXIS_NAMES, spatial_axes
from kerascrop.backend import tf
from kerascrop.engine import xla
from kerascrop.engine.choices import Choice
from kerascrop.engine.cutting import check_fill, cut, cut_anywhere, pad
from kerascrop.engine.samples import Samples
from kerascrop.hints import Tensor

IF_SMALLER = ("error", "resize", "pad", "keep")
PAD_POSITIONS = ("center", "start", "end", "random")


class Windows(Choice):
    """Whole-pixel windows, copied and never computed: one for each image, or one for all.

    Args:
        starts: along each axis the window's first pixel, counted from 0: `(top, left)`. Each is an integer or a scalar
            tensor, or `(batch,)` integers, one for each image.
        size: of the windows, `(height, width)` in pixels; `(length,)` or `(depth, height, width)`.
        fill_value: the value of pixels outside the image, which the images' dtype must hold.
        margins: None, for windows that may lie anywhere; or, which is faster, borders of `(before, after)` pixels along
            each axis, for windows that are known to lie inside the image with these borders.
        fill_mode: what is outside the image: `"constant"`, the `fill_value`; or the image again, as `"nearest"` (a a a|
            a b c d), `"reflect"` (c b a|a b c d, what NumPy calls symmetric) or `"mirror"` (d c b|a b c d).
        mask_fill_value: the `fill_value` for masks.

    Example:

    >>> choice = kerascrop.Windows((1, 1), (2, 2))
    >>> choice.cut(np.arange(16).reshape(1, 4, 4, 1))[0, ..., 0]
    [[5, 6], [9, 10]]
    """

    def __init__(
        self,
        starts: Sequence[Tensor],
        size: Sequence[int],
        fill_value: float = 0,
        margins: Sequence[tuple[int, int]] | None = None,
        fill_mode: str = "constant",
        mask_fill_value: float = 0,
    ):
        self.starts, self.size = _check_windows(starts, size, are_whole=margins is None)
        self.fill = check_fill(fill_value, fill_mode, mask_fill_value)
        self.margins = None if margins is None else _check_borders(margins, len(self.size))
        lead = max((tuple(getattr(start, "shape", ())) for start in self.starts), key=len)
        self.boxes_shape = (*(lead or (1,)), 2 * len(self.starts))

    @property
    def boxes(self) -> Tensor:
        """`(batch, 4)`, or `(1, 4)` where all images have the same window."""
        return stack_corners(self.starts, map(operator.add, self.starts, self.size))

    def cut(self, images: Tensor, is_mask: bool = False, data_format: str | None = None) -> Tensor:
        batch = self.boxes_shape[0] if len(self.boxes_shape) == 2 and self.boxes_shape[0] != 1 else None
        images = checks.check_images_to_cut(images, len(self.size), batch)
        along = spatial_axes(len(self.size), checks.check_data_format(data_format))
        fill = self.fill.of(is_mask)
        shape = list(images.shape)
        for axis, size in zip(along, self.size):
            shape[axis] = size
        checks.check_memory(shape, "Windows", dtype=keras.backend.standardize_dtype(images.dtype))
        if self.margins is None:
            windows = zip(self.starts, self.size, [images.shape[axis] for axis in along])
            if all(isinstance(start, int) and 0 <= start <= (length or 0) - size for start, size, length in windows):
                return cut(images, along, self.starts, self.size)
            return cut_anywhere(images, along, self.starts, self.size, *fill)
        # Starts may be real numbers if the image may be enlarged.
        starts = [start if isinstance(start, int) else ops.cast(start, "int32") for start in self.starts]
        starts = [start + before for start, (before, _) in zip(starts, self.margins)]
        return cut(pad(images, along, self.margins, *fill), along, starts, self.size)


def _check_windows(starts, size, are_whole):
    """Starts and sizes of windows; each is an integer, or a tensor if it differs between images or is not known yet."""
    is_list = lambda part: isinstance(part, (list, tuple)) or isinstance(part, np.ndarray) and part.ndim > 0
    starts, size = (tuple(part) if is_list(part) else () for part in (starts, size))
    if len(starts) != len(size) or len(size) not in AXIS_NAMES:
        raise checks.SizeError(
            "`starts` and `size` must be lists of as many numbers, one for each axis: (top, left) and (height, width); "
            f"they have {len(starts)} and {len(size)}."
        )
    size = tuple(n if ops.is_tensor(n) else checks.check_size(n, name) for n, name in zip(size, AXIS_NAMES[len(size)]))
    starts = tuple(start if ops.is_tensor(start) else _check_start(start, are_whole) for start in starts)
    tensors = [start for start in starts if not isinstance(start, (int, float))]
    if any(len(start.shape) > 1 for start in tensors) or len({*(start.shape for start in tensors if start.shape)}) > 1:
        raise checks.SizeError(
            "`starts` must be a number or (batch,) numbers along each axis, equally many, not of shapes "
            f"{', '.join(str(tuple(start.shape)) for start in tensors)}."
        )
    if are_whole and any("float" in keras.backend.standardize_dtype(start.dtype) for start in tensors):
        raise checks.SizeError("`starts` must be whole numbers of pixels; `Samples` takes boxes with real sides.")
    return starts, size


def _check_start(start, is_whole):
    if not isinstance(start, numbers.Number):
        return checks.check_tensor(start, "starts")
    number = checks.whole_number(start) if is_whole or isinstance(start, int) else checks.real_number(start)
    if number is None:
        raise checks.SizeError(f"`starts` must be whole numbers of pixels, not {checks.shown(start)}.")
    return number


def _check_borders(margins, rank):
    """Pixels `(before, after)` for each axis, none of them negative; they may be tensors."""
    pairs = tuple(margins) if isinstance(margins, (list, tuple)) else ()
    if len(pairs) != rank or any(not isinstance(pair, (list, tuple)) or len(pair) != 2 for pair in pairs):
        raise checks.SizeError(f"`margins` must be a pair (before, after) for each axis, not {checks.shown(margins)}.")
    return tuple(tuple(n if ops.is_tensor(n) else checks.check_count(n, "margins", 0) for n in pair) for pair in pairs)


class Either(Choice):
    """One of two choices with the same boxes; which one is known only when the graph runs."""

    def __init__(self, condition, one, other):
        self.condition, self.one, self.other = condition, one, other
        self.boxes, self.boxes_shape, self.size = one.boxes, one.boxes_shape, one.size

    def cut(self, images: Tensor, is_mask: bool = False, data_format: str | None = None) -> Tensor:
        return ops.cond(
            self.condition,
            lambda: self.one.cut(images, is_mask, data_format),
            lambda: self.other.cut(images, is_mask, data_format),
        )


class Fit(NamedTuple):
    """How images and windows are made to fit each other, along each axis.

    Starts of windows are counted from the first pixel of the enlarged image, or of the image's border.
    """

    lengths: tuple  # of the enlarged image, or of the image with its borders
    sizes: tuple  # of the windows
    margins: tuple  # pixels `(before, after)` of borders
    scale: Any = 1  # factor by which the image is enlarged: a number, or a tensor
    enlarged: str = "never"  # or "always"; or "perhaps", if it is known only when the graph runs

    @property
    def origin(self):
        """The image's own first pixel, counted as starts are."""
        return [before if self.enlarged == "never" else 0 for before, _ in self.margins]

    def from_image(self, starts):
        """Starts counted from the image's own first pixel."""
        return [start - origin for start, origin in zip(starts, self.origin)]

    def windows(self, starts, fill):
        """`Windows` with these starts and `cutting.Fill`; see `applied_to()`."""
        return Windows(self.from_image(starts), self.sizes, fill.value, self.margins, fill.mode, fill.mask_value)

    def padded(self, pixels):
        """The same with a wider border on all sides."""
        return self._replace(
            lengths=tuple(length + 2 * pixels for length in self.lengths),
            margins=tuple((before + pixels, after + pixels) for before, after in self.margins),
        )

    def applied_to(self, choice, batch):
        """The choice of windows, or `Samples` of the original images where these are enlarged."""
        if self.enlarged == "never":
            return choice
        boxes = choice.boxes / self.scale
        samples = Samples(ops.broadcast_to(boxes, (batch, *ops.shape(boxes)[1:])), self.sizes, fill_mode="nearest")
        return samples if self.enlarged == "always" else Either(self.scale > 1, samples, choice)


def fit(lengths, sizes, if_smaller, names, layer, pad_position="center"):
    """How images that may be smaller than the windows are made to fit.

    Args:
        lengths: of the images: integers, scalar tensors, or None if only a shape is asked for.
        sizes: of the windows.
        if_smaller: `"error"`; `"resize"`: enlarge the image, keeping its aspect, until it fits; `"pad"`: add pixels on
            both sides, one more at the end where their number is odd; `"keep"`: leave the axis as it is.
        names: of the axes, for the error.
        layer: the layer's name, for the error.
        pad_position: with `"pad"`, where the image is: one of `PAD_POSITIONS`, or one for each axis; with `"random"`
            as many pixels are added on both sides as are lacking.

    Raises:
        SizeError: an image is smaller, and `if_smaller` is `"error"`.
    """
    scale, enlarged = 1, "never"
    margins = ((0, 0),) * len(sizes)
    if if_smaller == "error":
        others = ", ".join(map(repr, IF_SMALLER[1:-1])) + f" or {IF_SMALLER[-1]!r}"
        lengths = check_fits(lengths, sizes, names, layer, f"larger images, or `if_smaller`: {others}")
    elif if_smaller == "keep":
        sizes = tuple(extreme(min, length, size) for length, size in zip(lengths, sizes))
    elif if_smaller == "pad":
        margins = _borders(lengths, sizes, pad_position)
        # With the borders they are as large as the windows, or larger where the place in them is drawn.
        known = [None not in pair for pair in zip(lengths, sizes)]
        lengths = tuple(n + sum(margin) if each else None for n, margin, each in zip(lengths, margins, known))
    elif None not in lengths:
        scale = _enlargement(lengths, sizes)
        enlarged = "perhaps" if ops.is_tensor(scale) else "never" if scale == 1 else "always"
        if enlarged == "perhaps":
            # XLA also compiles the branch that does not run: there, too, windows have to fit into small images.
            margins = _borders(lengths, sizes)
        if enlarged != "never":
            lengths = tuple(_real(length) * scale for length in lengths)
    return Fit(tuple(lengths), tuple(sizes), margins, scale, enlarged)


def _borders(lengths, sizes, positions="center"):
    """The pixels `(before, after)` that images lack to be as large as the windows."""
    known = [None not in pair for pair in zip(lengths, sizes)]
    lacking = [extreme(max, s - n, 0) if each else 0 for n, s, each in zip(lengths, sizes, known)]
    positions = (positions,) * len(sizes) if isinstance(positions, str) else positions
    share = {
        "center": lambda lack: (lack // 2, lack - lack // 2), "start": lambda lack: (0, lack),
        "end": lambda lack: (lack, 0), "random": lambda lack: (lack, lack),
    }  # fmt: skip
    return tuple(share[position](lack) for position, lack in zip(positions, lacking))


def _enlargement(lengths, sizes):
    """The factor that enlarges images until windows fit: 1 if they do, a number, or a tensor if it is not known."""
    if all(isinstance(length, int) for length in lengths):
        scale = max(size / length for length, size in zip(lengths, sizes))
        return scale if scale > 1 else 1
    scales = [size / _real(length) for length, size in zip(lengths, sizes)]
    return ops.maximum(ops.max(ops.stack(scales)), 1.0)


def _real(length):
    return float(length) if isinstance(length, int) else ops.cast(length, "float32")


def extreme(choice, first, second):
    """`min` or `max` of two lengths, either of which may be a tensor; None if one is not known."""
    if first is None or second is None:
        return None
    if isinstance(first, int) and isinstance(second, int):
        return choice(first, second)
    return (ops.minimum if choice is min else ops.maximum)(first, second)


def center_window(length, size):
    """Start and stop of the middle `size` pixels; an odd pixel that is left over stays at the end."""
    start = (length - size) // 2
    return start, start + size


def center_starts(fit):
    """The starts of centred windows; in enlarged images they may lie between two pixels."""
    if fit.enlarged == "never":
        return [center_window(length, size)[0] for length, size in zip(fit.lengths, fit.sizes)]
    halves = [(length - size) / 2 for length, size in zip(fit.lengths, fit.sizes)]
    if fit.enlarged == "always":
        return halves
    return [ops.where(fit.scale > 1, half, ops.floor(half)) for half in halves]


def random_starts(fit, shape, seed):
    """Starts of random windows, uniform over all places that fit, the last one included; each axis on its own.

    Args:
        shape: `(batch,)`, for a start for each image, or `()`, for one.
        seed: a seed generator.
    """
    return [
        keras.random.randint(shape, 0, room(length, size) + 1, dtype="int32", seed=seed)
        for length, size in zip(fit.lengths, fit.sizes)
    ]


def room(length, size):
    """By how many pixels a window can be moved; an enlarged image's length is real, with a rounding error."""
    left = length - size
    if isinstance(left, float):
        return math.floor(left + 1e-3)
    if not isinstance(left, int) and "float" in keras.backend.standardize_dtype(left.dtype):
        return ops.cast(ops.floor(left + 1e-3), "int32")
    return left


def border_length(length, before, after):
    """What these margins leave of a length; None where it is not known."""
    return None if length is None else length - before - after


def check_fits(lengths, sizes, names, layer, remedy="or larger images"):
    """The lengths, checked to be no smaller than the windows. None, a length not known yet, passes."""
    message = "`{}` cannot cut {} {} out of images of {} {{}}. Use a smaller `{}`, {}."
    return [
        length
        if isinstance(length, int) and isinstance(size, int) and length >= size
        else at_least(length, size, message.format(layer, name, size, name, name, remedy))
        for length, size, name in zip(lengths, sizes, names)
    ]


def check_margins_fit(lengths, margins, names, layer):
    """The lengths, checked to keep something when the margins are gone. None, a length not known yet, passes."""
    return [
        at_least(
            length,
            before + after + 1,
            f"`{layer}` cannot remove {before} + {after} pixels from images of {name} {{}}: "
            "nothing would be left. Use smaller margins in `cropping`.",
        )
        for length, (before, after), name in zip(lengths, margins, names)
    ]


def at_least(length, least, message):
    """Check a length: now if it is known, in the graph if TensorFlow knows it only when that runs."""
    known = isinstance(length, int) and isinstance(least, int)
    if known and length < least:
        raise checks.SizeError(message.format(length))
    if known or length is None or least is None or tf is None:  # PyTorch's tracers cannot check
        return length
    return xla.at_least(length, least, message.format(f"under {least}" if isinstance(least, int) else "below that"))


def stack_corners(first, last):
    """Boxes `(..., 2 * rank)` from the windows' first and last sides along each axis, the outermost first.

    Sides are numbers or tensors that broadcast with each other; if all are numbers, there is one box.
    """
    sides = [ops.cast(side, "float32") for side in (*reversed([*first]), *reversed([*last]))]
    shape = ops.shape(sum(sides)) or (1,)
    return ops.stack([ops.broadcast_to(side, shape) for side in sides], axis=-1)
