import numpy as np
import pytest
from keras import ops
from keras.backend import standardize_dtype

from kerascrop.engine import weights

PADS = {"nearest": "edge", "reflect": "symmetric", "constant": "constant"}


def array(x):
    return ops.convert_to_numpy(x)


def tensor(x):
    return ops.convert_to_tensor(x, "float64")


def sides(start, stop):
    """Those of a single box."""
    return tensor([[start]]), tensor([[stop]])


def test_samples_are_in_the_middle_of_equal_parts():
    start, stop = np.array([[0.0, -1.5], [3.0, 2.0]]), np.array([[6.0, 2.5], [1.0, 2.0]])  # mirrored, of one point
    found = array(weights.positions(tensor(start), tensor(stop), 4))
    for place in np.ndindex(2, 2):
        edges = np.linspace(start[place], stop[place], 5)
        np.testing.assert_allclose(found[place], (edges[1:] + edges[:-1]) / 2)


@pytest.mark.parametrize("fill_mode", PADS)
@pytest.mark.parametrize("whole_sample", [False, True])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("reaches_out", [False, True])
def test_taps_are_the_pixels_of_a_padded_line(rng, fill_mode, whole_sample, interpolation, reaches_out):
    """A line of zeros with a single one in it, padded by NumPy: the weight of that pixel in each sample."""
    length, margin = 6, 12
    position = rng.uniform(-5, 11, size=(1, 1, 40)) if reaches_out else rng.uniform(0, 6, size=(1, 1, 40))
    box = sides(-5, 11) if reaches_out else sides(0, 6)
    taps = weights.taps(tensor(position), box, length, interpolation, fill_mode, whole_sample)
    mode = "reflect" if whole_sample and fill_mode == "reflect" else PADS[fill_mode]
    mode = "edge" if fill_mode == "constant" and (whole_sample or not reaches_out) else mode
    t = position[0, 0] - 0.5

    def weight(distance):
        x = np.abs(distance)
        if interpolation == "bilinear":
            return np.maximum(1 - x, 0)
        near = 1.25 * x**3 - 2.25 * x**2 + 1  # Keys 1981, equation 4, with a = -0.75
        far = -0.75 * x**3 + 3.75 * x**2 - 6 * x + 3
        return np.where(x <= 1, near, np.where(x < 2, far, 0))

    for pixel in range(length):
        line = np.pad(np.eye(length)[pixel], margin, mode)
        expected = sum(value * weight(t - (j - margin)) for j, value in enumerate(line))
        if fill_mode == "constant" and whole_sample:
            expected = np.where((position[0, 0] >= 0.5) & (position[0, 0] <= length - 0.5), expected, 0)
        found = 0.0
        for index, share in taps:
            assert array(index).min() >= 0 and array(index).max() < length
            found = found + np.where(array(index)[0, 0] == pixel, array(share)[0, 0], 0)
        np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("fill_mode", PADS)
def test_the_nearest_pixel_has_no_weight_but_0_outside(fill_mode):
    position = np.array([[[-2.5, -0.1, 0.0, 2.999, 3.0, 4.7]]])
    ((index, weight),) = weights.taps(tensor(position), sides(-3, 5), 3, "nearest", fill_mode)
    expected = {"nearest": [0, 0, 0, 2, 2, 2], "reflect": [2, 0, 0, 2, 2, 1], "constant": [0, 0, 0, 2, 2, 2]}
    np.testing.assert_array_equal(array(index)[0, 0], expected[fill_mode])
    if fill_mode == "constant":
        np.testing.assert_array_equal(array(weight)[0, 0], [0, 0, 1, 1, 0, 0])
    else:
        assert weight is None


def test_far_away_positions_do_not_overflow():
    position = tensor([[[-1e12, 1e12]]])
    for fill_mode, pixels in (("nearest", [0, 4]), ("constant", [0, 4])):
        for index, weight in weights.taps(position, sides(-2e12, 2e12), 5, "bilinear", fill_mode):
            np.testing.assert_array_equal(array(index)[0, 0], pixels)
            assert fill_mode != "constant" or not array(weight).any()


@pytest.mark.parametrize("reach", [1.0, 1.7, 20.0])
def test_triangles_fall_to_both_sides_and_sum_to_one(rng, reach):
    position = rng.uniform(-3, 11, size=(2, 3, 7))
    found = array(weights.antialiasing(tensor(position), tensor(np.full((2, 3), reach)), 8))
    inside = np.clip(position, 0.5, 7.5)[..., None]
    expected = np.maximum(0, 1 - np.abs(inside - np.arange(8) - 0.5) / reach)
    np.testing.assert_allclose(found, expected / expected.sum(-1, keepdims=True), atol=1e-10)
    np.testing.assert_allclose(found.sum(-1), 1)


def test_how_much_of_a_sample_is_the_image():
    position = tensor([[[-3.0, -0.5, -0.25, 0.0, 0.5, 2.0, 3.5, 4.0, 4.5, 9.0, np.nan]]])
    out, inside = sides(-3, 9), sides(4, 0)
    expected = [0, 0, 0.25, 0.5, 1, 1, 1, 0.5, 0, 0, np.nan]
    np.testing.assert_allclose(array(weights.covered(position, out, 4))[0, 0], expected)
    assert (array(weights.covered(position, inside, 4)) == 1).all()  # whatever the positions are
    for box in (out, inside):
        ends_at_centres = array(weights.covered(position, box, 4, True))
        np.testing.assert_array_equal(ends_at_centres[0, 0], [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, np.nan])


def test_a_box_is_inside_but_for_rounding_errors():
    position = tensor([[[2.0]]])
    for start, stop, found in [(0, 4, 1), (4, 0, 1), (-4e-6, 4, 1), (-1e-4, 4, 0), (1, 4.0001, 0), (4.0001, 1, 0)]:
        assert array(weights.kept(position, sides(start, stop), 4)).item() == found


def test_clip_keeps_float64_and_bounds_far_from_its_numbers(rng):
    x = np.concatenate([rng.normal(size=20), [1e300, -1e300, np.nan]])
    clipped = weights.clip(tensor(x), -0.5, 0.7)
    assert standardize_dtype(clipped.dtype) == "float64"
    np.testing.assert_allclose(array(clipped), np.clip(x, -0.5, 0.7), atol=1e-15)
