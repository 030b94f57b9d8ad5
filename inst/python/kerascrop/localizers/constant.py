"""A localizer that does not look at the images."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from kerascrop.hints import LayerOptions, Tensor, Unpack


@keras.saving.register_keras_serializable("kerascrop")
class GlobalLocalizer(layers.Layer):
    """One box for all images, as trainable numbers.

    Args:
        numbers: 2 for a place, 3 for a place and a side, 4 for a place, a width and a height.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, numbers: int, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.numbers = numbers

    def build(self, images_shape: Sequence) -> None:
        self.logits = self.add_weight(shape=(self.numbers,), initializer="zeros", name="logits", autocast=False)

    def call(self, images: Tensor) -> Tensor:
        return ops.broadcast_to(ops.sigmoid(self.logits), (ops.shape(images)[0], self.numbers))

    def compute_output_shape(self, images_shape: Sequence) -> tuple:
        return (images_shape[0], self.numbers)

    def get_config(self):
        return {**super().get_config(), "numbers": self.numbers}
