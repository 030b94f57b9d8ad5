"""A `LearnableCrop` with a seed, and with a localizer that answers itself."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kerascrop import LearnableCrop
from kerascrop.checks import ArgumentError
from kerascrop.localizers import Candidates


def test_a_seed_replays_the_exploration_in_training(scenes):
    def boxes(seed):
        keras.utils.set_random_seed(0)  # the same weights
        layer = LearnableCrop(16, 16, size="square", seed=seed, return_boxes=True)
        return ops.convert_to_numpy(layer(scenes, training=True)[1])

    assert not np.array_equal(boxes(3), boxes(4))
    np.testing.assert_allclose(boxes(3), boxes(3), atol=1e-5)
    assert LearnableCrop(16, 16, seed=3).get_config()["seed"] == 3
    with pytest.raises(ArgumentError, match="`seed` must be None or a whole number"):
        LearnableCrop(16, 16, seed=-1)


class Corners(layers.Layer):
    """A localizer that answers itself: two candidates in training, and losses of its own."""

    def build(self, images_shape):
        self.scale = self.add_weight(shape=(), initializer="ones")

    def candidates(self, seen, bounds, training=False):
        size = ops.broadcast_to(bounds.largest, (ops.shape(seen)[0], 2)) * self.scale
        first = ops.concatenate([ops.zeros_like(size), size], axis=-1)  # reaches out of the image: it is moved inside
        if not training:
            return Candidates(first[:, None])
        last = ops.concatenate([bounds.images + ops.zeros_like(size), size], axis=-1)
        weights = ops.ones_like(size) * ops.convert_to_tensor([0.25, 0.75])
        return Candidates(ops.stack([first, last], axis=1), weights, (ops.sum(self.scale),), ops.ones_like(size[:, 0]))


def test_a_localizer_of_ones_own_can_explore_and_have_losses(scenes):
    layer = LearnableCrop(16, 24, localizer=Corners(), return_boxes=True)
    crops, boxes = (ops.convert_to_numpy(part) for part in layer(scenes))
    np.testing.assert_allclose(boxes, [[0, 0, 24, 16]] * 6)
    np.testing.assert_allclose(crops, scenes[:, :16, :24], atol=1e-6)
    assert not layer.losses
    crops, boxes = (ops.convert_to_numpy(part) for part in layer(scenes, training=True))
    np.testing.assert_allclose(crops, 0.25 * scenes[:, :16, :24] + 0.75 * scenes[:, 24:, 36:], atol=1e-5)
    np.testing.assert_allclose(boxes, [[0, 0, 24, 16]] * 6)
    np.testing.assert_allclose([float(loss) for loss in layer.losses], [1, 1])
