import keras
import numpy as np
import pytest
from keras import layers, ops

from kerascrop import LearnableCrop
from kerascrop.checks import ArgumentError, ShapeError
from kerascrop.localizers import MapLocalizer


def strided(stride, size=(None, None), channels=3, padding="same", top=()):
    """A small network of one's own, whose map has a cell for each square of `stride` pixels."""
    first = layers.Conv2D(6, 3, strides=stride, padding=padding, activation="relu")
    return keras.Sequential([keras.Input((*size, channels)), first, *top], name="own")


@pytest.mark.parametrize(
    "shape, stride, size, seen, cells",
    [
        ((64, 64, 3), 8, (None, None), (64, 64), (8, 8)),
        ((300, 600, 3), 16, (None, None), (128, 256), (8, 16)),
        ((30, 46, 3), 2, (None, None), (30, 46), (15, 23)),
        ((500, 400, 3), 8, (96, 64), (96, 64), (12, 8)),
        ((None, None, 3), 32, (None, None), (256, 256), (8, 8)),
    ],
)
def test_the_view_is_whole_cells_of_the_backbone(shape, stride, size, seen, cells):
    localizer = MapLocalizer(strided(stride, size))
    localizer.serve(0)
    localizer.build((None, *shape))
    assert (localizer.seen, localizer.grid.cells) == (seen, cells)


@pytest.mark.parametrize("crops", [1, 2])
@pytest.mark.parametrize("size", ["fixed", "square"])
def test_crops_are_found_with_a_backbone_and_it_learns_unless_it_is_frozen(size, crops, rng, tmp_path):
    """A square on a noisy ground stands out before training; a model is the same after it was saved and loaded."""
    images = rng.normal(size=(6, 96, 128, 3)).astype("float32")
    corners = np.stack([rng.integers(0, 128 - 24, size=6), rng.integers(0, 96 - 24, size=6)], axis=1)
    for image, (x, y) in zip(images, corners):
        image[y : y + 24, x : x + 24] += 9
    backbone = strided(8)
    crop = LearnableCrop(24, 24, size=size, crops=crops, localizer=MapLocalizer(backbone, seed=1), name="crop")
    boxes = ops.convert_to_numpy(crop.locate(images)).reshape(6, crops, 4)[:, 0]
    assert np.abs((boxes[:, :2] + boxes[:, 2:]) / 2 - corners - 12).max() < 8
    x = inputs = keras.Input((96, 128, 3))
    x = layers.GlobalAveragePooling3D()(crop(x)) if crops > 1 else layers.GlobalAveragePooling2D()(crop(x))
    model = keras.Model(inputs, layers.Dense(2)(x))
    for trainable in (False, True):
        backbone.trainable = trainable
        model.compile("adam", "mse")
        before = backbone.get_weights()[0]
        # The score starts at zero, so that what is below it has a gradient only from the second step on.
        model.fit(images, np.eye(2)[[0, 1] * 3], epochs=2, batch_size=3, verbose=0)
        assert (np.abs(backbone.get_weights()[0] - before).max() > 0) == trainable
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected = ops.convert_to_numpy(model(images))
    np.testing.assert_allclose(ops.convert_to_numpy(again(images)), expected, rtol=1e-3, atol=1e-4)


def test_a_network_of_keras_applications_is_a_backbone(rng):
    network = keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, include_top=False, weights=None)
    crop = LearnableCrop(20, 20, localizer=MapLocalizer(network), return_boxes=True)
    crops, boxes = crop(rng.uniform(size=(2, 100, 120, 3)).astype("float32"))
    assert crop.localizer.grid.cells == (2, 2) and tuple(crops.shape) == (2, 20, 20, 3)
    assert np.isfinite(ops.convert_to_numpy(boxes)).all()


@pytest.mark.parametrize(
    "backbone, error, text",
    [
        (lambda: 3, ArgumentError, "`backbone` must be a Keras layer or model, not 3"),
        (lambda: strided(8, top=[layers.GlobalMaxPooling2D()]), ShapeError, "must return a map of features"),
        (lambda: strided(8, channels=1), ShapeError, "takes images of 1 channels, but these have 3"),
        (lambda: strided(1, padding="valid"), ShapeError, "a map of whole square cells, but of images of 64 x 64"),
    ],
)
def test_what_is_no_backbone_is_named(backbone, error, text):
    with pytest.raises(error, match=text):
        LearnableCrop(20, 20, localizer=MapLocalizer(backbone())).build((None, 64, 64, 3))


def test_a_localizer_serves_one_kind_of_layer():
    localizer = MapLocalizer()
    LearnableCrop(20, 20, localizer=localizer)
    with pytest.raises(ArgumentError, match="give each layer a MapLocalizer of its own"):
        LearnableCrop(20, 20, size="square", localizer=localizer)
