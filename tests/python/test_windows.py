import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import windows
from kerascrop.checks import SizeError


@pytest.mark.parametrize("length", range(1, 9))
def test_the_centre_is_the_middle_and_an_odd_pixel_stays_at_the_end(length):
    for size in range(1, length + 1):
        start, stop = windows.center_window(length, size)
        before, after = start, length - stop
        assert stop - start == size and after - before in (0, 1)


def test_border_length_is_what_the_margins_leave():
    assert windows.border_length(10, 1, 2) == 7 == len(range(10)[1 : 10 - 2])
    assert windows.border_length(10, -1, -2) == 13
    assert windows.border_length(None, 1, 2) is None


@pytest.mark.parametrize("length", range(1, 12))
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_grid_covers_every_pixel_and_ends_at_the_end(length, stride):
    for size in range(stride, length + 1):
        starts = windows.grid_starts(length, size, stride)
        assert len(starts) == windows.grid_count(length, size, stride)
        assert starts[0] == 0 and starts[-1] == length - size and (np.diff(starts) <= stride).all()
        assert set(np.concatenate([np.arange(start, start + size) for start in starts])) == set(range(length))
        tensor = windows.grid_starts(ops.convert_to_tensor(length, "int32"), size, stride)
        np.testing.assert_array_equal(ops.convert_to_numpy(tensor), starts)


NONE = ((0, 0), (0, 0))
FITS = [
    # lengths, sizes, if_smaller, and the Fit: lengths, sizes, added, scale
    ((10, 4), (8, 6), "pad", ((10, 6), (8, 6), ((0, 0), (1, 1)), 1)),
    ((10, 3), (8, 6), "pad", ((10, 6), (8, 6), ((0, 0), (1, 2)), 1)),
    ((10, 4), (8, 6), "keep", ((10, 4), (8, 4), NONE, 1)),
    ((10, 4), (8, 6), "resize", ((15, 6), (8, 6), NONE, 1.5)),
    ((10, 6), (8, 6), "resize", ((10, 6), (8, 6), NONE, 1)),
    ((None, None), (8, 6), "resize", ((None, None), (8, 6), NONE, 1)),
    ((None, 4), (8, 6), "keep", ((None, 4), (None, 4), NONE, 1)),
]


@pytest.mark.parametrize("lengths, sizes, if_smaller, expected", FITS)
def test_images_that_are_too_small_are_padded_kept_or_enlarged(lengths, sizes, if_smaller, expected):
    fit = windows.fit(lengths, sizes, if_smaller, ("height", "width"), "crop")
    assert fit == expected
    if None not in lengths:  # lengths that are known only when the model runs give the same
        tensors = [ops.convert_to_tensor(length, "int32") for length in lengths]
        fit = windows.fit(tensors, sizes, if_smaller, ("height", "width"), "crop")
        got, wanted = (np.array(keras.tree.flatten(x), "float64") for x in (tuple(fit), expected))
        np.testing.assert_allclose(got, wanted)


def test_window_boxes_are_edge_coordinates_of_the_original_image():
    fit = windows.Fit((9, 12), (4, 6), ((0, 0), (0, 0)))
    boxes = windows.window_boxes((2, 3), fit, 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[3, 2, 9, 6]] * 2)
    boxes = windows.window_boxes((2, 3), fit._replace(added=((1, 0), (5, 5))), 1)
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[-2, 1, 4, 5]])
    boxes = windows.window_boxes((2, 3), fit._replace(scale=2.0), 1)
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[1.5, 1, 4.5, 3]])
    boxes = windows.window_boxes((np.array([[2, 0]]), np.array([[3, 1]])), fit, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[[3, 2, 9, 6], [1, 0, 7, 4]]] * 3)


@pytest.mark.parametrize("first", [1, 2])
def test_cut_grid_is_the_slices_row_by_row(images, first):
    lines, sizes = (np.array([0, 2, 5]), np.array([0, 1])), (3, 2)
    crops = ops.convert_to_numpy(windows.cut_grid(ops.convert_to_tensor(images), (first, first + 1), lines, sizes))
    for k, (i, j) in enumerate((i, j) for i in lines[0] for j in lines[1]):
        index = [slice(None)] * 4
        index[first], index[first + 1] = slice(i, i + 3), slice(j, j + 2)
        np.testing.assert_array_equal(crops[:, k], images[tuple(index)])
