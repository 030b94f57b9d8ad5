"""What windows show outside of the images, and where images are among the pixels that are added."""

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop
from conftest import BACKEND
from kerascrop.checks import ArgumentError, SizeError

NUMPY = {"constant": "constant", "nearest": "edge", "reflect": "symmetric", "mirror": "reflect"}
modes = pytest.mark.parametrize("mode", NUMPY)


def array(x):
    return ops.convert_to_numpy(x)


def padded(x, margins, mode, fill_value=0):
    options = {"constant_values": fill_value} if mode == "constant" else {}
    return np.pad(x, ((0, 0), *margins, (0, 0)), NUMPY[mode], **options)


@modes
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_new_pixels_are_those_of_numpy(mode, dtype, images):
    images, fill = images.astype(dtype), {"fill_mode": mode, "fill_value": 7}
    cases = [
        (kerascrop.BorderCrop(((-3, 1), (-4, -2)), **fill), padded(images, ((3, 0), (4, 2)), mode, 7)[:, :-1]),
        (kerascrop.CenterCrop(14, 5, if_smaller="pad", **fill), padded(images[:, :, 3:8], ((2, 3), (0, 0)), mode, 7)),
        (
            kerascrop.WindowCrop((5, 12), (-14, -3), if_smaller="pad", **fill),
            padded(images, ((0, 3), (2, 0)), mode, 7)[:, 5:, :-3],
        ),
        (
            kerascrop.MultiCrop(11, 12, "grid", if_smaller="pad", **fill),
            padded(images, ((1, 1), (0, 0)), mode, 7)[:, None],
        ),
    ]
    for layer, expected in cases:
        crops = layer(ops.convert_to_tensor(images))
        assert keras.backend.standardize_dtype(crops.dtype) == dtype
        np.testing.assert_array_equal(array(crops), expected)


@modes
def test_borders_wider_than_the_image_and_windows_anywhere(mode, rng):
    x = rng.integers(0, 9, size=(2, 3, 4, 1))
    expected = padded(x, ((7, 8), (9, 6)), mode, 5)
    crops = kerascrop.BorderCrop(((-7, -8), (-9, -6)), fill_mode=mode, fill_value=5)(x)
    np.testing.assert_array_equal(array(crops), expected)
    choice = kerascrop.Windows((np.array([-7, 1]), -9), (15, 19), 5, fill_mode=mode)
    rolled = [expected[0, :15], padded(x, ((7, 16), (9, 6)), mode, 5)[1, 8:23]]
    np.testing.assert_array_equal(array(choice.cut(x)), rolled)


@pytest.mark.tensorflow
@modes
@pytest.mark.parametrize("jit_compile", [False, True])
def test_sizes_that_only_the_graph_knows(mode, jit_compile, images):
    import tensorflow as tf

    layer = kerascrop.CenterCrop(14, 5, if_smaller="pad", fill_mode=mode, pad_position=("end", "start"))
    crop = tf.function(layer, [tf.TensorSpec((None, None, None, 3))], jit_compile=jit_compile)
    np.testing.assert_array_equal(crop(images), padded(images[:, :, 3:8], ((5, 0), (0, 0)), mode))


@modes
def test_both_layouts_masks_boxes_and_points(mode, images):
    data = {
        "images": images.transpose(0, 3, 1, 2),
        "segmentation_masks": images[..., 0].astype("int32"),
        "keypoints": np.array([[[0.0, 0]]] * 4),
    }
    layer = kerascrop.BorderCrop(
        ((-2, 0), (-3, -1)), 7, "channels_first", fill_mode=mode, mask_fill_value=255
    )
    crops = layer(data)
    expected = padded(images, ((2, 0), (3, 1)), mode, 7).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(array(crops["images"]), expected)
    masks = padded(data["segmentation_masks"][..., None], ((2, 0), (3, 1)), mode, 255)[..., 0]
    np.testing.assert_array_equal(array(crops["segmentation_masks"]), masks)
    np.testing.assert_array_equal(array(crops["keypoints"]), [[[3, 2]]] * 4)


# Where 9 x 12 is in 12 x 14, as the pad_position of Albumentations' PadIfNeeded, and the methods of MONAI's SpatialPad.
POSITIONS = {
    "center": ((1, 2), (1, 1)),
    "start": ((0, 3), (0, 2)),  # top_left; method="end"
    "end": ((3, 0), (2, 0)),  # bottom_right
    ("start", "end"): ((0, 3), (2, 0)),  # top_right
    ("end", "start"): ((3, 0), (0, 2)),  # bottom_left
}


@pytest.mark.parametrize("position", POSITIONS)
def test_images_are_where_the_position_says(position, images):
    arguments = dict(if_smaller="pad", pad_position=position, fill_value=7, return_boxes=True)
    expected = padded(images, POSITIONS[position], "constant", 7)
    for layer in (kerascrop.CenterCrop, kerascrop.RandomCrop):
        crops, boxes = layer(12, 14, **arguments)(images, training=True)
        np.testing.assert_array_equal(array(crops), expected)
        (top, bottom), (left, right) = POSITIONS[position]
        np.testing.assert_array_equal(array(boxes), [[-left, -top, 12 + right, 9 + bottom]] * 4)


