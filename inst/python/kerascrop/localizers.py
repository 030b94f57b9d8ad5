"""Networks that look at images and say where the crop should be.

A localizer is any Keras layer or model that returns 2, 3 or 4 numbers in `[0, 1]` for each image: a place, x and y,
and as many sizes as a `LearnableCrop` asks for. The built-in one, `MapLocalizer`, is also told how large boxes may be,
and is made by the layer itself.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from kerascrop import kernels
from kerascrop.sampling import sample

VIEW = 256  # pixels of the view, along its longer side
CELL = 4  # of these in a cell, each way
FILTERS = 16  # channels of the map's convolutions
CEILING = 100  # of activations, so that no weights give numbers too large for half precision
AROUND = 1  # deviation of the blur that tells what is around a pixel, in cells
BLUR = 0.28  # deviation of the blur that fits a box, in boxes
SCALES = 9  # sizes that are tried at the start
GAIN = 4.0  # of the network's scores, and of sizes that stand out, in a softmax
MOST = 3.0  # of the contrast, in its standard deviations: what stands out leads at first, the network overrules it
SHARPER = 5  # power of what two candidates hold, in which they compete
SPREAD = 0.2  # deviation of the places that the network is taught, in boxes
GLIMPSE, WIDE = 32, 2.0  # pixels of a glimpse, each way, and how large it is, in boxes
GLIMPSE_FILTERS = 16, 32, 32
LARGEST = 0.7  # change by a glimpse, in boxes and in logarithms
MOVED, ZOOMED = 0.1, 0.4  # how wrong boxes are made, in boxes and in logarithms, to learn to correct them
USUAL = 2.0  # how unusual a size may be at the start, in deviations of those found so far
MEMORY = 0.98  # of these, from one batch to the next
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
    share: Any  #: `(batch,)`: how much of the crop should come from the highest one
    alone: Any  #: `(batch,)`: how far the network's own map is from one of that place, a Kullback-Leibler divergence


@keras.saving.register_keras_serializable("kerascrop")
class MapLocalizer(layers.Layer):
    """A small convolutional network that scores every place of an image.

    It looks at a view of at most 256 pixels a side (smaller images are not enlarged, but for whole cells; those of
    unknown size are resized to a square), in cells of 4 by 4 pixels, each seen with its neighbours. A cell's
    score is `network + contrast`: the network starts at zero, so at first the map follows the contrast, how
    rare a cell's pixels are in their image, smoothed to the size of the box; learning starts where something stands
    out, be it in colour or in brightness, rather than at the image's centre. The softmax of the scores is a map of
    where the object is. The place is its centre of mass (soft-argmax: Finn et al. 2016, "Deep Spatial Autoencoders")
    around the highest peak, not between peaks. The size is at first the one at which that place stands out most from
    what is around it, but within two standard deviations of the sizes found in training so far; where sizes are
    learned, a `Glimpse` at the box then corrects place and size.

    Called on `look(images)` and on bounds, it returns `(batch, 2 + sizes)` numbers in `[0, 1]`: the centre, x and y, as
    fractions of the image, then the sizes. Bounds are those of the boxes, `(2, 2)`: width and height of the smallest,
    then of the largest, as fractions of the image; they may be tensors.

    Args:
        sizes: how many sizes to predict: 0, 1 or 2.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, sizes, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.sizes = sizes
        policy = {"dtype": self.dtype_policy}
        convolution = {"data_format": "channels_last", **policy}  # whatever Keras's setting is
        # All have names, by which PyTorch stores weights.
        self.convolutions = [
            layers.Conv2D(FILTERS, CELL, CELL, use_bias=False, name="cells", **convolution),
            *(
                layers.Conv2D(FILTERS, 3, padding="same", use_bias=False, name=f"around_{number}", **convolution)
                for number in (1, 2, 3)
            ),
        ]
        # Without normalisation maps stay flat, and crops collapse to the centre.
        self.norms = _norms(self.convolutions, policy)
        self.score = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="zeros", name="score", **convolution)
        self.glimpse = Glimpse(2 + sizes, name="glimpse", **policy) if sizes else None

    def build(self, view_shape, bounds_shape=None):
        """`view_shape` is that of the images, before `look()`."""
        height, width = view_shape[1:3]
        longest = max(height, width) if height and width else None
        shares = (height / longest, width / longest) if longest else (1, 1)  # the aspect, where it is known
        side = min(VIEW, longest or VIEW) / CELL
        self.cells = tuple(max(1, round(share * side)) for share in shares)
        shape = (view_shape[0], *(CELL * cells for cells in self.cells), view_shape[3])
        self.score.build(_build(self.convolutions, self.norms, shape))
        if self.glimpse:
            self.glimpse.build(view_shape, (view_shape[0], None, 4))
            weight = {"shape": (self.sizes,), "trainable": False, "dtype": "float32", "autocast": False}
            self.size_mean = self.add_weight(initializer=keras.initializers.Constant(0.5), name="size_mean", **weight)
            self.size_variance = self.add_weight(initializer="ones", name="size_variance", **weight)

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

    def start(self, rarity, places, bounds):
        """The size at which places stand out most from what is around, from 0 (smallest) to 1 (largest): `(batch, 1)`.

        That is where a blur to the box's size differs most from a wider one (Lindeberg 1998, "Feature detection with
        automatic scale selection"), in a softmax over a few sizes.
        """
        shares, weights = ops.linspace(0.0, 1.0, SCALES)[:, None], []
        deviations = BLUR * sides(shares, bounds)  # (sizes, 2): horizontal, vertical
        deviations = ops.concatenate([deviations, 1.6 * deviations], axis=0)
        for axis, n in enumerate(reversed(self.cells)):
            deviation = deviations[:, axis : axis + 1]
            off = _middles(n) - ops.expand_dims(places[:, axis : axis + 1], 2)
            weights.append(_bell(off, deviation) / deviation)
        seen = ops.einsum("bsy,byx,bsx->bs", weights[1], ops.sqrt(rarity), weights[0])
        response = seen[:, :SCALES] - seen[:, SCALES:]
        response = response / (ops.max(ops.abs(response), axis=1, keepdims=True) + 1e-6)
        return ops.matmul(ops.softmax(GAIN * response), shares)

    def usual(self, sizes):
        """Sizes `(batch, 1)`, moved to the nearest that is not unusual: `(batch, sizes)`."""
        reach = USUAL * ops.sqrt(self.size_variance)
        return kernels.clip(sizes, self.size_mean - reach, self.size_mean + reach)

    def remember(self, sizes):
        """Count sizes `(batch, sizes)` among those found so far, unless the layer is frozen."""
        if not self.trainable:
            return
        sizes = ops.stop_gradient(ops.clip(sizes, 0.0, 1.0))
        variance = ops.mean(ops.square(sizes - self.size_mean), axis=0)
        self.size_variance.assign(MEMORY * self.size_variance + (1 - MEMORY) * variance)
        self.size_mean.assign(MEMORY * self.size_mean + (1 - MEMORY) * ops.mean(sizes, axis=0))

    def find(self, view, bounds, training=None):
        """What the map of a view says: `Found`, with sizes that no `Glimpse` has corrected."""
        view = ops.cast(view, "float32")
        view = _standardise(view - ops.mean(view, axis=(1, 2), keepdims=True))
        x = _features(view, self.convolutions, self.norms, training)
        rarity = ops.stop_gradient(self.rarity(view))
        typical = ops.unstack(sides(self.size_mean if self.sizes else 0.5, bounds))
        # Cut off at the edges, so that half an object there does not stand out as a whole one would.
        blurs = [_gaussian(n, BLUR * share * n) for n, share in zip(self.cells, reversed(typical))]
        contrast = _standardise(ops.einsum("yr,brc,xc->byx", blurs[0], rarity, blurs[1]))
        learned = GAIN * ops.reshape(ops.cast(self.score(x), "float32"), (-1, *self.cells))
        heat = self._heat(learned + MOST * ops.tanh(contrast / MOST))
        window = self._window(heat, blurs)
        rest = heat * (1 - window)
        parts = heat * window, rest * self._window(rest, blurs)
        held = [ops.sum(part, axis=(1, 2)) ** SHARPER + TINY for part in parts]
        place, other = (self._centre(part) for part in parts)
        size = ops.zeros_like(place[:, :1])
        if self.sizes:
            size = ops.stop_gradient(self.usual(self.start(rarity, place, bounds)))
        taught = ops.stop_gradient(self._around(place, SPREAD * sides(size, bounds)))
        apart = taught * (ops.log(taught + TINY) - self._heat(learned, ops.log_softmax))
        return Found(
            ops.concatenate([place, size], axis=1) if self.sizes else place,
            self._centre(heat),
            other,
            held[0] / (held[0] + held[1]),
            ops.sum(apart, axis=(1, 2)),
        )

    def correct(self, view, numbers, bounds, training=None, turned=(1,)):
        """Numbers `(batch, boxes, 2 + sizes)`, corrected by a glimpse at each box; they may leave [0, 1].

        Where `turned`, 1 or -1 for each box, is -1, the glimpse is turned by 180 degrees.
        """
        extents, turned = sides(numbers[..., 2:], bounds), ops.convert_to_tensor(turned, "float32")[:, None]
        places, reach = (ops.stop_gradient(part) for part in (numbers[..., :2], WIDE / 2 * turned * extents))
        height, width = view.shape[1:3]
        looks = ops.concatenate([places - reach, places + reach], axis=-1)
        looks = looks * ops.convert_to_tensor([width, height] * 2, "float32")
        change = self.glimpse(ops.cast(view, "float32"), looks, training=training)
        moved, scaled = turned * extents * change[..., :2], change[..., 2:] * self._per_span(bounds)
        return numbers + ops.concatenate([moved, scaled], axis=-1)

    def correct_twice(self, view, numbers, bounds, noise):
        """Numbers `(batch, 2 + sizes)`, corrected after noise made them wrong, and how far a second try ends from them.

        Whatever is wrong with a box, and whichever way round it is seen, the correction should lead to the same one:
        that teaches sizes which fit the object, all in the same way. `noise` is from -1 to 1, `(batch, 2, 2 + sizes)`.
        Distances are squared, in boxes and in logarithms. The sizes are remembered.
        """
        numbers, per_span = numbers[:, None], self._per_span(bounds)
        extents = sides(numbers[..., 2:], bounds)
        wrong = ops.concatenate([MOVED * extents * noise[..., :2], ZOOMED * per_span * noise[..., 2:]], axis=-1)
        tries = self.correct(view, numbers + wrong, bounds, training=True, turned=(1, -1))
        sizes = sides(tries[..., 2:], bounds)[..., : self.sizes]
        places = (tries[:, 0, :2] - tries[:, 1, :2]) / ops.stop_gradient(extents[:, 0])
        apart = ops.concatenate([places, ops.log(sizes[:, 0] / sizes[:, 1])], axis=1)
        self.remember(tries[:, 0, 2:])
        return tries[:, 0], ops.sum(ops.square(apart), axis=1)

    def call(self, view, bounds, training=None):
        numbers = self.find(view, bounds, training).numbers
        if self.sizes:
            numbers = self.correct(view, numbers[:, None], bounds, training)[:, 0]
        return ops.clip(numbers, 0.0, 1.0)

    def _per_span(self, bounds):
        """What a logarithm is as a part of the range of sizes, `(sizes,)`; 0 where a size is given."""
        span = ops.log(bounds[1] / bounds[0])[: self.sizes]
        return ops.where(span > 0, 1 / ops.maximum(span, 1e-6), 0.0)

    def _heat(self, scores, softmax=ops.softmax):
        """The softmax of a map over all of its cells."""
        shape = ops.shape(scores)
        return ops.reshape(softmax(ops.reshape(scores, (shape[0], -1))), shape)

    def _window(self, heat, blurs):
        """Weights of the cells around the place where a box holds most of a map."""
        rows, columns = self.cells
        held = ops.einsum("yr,brc,xc->byx", blurs[0], heat, blurs[1])
        peak = ops.argmax(ops.reshape(held, (-1, rows * columns)), axis=1)
        vertical, horizontal = ops.take(blurs[0], peak // columns, axis=0), ops.take(blurs[1], peak % columns, axis=0)
        return vertical[:, :, None] * horizontal[:, None]

    def _around(self, places, deviations):
        """Maps of Gaussians around places, which add up to 1."""
        # Slices of one column: TensorFlow's optimizer turns `[:, axis, None]` of stacked numbers into `[:, axis]`.
        down, across = (
            _bell(_middles(n) - places[:, axis : axis + 1], deviations[:, axis : axis + 1])
            for n, axis in zip(self.cells, (1, 0))
        )
        weights = down[:, :, None] * across[:, None]
        return weights / (ops.sum(weights, axis=(1, 2), keepdims=True) + TINY)

    def _centre(self, heat):
        """The centre of mass of a map, x and y, as fractions of the image: `(batch, 2)`."""
        heat = heat + TINY
        total = ops.sum(heat, axis=(1, 2))
        places = [_middles(n) for n in reversed(self.cells)]
        return ops.stack([ops.sum(ops.sum(heat, axis=1 + i) * p, axis=1) / total for i, p in enumerate(places)], axis=1)

    def compute_output_shape(self, view_shape, bounds_shape=None):
        return (view_shape[0], 2 + self.sizes)

    def get_config(self):
        return {**super().get_config(), "sizes": self.sizes}


@keras.saving.register_keras_serializable("kerascrop")
class Glimpse(layers.Layer):
    """A second look, at a box and what is around it, that says how the box should be moved and scaled.

    Called on images and on boxes `(batch, boxes, 4)` in their pixels, it returns `(batch, boxes, numbers)`: how far to
    move, as a fraction of the box, and by how much to scale, in logarithms. None is larger than 0.7; before training
    all are 0. A box that runs backwards is seen turned.

    Args:
        numbers: 3 for a move and a scale, 4 for a move and two scales.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, numbers, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.numbers = numbers
        policy = {"dtype": self.dtype_policy}
        convolution = {"padding": "same", "use_bias": False, "data_format": "channels_last", **policy}
        self.convolutions = [
            layers.Conv2D(n, 3, 2, name=f"look_{number}", **convolution) for number, n in enumerate(GLIMPSE_FILTERS)
        ]
        self.norms = _norms(self.convolutions, policy)
        self.change = layers.Dense(numbers, kernel_initializer="zeros", name="change", **policy)

    def build(self, images_shape, boxes_shape):
        shape = _build(self.convolutions, self.norms, (None, GLIMPSE, GLIMPSE, images_shape[3]))
        self.change.build((None, int(np.prod(shape[1:]))))

    def call(self, images, boxes, training=None):
        seen = sample(images, boxes, (GLIMPSE, GLIMPSE), antialias=True, fill_mode="nearest")
        x = ops.reshape(seen, (-1, GLIMPSE, GLIMPSE, images.shape[3]))
        x = _standardise(x - ops.mean(x, axis=(1, 2), keepdims=True))
        x = _features(x, self.convolutions, self.norms, training)
        change = self.change(ops.reshape(x, (-1, int(np.prod(x.shape[1:])))))
        change = LARGEST * ops.tanh(ops.cast(change, "float32") / LARGEST)
        return ops.reshape(change, (-1, boxes.shape[1], self.numbers))

    def compute_output_shape(self, images_shape, boxes_shape):
        return (*boxes_shape[:2], self.numbers)

    def get_config(self):
        return {**super().get_config(), "numbers": self.numbers}


def _norms(convolutions, policy):
    """A normalisation behind each convolution."""
    return [
        layers.BatchNormalization(momentum=0.9, name=f"{before.name}_norm", **policy) for before in convolutions
    ]


def _build(convolutions, norms, shape):
    """Build them one behind the other; gives the shape of what comes out."""
    for convolution, norm in zip(convolutions, norms):
        convolution.build(shape)
        shape = convolution.compute_output_shape(shape)
        norm.build(shape)
    return shape


def _features(x, convolutions, norms, training):
    """What the convolutions make of images, normalised and rectified."""
    for convolution, norm in zip(convolutions, norms):
        x = ops.clip(norm(convolution(x), training=training), 0, CEILING)
    return x


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
    identity = ops.eye(points.shape[2], dtype="float32")
    covariance = covariance + least[:, None, None] * identity
    # TensorFlow stops at a matrix of NaNs; the points have them too, so that they are in the result all the same.
    inverse = ops.linalg.inv(ops.where(ops.isnan(covariance), identity, covariance))
    return ops.sum(ops.matmul(points, inverse) * points, axis=-1)


def sides(shares, bounds):
    """Width and height, in the unit of the bounds, for sizes from 0 (smallest) to 1 (largest): `(..., 2)`."""
    return bounds[0] * (bounds[1] / bounds[0]) ** shares


def _middles(n):
    """The middles of n equal parts of 1."""
    return (ops.arange(n, dtype="float32") + 0.5) / n


def _bell(off, deviation):
    """A Gaussian, 1 at its middle."""
    return ops.exp(-0.5 * ops.square(off / deviation))


def _gaussian(n, deviation):
    """A Gaussian around each of n numbers, at each of them: `(n, n)`."""
    numbers = ops.arange(n, dtype="float32")
    return _bell(numbers[:, None] - numbers, deviation)


def _blur(n, deviation):
    """A matrix that blurs n numbers with a Gaussian; at the ends it is cut off."""
    weights = _gaussian(n, deviation)
    return weights / ops.sum(weights, axis=1, keepdims=True)
