import numpy as np
import pytest
from keras import ops

from kerascrop.engine import views


@pytest.mark.parametrize("length", range(1, 12))
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_grid_covers_every_pixel_and_ends_at_the_end(length, stride):
    for size in range(stride, length + 1):
        starts = views.grid_starts(length, size, stride)
        assert len(starts) == views.grid_count(length, size, stride)
        assert starts[0] == 0 and starts[-1] == length - size and (np.diff(starts) <= stride).all()
        assert set(np.concatenate([np.arange(start, start + size) for start in starts])) == set(range(length))
        tensor = views.grid_starts(ops.convert_to_tensor(length, "int32"), size, stride)
        np.testing.assert_array_equal(ops.convert_to_numpy(tensor), starts)


@pytest.mark.parametrize("first", [1, 2])
def test_cut_grid_is_the_slices_row_by_row(images, first):
    lines, sizes = (np.array([0, 2, 5]), np.array([0, 1])), (3, 2)
    crops = ops.convert_to_numpy(views.cut_grid(ops.convert_to_tensor(images), (first, first + 1), lines, sizes))
    for k, (i, j) in enumerate((i, j) for i in lines[0] for j in lines[1]):
        index = [slice(None)] * 4
        index[first], index[first + 1] = slice(i, i + 3), slice(j, j + 2)
        np.testing.assert_array_equal(crops[:, k], images[tuple(index)])
