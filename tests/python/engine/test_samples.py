"""What `Samples` cut, against slices and plain arithmetic; the sampling itself is tested in `test_sampling`."""

import numpy as np
import pytest
from keras import ops

from conftest import BACKEND, jitted
from kerascrop import BoxCrop, Samples, Windows
from kerascrop.checks import ArgumentError, BoxError, SizeError
from kerascrop.engine.samples import Blend

BOXES = np.array([[3, 2, 9, 6], [0, 0, 6, 4], [6, 5, 12, 9], [1, 1, 7, 5]], "float32")


def slices(x, boxes=BOXES):
    """Whole-pixel boxes of a batch `(batch, ..., height, width, channels)`, with NumPy."""
    return np.stack([image[..., y1:y2, x1:x2, :] for image, (x1, y1, x2, y2) in zip(x, boxes.astype(int))])


def cut(choice, x, *args):
    return ops.convert_to_numpy(choice.cut(ops.convert_to_tensor(x), *args))


def to_format(x, data_format):
    return x if data_format == "channels_last" else np.moveaxis(x, -1, -3)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("frames", [(), (2,)])
def test_whole_pixel_boxes_are_the_slices_of_images_and_clips(rng, frames, data_format):
    x = rng.normal(size=(4, *frames, 9, 12, 3)).astype("float32")
    choice = Samples(BOXES, (4, 6))
    np.testing.assert_array_equal(
        cut(choice, to_format(x, data_format), False, data_format), to_format(slices(x), data_format)
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(choice.boxes), BOXES)
    several = Samples(np.stack([BOXES, BOXES[::-1]], axis=1), (4, 6))
    expected = np.stack([slices(x), slices(x, BOXES[::-1])], axis=1)
    found = cut(several, to_format(x, data_format), False, data_format)
    np.testing.assert_array_equal(found, to_format(expected, data_format))


def test_integers_are_rounded_and_masks_take_the_nearest_pixel():
    x = np.array([[0, 10, 21, 30]], "uint8").reshape(1, 1, 4, 1)
    choice = Samples(np.array([[0.7, 0, 2.7, 1]], "float32"), (1, 2))  # centres at 1.2 and 2.2
    assert cut(choice, x).ravel().tolist() == [7, 18]  # 0.7 * 10, and 10 + 0.7 * 11
    assert cut(choice, x).dtype == np.uint8
    assert cut(choice, x, True).ravel().tolist() == [10, 21]
    assert cut(choice, x > 15).ravel().tolist() == [False, True]


def test_beyond_the_image_are_the_fill_value_and_zeros_of_masks():
    x = np.full((1, 4, 4, 1), 7, "float32")
    choice = Samples(np.array([[10, 10, 12, 12]], "float32"), (2, 2), fill_value=3)
    assert (cut(choice, x) == 3).all() and (cut(choice, x, True) == 0).all()


def test_a_blend_is_the_weighted_mean_and_its_masks_are_the_first_ones(rng):
    x = rng.normal(size=(4, 9, 12, 3)).astype("float32")
    weights = np.array([[0.3, 0.7]] * 4, "float32")
    blend = Blend(Samples(np.stack([BOXES, BOXES[::-1]], axis=1), (4, 6)), weights)
    expected = 0.3 * slices(x) + 0.7 * slices(x, BOXES[::-1])
    np.testing.assert_allclose(cut(blend, x), expected, atol=1e-6)
    np.testing.assert_array_equal(cut(blend, x > 0, True), slices(x > 0))
    np.testing.assert_array_equal(ops.convert_to_numpy(blend.boxes), BOXES)


def test_options_are_those_of_sample():
    with pytest.raises(ArgumentError, match="`fill_mode` must be one of"):
        Samples(BOXES, (4, 6), fill_mode="mirror")
    with pytest.raises(ArgumentError, match="`antialias` goes with interpolation='bilinear'"):
        Samples(BOXES, (4, 6), antialias=True, interpolation="bicubic")


def test_nonsense_is_an_error():
    images = np.zeros((4, 9, 12, 3), "float32")
    for size in ((0, -2), (2.5, 3), 4, (1, 2, 3, 4)):
        with pytest.raises(SizeError, match="`height`|`size`"):
            Samples(BOXES, size)
    for boxes in (BOXES[:, :3], BOXES[0], BOXES[None, None]):
        with pytest.raises(BoxError, match=r"`boxes` must have shape \(n, 4\) or \(n, n, 4\)"):
            Samples(boxes, (4, 6)).cut(images)
    for starts, size in (((1,), (2, 3)), ((1, 2), (2, 0)), ((1, 2), (2,))):
        with pytest.raises(SizeError, match="`starts`|`width`"):
            Windows(starts, size)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("is_graph", [False, True])
def test_bytes_give_the_crops_that_floats_give(antialias, count, is_graph, rng):
    """In a layer; they are not copied as floats first, whichever way they are resampled."""
    images = rng.integers(0, 256, size=(2, 300, 320, 3)).astype("uint8")
    corners = rng.uniform(-20, 200, size=(2, count, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(30, 120, size=(2, count, 2))], axis=2).astype("float32")
    layer = BoxCrop(20, 24, antialias=antialias)

    def crop(images, boxes):
        return layer([images, boxes])

    if is_graph and BACKEND == "tensorflow":
        import tensorflow as tf

        crop = tf.function(crop)
    crop = jitted(crop) if is_graph else crop
    found, expected = (
        ops.convert_to_numpy(crop(ops.convert_to_tensor(x), ops.convert_to_tensor(boxes)))
        for x in (images, images.astype("float32"))
    )
    assert found.dtype == "float32" and found.shape == (2, count, 20, 24, 3)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_choice_with_a_way_of_its_own_to_cut_is_used(rng):
    class Negative(Samples):
        def cut(self, images, is_mask=False, data_format=None):
            return -super().cut(images, is_mask, data_format)

    images = ops.convert_to_tensor(rng.integers(0, 256, size=(1, 8, 8, 1)).astype("uint8"))
    box = np.array([[1.0, 1, 5, 5]])
    crops = (kind(box, (4, 4)).cut_as(images, "float32", "channels_last") for kind in (Negative, Samples))
    negative, plain = map(ops.convert_to_numpy, crops)
    np.testing.assert_allclose(negative, -plain)
