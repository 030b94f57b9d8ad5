import numpy as np
from keras import ops

from kerascrop.localizers import Bounds, Candidates
from kerascrop.localizers.candidates import between


def test_sizes_are_between_their_bounds_in_equal_ratios():
    low, high = np.array([8, 4], "float32"), np.array([32, 64], "float32")
    bounds = Bounds(low, high, np.array([100, 100], "float32"))
    sizes = between(ops.convert_to_tensor(np.array([[0.0], [0.5], [1.0]], "float32")), bounds)
    np.testing.assert_allclose(ops.convert_to_numpy(sizes), [[8, 4], [16, 16], [32, 64]], rtol=1e-5)


def test_only_boxes_are_needed():
    assert Candidates("boxes")[1:] == (None, (), None, None)
