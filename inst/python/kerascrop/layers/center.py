"""The middle of an image."""

import keras

from kerascrop import axes, checks, windows
from kerascrop.layers.base import WindowCrop


@keras.saving.register_keras_serializable("kerascrop")
class CenterCrop(WindowCrop):
    """Cut out the middle `height` by `width` pixels.

    The window starts at `(length - size) // 2`: an odd pixel that is left over stays at the bottom or right.
    Pixels are moved, never computed: the dtype stays, whatever it is.

    Input shape: `(batch, height, width, channels)`, with `"channels_first"` `(batch, channels, height, width)`;
    one image without the batch, or a clip `(batch, time, height, width, channels)`.

    Output shape: the same with the new height and width; with `return_boxes=True` also the boxes, `(batch, 4)`.

    Args:
        height, width: size of the crop, in pixels.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the box, `x1, y1, x2, y2` in pixels.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.

    Raises:
        SizeError: a size is no positive whole number, or larger than the images.
        ShapeError: the input is no batch of images, nor one image.

    Example:

    >>> kerascrop.CenterCrop(2, 2)(np.arange(16).reshape(4, 4, 1))[..., 0]
    [[5, 6], [9, 10]]
    """

    def __init__(self, height, width, data_format=None, return_boxes=False, **kwargs):
        super().__init__(data_format=data_format, return_boxes=return_boxes, **kwargs)
        self.height = checks.check_size(height, "height")
        self.width = checks.check_size(width, "width")

    def check(self, lengths):
        return windows.check_fits(lengths, self.window_sizes(lengths), axes.AXIS_NAMES[self.rank], self.name)

    def window_sizes(self, lengths):
        return self.height, self.width

    def choose(self, lengths, sizes, batch, training):
        return [windows.center_window(length, size)[0] for length, size in zip(lengths, sizes)]

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}
