import numpy as np
from keras import ops

from kerascrop.localizers import Bounds, Candidates
from kerascrop.localizers.candidates import between


def test_sizes_are_between_their_bounds_in_equal_ratios():
    bounds = Bounds(*(ops.convert_to_tensor(pair, "float32") for pair in ([8, 4], [32, 64], [100, 100])))
    sizes = between(ops.convert_to_tensor([[0.0], [0.5], [1.0]], "float32"), bounds)
    np.testing.assert_allclose(ops.convert_to_numpy(sizes), [[8, 4], [16, 16], [32, 64]], rtol=1e-5)


def test_only_boxes_are_needed():
    assert Candidates("boxes")[1:] == (None, (), None, None)
