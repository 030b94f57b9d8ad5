"""`LearnableCrop(resize=False)`: crops at the images' scale, on a canvas."""

import numpy as np
import pytest
from keras import layers, ops

from kerascrop import LearnableCrop


def on_canvas(image, box, height, width):
    """What `resize=False` says, for one image, pixel by pixel."""
    x1, y1, x2, y2 = box.astype("float64")
    canvas = np.zeros((height, width, image.shape[-1]))
    for i, j in np.ndindex(height, width):
        covered = np.clip(y2 - y1 - i, 0, 1) * np.clip(x2 - x1 - j, 0, 1)
        row, column = np.clip([y1 + i, x1 + j], 0, [image.shape[0] - 1, image.shape[1] - 1])
        top, left = int(row), int(column)
        below, right = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
        row, column = row - top, column - left
        upper = (1 - column) * image[top, left] + column * image[top, right]
        lower = (1 - column) * image[below, left] + column * image[below, right]
        canvas[i, j] = covered * ((1 - row) * upper + row * lower)
    return canvas


def numbers_layer(*args, **kwargs):
    """A layer whose numbers are the features."""
    layer = LearnableCrop(*args, localizer=layers.Identity(), return_boxes=True, **kwargs)
    layer.built = True
    return layer


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_without_resizing_crops_keep_their_scale(scenes, rng, data_format):
    layer = numbers_layer(20, 24, size="free", resize=False, data_format=data_format, min_size=4)
    numbers = rng.uniform(size=(6, 4)).astype("float32")
    numbers[0] = [1, 1, 0.6, 0.7]  # at the image's last pixels
    numbers[1] = 1  # the whole canvas
    images = scenes if data_format == "channels_last" else np.moveaxis(scenes, 3, 1)
    crops, boxes = (ops.convert_to_numpy(part) for part in layer([images, numbers]))
    crops = crops if data_format == "channels_last" else np.moveaxis(crops, 1, 3)
    assert len(set(np.round(boxes[:, 2] - boxes[:, 0], 3))) == 6
    for scene, crop, box in zip(scenes, crops, boxes):
        np.testing.assert_allclose(crop, on_canvas(scene, box, 20, 24), atol=1e-4)
    np.testing.assert_allclose(boxes[1], [36, 20, 60, 40], atol=1e-4)
    np.testing.assert_allclose(crops[1], scenes[1, 20:40, 36:60], atol=1e-4)


def test_without_resizing_whole_pixels_are_slices(scenes):
    layer = numbers_layer(20, 24, size="square", resize=False, min_size=9, max_size=9)
    crops, boxes = (ops.convert_to_numpy(part) for part in layer([scenes, np.full((6, 3), 1, "float32")]))
    np.testing.assert_array_equal(boxes, [[51, 31, 60, 40]] * 6)
    np.testing.assert_array_equal(crops[:, :9, :9], scenes[:, 31:, 51:])
    assert not crops[:, 9:].any() and not crops[:, :, 9:].any()


def test_what_goes_with_the_images_keeps_its_scale_too(scenes):
    layer = numbers_layer(20, 24, size="square", resize=False, min_size=9, max_size=9)
    masks = np.arange(6 * 40 * 60).reshape(6, 40, 60).astype("int32") + 1
    sides = np.array([[[53, 34, 55, 38], [41, 30, 55, 35], [0, 0, 5, 5], [48, 28, 90, 60]]] * 6, "float32")
    data = {
        "images": scenes,
        "features": np.full((6, 3), 1, "float32"),
        "segmentation_masks": masks,
        "bounding_boxes": {"boxes": sides, "labels": np.array([[1, 2, 3, 4]] * 6)},
        "keypoints": np.array([[[52.5, 33], [0, 0]]] * 6, "float32"),
    }
    crops, boxes = layer(data)  # the box is 51, 31, 60, 40
    cut = ops.convert_to_numpy(crops["segmentation_masks"])
    np.testing.assert_array_equal(cut[:, :9, :9], masks[:, 31:, 51:])
    assert not cut[:, 9:].any() and not cut[:, :, 9:].any() and cut.dtype == "int32"
    seen = ops.convert_to_numpy(crops["bounding_boxes"]["boxes"])[0]
    np.testing.assert_allclose(seen, [[2, 3, 4, 7], [0, 0, 4, 4], [0, 0, 0, 0], [0, 0, 9, 9]], atol=1e-4)
    np.testing.assert_array_equal(ops.convert_to_numpy(crops["bounding_boxes"]["labels"])[0], [1, 2, -1, 4])
    np.testing.assert_allclose(ops.convert_to_numpy(crops["keypoints"])[0], [[1.5, 2], [-51, -31]], atol=1e-4)


@pytest.mark.parametrize("size", ["square", "free"])
def test_without_resizing_training_never_leaves_the_canvas(size, scenes):
    layer = LearnableCrop(16, 16, size=size, min_size=15.9, max_size=16, resize=False)
    layer(scenes)
    for _ in range(5):
        images = ops.convert_to_tensor(scenes)
        choice = layer.choose({"images": images}, training=True)
        boxes, shares = (ops.convert_to_numpy(part) for part in (choice.candidates.boxes, choice.weights))
        assert (boxes[..., 2:] - boxes[..., :2] <= 16 + 1e-4).all()
        for i, crop in enumerate(ops.convert_to_numpy(choice.cut(images))):
            expected = sum(share * on_canvas(scenes[i], box, 16, 16) for box, share in zip(boxes[i], shares[i]))
            np.testing.assert_allclose(crop, expected, atol=1e-4)
