import keras
import numpy as np
import pytest
from keras import ops

from conftest import BACKEND
from kerascrop import CropLike, CropLike1D, CropLike3D
from kerascrop.checks import ArgumentError, ShapeError, SizeError

PLACES = [  # of crops of 4 x 7 out of 9 x 12
    ("center", np.s_[:, 2:6, 2:9]),
    ("start", np.s_[:, :4, :7]),
    ("end", np.s_[:, 5:, 5:]),
    (("end", "start"), np.s_[:, 5:, :7]),
    (3, np.s_[:, 3:7, 3:10]),
    ((0, 5), np.s_[:, :4, 5:]),
    (("center", 1), np.s_[:, 2:6, 1:8]),
]
REFERENCE = np.zeros((4, 4, 7, 2), "float32")


def array(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("place, cut", PLACES)
def test_the_crop_is_a_slice_of_the_references_size(place, cut, images):
    crops, boxes = CropLike(place, return_boxes=True)([images.astype("uint8"), REFERENCE])
    np.testing.assert_array_equal(array(crops), images.astype("uint8")[cut])
    rows, cols = np.indices((9, 12))[(slice(None), *cut[1:])]
    np.testing.assert_array_equal(array(boxes), [[cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]] * 4)
    first = CropLike(place, data_format="channels_first")
    got = array(first([images.transpose(0, 3, 1, 2), REFERENCE.transpose(0, 3, 1, 2)]))
    np.testing.assert_array_equal(got, images[cut].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(array(CropLike(place)([images[1], REFERENCE[1]])), images[cut][1])


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("place, cut", [PLACES[0], PLACES[6]])
def test_sizes_that_only_the_graph_knows(place, cut, jit_compile, images):
    import tensorflow as tf

    layer, unknown = CropLike(place), tf.TensorSpec((None, None, None, None))
    crop = tf.function(lambda *pair: layer(list(pair)), [unknown, unknown], jit_compile=jit_compile)
    np.testing.assert_array_equal(crop(images, REFERENCE), images[cut])
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot.cut.height"):
        crop(images[:, :3], REFERENCE)


@pytest.mark.tensorflow
@pytest.mark.parametrize("if_smaller", ["pad", "keep"])
def test_images_that_may_be_smaller_than_the_reference(if_smaller, images):
    import tensorflow as tf

    layer, unknown = CropLike(if_smaller=if_smaller, fill_value=7), tf.TensorSpec((None, None, None, 3))
    reference = np.zeros((4, 12, 7, 3), "float32")
    padded = np.pad(images, ((0, 0), (1, 2), (0, 0), (0, 0)), constant_values=7)
    expected = (padded if if_smaller == "pad" else images)[:, :, 2:9]
    np.testing.assert_array_equal(array(layer([images, reference])), expected)
    crop = tf.function(lambda *pair: layer(list(pair)), [unknown] * 2)
    np.testing.assert_array_equal(crop(images, reference), expected)


@pytest.mark.parametrize("image, reference, size", [
    ((9, 12), (4, 7), (4, 7)), ((None, None), (4, 7), (4, 7)), ((9, 12), (None, 7), (None, 7)),
])  # fmt: skip
def test_the_size_is_known_where_the_references_is(image, reference, size):
    crops = CropLike()([keras.Input((*image, 3)), keras.Input((*reference, 2))])
    assert crops.shape == (None, *size, 3)


def test_a_skip_connection_of_a_u_net_trains(images, tmp_path):
    """https://github.com/keras-team/keras/issues/7276: maps of other sizes on the way down and up."""
    x = keras.Input((None, None, 3))
    down = keras.layers.Conv2D(2, 3)(x)
    up = keras.layers.UpSampling2D()(keras.layers.MaxPooling2D(4)(down))
    joined = keras.layers.Concatenate()([CropLike()([down, up]), up])
    model = keras.Model(x, keras.layers.GlobalAveragePooling2D()(joined))
    model.compile("sgd", "mse", jit_compile=BACKEND == "jax")
    assert np.isfinite(model.fit(images, np.zeros((4, 4)), verbose=0).history["loss"]).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(images, verbose=0), model.predict(images, verbose=0), rtol=1e-6)


def test_masks_boxes_and_points_follow(images):
    crops = CropLike("end")(
        {
            "images": images,
            "reference": REFERENCE,
            "segmentation_masks": images[..., 0].astype("int32"),
            "bounding_boxes": {"boxes": np.array([[[4.0, 6, 8, 9]]] * 4)},
            "keypoints": np.array([[[6.0, 6]]] * 4),
        }
    )
    assert crops["reference"].shape == REFERENCE.shape
    np.testing.assert_array_equal(array(crops["segmentation_masks"]), images[:, 5:, 5:, 0].astype("int32"))
    np.testing.assert_array_equal(array(crops["bounding_boxes"]["boxes"]), [[[0, 1, 3, 4]]] * 4)
    np.testing.assert_array_equal(array(crops["keypoints"]), [[[1, 1]]] * 4)


def test_sequences_and_volumes(rng):
    x = rng.normal(size=(2, 9, 3)).astype("float32")
    np.testing.assert_array_equal(array(CropLike1D("end")([x, x[:, :4]])), x[:, 5:])
    x = rng.normal(size=(2, 6, 8, 9, 3)).astype("float32")
    got = CropLike3D(("start", 1, "end"))([x, x[:, :2, :3, :4, :1]])
    np.testing.assert_array_equal(array(got), x[:, :2, 1:4, 5:])


def test_what_does_not_fit_is_an_error(images):
    for place, reference in (("center", (4, 10, 7, 2)), ("start", (4, 4, 13, 2)), (6, (4, 4, 7, 2))):
        with pytest.raises(SizeError, match="cannot cut (height|width) 1[03] out of images of (height 9|width 12)"):
            CropLike(place)([images, np.zeros(reference)])
    with pytest.raises(ShapeError, match="takes a reference of 4 axes"):
        CropLike()([images, np.zeros((4, 7))])
    with pytest.raises(ArgumentError, match="images and the reference"):
        CropLike()(images)
    for place in ("middle", -1, 1.5, (1, 2, 3), (1, "left"), None, []):
        with pytest.raises(ArgumentError, match="`place` must be one of"):
            CropLike(place)
    with pytest.raises(ArgumentError, match="`place` in pixels goes with if_smaller='error'"):
        CropLike(("end", 2), "pad")
    with pytest.raises(ArgumentError, match="`if_smaller` must be one of 'error', 'pad', 'keep'"):
        CropLike(if_smaller="resize")
