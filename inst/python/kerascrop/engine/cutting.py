"""Windows of whole pixels, cut out of images: the dtype stays, and every number is moved unchanged, whatever it is."""

import functools
from typing import NamedTuple

import keras
from keras import ops

from kerascrop import checks
from kerascrop.backend import tf
from kerascrop.engine import weights, xla

FILL_MODES = (*weights.FILL_MODES, "mirror")


class Fill(NamedTuple):
    """What lies outside of the images that windows are cut from; see `Windows`."""

    value: float = 0
    mode: str = "constant"
    mask_value: float = 0

    def of(self, is_mask):
        """The value and the mode for images, or for masks."""
        return self.mask_value if is_mask else self.value, self.mode


def check_fill(fill_value, fill_mode, mask_fill_value):
    return Fill(
        checks.check_number(fill_value, "fill_value"),
        checks.check_choice(fill_mode, "fill_mode", FILL_MODES),
        checks.check_number(mask_fill_value, "mask_fill_value"),
    )


def pixels_seen(index, length, mode):
    """The pixel of an axis that stands at each index, which may be outside of it."""
    mirror = mode == "mirror"
    return weights.FILL_MODES["reflect" if mirror else mode].index(index, length, mirror)


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
    """`cut()` with a separate start for each image."""
    if images.shape[0] == 0:  # JAX's `take()` fails for empty batches
        return cut(images, axes, [0] * len(axes), sizes)
    if tf is None:
        return _take(images, axes, starts, sizes)
    take = _take_function(tuple(axes), len(images.shape), keras.backend.standardize_dtype(images.dtype))
    starts = [ops.broadcast_to(ops.cast(start, "int32"), ops.shape(images)[:1]) for start in starts]
    crops = take(images, starts, list(sizes))
    shape = list(images.shape)
    for axis, size in zip(axes, sizes):
        shape[axis] = size if isinstance(size, int) else None
    crops.set_shape(shape)
    return crops


def _take(images, axes, starts, sizes, fill_mode=None):
    """Take the windows of all images, pixel by pixel, by one index.

    With a `fill_mode`, pixels outside the image are replaced by those in it that this one says.
    """
    shape = ops.shape(images)
    ndim = len(shape)
    windows = {axis % ndim: window for axis, window in zip(axes, zip(starts, sizes))}
    last = max(windows)
    # The index counts through all axes up to the last one that is cut; later axes move as a whole. PyTorch indexes
    # with int64; elsewhere int32 is enough, as TensorFlow raises an error for more numbers than it counts anyway.
    dtype = "int64" if keras.backend.backend() == "torch" else "int32"
    index = ops.reshape(ops.arange(shape[0], dtype=dtype), (-1,) + (1,) * last)
    for axis in range(1, last + 1):
        start, size = windows.get(axis, (0, shape[axis]))
        steps = ops.reshape(start, (-1, 1)) + ops.arange(size, dtype="int32")
        steps = pixels_seen(steps, shape[axis], fill_mode) if fill_mode and axis in windows else steps
        steps = ops.reshape(steps, (-1,) + (1,) * (axis - 1) + (size,) + (1,) * (last - axis))
        index = index * shape[axis] + steps  # not `ops.add()`: Keras takes some shapes for those of a bias
    return ops.take(ops.reshape(images, (-1, *shape[last + 1 :])), index, axis=0)


@functools.cache
def _take_function(axes, ndim, dtype):
    """`_take()` as a TensorFlow function, traced once for images of all shapes; on a CPU compiled by XLA.

    Run operation by operation, TensorFlow looks up one pixel at a time. XLA makes a single loop of it, nearly as fast
    as a plain copy; it compiles for a new shape in some 40 ms, until there are too many shapes: see `xla.compiled()`.
    """

    def take(images, starts, sizes):
        return _take(images, axes, starts, sizes)

    return tf.function(
        take if tf.config.list_physical_devices("GPU") else xla.compiled(take),
        input_signature=[
            tf.TensorSpec([None] * ndim, dtype),
            [tf.TensorSpec([None], "int32")] * len(axes),
            [tf.TensorSpec([], "int32")] * len(axes),
        ],
        autograph=False,
    )


def cut_anywhere(images, axes, starts, sizes, fill_value, fill_mode="constant"):
    """`cut()` for windows that may reach outside the image, where crops get what `fill_mode` says."""
    checks.check_holds(fill_value, "fill_value", keras.backend.standardize_dtype(images.dtype))
    if images.shape[0] == 0:  # JAX's `take()` fails for empty batches
        images = pad(images, axes, [(0, size) for size in sizes], 0)
        return cut(images, axes, [0] * len(axes), sizes)
    starts = [ops.broadcast_to(ops.cast(start, "int32"), ops.shape(images)[:1]) for start in starts]
    crops = _take(images, axes, starts, sizes, fill_mode)
    if fill_mode != "constant":
        return crops
    fill_value, ndim = ops.cast(fill_value, images.dtype), len(images.shape)
    for axis, start, size in zip(axes, starts, sizes):
        steps = start[:, None] + ops.arange(size, dtype="int32")
        inside = (steps >= 0) & (steps < ops.shape(images)[axis])
        inside = ops.reshape(inside, (-1, *(1,) * (axis % ndim - 1), size, *(1,) * (-1 - axis)))
        crops = ops.where(inside, crops, fill_value)
    return crops


def pad(images, axes, margins, fill_value, fill_mode="constant"):
    """Add `(before, after)` pixels along each of the axes, of a `fill_value` that the images' dtype must hold."""
    if all(isinstance(margin, int) and margin == 0 for pair in margins for margin in pair):
        return images
    if fill_mode != "constant":
        for axis, (before, after) in zip(axes, margins):
            length = ops.shape(images)[axis]
            index = ops.arange(before + length + after, dtype="int32") - before
            images = ops.take(images, pixels_seen(index, length, fill_mode), axis=axis)
        return images
    checks.check_holds(fill_value, "fill_value", keras.backend.standardize_dtype(images.dtype))
    padding = [(0, 0)] * len(images.shape)
    for axis, margin in zip(axes, margins):
        padding[axis] = margin
    return ops.pad(images, padding, constant_values=ops.cast(fill_value, images.dtype))
