import numpy as np
import pytest
from keras import ops
from keras.backend import standardize_dtype

from conftest import BACKEND, differentiable_gradient, gradient, jitted
from kerascrop import BoxCrop, theta_from_boxes
from kerascrop.checks import ArgumentError, BoxError, ShapeError, SizeError
from kerascrop.engine.sampling import sample

NUMPY_MODES = {"constant": "edge", "nearest": "edge", "reflect": "symmetric"}


def reference(image, box, size, fill_mode="constant", margin=40):
    """Bilinear sampling of one image as the definition reads, in float64, pixel by pixel; 5 is outside.

    Along an axis on which the box is inside the image nothing is outside: the edge's pixels go on there.
    """
    x1, y1, x2, y2 = box
    padded = image.astype("float64")
    for axis, (low, high) in enumerate([sorted((y1, y2)), sorted((x1, x2))]):
        margins = [(margin, margin) if i == axis else (0, 0) for i in range(3)]
        if fill_mode == "constant" and not 0 <= low <= high <= image.shape[axis]:
            padded = np.pad(padded, margins, constant_values=5)
        else:
            padded = np.pad(padded, margins, NUMPY_MODES[fill_mode])
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


@pytest.mark.parametrize("box", [[0, 0, 4, 4], [0.3, 0, 3.1, 4], [3, 3, 4, 4], [4, 1, 0, 3], [0, 0, 0, 4]])
@pytest.mark.parametrize("how", [{}, {"antialias": True}, {"interpolation": "bicubic"}, {"interpolation": "nearest"}])
@pytest.mark.parametrize("side", [1, 2, 9, 50])
def test_a_box_inside_the_image_shows_nothing_of_what_is_outside(box, how, side):
    ones = np.ones((1, 4, 4, 1), "float32")
    crops = run(ones, np.array([box], "float32"), (side, side), fill_value=-1e6, **how)
    np.testing.assert_allclose(crops, 1, atol=1e-5)


@pytest.mark.parametrize("length", [7, 640, 10_000])
@pytest.mark.parametrize("align_corners", [False, True])
def test_no_rounding_error_takes_a_sample_out_of_the_image(rng, length, align_corners):
    ones = np.ones((1, 1, length, 1), "float32")
    for box_format, whole in (("rel_xyxy", [0, 0, 1, 1]), ("grid", [-1, -1, 1, 1])):
        for n in rng.integers(1, 3 * length, size=6):
            layer = BoxCrop(1, int(n), box_format=box_format, align_corners=align_corners, fill_value=9)
            np.testing.assert_allclose(ops.convert_to_numpy(layer([ones, np.array([whole], "float32")])), 1, atol=1e-6)


def grid_sample(images, boxes, size, padding, interpolation, align_corners):
    """PyTorch's crops for boxes in `"grid"` format, and which of their samples are in the image."""
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    theta = torch.tensor(ops.convert_to_numpy(theta_from_boxes(boxes)))
    channels = images.shape[-1]
    grid = torch.nn.functional.affine_grid(theta, (len(images), channels, *size), align_corners=align_corners)
    crops = torch.nn.functional.grid_sample(
        torch.tensor(images.transpose(0, 3, 1, 2)), grid, interpolation, padding, align_corners
    )
    return crops.numpy().transpose(0, 2, 3, 1), (grid.abs() <= 1 + 1e-6).all(-1, keepdim=True).numpy()


