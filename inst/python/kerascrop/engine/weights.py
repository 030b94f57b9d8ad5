"""Along one axis: where a crop's samples are taken, which pixels each of them sees, and with what weight.

All positions are edge coordinates: pixel `j` has its centre at `j + 0.5`. Tensors are `(batch, boxes, n)`, for `n`
samples of a crop; kernels `(batch, boxes, n, length)` also have an axis for the image's pixels.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from keras import ops

# Keys' cubic convolution ("Cubic convolution interpolation for digital image processing", 1981) with the parameter
# that PyTorch uses.
CUBIC = -0.75


class FillMode(NamedTuple):
    """What lies outside an image, along one axis of `length` pixels, as three functions.

    With `whole_sample`, an image continues at the centres of its outermost pixels rather than at their edges.
    """

    near: Callable  # (position, length, whole_sample): a position that sees the same pixels, and fits an integer
    index: Callable  # (index, length, whole_sample): the image's pixel that stands at an index in it or nearby
    inside: Callable  # (position, length, whole_sample): a position that, clipped to the image, sees the same pixels


def _near_edges(position, length, whole_sample):
    return clip(position, -3.0, ops.cast(length, position.dtype) + 3.0)  # nothing changes further outside


def _edge_index(index, length, whole_sample):
    return ops.clip(index, 0, length - 1)


def _in_period(position, length, whole_sample):
    length = ops.cast(length, position.dtype)
    period = 2 * (length - 1) if whole_sample else 2 * length
    return ops.mod(position - 0.5, ops.relu(period - 1) + 1) + 0.5


def _reflected_index(index, length, whole_sample):
    last = length - 1
    index = ops.mod(index, ops.maximum(2 * last, 1) if whole_sample else 2 * last + 2)
    return ops.minimum(index, (2 * last if whole_sample else 2 * last + 1) - index)


def _reflected(position, length, whole_sample):
    first = 0.5 if whole_sample else 0.0
    span = ops.cast(length, position.dtype) - 2 * first
    return first + span - ops.abs(span - ops.mod(position - first, ops.maximum(2 * span, 1.0)))


def _unmoved(position, length, whole_sample):
    return position


FILL_MODES = {
    "constant": FillMode(_near_edges, _edge_index, _unmoved),  # see `kept()`
    "nearest": FillMode(_near_edges, _edge_index, _unmoved),
    "reflect": FillMode(_in_period, _reflected_index, _reflected),
}


def positions(start, stop, size):
    """Where the samples are: in the middle of `size` equal parts of a side; NaN if an end of it is not finite."""
    start, stop = (ops.where(ops.isfinite(side), side, np.nan) for side in (start, stop))
    steps = ops.cast(ops.arange(size, dtype="int32"), start.dtype) + 0.5
    return start[..., None] + steps * ((stop - start) / ops.cast(size, start.dtype))[..., None]


# Rounding errors of a side, as a fraction of the image's length: 16 units in the last place of float32.
ROUNDING = 2e-6


def kept(position, sides, length, whole_sample=False):
    """Whose samples see the image's own pixels alone, whatever surrounds it, with `fill_mode="constant"`.

    Those of a box that is inside the image along this axis: it shows nothing of what is outside. With `whole_sample`
    each sample by itself, if it is between the centres of the outermost pixels, as in `tf.image.crop_and_resize()`.
    """
    size = ops.cast(length, position.dtype)
    first, *others = [position] if whole_sample else [side[..., None] for side in sides]
    low, high = (ops.minimum(first, *others), ops.maximum(first, *others)) if others else (first, first)
    margin = (0.5 if whole_sample else 0.0) - ROUNDING * size
    return (low >= margin) & (high <= size - margin)


def covered(position, sides, length, whole_sample=False):
    """How much of each sample is the image rather than what surrounds it, with `fill_mode="constant"`.

    A sample of a box that reaches out is blended over the pixel between half a pixel inside and half a pixel outside.
    """
    size = ops.cast(length, position.dtype)
    part = clip(0.5 + size / 2 - ops.abs(position - size / 2), 0.0, 1.0)
    part = 0 * part if whole_sample else part  # and NaN stays NaN
    return ops.where(kept(position, sides, length, whole_sample), ops.ones_like(part), part)


def taps(position, sides, length, interpolation, fill_mode, whole_sample=False):
    """The pixels that each sample sees, and their weights.

    Args:
        sides: where the boxes start and stop, `(batch, boxes)` both.
        whole_sample: the image ends at the centres of the outermost pixels, rather than at their edges.

    Returns:
        A list of pairs `(index, weight)`: pixels, always inside the image, and weights, which are 0 for what is outside
        it in `fill_mode="constant"`, unless `kept()`. A weight that is always 1 is None.
    """
    position = FILL_MODES[fill_mode].near(position, length, whole_sample)
    if interpolation == "nearest":
        pairs = [(ops.floor(position), None)]
    else:
        lower = ops.floor(position - 0.5)
        pairs = WEIGHTS[interpolation](position - 0.5 - lower)
        pairs = [(lower + offset, weight) for offset, weight in pairs]
    pairs = [(ops.cast(index, "int32"), weight) for index, weight in pairs]
    length = ops.cast(length, "int32")
    if fill_mode == "constant":
        # A compiler may take 0 * NaN for 0: NaN stays NaN if its weight counts.
        own = kept(position, sides, length, whole_sample) | ops.isnan(position)
        for i, (index, weight) in enumerate(pairs):
            here = own if whole_sample else own | ((index >= 0) & (index < length))
            here = ops.cast(here, position.dtype)
            pairs[i] = index, here if weight is None else here * weight
    return [(FILL_MODES[fill_mode].index(index, length, whole_sample), weight) for index, weight in pairs]


def clip(x, low, high):
    """`ops.clip()` that keeps float64, NaN, and the digits of bounds that are far from x; at them slopes are the
    right-hand ones.
    """
    return ops.where(x > high, high, ops.where(x <= low, low, x))


def _linear(t):
    return [(0, 1 - t), (1, t)]


def _cubic(t):
    def near(x):  # up to one pixel away
        return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1

    def far(x):  # one to two pixels away
        return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC

    return [(-1, far(1 + t)), (0, near(t)), (1, near(1 - t)), (2, far(2 - t))]


WEIGHTS = {"bilinear": _linear, "bicubic": _cubic}


def antialiasing(position, reach, length):
    """Triangles of weights, `reach` (at least 1) pixels to each side: every pixel's weight in every sample.

    Each sample's weights sum to 1: at the image's edge the triangle is cut off.
    """
    centres = ops.cast(ops.arange(length, dtype="int32"), position.dtype) + 0.5
    size = ops.cast(length, position.dtype)
    distance = (clip(position, 0.5, size - 0.5)[..., None] - centres) / reach[..., None, None]
    # At a kink the slope is the right-hand one, as for `taps()`: the mean of both would be 0 at whole pixels, and a box
    # that starts there would never move.
    rising = ops.cast((distance >= -1) & (distance < 0), distance.dtype)
    falling = ops.cast((distance >= 0) & (distance < 1), distance.dtype)
    weights = rising * (1 + distance) + falling * (1 - distance)
    return weights / ops.sum(weights, axis=-1, keepdims=True)
