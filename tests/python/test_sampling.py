import numpy as np
import pytest
from conftest import BACKEND, gradient
from keras import ops

from kerascrop.checks import ArgumentError, SizeError
from kerascrop.sampling import sample

PADDING = {"constant": {"constant_values": 5.0}, "nearest": {}, "reflect": {}}
NUMPY_MODES = {"constant": "constant", "nearest": "edge", "reflect": "symmetric"}


def reference(image, box, size, fill_mode="constant", margin=40):
    """Bilinear sampling of one image as the definition reads, in float64, pixel by pixel."""
    padded = np.pad(
        image.astype("float64"), ((margin, margin), (margin, margin), (0, 0)), NUMPY_MODES[fill_mode], **PADDING[fill_mode]
    )
    x1, y1, x2, y2 = box
    height, width = size
    crop = np.zeros((height, width, image.shape[-1]))
    for i in range(height):
        for j in range(width):
            y = y1 + (i + 0.5) * (y2 - y1) / height - 0.5 + margin
            x = x1 + (j + 0.5) * (x2 - x1) / width - 0.5 + margin
            top, left = int(np.floor(y)), int(np.floor(x))
            for row, vertical in ((top, 1 - (y - top)), (top + 1, y - top)):
                for column, horizontal in ((left, 1 - (x - left)), (left + 1, x - left)):
                    if vertical * horizontal:
                        crop[i, j] += vertical * horizontal * padded[row, column]
    return crop


def run(images, boxes, *args, **kwargs):
    return ops.convert_to_numpy(sample(images, boxes, *args, **kwargs))


def random_boxes(rng, n, height=9, width=12, reach=0.0):
    """Boxes of all sizes that reach up to `reach` of the image's size outside of it."""
    corners = rng.uniform(-reach, 1 + reach, size=(n, 2, 2)) * [width, height]
    return np.concatenate([corners.min(1), corners.max(1) + 0.1], axis=1).astype("float32")


@pytest.mark.parametrize("antialias", [False, True])
def test_whole_pixel_boxes_are_the_slice_bit_for_bit(rng, antialias):
    for _ in range(60):
        height, width = rng.integers(1, 30, size=2)
        images = rng.normal(size=(2, height, width, 3)).astype("float32")
        y1, x1 = rng.integers(0, height), rng.integers(0, width)
        y2, x2 = rng.integers(y1 + 1, height + 1), rng.integers(x1 + 1, width + 1)
        boxes = np.array([[x1, y1, x2, y2]] * 2, "float32")
        crops = run(images, boxes, (y2 - y1, x2 - x1), antialias=antialias)
        np.testing.assert_array_equal(crops, images[:, y1:y2, x1:x2])


@pytest.mark.parametrize("fill_mode", NUMPY_MODES)
@pytest.mark.parametrize("reach", [0.0, 0.7])
def test_real_boxes_agree_with_the_definition(images, rng, fill_mode, reach):
    images = images / images.max()
    boxes = random_boxes(rng, 4, reach=reach)
    crops = run(images, boxes, (5, 7), fill_mode=fill_mode, fill_value=5.0)
    expected = [reference(image, box, (5, 7), fill_mode) for image, box in zip(images, boxes)]
    np.testing.assert_allclose(crops, expected, atol=2e-5)


def test_boxes_wholly_outside_are_filled(images):
    boxes = np.array([[-50, 0, -40, 9], [0, 50, 12, 60], [1e6, 1e6, 1e6 + 3, 1e6 + 3], [-1e30, -1e30, 0, 0]], "float32")
    crops = run(images, boxes, (3, 3), fill_value=7.0)
    np.testing.assert_array_equal(crops[:3], np.full((3, 3, 3, 3), 7.0))
    assert np.isfinite(crops).all()