@pytest.mark.parametrize("fill_mode", NUMPY_MODES)
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size, inside", [((20, 30), False), ((5, 7), True)])
def test_equal_to_pytorch(images, rng, fill_mode, interpolation, align_corners, size, inside):
    images = images / images.max()
    boxes = rng.uniform(-1, 1, size=(4, 4)).astype("float32")  # some are mirrored
    if not inside:  # along both axes
        boxes[:2, 2:] = rng.uniform(1, 1.7, size=(2, 2))
        boxes[2, :2] = rng.uniform(-1.7, -1, size=2)
        boxes[3] = [-3, -3, -2, -2]  # wholly
    layer = BoxCrop(
        *size, box_format="grid", fill_mode=fill_mode, interpolation=interpolation, align_corners=align_corners
    )
    padding = {"constant": "border" if inside or align_corners else "zeros", "nearest": "border"}.get(
        fill_mode, "reflection"
    )
    expected, seen = grid_sample(images, boxes, size, padding, interpolation, align_corners)
    if fill_mode == "constant" and align_corners:
        expected = np.where(seen, expected, 0)  # as in `tf.image.crop_and_resize()`: the next test
    np.testing.assert_allclose(ops.convert_to_numpy(layer([images, boxes])), expected, atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("size", [(5, 7), (1, 3), (20, 30)])
def test_align_corners_is_crop_and_resize(images, rng, size):
    import tensorflow as tf

    images = images / images.max()
    boxes = rng.uniform(-1, 2, size=(300, 4)).astype("float32")  # y1, x1, y2, x2: inside, outside, mirrored
    boxes[:100] = (boxes[:100] + 1) / 3
    boxes[-20:] += 3  # wholly outside
    indices = rng.integers(0, 4, size=300)
    for method in ("bilinear", "nearest") if size[0] != 1 else ("bilinear",):
        layer = BoxCrop(*size, box_format="rel_yxyx", align_corners=True, fill_value=0.5, interpolation=method)
        crops = layer([images, boxes, indices]).numpy()
        expected = tf.image.crop_and_resize(images, boxes, indices, size, method, extrapolation_value=0.5)
        np.testing.assert_allclose(crops, expected, atol=1e-5)


def test_box_indices_pair_boxes_with_any_image(images, rng):
    boxes = random_boxes(rng, 6, reach=0.3)
    indices = np.array([2, 2, 0, 3, 1, 0])
    for how in ({}, {"antialias": True}, {"interpolation": "nearest"}, {"interpolation": "bicubic"}):
        crops = run(images, boxes, (5, 7), box_indices=indices, **how)
        np.testing.assert_array_equal(crops, run(images[indices], boxes, (5, 7), **how))


def test_nearest_takes_the_pixel_that_holds_the_sample(rng):
    image = rng.integers(1, 9, size=(1, 9, 12, 1)).astype("uint8")
    box = np.array([[1.3, -2.2, 10.9, 8.4]], "float32")
    crops = run(image, box, (6, 5), interpolation="nearest", fill_value=9)
    rows, columns = -2.2 + (np.arange(6) + 0.5) * 10.6 / 6, 1.3 + (np.arange(5) + 0.5) * 9.6 / 5
    rows, columns = np.floor(rows).astype(int), np.floor(columns).astype(int)
    expected = np.where((rows >= 0)[:, None], image[0, np.maximum(rows, 0)][:, columns, 0], 9)
    np.testing.assert_array_equal(crops[0, ..., 0], expected)
    assert crops.dtype == np.uint8


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("antialias", [False, True])
def test_sequences_and_volumes_are_sampled_axis_by_axis(rng, rank, antialias):
    lengths, size = (9, 7, 11)[:rank], (4, 5, 3)[:rank]
    images = rng.normal(size=(2, *lengths, 2)).astype("float32")
    low = rng.uniform(0, 3, size=(2, rank))
    boxes = np.concatenate([low, low + 3.7], axis=1).astype("float32")  # x first
    crops = run(images, boxes, size, antialias=antialias, fill_mode="nearest")
    expected = images.astype("float64")
    for axis, n in enumerate(size):  # one axis at a time, as an image of one row
        moved = np.moveaxis(expected, axis + 1, 1)
        flat = moved.reshape(2, 1, lengths[axis], -1)
        x1, x2 = boxes[:, rank - 1 - axis], boxes[:, 2 * rank - 1 - axis]
        line = np.stack([x1, np.zeros(2), x2, np.ones(2)], axis=1)
        flat = run(flat, line, (1, n), antialias=antialias, fill_mode="nearest")
        expected = np.moveaxis(flat.reshape(2, n, *moved.shape[2:]), 1, axis + 1)
    np.testing.assert_allclose(crops, expected, atol=1e-5)



def triangle(start, stop, size, length):
    """The antialiased weights of one axis as the definition reads, `(size, length)` in float64."""
    step = (stop - start) / size
    centre = np.clip(start + (np.arange(size) + 0.5) * step, 0.5, length - 0.5)
    weights = np.maximum(0, 1 - np.abs(centre[:, None] - np.arange(length) - 0.5) / max(1, step))
    return weights / weights.sum(1, keepdims=True)


def test_antialias_agrees_with_the_definition(images, rng):
    images = images / images.max()
    boxes = random_boxes(rng, 4)
    crops = run(images, boxes, (2, 3), antialias=True, fill_mode="nearest")
    for image, crop, (x1, y1, x2, y2) in zip(images, crops, boxes.astype("float64")):
        expected = np.einsum("iy,jx,yxc->ijc", triangle(y1, y2, 2, 9), triangle(x1, x2, 3, 12), image)
        np.testing.assert_allclose(crop, expected, atol=1e-5)


def test_many_boxes_are_as_if_each_were_alone(images, rng):
    boxes = np.stack([random_boxes(rng, 4), random_boxes(rng, 4), random_boxes(rng, 4)], axis=1)
    crops = run(images, boxes, (5, 7))
    assert crops.shape == (4, 3, 5, 7, 3)
    for k in range(3):
        np.testing.assert_allclose(crops[:, k], run(images, boxes[:, k], (5, 7)), rtol=1e-6)
    assert run(images, boxes[:, :0], (5, 7)).shape == (4, 0, 5, 7, 3)
    assert run(images[:0], boxes[:0], (5, 7)).shape == (0, 3, 5, 7, 3)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "batch, how",
    [
        (0, {}),
        (None, {}),
        (None, {"antialias": True}),
        (None, {"interpolation": "bicubic"}),
        (None, {"interpolation": "nearest"}),
    ],
)
def test_a_graph_of_no_images_gives_no_crops(batch, how):
    import tensorflow as tf

    signature = [tf.TensorSpec((batch, 2, 3, 3)), tf.TensorSpec((batch, 4))]
    function = tf.function(lambda x, b: sample(x, b, (3, 1), **how), input_signature=signature)
    assert function(tf.zeros((0, 2, 3, 3)), tf.zeros((0, 4))).shape == (0, 3, 1, 3)


