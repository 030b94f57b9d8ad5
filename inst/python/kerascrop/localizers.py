"""Networks that look at images and say where the crop should be.

A localizer is any Keras layer or model that returns 2, 3 or 4 numbers in `[0, 1]` for each image. `MapLocalizer`, the
built-in one, also tells a `LearnableCrop` how sure it is, and shows it what it expects to see.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from kerascrop.sampling import sample

CELL = 4  # pixels of the view, each way


@keras.saving.register_keras_serializable("kerascrop")
class GlobalLocalizer(layers.Layer):
    """One box for all images, as trainable numbers.

    Args:
        numbers: 2 for a place, 3 for a place and a side, 4 for a place, a width and a height.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, numbers, **kwargs):
        super().__init__(**kwargs)
        self.numbers = numbers

    def build(self, images_shape):
        self.logits = self.add_weight(shape=(self.numbers,), initializer="zeros", name="logits", autocast=False)

    def call(self, images):
        return ops.broadcast_to(ops.sigmoid(self.logits), (ops.shape(images)[0], self.numbers))

    def compute_output_shape(self, images_shape):
        return (images_shape[0], self.numbers)

    def get_config(self):
        return {**super().get_config(), "numbers": self.numbers}


class Found(NamedTuple):
    """What a map says of each image; places and sizes are `(x, y)` or `(width, height)` fractions of the image.

    Attributes:
        heat: `(batch, rows, columns)`, adds up to 1: how likely the object is in each cell.
        centre: `(batch, 2)`, the map's centre of mass.
        variance: `(batch, 2)`, how far the map spreads around it.
        size: `(batch, n)`, n sizes in `[0, 1]`.
    """

    heat: Any
    centre: Any
    variance: Any
    size: Any


@keras.saving.register_keras_serializable("kerascrop")
class MapLocalizer(layers.Layer):
    """A small convolutional network that scores every place of an image.

    It looks at a view of at most `view` pixels a side, in cells of 4 by 4 pixels, each seen with its neighbours. The
    softmax of the cells' scores is a map of where the object is: its centre of mass is the centre, and the mean of a
    second head under the map is the size (soft-argmax: Finn et al. 2016, "Deep Spatial Autoencoders"). Scores are
    normalised by batch (BatchNorm) and scaled by a learned gain: without both, maps stay flat and crops collapse to the
    centre.

    Args:
        sizes: how many sizes to predict: 0, 1 or 2.
        view: longer side of the view, in pixels; smaller images are looked at as they are.
        filters: channels of the convolutions.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, sizes, view=64, filters=32, **kwargs):
        super().__init__(**kwargs)
        self.sizes = sizes
        self.view = view
        self.filters = filters
        policy = {"dtype": self.dtype_policy}
        self.convolutions = [
            layers.Conv2D(filters, CELL, CELL, "same", use_bias=False, **policy),
            layers.Conv2D(filters, 3, 1, "same", use_bias=False, **policy),
            layers.Conv2D(filters, 3, 1, "same", use_bias=False, **policy),
        ]
        self.norms = [layers.BatchNormalization(momentum=0.9, **policy) for _ in self.convolutions]
        self.score = layers.Conv2D(1, 1, use_bias=False, **policy)
        self.size = layers.Conv2D(sizes, 1, kernel_initializer="zeros", **policy) if sizes else None

    def build(self, images_shape):
        height, width = images_shape[1:3]
        # The view keeps the images' aspect where that is known.
        longest = max(height, width) if height and width else None
        sides = [round(side / longest * min(self.view, longest) / CELL) if longest else self.view // CELL
                 for side in (height, width)]
        self.cells = tuple(max(1, side) for side in sides)
        shape = (images_shape[0], *(CELL * side for side in self.cells), images_shape[3])
        for convolution, norm in zip(self.convolutions, self.norms):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            norm.build(shape)
        self.score.build(shape)
        if self.size:
            self.size.build(shape)
        self.gain = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(4.0), name="gain", autocast=False
        )

    def look(self, images):
        """The view: images `(batch, height, width, channels)` resized to whole cells."""
        size = tuple(CELL * side for side in self.cells)
        if tuple(images.shape[1:3]) == size:
            return images
        batch, height, width = ops.shape(images)[:3]
        whole = ops.stack([ops.cast(side, "float32") for side in (0, 0, width, height)])
        return sample(images, ops.broadcast_to(whole, (batch, 4)), size, antialias=True, fill_mode="nearest")

    def call(self, view, training=None):
        x = view
        for convolution, norm in zip(self.convolutions, self.norms):
            x = ops.relu(norm(convolution(x), training=training))
        scores = self.gain * ops.cast(self.score(x)[..., 0], "float32")
        rows, columns = self.cells
        heat = ops.reshape(ops.softmax(ops.reshape(scores, (-1, rows * columns))), (-1, rows, columns))
        # The map's mean and variance along x, then y.
        shares = [(ops.sum(heat, axis=1), columns), (ops.sum(heat, axis=2), rows)]
        places = [(np.arange(n, dtype="float32") + 0.5) / n for _, n in shares]
        centre = [ops.sum(share * place, axis=1) for (share, _), place in zip(shares, places)]
        squares = [ops.sum(share * place**2, axis=1) for (share, _), place in zip(shares, places)]
        variance = [ops.relu(square - mean**2) for square, mean in zip(squares, centre)]
        size = None
        if self.size:
            size = ops.sigmoid(ops.sum(heat[..., None] * ops.cast(self.size(x), "float32"), axis=(1, 2)))
        return Found(heat, ops.stack(centre, axis=1), ops.stack(variance, axis=1), size)

    def expected_view(self, view, heat, reach):
        """What the map expects around the object: the mean of the view re-centred on each cell, weighted by the map.

        Args:
            view: `(batch, 4 * rows, 4 * columns, channels)`.
            heat: `(batch, rows, columns)`.
            reach: `(y, x)`, how many cells it shows to each side of the middle one.

        Returns:
            `(batch, 4 * (2 * y + 1), 4 * (2 * x + 1), channels)`; beyond the view's edges are zeros.
        """
        (rows, columns), channels = self.cells, view.shape[-1]
        shifts = [
            np.stack([np.eye(n, k=step, dtype="float32") for step in range(-r, r + 1)])
            for n, r in zip(self.cells, reach)
        ]
        height, width = (len(shift) for shift in shifts)
        heat = ops.einsum("brc,urs,vct->buvst", heat, *shifts)
        heat = ops.reshape(heat, (-1, height * width, rows * columns))
        cells = ops.reshape(view, (-1, rows, CELL, columns, CELL, channels))
        cells = ops.reshape(ops.transpose(cells, (0, 1, 3, 2, 4, 5)), (-1, rows * columns, CELL * CELL * channels))
        expected = ops.reshape(ops.matmul(ops.cast(heat, cells.dtype), cells), (-1, height, width, CELL, CELL, channels))
        return ops.reshape(
            ops.transpose(expected, (0, 1, 3, 2, 4, 5)), (-1, CELL * height, CELL * width, channels)
        )

    def get_config(self):
        return {**super().get_config(), "sizes": self.sizes, "view": self.view, "filters": self.filters}
