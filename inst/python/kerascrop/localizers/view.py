"""The copy of an image that a localizer looks at, and its mirror images."""

from keras import ops
from keras.backend import standardize_dtype

from kerascrop import geometry
from kerascrop.engine import dtypes
from kerascrop.engine.sampling import How, resample

LOOK = How(fill_mode="nearest", least_reach=1.0)  # antialiased; the edge's pixels continue beyond the image


def look(images, size):
    """Images `(batch, height, width, channels)` resized to `(height, width)`, as floats; antialiased.

    Where a side is a multiple of the view's or more, whole blocks of pixels are averaged first, as that costs no more
    than to read them, and only the copy is resampled.
    """
    if tuple(images.shape[1:3]) == tuple(size):
        return _floats(images)
    factors = [max(1, length // side) if length else 1 for length, side in zip(images.shape[1:3], size)]
    batch, height, width = ops.shape(images)[:3]
    images = block_means(images, factors)
    if tuple(images.shape[1:3]) == tuple(size) and (height, width) == tuple(f * n for f, n in zip(factors, size)):
        return images
    whole = geometry.stack_numbers((0, 0, width / factors[1], height / factors[0]), "float32")
    return resample(images, ops.broadcast_to(whole, (batch, 4)), size, LOOK)


def block_means(images, factors):
    """The means of blocks of pixels, `factors` high and wide; less than a block at the bottom and the right is left."""
    high, wide = factors
    if high == wide == 1:
        return _floats(images)
    batch, height, width, channels = ops.shape(images)
    rows, columns = height // high, width // wide
    images = images[:, : rows * high, : columns * wide]
    lines = ops.reshape(images, (batch, rows, high, columns * wide * channels))
    dtype = standardize_dtype(images.dtype)
    if "float" in dtype:
        lines = ops.sum(ops.cast(lines, dtypes.sum_dtype(dtype)), axis=2)
    else:  # a copy of all as floats would take longer than the rest
        lines = sum(ops.cast(lines[:, :, line], "float32") for line in range(high))
    return ops.sum(ops.reshape(lines, (batch, rows, columns, wide, channels)), axis=3) / (high * wide)


def _floats(images):
    return images if "float" in standardize_dtype(images.dtype) else ops.cast(images, "float32")


def mirrored(images, signs):
    """Images `(batch, height, width, channels)`, mirrored along x or y where the signs `(batch, 2)` are negative."""
    for axis, sign in ((2, signs[:, :1]), (1, signs[:, 1:])):
        images = ops.where(sign[:, :, None, None] < 0, ops.flip(images, axis=axis), images)
    return images


def mirrored_place(places, signs):
    """Where places `(..., 2)`, x and y as fractions of the image, are in the mirrored image, and back."""
    return 0.5 + signs * (places - 0.5)
