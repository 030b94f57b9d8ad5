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


def test_border_window_stops_before_the_margin_and_margins_of_zero_keep_all():
    assert windows.border_window(10, 1, 2) == (1, 8)
    assert windows.border_window(10, 0, 0) == (0, 10)
    assert windows.border_window(10, -1, -2) == (-1, 12)


def test_what_does_not_fit_is_an_error_that_names_both_sizes():
    windows.check_fits((10, None), (10, 99), ("height", "width"), "crop")
    with pytest.raises(SizeError, match="height 11 out of images of height 10"):
        windows.check_fits((10, 10), (11, 5), ("height", "width"), "crop")
    windows.check_margins_fit((10,), ((4, 5),), ("height",), "crop")
    with pytest.raises(SizeError, match="5 \\+ 5 pixels from images of height 10"):
        windows.check_margins_fit((10,), ((5, 5),), ("height",), "crop")


@pytest.mark.parametrize("dtype", ["float32", "uint8", "int32", "bool", "float16"])
@pytest.mark.parametrize("axes", [(-3, -2), (-2, -1)])
def test_cut_is_the_slice_for_one_window_and_for_one_each(images, dtype, axes):
    x = images.astype(dtype)
    y = ops.convert_to_numpy(windows.cut(ops.convert_to_tensor(x), axes, (1, 0), (4, 3)))
    index = [slice(None)] * 4
    index[axes[0]], index[axes[1]] = slice(1, 5), slice(0, 3)
    np.testing.assert_array_equal(y, x[tuple(index)])
    assert y.dtype == x.dtype

    starts = np.array([0, 1, 2, 5]), np.array([0, 0, 0, 0])
    tensors = [ops.convert_to_tensor(start, "int32") for start in starts]
    y = ops.convert_to_numpy(windows.cut(ops.convert_to_tensor(x), axes, tensors, (4, 3)))
    for i in range(4):
        index[0], index[axes[0]] = i, slice(starts[0][i], starts[0][i] + 4)
        np.testing.assert_array_equal(y[i], x[tuple(index)])


def test_pad_adds_the_fill_value_and_keeps_the_dtype(images):
    x = images.astype("uint8")
    y = ops.convert_to_numpy(windows.pad(ops.convert_to_tensor(x), (-3, -2), ((1, 0), (0, 2)), 7))
    np.testing.assert_array_equal(y, np.pad(x, ((0, 0), (1, 0), (0, 2), (0, 0)), constant_values=7))
    assert y.dtype == np.uint8


def test_random_starts_reach_every_place_with_equal_probability():
    starts = ops.convert_to_numpy(windows.random_start(10, 4, (7000,), 1))
    counts = np.bincount(starts, minlength=7)
    assert len(counts) == 7
    # chi-squared with 6 degrees of freedom: 22.5 is its 99.9 % quantile
    assert ((counts - 1000.0) ** 2 / 1000).sum() < 22.5


def test_window_boxes_are_edge_coordinates():
    boxes = windows.window_boxes((2, 3), (4, 6), 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[3, 2, 9, 6]] * 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(windows.window_boxes((2, 3), (4, 6), None)), [3, 2, 9, 6])
