import keras
import numpy as np
import pytest
from keras import ops

from conftest import BACKEND, gradient, jitted
from kerascrop import BorderCrop, BoxCrop, CenterCrop, MultiCrop, RandomCrop, Uncrop, convert_boxes
from kerascrop.checks import ArgumentError, BoxError, ShapeError, SizeError

FORMATS = pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
CROPS = {
    "center": lambda **kwargs: CenterCrop(4, 5, **kwargs),
    "border": lambda **kwargs: BorderCrop(((1, 2), (3, 0)), **kwargs),
    "larger": lambda **kwargs: BorderCrop(((-2, 1), (1, -3)), fill_value=9, **kwargs),
    "random": lambda **kwargs: RandomCrop(4, 5, seed=1, **kwargs),
    "pad": lambda **kwargs: RandomCrop(11, 5, seed=1, if_smaller="pad", **kwargs),
    "five": lambda **kwargs: MultiCrop(4, 5, **kwargs),
    "ten": lambda **kwargs: MultiCrop(4, 5, "ten", **kwargs),
    "grid": lambda **kwargs: MultiCrop(4, 5, "grid", **kwargs),
    "overlapping": lambda **kwargs: MultiCrop(4, 5, "grid", (2, 1), **kwargs),
}


def run(layer, inputs, **kwargs):
    return keras.tree.map_structure(ops.convert_to_numpy, layer(inputs, **kwargs))


def covered(boxes, shape):
    """Which pixels of each image lie in a whole-pixel box, painted with NumPy."""
    canvas = np.zeros(shape[:3], bool)
    for image, its in zip(canvas, boxes.reshape(len(canvas), -1, 4).astype(int)):
        for x1, y1, x2, y2 in its:
            image[max(y1, 0) : max(y2, 0), max(min(x1, x2), 0) : max(x1, x2, 0)] = True
    return canvas[..., None]


@FORMATS
@pytest.mark.parametrize("name", CROPS)
def test_crops_of_whole_pixels_go_back_to_where_they_were(name, images, data_format):
    images = images / images.max()
    x = images if data_format == "channels_last" else images.transpose(0, 3, 1, 2)
    crops, boxes = run(CROPS[name](data_format=data_format, return_boxes=True), x, training=True)
    uncrop = Uncrop(9, 12, fill_value=7, data_format=data_format)
    back = run(uncrop, [crops, boxes])
    assert back.dtype == np.float32 and uncrop.compute_output_shape([crops.shape, boxes.shape]) == back.shape == x.shape
    back = back if data_format == "channels_last" else back.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(back, np.where(covered(boxes, images.shape), images, 7), atol=1e-6)
    if boxes.ndim == 2:  # one crop of one image; several would be a batch
        one = run(uncrop, [crops[0], boxes[0]])
        one = one if data_format == "channels_last" else one.transpose(1, 2, 0)
        np.testing.assert_allclose(one, back[0], atol=1e-6)


def test_where_crops_overlap_their_mean_counts():
    crops = np.array([1.0, 5.0, 9.0], "float32").reshape(1, 3, 1, 1, 1) * np.ones((1, 3, 2, 2, 1), "float32")
    boxes = np.array([[[0, 0, 2, 2], [1, 1, 3, 3], [1, 1, 3, 3]]], "float32")
    np.testing.assert_allclose(run(Uncrop(3, 4), [crops, boxes])[0, ..., 0], [[1, 1, 0, 0], [1, 5, 7, 0], [0, 7, 7, 0]])


