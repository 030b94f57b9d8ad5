import numpy as np
import pytest
from keras import layers, ops

from kerascrop.checks import ShapeError
from kerascrop.localizers import Adapter, Bounds

BOUNDS = Bounds(*(ops.convert_to_tensor(np.array(pair, "float32")) for pair in ((4, 8), (16, 8), (40, 20))))


@pytest.mark.parametrize(
    "size, numbers, box",
    [
        ("fixed", [0, 0], [2, 4, 4, 8]),  # the left and top edges are touched
        ("fixed", [1, 1], [38, 16, 4, 8]),  # the right and bottom ones
        ("square", [0.5, 0.5, 1], [20, 10, 16, 8]),
        ("free", [0, 0.5, 0.5, 0.3], [4, 10, 8, 8]),  # half way from 4 to 16 in logarithms
        ("free", [-3, 9, 2, -1], [8, 16, 16, 8]),  # beyond counts as 0 or 1
    ],
)
def test_numbers_are_a_place_in_the_room_and_sizes_between_the_bounds(size, numbers, box):
    adapter = Adapter(layers.Identity(), size, "crop")
    adapter.is_checked = True  # no warning here
    found = adapter.candidates(ops.convert_to_tensor(np.array([numbers, numbers], "float32")), BOUNDS)
    np.testing.assert_allclose(ops.convert_to_numpy(found.boxes), [[box], [box]], rtol=1e-6)
    assert found.weights is None and found.losses == () and found.judged is None


def test_a_layer_that_returns_another_number_of_numbers_is_an_error():
    adapter = Adapter(layers.Dense(2), "square", "crop")
    with pytest.raises(ShapeError, match=r"must return 3 numbers for each image with size='square'.*not \(None, 2\)"):
        adapter.build((None, 7), "float32")
