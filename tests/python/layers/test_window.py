import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import WindowCrop, WindowCrop1D, WindowCrop3D
from kerascrop.checks import ArgumentError, SizeError

FORMS = [  # of images of 9 x 12: the arguments, and the slices that they stand for
    ({"rows": (2, 6), "cols": (3, 8)}, np.s_[:, 2:6, 3:8]),
    ({"rows": slice(2, 6), "cols": range(3, 8)}, np.s_[:, 2:6, 3:8]),
    ({"offset": (2, 3), "size": (4, 5)}, np.s_[:, 2:6, 3:8]),
    ({"box": (3, 2, 8, 6)}, np.s_[:, 2:6, 3:8]),
    ({"rows": (0, 9), "cols": (11, 12)}, np.s_[:, :, 11:]),
    ({"rows": -1, "cols": (3, None)}, np.s_[:, :, 3:]),
    ({"rows": (None, 4)}, np.s_[:, :4]),
    ({"cols": (1, -1)}, np.s_[:, :, 1:-1]),
    ({"rows": (-5, -2), "cols": (-1, None)}, np.s_[:, -5:-2, -1:]),
    ({"size": (4, -1)}, np.s_[:, :4]),
    ({"offset": np.array([2, 3]), "size": (-1, 5)}, np.s_[:, 2:, 3:8]),
    ({"offset": (-5, -3)}, np.s_[:, -5:, -3:]),
    ({"offset": (-5, -3), "size": (2, 3)}, np.s_[:, -5:-3, -3:]),
]


def array(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("arguments, cut", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_each_form_is_a_slice(arguments, cut, dtype, images):
    images = images.astype(dtype)
    crops, boxes = WindowCrop(return_boxes=True, **arguments)(images)
    np.testing.assert_array_equal(array(crops), images[cut])
    assert crops.dtype == ops.convert_to_tensor(images).dtype
    rows, cols = np.indices((9, 12))[(slice(None), *cut[1:])]
    np.testing.assert_array_equal(array(boxes), [[cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]] * 4)


@pytest.mark.parametrize("arguments, cut", FORMS)
def test_known_and_unknown_sizes_agree(arguments, cut, images):
    layer = WindowCrop(**arguments)
    assert layer.compute_output_shape(images.shape) == images[cut].shape
    for promised, length in zip(layer.compute_output_shape((None, None, None, 3))[1:3], images[cut].shape[1:3]):
        assert promised in (None, length)


@pytest.mark.tensorflow
@pytest.mark.parametrize("arguments, cut", FORMS)
def test_images_of_unknown_size(arguments, cut, images):
    import tensorflow as tf

    crop = tf.function(WindowCrop(**arguments), input_signature=[tf.TensorSpec((None, None, None, 3))])
    np.testing.assert_array_equal(crop(images), images[cut])


@pytest.mark.parametrize("offset, size", [((0, 0), (1, 1)), ((2, 3), (4, 5)), ((0, 11), (9, 1))])
def test_tensorflow_crops_to_this_bounding_box(offset, size, images):
    tf = pytest.importorskip("tensorflow")
    expected = tf.image.crop_to_bounding_box(images, *offset, *size).numpy()
    np.testing.assert_array_equal(array(WindowCrop(offset=offset, size=size)(images)), expected)


@pytest.mark.parametrize(
    "arguments, theirs",
    [
        ({"rows": (2, -1), "cols": (3, -4)}, dict(top=2, bottom=1, left=3, right=4)),
        ({"offset": (2, 3), "size": (4, 5)}, dict(top=2, left=3, height=4, width=5)),
        ({"rows": (-6, -2), "cols": (-8, -3)}, dict(bottom=2, right=3, height=4, width=5)),
        ({"rows": (-6, -2), "cols": (0, 5)}, dict(bottom=2, left=0, height=4, width=5)),
    ],
)
def test_keras_crops_images_so(arguments, theirs, images):
    names = {"height": "target_height", "width": "target_width"}
    theirs = {names.get(name, f"{name}_cropping"): number for name, number in theirs.items()}
    expected = keras.ops.image.crop_images(images, **theirs, data_format="channels_last")
    np.testing.assert_array_equal(array(WindowCrop(**arguments)(images)), array(expected))


@pytest.mark.parametrize(
    "rows, kept, padded",
    [  # of nine rows: those that are kept; and all, those outside as None
        ((6, 11), [6, 7, 8], [6, 7, 8, None, None]),
        ((-11, -6), [0, 1, 2], [None, None, 0, 1, 2]),
        ((2, 4), [2, 3], [2, 3]),
        ((-9, None), range(9), range(9)),
        ((-10, None), range(9), [None, *range(9)]),
    ],
)
@pytest.mark.parametrize("sizes", ["known", "unknown"])
def test_what_short_images_lack_is_left_out_or_filled(rows, kept, padded, sizes, images):
    def cut(if_smaller):
        layer = WindowCrop(rows=rows, if_smaller=if_smaller, fill_value=7)
        if sizes == "unknown":
            tf = pytest.importorskip("tensorflow")
            if keras.backend.backend() != "tensorflow":
                pytest.skip("needs the TensorFlow backend")
            layer = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 3))])
        return array(layer(images))

    np.testing.assert_array_equal(cut("keep"), images[:, kept])
    expected = [np.full((4, 12, 3), 7) if row is None else images[:, row] for row in padded]
    np.testing.assert_array_equal(cut("pad"), np.stack(expected, axis=1))


