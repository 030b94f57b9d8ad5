import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import CenterCrop, MultiCrop
from kerascrop.checks import ArgumentError, SizeError

HEIGHT, WIDTH = 4, 5
FORMATS = pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])


def corners(arrangement, height, width, stride=None):
    """Top left pixels of the windows, as the documentation says."""
    bottom, right = height - HEIGHT, width - WIDTH
    if arrangement == "grid":
        axes = zip((bottom, right), stride)
        steps = [sorted({min(i, last) for i in range(0, last + step, step)}) for last, step in axes]
        return list(itertools.product(*steps))
    return [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]


def slices(images, arrangement, stride=None):
    """The crops and their boxes, cut with NumPy."""
    places = corners(arrangement, *images.shape[1:3], stride)
    crops = np.stack([images[:, top : top + HEIGHT, left : left + WIDTH] for top, left in places], axis=1)
    boxes = np.array([[left, top, left + WIDTH, top + HEIGHT] for top, left in places], "float32")
    if arrangement == "ten":
        crops, boxes = np.concatenate([crops, crops[..., ::-1, :]], 1), np.concatenate([boxes, boxes[:, [2, 1, 0, 3]]])
    return crops, np.repeat(boxes[None], len(images), axis=0)


def run(layer, images):
    return [ops.convert_to_numpy(part) for part in layer(images)]


@FORMATS
@pytest.mark.parametrize(
    "arrangement, stride", [("five", None), ("ten", None), ("grid", (4, 5)), ("grid", (2, 5)), ("grid", (1, 3))]
)
def test_windows_are_the_slices_and_boxes_tell_them(images, arrangement, stride, data_format):
    expected, boxes = slices(images, arrangement, stride)
    if data_format == "channels_first":
        images, expected = images.transpose(0, 3, 1, 2), np.moveaxis(expected, -1, -3)
    for dtype in ("float32", "uint8"):
        layer = MultiCrop(HEIGHT, WIDTH, arrangement, stride, data_format, return_boxes=True)
        crops, got = run(layer, images.astype(dtype))
        assert crops.dtype == dtype
        np.testing.assert_array_equal(crops, expected.astype(dtype))
        np.testing.assert_array_equal(got, boxes)
        one, box = run(layer, images[0].astype(dtype))
        np.testing.assert_array_equal(one, expected[0].astype(dtype))
        np.testing.assert_array_equal(box, boxes[0])


def test_without_a_stride_windows_touch_and_one_number_goes_for_both_axes(images):
    for given, stride in ((None, (HEIGHT, WIDTH)), (3, (3, 3))):
        crops, boxes = run(MultiCrop(HEIGHT, WIDTH, "grid", given, return_boxes=True), images)
        expected = slices(images, "grid", stride)
        np.testing.assert_array_equal(crops, expected[0])
        np.testing.assert_array_equal(boxes, expected[1])


