"""The built-in localizer: a small network that scores every place of an image, and a second look at the best ones."""

from typing import Any, NamedTuple

import keras
from keras import layers, ops

from kerascrop import checks, geometry
from kerascrop.engine.graphs import in_graph
from kerascrop.hints import LayerOptions, Tensor, Unpack
from kerascrop.localizers import backbones, network
from kerascrop.localizers.candidates import Bounds, Candidates, between
from kerascrop.localizers.glimpse import Glimpse
from kerascrop.localizers.grid import TINY, Grid, blurred
from kerascrop.localizers.rarity import BLUR, Rarity, likely_size
from kerascrop.localizers.view import look, mirrored, mirrored_place
from kerascrop.seeds import SavedSeeds, Seeds


class Found(NamedTuple):
    """What the map of an image gives where one crop is wanted; places are x and y as fractions of the image."""

    predicted: Any  #: `(batch, 2 + sizes)`: the place of the highest peak, then the sizes, from 0 to 1
    mean: Any  #: `(batch, 2)`: the centre of mass of the whole map
    second: Any  #: `(batch, 2)`: the place of the second peak
    weight: Any  #: `(batch,)`: how much of the crop should come from the highest one
    scores: Any  #: `(batch, rows, columns)`: of the cells; their softmax is the map
    divergence: Any  #: `(batch,)`: how far the network's own map is from a map of that place (Kullback-Leibler)


