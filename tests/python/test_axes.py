import numpy as np
import pytest

from kerascrop import axes


@pytest.mark.parametrize(
    "rank, data_format, expected",
    [
        (1, "channels_last", (-2,)),
        (2, "channels_last", (-3, -2)),
        (3, "channels_last", (-4, -3, -2)),
        (1, "channels_first", (-1,)),
        (2, "channels_first", (-2, -1)),
        (3, "channels_first", (-3, -2, -1)),
    ],
)
def test_spatial_axes(rank, data_format, expected):
    assert axes.spatial_axes(rank, data_format) == expected


@pytest.mark.parametrize("shape", [(9, 12, 3), (4, 9, 12, 3), (4, 7, 9, 12, 3)])
def test_lengths_of_images_batches_and_clips(shape):
    assert axes.spatial_shape(shape, 2, "channels_last") == (9, 12)
    assert axes.replace_lengths(shape, 2, "channels_last", (5, 6)) == (*shape[:-3], 5, 6, 3)


def test_lengths_that_are_not_known_stay_none():
    assert axes.spatial_shape((None, 3, None, 12), 2, "channels_first") == (None, 12)
    assert axes.replace_lengths((None, 3, None, 12), 2, "channels_first", (None, 6)) == (None, 3, None, 6)


@pytest.mark.parametrize("ndim", [3, 4, 5])
def test_channels_move_to_the_end_and_back(ndim):
    x = np.zeros(range(2, 2 + ndim))
    there = np.transpose(x, axes.to_channels_last(ndim, 2, "channels_first"))
    assert there.shape == np.moveaxis(x, -3, -1).shape
    assert np.transpose(there, axes.from_channels_last(ndim, 2, "channels_first")).shape == x.shape
    assert axes.to_channels_last(ndim, 2, "channels_last") is None
