import numpy as np
import pytest
from keras import ops

from conftest import gradient
from kerascrop.layers.learnable import weighed_by_gradient


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_crops_and_losses_are_unchanged(rng, dtype):
    crops, losses = rng.normal(size=(5, 4, 3, 2)).astype(dtype), rng.normal(size=5).astype("float32")
    same = weighed_by_gradient(ops.convert_to_tensor(crops), ops.convert_to_tensor(losses))
    for one, other in zip(same, (crops, losses)):
        np.testing.assert_array_equal(ops.convert_to_numpy(one), other)
        assert ops.convert_to_numpy(one).dtype == other.dtype


def test_losses_teach_less_the_longer_the_gradient_of_their_crops(rng):
    """Whatever the scale of the loss behind, which may be scaled for half precision."""
    crops, losses = rng.normal(size=(5, 4, 3, 2)).astype("float32"), rng.normal(size=5).astype("float32")
    wanted = rng.normal(size=crops.shape).astype("float32") * np.array([0, 1, 2, 3, 10], "float32")[:, None, None, None]

    def total(scale):
        def function(both):
            images = ops.reshape(both[:, :-1], (5, 4, 3, 2))
            same, taught = weighed_by_gradient(images, both[:, -1])
            return scale * (ops.sum(same * ops.convert_to_tensor(wanted)) + 0.3 * ops.sum(taught))

        return function

    both = np.concatenate([crops.reshape(5, -1), losses[:, None]], axis=1)
    lengths = np.linalg.norm(wanted.reshape(5, -1), axis=1)
    weights = 1 / (1 + np.square(lengths / lengths.mean()))
    assert weights[0] == 1 and weights[4] < 0.2
    for scale in (1.0, 2.0**15):
        found = gradient(total(scale), both) / scale
        np.testing.assert_allclose(found[:, :-1], wanted.reshape(5, -1), rtol=1e-6)
        np.testing.assert_allclose(found[:, -1], 0.3 * weights, rtol=1e-5)


def test_where_nothing_looks_at_the_crops_all_losses_teach_alike(rng):
    crops = ops.convert_to_tensor(rng.normal(size=(3, 4, 4, 1)).astype("float32"))
    found = gradient(lambda losses: ops.sum(weighed_by_gradient(crops, losses)[1]), np.ones(3, "float32"))
    np.testing.assert_array_equal(found, 1)
