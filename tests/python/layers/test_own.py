"""Crop layers that users write; `test_base` and `test_joint` run them through all that they run ours through."""

import inspect

import numpy as np
import pytest
from keras import ops

import kerascrop
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


IMAGES = np.zeros((4, 9, 12, 3), "float32")


def test_what_a_layer_lacks_is_said():
    class Nothing(kerascrop.Crop):
        pass

    with pytest.raises(NotImplementedError, match="`Nothing` must say how large its crops are.*`self.height`"):
        Nothing()(IMAGES)
    layer = Nothing()
    layer.height, layer.width = 2, 3
    with pytest.raises(NotImplementedError, match=r"`Nothing` needs a method `choose\(data, training\)`"):
        layer(IMAGES)


def test_a_layer_hears_of_its_choices():
    layer, heard = kerascrop.CenterCrop(2, 3), []
    layer.listeners = (lambda data, choice: heard.append((data["images"].shape, choice.size)),)
    layer(IMAGES)
    layer.listeners = ()
    layer(IMAGES)
    assert [(tuple(shape), size) for shape, size in heard] == [((4, 9, 12, 3), (2, 3))]