@pytest.mark.parametrize("length", [1, 2, 5])
def test_antialias_reflects_where_align_corners_says(rng, length):
    """Boxes no larger than their crops: antialiasing changes nothing, so NumPy's padding is the truth."""
    image = rng.normal(size=(1, 1, length, 1)).astype("float32")
    padded = np.pad(image[0, 0, :, 0], 9, "reflect")  # d c b | a b c d | c b a
    for start in (-7.0, -1.5, 0.25, 3.75):
        position = start + np.arange(4)  # counted from the first pixel's centre
        expected = np.interp(position + 9, np.arange(len(padded)), padded)
        box = np.array([[start, 0, start + 4, 1]], "float32")
        crops = run(image, box, (1, 4), antialias=True, fill_mode="reflect", align_corners=True)
        np.testing.assert_allclose(crops[0, 0, :, 0], expected, atol=1e-5)


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


def tensor(x):
    return ops.convert_to_tensor(x, "float64")


def numeric_gradient(function, boxes, step=1e-5):
    """By finite differences, in float64, of a function that gives each box a number, which depends on it alone."""
    function = jitted(function)
    slopes = np.zeros_like(boxes)
    for side in range(boxes.shape[-1]):
        change = step * np.eye(boxes.shape[-1])[side]
        ends = [ops.convert_to_numpy(function(tensor(boxes + s))) for s in (change, -change)]
        slopes[..., side] = (ends[0] - ends[1]) / (2 * step)
    return slopes


HOW = [{}, {"antialias": True}, {"interpolation": "bicubic"}, {"align_corners": True}]
# The second box reaches outside, the third is mirrored.
REAL_BOXES = np.array([[[0.63, 1.21, 5.37, 4.88]], [[-1.47, 0.38, 9.29, 7.71]], [[6.1, 0.7, 1.3, 5.2]]])


