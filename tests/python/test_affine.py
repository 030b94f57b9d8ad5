import numpy as np
import pytest
from keras import ops
from test_geometry import FORMATS

from kerascrop import affine
from kerascrop.checks import ArgumentError, BoxError


@pytest.mark.parametrize("box_format", FORMATS)
def test_theta_maps_the_crop_to_the_box_and_back(box_format):
    boxes = np.array([FORMATS[box_format]], "float32")
    theta = ops.convert_to_numpy(affine.theta_from_boxes(boxes, box_format, 10, 20))
    corners = theta[0] @ np.array([[-1, 1], [-1, 1], [1, 1]])  # of the crop, x and y from -1 to 1
    np.testing.assert_allclose(corners.T.ravel(), FORMATS["grid"], atol=1e-6)
    back = ops.convert_to_numpy(affine.boxes_from_theta(theta, box_format, 10, 20))
    np.testing.assert_allclose(back[0], FORMATS[box_format], atol=1e-5)


def test_theta_of_volumes_takes_a_depth():
    box = np.array([[2, 1, 3, 8, 4, 6]], "float32")  # x, y, z
    theta = ops.convert_to_numpy(affine.theta_from_boxes(box, "xyxy", height=10, width=20, depth=12))
    assert theta.shape == (1, 3, 4)
    corners = theta[0] @ np.array([[-1, 1], [-1, 1], [-1, 1], [1, 1]])
    pixels = (corners.T + 1) / 2 * [20, 10, 12]
    np.testing.assert_allclose(pixels.ravel(), box[0], atol=1e-5)
    back = affine.boxes_from_theta(theta, "xyxy", height=10, width=20, depth=12)
    np.testing.assert_allclose(ops.convert_to_numpy(back), box, atol=1e-5)


def test_matrices_that_are_no_box_are_errors():
    with pytest.raises(BoxError, match="rotates or shears"):
        affine.boxes_from_theta(np.array([[0.5, 0.1, 0], [0, 0.5, 0]], "float32"))
    for shape in ((3,), (2, 2), (3, 3)):
        with pytest.raises(BoxError, match="must have shape"):
            affine.boxes_from_theta(np.zeros(shape, "float32"))


@pytest.mark.parametrize("theta, error", [(2.0, BoxError), ([1.0, 2, 3], BoxError), (None, ArgumentError)])
def test_what_are_no_matrices_is_an_error_of_its_class(theta, error):
    with pytest.raises(error):
        affine.boxes_from_theta(theta)
