import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import checks
from kerascrop.checks import SizeError
from kerascrop.engine import windows
from kerascrop.engine.cutting import Fill


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


NONE = ((0, 0), (0, 0))
FITS = [
    # lengths, sizes, if_smaller, and the Fit: lengths, sizes, margins, scale, enlarged
    ((10, 4), (8, 6), "pad", ((10, 6), (8, 6), ((0, 0), (1, 1)), 1, "never")),
    ((10, 3), (8, 6), "pad", ((10, 6), (8, 6), ((0, 0), (1, 2)), 1, "never")),
    ((10, 4), (8, 6), "keep", ((10, 4), (8, 4), NONE, 1, "never")),
    ((10, 4), (8, 6), "resize", ((15, 6), (8, 6), NONE, 1.5, "always")),
    ((10, 6), (8, 6), "resize", ((10, 6), (8, 6), NONE, 1, "never")),
    ((None, None), (8, 6), "resize", ((None, None), (8, 6), NONE, 1, "never")),
    ((None, 4), (8, 6), "keep", ((None, 4), (None, 4), NONE, 1, "never")),
]


@pytest.mark.parametrize("lengths, sizes, if_smaller, expected", FITS)
def test_images_that_are_too_small_are_padded_kept_or_enlarged(lengths, sizes, if_smaller, expected):
    fit = windows.fit(lengths, sizes, if_smaller, ("height", "width"), "crop")
    assert fit == expected
    if None not in lengths:  # lengths that are known only when the model runs give the same
        tensors = [ops.convert_to_tensor(length, "int32") for length in lengths]
        fit = windows.fit(tensors, sizes, if_smaller, ("height", "width"), "crop")
        # Where only the graph knows whether an image is enlarged, it can be cut without, too.
        got, wanted = (keras.tree.flatten((x[0], x[1], x[3])) for x in (fit, expected))
        np.testing.assert_allclose(np.array(got, "float64"), np.array(wanted, "float64"))
        assert fit.enlarged == ("perhaps" if if_smaller == "resize" else "never")


def test_what_does_not_fit_is_an_error_that_names_both_sizes():
    windows.check_fits((10, None), (10, 99), ("height", "width"), "crop")
    with pytest.raises(SizeError, match="height 11 out of images of height 10"):
        windows.check_fits((10, 10), (11, 5), ("height", "width"), "crop")
    windows.check_margins_fit((10,), ((4, 5),), ("height",), "crop")
    with pytest.raises(SizeError, match="5 \\+ 5 pixels from images of height 10"):
        windows.check_margins_fit((10,), ((5, 5),), ("height",), "crop")


def test_random_starts_reach_every_place_with_equal_probability():
    (starts,) = windows.random_starts(windows.Fit((10,), (4,), ((0, 0),)), (7000,), 1)
    starts = ops.convert_to_numpy(starts)
    counts = np.bincount(starts, minlength=7)
    assert len(counts) == 7
    # chi-squared with 6 degrees of freedom: 22.5 is its 99.9 % quantile
    assert ((counts - 1000.0) ** 2 / 1000).sum() < 22.5


def test_windows_boxes_are_edge_coordinates_of_the_image():
    boxes = windows.Windows((2, 3), (4, 6)).boxes
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[3, 2, 9, 6]])
    fit = windows.Fit((9, 12), (4, 6), ((1, 0), (5, 5)))
    boxes = fit.windows((2, 3), Fill()).boxes
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[-2, 1, 4, 5]])
    fit = windows.Fit((9, 12), (4, 6), NONE, 2.0, "always")
    boxes = fit.applied_to(fit.windows((2, 3), Fill()), 2).boxes
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[1.5, 1, 4.5, 3]] * 2)
    tops = ops.convert_to_tensor([2, 0, 1], "int32")
    boxes = windows.Windows((tops, 3), (4, 6)).boxes
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[3, 2, 9, 6], [3, 0, 9, 4], [3, 1, 9, 5]])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "uint8", "bool"])
@pytest.mark.parametrize("starts", [(-2, 3), (7, 10), (-20, 1), (2, -3), (2, 3)])
def test_windows_may_reach_outside_where_they_are_filled(images, starts, dtype, data_format):
    x = (images > 400).astype(dtype) if dtype == "bool" else images.astype(dtype)
    fill = 1 if dtype == "bool" else 7
    padded = np.pad(x, ((0, 0), (30, 30), (30, 30), (0, 0)), constant_values=fill)
    expected = padded[:, 30 + starts[0] : 34 + starts[0], 30 + starts[1] : 36 + starts[1]]
    x = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)
    one_start = ops.convert_to_tensor([starts[0]] * 4, "int32")
    for tops in (starts[0], ops.convert_to_tensor(starts[0], "int32"), one_start):
        choice = windows.Windows((tops, starts[1]), (4, 6), fill_value=fill)
        crops = ops.convert_to_numpy(choice.cut(ops.convert_to_tensor(x), data_format=data_format))
        assert crops.dtype == x.dtype
        crops = crops if data_format == "channels_last" else crops.transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(crops, expected)
        mask = ops.convert_to_numpy(choice.cut(ops.convert_to_tensor(x), True, data_format))
        assert (mask[0, 0, 0, 0] == 0) or starts[0] >= 0


def test_windows_far_away_take_no_memory(images):
    choice = windows.Windows((-(2**30), 2**30), (4, 6), fill_value=7)
    assert (ops.convert_to_numpy(choice.cut(ops.convert_to_tensor(images))) == 7).all()


@pytest.mark.parametrize(
    "starts, size",
    [
        ((1.5, 1), (2, 2)), ((np.array([1.5]), 1), (2, 2)), ((None, 1), (2, 2)), (("a", 1), (2, 2)), ((1, 1), (2,)),
        (1, 2), ((10**400, 1), (2, 2)), ((1, 1), (0, 2)), ((1, 1), (2.5, 2)), ((np.zeros((2, 2), int), 1), (2, 2)),
        ((), ()),
        ((np.zeros(2, int), np.zeros(3, int)), (2, 2)), ((True, 1), (2, 2)), ((1, 1, 1, 1), (2, 2, 2, 2)),
    ],
)
def test_what_is_no_window_is_an_error_when_it_is_made(starts, size):
    with pytest.raises(checks.CropError, match="starts|height"):
        windows.Windows(starts, size)


def test_windows_need_an_image_each():
    choice = windows.Windows((np.array([0, 1]), 1), (2, 2))
    assert choice.cut(np.zeros((2, 4, 4, 1))).shape == (2, 2, 2, 1)
    for images in (np.zeros((3, 4, 4, 1)), np.zeros((4, 4)), "images", None):
        with pytest.raises(checks.CropError):
            choice.cut(images)
