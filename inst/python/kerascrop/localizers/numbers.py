"""Localizers that return a few numbers in `[0, 1]` for each image."""

import warnings

import keras
from keras import layers, ops

from kerascrop import checks
from kerascrop.localizers.candidates import Candidates
from kerascrop.localizers.map import between

SIZES = {"fixed": 0, "square": 1, "free": 2}  # how many numbers a size takes


class Numbers:
    """Candidates from any Keras layer or model that returns numbers: x and y of the place, then the sizes.

    The place is one in the room that the box leaves: 0 touches the left or top edge, 1 the right or bottom. Sizes are
    shares of the way from the smallest to the largest. Numbers beyond `[0, 1]` count as 0 or 1, and have no gradient;
    there is a warning, the first time that they can be looked at.

    Args:
        layer: the Keras layer or model.
        size: `"fixed"`, `"square"` or `"free"`: 2, 3 or 4 numbers.
        caller: the name of the layer that asks, for warnings.
    """

    def __init__(self, layer, size, caller):
        self.layer, self.size, self.caller = layer, size, caller
        self.is_checked = False

    def build(self, seen_shape, dtype):
        """Build the layer, whatever it is, and look at what it returns."""
        returned, count = self.layer(keras.KerasTensor(seen_shape, dtype)).shape, 2 + SIZES[self.size]
        if len(returned) != 2 or returned[-1] != count:
            raise checks.ShapeError(
                f"`localizer` must return {count} numbers for each image with size={self.size!r}, "
                f"shape (batch, {count}), not {tuple(returned)}."
            )

    def candidates(self, seen, bounds, training=False):
        numbers = ops.cast(self.layer(seen), "float32")
        self._warn(numbers)
        numbers = ops.clip(numbers, 0.0, 1.0)
        sizes = between(numbers[:, 2:], bounds) if SIZES[self.size] else bounds.smallest
        middles = numbers[:, :2] * (bounds.images - sizes) + sizes / 2
        return Candidates(ops.concatenate([middles, ops.broadcast_to(sizes, ops.shape(middles))], axis=1)[:, None])

    def _warn(self, numbers):
        found = None if self.is_checked else checks.known(numbers)
        if found is None:
            return
        self.is_checked = True
        if ((found < -1e-3) | (found > 1.001)).any():
            warnings.warn(
                f"`localizer` of `{self.caller}` should return numbers from 0 to 1, but it returns numbers from "
                f"{found.min():.3g} to {found.max():.3g}. Those beyond count as 0 or 1, and have no gradient. "
                "End it with a sigmoid.",
                stacklevel=2,
            )


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
