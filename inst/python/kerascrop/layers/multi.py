"""The layer that cuts several windows out of each image."""

import itertools
import math
from collections.abc import Sequence

import keras
from keras import ops

from kerascrop import axes, checks
from kerascrop.engine.views import Grid, Views, grid_count, grid_starts
from kerascrop.engine.windows import center_starts
from kerascrop.hints import SizedOptions, Unpack
from kerascrop.layers.sized import SizedCrop

VIEWS = ("five", "ten", "grid")


@keras.saving.register_keras_serializable("kerascrop")
class MultiCrop(SizedCrop):
    """Cut several windows of `height` by `width` pixels out of each image.

    `"five"` are the corners, top left, top right, bottom left and bottom right, and the centre; `"ten"` adds the same
    five, each mirrored left to right. `"grid"` are windows `stride` pixels apart, row by row, the last ones moved back
    to end where the image ends: with a stride of at most the size, every pixel is in one. `Uncrop` puts a network's
    outputs for them back together.

    Input shape: as in `CenterCrop`, a dict of images, masks, boxes and key points included.

    Output shape: `(batch, windows, height, width, channels)`; with `return_boxes=True` also the boxes, `(batch,
    windows, 4)`. A mirrored window's box runs from right to left: `x1` is its right side. Masks, bounding boxes and key
    points also get a windows axis. To feed a network, merge that with the batch: `keras.ops.reshape(crops, (-1,
    height, width, channels))`.

    Args:
        height, width: size of the crops, in pixels.
        views: `"five"`, `"ten"` or `"grid"`.
        stride: for `"grid"`, pixels from one window to the next: a number, or `(vertical, horizontal)`. None takes the
            crops' size, so that windows touch.
        data_format, if_smaller, fill_value, fill_mode, mask_fill_value, pad_position: as in `CenterCrop`.
        return_boxes: also return the boxes that are cut, in pixels of the input.
        box_format, min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a size or stride is not a positive whole number, a stride is larger than the crop (so that pixels
            would be left out), or the images are smaller.
        ArgumentError: unknown `views`, or a `stride` without a grid.
        ShapeError, BoxError: as in `CenterCrop`.
    """

    def __init__(
        self,
        height: int,
        width: int,
        views: str = "five",
        stride: int | Sequence[int] | None = None,
        data_format: str | None = None,
        if_smaller: str = "error",
        fill_value: float = 0,
        **kwargs: Unpack[SizedOptions],
    ):
        super().__init__((height, width), if_smaller, fill_value, data_format, **kwargs)
        self.views = checks.check_choice(views, "views", VIEWS)
        if stride is not None and views != "grid":
            raise checks.ArgumentError(f"`stride` goes with views='grid', not with {views!r}.")
        self.stride = self._check_stride(stride)

    def _check_stride(self, stride):
        if stride is None:
            return None
        strides = stride if isinstance(stride, (list, tuple)) else (stride,) * self.rank
        if len(strides) != self.rank:
            raise checks.SizeError(f"`stride` must be a number of pixels, or {self.rank} of them, not {stride!r}.")
        for step, size, name in zip(strides, self.sizes, axes.AXIS_NAMES[self.rank]):
            if checks.check_size(step, "stride") > size:
                raise checks.SizeError(
                    f"`stride` must be at most the crops' {name}, {size}, or pixels would be left out, not {step}."
                )
        return tuple(checks.check_size(step, "stride") for step in strides)

    def lead(self, shapes):
        return (*super().lead(shapes), self._count(shapes["images"]))

    def _count(self, images_shape):
        if self.views != "grid":
            return 5 if self.views == "five" else 10
        fit = self.fit(images_shape)
        counts = [grid_count(*axis) for axis in zip(fit.lengths, fit.sizes, self.stride or fit.sizes)]
        return None if None in counts else math.prod(counts)

    def choose(self, data, training):
        shape = ops.shape(data["images"])
        fit = self.fit(shape)
        if self.views == "grid":
            lines = [grid_starts(*axis) for axis in zip(fit.lengths, fit.sizes, self.stride or fit.sizes)]
            choice = Grid(fit.from_image(lines), fit.sizes, self.fill, fit.margins)
        else:
            # The zero is computed from the length: if that is a tensor, zero depends on the check that the window fits.
            ends = [(length - length, length - size) for length, size in zip(fit.lengths, fit.sizes)]
            starts = [*itertools.product(*ends), center_starts(fit)]
            choice = Views([fit.windows(start, self.fill) for start in starts], self.views == "ten")
        return fit.applied_to(choice, shape[0])
