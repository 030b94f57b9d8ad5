"""Networks that look at images and say where the crop should be.

A localizer is any Keras layer or model that returns 2, 3 or 4 numbers in `[0, 1]` for each image: a place, x and y,
and as many sizes as a `LearnableCrop` asks for. `MapLocalizer` is the built-in one.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from kerascrop.sampling import sample

CELL = 4  # pixels of the view, each way
CEILING = 100  # of activations, so that no weights give numbers too large for half precision
AROUND = 1  # deviation of the blur that tells what is around a pixel, in cells
BLUR = 0.28  # deviation of the blur that fits a box, in boxes
SCALES = 9  # sizes that are tried at the start
GAIN = 4.0  # of scores, in the softmax
SOFTER = 0.5  # gain with which candidates compete, compared to the map's
RATE = 0.03  # how fast sizes learn, compared to places
TINY = 1e-12  # added to the cells of a map, which may hold nothing


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
    """What a map says, for each image; places are x and y as fractions of the image."""

    numbers: Any  #: `(batch, 2 + sizes)`: the place of the highest peak, then the sizes, between their bounds
    mean: Any  #: `(batch, 2)`: the centre of mass of the whole map
    other: Any  #: `(batch, 2)`: the place of the second peak
    share: Any  #: `(batch,)`: how much of both peaks the highest one holds


@keras.saving.register_keras_serializable("kerascrop")
class MapLocalizer(layers.Layer):
    """A small convolutional network that scores every place of an image.

    It looks at a view of at most 256 pixels a side, in cells of 4 by 4 pixels, each seen with its neighbours. A cell's
    score is `gain * (network + weight * contrast)`: the network starts at zero, so at first the map follows the
    contrast, how rare a cell's pixels are in their image, smoothed to the size of the box; learning starts where
    something stands out, be it in colour or in brightness, rather than at the image's centre. The softmax of the scores
    is a map of where the object is. The place is its centre of mass (soft-argmax: Finn et al. 2016, "Deep Spatial
    Autoencoders") around the highest peak, not between peaks. The size starts where that place stands out most from
    what is around it; the mean of a second head under the map changes it, slowly, as otherwise it shrinks while the
    network behind knows nothing yet.

    Called on `look(images)`, it returns `(batch, 2 + sizes)` numbers in `[0, 1]`: the centre, x and y, as fractions
    of the image, then the sizes.

    Args:
        sizes: how many sizes to predict: 0, 1 or 2.
        smallest, largest: height and width of the smallest and the largest box, as fractions of the image.
        view: longer side of the view, in pixels; smaller images are not enlarged, but for whole cells.
        filters: channels of the convolutions.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, sizes, smallest=(0.2, 0.2), largest=(0.8, 0.8), view=256, filters=16, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.sizes = sizes
        self.smallest = tuple(smallest)
        self.largest = tuple(largest)
        self.view = view
        self.filters = filters
        policy = {"dtype": self.dtype_policy}
        convolution = {"data_format": "channels_last", **policy}  # whatever Keras's setting is
        # All have names, by which PyTorch stores weights.
        self.convolutions = [
            layers.Conv2D(filters, CELL, CELL, use_bias=False, name="cells", **convolution),
            *(
                layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"around_{number}", **convolution)
                for number in (1, 2, 3)
            ),
        ]
        # Without normalisation maps stay flat, and crops collapse to the centre.
        self.norms = [
            layers.BatchNormalization(momentum=0.9, name=f"{before.name}_norm", **policy)
            for before in self.convolutions
        ]
        head = {"kernel_initializer": "zeros", **convolution}
        self.score = layers.Conv2D(1, 1, use_bias=False, name="score", **head)
        self.size = layers.Conv2D(sizes, 1, name="size", **head) if sizes else None

    def build(self, images_shape):
        height, width = images_shape[1:3]
        longest = max(height, width) if height and width else None
        shares = (height / longest, width / longest) if longest else (1, 1)  # the aspect, where it is known
        side = min(self.view, longest or self.view) / CELL
        self.cells = tuple(max(1, round(share * side)) for share in shares)
        shape = (images_shape[0], *(CELL * cells for cells in self.cells), images_shape[3])
        for convolution, norm in zip(self.convolutions, self.norms):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            norm.build(shape)
        self.score.build(shape)
        if self.size:
            self.size.build(shape)
        scalar = {"shape": (), "dtype": "float32", "autocast": False}
        self.gain = self.add_weight(initializer=keras.initializers.Constant(GAIN), name="gain", **scalar)
        self.contrast_weight = self.add_weight(initializer="ones", name="contrast_weight", **scalar)

    def look(self, images):
        """The view: images `(batch, height, width, channels)` resized to whole cells."""
        size = tuple(CELL * cells for cells in self.cells)
        if tuple(images.shape[1:3]) == size:
            return images
        batch, height, width = ops.shape(images)[:3]
        whole = ops.stack([ops.cast(side, "float32") for side in (0, 0, width, height)])
        return sample(images, ops.broadcast_to(whole, (batch, 4)), size, antialias=True, fill_mode="nearest")

    def rarity(self, view):
        """How rare the pixels of each cell are in their image, `(batch, rows, columns)`.

        A pixel is its channels, and how these differ from what is around; how rare it is, is its squared Mahalanobis
        distance from the image's mean (Reed and Yu 1990, "Adaptive multiple-band CFAR detection").
        """
        (rows, columns), channels = self.cells, view.shape[-1]
        cells = ops.reshape(view, (-1, rows, CELL, columns, CELL, channels))
        vertical, horizontal = (_blur(n, AROUND) for n in self.cells)
        around = ops.einsum("yr,brcd,xc->byxd", vertical, ops.mean(cells, axis=(2, 4)), horizontal)
        pixels = ops.concatenate([cells, cells - around[:, :, None, :, None]], axis=-1)
        distances = _distances(ops.reshape(pixels, (-1, CELL * rows * CELL * columns, 2 * channels)))
        return ops.mean(ops.reshape(distances, (-1, rows, CELL, columns, CELL)), axis=(2, 4))

    def start(self, rarity, heat):
        """The size at which the surroundings of a place stand out most, from 0 (smallest) to 1 (largest): `(batch, 1)`.

        That is where a blur to the box's size differs most from a wider one (Lindeberg 1998, "Feature detection with
        automatic scale selection"), in a softmax over a few sizes.
        """
        shares = np.linspace(0, 1, SCALES, dtype="float32")
        rarity, kernels = ops.sqrt(rarity), []
        for low, high, n in zip(self.smallest, self.largest, self.cells):
            deviation = n * low * (high / low) ** shares * BLUR
            deviations = np.concatenate([deviation, 1.6 * deviation])
            kernels.append(np.stack([_gaussian(n, d) / d for d in deviations]))
        seen = ops.einsum("kyr,brc,kxc->bkyx", kernels[0], heat, kernels[1])
        seen = ops.sum(seen * rarity[:, None], axis=(2, 3))
        response = seen[:, :SCALES] - seen[:, SCALES:]
        response = response / (ops.max(ops.abs(response), axis=1, keepdims=True) + 1e-6)
        return ops.matmul(ops.softmax(GAIN * response), shares[:, None])

    def find(self, view, training=None):
        """What the map of a view says: `Found`."""
        view = ops.cast(view, "float32")
        view = _standardise(view - ops.mean(view, axis=(1, 2), keepdims=True))
        x = view
        for convolution, norm in zip(self.convolutions, self.norms):
            x = ops.clip(norm(convolution(x), training=training), 0, CEILING)
        rarity = ops.stop_gradient(self.rarity(view))
        typical = [(low * high) ** 0.5 for low, high in zip(self.smallest, self.largest)]
        # Cut off at the edges, so that half an object there does not stand out as a whole one would.
        blurs = [_gaussian(n, BLUR * share * n) for n, share in zip(self.cells, typical)]
        contrast = _standardise(ops.einsum("yr,brc,xc->byx", blurs[0], rarity, blurs[1]))
        scores = self.gain * (ops.cast(self.score(x)[..., 0], "float32") + self.contrast_weight * contrast)
        heat, softer = self._heat(scores), self._heat(SOFTER * scores)
        window = self._window(heat, blurs)
        rest = softer * (1 - window)
        other = rest * self._window(rest, blurs)
        masses = [ops.sum(part, axis=(1, 2)) for part in (softer * window, other)]
        peak = heat * window
        numbers = [self._centre(peak)]
        if self.size:
            peak = peak / ops.sum(peak, axis=(1, 2), keepdims=True)
            change = ops.sum(peak[..., None] * ops.cast(self.size(x), "float32"), axis=(1, 2))
            share = ops.clip(ops.stop_gradient(self.start(rarity, peak)), 0.02, 0.98)
            numbers.append(ops.sigmoid(ops.log(share / (1 - share)) + RATE * change))
        return Found(
            ops.concatenate(numbers, axis=1),
            self._centre(heat),
            self._centre(other),
            masses[0] / (masses[0] + masses[1]),
        )

    def call(self, view, training=None):
        return self.find(view, training).numbers

    def _heat(self, scores):
        """The softmax of a map over all of its cells."""
        shape = ops.shape(scores)
        return ops.reshape(ops.softmax(ops.reshape(scores, (shape[0], -1))), shape)

    def _window(self, heat, blurs):
        """Weights of the cells around the place where a box holds most of a map."""
        rows, columns = self.cells
        held = ops.einsum("yr,brc,xc->byx", blurs[0], heat, blurs[1])
        peak = ops.argmax(ops.reshape(held, (-1, rows * columns)), axis=1)
        vertical, horizontal = ops.take(blurs[0], peak // columns, axis=0), ops.take(blurs[1], peak % columns, axis=0)
        return vertical[:, :, None] * horizontal[:, None]

    def _centre(self, heat):
        """The centre of mass of a map, x and y, as fractions of the image: `(batch, 2)`."""
        heat = heat + TINY
        total = ops.sum(heat, axis=(1, 2))
        places = [(ops.arange(n, dtype="float32") + 0.5) / n for n in reversed(self.cells)]
        return ops.stack([ops.sum(ops.sum(heat, axis=1 + i) * p, axis=1) / total for i, p in enumerate(places)], axis=1)

    def compute_output_shape(self, view_shape):
        return (view_shape[0], 2 + self.sizes)

    def get_config(self):
        names = ("sizes", "smallest", "largest", "view", "filters")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _standardise(x):
    """Mean 0 and standard deviation 1 for each image; nothing, where an image is all the same."""
    axes = tuple(range(1, len(x.shape)))
    x = x - ops.mean(x, axis=axes, keepdims=True)
    return x / ops.sqrt(ops.mean(ops.square(x), axis=axes, keepdims=True) + 1e-6)


def _distances(points):
    """How far `(batch, points, numbers)` are from their image's mean, in its own deviations, squared (Mahalanobis)."""
    points = points - ops.mean(points, axis=1, keepdims=True)
    covariance = ops.matmul(ops.transpose(points, (0, 2, 1)), points) / points.shape[1]
    least = 1e-3 * ops.mean(ops.square(points), axis=(1, 2)) + 1e-6  # numbers may be constant, or follow from others
    identity = np.eye(points.shape[2], dtype="float32")
    covariance = covariance + least[:, None, None] * identity
    # TensorFlow stops at a matrix of NaNs; the points have them too, so that they are in the result all the same.
    inverse = ops.linalg.inv(ops.where(ops.isnan(covariance), identity, covariance))
    return ops.sum(ops.matmul(points, inverse) * points, axis=-1)


def _gaussian(n, deviation):
    """A Gaussian around each of n numbers, at each of them: `(n, n)`."""
    distance = np.arange(n)[:, None] - np.arange(n)
    return np.exp(-0.5 * (distance / deviation) ** 2).astype("float32")


def _blur(n, deviation):
    """A matrix that blurs n numbers with a Gaussian; at the ends it is cut off."""
    weights = _gaussian(n, deviation)
    return weights / weights.sum(axis=1, keepdims=True)
