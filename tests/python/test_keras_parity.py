"""Where our layers agree with Keras's own, and where they differ on purpose.

The differences are those of R's help page `differences_from_keras3`. What Keras does is asserted for the version
that the page was written for: other versions may do better.
"""

import itertools

import keras
import numpy as np
import pytest
from keras import layers, ops

import kerascrop
from kerascrop.checks import SizeError

KERAS_IS_KNOWN = keras.__version__.startswith("3.15.")
FORMATS = ("channels_last", "channels_first")


def array(x):
    return ops.convert_to_numpy(x)


def to_format(x, data_format, batched=True):
    return x if data_format == "channels_last" else np.moveaxis(x, -1, int(batched))


def pixels(*shape):
    """Images no two numbers of which are equal."""
    return np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape).astype("float32")


def places(images, crops):
    """Where each crop is in its image."""
    height, width = crops.shape[1:3]
    found = []
    for image, crop in zip(images, crops):
        starts = itertools.product(range(image.shape[0] - height + 1), range(image.shape[1] - width + 1))
        found.append([(y, x) for y, x in starts if np.array_equal(image[y : y + height, x : x + width], crop)])
    assert all(len(starts) == 1 for starts in found)
    return [starts[0] for starts in found]


# Where they agree


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("height,width", [(9, 12), (8, 11), (7, 7), (10, 3)])
def test_center_crop_is_that_of_keras(height, width, data_format):
    for batch in ((2,), ()):
        x = to_format(pixels(*batch, height, width, 3), data_format, batched=bool(batch))
        for size in itertools.product({1, height // 2, height - 1, height}, {2, width // 2, width}):
            theirs = layers.CenterCrop(*size, data_format=data_format)
            ours = kerascrop.CenterCrop(*size, data_format=data_format)
            np.testing.assert_array_equal(array(ours(x)), array(theirs(x)))
            assert ours.compute_output_shape(x.shape) == theirs.compute_output_shape(x.shape)


def test_center_crop_of_unknown_sizes_is_that_of_keras():
    x = pixels(2, 9, 12, 3)
    inputs = keras.Input((None, None, 3))
    theirs, ours = (keras.Model(inputs, crop(4, 7)(inputs)) for crop in (layers.CenterCrop, kerascrop.CenterCrop))
    np.testing.assert_array_equal(array(ours(x)), array(theirs(x)))


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("shape,size", [((10, 10), (20, 20)), ((9, 12), (18, 24)), ((4, 6), (6, 9)), ((5, 5), (7, 7))])
def test_small_images_of_the_same_aspect_are_enlarged_as_by_keras(shape, size, data_format):
    x = to_format(pixels(2, *shape, 3), data_format)
    theirs = layers.CenterCrop(*size, data_format=data_format)(x)
    ours = kerascrop.CenterCrop(*size, if_smaller="resize", data_format=data_format)(x)
    np.testing.assert_allclose(array(ours), array(theirs), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("data_format", FORMATS)
def test_random_crop_in_training_is_a_window_like_that_of_keras(data_format):
    images = pixels(4, 9, 12, 3)
    x = to_format(images, data_format)
    for size in ((4, 5), (1, 1), (8, 11), (3, 11)):
        for make in (layers.RandomCrop, kerascrop.RandomCrop):
            layer = make(*size, seed=1, data_format=data_format)
            y = array(layer(x, training=True))
            assert y.shape == layer.compute_output_shape(x.shape)
            if size != (1, 1):
                places(images, y if data_format == "channels_last" else np.moveaxis(y, 1, -1))


CROPPINGS = {
    1: [0, 2, (1, 0), (0, 3)],
    2: [0, 2, (1, 3), ((1, 0), (0, 2))],
    3: [0, 1, (0, 1, 2), ((1, 0), (0, 2), (1, 1))],
}


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_border_crop_is_cropping(rank, data_format):
    if rank == 1 and data_format == "channels_first":
        return  # Cropping1D has the channels last
    x = to_format(pixels(2, *(7, 8, 9)[:rank], 3), data_format)
    theirs = (layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)[rank - 1]
    ours = (kerascrop.BorderCrop1D, kerascrop.BorderCrop, kerascrop.BorderCrop3D)[rank - 1]
    kwargs = {} if rank == 1 else {"data_format": data_format}
    for cropping in CROPPINGS[rank]:
        layer = ours(cropping, data_format=data_format)
        np.testing.assert_array_equal(array(layer(x)), array(theirs(cropping, **kwargs)(x)))
        assert layer.compute_output_shape(x.shape) == theirs(cropping, **kwargs).compute_output_shape(x.shape)


def negative(margins):
    return tuple(map(negative, margins)) if isinstance(margins, tuple) else -margins


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_negative_margins_are_zero_padding(rank, data_format):
    x = to_format(pixels(2, *(7, 8, 9)[:rank], 3), data_format)
    theirs = (layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)[rank - 1]
    ours = (kerascrop.BorderCrop1D, kerascrop.BorderCrop, kerascrop.BorderCrop3D)[rank - 1]
    for padding in CROPPINGS[rank]:
        expected = theirs(padding, data_format=data_format)(x)
        np.testing.assert_array_equal(array(ours(negative(padding), data_format=data_format)(x)), array(expected))


def test_center_crop_moves_boxes_and_masks_as_keras_does():
    boxes = np.array([[[2, 1, 10, 8], [0, 0, 1, 1], [4, 3, 6, 5]]], "float32")
    data = {
        "images": pixels(1, 9, 12, 3),
        "segmentation_masks": pixels(1, 9, 12, 1),
        "bounding_boxes": {"boxes": boxes, "labels": np.array([[1, 2, 3]])},
    }
    theirs = layers.CenterCrop(4, 5, bounding_box_format="xyxy")(copy(data))
    ours = kerascrop.CenterCrop(4, 5)(copy(data))
    np.testing.assert_array_equal(array(ours["segmentation_masks"]), array(theirs["segmentation_masks"]))
    for part in ("boxes", "labels"):
        ours_part, theirs_part = (array(crops["bounding_boxes"][part]) for crops in (ours, theirs))
        np.testing.assert_allclose(ours_part, theirs_part, atol=1e-5)


def copy(data):
    """Keras changes a dict of inputs in place."""
    return {key: copy(value) for key, value in data.items()} if isinstance(data, dict) else data


# Where they differ


def test_each_image_has_a_place_of_its_own():
    x = pixels(16, 9, 12, 1)
    assert len(set(places(x, array(kerascrop.RandomCrop(4, 5, seed=1)(x, training=True))))) > 5
    if KERAS_IS_KNOWN:
        assert len(set(places(x, array(layers.RandomCrop(4, 5, seed=1)(x, training=True))))) == 1


def test_inference_gives_the_centre_of_the_crops_size():
    x = pixels(2, 9, 12, 1)
    np.testing.assert_array_equal(array(kerascrop.RandomCrop(4, 5)(x, training=False)), x[:, 2:6, 3:8])
    if KERAS_IS_KNOWN:
        layer = layers.RandomCrop(4, 5)
        assert layer(x, training=False).shape == x.shape
        assert layer.compute_output_shape(x.shape) == (2, 4, 5, 1)


def test_outside_of_a_model_is_inference():
    x = pixels(16, 9, 12, 1)
    assert set(places(x, array(kerascrop.RandomCrop(4, 5)(x)))) == {(2, 3)}
    if KERAS_IS_KNOWN:
        layer = layers.RandomCrop(4, 5, seed=1)
        assert len({places(x, array(layer(x)))[0] for _ in range(8)}) > 1


def test_each_axis_is_random_on_its_own():
    x = pixels(32, 12, 5, 1)
    starts = set(places(x, array(kerascrop.RandomCrop(5, 5, seed=1)(x, training=True))))
    assert starts == {(y, 0) for y in range(8)}
    if KERAS_IS_KNOWN:
        layer = layers.RandomCrop(5, 5, seed=1)
        assert {places(x, array(layer(x, training=True)))[0] for _ in range(16)} == {(3, 0)}


def test_images_that_are_too_small_are_an_error():
    x = pixels(1, 9, 12, 1)
    for layer in (kerascrop.CenterCrop(10, 5), kerascrop.RandomCrop(10, 5)):
        with pytest.raises(SizeError, match="height 10 out of images of height 9"):
            layer(x)
    if KERAS_IS_KNOWN:
        assert layers.CenterCrop(10, 5)(x).shape == (1, 10, 5, 1)


@pytest.mark.parametrize(
    "shape,size", [((9, 12), (20, 20)), ((64, 21), (32, 32)), ((9, 12), (10, 5)), ((7, 5), (9, 4))]
)
def test_enlarged_windows_lie_within_a_pixel_of_those_of_keras(shape, size):
    # Every number is the place at which it was sampled.
    rows, cols = np.meshgrid(*(np.arange(length, dtype="float32") for length in shape), indexing="ij")
    x = np.stack([rows, cols], axis=-1)[None]
    ours = array(kerascrop.CenterCrop(*size, if_smaller="resize")(x))
    # The middle, exactly, but for the image's own edge, where nothing is to be had.
    scale = max(want / have for want, have in zip(size, shape))
    for axis in (0, 1):
        place = (np.arange(size[axis]) + 0.5 - size[axis] / 2) / scale + shape[axis] / 2 - 0.5
        expected = np.clip(place, 0, shape[axis] - 1)
        np.testing.assert_allclose(np.take(ours[0, ..., axis], 0, axis=1 - axis), expected, atol=1e-4)
    if KERAS_IS_KNOWN:
        theirs = array(layers.CenterCrop(*size)(x))
        assert np.abs(ours - theirs).max() < 1


def test_the_dtype_stays():
    x = pixels(2, 9, 12, 1).astype("uint8")
    for name in ("CenterCrop", "RandomCrop"):
        assert keras.backend.standardize_dtype(getattr(kerascrop, name)(4, 5)(x).dtype) == "uint8"
        if KERAS_IS_KNOWN:
            assert keras.backend.standardize_dtype(getattr(layers, name)(4, 5)(x).dtype) == "float32"


@pytest.mark.tensorflow
def test_labels_and_masks_keep_their_type_in_tf_data():
    import tensorflow as tf

    masks = np.ones((2, 9, 12, 1), "int32")
    data = {"images": pixels(2, 9, 12, 1), "segmentation_masks": masks, "labels": np.array([1, 2])}
    dataset = tf.data.Dataset.from_tensors(data)
    ours = next(iter(dataset.map(kerascrop.CenterCrop(4, 5))))
    assert (ours["labels"].dtype, ours["segmentation_masks"].dtype) == (tf.int64, tf.int32)
    if KERAS_IS_KNOWN:
        theirs = next(iter(dataset.map(layers.CenterCrop(4, 5))))
        assert (theirs["labels"].dtype, theirs["segmentation_masks"].dtype) == (tf.float32, tf.float32)


def test_masks_need_no_channels():
    data = {"images": pixels(2, 9, 12, 1), "segmentation_masks": pixels(2, 9, 12)}
    ours = kerascrop.CenterCrop(4, 5)(copy(data))["segmentation_masks"]
    np.testing.assert_array_equal(array(ours), data["segmentation_masks"][:, 2:6, 3:8])
    if KERAS_IS_KNOWN:
        assert layers.CenterCrop(1, 5)(copy(data))["segmentation_masks"].shape != (2, 1, 5)


def test_margins_may_be_negative():
    assert kerascrop.BorderCrop(-1)(pixels(1, 4, 4, 1)).shape == (1, 6, 6, 1)
    if KERAS_IS_KNOWN:
        with pytest.raises(ValueError, match="negative"):
            layers.Cropping2D(-1)


@pytest.mark.tensorflow
def test_sizes_that_are_known_late_are_checked():
    import tensorflow as tf

    def run(layer, shape):
        unknown = tf.TensorSpec((None, None, None, 1))
        return tf.function(lambda x: layer(x), input_signature=[unknown])(tf.zeros(shape))

    with pytest.raises(tf.errors.InvalidArgumentError, match="height 80"):
        run(kerascrop.CenterCrop(80, 80), (1, 64, 48, 1))
    with pytest.raises(tf.errors.InvalidArgumentError, match="nothing would be left"):
        run(kerascrop.BorderCrop(5), (1, 8, 8, 1))
    assert run(kerascrop.CenterCrop(80, 80, if_smaller="resize"), (1, 64, 48, 1)).shape == (1, 80, 80, 1)
    if KERAS_IS_KNOWN:
        assert run(layers.CenterCrop(80, 80), (1, 64, 48, 1)).shape == (1, 8, 16, 1)
        assert run(layers.Cropping2D(5), (1, 8, 8, 1)).shape[1] == 0


@pytest.mark.parametrize("box_format", ["xyxy", "rel_xyxy"])
def test_random_crop_moves_boxes_by_its_own_offsets(box_format):
    x = pixels(1, 9, 12, 1)
    box = np.array([2, 1, 10, 8], "float32")
    unit = np.array([12, 9, 12, 9], "float32") if box_format == "rel_xyxy" else 1
    data = {"images": x, "bounding_boxes": {"boxes": (box / unit)[None, None], "labels": np.array([[1]])}}

    def expected(crops):
        (top, left), height, width = places(x, crops)[0], *crops.shape[1:3]
        seen = np.clip(box - [left, top, left, top], 0, [width, height, width, height])
        return seen / (np.array([width, height, width, height]) if box_format == "rel_xyxy" else 1)

    ours = kerascrop.RandomCrop(6, 5, seed=1, box_format=box_format)(copy(data), training=True)
    np.testing.assert_allclose(array(ours["bounding_boxes"]["boxes"])[0, 0], expected(array(ours["images"])), atol=1e-5)
    if KERAS_IS_KNOWN:  # keras#23518
        layer = layers.RandomCrop(6, 5, seed=1, bounding_box_format=box_format)
        theirs = layer(copy(data), training=True)
        assert np.abs(array(theirs["bounding_boxes"]["boxes"])[0, 0] - expected(array(theirs["images"]))).max() > 0.1


def test_boxes_that_are_gone_are_dropped():
    boxes = np.array([[[0, 0, 12, 9], [0, 0, 0.5, 0.5]]], "float32")
    data = {"images": pixels(1, 9, 12, 1), "bounding_boxes": {"boxes": boxes, "labels": np.array([[1, 2]])}}
    for seed in range(8):
        ours = kerascrop.RandomCrop(6, 6, seed=seed)(copy(data), training=True)
        left = array(ours["bounding_boxes"]["boxes"])[0, 1]
        if not left.any():
            break
    assert array(ours["bounding_boxes"]["labels"]).tolist() == [[1, -1]]
    np.testing.assert_array_equal(left, 0)
    if KERAS_IS_KNOWN:
        theirs = layers.RandomCrop(6, 6, seed=1, bounding_box_format="xyxy")(copy(data), training=True)
        assert array(theirs["bounding_boxes"]["labels"]).tolist() == [[1, 2]]


def test_key_points_move():
    data = {"images": pixels(1, 9, 12, 1), "keypoints": np.array([[[5, 4]]], "float32")}
    assert array(kerascrop.CenterCrop(4, 5)(copy(data))["keypoints"]).tolist() == [[[2, 2]]]
    if KERAS_IS_KNOWN:
        assert array(layers.CenterCrop(4, 5)(copy(data))["keypoints"]).tolist() == [[[5, 4]]]


def test_sizes_must_be_whole():
    with pytest.raises(SizeError, match="20.7"):
        kerascrop.CenterCrop(20.7, 20)
    assert kerascrop.CenterCrop(20.0, 20).height == 20
    if KERAS_IS_KNOWN:
        assert layers.CenterCrop(20.7, 20).height == 20.7


def test_random_crop_leaves_xla_on():
    assert kerascrop.RandomCrop(4, 5).supports_jit
    if KERAS_IS_KNOWN:
        assert not layers.RandomCrop(4, 5).supports_jit


def test_a_layer_whose_seed_was_drawn_replays():
    x = pixels(16, 9, 12, 1)
    for make in (layers.RandomCrop, kerascrop.RandomCrop):
        layer = make(2, 2)
        again = make.from_config(layer.get_config())
        same = [np.array_equal(array(layer(x, training=True)), array(again(x, training=True))) for _ in range(4)]
        if make is kerascrop.RandomCrop:
            assert all(same)
        elif KERAS_IS_KNOWN:
            assert not all(same)