@pytest.mark.parametrize("box_format", ["xyxy", "rel_yxyx", "center_xywh", "grid"])
def test_the_format_of_the_boxes_does_not_matter(box_format, images):
    crops, boxes = run(CROPS["grid"](return_boxes=True), images)
    converted = convert_boxes(boxes, "xyxy", box_format, 9, 12)
    back = run(Uncrop(9, 12, box_format=box_format), [crops, converted])
    np.testing.assert_allclose(back, images, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float64"])
def test_the_type_stays_and_integers_are_rounded(dtype):
    if BACKEND == "jax" and dtype == "float64":
        pytest.skip("JAX has float64 only when asked")
    crops = np.array([3, 4, 4], dtype).reshape(1, 3, 1, 1, 1)
    boxes = np.array([[[0, 0, 1, 1]] * 3], "float32")
    back = run(Uncrop(1, 2, fill_value=2), [ops.convert_to_tensor(crops), boxes])
    assert back.dtype == dtype
    np.testing.assert_allclose(back[0, 0, :, 0], [4 if "int" in dtype else 11 / 3, 2], rtol=1e-3)


def smooth(height, width):
    y, x = np.mgrid[:height, :width]
    return (np.sin(x / 9) + np.cos(y / 7))[None, ..., None].astype("float32")


@pytest.mark.parametrize("box", [[4, 6, 36, 30], [36, 6, 4, 30], [4.5, 6.25, 35.75, 29.5]])
@pytest.mark.parametrize("scale", [2, 0.5])
def test_resampled_crops_of_a_smooth_image_go_back(box, scale):
    image, boxes = smooth(40, 48), np.array([box], "float32")
    crops = run(BoxCrop(round(24 * scale), round(32 * scale), antialias=True), [image, boxes])
    back = run(Uncrop(40, 48, fill_value=5), [crops, boxes])
    np.testing.assert_allclose(back[:, 8:28, 7:33], image[:, 8:28, 7:33], atol=0.03)
    for outside in (back[:, :6], back[:, 30:], back[:, :, :4], back[:, :, 36:]):
        assert (outside == 5).all()


def test_parts_of_pixels_count_by_their_area():
    crops = np.full((1, 2, 2, 1), 8, "float32")
    back = run(Uncrop(3, 4, fill_value=0), [crops, np.array([[0.5, 0, 2.25, 2]], "float32")])
    np.testing.assert_allclose(back[0, ..., 0], [[4, 8, 2, 0], [4, 8, 2, 0], [0, 0, 0, 0]], atol=1e-5)


def test_a_large_image_is_predicted_in_tiles(rng):
    """A network that is the identity, between MultiCrop and Uncrop: the image comes out as it went in."""
    image = rng.normal(size=(1, 300, 417, 3)).astype("float32")
    x = keras.Input((300, 417, 3))
    tiles, boxes = MultiCrop(64, 80, "grid", stride=(50, 80), return_boxes=True)(x)
    identity = keras.layers.Conv2D(3, 3, padding="same", use_bias=False, data_format="channels_last")
    predicted = identity(ops.reshape(tiles, (-1, 64, 80, 3)))
    predicted = ops.reshape(predicted, (-1, *tiles.shape[1:]))
    model = keras.Model(x, Uncrop(300, 417)([predicted, boxes]))
    kernel = np.zeros((3, 3, 3, 3), "float32")
    kernel[1, 1] = np.eye(3)
    identity.set_weights([kernel])
    assert model.output_shape == (None, 300, 417, 3)
    np.testing.assert_allclose(model.predict(image, verbose=0), image, atol=1e-6)


@pytest.mark.parametrize("whole", [True, False])
def test_gradients_agree_with_finite_differences(whole, rng):
    crops = rng.normal(size=(1, 2, 2, 3, 1))
    boxes = np.array([[[0, 1, 3, 3], [1, 0, 4, 2]]], "float32") + (0 if whole else 0.375)
    weights = ops.convert_to_tensor(rng.normal(size=(1, 4, 5, 1)), "float64")

    def loss(x):
        return ops.sum(Uncrop(4, 5, dtype="float64")([x, boxes]) * weights)

    analytic, loss = gradient(loss, crops), jitted(loss)
    numeric = np.zeros_like(crops)
    for index in np.ndindex(crops.shape):
        step = np.zeros_like(crops)
        step[index] = 1  # the loss is linear, and PyTorch's `segment_sum()` computes in float32
        ends = [float(ops.convert_to_numpy(loss(ops.convert_to_tensor(crops + s, "float64")))) for s in (step, -step)]
        numeric[index] = (ends[0] - ends[1]) / 2
    np.testing.assert_allclose(analytic, numeric, atol=1e-6)


NOWHERE = [[np.nan] * 4, [3, 2, np.nan, 6], [3, 2, np.inf, 6], [3, 2, 3, 6], [1e9] * 4, [1e30] * 4]


@pytest.mark.parametrize("bad", NOWHERE)
@pytest.mark.parametrize("adjoint", [False, True])
def test_boxes_that_are_not_finite_or_not_in_the_image_are_left_out(images, bad, adjoint):
    crops, boxes = run(CROPS["five"](return_boxes=True), images)
    if not adjoint:
        expected = run(Uncrop(9, 12, fill_value=7), [crops[:, 1:], boxes[:, 1:]])
        boxes[:, 0] = bad
        np.testing.assert_allclose(run(Uncrop(9, 12, fill_value=7), [crops, boxes]), expected, rtol=1e-5)
    elif bad != [3, 2, 3, 6]:  # of no width, but all of its samples are at a place
        expected = run(Uncrop(9, 12, adjoint=True), [crops[:, 1:], boxes[:, 1:]])
        boxes[:, 0] = bad
        np.testing.assert_allclose(run(Uncrop(9, 12, adjoint=True), [crops, boxes]), expected, rtol=1e-5)


def test_no_crops_and_no_images():
    for batch, boxes in ((2, 0), (0, 2)):
        nothing = [np.zeros((batch, boxes, 5, 5, 1), "float32"), np.zeros((batch, boxes, 4), "float32")]
        np.testing.assert_array_equal(run(Uncrop(3, 4, fill_value=2), nothing), np.full((batch, 3, 4, 1), 2))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_a_compiled_model_that_is_saved(jit_compile, images, tmp_path):
    if BACKEND == "torch" and jit_compile:
        pytest.skip("PyTorch is not compiled here")
    images = images / images.max()
    x = keras.Input((9, 12, 3))
    crops, boxes = MultiCrop(4, 5, "ten", return_boxes=True)(x)
    moved = [crops, boxes], [crops, boxes + 0.25]
    model = keras.Model(x, [Uncrop(9, 12)(pair) for pair in moved])
    model.compile("sgd", "mse", jit_compile=jit_compile)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected = [ops.convert_to_numpy(part) for part in model(images)]
    for got in (model.predict(images, verbose=0), again.predict(images, verbose=0)):
        for one, other in zip(got, expected):
            np.testing.assert_allclose(one, other, atol=1e-5)
    layer = Uncrop(9, 12, "rel_xyxy", 3, "channels_first", name="back")
    assert Uncrop.from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.tensorflow
def test_images_of_unknown_size(images):
    import tensorflow as tf

    crop, uncrop = MultiCrop(4, 5, "grid", return_boxes=True), Uncrop(9, 12)
    graph = tf.function(lambda x: uncrop(crop(x)), input_signature=[tf.TensorSpec((None, None, None, 3))])
    np.testing.assert_allclose(graph(images), images, rtol=1e-6)


def test_wrong_inputs_are_errors(images):
    with pytest.raises(ArgumentError, match="takes a list of two: crops and their boxes"):
        Uncrop(9, 12)(images)
    with pytest.raises(ShapeError, match="takes crops"):
        Uncrop(9, 12)([images[0, 0], np.zeros((9, 4), "float32")])
    for boxes in (np.zeros((3, 4)), np.zeros((4, 5)), np.zeros((4, 2, 4))):
        with pytest.raises(BoxError, match=r"needs a box for each crop: with crops \(4, 9, 12, 3\), boxes \(4, 4\)"):
            Uncrop(9, 12)([images, boxes.astype("float32")])
    with pytest.raises(SizeError, match="`height`"):
        Uncrop(0, 12)
    with pytest.raises(BoxError, match="`box_format` must be one of"):
        Uncrop(9, 12, "coco")
    with pytest.raises(ArgumentError, match="`fill_value` must be a whole number from 0 to 255"):
        Uncrop(9, 12, fill_value=-1)([images.astype("uint8"), np.zeros((4, 4), "float32")])


def test_adjoint_is_the_transpose_of_box_crop(rng):
    images, crops = rng.normal(size=(2, 9, 12, 3)).astype("float32"), rng.normal(size=(2, 4, 5, 7, 3)).astype("float32")
    boxes = (rng.uniform(-3, 9, size=(2, 4, 2, 2)).cumsum(axis=2)).reshape(2, 4, 4).astype("float32")
    forward = ops.convert_to_numpy(BoxCrop(5, 7)([images, boxes]))
    back = ops.convert_to_numpy(Uncrop(9, 12, adjoint=True)([crops, boxes]))
    np.testing.assert_allclose((forward * crops).sum(), (images * back).sum(), rtol=1e-4)
    with pytest.raises(ArgumentError, match="`fill_value` must be 0, not 1"):
        Uncrop(9, 12, fill_value=1, adjoint=True)
