"""A random place in training, the centre at inference."""

import random

import keras

from kerascrop import checks, windows
from kerascrop.layers.center import CenterCrop


@keras.saving.register_keras_serializable("kerascrop")
class RandomCrop(CenterCrop):
    """Cut `height` by `width` pixels out of a random place of each image.

    In training every place is equally likely, the last row and column included, and each axis is drawn on its
    own; at inference the crop is the centre, of the same size. The dtype stays, whatever it is.

    Input shape: `(batch, height, width, channels)`, with `"channels_first"` `(batch, channels, height, width)`;
    one image without the batch, or a clip `(batch, time, height, width, channels)`, whose frames share one place.

    Output shape: the same with the new height and width; with `return_boxes=True` also the boxes, `(batch, 4)`.

    Args:
        height, width: size of the crop, in pixels.
        per_image: draw a place for each image; False draws one for the whole batch.
        seed: a whole number, for the same places in every run; None draws one.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the boxes, `x1, y1, x2, y2` in pixels.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.

    Call arguments:
        images: the images.
        training: True for random places. `fit()` sets it; outside of a model, as in a `tf.data` pipeline, say so:
            `dataset.map(lambda images: crop(images, training=True))`.

    Raises:
        SizeError: a size is no positive whole number, or larger than the images.
        ShapeError: the input is no batch of images, nor one image.
    """

    def __init__(
        self, height, width, per_image=True, seed=None, data_format=None, return_boxes=False, **kwargs
    ):
        super().__init__(height, width, data_format=data_format, return_boxes=return_boxes, **kwargs)
        self.per_image = checks.check_flag(per_image, "per_image")
        # A seed that was drawn is kept like one that was given: a saved layer replays.
        self.seed = checks.check_seed(seed)
        if self.seed is None:
            self.seed = random.randrange(2**31)
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def choose(self, lengths, sizes, batch, training):
        if not training:
            return super().choose(lengths, sizes, batch, training)
        shape = (batch,) if self.per_image and batch is not None else ()
        return [
            windows.random_start(length, size, shape, self.seed_generator)
            for length, size in zip(lengths, sizes)
        ]

    def get_config(self):
        return {**super().get_config(), "per_image": self.per_image, "seed": self.seed}
