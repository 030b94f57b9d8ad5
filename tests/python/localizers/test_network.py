import numpy as np
import pytest
from keras import layers, ops

from kerascrop.localizers import network


@pytest.mark.parametrize(
    "aspect, longest, cells", [((1, 1), 64, (16, 16)), ((0.5, 1), 30, (4, 8)), ((0.01, 1), 64, (1, 16))]
)
def test_a_view_has_whole_cells(aspect, longest, cells):
    assert network.whole_cells(aspect, longest, 4) == ((4 * cells[0], 4 * cells[1]), cells)


def test_an_image_is_standardised_by_itself(rng):
    images = (rng.normal(size=(3, 8, 9, 2)) * [[[[3, 3]]]] + 40).astype("float32")
    images[2] = 5
    scaled = ops.convert_to_numpy(network.standardise(ops.convert_to_tensor(images)))
    np.testing.assert_allclose(scaled[:2].mean(axis=(1, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(scaled[:2].std(axis=(1, 2, 3)), 1, rtol=1e-4)
    np.testing.assert_array_equal(scaled[2], 0)


def test_features_are_normalised_and_bounded(rng):
    """A first convolution that multiplies by a million; before training its norm knows nothing of that."""
    policy = {"dtype": "float32"}
    convolutions = [layers.Conv2D(2, 1, use_bias=False, data_format="channels_last", name="one")]
    norms = network.norms(convolutions, policy)
    shape = network.build(convolutions, norms, (None, 8, 8, 1))
    assert shape == (None, 8, 8, 2)
    convolutions[0].kernel.assign(np.full((1, 1, 1, 2), 1e6))
    images = rng.normal(size=(4, 8, 8, 1)).astype("float32")
    before = ops.convert_to_numpy(network.features(images, convolutions, norms, False))
    assert before.min() == 0 and before.max() == network.CEILING
    learning = ops.convert_to_numpy(network.features(images, convolutions, norms, True))
    expected = np.maximum((images - images.mean()) / images.std(), 0)
    np.testing.assert_allclose(learning, np.repeat(expected, 2, axis=3), atol=1e-3)
