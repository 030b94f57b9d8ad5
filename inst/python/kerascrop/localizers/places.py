"""The built-in localizer where an image has several crops: several places of its map."""

import keras
from keras import ops

from kerascrop import checks, geometry
from kerascrop.hints import LayerOptions, Tensor, Unpack
from kerascrop.localizers.candidates import Bounds, Candidates
from kerascrop.localizers.map import TINY, MapLocalizer, between, mirrored, mirrored_place, over_cells


@keras.saving.register_keras_serializable("kerascrop")
class PlacesLocalizer(MapLocalizer):
    """Finds several places in every image, which do not coincide: at least half a box apart, along x or y.

    They are the highest peaks of the same map as `MapLocalizer`'s, one after the other. A place's weight is the share
    of the map that it holds; weights add up to 1, and have a gradient, so that labels alone can teach the map which
    crops helped: see `CropPool`. In training every second place is drawn at random from what the map leaves, so that
    places get a chance which it does not know yet (drawing without replacement as in Katharopoulos and Fleuret 2019,
    "Processing Megapixel Images with Deep Attention-Sampling Models").

    Args:
        crops: how many places to find.
        sizes, view, seed, **kwargs: as in `MapLocalizer`.
    """

    def __init__(
        self, crops: int, sizes: int, view: int = 256, seed: int | None = None, **kwargs: Unpack[LayerOptions]
    ):
        super().__init__(sizes, view, seed, **kwargs)
        self.crops = checks.check_count(crops, "crops")

    def candidates(self, images: Tensor, bounds: Bounds, training: bool = False) -> Candidates:
        view, limits = self.look(images), ops.stack([bounds.smallest, bounds.largest]) / bounds.images
        batch, losses = ops.shape(view)[0], ()
        signs = ops.where(self._noise(batch, 2) < 0, -1.0, 1.0) if training else ops.ones((batch, 2), "float32")
        scores, _, rarity, blurs = self.scores(mirrored(view, signs) if training else view, limits, training)
        places, weights = self.peaks(over_cells(ops.softmax, scores), blurs, limits, training)
        predicted = self._sized(places, rarity, limits)
        predicted = ops.concatenate([mirrored_place(predicted[..., :2], signs[:, None]), predicted[..., 2:]], axis=-1)
        if self.sizes:
            corrected = self.correct(view, predicted, limits, training)
            if training:
                noise = self._noise(batch, 2, 2 + self.sizes)
                _, disagreement = self.correct_twice(view, predicted[:, 0], limits, noise)
                losses = (ops.mean(disagreement / (1 + disagreement)),)
            predicted = ops.clip(corrected, 0.0, 1.0)
        middles = predicted[..., :2] * bounds.images
        sizes = ops.broadcast_to(self._pixels(predicted, bounds), ops.shape(middles))
        if training:  # moved and scaled a little: see `MapLocalizer`
            noise = self._noise(batch, self.crops, 3)
            middles = middles + self.SHIFTED * noise[..., :2] * ops.stop_gradient(sizes)
            sizes = sizes * ops.exp(self.SCALED * noise[..., 2:])

        def missed(truth):
            return self.missed(scores, geometry.middles(truth) / bounds.images, signs)

        boxes = ops.concatenate([middles, sizes], axis=-1)
        return Candidates(boxes, weights, losses, missed=missed if training else None)

    def peaks(self, heat, blurs, bounds, training=False):
        """The places of the highest peaks of maps, `(batch, crops, 2)`, and their weights, `(batch, crops)`."""
        rest, places, held = heat, [], []
        apart = ops.stop_gradient(between(self.size_mean if self.sizes else 0.5, bounds)) / 2
        for number in range(self.crops):
            luck = None
            if training and number % 2:  # an exponential race: a cell wins as often as its share of the map
                luck = -1 / ops.log(keras.random.uniform(ops.shape(heat), TINY, 1, "float32", self.seed_generator))
            part = rest * self._window(rest, blurs, luck)
            places.append(self._centre(part))
            held.append(ops.sum(part, axis=(1, 2)) + TINY)
            near = [
                ops.abs(ops.subtract(middles, ops.stop_gradient(places[-1][:, axis : axis + 1]))) < apart[axis]
                for middles, axis in zip(self.middles, (1, 0))
            ]
            rest = ops.where(near[0][:, :, None] & near[1][:, None], 0.0, rest)
        weights = ops.stack(held, axis=1)
        return ops.stack(places, axis=1), weights / ops.sum(weights, axis=1, keepdims=True)

    def _sized(self, places, rarity, bounds):
        """Places and the sizes at which they start: `(batch, crops, 2 + sizes)`."""
        if not self.sizes:
            return places
        sizes = [self.usual(self.start(rarity, places[:, number], bounds)) for number in range(self.crops)]
        return ops.concatenate([places, ops.stop_gradient(ops.stack(sizes, axis=1))], axis=-1)

    def get_config(self):
        return {**super().get_config(), "crops": self.crops}
