"""Whole-pixel crops: where windows start, what happens to images that are too small, and how windows are cut out.

A window is a start and a size along one axis, in pixels counted from 0. Choosing one is plain
arithmetic on integers, or on integer tensors where a length is known only when the model runs.
Cutting keeps the dtype and moves every number unchanged, whatever it is.
"""

import functools
import math
import re
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from kerascrop import checks

IF_SMALLER = ("error", "resize", "pad", "keep")


class Fit(NamedTuple):
    """How images and windows are made to fit each other, along each axis.

    An image of `lengths` is cut as if it had been enlarged by `scale` and given borders of `added` pixels.
    """

    lengths: tuple  # of the enlarged image, with the borders that if_smaller="pad" gives it
    sizes: tuple  # of the windows
    added: tuple  # pixels `(before, after)`
    scale: Any = 1  # the integer 1 where nothing is ever enlarged


def fit(lengths, sizes, if_smaller, names, layer):
    """What becomes of images that may be smaller than the windows.

    Args:
        lengths: of the images: integers, scalar tensors, or None where only a shape is asked for.
        sizes: of the windows.
        if_smaller: `"error"`; `"resize"`: enlarge the image, keeping its aspect, until it fits; `"pad"`: add pixels on
            both sides, one more at the end where their number is odd; `"keep"`: leave the axis as it is.
        names: of the axes, for the error.
        layer: the layer's name, for the error.

    Raises:
        SizeError: an image is smaller, and `if_smaller` is `"error"`.
    """
    added, scale = ((0, 0),) * len(sizes), 1
    if if_smaller == "error":
        others = ", ".join(map(repr, IF_SMALLER[1:-1])) + f" or {IF_SMALLER[-1]!r}"
        lengths = check_fits(lengths, sizes, names, layer, f"larger images, or `if_smaller`: {others}")
    elif if_smaller == "keep":
        sizes = tuple(_extreme(min, length, size) for length, size in zip(lengths, sizes))
    elif if_smaller == "pad":
        lacking = [0 if length is None else _extreme(max, size - length, 0) for length, size in zip(lengths, sizes)]
        added = tuple((lack // 2, lack - lack // 2) for lack in lacking)
        lengths = tuple(_extreme(max, length, size) for length, size in zip(lengths, sizes))
    elif None not in lengths:
        scale = _enlargement(lengths, sizes)
        if not isinstance(scale, int):
            lengths = tuple(_real(length) * scale for length in lengths)
    return Fit(tuple(lengths), tuple(sizes), added, scale)


def _enlargement(lengths, sizes):
    """How often images are enlarged until windows fit: 1 if they fit, a number, or a tensor where it is not known."""
    if all(isinstance(length, int) for length in lengths):
        scale = max(size / length for length, size in zip(lengths, sizes))
        return scale if scale > 1 else 1
    scales = [size / _real(length) for length, size in zip(lengths, sizes)]
    return ops.maximum(ops.max(ops.stack(scales)), 1.0)


def _real(length):
    return float(length) if isinstance(length, int) else ops.cast(length, "float32")


def _extreme(choice, first, second):
    """`min` or `max` of two lengths, either of which may be a tensor; None if one is not known."""
    if first is None or second is None:
        return None
    if isinstance(first, int) and isinstance(second, int):
        return choice(first, second)
    return (ops.minimum if choice is min else ops.maximum)(first, second)


def center_window(length, size):
    """The middle `size` pixels, a start and a stop; an odd pixel that is left over stays at the end."""
    start = (length - size) // 2
    return start, start + size


def center_starts(fit):
    """The starts of the windows in the middle; in images that are enlarged it may lie between two pixels."""
    if isinstance(fit.scale, int):
        return [center_window(length, size)[0] for length, size in zip(fit.lengths, fit.sizes)]
    halves = [(length - size) / 2 for length, size in zip(fit.lengths, fit.sizes)]
    if isinstance(fit.scale, float):
        return halves
    return [ops.where(fit.scale > 1, half, ops.floor(half)) for half in halves]


def random_start(length, size, shape, seed):
    """Starts of windows of `size` pixels, uniform over all that fit, the last one included."""
    return keras.random.randint(shape, 0, room(length, size) + 1, dtype="int32", seed=seed)


def room(length, size):
    """How many whole pixels a window can be moved; an enlarged image's length is real, and may be off by a rounding."""
    left = length - size
    if isinstance(left, float):
        return math.floor(left + 1e-3)
    if not isinstance(left, int) and "float" in keras.backend.standardize_dtype(left.dtype):
        return ops.cast(ops.floor(left + 1e-3), "int32")
    return left


def grid_starts(length, size, stride):
    """Starts of windows that cover an axis, `stride` apart; the last window ends where the axis does.

    Returns:
        A NumPy array, or a tensor where the length is one.
    """
    left = length - size
    if isinstance(left, (int, float)):
        return np.minimum(np.arange(grid_count(length, size, stride)) * stride, left)
    dtype = keras.backend.standardize_dtype(left.dtype)
    steps = ops.cast(ops.ceil(ops.cast(left, "float32") / stride - 1e-4), "int32")
    return ops.minimum(ops.cast(ops.arange(steps + 1, dtype="int32") * stride, dtype), left)


def grid_count(length, size, stride):
    """How many windows `grid_starts()` makes; None where a length is not known."""
    return None if length is None or size is None else math.ceil((length - size) / stride - 1e-4) + 1


def border_length(length, before, after):
    """What these margins leave of a length; None where it is not known."""
    return None if length is None else length - before - after


def check_fits(lengths, sizes, names, layer, remedy="or larger images"):
    """The lengths, checked to be no smaller than the windows. None, a length not known yet, passes."""
    return [
        _at_least(
            length,
            size,
            f"`{layer}` cannot cut {name} {size} out of images of {name} {{}}. "
            f"Use a smaller `{name}`, {remedy}.",
        )
        for length, size, name in zip(lengths, sizes, names)
    ]


def check_margins_fit(lengths, margins, names, layer):
    """The lengths, checked to keep something when the margins are gone. None, a length not known yet, passes."""
    return [
        _at_least(
            length,
            before + after + 1,
            f"`{layer}` cannot remove {before} + {after} pixels from images of {name} {{}}: "
            "nothing would be left. Use smaller margins in `cropping`.",
        )
        for length, (before, after), name in zip(lengths, margins, names)
    ]


def _at_least(length, least, message):
    """A length that is known is checked here and now; one that TensorFlow knows only when the graph runs, there."""
    if isinstance(length, int) and length < least:
        raise checks.SizeError(message.format(length))
    if length is None or isinstance(length, int):
        return length
    import tensorflow as tf

    message = message.format(f"under {least}")
    check = tf.debugging.assert_greater_equal(length, least, message=message)
    with tf.control_dependencies([check]):
        length = tf.identity(length)
    # XLA drops assertions, but does not compile a range that ends before it starts; a node's name is all it tells.
    name = re.sub("[^A-Za-z0-9]+", "_", message).strip("_")
    return least + tf.size(tf.range(least, length, name=name))


def cut(images, axes, starts, sizes):
    """Cut a window out of each image.

    Args:
        images: a tensor of any dtype.
        axes: the axes to cut along: neighbours, in order.
        starts: for each of them the window's first pixel, inside the image: an integer or a
            scalar tensor; or `(batch,)`, one for each image of a batch.
        sizes: for each of them the window's length: an integer or a scalar tensor.
    """
    if any(len(getattr(start, "shape", ())) for start in starts):
        return _gather(images, axes, starts, sizes)
    shape = list(ops.shape(images))
    begin = [0] * len(shape)
    for axis, start, size in zip(axes, starts, sizes):
        begin[axis], shape[axis] = start, size
    if not all(isinstance(start, int) for start in starts):
        begin = [ops.cast(start, "int32") for start in begin]  # JAX wants one type for all
    return ops.slice(images, begin, shape)


def _gather(images, axes, starts, sizes):
    """`cut()` with a start of its own for each image."""
    if images.shape[0] == 0:  # JAX cannot take from nothing
        return cut(images, axes, [0] * len(axes), sizes)
    if keras.backend.backend() != "tensorflow":
        return _take(images, axes, starts, sizes)
    take = _take_function(tuple(axes), len(images.shape), keras.backend.standardize_dtype(images.dtype))
    starts = [ops.broadcast_to(ops.cast(start, "int32"), ops.shape(images)[:1]) for start in starts]
    crops = take(images, starts, list(sizes))
    shape = list(images.shape)
    for axis, size in zip(axes, sizes):
        shape[axis] = size if isinstance(size, int) else None
    crops.set_shape(shape)
    return crops


def _take(images, axes, starts, sizes):
    """Pixel by pixel: the windows of all images through one index."""
    shape = ops.shape(images)
    ndim = len(shape)
    windows = {axis % ndim: window for axis, window in zip(axes, zip(starts, sizes))}
    last = max(windows)
    # The index counts through all axes up to the last that is cut; what follows moves as a whole. PyTorch looks up
    # with int64; elsewhere int32 is enough, as more numbers than it counts are an error of TensorFlow's anyway.
    dtype = "int64" if keras.backend.backend() == "torch" else "int32"
    index = ops.reshape(ops.arange(shape[0], dtype=dtype), (-1,) + (1,) * last)
    for axis in range(1, last + 1):
        start, size = windows.get(axis, (0, shape[axis]))
        steps = ops.reshape(start, (-1, 1)) + ops.arange(size, dtype="int32")
        steps = ops.reshape(steps, (-1,) + (1,) * (axis - 1) + (size,) + (1,) * (last - axis))
        index = ops.add(ops.multiply(index, shape[axis]), steps)
    return ops.take(ops.reshape(images, (-1, *shape[last + 1 :])), index, axis=0)


@functools.cache
def _take_function(axes, ndim, dtype):
    """`_take()` as a TensorFlow function, traced once for images of all shapes; on a CPU compiled by XLA.

    Operation by operation TensorFlow looks up one pixel at a time. XLA makes a single loop of it, nearly as fast as
    a plain copy; it compiles for each new shape, in some 40 ms.
    """
    import tensorflow as tf

    return tf.function(
        lambda images, starts, sizes: _take(images, axes, starts, sizes),
        input_signature=[
            tf.TensorSpec([None] * ndim, dtype),
            [tf.TensorSpec([None], "int32")] * len(axes),
            [tf.TensorSpec([], "int32")] * len(axes),
        ],
        jit_compile=not tf.config.list_physical_devices("GPU"),
        autograph=False,
    )


def cut_grid(images, axes, lines, sizes):
    """Cut the windows of a grid out of a batch: `(batch, windows, ...)`, row by row.

    Args:
        images, axes, sizes: as in `cut()`.
        lines: along each axis the starts of its windows, `(n,)`.
    """
    ndim = len(images.shape)
    axes = [axis % ndim for axis in axes]
    crops = images
    for axis, line, size in reversed(list(zip(axes, lines, sizes))):
        index = ops.cast(line, "int32")[:, None] + ops.arange(size, dtype="int32")
        crops = ops.take(crops, index, axis=axis)  # where the axis was there are two now: windows, pixels
    counts = [axis + i for i, axis in enumerate(axes)]
    rest = [axis for axis in range(1, ndim + len(axes)) if axis not in counts]
    shape = ops.shape(crops)
    crops = ops.transpose(crops, (0, *counts, *rest))
    return ops.reshape(crops, (shape[0], math.prod(shape[axis] for axis in counts), *(shape[axis] for axis in rest)))


def pad(images, axes, margins, fill_value):
    """Add `(before, after)` pixels of `fill_value`, which the images' type can hold, along each of the axes."""
    if all(isinstance(margin, int) and margin == 0 for pair in margins for margin in pair):
        return images
    checks.check_holds(fill_value, "fill_value", keras.backend.standardize_dtype(images.dtype))
    padding = [(0, 0)] * len(images.shape)
    for axis, margin in zip(axes, margins):
        padding[axis] = margin
    return ops.pad(images, padding, constant_values=ops.cast(fill_value, images.dtype))


def window_boxes(starts, fit, batch):
    """The windows' boxes in float32, in edge coordinates of the original images: `x1, y1, x2, y2` in two dimensions.

    Args:
        starts: along each axis an integer, a scalar, or a tensor whose shape broadcasts with the others'.
        fit: the `Fit` that they were chosen for.
        batch: the number of images; boxes of a shape without it are repeated.

    Returns:
        `(batch, 2 * rank)`, or `(batch, windows, 2 * rank)` for starts `(batch, windows)` or `(1, windows)`.
    """
    first = [
        (ops.cast(start, "float32") - ops.cast(before, "float32")) / fit.scale
        for start, (before, _) in zip(starts, fit.added)
    ]
    last = [start + ops.cast(size, "float32") / fit.scale for start, size in zip(first, fit.sizes)]
    sides = [*reversed(first), *reversed(last)]
    many = max(len(side.shape) for side in sides) > 1
    sides = [ops.reshape(side, (1,) * (1 + many)) if len(side.shape) == 0 else side for side in sides]
    shape = (batch, ops.shape(sides[0])[1]) if many else (batch,)
    return ops.stack([ops.broadcast_to(side, shape) for side in sides], axis=-1)
