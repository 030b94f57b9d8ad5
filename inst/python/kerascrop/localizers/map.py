"""The built-in localizer: a small network that scores every place of an image, and a second look at the best one."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from kerascrop import checks, geometry
from kerascrop.engine.graphs import in_graph
from kerascrop.engine.sampling import resample
from kerascrop.hints import LayerOptions, Tensor, Unpack
from kerascrop.localizers import network
from kerascrop.localizers.candidates import Bounds, Candidates
from kerascrop.localizers.glimpse import LOOK, Glimpse
from kerascrop.localizers.rarity import blurred, rarity_of
from kerascrop.seeds import SavedSeeds, Seeds

TINY = 1e-12  # added to the cells of a map, which may all be 0


class Found(NamedTuple):
    """What a map gives for each image; places are x and y as fractions of the image."""

    predicted: Any  #: `(batch, 2 + sizes)`: the place of the highest peak, then the sizes, from 0 to 1
    mean: Any  #: `(batch, 2)`: the centre of mass of the whole map
    second: Any  #: `(batch, 2)`: the place of the second peak
    weight: Any  #: `(batch,)`: how much of the crop should come from the highest one
    scores: Any  #: `(batch, rows, columns)`: of the cells; their softmax is the map
    divergence: Any  #: `(batch,)`: how far the network's own map is from a map of that place (Kullback-Leibler)


@keras.saving.register_keras_serializable("kerascrop")
class MapLocalizer(SavedSeeds, layers.Layer):
    """A small convolutional network that scores every place of an image.

    It looks at a view of at most `view` pixels per side (smaller images are only resized to whole cells; those of
    unknown size are resized to a square), in cells of 4 by 4 pixels, each seen with its neighbours. A cell's
    score is `network + contrast`. The network starts at zero, so at first the map follows the contrast: how
    rare a cell's pixels are in their image, smoothed to the size of the box. So learning starts where something stands
    out, in colour or brightness, rather than at the image's centre. The softmax of the scores is a map of where the
    object is. The place is the map's centre of mass (soft-argmax: Finn et al. 2016, "Deep Spatial Autoencoders")
    around the highest peak, not between peaks. The size is at first the one at which that place stands out most from
    its surroundings, but within two standard deviations of the sizes found in training so far; if sizes are
    learned, a `Glimpse` at the box then corrects place and size.

    `LearnableCrop` calls `candidates()`, which returns one for each image, and two in training, in which boxes are also
    moved and scaled a little. Internally all is in fractions of the image, and bounds are `(2, 2)`: width and height of
    the smallest box, then of the largest. Called on `look(images)` and on bounds, the layer returns
    `(batch, 2 + sizes)` numbers in `[0, 1]`: x and y of the centre, then the sizes, between their bounds.

    Args:
        sizes: how many sizes to predict: 0, 1 or 2.
        view: pixels along the view's longer side: more find smaller things, at quadratic cost.
        seed: a whole number, for the same exploration in every training; None draws one.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    # Constants have a comment: what they are, with the unit, and after the colon the effect of a larger value.
    CELL = 4  # pixels of the view along a cell's side: coarser centres, and less to compute
    FILTERS = 16  # channels of the convolutions: no better on the bench's sets with 32, and slower

    def __init__(self, sizes: int, view: int = 256, seed: int | None = None, **kwargs: Unpack[LayerOptions]):
        super().__init__(autocast=False, **kwargs)
        self.sizes, self.view, self.seed = sizes, checks.check_size(view, "view"), seed
        if view < self.CELL:
            raise checks.SizeError(f"`view` must be at least a cell of {self.CELL} pixels, not {view}.")
        self.seed_generator = Seeds(seed, name=f"{self.name}_seeds")
        policy = {"dtype": self.dtype_policy}
        convolution = {"data_format": "channels_last", **policy}  # whatever Keras's setting is
        # All have names, under which PyTorch stores weights.
        self.convolutions = [
            layers.Conv2D(self.FILTERS, self.CELL, self.CELL, use_bias=False, name="cells", **convolution),
            *(
                layers.Conv2D(self.FILTERS, 3, padding="same", use_bias=False, name=f"around_{number}", **convolution)
                for number in (1, 2, 3)
            ),
        ]
        # Without normalisation maps stay flat, and crops collapse to the centre.
        self.norms = network.norms(self.convolutions, policy)
        self.score = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="zeros", name="score", **convolution)
        self.glimpse = Glimpse(2 + sizes, name="glimpse", **policy) if sizes else None

    def build(self, images_shape, bounds_shape=None):
        """`images_shape` is that of the images, before `look()`."""
        height, width = images_shape[1:3]
        longest = max(height, width) if height and width else None
        aspect = (height / longest, width / longest) if longest else (1, 1)  # where it is known
        side = min(self.view, longest or self.view) / self.CELL
        self.cells = tuple(max(1, round(part * side)) for part in aspect)
        # Along y and x: where the cells are, as fractions of the image, and how far apart they are, in cells.
        lines = [np.arange(n, dtype="float32") for n in self.cells]
        self.middles = [(line + 0.5) / np.float32(len(line)) for line in lines]
        self.steps = [line[:, None] - line for line in lines]
        blurs = [np.exp(-0.5 * np.square(steps / self.AROUND)) for steps in self.steps]
        self.blurs = [blur / blur.sum(axis=1, keepdims=True) for blur in blurs]  # cut off at the edges
        shape = (images_shape[0], *(self.CELL * cells for cells in self.cells), images_shape[3])
        self.score.build(network.build(self.convolutions, self.norms, shape))
        if self.glimpse:
            self.glimpse.build(images_shape, (images_shape[0], None, 4))
            weight = {"shape": (self.sizes,), "trainable": False, "dtype": "float32", "autocast": False}
            self.size_mean = self.add_weight(initializer=keras.initializers.Constant(0.5), name="size_mean", **weight)
            self.size_variance = self.add_weight(initializer="ones", name="size_variance", **weight)

    def candidates(self, images: Tensor, bounds: Bounds, training: bool = False) -> Candidates:
        """What `LearnableCrop` asks for: see `kerascrop.localizers`."""
        if training:
            return self._explore(self.look(images), self._limits(bounds), bounds)
        return Candidates(self._predicted(images, bounds)[:, None])

    @in_graph
    def _predicted(self, images, bounds):
        """The middles and sizes of the boxes, in pixels: `(batch, 4)`."""
        predicted = self(self.look(images), self._limits(bounds), training=False)
        middles = predicted[:, :2] * bounds.images
        sizes = ops.broadcast_to(self._pixels(predicted, bounds), ops.shape(middles))
        return ops.concatenate([middles, sizes], axis=1)

    def _limits(self, bounds):
        """The smallest and the largest box, as fractions of the image: `(2, 2)`."""
        return ops.stack([bounds.smallest, bounds.largest]) / bounds.images

    SHIFTED, SCALED = 0.08, 0.15  # noise, in boxes and logarithms, so that cutting objects costs: blurs what is learned
    TURNED = 4  # one image in this many is also shown turned: cheaper, with a weaker pull to the object's middle

    def _explore(self, view, limits, bounds):
        """Two candidates in training, moved and scaled a little, losses that need no labels, and one that needs boxes.

        The network sees images mirrored at random: from few boxes it learns to find objects twice as well.
        """
        batch, losses = ops.shape(view)[0], []
        signs = ops.where(self._noise(batch, 2) < 0, -1.0, 1.0)
        shown = mirrored(view, signs), mirrored(view[:: self.TURNED], -signs[:: self.TURNED])
        found = self.find(ops.concatenate(shown, axis=0), limits, training=True)
        scores = found.scores[:batch]
        places = [
            mirrored_place(part[:batch], signs) for part in (found.predicted[:, :2], found.second, found.mean)
        ]
        predicted = ops.concatenate([places[0], found.predicted[:batch, 2:]], axis=1)
        sizes = self._pixels(found.predicted[batch:], bounds)
        # The place in an image and in the turned one should be the same. Distances are in boxes, and bounded.
        turned = mirrored_place(found.mean[batch:], -signs[:: self.TURNED])
        distance = (places[2][:: self.TURNED] - turned) * bounds.images
        distance = ops.sum(ops.square(distance / ops.stop_gradient(sizes)), axis=1)
        losses.append(ops.mean(distance / (1 + distance)))
        if self.sizes:
            noise = self._noise(batch, 2, 2 + self.sizes)
            predicted, disagreement = self.correct_twice(view, predicted, limits, noise)
            losses.append(ops.mean(disagreement / (1 + disagreement)))
        noise, sizes = self._noise(batch, 3), self._pixels(ops.clip(predicted, 0.0, 1.0), bounds)
        # Without a gradient for sizes: else smaller boxes would pay off, as they are moved less.
        shift = self.SHIFTED * noise[:, :2] * ops.stop_gradient(sizes)
        sizes = sizes * ops.exp(self.SCALED * noise[:, 2:])
        middles = ops.stack([predicted[:, :2], places[1]], axis=1) * bounds.images + shift[:, None]
        boxes = ops.concatenate([middles, ops.broadcast_to(sizes[:, None], ops.shape(middles))], axis=2)
        weight = found.weight[:batch]
        weights = ops.stack([weight, 1 - weight], axis=1)

        def missed(truth):
            return self.missed(scores, geometry.middles(truth) / bounds.images, signs)

        return Candidates(boxes, weights, tuple(losses), found.divergence[:batch], missed)

    def missed(self, scores, places, signs):
        """How improbable the map takes true places for: the cross-entropy of the softmax of its scores.

        Places are `(batch, 2)`, or `(batch, places, 2)`, in images that were mirrored as the signs say. Each is shared
        by the four cells around it, so that it is the centre of mass of a map that learned it.
        """
        several = places if len(places.shape) == 3 else places[:, None]
        several = mirrored_place(several, signs[:, None])
        down, across = (
            ops.relu(1 - ops.abs(ops.subtract(np.arange(n, dtype="float32"), ops.clip(n * place - 0.5, 0, n - 1))))
            for n, place in zip(self.cells, (several[..., 1:], several[..., :1]))
        )
        losses = -ops.einsum("bpy,byx,bpx->bp", down, over_cells(ops.log_softmax, scores), across)
        return losses if len(places.shape) == 3 else losses[:, 0]

    def _pixels(self, predicted, bounds):
        """Width and height in pixels; there may be one size for all."""
        return between(predicted[..., 2:], bounds) if self.sizes else bounds.smallest

    def _noise(self, *shape):
        """Random numbers from -1 to 1."""
        return keras.random.uniform(shape, -1, 1, "float32", seed=self.seed_generator)

    def look(self, images):
        """The view: images `(batch, height, width, channels)` resized to whole cells."""
        size = tuple(self.CELL * cells for cells in self.cells)
        if tuple(images.shape[1:3]) == size:
            return images
        batch, height, width = ops.shape(images)[:3]
        whole = ops.stack([ops.cast(side, "float32") for side in (0, 0, width, height)])
        return resample(images, ops.broadcast_to(whole, (batch, 4)), size, LOOK)

    AROUND = 1  # cells, the deviation of the blur that gives a pixel's surroundings: larger things count as rare

    def rarity(self, view):
        """How rare the pixels of each cell are in their image, `(batch, rows, columns)`: see `rarity.py`."""
        return rarity_of(view, self.cells, self.CELL, self.blurs)

    SCALES = 9  # sizes that are tried at the start: finer, and slower
    BLUR = 0.28  # boxes, the deviation of the Gaussian that stands for a box: boxes come out smaller
    GAIN = 4.0  # factor on scores in a softmax: sharper maps, which follow single cells; 10 trains worse

    def start(self, rarity, centres, bounds):
        """The size, from 0 (smallest) to 1 (largest), at which places stand out most: `(batch, 1)`.

        At this size a blur to the box's size differs most from a wider one (Lindeberg 1998, "Feature detection with
        automatic scale selection"), in a softmax over a few sizes.
        """
        scales = ops.linspace(0.0, 1.0, self.SCALES)[:, None]
        deviations = self.BLUR * between(scales, bounds)  # (sizes, 2): horizontal, vertical
        deviations = ops.concatenate([deviations, 1.6 * deviations], axis=0)
        down, across = (
            _bell(ops.subtract(middles, ops.expand_dims(centres[:, axis : axis + 1], 2)), deviation) / deviation
            for middles, axis, deviation in zip(self.middles, (1, 0), (deviations[:, 1:], deviations[:, :1]))
        )
        seen = ops.sum(ops.matmul(down, ops.sqrt(rarity)) * across, axis=2)
        response = seen[:, : self.SCALES] - seen[:, self.SCALES :]
        response = response / (ops.max(ops.abs(response), axis=1, keepdims=True) + 1e-6)
        return ops.matmul(ops.softmax(self.GAIN * response), scales)

    USUAL = 2.0  # deviations of the sizes found so far within which a size starts: freer, and misled more often
    MEMORY = 0.98  # share of those sizes' statistics that each batch keeps: slower to follow

    def usual(self, sizes):
        """Sizes `(batch, 1)`, moved to the nearest that is not unusual: `(batch, sizes)`."""
        reach = self.USUAL * ops.sqrt(self.size_variance)
        return ops.minimum(ops.maximum(sizes, self.size_mean - reach), self.size_mean + reach)

    def remember(self, sizes):
        """Add sizes `(batch, sizes)` to the statistics of those found so far, unless the layer is frozen."""
        if not self.trainable:
            return
        sizes = ops.stop_gradient(ops.clip(sizes, 0.0, 1.0))
        variance = ops.mean(ops.square(sizes - self.size_mean), axis=0)
        self.size_variance.assign(self.MEMORY * self.size_variance + (1 - self.MEMORY) * variance)
        self.size_mean.assign(self.MEMORY * self.size_mean + (1 - self.MEMORY) * ops.mean(sizes, axis=0))

    MOST = 3.0  # deviations, the limit of the contrast: the network needs longer to overrule what stands out
    SHARPER = 5  # power by which two candidates compete: the second one's part of the crop becomes smaller
    SPREAD = 0.2  # boxes, the deviation of the centres that the network is taught: blurrier maps

    def scores(self, view, bounds, training=None):
        """What the cells of a view score, `(batch, rows, columns)`: in all, and by the network alone.

        Then how rare they are, and for the rows and the columns the blur that stands for a box.
        """
        view = ops.cast(view, "float32")
        view = network.standardise(view - ops.mean(view, axis=(1, 2), keepdims=True))
        x = network.features(view, self.convolutions, self.norms, training)
        rarity = ops.stop_gradient(self.rarity(view))
        typical = ops.unstack(between(self.size_mean if self.sizes else 0.5, bounds))[::-1]
        # Blurs are cut off at the edges, so that half an object there does not stand out as a whole one would.
        blurs = [_bell(steps, self.BLUR * length * len(steps)) for steps, length in zip(self.steps, typical)]
        contrast = network.standardise(blurred(rarity, *blurs))
        learned = self.GAIN * ops.reshape(ops.cast(self.score(x), "float32"), (-1, *self.cells))
        return learned + self.MOST * ops.tanh(contrast / self.MOST), learned, rarity, blurs

    def find(self, view, bounds, training=None):
        """What the map of a view gives: `Found`, with sizes that no `Glimpse` has corrected."""
        scores, learned, rarity, blurs = self.scores(view, bounds, training)
        heat = over_cells(ops.softmax, scores)
        window = self._window(heat, blurs)
        rest = heat * (1 - window)
        parts = heat * window, rest * self._window(rest, blurs)
        held = [ops.sum(part, axis=(1, 2)) ** self.SHARPER + TINY for part in parts]
        centre, second, mean = (self._centre(part) for part in (*parts, heat))
        size = ops.zeros_like(centre[:, :1])
        if self.sizes:
            size = ops.stop_gradient(self.usual(self.start(rarity, centre, bounds)))
        taught = ops.stop_gradient(self._around(centre, self.SPREAD * between(size, bounds)))
        divergence = taught * (ops.log(taught + TINY) - over_cells(ops.log_softmax, learned))
        return Found(
            ops.concatenate([centre, size], axis=1) if self.sizes else centre,
            mean,
            second,
            held[0] / (held[0] + held[1]),
            scores,
            ops.sum(divergence, axis=(1, 2)),
        )

    WIDE = 2.0  # boxes, the side of a glimpse: sees more around a box, and the box itself less finely

    def correct(self, view, predicted, bounds, training=None, turned=(1,)):
        """Numbers `(batch, boxes, 2 + sizes)`, corrected by a glimpse at each box; they may leave [0, 1].

        Where `turned`, 1 or -1 for each box, is -1, the glimpse is turned by 180 degrees.
        """
        sizes, turned = between(predicted[..., 2:], bounds), ops.convert_to_tensor(turned, "float32")[:, None]
        centres, reach = (ops.stop_gradient(part) for part in (predicted[..., :2], self.WIDE / 2 * turned * sizes))
        height, width = view.shape[1:3]
        looks = ops.concatenate([centres - reach, centres + reach], axis=-1)
        looks = looks * ops.convert_to_tensor([width, height] * 2, "float32")
        change = self.glimpse(ops.cast(view, "float32"), looks, training=training)
        moved, scaled = turned * sizes * change[..., :2], change[..., 2:] * self._per_span(bounds)
        return predicted + ops.concatenate([moved, scaled], axis=-1)

    MOVED, ZOOMED = 0.1, 0.4  # boxes and logarithms by which boxes are disturbed: corrections reach further

    def correct_twice(self, view, predicted, bounds, noise):
        """Numbers `(batch, 2 + sizes)`, corrected after noise disturbed them, and how far from them a second try ends.

        However a box is disturbed, and whichever way round it is seen, the correction should lead to the same box:
        that teaches sizes which fit all objects in the same way. `noise` is from -1 to 1, `(batch, 2, 2 + sizes)`.
        Distances are squared, in boxes and in logarithms. The sizes are remembered.
        """
        predicted = predicted[:, None]
        sizes = between(predicted[..., 2:], bounds)
        zoomed = self.ZOOMED * self._per_span(bounds) * noise[..., 2:]
        wrong = ops.concatenate([self.MOVED * sizes * noise[..., :2], zoomed], axis=-1)
        tries = self.correct(view, predicted + wrong, bounds, training=True, turned=(1, -1))
        scales = between(tries[..., 2:], bounds)[..., : self.sizes]
        centres = (tries[:, 0, :2] - tries[:, 1, :2]) / ops.stop_gradient(sizes[:, 0])
        disagreement = ops.concatenate([centres, ops.log(scales[:, 0] / scales[:, 1])], axis=1)
        self.remember(tries[:, 0, 2:])
        return tries[:, 0], ops.sum(ops.square(disagreement), axis=1)

    def call(self, view, bounds, training=None):
        predicted = self.find(view, bounds, training).predicted
        if self.sizes:
            predicted = self.correct(view, predicted[:, None], bounds, training)[:, 0]
        return ops.clip(predicted, 0.0, 1.0)

    def _per_span(self, bounds):
        """A logarithm of 1 as a fraction of the range of sizes, `(sizes,)`; 0 where a size is fixed."""
        span = ops.log(bounds[1] / bounds[0])[: self.sizes]
        return ops.where(span > 0, 1 / ops.maximum(span, 1e-6), 0.0)

    def _window(self, heat, blurs, luck=None):
        """Weights of the cells around where a box holds most of a map, or where a cell does, times its luck."""
        rows, columns = self.cells
        held = blurred(heat, *blurs) if luck is None else heat * luck
        # Not `ops.argmax()`: Keras makes it of operations on bits, which few other runtimes have.
        peak = ops.top_k(ops.reshape(held, (-1, rows * columns)), 1)[1][:, 0]
        vertical, horizontal = ops.take(blurs[0], peak // columns, axis=0), ops.take(blurs[1], peak % columns, axis=0)
        return vertical[:, :, None] * horizontal[:, None]

    def _around(self, centres, deviations):
        """Maps of a Gaussian around each place; each map adds up to 1."""
        # Slices of one column, as TensorFlow's optimizer turns `[:, axis, None]` of stacked numbers into `[:, axis]`.
        down, across = (
            _bell(ops.subtract(middles, centres[:, axis : axis + 1]), deviations[:, axis : axis + 1])
            for middles, axis in zip(self.middles, (1, 0))
        )
        cells = down[:, :, None] * across[:, None]
        return cells / (ops.sum(cells, axis=(1, 2), keepdims=True) + TINY)

    def _centre(self, heat):
        """The centre of mass of a map, x and y, as fractions of the image: `(batch, 2)`."""
        heat = heat + TINY
        total = ops.sum(heat, axis=(1, 2))
        down, across = self.middles
        sums = ops.matmul(ops.sum(heat, axis=1), across), ops.matmul(ops.sum(heat, axis=2), down)
        return ops.stack([part / total for part in sums], axis=1)

    def compute_output_shape(self, view_shape, bounds_shape=None):
        return (view_shape[0], 2 + self.sizes)

    def get_config(self):
        return {**super().get_config(), "sizes": self.sizes, "view": self.view, "seed": self.seed}


def mirrored(images, signs):
    """Images `(batch, height, width, channels)`, mirrored along x or y where the signs `(batch, 2)` are negative."""
    for axis, sign in ((2, signs[:, :1]), (1, signs[:, 1:])):
        images = ops.where(sign[:, :, None, None] < 0, ops.flip(images, axis=axis), images)
    return images


def mirrored_place(places, signs):
    """Where places `(..., 2)`, x and y as fractions of the image, are in the mirrored image, and back."""
    return 0.5 + signs * (places - 0.5)


def between(fractions, bounds):
    """Width and height, in the unit of the bounds, for sizes from 0 (smallest) to 1 (largest): `(..., 2)`."""
    return bounds[0] * (bounds[1] / bounds[0]) ** fractions


def _bell(distance, deviation):
    """A Gaussian, 1 at its middle."""
    return ops.exp(-0.5 * ops.square(ops.divide(distance, deviation)))


def over_cells(softmax, scores):
    """The softmax of maps `(batch, rows, columns)` over all of their cells."""
    shape = ops.shape(scores)
    return ops.reshape(softmax(ops.reshape(scores, (shape[0], -1))), shape)