@pytest.mark.parametrize(
    "fill_mode, how",
    [
        *(("constant", how) for how in HOW),
        ("nearest", {}),
        *(("reflect", how) for how in HOW if "interpolation" not in how),
    ],
)
def test_gradients_agree_with_finite_differences_in_float64(rng, fill_mode, how):
    images = rng.normal(size=(3, 6, 7, 1))
    weights = tensor(rng.normal(size=(3, 1, 4, 5, 1)))

    def losses(images, boxes):
        crops = sample(images, boxes, (4, 5), fill_mode=fill_mode, fill_value=0.5, **how)
        return ops.sum(crops * weights, axis=(2, 3, 4))

    def of_boxes(boxes):
        return losses(tensor(images), boxes)

    def of_images(images):
        return ops.sum(losses(images, tensor(REAL_BOXES)))

    slopes = gradient(lambda boxes: ops.sum(of_boxes(boxes)), REAL_BOXES)
    np.testing.assert_allclose(slopes, numeric_gradient(of_boxes, REAL_BOXES), atol=1e-6)
    slopes = gradient(of_images, images)
    for _ in range(5):  # crops are linear in the images: a few directions tell
        way = rng.normal(size=images.shape)
        ends = [float(ops.convert_to_numpy(of_images(tensor(images + sign * way)))) for sign in (1, -1)]
        np.testing.assert_allclose((slopes * way).sum(), (ends[0] - ends[1]) / 2, atol=1e-6)


@pytest.mark.parametrize("how", HOW)
def test_the_second_derivative_to_the_box_agrees_with_finite_differences(rng, how):
    images = tensor(rng.normal(size=(3, 6, 7, 1)))
    weights = tensor(rng.normal(size=(3, 1, 4, 5, 1)))

    def loss(boxes):
        return ops.sum(sample(images, boxes, (4, 5), **how) * weights)

    def slopes(boxes):
        return ops.sum(differentiable_gradient(loss, boxes) * way, axis=-1)

    way = tensor(np.linspace(-1, 1, 12).reshape(3, 1, 4))
    found = gradient(lambda boxes: ops.sum(slopes(boxes)), REAL_BOXES)
    np.testing.assert_allclose(found, numeric_gradient(slopes, REAL_BOXES, step=1e-4), atol=1e-5, rtol=1e-5)


def test_gradient_reach_widens_the_gradient_and_leaves_the_crops(rng):
    # A bright pixel, three pixels to the right of a box of a single sample: only a wide kernel feels it.
    image = np.zeros((1, 1, 12, 1))
    image[0, 0, 8] = 1.0
    box = np.array([[4.3, 0.0, 6.3, 1.0]])

    def loss(boxes, **how):
        return ops.sum(sample(tensor(image), boxes, (1, 1), **how))

    assert (gradient(loss, box) == 0).all()
    slopes = gradient(lambda boxes: loss(boxes, gradient_reach=5), box)
    assert slopes[0, 0] > 0 and slopes[0, 2] > 0
    images = rng.normal(size=(4, 9, 12, 3)).astype("float32")
    boxes = random_boxes(rng, 4, reach=0.4)
    for how in ({}, {"antialias": True}):
        wide = run(images, boxes, (5, 7), gradient_reach=3, **how)
        np.testing.assert_allclose(wide, run(images, boxes, (5, 7), **how), rtol=0, atol=2e-6)  # compiled apart by JAX


def test_gradient_reach_leaves_the_nearest_pixels_their_dtype(rng):
    images = rng.integers(0, 256, size=(2, 9, 12, 3)).astype("uint8")
    box = np.array([[2, 1, 7, 5]], "float32").repeat(2, axis=0)
    crops = sample(images, box, (4, 5), interpolation="nearest", gradient_reach=3)
    assert standardize_dtype(crops.dtype) == "uint8"
    np.testing.assert_array_equal(ops.convert_to_numpy(crops), images[:, 1:5, 2:7])


def test_a_box_with_nan_gives_nan_and_poisons_no_other_image(images):
    boxes = np.array([[np.nan, 1, 5, 5], [1, 1, 5, 5], [0, 0, 1, np.inf], [1, 1, 1, 1]], "float32")
    for fill_mode in NUMPY_MODES:
        for how in HOW + [{"interpolation": "nearest"}]:
            crops = run(images, boxes, (4, 4), fill_mode=fill_mode, fill_value=3, **how)
            assert np.isnan(crops[0]).all() and np.isnan(crops[2]).all()
            np.testing.assert_array_equal(crops[1], images[1, 1:5, 1:5])
            assert np.isfinite(crops[3]).all()  # an empty box repeats one point
        whole = run(images.astype("int32"), boxes, (4, 4), interpolation="nearest", fill_mode=fill_mode, fill_value=3)
        assert (whole[[0, 2]] == 3).all() and (whole[1] == images[1, 1:5, 1:5]).all()


