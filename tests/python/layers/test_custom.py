import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import CustomCrop
from kerascrop.checks import ArgumentError, BoxError

IMAGES = np.random.default_rng(0).uniform(size=(3, 8, 9, 2)).astype("float32")
BOXES = np.array([[1, 2, 5, 5]] * 3, "float32")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_function_sees_the_channels_last_and_its_boxes_are_cut(data_format):
    seen = []

    def choose(images, training):
        seen.append((tuple(images.shape), training))
        return BOXES

    images = IMAGES if data_format == "channels_last" else IMAGES.transpose(0, 3, 1, 2)
    crops, boxes = CustomCrop(3, 4, choose, data_format=data_format, return_boxes=True)(images, training=True)
    crops = ops.convert_to_numpy(crops)
    crops = crops if data_format == "channels_last" else crops.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(crops, IMAGES[:, 2:5, 1:5], atol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), BOXES)
    assert seen == [((3, 8, 9, 2), True)]


def test_a_function_is_not_saved(tmp_path):
    images = keras.Input((8, 9, 2))
    model = keras.Model(images, CustomCrop(3, 4, lambda images, training: BOXES, name="mine")(images))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_layer("mine").height == 3
    with pytest.raises(ArgumentError, match="`mine` has no function `choose`"):
        again.get_layer("mine")(IMAGES)


def test_what_it_returns_is_checked():
    for boxes in (BOXES[:2], BOXES[:, :3], BOXES + np.nan, BOXES[0]):
        with pytest.raises(BoxError, match="`choose\\(\\)` of CustomCrop must give boxes"):
            CustomCrop(3, 4, lambda images, training: boxes)(IMAGES)
    with pytest.raises(ArgumentError, match="`choose` must be a function, not an object of type int"):
        CustomCrop(3, 4, 5)
