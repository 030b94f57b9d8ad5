"""Crop layers that users write; `test_base` and `test_joint` run them through all that they run ours through."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop
from conftest import BACKEND
from kerascrop.checks import ArgumentError, BoxError, ShapeError
from own_layers import BrightCrop, PeakCrop


@pytest.mark.parametrize("layer", [BrightCrop, PeakCrop])
def test_a_layer_takes_20_lines_at_most(layer):
    assert len([line for line in inspect.getsource(layer).splitlines() if line.strip()]) <= 20


def spots(places, height=12, width=16):
    images = np.random.default_rng(0).uniform(0, 0.5, size=(len(places), height, width, 1)).astype("float32")
    for image, (row, column) in zip(images, places):
        image[row, column] = 1
    return images


def test_whole_pixels_around_a_peak_are_the_slice_and_zeros_beyond_the_image():
    places = [(6, 7), (0, 0), (11, 15)]
    images = spots(places)
    crops, boxes = PeakCrop(5, 7, return_boxes=True)(images)
    padded = np.pad(images, ((0, 0), (2, 2), (3, 3), (0, 0)))
    for crop, box, image, (row, column) in zip(crops, boxes, padded, places):
        np.testing.assert_array_equal(ops.convert_to_numpy(crop), image[row : row + 5, column : column + 7])
        np.testing.assert_array_equal(ops.convert_to_numpy(box), [column - 3, row - 2, column + 4, row + 3])


def test_a_pixel_that_is_all_that_is_bright_fills_the_crop():
    crops, boxes = BrightCrop(4, 4, return_boxes=True)(spots([(6, 7), (0, 15)]))
    np.testing.assert_array_equal(ops.convert_to_numpy(boxes), [[7, 6, 8, 7], [15, 0, 16, 1]])
    assert ops.convert_to_numpy(crops)[0, 1:3, 1:3].min() > 0.6


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


def test_what_a_layer_lacks_is_said():
    class Nothing(kerascrop.Crop):
        pass

    with pytest.raises(NotImplementedError, match="`Nothing` must say how large its crops are.*`self.height`"):
        Nothing()(IMAGES)
    layer = Nothing()
    layer.height, layer.width = 2, 3
    with pytest.raises(NotImplementedError, match=r"`Nothing` needs a method `choose\(data, training\)`"):
        layer(IMAGES)


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


def test_a_layer_hears_of_its_choices():
    layer, heard = kerascrop.CenterCrop(2, 3), []
    layer.listeners = (lambda data, choice: heard.append((data["images"].shape, choice.size)),)
    layer(IMAGES)
    layer.listeners = ()
    layer(IMAGES)
    assert [(tuple(shape), size) for shape, size in heard] == [((4, 9, 12, 3), (2, 3))]