@pytest.mark.parametrize("rows", [(6, 11), (-10, -2), (9, 10), (4, -6), (-12, -10)])
def test_a_place_outside_of_the_images_is_an_error(rows, images):
    layer = WindowCrop(rows=rows, name="window")
    calls = [lambda: layer(images), lambda: layer(keras.Input((9, 12, 3)))]
    for call in calls:
        with pytest.raises(SizeError, match="`window` cannot cut its rows out of images of height 9"):
            call()


@pytest.mark.parametrize("rows", [(9, 11), (-12, -9), (5, -4)])
@pytest.mark.parametrize("if_smaller", ["pad", "keep"])
def test_images_without_a_pixel_of_the_window_are_an_error_always(rows, if_smaller, images):
    with pytest.raises(SizeError, match="out of images of height 9: it takes 10 at least"):
        WindowCrop(rows=rows, if_smaller=if_smaller)(images)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({}, ArgumentError, "in one form, not in 0"),
        ({"rows": (1, 2), "size": (1, 1)}, ArgumentError, "in one form, not in 2"),
        ({"rows": (1, 2), "if_smaller": "resize"}, ArgumentError, "`if_smaller` must be one of 'error', 'pad', 'keep'"),
        *(
            ({"rows": rows}, SizeError, "`rows` must be")
            for rows in (3, (5, 2), (4, 4), (-2, -3), (-2, 3), (1.5, 2), (1, 2, 3), range(1, 9, 2), "all", (1, "2"))
        ),
        *(
            ({"size": size}, SizeError, "`size` must be")
            for size in (4, (4,), (0, 1), (-2, 4), (1.5, 2), (1, 2, 3), "all")
        ),
        ({"offset": (-3, 0), "size": (4, 1)}, SizeError, "`size` must be"),
        ({"offset": 2}, SizeError, "`offset` must be 2 whole numbers"),
        *(
            ({"box": box}, SizeError, "`box` must be")
            for box in ((3, 2, 1, 6), (-1, 0, 4, 4), (1, 2, 3), (0, 0, 1.5, 2))
        ),
    ],
)
def test_what_is_no_place_is_an_error(arguments, error, message):
    with pytest.raises(error, match=message):
        WindowCrop(**arguments)


def test_masks_boxes_and_points(images):
    crops = WindowCrop(rows=(2, 6), cols=(-9, None))(
        {
            "images": images,
            "segmentation_masks": images[..., 0].astype("int32"),
            "bounding_boxes": {"boxes": np.array([[[2.0, 1, 5, 4]]] * 4), "labels": np.ones((4, 1))},
            "keypoints": np.array([[[4.0, 3]]] * 4),
        }
    )
    np.testing.assert_array_equal(array(crops["segmentation_masks"]), images[:, 2:6, 3:, 0].astype("int32"))
    np.testing.assert_array_equal(array(crops["bounding_boxes"]["boxes"]), [[[0, 0, 2, 2]]] * 4)
    np.testing.assert_array_equal(array(crops["keypoints"]), [[[1, 1]]] * 4)


def test_sequences_and_volumes(rng):
    sequences, volumes = rng.normal(size=(2, 9, 3)), rng.normal(size=(2, 6, 8, 9, 3))
    for layer in (WindowCrop1D((2, 6)), WindowCrop1D(offset=2, size=4), WindowCrop1D(box=(2, 6))):
        np.testing.assert_array_equal(array(layer(sequences)), ops.convert_to_tensor(sequences[:, 2:6]))
    for layer in (
        WindowCrop3D((1, -1), (2, 8), (3, 7)),
        WindowCrop3D(offset=(1, 2, 3), size=(4, -1, 4)),
        WindowCrop3D(box=(3, 2, 1, 7, 8, 5)),
    ):
        np.testing.assert_array_equal(array(layer(volumes)), ops.convert_to_tensor(volumes[:, 1:5, 2:8, 3:7]))


# MONAI's SpatialCrop, whose test suite gives these regions of an image of 3 x 3 (x 3); its ranges are cut short.
@pytest.mark.parametrize(
    "start, stop, shape",
    [
        ((0, 0), (2, 2), (2, 2)),  # roi_center (1, 1), roi_size (2, 2)
        ((0, 0), (3, 2), (3, 2)),
        ((1, 0), (3, 10), (2, 3)),
    ],
)
def test_monais_regions(start, stop, shape, rng):
    x = rng.normal(size=(1, 3, 3, 2)).astype("float32")
    layer = WindowCrop(*zip(start, stop), if_smaller="keep")
    expected = x[:, start[0] : stop[0], start[1] : stop[1]]
    assert expected.shape[1:3] == shape
    np.testing.assert_array_equal(array(layer(x)), expected)