@pytest.mark.parametrize("per_image", [True, False])
def test_random_positions_are_all_there_are(per_image):
    x = np.ones((60, 3, 4, 1), "float32")
    layer = kerascrop.RandomCrop(
        5, 4, 1, if_smaller="pad", pad_position="random", per_image=per_image, return_boxes=True
    )
    tops = []
    for _ in range(1 if per_image else 20):
        crops, boxes = map(array, layer(x, training=True))
        np.testing.assert_array_equal(crops.sum(axis=(1, 2, 3)), 12)
        assert (boxes[:, [0, 2]] == [0, 4]).all() and (boxes[:, 3] - boxes[:, 1] == 5).all()
        assert per_image or len(np.unique(boxes[:, 1])) == 1
        tops.extend(boxes[:, 1])
    assert set(tops) == {-2, -1, 0}
    np.testing.assert_array_equal(array(layer(x)[1]), [[0, -1, 4, 4]] * 60)  # the middle


@modes
def test_random_pad_is_cifars_pad_and_crop(mode):
    """As torchvision's `RandomCrop(size, padding=2, padding_mode=...)`: all places in the padded image, alike."""
    x = np.arange(1, 31, dtype="float32").reshape(1, 5, 6, 1).repeat(400, axis=0)
    layer = kerascrop.RandomCrop(5, 6, 1, random_pad=2, fill_mode=mode, fill_value=-1, return_boxes=True)
    crops, boxes = map(array, layer(x, training=True))
    around = padded(x, ((2, 2), (2, 2)), mode, -1)
    tops, lefts = boxes[:, 1].astype(int), boxes[:, 0].astype(int)
    for i in range(40):
        np.testing.assert_array_equal(crops[i], around[i, tops[i] + 2 :, lefts[i] + 2 :][:5, :6])
    counts = np.histogram2d(tops, lefts, bins=5, range=((-2.5, 2.5), (-2.5, 2.5)))[0]
    assert counts.min() > 2 and abs(counts.sum(axis=0) - 80).max() < 40  # 400 draws of 25 places
    np.testing.assert_array_equal(array(layer(x)[0]), x)


def test_random_pad_where_images_are_padded_too_and_with_a_focus():
    x = np.zeros((50, 4, 9, 1), "float32")
    x[:, 1, 5] = 1
    data = {"images": x, "segmentation_masks": (x[..., 0] > 0).astype("int32")}
    layer = kerascrop.RandomCrop(6, 3, 1, if_smaller="pad", random_pad=2, focus="foreground", return_boxes=True)
    crops, boxes = layer(data, training=True)
    np.testing.assert_array_equal(array(crops["images"]).sum(axis=(1, 2, 3)), 1)
    np.testing.assert_array_equal(np.unique(array(boxes)[:, 1]), [-3, -2, -1, 0, 1])


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: kerascrop.CenterCrop(4, 4, fill_mode="wrap"), "`fill_mode` must be one of 'constant'"),
        (lambda: kerascrop.BorderCrop(1, fill_mode=None), "`fill_mode` must be one of"),
        (lambda: kerascrop.CenterCrop(4, 4, if_smaller="pad", pad_position="random"), "`pad_position` must be one of"),
        (lambda: kerascrop.CenterCrop(4, 4, if_smaller="pad", pad_position=("end",)), "`pad_position` must be one of"),
        (lambda: kerascrop.CenterCrop(4, 4, pad_position="end"), "`pad_position` goes with if_smaller='pad'"),
        (lambda: kerascrop.RandomCrop(4, 4, random_pad=1, if_smaller="resize"), "`random_pad` does not go with"),
        (lambda: kerascrop.MultiCrop(4, 4, mask_fill_value="white"), "`mask_fill_value` must be a finite number"),
    ],
)
def test_what_does_not_go_is_an_error(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_numbers_that_do_not_fit(images):
    with pytest.raises(SizeError, match="`random_pad` must be a whole number, at least 0"):
        kerascrop.RandomCrop(4, 4, random_pad=-1)
    masks = images[..., 0].astype("uint8")
    with pytest.raises(ArgumentError, match="must be a whole number from 0 to 255"):
        kerascrop.BorderCrop(-1, mask_fill_value=-1)({"images": images, "segmentation_masks": masks})


@pytest.mark.skipif(BACKEND == "torch", reason="XLA")
def test_a_model_that_pads_at_random_trains_is_saved_and_goes_on(images, tmp_path):
    crop = kerascrop.RandomCrop(
        12, 9, 1, if_smaller="pad", pad_position=("random", "center"), random_pad=2, fill_mode="mirror"
    )
    model = keras.Sequential([keras.Input((9, 12, 3)), crop, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(images / 400, np.ones((4, 1)), verbose=0).history["loss"]).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.layers[0].get_config() == crop.get_config()
    np.testing.assert_array_equal(array(again.layers[0](images, training=True)), array(crop(images, training=True)))
