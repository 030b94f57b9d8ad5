import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import CenterCrop
from kerascrop.checks import SizeError


@pytest.mark.parametrize("height", range(1, 10))
@pytest.mark.parametrize("width", [1, 5, 6, 12])
def test_the_crop_is_the_middle_slice(images, height, width):
    top, left = (9 - height) // 2, (12 - width) // 2
    crops, boxes = CenterCrop(height, width, return_boxes=True)(images)
    np.testing.assert_array_equal(ops.convert_to_numpy(crops), images[:, top : top + height, left : left + width])
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[left, top, left + width, top + height]] * 4)


def test_equal_to_keras(images):
    ours, keras_layer = CenterCrop(4, 7), keras.layers.CenterCrop(4, 7)
    np.testing.assert_array_equal(ops.convert_to_numpy(ours(images)), ops.convert_to_numpy(keras_layer(images)))


def test_clips(images):
    clips = np.stack([images, images + 1], axis=1)
    np.testing.assert_array_equal(ops.convert_to_numpy(CenterCrop(3, 4)(clips)), clips[:, :, 3:6, 4:8])


@pytest.mark.parametrize("size", [(10, 12), (9, 13), (100, 100)])
def test_a_crop_larger_than_the_images_is_an_error_that_names_both_sizes(images, size):
    layer = CenterCrop(*size)
    symbolic = keras.Input((9, 12, 3))
    for attempt in (lambda: layer(images), lambda: layer(symbolic), lambda: layer.compute_output_shape(images.shape)):
        with pytest.raises(SizeError, match=f"cannot cut (height {size[0]}|width {size[1]}) out of images of"):
            attempt()


@pytest.mark.tensorflow
def test_too_small_images_of_unknown_size_are_an_error_when_they_come(images):
    import tensorflow as tf

    layer = CenterCrop(10, 4)
    crop = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 3))])
    assert crop(np.zeros((1, 11, 4, 3), "float32")).shape == (1, 10, 4, 3)
    for _ in range(20):  # the check comes before the cut, every time
        message = "cannot cut height 10 out of images of height under 10"
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            crop(images)


def test_wrong_sizes_are_errors():
    with pytest.raises(SizeError, match="`width` must be a whole number of pixels, at least 1, not 20.7"):
        CenterCrop(20, 20.7)
