"""A second look at a box, which corrects it."""

import keras
import numpy as np
from keras import layers, ops

from kerascrop.engine.sampling import resample
from kerascrop.hints import LayerOptions, Unpack
from kerascrop.localizers import network
from kerascrop.localizers.view import LOOK


@keras.saving.register_keras_serializable("kerascrop")
class Glimpse(layers.Layer):
    """A second look, at a box and what is around it, that says how the box should be moved and scaled.

    Called on images and on boxes `(batch, boxes, 4)` in their pixels, it returns `(batch, boxes, count)`: how far to
    move, as a fraction of the box, and by how much to scale, in logarithms. No number is larger than 0.7; before
    training all are 0. A box that runs backwards is seen turned.

    Args:
        count: 3 numbers for a move and a scale, 4 for a move and two scales.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    PIXELS = 32  # along a glimpse's side: finer corrections, at quadratic cost
    FILTERS = 16, 32, 32  # channels of the convolutions: more weights
    LARGEST = 0.7  # boxes and logarithms, the limit of a correction: corrects worse starts, and trains less steadily

    def __init__(self, count: int, **kwargs: Unpack[LayerOptions]):
        super().__init__(autocast=False, **kwargs)
        self.count = count
        policy = {"dtype": self.dtype_policy}
        convolution = {"padding": "same", "use_bias": False, "data_format": "channels_last", **policy}
        self.convolutions = [
            layers.Conv2D(n, 3, 2, name=f"look_{number}", **convolution) for number, n in enumerate(self.FILTERS)
        ]
        self.norms = network.norms(self.convolutions, policy)
        self.change = layers.Dense(count, kernel_initializer="zeros", name="change", **policy)

    def build(self, images_shape, boxes_shape):
        shape = network.build(self.convolutions, self.norms, (None, self.PIXELS, self.PIXELS, images_shape[3]))
        self.features = int(np.prod(shape[1:]))
        self.change.build((None, self.features))

    def call(self, images, boxes, training=None):
        seen = resample(images, boxes, (self.PIXELS, self.PIXELS), LOOK)
        x = ops.reshape(seen, (-1, self.PIXELS, self.PIXELS, images.shape[3]))
        x = network.standardise(x - ops.mean(x, axis=(1, 2), keepdims=True))
        x = network.features(x, self.convolutions, self.norms, training)
        change = ops.cast(self.change(ops.reshape(x, (-1, self.features))), "float32")
        # Divided, or else a few steps of Adam end where the hyperbolic tangent has no gradient to come back by.
        change = self.LARGEST * ops.tanh(change / (self.LARGEST * self.features**0.5))
        return ops.reshape(change, (-1, boxes.shape[1], self.count))

    def compute_output_shape(self, images_shape, boxes_shape):
        return (*boxes_shape[:2], self.count)

    def get_config(self):
        return {**super().get_config(), "count": self.count}
