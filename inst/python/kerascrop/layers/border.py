"""All but the margins."""

import keras

from kerascrop import axes, checks, windows
from kerascrop.layers.base import WindowCrop


@keras.saving.register_keras_serializable("kerascrop")
class BorderCrop(WindowCrop):
    """Remove margins, or add them, each side on its own.

    Positive margins remove pixels, as Keras's `Cropping2D` does; negative ones add pixels of `fill_value`, as
    PyTorch users do with `ZeroPad2d(-1)`, in both directions. The dtype stays, whatever it is.

    Input shape: `(batch, height, width, channels)`, with `"channels_first"` `(batch, channels, height, width)`;
    one image without the batch, or a clip `(batch, time, height, width, channels)`.

    Output shape: the same with `height - top - bottom` and `width - left - right`; with `return_boxes=True` also
    the boxes, `(batch, 4)`.

    Args:
        cropping: pixels: one number for all sides; `(height, width)`, each for both sides; or
            `((top, bottom), (left, right))`.
        fill_value: the number that new pixels get; for integer images, one that their type can hold.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the box, `x1, y1, x2, y2` in pixels of the input.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.

    Raises:
        SizeError: margins that are no whole numbers, or that leave nothing of the images.
        ShapeError: the input is no batch of images, nor one image.

    Example:

    >>> kerascrop.BorderCrop(((1, 0), (0, -1)))(np.array([[1, 2], [3, 4]])[..., None])[..., 0]
    [[3, 4, 0]]
    """

    def __init__(self, cropping, fill_value=0, data_format=None, return_boxes=False, **kwargs):
        super().__init__(data_format=data_format, return_boxes=return_boxes, **kwargs)
        self.cropping = checks.check_margins(cropping, self.rank)
        self.fill_value = checks.check_number(fill_value, "fill_value")

    def check(self, lengths):
        return windows.check_margins_fit(lengths, self.cropping, axes.AXIS_NAMES[self.rank], self.name)

    def window_sizes(self, lengths):
        return [windows.border_length(length, *margins) for length, margins in zip(lengths, self.cropping)]

    def choose(self, lengths, sizes, batch, training):
        return [before for before, _ in self.cropping]

    def cut(self, images, starts, sizes):
        added = [(max(-before, 0), max(-after, 0)) for before, after in self.cropping]
        if any(map(any, added)):
            images = windows.pad(images, axes.spatial_axes(self.rank, self.data_format), added, self.fill_value)
        return super().cut(images, [max(start, 0) for start in starts], sizes)

    def get_config(self):
        return {**super().get_config(), "cropping": self.cropping, "fill_value": self.fill_value}
