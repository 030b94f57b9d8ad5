import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import BorderCrop
from kerascrop.checks import ArgumentError, SizeError


@pytest.mark.parametrize("cropping", [0, 4, (1, 2), ((1, 0), (0, 2)), ((0, 0), (0, 0)), ((8, 0), (0, 11))])
def test_positive_margins_are_keras_cropping(images, cropping):
    expected = ops.convert_to_numpy(keras.layers.Cropping2D(cropping)(images))
    np.testing.assert_array_equal(ops.convert_to_numpy(BorderCrop(cropping)(images)), expected)


@pytest.mark.parametrize(
    "cropping", [-1, ((-1, 2), (3, -4)), ((2, -3), (-1, -1)), ((-3, 10), (0, 0)), ((0, 0), (-20, 31))]
)
def test_signed_margins_are_a_window_of_the_padded_image(images, cropping):
    layer = BorderCrop(cropping, fill_value=7, return_boxes=True)
    (top, bottom), (left, right) = layer.cropping
    padded = np.pad(images, ((0, 0), (40, 40), (40, 40), (0, 0)), constant_values=7)
    expected = padded[:, 40 + top : 40 + 9 - bottom, 40 + left : 40 + 12 - right]
    crops, boxes = layer(images)
    np.testing.assert_array_equal(ops.convert_to_numpy(crops), expected)
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes)[0], [left, top, 12 - right, 9 - bottom])


@pytest.mark.tensorflow
def test_unknown_sizes(images):
    import tensorflow as tf

    layer = BorderCrop(((1, 2), (-1, 3)))
    assert layer.compute_output_shape((None, None, None, 3)) == (None, None, None, 3)
    crop = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 3))])
    np.testing.assert_array_equal(crop(images)[:, :, 1:], images[:, 1:7, :9])
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot remove 1 \\+ 2 pixels"):
        crop(images[:, :3])


@pytest.mark.parametrize("cropping", [5, ((9, 0), (0, 0)), (0, 6), ((-1, 10), (0, 0))])
def test_margins_that_leave_nothing_are_an_error(images, cropping):
    with pytest.raises(SizeError, match="nothing would be left"):
        BorderCrop(cropping)(images)


def test_wrong_margins_are_errors(images):
    with pytest.raises(ArgumentError, match="`fill_value` must be a whole number from 0 to 255"):
        BorderCrop(-1, fill_value=300)(images.astype("uint8"))
    with pytest.raises(SizeError, match="Use smaller sizes"):
        BorderCrop(-1_500_000_000)(images)
    with pytest.raises(SizeError, match="`cropping` must be a whole number of pixels"):
        BorderCrop(1.5)
