import numpy as np
import pytest
from keras import ops
from test_sampling import NUMPY_MODES, random_boxes, run
from test_sampling_axes import LENGTHS, SIZES

from conftest import jitted
from kerascrop import adjoint, paste
from kerascrop.checks import ArgumentError, BoxError, ShapeError, SizeError


def pasted(crops, boxes, size):
    return ops.convert_to_numpy(jitted(lambda x, b: paste(x, b, size, fill_value=5))(crops, boxes))


@pytest.mark.parametrize("fill_mode", NUMPY_MODES)
@pytest.mark.parametrize("how", [{}, {"antialias": True}, {"interpolation": "bicubic"}, {"align_corners": True}])
def test_adjoint_is_the_transpose(images, rng, fill_mode, how):
    boxes = np.stack([random_boxes(rng, 4, reach=0.5) for _ in range(3)], axis=1)
    images, crops = images.astype("float64"), rng.normal(size=(4, 3, 5, 7, 3))
    forward = run(images, boxes.astype("float64"), (5, 7), fill_mode=fill_mode, **how)
    back = ops.convert_to_numpy(adjoint(crops, boxes, (9, 12), fill_mode=fill_mode, **how))
    np.testing.assert_allclose((forward * crops).sum(), (images * back).sum(), rtol=1e-5)
    one = ops.convert_to_numpy(adjoint(crops[:, 0], boxes[:, 0], (9, 12), fill_mode=fill_mode, **how))
    assert one.shape == images.shape


@pytest.mark.parametrize("rank", LENGTHS)
def test_paste_puts_whole_pixels_back_in_any_dimension(rank, rng):
    lengths, size = LENGTHS[rank], SIZES[rank]
    crops = rng.normal(size=(2, 3, *size, 2)).astype("float32")
    starts = np.stack([rng.integers(-2, length, size=(2, 3)) for length in lengths], axis=-1)
    total, count = np.zeros((2, *lengths, 2)), np.zeros((2, *lengths, 1))
    for b, k, *index in np.ndindex(2, 3, *size):
        place = starts[b, k] + index
        if (place >= 0).all() and (place < lengths).all():
            total[(b, *place)] += crops[(b, k, *index)]
            count[(b, *place)] += 1
    expected = np.where(count > 0, total / np.maximum(count, 1), 5)
    places = np.concatenate([starts[..., ::-1], (starts + size)[..., ::-1]], axis=-1).astype("float32")
    np.testing.assert_allclose(pasted(crops, places, lengths), expected, atol=1e-5)
    # Boxes that are not whole by a hair go the other way, and end up the same.
    nearly = pasted(crops, places + 1e-4, lengths)
    np.testing.assert_allclose(nearly[..., 0][count[..., 0] > 0], expected[..., 0][count[..., 0] > 0], atol=5e-3)


@pytest.mark.parametrize("rank", LENGTHS)
def test_paste_undoes_sample_for_one_box(rank):
    """A crop of a plane, enlarged: what is pasted back is the plane."""
    grid = np.stack(np.meshgrid(*map(np.arange, LENGTHS[rank]), indexing="ij"), axis=-1).astype("float32")
    lengths = np.array(LENGTHS[rank])
    box = np.array([[*(lengths[::-1] * 0.2), *(lengths[::-1] * 0.9)]], "float32")
    crops = run(grid[None], box, tuple(4 * lengths))
    back = pasted(crops[:, None], box[:, None], LENGTHS[rank])
    inside = tuple(slice(int(np.ceil(n * 0.2)) + 1, int(n * 0.9) - 1) for n in lengths)
    assert grid[inside].size
    np.testing.assert_allclose(back[0][inside], grid[inside], atol=0.02)


def test_crops_with_one_box_each_need_no_axis_for_it(images, rng):
    boxes = random_boxes(rng, 4)
    np.testing.assert_array_equal(pasted(images, boxes, (20, 30)), pasted(images[:, None], boxes[:, None], (20, 30)))


def test_crops_and_boxes_that_do_not_fit_are_errors(images):
    boxes = np.zeros((4, 4), "float32")
    for function in (adjoint, paste):
        with pytest.raises(SizeError, match="`size` must be \\(height, width\\)"):
            function(images, boxes, 9)
        with pytest.raises(SizeError, match="images of shape .* numbers"):
            function(images, boxes, (10**6, 10**6))
        with pytest.raises(ShapeError, match="`crops` must have shape \\(batch, height, width, channels\\)"):
            function(images[0], boxes, (20, 30))
        with pytest.raises(BoxError, match="`boxes` must have shape \\(4, 4\\), not \\(3, 4\\)"):
            function(images, boxes[:3], (20, 30))
        with pytest.raises(BoxError, match="`boxes` must have shape \\(4, 1, 4\\), not \\(4, 4\\)"):
            function(images[:, None], boxes, (20, 30))
        with pytest.raises(ArgumentError, match="`crops` must be"):
            function("crops", boxes, (20, 30))
    with pytest.raises(ArgumentError, match="`fill_value` must be a finite number"):
        paste(images, boxes, (20, 30), fill_value="white")
