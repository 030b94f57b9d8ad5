import gc
import weakref

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop
from kerascrop.engine.graphs import CALLS, Graph

pytestmark = pytest.mark.tensorflow


def test_a_function_called_again_and_again_is_traced_once_for_all_sizes(rng):
    runs = []

    def double(x):
        runs.append(x.shape)
        return 2 * x

    graph = Graph(double)
    for n in range(1, 20):
        x = rng.normal(size=(n, 3)).astype("float32")
        np.testing.assert_array_equal(graph(ops.convert_to_tensor(x)), 2 * x)
    assert len(runs) == CALLS + 1  # eagerly, for one size, and for any


def test_a_layer_follows_its_weights_after_its_graph_is_made(rng):
    layer = kerascrop.LearnableCrop(8, 8, size="square", min_size=0.3, return_boxes=True)
    images = rng.uniform(size=(2, 32, 40, 3)).astype("float32")
    for _ in range(CALLS + 2):
        layer(images)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(size=weight.shape) / 4)
    again = kerascrop.LearnableCrop.from_config(layer.get_config())
    again.build(images.shape)
    again.set_weights(layer.get_weights())
    for part, expected in zip(layer(images), again(images)):
        np.testing.assert_allclose(part, expected, rtol=1e-4, atol=1e-3)

    values = [ops.zeros(weight.shape) for weight in layer.trainable_variables]
    others = [weight.value for weight in layer.non_trainable_variables]
    (_, boxes), _ = layer.stateless_call(values, others, images)
    assert np.abs(boxes - layer(images)[1]).max() > 0.1


def test_layers_of_one_crop_and_of_several_do_not_disturb_each_other(rng):
    images = rng.uniform(size=(2, 32, 40, 3)).astype("float32")
    layers = [kerascrop.LearnableCrop(8, 8, crops=crops, return_boxes=True) for crops in (1, 2)]
    for _ in range(CALLS + 2):
        for layer in layers:
            crops, boxes, *_ = layer(images)
            expected = kerascrop.sample(images, boxes, (8, 8), antialias=True)
            np.testing.assert_allclose(crops, expected, atol=1e-4)


def test_graphs_go_with_their_layers(rng):
    layer = kerascrop.LearnableCrop(8, 8)
    for _ in range(CALLS):
        layer(rng.uniform(size=(2, 32, 40, 3)).astype("float32"))
    left = weakref.ref(layer.localizer)
    del layer
    keras.utils.clear_session()
    gc.collect()
    assert left() is None
