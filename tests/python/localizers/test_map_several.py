import numpy as np
import pytest
from keras import ops

from kerascrop.checks import SizeError
from kerascrop.localizers import MapLocalizer

CELLS, SHARES = [(4, 4), (10, 3), (12, 12)], [0.5, 0.3, 0.2]  # row and column of 16


@pytest.fixture
def localizer():
    localizer = MapLocalizer(seed=1)
    localizer.serve(0, crops=3)
    localizer.build((None, 64, 64, 1))
    return localizer


def find(localizer, count, training):
    """Places and weights in maps that are 0 but for three cells, with boxes of a fifth of the image."""
    heat = np.zeros((count, 16, 16), "float32")
    for (row, column), share in zip(CELLS, SHARES):
        heat[:, row, column] = share
    steps = np.arange(16)[:, None] - np.arange(16)
    blurs = [ops.convert_to_tensor(np.exp(-0.5 * (steps / 0.9) ** 2).astype("float32"))] * 2
    limits = ops.convert_to_tensor(np.full((2, 2), 0.2, "float32"))
    places, weights = localizer.peaks(ops.convert_to_tensor(heat), blurs, limits, training)
    return ops.convert_to_numpy(places), ops.convert_to_numpy(weights)


def test_places_are_the_peaks_in_order_and_weigh_what_they_hold(localizer):
    places, weights = find(localizer, 2, training=False)
    expected = (np.array(CELLS)[:, ::-1] + 0.5) / 16
    np.testing.assert_allclose(places, [expected] * 2, atol=1e-3)
    np.testing.assert_allclose(weights, [SHARES] * 2, atol=1e-3)


def test_in_training_the_second_is_drawn_by_what_is_left(localizer):
    places, weights = find(localizer, 2000, training=True)
    np.testing.assert_allclose(places[:, 0], [[4.5 / 16, 4.5 / 16]] * 2000, atol=1e-3)
    second = np.abs(places[:, 1] - [3.5 / 16, 10.5 / 16]).max(axis=1) < 0.01
    assert abs(second.mean() - 0.6) < 0.05  # .3 of .5; the deviation of such a share is .011
    np.testing.assert_allclose(weights[second, 1], 0.3, atol=1e-3)
    np.testing.assert_allclose(weights[~second, 1], 0.2, atol=1e-3)


def test_there_is_one_place_or_more():
    with pytest.raises(SizeError, match="`crops` must be a whole number, at least 1, not 0"):
        MapLocalizer().serve(0, crops=0)
