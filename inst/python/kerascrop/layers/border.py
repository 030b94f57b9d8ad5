"""Layers that remove margins, or add them."""

from collections.abc import Sequence

import keras
from keras import ops

from kerascrop import axes, checks
from kerascrop.engine import windows
from kerascrop.hints import FillOptions, Unpack
from kerascrop.layers.sized import FilledCrop


@keras.saving.register_keras_serializable("kerascrop")
class BorderCrop(FilledCrop):
    """Remove margins, or add them, each side on its own.

    Positive margins remove pixels, as Keras's `Cropping2D` does; negative ones add pixels of `fill_value`,
    as negative padding removes them in PyTorch's `ZeroPad2d(-1)`. The dtype stays the same, whatever it is.

    Input shape: as in `CenterCrop`, a dict of images, masks, boxes and key points included.

    Output shape: the same with `height - top - bottom` and `width - left - right`; with `return_boxes=True` also
    the boxes, `(batch, 4)`.

    Args:
        cropping: in pixels, one number for all sides; `(height, width)`, each for both sides; or
            `((top, bottom), (left, right))`.
        fill_value: the value of new pixels; for integer images, one that their dtype can hold.
        fill_mode, mask_fill_value: what else new pixels can show, and their value in masks: see `CenterCrop`.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the boxes that are cut, in pixels of the input.
        box_format, min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: margins that are not whole numbers, or that leave nothing of the images.
        ShapeError, BoxError, ArgumentError: as in `CenterCrop`.

    Example:

    >>> kerascrop.BorderCrop(((1, 0), (0, -1)))(np.array([[1, 2], [3, 4]])[..., None])[..., 0]
    [[3, 4, 0]]
    """

    def __init__(
        self,
        cropping: int | Sequence,
        fill_value: float = 0,
        data_format: str | None = None,
        **kwargs: Unpack[FillOptions],
    ):
        super().__init__(fill_value=fill_value, data_format=data_format, **kwargs)
        self.cropping = checks.check_margins(cropping, self.rank)

    def crop_size(self, shapes):
        return self._left(shapes["images"])

    def choose(self, data, training):
        starts = [before for before, _ in self.cropping]
        borders = [(max(-before, 0), max(-after, 0)) for before, after in self.cropping]
        sizes, fill = self._left(ops.shape(data["images"])), self.fill
        return windows.Windows(starts, sizes, fill.value, borders, fill.mode, fill.mask_value)

    def _left(self, images_shape):
        """What the margins leave of the lengths of images."""
        names = axes.AXIS_NAMES[self.rank]
        lengths = windows.check_margins_fit(self.lengths(images_shape), self.cropping, names, self.name)
        return tuple(windows.border_length(length, *margins) for length, margins in zip(lengths, self.cropping))


@keras.saving.register_keras_serializable("kerascrop")
class BorderCrop1D(BorderCrop):
    """Remove or add margins of sequences, `(batch, length, channels)`: `cropping` is a number, or `(before, after)`.

    All else is as in `BorderCrop`, with boxes of two numbers, `x1, x2`.
    """

    rank = 1


@keras.saving.register_keras_serializable("kerascrop")
class BorderCrop3D(BorderCrop):
    """Remove or add margins of volumes, `(batch, depth, height, width, channels)`.

    `cropping` is a number, three numbers, or three pairs `(before, after)`, for depth, height and width. All else is as
    in `BorderCrop`, with boxes of six numbers, `x1, y1, z1, x2, y2, z2`.
    """

    rank = 3