@pytest.mark.parametrize("how", [{}, {"antialias": True}, {"interpolation": "bicubic"}, {"interpolation": "nearest"}])
def test_a_box_with_nan_gives_nan_beside_the_image_too(images, how):
    boxes = np.array([[np.nan, 50, 5, 60], [1, -np.inf, 5, 5], [-9, 1, -3, np.nan], [20, np.nan, 30, 1]], "float32")
    assert np.isnan(run(images, boxes, (2, 3), **how)).all()
    exact = jitted(lambda boxes: sample(images, boxes, (2, 3), align_corners=True, **how))  # 0 * NaN, to a compiler
    assert np.isnan(ops.convert_to_numpy(exact(ops.convert_to_tensor(boxes)))).all()


FAR = [1e5, 7e7, 3e9, 1e12, 1e30]


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("fill_mode", ["constant", "nearest"])
@pytest.mark.parametrize("how", [{}, {"antialias": True}, {"interpolation": "bicubic"}, {"interpolation": "nearest"}])
def test_boxes_far_away_see_what_is_there(images, far, fill_mode, how):
    boxes = np.array([[far, 0, 2 * far, 9], [-2 * far, 0, -far, 9], [0, far, 12, far], [0, -far, 12, -far]], "float32")
    crops = run(images, boxes, (9, 5), fill_mode=fill_mode, fill_value=-7, **how)
    if fill_mode == "constant":
        assert (crops == -7).all()
    elif how in ({}, {"interpolation": "nearest"}):  # the others see more of the image
        np.testing.assert_array_equal(crops[0], images[0, :, -1:].repeat(5, 1))
        np.testing.assert_array_equal(crops[1], images[1, :, :1].repeat(5, 1))
        assert (crops[2] == crops[2, :1]).all() and crops[2].max() <= images[2, -1].max()
        assert (crops[3] == crops[3, :1]).all() and crops[3].min() >= images[3, 0].min()


@pytest.mark.parametrize("how", [{}, {"interpolation": "bicubic"}])
def test_a_sample_that_begins_to_see_the_image_has_a_slope(how):
    """Half a pixel outside of it, where its weight is 0 and grows to the right: linearly, or as Keys' cubic does."""
    image, box = np.full((1, 1, 4, 1), 3.0), np.array([[-1.0, 0, 0, 1]])
    slope = {"bicubic": 0.75}.get(how.get("interpolation"), 1.0) * 3 / 2  # each side moves the sample half as far

    def loss(boxes):
        return ops.sum(sample(tensor(image), boxes, (1, 1), **how))

    np.testing.assert_allclose(gradient(loss, box)[0, [0, 2]], [slope, slope], atol=1e-6)


def test_a_wide_box_has_its_gradient_where_it_sees_the_image():
    image = np.arange(8.0).reshape(1, 1, 8, 1)
    box = np.array([[3.3 - 2.0**31, 0, 3.3 + 2.0**31, 1]])  # a single sample, at 3.3

    def loss(boxes):
        return ops.sum(sample(tensor(image), boxes, (1, 1)))

    np.testing.assert_allclose(gradient(loss, box), [[0.5, 0, 0.5, 0]], atol=1e-6)


def test_half_precision_boxes_are_those_numbers_in_single(images):
    boxes = np.array([[1.2, 0.7, 9.9, 8.1], [-60000, 0, 60000, 9]], "float16")
    for how in HOW:
        expected = run(images[:2], boxes.astype("float32"), (5, 7), **how)
        np.testing.assert_array_equal(run(images[:2], boxes, (5, 7), **how), expected)


def test_coordinates_stay_exact_for_half_precision_images(rng):
    images = rng.uniform(size=(1, 2, 4000, 1)).astype("float16")
    crops = run(images, np.array([[3001, 0, 3009, 2]], "float32"), (2, 8))
    assert crops.dtype == np.float16
    np.testing.assert_array_equal(crops, images[:, :, 3001:3009])


