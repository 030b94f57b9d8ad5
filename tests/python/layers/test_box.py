import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import BoxCrop
from kerascrop.checks import ArgumentError, BoxError
from kerascrop.geometry import BOX_FORMATS, convert_boxes


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_whole_pixel_box_is_the_slice(rng, data_format):
    for _ in range(40):
        height, width = rng.integers(1, 40, size=2)
        y1, x1 = rng.integers(0, height), rng.integers(0, width)
        y2, x2 = rng.integers(y1 + 1, height + 1), rng.integers(x1 + 1, width + 1)
        images = rng.normal(size=(2, height, width, 3)).astype("float32")
        expected = images[:, y1:y2, x1:x2]
        if data_format == "channels_first":
            images, expected = images.transpose(0, 3, 1, 2), expected.transpose(0, 3, 1, 2)
        layer = BoxCrop(y2 - y1, x2 - x1, data_format=data_format)
        crops = layer([images, np.array([[x1, y1, x2, y2]] * 2)])
        np.testing.assert_array_equal(ops.convert_to_numpy(crops), expected)


@pytest.mark.parametrize("box_format", BOX_FORMATS)
def test_the_format_of_the_boxes_does_not_matter(images, box_format):
    boxes = np.array([[1, 2, 9, 7], [0.5, 0, 12, 9], [3.3, 1.1, 4.5, 8.0], [-2, -1, 5, 5]], "float32")
    converted = convert_boxes(ops.convert_to_tensor(boxes), "xyxy", box_format, 9, 12)
    expected, kept = BoxCrop(5, 6, return_boxes=True)([images, boxes])
    crops, back = BoxCrop(5, 6, box_format=box_format, return_boxes=True)([images, converted])
    np.testing.assert_allclose(ops.convert_to_numpy(crops), ops.convert_to_numpy(expected), rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(ops.convert_to_numpy(back), ops.convert_to_numpy(kept), atol=1e-4)


def test_several_boxes_per_image_keep_their_order(images):
    boxes = np.array([[[0, 0, 3, 2], [4, 5, 7, 7]]] * 4)
    crops = ops.convert_to_numpy(BoxCrop(2, 3)([images, boxes]))
    np.testing.assert_array_equal(crops[:, 0], images[:, 0:2, 0:3])
    np.testing.assert_array_equal(crops[:, 1], images[:, 5:7, 4:7])


def test_options_reach_the_sampler(images):
    outside = np.array([[-9, -9, -3, -3]] * 4)
    np.testing.assert_array_equal(ops.convert_to_numpy(BoxCrop(2, 2, fill_value=3)([images, outside])), 3)
    nearest = BoxCrop(2, 2, fill_mode="nearest")([images, outside])
    np.testing.assert_array_equal(ops.convert_to_numpy(nearest)[:, 0, 0], images[:, 0, 0])
    whole = np.array([[0, 0, 12, 9]] * 4)
    corner = np.zeros_like(images)
    corner[:, 0, 0] = 1  # far from the centre, where the nearest four are
    plain, smooth = (BoxCrop(1, 1, antialias=antialias)([corner, whole]) for antialias in (False, True))
    assert (ops.convert_to_numpy(plain) == 0).all() and (ops.convert_to_numpy(smooth) > 0).all()


def test_boxes_in_half_precision_are_converted_in_single(images):
    boxes = np.array([[0.7505, 0, 1, 1]] * 4, "float16")
    _, back = BoxCrop(2, 2, box_format="rel_xyxy", return_boxes=True)([np.zeros((4, 2, 3000, 1)), boxes])
    np.testing.assert_allclose(ops.convert_to_numpy(back)[0, 0], 3000 * float(boxes[0, 0]), rtol=1e-6)


@pytest.mark.parametrize(
    "boxes, images, message",
    [
        ((4, 5), (4, 9, 12, 3), r"boxes of shape \(batch, 4\)"),
        ((4,), (4, 9, 12, 3), r"boxes of shape \(batch, 4\)"),
        ((4, 2, 3, 4), (4, 9, 12, 3), r"boxes of shape \(batch, 4\)"),
        ((1, 2, 4), (9, 12, 3), r"boxes of shape \(4,\)"),
        ((3, 4), (4, 9, 12, 3), "4 images, but boxes for 3"),
    ],
)
def test_boxes_that_do_not_fit_their_images_are_errors(boxes, images, message):
    with pytest.raises(BoxError, match=message):
        BoxCrop(2, 2)([np.zeros(images), np.zeros(boxes)])


def test_wrong_inputs_are_errors(images):
    with pytest.raises(ArgumentError, match="takes a list of images, boxes and perhaps box indices"):
        BoxCrop(2, 2)(images)
    with pytest.raises(BoxError, match=r"boxes of shape \(batch, 4\)"):
        BoxCrop(2, 2)([keras.Input((9, 12, 3)), keras.Input((5,))])
    with pytest.raises(BoxError, match="`box_format` must be one of"):
        BoxCrop(2, 2, box_format="coco")


@pytest.mark.parametrize("boxes", [(1, 2, 7, 6), np.array([[1, 2, 7, 6], [0, 0, 6, 4], [2, 3, 8, 7]])])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_constant_boxes_are_slices_of_every_image(boxes, data_format, images, tmp_path):
    last = data_format == "channels_last"
    slices = [images[:, y1:y2, x1:x2] for x1, y1, x2, y2 in np.reshape(boxes, (-1, 4))]
    expected = slices[0] if np.ndim(boxes) == 1 else np.stack(slices, 1)
    expected = expected if last else np.moveaxis(expected, -1, -3)
    x = images if last else np.moveaxis(images, -1, 1)
    layer = BoxCrop(4, 6, boxes=boxes, data_format=data_format, return_boxes=True)
    crops, used = layer(x)
    np.testing.assert_allclose(crops, expected, atol=1e-4)
    np.testing.assert_array_equal(used, np.broadcast_to(boxes, (4, *np.shape(boxes))))
    np.testing.assert_allclose(layer(x[0])[0], expected[0], atol=1e-4)
    np.testing.assert_allclose(layer({"images": x})[0]["images"], expected, atol=1e-4)
    symbol = keras.Input(x.shape[1:])
    model = keras.Model(symbol, layer(symbol)[0])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, atol=1e-4)
    assert loaded.layers[-1].get_config() == layer.get_config()


def test_constant_boxes_have_a_format_and_are_checked(images):
    relative = BoxCrop(3, 4, box_format="rel_xyxy", boxes=(0.25, 0, 0.5, 1))
    absolute = BoxCrop(3, 4, boxes=(3, 0, 6, 9))
    np.testing.assert_allclose(relative(images), absolute(images), rtol=1e-5)
    for boxes in ((1, 2, 3), np.zeros((2, 2, 4)), (0, 0, float("nan"), 1), np.zeros((0, 4)), "a"):
        with pytest.raises(ValueError, match="`boxes`"):
            BoxCrop(3, 4, boxes=boxes)
    for given in ([images, np.zeros((4, 4))], {"images": images, "boxes": np.zeros((4, 4))}):
        with pytest.raises(ArgumentError, match="has `boxes` of its own"):
            absolute(given)
