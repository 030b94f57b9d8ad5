"""Choose, then apply: what all crop layers share.

A crop is a box. A layer chooses one box (or several) for each image; whole-pixel boxes are cut out by
`windows.cut()`, all others are resampled by `sampling.sample()`.
"""

import keras
from keras import ops

from kerascrop import axes, checks, sampling, windows


class Crop(keras.layers.Layer):
    """Base of all layers that crop images.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; None takes `keras.config.image_data_format()`.
        return_boxes: return `(crops, boxes)`, the boxes in float32, `x1, y1, x2, y2` in pixels of the input.
        **kwargs: arguments of `keras.layers.Layer`, such as `name` and `dtype`.
    """

    rank = 2

    def __init__(self, *, data_format=None, return_boxes=False, **kwargs):
        # Whole pixels are never cast, and boxes stay float32 when images are float16.
        super().__init__(autocast=False, **kwargs)
        if data_format is None:
            data_format = keras.config.image_data_format()
        self.data_format = checks.check_choice(data_format, "data_format", ("channels_last", "channels_first"))
        self.return_boxes = checks.check_flag(return_boxes, "return_boxes")

    def outputs(self, crops, boxes):
        """What `call()`, `compute_output_shape()` and `compute_output_spec()` return."""
        return (crops, boxes) if self.return_boxes else crops

    def lengths(self, shape):
        """The spatial lengths in a shape of images."""
        return axes.spatial_shape(shape, self.rank, self.data_format)

    def spec(self, shapes, dtype):
        """Symbolic outputs for output shapes: crops in `dtype`, boxes in float32."""
        if not self.return_boxes:
            return keras.KerasTensor(shapes, dtype)
        return keras.KerasTensor(shapes[0], dtype), keras.KerasTensor(shapes[1], "float32")

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format, "return_boxes": self.return_boxes}


class WindowCrop(Crop):
    """Base of the layers that cut whole pixels, `(batch, height, width, channels)` or one image.

    A subclass checks the images' lengths, `check()`, says how large its windows are, `window_sizes()`, and where they
    start, `choose()`. Lengths are integers, scalar tensors, or None in `compute_output_shape()`.
    A clip `(batch, time, height, width, channels)` is cropped as one image with more channels would be.
    """

    def check(self, lengths):
        """The lengths, once they are known to be large enough."""
        raise NotImplementedError

    def window_sizes(self, lengths):
        """The window's size along each axis."""
        raise NotImplementedError

    def choose(self, lengths, sizes, batch, training):
        """The window's first pixel along each axis: an integer, a scalar tensor or `(batch,)`."""
        raise NotImplementedError

    def cut(self, images, starts, sizes):
        return windows.cut(images, axes.spatial_axes(self.rank, self.data_format), starts, sizes)

    def measure(self, shape):
        """The checked lengths of images of this shape, the sizes of their windows, and the shape of their crops."""
        checks.check_images_shape(shape, self.rank, self.name, clips=True)
        lengths = self.check(self.lengths(shape))
        sizes = self.window_sizes(lengths)
        crops = axes.replace_lengths(shape, self.rank, self.data_format, sizes)
        return lengths, sizes, checks.check_memory(crops, self.name)

    def call(self, images, training=None):
        shape = ops.shape(images)
        lengths, sizes, _ = self.measure(shape)
        batch = shape[0] if len(shape) > self.rank + 1 else None
        starts = self.choose(lengths, sizes, batch, training)
        crops = self.cut(images, starts, sizes)
        return self.outputs(crops, windows.window_boxes(starts, sizes, batch)) if self.return_boxes else crops

    def compute_output_shape(self, images_shape):
        _, _, crops = self.measure(images_shape)
        boxes = (images_shape[0], 4) if len(images_shape) > self.rank + 1 else (4,)
        return self.outputs(crops, boxes)

    def compute_output_spec(self, images, training=None):
        return self.spec(self.compute_output_shape(images.shape), images.dtype)


class SampledCrop(Crop):
    """Base of the layers whose boxes have real-valued sides: every crop is resampled to one size.

    Args:
        height, width: size of the crops, in pixels.
        antialias, fill_mode, fill_value: see `kerascrop.sampling.sample()`.
        **kwargs: see `Crop`.
    """

    def __init__(self, height, width, *, antialias=False, fill_mode="constant", fill_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.height = checks.check_size(height, "height")
        self.width = checks.check_size(width, "width")
        self.antialias = checks.check_flag(antialias, "antialias")
        self.fill_mode = checks.check_choice(fill_mode, "fill_mode", sampling.FILL_MODES)
        self.fill_value = checks.check_number(fill_value, "fill_value")

    def sample(self, images, boxes):
        """Resample boxes of a batch of images; images and crops are in this layer's data format."""
        size = (self.height, self.width)
        images = self.to_channels_last(images)
        crops = sampling.sample(images, boxes, size, self.antialias, self.fill_mode, self.fill_value)
        order = axes.from_channels_last(len(crops.shape), self.rank, self.data_format)
        return ops.transpose(crops, order) if order else crops

    def to_channels_last(self, images):
        """Images in the compute dtype, with the channels last."""
        images = ops.cast(images, self.compute_dtype)
        order = axes.to_channels_last(len(images.shape), self.rank, self.data_format)
        return ops.transpose(images, order) if order else images

    def crops_shape(self, images_shape, boxes_shape):
        """`(batch[, boxes], height, width, channels)`, or with the channels first."""
        one = axes.replace_lengths(images_shape, self.rank, self.data_format, (self.height, self.width))
        return checks.check_memory((*boxes_shape[:-1], *one[-self.rank - 1 :]), self.name)

    def get_config(self):
        return {
            **super().get_config(),
            "height": self.height,
            "width": self.width,
            "antialias": self.antialias,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
        }
