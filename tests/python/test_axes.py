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


@pytest.mark.parametrize("ndim", [3, 4, 5])
def test_channels_move_to_the_end_and_back(ndim):
    x = np.zeros(range(2, 2 + ndim))
    there = np.transpose(x, axes.to_channels_last(ndim, 2, "channels_first"))
    assert there.shape == np.moveaxis(x, -3, -1).shape
    assert np.transpose(there, axes.from_channels_last(ndim, 2, "channels_first")).shape == x.shape
    assert axes.to_channels_last(ndim, 2, "channels_last") is None
