import numpy as np
import pytest
from conftest import BACKEND, gradient, jitted
from keras import ops

from kerascrop.checks import ArgumentError, SizeError
from kerascrop.sampling import paste, sample

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
    return ops.convert_to_numpy(jitted(lambda x, b: sample(x, b, *args, **kwargs))(images, boxes))


def random_boxes(rng, n, height=9, width=12, reach=0.0):
    """Boxes of all sizes that reach up to `reach` of the image's size outside of it."""
    corners = rng.uniform(-reach, 1 + reach, size=(n, 2, 2)) * [width, height]
    return np.concatenate([corners.min(1), corners.max(1) + 0.1], axis=1).astype("float32")


@pytest.mark.parametrize("antialias", [False, True])
def test_whole_pixel_boxes_are_the_slice_bit_for_bit(rng, antialias):
    for length, width in ((1, 1), (7, 29), (30, 16)):
        images = rng.normal(size=(2, length, width, 3)).astype("float32")
        for size in {(1, 1), (length, width), ((length + 1) // 2, width // 3 + 1)}:
            tops, lefts = (rng.integers(0, n - m + 1, size=20) for n, m in zip((length, width), size))
            boxes = np.stack([lefts, tops, lefts + size[1], tops + size[0]], axis=-1).astype("float32")
            crops = run(images, np.stack([boxes, boxes]), size, antialias=antialias)
            for k, (top, left) in enumerate(zip(tops, lefts)):
                np.testing.assert_array_equal(crops[:, k], images[:, top : top + size[0], left : left + size[1]])


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

        analytic, of_one = gradient(of_one, values), jitted(of_one)
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


def interpolated(image, box, size):
    """Samples of one image, sequence or volume, by NumPy's interpolation along one axis after the other; edges repeat."""
    rank = len(size)
    for axis, (first, last, n) in enumerate(zip(box[:rank][::-1], box[rank:][::-1], size)):
        places = first + (np.arange(n) + 0.5) * (last - first) / n - 0.5
        image = np.apply_along_axis(lambda line: np.interp(places, np.arange(len(line)), line), axis, image)
    return image


LENGTHS, SIZES = {1: (20,), 2: (9, 12), 3: (5, 8, 7)}, {1: (6,), 2: (4, 5), 3: (3, 4, 5)}


def corners(rng, rank, n, reach=0.0):
    """Boxes of any dimension, some of them mirrored."""
    return (rng.uniform(-reach, 1 + reach, size=(n, 2, rank)) * LENGTHS[rank][::-1]).reshape(n, -1).astype("float32")


@pytest.mark.parametrize("rank", LENGTHS)
def test_sequences_images_and_volumes_agree_with_interpolation(rank, rng):
    x = rng.normal(size=(5, *LENGTHS[rank], 2)).astype("float32")
    places = corners(rng, rank, 5, reach=0.2)
    crops = run(x, places, SIZES[rank], fill_mode="nearest")
    for one, image, box in zip(crops, x, places):
        np.testing.assert_allclose(one, interpolated(image, box, SIZES[rank]), atol=1e-5)


@pytest.mark.parametrize("rank", LENGTHS)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "bool", "int32"])
def test_the_nearest_pixel_is_the_one_that_holds_the_sample(rank, dtype, rng):
    x = rng.integers(0, 2 if dtype == "bool" else 200, size=(5, *LENGTHS[rank], 2)).astype(dtype)
    places = corners(rng, rank, 5, reach=0.3)
    crops = run(x, places, SIZES[rank], interpolation="nearest", fill_value=1)
    assert crops.dtype == dtype
    for one, image, box in zip(crops, x, places):
        expected = np.ones_like(one)
        for index in np.ndindex(*SIZES[rank]):
            steps = (np.array(index) + 0.5) / SIZES[rank]
            place = box[:rank][::-1] + steps * (box[rank:] - box[:rank])[::-1]
            if (place > 0).all() and (place < LENGTHS[rank]).all():
                expected[index] = image[tuple(np.floor(place).astype(int))]
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("rank", LENGTHS)
def test_antialias_of_whole_blocks_along_every_axis(rank, rng):
    """A box in steps of two pixels: the triangle reaches two pixels each way, with weights 1, 3, 3, 1."""
    x = rng.normal(size=(2, *(2 * n for n in SIZES[rank]), 1)).astype("float32")
    whole = np.array([[0] * rank + [2 * n for n in SIZES[rank]][::-1]] * 2, "float32")
    expected = x
    for axis, n in enumerate(SIZES[rank], start=1):
        weights = np.zeros((n, 2 * n))
        for i, row in enumerate(weights):
            for pixel, weight in zip(range(2 * i - 1, 2 * i + 3), (1, 3, 3, 1)):
                if 0 <= pixel < 2 * n:
                    row[pixel] = weight
        expected = np.moveaxis(np.tensordot(weights / weights.sum(1, keepdims=True), expected, (1, axis)), 0, axis)
    np.testing.assert_allclose(run(x, whole, SIZES[rank], antialias=True), expected, atol=1e-5)


@pytest.mark.parametrize("rank", LENGTHS)
def test_paste_puts_whole_pixels_back_in_any_dimension(rank, rng):
    lengths, size = LENGTHS[rank], SIZES[rank]
    crops = rng.normal(size=(2, 3, *size, 2)).astype("float32")
    starts = np.stack([rng.integers(-2, length, size=(2, 3)) for length in lengths], axis=-1)
    total, count = np.zeros((2, *lengths, 2)), np.zeros((2, *lengths, 1))
    for b, k, *index in np.ndindex(2, 3, *size):
        place = starts[b, k] + index
        if (place >= 0).all() and (place < lengths).all():
            total[(b, *place)] += crops[(b, k, *index)]
            count[(b, *place)] += 1
    expected = np.where(count > 0, total / np.maximum(count, 1), 5)
    places = np.concatenate([starts[..., ::-1], (starts + size)[..., ::-1]], axis=-1).astype("float32")
    np.testing.assert_allclose(ops.convert_to_numpy(paste(crops, places, lengths, fill_value=5)), expected, atol=1e-5)
    # Boxes that are not whole by a hair go the other way, and end up the same.
    nearly = ops.convert_to_numpy(paste(crops, places + 1e-4, lengths, fill_value=5))
    np.testing.assert_allclose(nearly[..., 0][count[..., 0] > 0], expected[..., 0][count[..., 0] > 0], atol=5e-3)


@pytest.mark.parametrize("rank", LENGTHS)
def test_paste_undoes_sample_for_one_box(rank):
    """A crop of a plane, enlarged: what is pasted back is the plane."""
    grid = np.stack(np.meshgrid(*map(np.arange, LENGTHS[rank]), indexing="ij"), axis=-1).astype("float32")
    lengths = np.array(LENGTHS[rank])
    box = np.array([[*(lengths[::-1] * 0.2), *(lengths[::-1] * 0.9)]], "float32")
    crops = run(grid[None], box, tuple(4 * lengths))
    back = ops.convert_to_numpy(paste(crops[:, None], box[:, None], LENGTHS[rank], fill_value=-9.0))
    inside = tuple(slice(int(np.ceil(n * 0.2)) + 1, int(n * 0.9) - 1) for n in lengths)
    assert grid[inside].size
    np.testing.assert_allclose(back[0][inside], grid[inside], atol=0.02)
