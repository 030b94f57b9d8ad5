"""Batches of images of several sizes: the crops are those of the images one by one."""

import numpy as np
import pytest

import kerascrop
from kerascrop.checks import ShapeError

SIZES = [(9, 12), (20, 7), (15, 30)]
IMAGES = [np.random.default_rng(i).uniform(size=(*size, 3)).astype("float32") for i, size in enumerate(SIZES)]


def middle(image, height=5, width=6):
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def array(x):
    return np.array([part for part in x]) if isinstance(x, list) else np.asarray(x)


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_several_sizes_is_a_batch_of_crops(kind):
    crops = kerascrop.CenterCrop(5, 6)(kind(IMAGES))
    np.testing.assert_array_equal(array(crops), [middle(image) for image in IMAGES])
    crops, boxes = kerascrop.RandomCrop(5, 6, return_boxes=True)(kind(IMAGES), training=True)
    for image, crop, (x1, y1, x2, y2) in zip(IMAGES, array(crops), array(boxes).astype(int)):
        np.testing.assert_array_equal(crop, image[y1:y2, x1:x2])
    assert kerascrop.RandomResizedCrop(5, 6)(kind(IMAGES), training=True).shape == (3, 5, 6, 3)
    for layer in (kerascrop.BorderCrop(1), kerascrop.CenterCrop(30, 30, if_smaller="keep")):
        with pytest.raises(ShapeError, match="several sizes"):
            layer(kind(IMAGES))


def ragged(dataset=False):
    tf = pytest.importorskip("tensorflow")
    if dataset:
        data = tf.data.Dataset.from_generator(lambda: iter(IMAGES), output_signature=tf.TensorSpec((None, None, 3)))
        return data.ragged_batch(3)
    return tf.RaggedTensor.from_row_splits(  # the sizes of one image are its own
        tf.RaggedTensor.from_row_lengths(
            np.concatenate([image.reshape(-1, 3) for image in IMAGES]),
            np.concatenate([np.full(height, width) for height, width in SIZES]),
        ),
        np.cumsum([0] + [height for height, _ in SIZES]),
    )


@pytest.mark.tensorflow
def test_a_ragged_tensor_is_a_batch_of_crops():
    expected = [middle(image) for image in IMAGES]
    np.testing.assert_array_equal(kerascrop.CenterCrop(5, 6)(ragged()), expected)
    joint = kerascrop.CenterCrop(5, 6, return_boxes=True)
    crops, boxes = joint({"images": ragged(), "segmentation_masks": ragged()[..., 0], "file": np.array([1, 2, 3])})
    np.testing.assert_array_equal(crops["images"], expected)
    np.testing.assert_array_equal(crops["segmentation_masks"], np.array(expected)[..., 0])
    np.testing.assert_array_equal(boxes[:, 0], [(width - 6) // 2 for _, width in SIZES])
    np.testing.assert_array_equal(crops["file"], [1, 2, 3])
    random = kerascrop.RandomCrop(5, 6, seed=1, return_boxes=True)
    data = ragged(True).map(lambda images: random(images, training=True))
    assert data.element_spec[0].shape == (None, 5, 6, 3)
    crops, boxes = next(iter(data))
    for image, crop, (x1, y1, x2, y2) in zip(IMAGES, crops, boxes.numpy().astype(int)):
        np.testing.assert_array_equal(crop, image[y1:y2, x1:x2])
    assert not np.array_equal(next(iter(data))[1], boxes)


@pytest.mark.tensorflow
def test_what_makes_no_batch_is_an_error_that_tells_the_way():
    for layer in (kerascrop.BorderCrop(1), kerascrop.LearnableCrop(4, 4)):
        with pytest.raises(ShapeError, match="`images.to_tensor"):
            layer(ragged())
    import tensorflow as tf

    points = tf.RaggedTensor.from_row_lengths(np.zeros((6, 2), "float32"), [1, 2, 3])
    with pytest.raises(ShapeError, match="`images.to_tensor"):
        kerascrop.CenterCrop(5, 6)({"images": ragged(), "keypoints": points})
