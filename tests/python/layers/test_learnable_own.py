"""A `LearnableCrop` with a seed, and with a localizer that answers itself."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kerascrop import LearnableCrop
from kerascrop.checks import ArgumentError, BoxError
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


class Lazy(layers.Layer):
    """A localizer whose network is built when it is first asked."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.network = keras.Sequential([layers.Flatten(), layers.Dense(2, "sigmoid")])

    def candidates(self, seen, bounds, training=False):
        middles = ops.cast(self.network(seen), "float32") * bounds.images
        sizes = ops.broadcast_to(bounds.images, ops.shape(middles))  # larger than a fixed crop is: held to its size
        return Candidates(ops.concatenate([middles, sizes], axis=1)[:, None])


def test_a_localizer_that_is_built_when_it_is_asked_is_trained_and_held_to_the_bounds(scenes):
    layer = LearnableCrop(16, 24, localizer=Lazy(), return_boxes=True)
    images = keras.Input(scenes.shape[1:])
    model = keras.Model(images, layer(images)[0])
    assert len(model.trainable_variables) == 2
    x1, y1, x2, y2 = ops.convert_to_numpy(layer(scenes)[1]).T
    np.testing.assert_allclose([x2 - x1, y2 - y1], [[24] * 6, [16] * 6], rtol=1e-5)
    model.compile("sgd", "mse")
    before = [ops.convert_to_numpy(variable.value).copy() for variable in model.trainable_variables]
    model.fit(scenes, np.ones((6, 16, 24, 3)), verbose=0)
    for old, new in zip(before, model.trainable_variables):
        assert (old != ops.convert_to_numpy(new)).any()


def test_one_candidate_can_have_a_loss_that_is_judged(scenes):
    layer = LearnableCrop(16, 24, localizer=Answers(Candidates(BOXES, judged=np.full(6, 3, "float32"))))
    crops = ops.convert_to_numpy(layer(scenes))
    np.testing.assert_allclose(crops, scenes[:, 12:28, 18:42], atol=1e-6)
    assert [float(loss) for loss in layer.losses] == [3]


class Answers(layers.Layer):
    """A localizer that answers what it is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = (answer,)

    def candidates(self, seen, bounds, training=False):
        return self.answer[0]


BOXES = np.array([[[30, 20, 24, 16]]] * 6, "float32")


@pytest.mark.parametrize(
    "answer, error, message",
    [
        (BOXES, ArgumentError, "must return `kerascrop.localizers.Candidates`, not an object of type ndarray"),
        (Candidates(BOXES[:, 0]), BoxError, r"boxes of shape \(batch, candidates, 4\), not \(6, 4\)"),
        (Candidates(BOXES[..., :3]), BoxError, r"not \(6, 1, 3\)"),
        (Candidates(np.tile(BOXES, (1, 2, 1))), ArgumentError, "gives 2 boxes for each image, but no `weights`"),
        (Candidates(BOXES, np.ones(6)), ArgumentError, r"`weights` \(batch, candidates\)"),
        (Candidates(BOXES, losses=3.0), ArgumentError, "`losses` as a tuple"),
        (Candidates(BOXES[:5]), BoxError, r"boxes of shape \(6, 4\), not \(5, 4\)"),
    ],
)
def test_a_wrong_answer_of_a_localizer_is_an_error(answer, error, message, scenes):
    with pytest.raises(error, match=message):
        LearnableCrop(16, 24, localizer=Answers(answer))(scenes)