@pytest.mark.parametrize("fill_mode", NUMPY_MODES)
def test_equal_to_pytorch(images, rng, fill_mode):
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    images = images / images.max()
    boxes = random_boxes(rng, 4, reach=0.7)
    height, width = images.shape[1:3]
    x1, x2 = boxes[:, 0] * 2 / width - 1, boxes[:, 2] * 2 / width - 1
    y1, y2 = boxes[:, 1] * 2 / height - 1, boxes[:, 3] * 2 / height - 1
    zero = np.zeros_like(x1)
    theta = np.stack([[(x2 - x1) / 2, zero, (x1 + x2) / 2], [zero, (y2 - y1) / 2, (y1 + y2) / 2]]).transpose(2, 0, 1)
    grid = torch.nn.functional.affine_grid(torch.tensor(theta), (4, 3, 5, 7), align_corners=False)
    padding = {"constant": "zeros", "nearest": "border", "reflect": "reflection"}[fill_mode]
    expected = torch.nn.functional.grid_sample(
        torch.tensor(images.transpose(0, 3, 1, 2)), grid, padding_mode=padding, align_corners=False
    )
    crops = run(images, boxes, (5, 7), fill_mode=fill_mode)
    np.testing.assert_allclose(crops, expected.numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_many_boxes_are_as_if_each_were_alone(images, rng):
    boxes = np.stack([random_boxes(rng, 4), random_boxes(rng, 4), random_boxes(rng, 4)], axis=1)
    crops = run(images, boxes, (5, 7))
    assert crops.shape == (4, 3, 5, 7, 3)
    for k in range(3):
        np.testing.assert_allclose(crops[:, k], run(images, boxes[:, k], (5, 7)), rtol=1e-6)
    assert run(images, boxes[:, :0], (5, 7)).shape == (4, 0, 5, 7, 3)
    assert run(images[:0], boxes[:0], (5, 7)).shape == (0, 3, 5, 7, 3)


@pytest.mark.parametrize("factor", [2, 3])
def test_antialias_of_the_whole_image_is_keras_resize(rng, factor):
    images = rng.normal(size=(2, 12, 24, 3)).astype("float32")
    boxes = np.array([[0, 0, 24, 12]] * 2, "float32")
    crops = run(images, boxes, (12 // factor, 24 // factor), antialias=True)
    expected = ops.image.resize(images, (12 // factor, 24 // factor), antialias=True)
    np.testing.assert_allclose(crops, ops.convert_to_numpy(expected), atol=1e-5)


def test_antialias_removes_a_checkerboard_and_plain_sampling_does_not():
    board = (np.indices((64, 64)).sum(0) % 2).astype("float32")[None, ..., None]
    box = np.array([[0.3, 0.3, 63.1, 63.1]], "float32")
    assert run(board, box, (16, 16), antialias=True).std() < 0.02
    assert run(board, box, (16, 16)).std() > 0.1


def test_enlarging_is_the_same_with_antialias(images, rng):
    boxes = np.array([[3.2, 2.1, 6.9, 5.5]] * 4, "float32")
    np.testing.assert_allclose(
        run(images, boxes, (9, 9), antialias=True), run(images, boxes, (9, 9)), rtol=1e-5, atol=1e-3
    )


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("fill_mode", NUMPY_MODES)
def test_gradients_agree_with_finite_differences_in_float64(rng, antialias, fill_mode):
    images = rng.normal(size=(2, 6, 7, 2))
    boxes = np.array([[[0.63, 1.21, 5.37, 4.88]], [[-1.43, 0.38, 9.29, 7.71]]])
    weights = rng.normal(size=(2, 1, 4, 5, 2))

    def tensor(x):
        return ops.convert_to_tensor(x, "float64")

    def loss(images, boxes):
        crops = sample(images, boxes, (4, 5), antialias=antialias, fill_mode=fill_mode, fill_value=0.5)
        return ops.sum(crops * tensor(weights))

    for which, values in enumerate((images, boxes)):
        def of_one(x):
            return loss(x, tensor(boxes)) if which == 0 else loss(tensor(images), x)

        analytic = gradient(of_one, values)
        numeric = np.zeros_like(values)
        for index in np.ndindex(values.shape):
            step = np.zeros_like(values)
            step[index] = 1e-5
            ends = [float(ops.convert_to_numpy(of_one(tensor(values + s)))) for s in (step, -step)]
            numeric[index] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(analytic, numeric, atol=1e-6)


def test_a_box_with_nan_gives_nan_and_poisons_no_other_image(images):
    boxes = np.array([[np.nan, 1, 5, 5], [1, 1, 5, 5], [np.inf, 0, 1, 1], [1, 1, 1, 1]], "float32")
    crops = run(images, boxes, (4, 4))
    assert np.isnan(crops[0]).all() and np.isnan(crops[2]).all()
    np.testing.assert_array_equal(crops[1], images[1, 1:5, 1:5])
    assert np.isfinite(crops[3]).all()  # an empty box repeats one point


def test_coordinates_stay_exact_for_half_precision_images(rng):
    images = rng.uniform(size=(1, 2, 4000, 1)).astype("float16")
    crops = run(images, np.array([[3001, 0, 3009, 2]], "float32"), (2, 8))
    assert crops.dtype == np.float16
    np.testing.assert_array_equal(crops, images[:, :, 3001:3009])


def test_integer_images_give_float32(images):
    crops = run(images.astype("int32"), np.array([[1, 1, 5, 5]] * 4), (4, 4))
    assert crops.dtype == np.float32
    np.testing.assert_array_equal(crops, images[:, 1:5, 1:5])


@pytest.mark.skipif(BACKEND != "tensorflow", reason="needs the TensorFlow backend")
@pytest.mark.parametrize("antialias", [False, True])
def test_the_same_in_a_graph_and_under_xla(images, rng, antialias):
    import tensorflow as tf

    boxes = random_boxes(rng, 4, reach=0.3)
    expected = run(images, boxes, (5, 7), antialias)
    for jit_compile in (False, True):
        compiled = tf.function(lambda x, b: sample(x, b, (5, 7), antialias), jit_compile=jit_compile)
        np.testing.assert_allclose(compiled(images, boxes), expected, rtol=1e-4, atol=1e-2)
    unknown = tf.function(
        lambda x, b: sample(x, b, (5, 7), antialias),
        input_signature=[tf.TensorSpec((None, None, None, 3)), tf.TensorSpec((None, 4))],
    )
    np.testing.assert_allclose(unknown(images, boxes), expected, rtol=1e-4, atol=1e-2)


def test_wrong_arguments_are_errors(images):
    boxes = np.zeros((4, 4), "float32")
    with pytest.raises(SizeError, match="`width`"):
        sample(images, boxes, (4, 0))
    with pytest.raises(ArgumentError, match="`fill_mode` must be one of 'constant'"):
        sample(images, boxes, (4, 4), fill_mode="wrap")
    with pytest.raises(ArgumentError, match="`fill_value`"):
        sample(images, boxes, (4, 4), fill_value="white")
