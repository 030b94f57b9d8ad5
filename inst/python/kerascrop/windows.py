"""Whole-pixel crops: where a window starts and stops, and how it is cut out.

A window is a start and a stop along one axis, in pixels counted from 0. Choosing one is plain
arithmetic on integers, or on integer tensors where a length is known only when the model runs.
Cutting keeps the dtype and moves every number unchanged, whatever it is.
"""

import keras
import numpy as np
from keras import ops

from kerascrop import checks


def center_window(length, size):
    """The middle `size` pixels; an odd pixel that is left over stays at the end."""
    start = (length - size) // 2
    return start, start + size


def border_window(length, before, after):
    """All but `before` pixels at the start and `after` at the end; negative margins add."""
    return before, length - after


def border_length(length, before, after):
    """What these margins leave of a length; None where it is not known."""
    if length is None:
        return None
    start, stop = border_window(length, before, after)
    return stop - start


def random_start(length, size, shape, seed):
    """Starts of windows of `size` pixels, uniform over all that fit, the last one included."""
    return keras.random.randint(shape, 0, length - size + 1, dtype="int32", seed=seed)


def check_fits(lengths, sizes, names, layer):
    """The lengths, checked to be no smaller than the windows. None, a length not known yet, passes."""
    return [
        _at_least(
            length,
            size,
            f"`{layer}` cannot cut {name} {size} out of images of {name} {{}}. "
            f"Use a smaller `{name}`, or larger images.",
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
    """A length that is known is checked here and now; one that TensorFlow knows only when the graph runs, there.

    XLA drops assertions: a graph that is traced with unknown lengths and then compiled is not checked.
    """
    if isinstance(length, int) and length < least:
        raise checks.SizeError(message.format(length))
    if length is None or isinstance(length, int):
        return length
    import tensorflow as tf

    check = tf.debugging.assert_greater_equal(length, least, message=message.format(f"< {least}"))
    with tf.control_dependencies([check]):
        return tf.identity(length)


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
    begin = [np.int32(0)] * len(shape)  # JAX wants one type for all
    for axis, start, size in zip(axes, starts, sizes):
        begin[axis], shape[axis] = np.int32(start) if isinstance(start, int) else start, size
    return ops.slice(images, begin, shape)


def _gather(images, axes, starts, sizes):
    """`cut()` with a start of its own for each image."""
    shape = ops.shape(images)
    ndim = len(shape)
    windows = {axis % ndim: window for axis, window in zip(axes, zip(starts, sizes))}
    last = max(windows)
    # One index counts through all axes up to the last that is cut; what follows moves as a whole.
    index = ops.reshape(ops.arange(shape[0], dtype="int32"), (-1,) + (1,) * last)
    for axis in range(1, last + 1):
        start, size = windows.get(axis, (0, shape[axis]))
        steps = ops.reshape(start, (-1, 1)) + ops.arange(size, dtype="int32")
        index = index * shape[axis] + ops.reshape(steps, (-1,) + (1,) * (axis - 1) + (size,) + (1,) * (last - axis))
    return ops.take(ops.reshape(images, (-1, *shape[last + 1 :])), index, axis=0)


def pad(images, axes, margins, fill_value):
    """Add `(before, after)` pixels of `fill_value`, which the images' type can hold, along each of the axes."""
    checks.check_holds(fill_value, "fill_value", keras.backend.standardize_dtype(images.dtype))
    padding = [(0, 0)] * len(images.shape)
    for axis, margin in zip(axes, margins):
        padding[axis] = margin
    return ops.pad(images, padding, constant_values=ops.cast(fill_value, images.dtype))


def window_boxes(starts, sizes, batch):
    """The boxes `x1, y1, x2, y2` of 2D windows in float32: `(batch, 4)`, or `(4,)` where batch is None."""
    (top, left), (height, width) = starts, sizes
    sides = [ops.cast(side, "float32") for side in (left, top, left + width, top + height)]
    if batch is not None:
        sides = [ops.broadcast_to(side, (batch,)) for side in sides]
    return ops.stack(sides, axis=-1)