@pytest.mark.parametrize("dtype, bound", [("float16", 2e-3), ("bfloat16", 2e-2)])
def test_half_precision_images_are_off_by_their_own_rounding_only(rng, dtype, bound):
    images = rng.uniform(size=(2, 5, 4000, 1)).astype("float32")
    boxes = np.array([[3000.3, 0.2, 3801.7, 4.9], [17.9, 1.0, 3999.1, 3.0]], "float32")
    for antialias in (False, True):
        crops = sample(ops.cast(images, dtype), boxes, (3, 100), antialias=antialias)
        assert standardize_dtype(crops.dtype) == dtype
        exact = run(images, boxes, (3, 100), antialias=antialias)
        np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(crops, "float32")), exact, atol=bound)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "uint32", "int64"])
def test_integer_images_give_floating_point_numbers_that_hold_them(images, dtype):
    x = images.astype(dtype) % np.iinfo(dtype).max
    x[:, 2, 2] = np.iinfo(dtype).max >> (10 if dtype == "int64" else 0)
    crops = run(x, np.array([[1, 1, 5, 5]] * 4), (4, 4))
    assert crops.dtype == (np.float64 if dtype[-2:] in ("32", "64") else np.float32)
    np.testing.assert_array_equal(crops, x[:, 1:5, 1:5])


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
    with pytest.raises(ArgumentError, match="`interpolation` must be one of 'bilinear'"):
        sample(images, boxes, (4, 4), interpolation="lanczos")
    with pytest.raises(ArgumentError, match="`antialias` goes with interpolation='bilinear'"):
        sample(images, boxes, (4, 4), antialias=True, interpolation="bicubic")
    with pytest.raises(ArgumentError, match="`gradient_reach` must be at least 1 pixel, not 0.5"):
        sample(images, boxes, (4, 4), gradient_reach=0.5)
    with pytest.raises(ArgumentError, match="`align_corners` must be True or False"):
        sample(images, boxes, (4, 4), align_corners="yes")


@pytest.mark.parametrize("shape", [(4,), (4, 3), (3, 4), (1, 4), (3, 2, 4), (4, 1, 1, 4)])
def test_boxes_that_do_not_fit_the_images_are_errors(images, shape):
    with pytest.raises(BoxError, match="`boxes` must have shape \\(4, 4\\) or \\(4, n, 4\\), not"):
        sample(images, np.zeros(shape, "float32"), (5, 7))


def test_images_and_sizes_of_the_wrong_kind_are_errors(images):
    boxes = np.zeros((4, 4), "float32")
    for size in (5, (), (5, 6, 7, 8), "ab", None):
        with pytest.raises(SizeError, match="must be"):
            sample(images, boxes, size)
    with pytest.raises(SizeError, match="would make crops of shape .* 1.2e\\+13 numbers"):
        sample(images, boxes, (10**6, 10**6))
    with pytest.raises(ShapeError, match="`images` must have shape \\(batch, height, width, channels\\)"):
        sample(images[0], boxes, (5, 7))
    with pytest.raises(ShapeError, match="with at least one pixel, not \\(4, 0, 12, 3\\)"):
        sample(images[:, :0], boxes, (5, 7))
    with pytest.raises(ArgumentError, match="`boxes` must be an array or a tensor, not None"):
        sample(images, None, (5, 7))


def test_box_indices_must_name_an_image_for_each_box(images):
    boxes = np.zeros((2, 4), "float32")
    with pytest.raises(BoxError, match="must be from 0 to 3, as there are 4 images, not 4"):
        sample(images, boxes, (5, 7), box_indices=[0, 4])
    with pytest.raises(BoxError, match="must be from 0 to 3, as there are 4 images, not -1"):
        sample(images, boxes, (5, 7), box_indices=[-1, 0])
    for wrong in ([0], [[0, 1]], [0.0, 1.0]):
        with pytest.raises(BoxError, match="must be whole numbers of shape \\(2,\\), one for each box"):
            sample(images, boxes, (5, 7), box_indices=wrong)
    with pytest.raises(BoxError, match="`boxes` must have shape \\(n, 4\\)"):
        sample(images, boxes[:, None], (5, 7), box_indices=[0, 1])
