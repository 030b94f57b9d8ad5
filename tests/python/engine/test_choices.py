"""A kind of choice that a user writes."""

import numpy as np
from keras import ops

import kerascrop
from kerascrop.engine.choices import Choice


class Whole(Choice):
    """All of each image, upside down."""

    def __init__(self, images):
        self.size = tuple(images.shape[1:3])
        self.boxes = ops.convert_to_tensor([[0.0, self.size[0], self.size[1], 0.0]])
        self.boxes_shape = (1, 4)

    def cut(self, images, is_mask=False, data_format=None):
        return ops.flip(images, axis=1)


class UpsideDown(kerascrop.Crop):
    def choose(self, data, training):
        return Whole(self.pixels(data))

    def crop_size(self, shapes):
        return self.lengths(shapes["images"])


def test_a_choice_of_ones_own_crops_what_goes_with_the_images_too(rng):
    images = rng.normal(size=(2, 4, 6, 1)).astype("float32")
    points = np.array([[[1.5, 0.5]], [[4, 3]]], "float32")
    crops = UpsideDown()({"images": images, "segmentation_masks": images > 0, "keypoints": points})
    np.testing.assert_array_equal(ops.convert_to_numpy(crops["images"]), images[:, ::-1])
    np.testing.assert_array_equal(ops.convert_to_numpy(crops["segmentation_masks"]), images[:, ::-1] > 0)
    np.testing.assert_allclose(ops.convert_to_numpy(crops["keypoints"]), [[[1.5, 3.5]], [[4, 1]]])
