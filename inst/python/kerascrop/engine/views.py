"""Several windows of each image: a list of them, perhaps with their mirror images, or a grid."""

import math

import keras
import numpy as np
from keras import ops

from kerascrop.axes import spatial_axes
from kerascrop.engine import cutting, windows
from kerascrop.engine.choices import Choice


class Views(Choice):
    """Several windows of each image, and perhaps the same ones again, mirrored left to right.

    Args:
        parts: a list of `Windows` of one size.
        mirrored: whether the mirrored ones follow.
    """

    def __init__(self, parts, mirrored=False):
        self.parts, self.mirrored, self.size = parts, mirrored, parts[0].size
        self.boxes_shape = (1, len(parts) * (1 + mirrored), 2 * len(self.size))

    @property
    def boxes(self):
        """`(1, crops, 4)`; those of mirrored windows run from right to left."""
        boxes = ops.stack([window.boxes for window in self.parts], axis=1)
        if not self.mirrored:
            return boxes
        x1, y1, x2, y2 = ops.unstack(boxes, 4, axis=-1)
        return ops.concatenate([boxes, ops.stack([x2, y1, x1, y2], axis=-1)], axis=1)

    def cut(self, images, is_mask=False, data_format=None):
        crops = ops.stack([window.cut(images, is_mask, data_format) for window in self.parts], axis=1)
        if not self.mirrored:
            return crops
        width = spatial_axes(len(self.size), data_format or keras.config.image_data_format())[-1]
        return ops.concatenate([crops, ops.flip(crops, width)], axis=1)


class Grid(Choice):
    """A grid of windows, row by row.

    Args:
        lines: along each axis the first pixels of its windows, `(n,)`.
        size, margins: as in `Windows`.
        fill: a `cutting.Fill`.
    """

    def __init__(self, lines, size, fill, margins):
        self.lines, self.size, self.fill, self.margins = lines, tuple(size), fill, margins
        counts = [line.shape[0] for line in lines]
        self.boxes_shape = (1, None if None in counts else math.prod(counts), 2 * len(self.size))

    @property
    def boxes(self):
        """`(1, crops, 4)`."""
        lines = ops.meshgrid(*[ops.convert_to_tensor(line, "float32") for line in self.lines], indexing="ij")
        first = [ops.reshape(line, (1, -1)) for line in lines]
        last = [start + ops.cast(size, "float32") for start, size in zip(first, self.size)]
        return windows.stack_corners(first, last)

    def cut(self, images, is_mask=False, data_format=None):
        along = spatial_axes(len(self.size), data_format or keras.config.image_data_format())
        images = cutting.pad(ops.convert_to_tensor(images), along, self.margins, *self.fill.of(is_mask))
        lines = [ops.cast(line, "int32") + before for line, (before, _) in zip(self.lines, self.margins)]
        return cut_grid(images, along, lines, self.size)


def grid_starts(length, size, stride):
    """Starts of windows that cover an axis, `stride` apart; the last window ends where the axis does.

    Returns:
        A NumPy array, or a tensor if the length is a tensor.
    """
    left = length - size
    if isinstance(left, (int, float)):
        return np.minimum(np.arange(grid_count(length, size, stride)) * stride, left)
    dtype = keras.backend.standardize_dtype(left.dtype)
    steps = ops.cast(ops.ceil(ops.cast(left, "float32") / ops.cast(stride, "float32") - 1e-4), "int32")
    return ops.minimum(ops.cast(ops.arange(steps + 1, dtype="int32") * stride, dtype), left)


def grid_count(length, size, stride):
    """How many windows `grid_starts()` makes; None where a length is not known."""
    return None if length is None or size is None else math.ceil((length - size) / stride - 1e-4) + 1


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
        crops = ops.take(crops, index, axis=axis)  # the axis becomes two: windows, pixels
    counts = [axis + i for i, axis in enumerate(axes)]
    rest = [axis for axis in range(1, ndim + len(axes)) if axis not in counts]
    shape = ops.shape(crops)
    crops = ops.transpose(crops, (0, *counts, *rest))
    return ops.reshape(crops, (shape[0], math.prod(shape[axis] for axis in counts), *(shape[axis] for axis in rest)))
