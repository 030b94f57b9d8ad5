import keras
import numpy as np
import pytest
from keras import ops

import kerascrop
from conftest import BACKEND
from kerascrop.checks import ArgumentError, BoxError, ShapeError, SizeError


class Chooses(kerascrop.Crop):
    """A layer that chooses what it is given."""

    def __init__(self, choice, **kwargs):
        super().__init__(**kwargs)
        self.choice = (choice,)

    def choose(self, data, training):
        return self.choice[0]

    def crop_size(self, shapes):
        return 2, 3


IMAGES = np.zeros((4, 9, 12, 3), "float32")
BOXES = np.array([[1, 2, 4, 6]] * 4, "float32")
NAN = BOXES + np.array([[0], [np.nan], [0], [0]], "float32")


@pytest.mark.parametrize(
    "choice, error, message",
    [
        (None, ArgumentError, "return `kerascrop.Samples.*not an object of type NoneType"),
        (BOXES, ArgumentError, "return `kerascrop.Samples.*not an object of type ndarray"),
        (kerascrop.Samples(BOXES, (3, 2)), ShapeError, r"size that `crop_size\(\)` returns, \(2, 3\), not \(3, 2\)"),
        (kerascrop.Windows((1, 2), (2, 2)), ShapeError, r"\(2, 3\), not \(2, 2\)"),
        (kerascrop.Samples(BOXES[:3], (2, 3)), BoxError, r"boxes of shape \(4, 4\), not \(3, 4\)"),
        (kerascrop.Samples(BOXES[:1], (2, 3)), BoxError, r"boxes of shape \(4, 4\), not \(1, 4\)"),
        (kerascrop.Samples(BOXES[0], (2, 3)), BoxError, r"boxes of shape \(4, 4\), not \(4,\)"),
        (kerascrop.Samples(BOXES[:, :3], (2, 3)), BoxError, r"boxes of shape \(4, 4\), not \(4, 3\)"),
        (kerascrop.Samples(BOXES[:, None], (2, 3)), BoxError, r"boxes of shape \(4, 4\), not \(4, 1, 4\)"),
        (kerascrop.Windows((np.zeros(3, "int32"), 2), (2, 3)), BoxError, r"boxes of shape \(4, 4\), not \(3, 4\)"),
        (kerascrop.Samples(NAN, (2, 3)), BoxError, "boxes of finite numbers"),
        (kerascrop.Samples(BOXES * np.inf, (2, 3)), BoxError, "boxes of finite numbers"),
    ],
)
def test_what_is_no_choice_of_this_layer_is_an_error_that_names_its_class(choice, error, message):
    with pytest.raises(error, match=rf"`choose\(\)` of Chooses must .*{message}"):
        Chooses(choice)(IMAGES)


def test_several_crops_of_an_image_need_a_layer_that_says_so():
    class Two(Chooses):
        def lead(self, shapes):
            return (*shapes["images"][:1], 2)

    boxes = np.stack([BOXES, BOXES + 1], axis=1)
    crops, chosen = Two(kerascrop.Samples(boxes, (2, 3)), return_boxes=True)(IMAGES)
    assert crops.shape == (4, 2, 2, 3, 3) == Two(None).compute_output_shape(IMAGES.shape)
    np.testing.assert_array_equal(ops.convert_to_numpy(chosen), boxes)
    with pytest.raises(BoxError, match=r"of Two must give boxes of shape \(4, 2, 4\), not \(4, 4\)"):
        Two(kerascrop.Samples(BOXES, (2, 3)))(IMAGES)


def test_windows_for_all_images_have_one_box():
    crops, boxes = Chooses(kerascrop.Windows((1, 2), (2, 3)), return_boxes=True)(IMAGES)
    assert crops.shape == (4, 2, 3, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[2, 1, 5, 3]] * 4)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no graph here")
def test_in_a_graph_boxes_that_are_nan_give_crops_of_nans():
    class Nan(Chooses):
        def choose(self, data, training):
            return kerascrop.Samples(BOXES + 0 * ops.log(self.pixels(data)[:, 0, 0, :1]), (2, 3))

    images = keras.Input((9, 12, 3))
    model = keras.Model(images, Nan(None)(images))
    assert np.isnan(model.predict(IMAGES, verbose=0)).all()


@pytest.mark.parametrize(
    "layer", [kerascrop.BorderCrop(1), kerascrop.CenterCrop(5, 6), kerascrop.RandomCrop(5, 6)], ids=lambda x: x.name
)
def test_channels_in_front_are_hinted_at_where_that_would_help(layer):
    with pytest.raises(SizeError, match=r"images of 1 channels, use `data_format='channels_first'`"):
        layer(np.zeros((6, 1, 28, 28), "float32"))
    for other in (np.zeros((6, 1, 2, 2), "float32"), np.zeros((6, 1, 28, 1), "float32")):
        with pytest.raises(SizeError) as failure:
            layer(other)
        assert "data_format" not in str(failure.value)
