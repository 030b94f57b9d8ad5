"""Candidates from any Keras layer that returns a few numbers in `[0, 1]` for each image."""

import warnings

import keras
from keras import ops

from kerascrop import checks
from kerascrop.hints import Tensor
from kerascrop.localizers.candidates import Bounds, Candidates, between

SIZES = {"fixed": 0, "square": 1, "free": 2}  # how many numbers a size takes


class Adapter:
    """Makes candidates from the numbers that a Keras layer or model returns: x and y of the place, then the sizes.

    The place is relative to the room that the box leaves: 0 touches the left or top edge, 1 the right or bottom. Sizes
    go from the smallest to the largest, in logarithms. Numbers beyond `[0, 1]` count as 0 or 1, with a warning when
    values are first known, and have no gradient.

    Args:
        layer: the Keras layer or model.
        size: `"fixed"`, `"square"` or `"free"`: 2, 3 or 4 numbers.
        caller: the name of the layer that asks, for warnings.
    """

    def __init__(self, layer: keras.layers.Layer, size: str, caller: str):
        self.layer, self.size, self.caller = layer, size, caller
        self.is_checked = False

    def build(self, seen_shape, dtype):
        """Build the layer by a symbolic call, and check the shape of what it returns."""
        returned, count = self.layer(keras.KerasTensor(seen_shape, dtype)).shape, 2 + SIZES[self.size]
        if len(returned) != 2 or returned[-1] != count:
            raise checks.ShapeError(
                f"`localizer` must return {count} numbers for each image with size={self.size!r}, "
                f"shape (batch, {count}), not {tuple(returned)}."
            )

    def candidates(self, seen: Tensor, bounds: Bounds, training: bool = False) -> Candidates:
        fractions = ops.cast(self.layer(seen), "float32")
        self._warn(fractions)
        fractions = ops.clip(fractions, 0.0, 1.0)
        sizes = between(fractions[:, 2:], bounds) if SIZES[self.size] else bounds.smallest
        middles = fractions[:, :2] * (bounds.images - sizes) + sizes / 2
        return Candidates(ops.concatenate([middles, ops.broadcast_to(sizes, ops.shape(middles))], axis=1)[:, None])

    def _warn(self, fractions):
        found = None if self.is_checked else checks.known(fractions)
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