@keras.saving.register_keras_serializable("kerascrop")
class MapLocalizer(SavedSeeds, layers.Layer):
    """Scores every place of an image, and takes the highest.

    It looks at a view of at most `view` pixels per side (smaller images are only resized to whole cells; those of
    unknown size are resized to a square), in cells of 4 by 4 pixels, each seen with its neighbours by a few
    convolutions; or in the cells of a `backbone`, a network of your own. A cell's score is `network + contrast`. The
    network's part starts at zero, so at first the map follows the contrast: how rare a cell's pixels are in their
    image, smoothed to the size of the box. So learning starts where something stands out, in colour or brightness,
    rather than at the image's centre. The softmax of the scores is a map of where the object is. The place is the
    map's centre of mass (soft-argmax: Finn et al. 2016, "Deep Spatial Autoencoders") around the highest peak, not
    between peaks. The size is at first the one at which that place stands out most from its surroundings, but within
    two standard deviations of the sizes found in training so far. If sizes are learned, or the view is smaller than
    the image, a `Glimpse` at the box, in the image itself, then corrects place and size.

    `LearnableCrop` says how many sizes it learns, and how many crops it wants, by `serve()`, and calls `candidates()`.
    For one crop that returns one box for each image, and two in training, in which boxes are also moved and scaled a
    little. Several places do not coincide: they are the highest peaks, one after the other, at least half a box apart
    along x or y. A place's weight is the share of the map that it holds; weights have a gradient, so that labels alone
    can teach the map which crops helped: see `CropPool`. In training every second place is drawn at random from what
    the map leaves, so that places get a chance which it does not know yet (drawing without replacement as in
    Katharopoulos and Fleuret 2019, "Processing Megapixel Images with Deep Attention-Sampling Models").

    Internally all is in fractions of the image, and limits are `(2, 2)`: width and height of the smallest box, then of
    the largest. A place and its sizes are `2 + sizes` numbers in `[0, 1]`: x and y of the centre, then the sizes,
    between their limits.

    Args:
        backbone: None, or a Keras layer or model that makes a map of features, `(batch, rows, columns, features)`, of
            images `(batch, height, width, channels)` with the range that the layer is given: for instance a network
            from `keras.applications` without its top, with `trainable = False` to keep its weights. Its map should be
            fine: a cell is the smallest thing that it finds.
        view: pixels along the view's longer side: more find smaller things, at quadratic cost. A backbone of one image
            size sees that size.
        seed: a whole number, for the same exploration in every training; None draws one.
        **kwargs: arguments of `keras.layers.Layer`.

    Raises:
        SizeError: a `view` smaller than a cell.
        ShapeError: a backbone without a map of whole cells, or for images of other channels.
        ArgumentError: a backbone that is not a Keras layer; a localizer that two layers want to use differently.
    """

    # Constants have a comment: what they are, with the unit, and after the colon the effect of a larger value.
    CELL = 4  # pixels of the view along a cell's side: coarser centres, and less to compute
    FILTERS = 16  # channels of the convolutions: no better on the bench's sets with 32, and slower

    def __init__(
        self,
        backbone: keras.layers.Layer | None = None,
        view: int = 256,
        seed: int | None = None,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(autocast=False, **kwargs)
        self.view, self.seed = checks.check_size(view, "view"), checks.check_seed(seed)
        if view < self.CELL:
            raise checks.SizeError(f"`view` must be at least a cell of {self.CELL} pixels, not {view}.")
        self.seed_generator = Seeds(seed, name=f"{self.name}_seeds")
        policy = {"dtype": self.dtype_policy}
        convolution = {"data_format": "channels_last", **policy}  # whatever Keras's setting is
        self.backbone = None if backbone is None else backbones.check_backbone(backbone)
        # All have names, under which PyTorch stores weights.
        self.convolutions = [self.backbone] if backbone is not None else [
            layers.Conv2D(self.FILTERS, self.CELL, self.CELL, use_bias=False, name="cells", **convolution),
            *(
                layers.Conv2D(self.FILTERS, 3, padding="same", use_bias=False, name=f"around_{number}", **convolution)
                for number in (1, 2, 3)
            ),
        ]
        # Without normalisation maps stay flat, and crops collapse to the centre.
        self.norms = network.norms(self.convolutions, policy)
        self.score = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="zeros", name="score", **convolution)
        self.glimpse = self.sizes = self.crops = None

    def serve(self, sizes: int, crops: int = 1) -> None:
        """Say how many sizes to predict, 0, 1 or 2, and for how many places of an image: once, before it is built."""
        wanted = sizes, checks.check_count(crops, "crops")
        if self.sizes is not None and (self.sizes, self.crops) != wanted:
            raise checks.ArgumentError(
                f"`{self.name}` already finds {self.crops} places with {self.sizes} sizes, not {crops} with {sizes}: "
                "give each layer a MapLocalizer of its own."
            )
        self.sizes, self.crops = wanted

    def build(self, images_shape):
        height, width, channels = images_shape[1:]
        longest = max(height, width) if height and width else None
        aspect = (height / longest, width / longest) if longest else (1, 1)  # where it is known
        side = min(self.view, longest or self.view)
        if self.backbone is None:
            self.seen, cells = network.whole_cells(aspect, side, self.CELL)
        else:
            self.seen, cells = backbones.whole_cells(self.backbone, aspect, side, channels)
        self.grid = Grid(*cells)
        self.rarity = Rarity(self.grid, self.seen[0] // cells[0], self.CELL)
        self.score.build(network.build(self.convolutions, self.norms, (images_shape[0], *self.seen, channels)))
        self.is_reduced = not longest or longest > max(self.seen)
        if self.sizes or self.is_reduced:
            self.glimpse = Glimpse(2 + self.sizes, name="glimpse", dtype=self.dtype_policy)
            self.glimpse.build(images_shape, (images_shape[0], None, 4))
        if self.sizes:
            weight = {"shape": (self.sizes,), "trainable": False, "dtype": "float32", "autocast": False}
            self.size_mean = self.add_weight(initializer=keras.initializers.Constant(0.5), name="size_mean", **weight)
            self.size_variance = self.add_weight(initializer="ones", name="size_variance", **weight)

    def candidates(self, images: Tensor, bounds: Bounds, training: bool = False) -> Candidates:
        """What `LearnableCrop` asks for: see `kerascrop.localizers`."""
        if not training:
            boxes, weights = self._find(images, bounds)
            return Candidates(boxes, weights if self.crops > 1 else None)
        explore = self._explore if self.crops == 1 else self._explore_several
        return explore(images, _limits(bounds), bounds)

    @in_graph
    def _find(self, images, bounds):
        """The boxes in pixels, and what they weigh."""
        predicted, weights = self.locate(images, _limits(bounds))
        return self._boxes(predicted, bounds), weights

    @in_graph
    def doubt(self, images: Tensor, bounds: Bounds) -> Tensor:
        """How unsure the last of the places is, `(batch,)`: what the next one holds of the map, beside that one.

        0 says that the map is nowhere else, 1 that the next place would have done as well. It is a whole box away.
        """
        limits = _limits(bounds)
        scores, _, _, blurs = self.scores(look(images, self.seen), limits)
        _, held = self.peaks(self.grid.softmax(scores), blurs, limits, count=self.crops + 1, apart=1.0)
        return ops.minimum(held[:, -1] / held[:, -2], 1.0)

    def locate(self, images, limits):
        """Places and sizes, `(batch, crops, 2 + sizes)`, and what the places weigh, `(batch, crops)`."""
        view = look(images, self.seen)
        scores, _, rare, blurs = self.scores(view, limits)
        places, weights = self.peaks(self.grid.softmax(scores), blurs, limits)
        predicted = self._sized(places, rare, limits)
        if self.glimpse:
            predicted = self.correct(images if self.is_reduced else view, predicted, limits)
        return ops.clip(predicted, 0.0, 1.0), weights

    SHIFTED, SCALED = 0.08, 0.15  # noise, in boxes and logarithms, so that cutting objects costs: blurs what is learned
    TURNED = 4  # one image in this many is also shown turned: cheaper, with a weaker pull to the object's middle

    def _explore(self, images, limits, bounds):
        """Two candidates in training, moved and scaled a little, losses that need no labels, and one that needs boxes.

        The network sees images mirrored at random: from few boxes it learns to find objects twice as well.
        """
        view = look(images, self.seen)
        batch = ops.shape(view)[0]
        signs = self._signs(batch)
        shown = mirrored(view, signs), mirrored(view[:: self.TURNED], -signs[:: self.TURNED])
        found = self.find(ops.concatenate(shown, axis=0), limits, training=True)
        places = [
            mirrored_place(part[:batch], signs) for part in (found.predicted[:, :2], found.second, found.mean)
        ]
        predicted = ops.concatenate([places[0], found.predicted[:batch, 2:]], axis=1)
        # The place in an image and in the turned one should be the same. Distances are in boxes, and bounded.
        turned = mirrored_place(found.mean[batch:], -signs[:: self.TURNED])
        sides = ops.stop_gradient(self._sides(found.predicted[batch:], limits))
        losses = [_bounded(ops.sum(ops.square((places[2][:: self.TURNED] - turned) / sides), axis=1))]
        if self.glimpse:
            closer, wrong = images if self.is_reduced else view, self._noise(batch, 2, 2 + self.sizes)
            predicted, disagreement = self.correct_twice(closer, predicted, limits, wrong)
            losses.append(_bounded(disagreement))
        middles = ops.stack([predicted[:, :2], places[1]], axis=1)
        sizes = ops.broadcast_to(predicted[:, None, 2:], (batch, 2, self.sizes))
        boxes = self._boxes(ops.concatenate([middles, sizes], axis=2), bounds, self._noise(batch, 1, 3))
        weight = found.weight[:batch]
        weights = ops.stack([weight, 1 - weight], axis=1)
        missed = self._missed(found.scores[:batch], signs, bounds)
        return Candidates(boxes, weights, tuple(losses), found.divergence[:batch], missed)

    def _explore_several(self, images, limits, bounds):
        """Places in training, every second one drawn at random, moved and scaled a little."""
        view = look(images, self.seen)
        batch, losses = ops.shape(view)[0], ()
        signs = self._signs(batch)
        scores, _, rare, blurs = self.scores(mirrored(view, signs), limits, training=True)
        places, weights = self.peaks(self.grid.softmax(scores), blurs, limits, training=True)
        predicted = self._sized(places, rare, limits)
        predicted = ops.concatenate([mirrored_place(places, signs[:, None]), predicted[..., 2:]], axis=-1)
        if self.glimpse:
            closer, wrong = images if self.is_reduced else view, self._noise(batch, 2, 2 + self.sizes)
            losses = (_bounded(self.correct_twice(closer, predicted[:, 0], limits, wrong)[1]),)
            predicted = self.correct(closer, predicted, limits, training=True)
        boxes = self._boxes(predicted, bounds, self._noise(batch, self.crops, 3))
        return Candidates(boxes, weights, losses, missed=self._missed(scores, signs, bounds))

    def _boxes(self, predicted, bounds, noise=None):
        """Boxes of numbers `(batch, places, 2 + sizes)`, in pixels; with noise from -1 to 1 moved and scaled."""
        middles, sizes = predicted[..., :2] * bounds.images, self._sides(ops.clip(predicted, 0.0, 1.0), bounds)
        if noise is not None:
            # Without a gradient for sizes: else smaller boxes would pay off, as they are moved less.
            middles = middles + self.SHIFTED * noise[..., :2] * ops.stop_gradient(sizes)
            sizes = sizes * ops.exp(self.SCALED * noise[..., 2:])
        return ops.concatenate([middles, ops.broadcast_to(sizes, ops.shape(middles))], axis=-1)

    def _sides(self, predicted, bounds):
        """Width and height, in the unit of the bounds; there may be one size for all."""
        return between(predicted[..., 2:], bounds) if self.sizes else bounds[0]

    def _typical(self, limits):
        """Width and height of a box of the mean size found so far."""
        return between(self.size_mean if self.sizes else 0.5, limits)

    def _missed(self, scores, signs, bounds):
        """A loss for true boxes, in images that were mirrored as the signs say: see `Candidates`."""

        def missed(truth):
            places = geometry.middles(truth) / bounds.images
            return self.missed(scores, mirrored_place(places, signs if len(places.shape) == 2 else signs[:, None]))

        return missed

    def missed(self, scores, places):
        """How improbable the map takes true places for: the cross-entropy of the softmax of its scores.

        Places are `(batch, 2)`, or `(batch, places, 2)`. Each is shared by the four cells around it, so that it is the
        centre of mass of a map that learned it.
        """
        several = places if len(places.shape) == 3 else places[:, None]
        down, across = self.grid.shares(several)
        losses = -ops.einsum("bpy,byx,bpx->bp", down, self.grid.softmax(scores, ops.log_softmax), across)
        return losses if len(places.shape) == 3 else losses[:, 0]

    def _noise(self, *shape):
        """Random numbers from -1 to 1."""
        return keras.random.uniform(shape, -1, 1, "float32", seed=self.seed_generator)

    def _signs(self, batch):
        """Along which axes images are mirrored."""
        return ops.where(self._noise(batch, 2) < 0, -1.0, 1.0)

    GAIN = 4.0  # factor on the network's scores: sharper maps, which follow single cells; 10 trains worse
    MOST = 3.0  # deviations, the limit of the contrast: the network needs longer to overrule what stands out

    def scores(self, view, limits, training=None):
        """What the cells of a view score, `(batch, rows, columns)`: in all, and by the network alone.

        Then how rare they are, and for the rows and the columns the blur that stands for a box.
        """
        view = ops.cast(view, "float32")
        even = network.standardise(view - ops.mean(view, axis=(1, 2), keepdims=True))
        x = network.features(even if self.backbone is None else view, self.convolutions, self.norms, training)
        rare = ops.stop_gradient(self.rarity.of(even))
        blurs = self.grid.blurs(BLUR * self._typical(limits))
        stands_out = network.standardise(blurred(rare, *blurs))
        learned = self.GAIN * ops.reshape(ops.cast(self.score(x), "float32"), (-1, *self.grid.cells))
        return learned + self.MOST * ops.tanh(stands_out / self.MOST), learned, rare, blurs

    SHARPER = 5  # power by which two candidates compete: the second one's part of the crop becomes smaller
    SPREAD = 0.2  # boxes, the deviation of the centres that the network is taught: blurrier maps

    def find(self, view, limits, training=None):
        """What the map of a view gives for one crop: `Found`, with sizes that no `Glimpse` has corrected."""
        scores, learned, rare, blurs = self.scores(view, limits, training)
        heat = self.grid.softmax(scores)
        window = self.grid.window(heat, blurs)
        rest = heat * (1 - window)
        parts = heat * window, rest * self.grid.window(rest, blurs)
        held = [ops.sum(part, axis=(1, 2)) ** self.SHARPER + TINY for part in parts]
        centre, second, mean = (self.grid.centre(part) for part in (*parts, heat))
        predicted = self._sized(centre[:, None], rare, limits)[:, 0]
        deviations = self.SPREAD * ops.broadcast_to(self._sides(predicted, limits), ops.shape(centre))
        taught = ops.stop_gradient(self.grid.around(centre, deviations))
        divergence = taught * (ops.log(taught + TINY) - self.grid.softmax(learned, ops.log_softmax))
        weight = held[0] / (held[0] + held[1])
        return Found(predicted, mean, second, weight, scores, ops.sum(divergence, axis=(1, 2)))

    def peaks(self, heat, blurs, limits, training=False, count=None, apart=0.5):
        """The places of the highest peaks of maps, `(batch, crops, 2)`, and their weights, `(batch, crops)`.

        Another `count` finds more or fewer than `crops`; `apart` is how far they are apart at least, in boxes.
        """
        rest, places, held = heat, [], []
        apart = apart * ops.stop_gradient(self._typical(limits))
        for number in range(count or self.crops):
            luck = None
            if training and number % 2:  # an exponential race: a cell wins as often as its share of the map
                luck = -1 / ops.log(keras.random.uniform(ops.shape(heat), TINY, 1, "float32", self.seed_generator))
            part = rest * self.grid.window(rest, blurs, luck)
            places.append(self.grid.centre(part))
            held.append(ops.sum(part, axis=(1, 2)) + TINY)
            rest = ops.where(self.grid.near(ops.stop_gradient(places[-1]), apart), 0.0, rest)
        weights = ops.stack(held, axis=1)
        return ops.stack(places, axis=1), weights / ops.sum(weights, axis=1, keepdims=True)

    USUAL = 2.0  # deviations of the sizes found so far within which a size starts: freer, and misled more often
    MEMORY = 0.98  # share of those sizes' statistics that each batch keeps: slower to follow

    def _sized(self, places, rare, limits):
        """Places, and the sizes at which they start, moved to the nearest that are not unusual."""
        if not self.sizes:
            return places
        likely = [likely_size(rare, self.grid, places[:, k], limits) for k in range(places.shape[1])]
        reach = self.USUAL * ops.sqrt(self.size_variance)
        sizes = ops.minimum(ops.maximum(ops.stack(likely, axis=1), self.size_mean - reach), self.size_mean + reach)
        return ops.concatenate([places, ops.stop_gradient(sizes)], axis=-1)

    def remember(self, sizes):
        """Add sizes `(batch, sizes)` to the statistics of those found so far, unless the layer is frozen."""
        if not (self.sizes and self.trainable):
            return
        sizes = ops.stop_gradient(ops.clip(sizes, 0.0, 1.0))
        variance = ops.mean(ops.square(sizes - self.size_mean), axis=0)
        self.size_variance.assign(self.MEMORY * self.size_variance + (1 - self.MEMORY) * variance)
        self.size_mean.assign(self.MEMORY * self.size_mean + (1 - self.MEMORY) * ops.mean(sizes, axis=0))

    WIDE = 2.0  # boxes, the side of a glimpse: sees more around a box, and the box itself less finely

    def correct(self, images, predicted, limits, training=None, turned=(1,)):
        """Numbers `(batch, places, 2 + sizes)`, corrected by a glimpse at each box; they may leave [0, 1].

        Where `turned`, 1 or -1 for each box, is -1, the glimpse is turned by 180 degrees.
        """
        turned = ops.convert_to_tensor(turned, "float32")[:, None]
        sides = ops.broadcast_to(self._sides(predicted, limits), ops.shape(predicted[..., :2]))
        centres, reach = (ops.stop_gradient(part) for part in (predicted[..., :2], self.WIDE / 2 * turned * sides))
        looks = ops.concatenate([centres - reach, centres + reach], axis=-1)
        height, width = ops.shape(images)[1:3]
        looks = looks * geometry.stack_numbers([width, height] * 2, "float32")
        change = self.glimpse(images, looks, training=training)
        moved, scaled = turned * sides * change[..., :2], change[..., 2:] * self._per_span(limits)
        return predicted + ops.concatenate([moved, scaled], axis=-1)

    MOVED, ZOOMED = 0.1, 0.4  # boxes and logarithms by which boxes are disturbed: corrections reach further

    def correct_twice(self, images, predicted, limits, noise):
        """Numbers `(batch, 2 + sizes)`, corrected after noise disturbed them, and how far from them a second try ends.

        However a box is disturbed, and whichever way round it is seen, the correction should lead to the same box:
        that teaches sizes which fit all objects in the same way. `noise` is from -1 to 1, `(batch, 2, 2 + sizes)`.
        Distances are squared, in boxes and in logarithms. The sizes are remembered.
        """
        predicted = predicted[:, None]
        sides = self._sides(predicted, limits)
        zoomed = self.ZOOMED * self._per_span(limits) * noise[..., 2:]
        wrong = ops.concatenate([self.MOVED * sides * noise[..., :2], zoomed], axis=-1)
        tries = self.correct(images, predicted + wrong, limits, training=True, turned=(1, -1))
        self.remember(tries[:, 0, 2:])
        apart = (tries[:, 0, :2] - tries[:, 1, :2]) / ops.stop_gradient(self._sides(predicted[:, 0], limits))
        apart = ops.sum(ops.square(apart), axis=1)
        if self.sizes:
            scales = between(tries[..., 2:], limits)[..., : self.sizes]
            apart = apart + ops.sum(ops.square(ops.log(scales[:, 0] / scales[:, 1])), axis=1)
        return tries[:, 0], apart

    def _per_span(self, limits):
        """A logarithm of 1 as a fraction of the range of sizes, `(sizes,)`; 0 where a size is fixed."""
        span = ops.log(limits[1] / limits[0])[: self.sizes]
        return ops.where(span > 0, 1 / ops.maximum(span, 1e-6), 0.0)

    def get_config(self):
        backbone = self.backbone and keras.saving.serialize_keras_object(self.backbone)
        return {**super().get_config(), "backbone": backbone, "view": self.view, "seed": self.seed}

    def get_build_config(self):
        return None  # the layer that it serves builds it

    @classmethod
    def from_config(cls, config):
        if config.get("backbone"):
            config = {**config, "backbone": keras.saving.deserialize_keras_object(config["backbone"])}
        return super().from_config(config)


def _limits(bounds):
    """The smallest and the largest box, as fractions of the image: `(2, 2)`."""
    return ops.stack([bounds.smallest, bounds.largest]) / bounds.images


def _bounded(distances):
    """The mean of squared distances, no one of which counts as more than 1."""
    return ops.mean(distances / (1 + distances))