@pytest.mark.parametrize("length", [4, 5, 7, 8, 9, 13])
@pytest.mark.parametrize("stride", [1, 3, 4])
def test_a_grid_shows_every_pixel_and_nothing_else(length, stride):
    image = np.arange(length * 10).reshape(1, length, 10, 1).astype("float32")
    crops = ops.convert_to_numpy(MultiCrop(4, 5, "grid", (stride, 5))(image))
    assert set(crops.ravel()) == set(image.ravel())
    assert crops.shape[1] == 2 * (1 + -(-(length - 4) // stride))


@FORMATS
def test_clips_are_cut_like_images(images, data_format):
    clips = np.stack([images, images + 1], axis=1)
    expected = np.stack([slices(frame, "ten")[0] for frame in (images, images + 1)], axis=2)
    if data_format == "channels_first":
        clips, expected = np.moveaxis(clips, -1, -3), np.moveaxis(expected, -1, -3)
    crops = ops.convert_to_numpy(MultiCrop(HEIGHT, WIDTH, "ten", data_format=data_format)(clips))
    np.testing.assert_array_equal(crops, expected)


@pytest.mark.parametrize("arrangement", ["five", "ten", "grid"])
@pytest.mark.parametrize("if_smaller", ["pad", "keep", "resize"])
def test_images_that_are_too_small(images, arrangement, if_smaller):
    """The windows of an image that is too small are those of one that was padded, cut down to, or enlarged before."""
    small = images[:, :3, :7]
    layer = MultiCrop(HEIGHT, WIDTH, arrangement, if_smaller=if_smaller, return_boxes=True)
    crops, boxes = run(layer, small)
    if if_smaller == "pad":
        expected, found = slices(np.pad(small, ((0, 0), (0, 1), (0, 0), (0, 0))), arrangement, (HEIGHT, WIDTH))
    elif if_smaller == "keep":
        found = boxes
        edges = boxes[0].astype(int)
        windows = [(min(x1, x2), max(x1, x2), 1 if x1 < x2 else -1) for x1, _, x2, _ in edges]
        expected = np.stack([small[:, :, left:right][:, :, ::way] for left, right, way in windows], axis=1)
        assert crops.shape[2:4] == (3, WIDTH) and set(edges[:, 1]) == {0} and set(edges[:, 3]) == {3}
    else:
        np.testing.assert_allclose(np.abs(boxes[..., 2] - boxes[..., 0]), WIDTH * 3 / 4, rtol=1e-5)
        np.testing.assert_allclose(boxes[..., 3] - boxes[..., 1], 3, rtol=1e-5)
        assert boxes[..., [0, 2]].min() >= -1e-4 and boxes[..., [0, 2]].max() <= 7 + 1e-4
        expected, found = bilinear(small, boxes, (HEIGHT, WIDTH)), boxes
    np.testing.assert_allclose(boxes, found)
    np.testing.assert_allclose(crops, expected, rtol=1e-4, atol=1e-2)


def bilinear(images, boxes, size):
    """Samples of boxes, with NumPy's interpolation along one axis after the other."""
    crops = np.zeros((*boxes.shape[:2], *size, images.shape[-1]))
    for b, k, c in np.ndindex(*boxes.shape[:2], images.shape[-1]):
        x1, y1, x2, y2 = boxes[b, k]
        lines = [a + (np.arange(n) + 0.5) * (z - a) / n - 0.5 for a, z, n in ((y1, y2, size[0]), (x1, x2, size[1]))]
        image = images[b, ..., c]
        rows = np.stack([np.interp(lines[0], np.arange(len(image)), column) for column in image.T], axis=1)
        crops[b, k, ..., c] = [np.interp(lines[1], np.arange(image.shape[1]), row) for row in rows]
    return crops


@pytest.mark.tensorflow
@pytest.mark.parametrize("arrangement, stride", [("five", None), ("ten", None), ("grid", (3, 2))])
@pytest.mark.parametrize("if_smaller", ["error", "pad", "keep", "resize"])
def test_unknown_sizes_give_what_known_ones_do(images, arrangement, stride, if_smaller):
    import tensorflow as tf

    layer = MultiCrop(HEIGHT, WIDTH, arrangement, stride, if_smaller=if_smaller, return_boxes=True)
    unknown = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 3))])
    for some in (images, images[:, :, ::2]) if if_smaller == "error" else (images, images[:, :3], images[:, :, :3]):
        for got, expected in zip(unknown(some), layer(some)):
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-3)


def test_the_middle_of_five_is_the_centre_crop(images):
    crops = ops.convert_to_numpy(MultiCrop(HEIGHT, WIDTH)(images))
    np.testing.assert_array_equal(crops[:, 4], ops.convert_to_numpy(CenterCrop(HEIGHT, WIDTH)(images)))


def test_views_go_through_a_network_as_a_batch_and_are_averaged(images):
    """What ten-crop testing is: the mean of a network's answers, here of a mean, which NumPy knows."""
    x = keras.Input((9, 12, 3))
    flat = ops.reshape(MultiCrop(HEIGHT, WIDTH, "ten")(x), (-1, HEIGHT, WIDTH, 3))
    answers = keras.layers.GlobalAveragePooling2D(data_format="channels_last")(flat)
    model = keras.Model(x, ops.mean(ops.reshape(answers, (-1, 10, 3)), axis=1))
    expected = slices(images, "ten")[0].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-5)


def test_wrong_arguments_are_errors(images):
    with pytest.raises(ArgumentError, match="`views` must be one of 'five', 'ten', 'grid', not 'six'"):
        MultiCrop(4, 5, "six")
    with pytest.raises(ArgumentError, match="`stride` goes with views='grid', not with 'five'"):
        MultiCrop(4, 5, stride=2)
    with pytest.raises(SizeError, match="`stride` must be at most the crops' height, 4, .* not 5"):
        MultiCrop(4, 5, "grid", (5, 5))
    with pytest.raises(SizeError, match="`stride` must be a number of pixels, or 2 of them"):
        MultiCrop(4, 5, "grid", (1, 2, 3))
    for stride in (0, -1, 1.5):
        with pytest.raises(SizeError, match="`stride` must be a whole number of pixels"):
            MultiCrop(4, 5, "grid", stride)
    with pytest.raises(SizeError, match="cannot cut height 10 out of images of height 9"):
        MultiCrop(10, 5)(images)
