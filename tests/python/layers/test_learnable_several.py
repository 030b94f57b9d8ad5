"""Several crops of an image: where they are, what they weigh, and that boxes, or labels alone, teach them."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from conftest import jitted
from kerascrop import BoxLoss, CropMonitor, CropPool, LearnableCrop, sample
from kerascrop.checks import ArgumentError, BoxError, SizeError
from kerascrop.localizers import Candidates

CORNERS = np.array([(5, 5), (30, 50), (44, 10)])  # row and column


@pytest.fixture
def squares(rng):
    """Three squares of 12 pixels on a noisy ground, in each of four images."""
    images = rng.normal(size=(4, 64, 96, 1)).astype("float32")
    for row, column in CORNERS:
        images[:, row : row + 12, column : column + 12] += 4
    return images


def numpy(parts):
    return [ops.convert_to_numpy(part) for part in parts]


@pytest.mark.parametrize("size", ["fixed", "square", "free"])
def test_each_object_has_a_crop_of_its_own(size, squares):
    layer = LearnableCrop(12, 12, size=size, max_size=24, crops=3, return_boxes=True)
    layer.build(squares.shape)  # outside of what JAX compiles
    crops, boxes, weights = numpy(jitted(layer)(squares))
    assert crops.shape == (4, 3, 12, 12, 1) and boxes.shape == (4, 3, 4) and weights.shape == (4, 3)
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2
    far = np.abs(middles[:, :, None] - (CORNERS[:, ::-1] + 6)).max(axis=-1)
    assert far.min(axis=1).max() < 4 and far.min(axis=2).max() < 4
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    assert (weights > 0.15).all()
    expected = sample(squares, boxes, (12, 12), antialias=True)
    np.testing.assert_allclose(crops, ops.convert_to_numpy(expected), atol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.locate(squares)), boxes, atol=1e-4)


def test_shapes_are_known_before_and_all_inputs_pass(squares):
    layer = LearnableCrop(12, 16, crops=3, return_boxes=True)
    assert layer.compute_output_shape((None, 64, 96, 1)) == ((None, 3, 12, 16, 1), (None, 3, 4), (None, 3))
    unknown = LearnableCrop(12, 16, crops=3, return_boxes=True)  # looks at squares, in another view
    symbols = unknown(keras.KerasTensor((None, None, None, 1)))
    assert [part.shape for part in symbols] == [(None, 3, 12, 16, 1), (None, 3, 4), (None, 3)]
    all_four = numpy(layer(squares))
    for single, several in zip(numpy(layer(squares[0])), all_four):
        np.testing.assert_allclose(single, several[0], atol=1e-3)
    first = LearnableCrop(12, 16, crops=3, data_format="channels_first", return_boxes=True)
    moved = ops.convert_to_numpy(first(np.moveaxis(squares, -1, 1))[0])
    np.testing.assert_allclose(np.moveaxis(moved, 2, -1), all_four[0], atol=1e-3)
    assert LearnableCrop(12, 16, crops=3)(squares).shape == (4, 3, 12, 16, 1)
    assert [len(part) for part in layer(squares[:0])] == [0, 0, 0]
    masks = np.zeros((4, 64, 96), "int32")
    masks[:, 5:17, 5:17] = 7
    data, boxes, weights = layer({"images": squares, "segmentation_masks": masks})
    masks = ops.convert_to_numpy(data["segmentation_masks"])
    assert masks.shape == (4, 3, 12, 16) and ((masks == 7).sum(axis=(2, 3)) > 60).sum(axis=1).tolist() == [1] * 4


def test_places_are_apart_in_training_and_every_second_is_drawn(squares):
    layer = LearnableCrop(12, 12, crops=4, return_boxes=True, seed=1)
    found = [numpy(layer(squares, training=True))[1] for _ in range(8)]
    for boxes in found:
        middles = (boxes[..., :2] + boxes[..., 2:]) / 2
        apart = np.abs(middles[:, :, None] - middles[:, None]).max(axis=-1) + 99 * np.eye(4)
        assert apart.min() > 6 - 2 * 0.08 * 12 - 2  # half a box, less what both are moved by, and half a cell
    spread = np.std([boxes[..., :2] for boxes in found], axis=0).mean(axis=(0, 2))
    assert spread[0] < 3 and spread[3] > 6


def test_a_saved_model_finds_the_same(squares, tmp_path):
    images = keras.Input((64, 96, 1))
    model = keras.Model(images, LearnableCrop(12, 12, size="square", crops=3, return_boxes=True)(images))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for mine, loaded in zip(numpy(model(squares)), numpy(again(squares))):
        np.testing.assert_allclose(loaded, mine, atol=1e-5)


class Stripes(layers.Layer):
    """Probabilities of two classes: whether a crop has rows or columns; it knows, and has nothing to learn."""

    def compute_output_shape(self, shape):
        return (shape[0], 2)

    def call(self, crops):
        down, across = (ops.mean(ops.square(ops.mean(crops, axis=axis)), axis=(1, 2)) for axis in (2, 1))
        return ops.softmax(20 * ops.stack([down, across], axis=1), axis=1)


def striped(rng, n):
    """Images with a patch of 8 pixels, of rows or of columns, and two dark squares that stand out more."""
    images = 0.3 * rng.normal(size=(n, 64, 64, 1)).astype("float32")
    corners, labels = 4 * rng.integers(0, 15, size=(n, 3, 2)), rng.integers(0, 2, n)
    for image, ((row, column), *decoys), label in zip(images, corners, labels):
        for y, x in decoys:
            image[y : y + 8, x : x + 8] -= 2
        rows = np.tile([[1.0], [1], [-1], [-1]], (2, 8))
        image[row : row + 8, column : column + 8, 0] = rows.T if label else rows
    boxes = np.concatenate([corners[:, 0, ::-1], corners[:, 0, ::-1] + 8], axis=1)
    return images, labels, boxes


def share_found(boxes, truth):
    return (np.abs(boxes[:, 0] - truth).max(axis=1) < 4).mean()


def test_labels_alone_teach_which_crop_helps(rng):
    """The likelihood of the label under the mixture of the crops has a gradient to the map."""
    images, labels, truth = striped(rng, 256)
    inputs = keras.Input((64, 64, 1))
    crops, boxes, weights = LearnableCrop(8, 8, crops=4, return_boxes=True, seed=1)(inputs)
    pooled = CropPool()([layers.TimeDistributed(Stripes())(crops), weights])
    model, where = keras.Model(inputs, pooled), keras.Model(inputs, boxes)
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", jit_compile=False)
    before = share_found(ops.convert_to_numpy(where(images)), truth)
    model.fit(images, labels, batch_size=32, epochs=16, verbose=0)
    assert before < 0.3 and share_found(ops.convert_to_numpy(where(images)), truth) > 0.85


def test_boxes_in_any_order_teach_all_of_several_places(rng):
    images = rng.normal(size=(96, 64, 64, 1)).astype("float32")
    corners, counts = rng.integers(0, 57, size=(96, 5, 2)), np.arange(96) % 3 + 1
    for image, places, count in zip(images, corners, counts):
        for row, column in places[3:]:
            image[row : row + 8, column : column + 8] -= 2
        for row, column in places[:count]:
            image[row : row + 8, column : column + 8] += 1.5
    truth = np.concatenate([corners[:, :3, ::-1], corners[:, :3, ::-1] + 8], axis=-1).astype("float32")
    truth[np.arange(3) >= counts[:, None]] = np.nan
    inputs = keras.Input((64, 64, 1))
    model = keras.Model(inputs, LearnableCrop(8, 8, crops=3, return_boxes=True, seed=1)(inputs)[1])
    model.compile(keras.optimizers.Adam(3e-3), BoxLoss(match=True), jit_compile=False)
    monitor = CropMonitor(images[:32], truth[:32])
    model.fit(images, truth, batch_size=16, epochs=20, verbose=0, callbacks=[monitor])
    assert monitor.history[0]["iou"] < 0.4 and monitor.history[-1]["iou"] > 0.55
    assert monitor.boxes[-1].shape == (32, 3, 4)


class Fewer(layers.Layer):
    def candidates(self, seen, bounds, training=False):
        return Candidates(ops.ones((ops.shape(seen)[0], 2, 4)), ops.ones((ops.shape(seen)[0], 2)))


@pytest.mark.parametrize(
    "error, message, make",
    [
        (SizeError, "`crops` must be a whole number, at least 1, not 0", lambda x: LearnableCrop(8, 8, crops=0)),
        (SizeError, "use at most 40 `crops`", lambda x: LearnableCrop(12, 12, crops=41)(x)),
        (ArgumentError, "one box cannot give `crops`=2", lambda x: LearnableCrop(8, 8, crops=2, localizer="global")),
        (ArgumentError, "must give 3 boxes.*not 2", lambda x: LearnableCrop(8, 8, crops=3, localizer=Fewer())(x)),
        (BoxError, r"not `y_true` \(1, 2, 4\)", lambda x: BoxLoss(match=True)(np.ones((1, 2, 4)), np.ones((1, 3, 4)))),
        (BoxError, "several boxes of each image", lambda x: BoxLoss(match=True)(np.ones((2, 4)), np.ones((2, 4)))),
    ],
)
def test_what_does_not_fit_is_an_error(error, message, make, squares):
    with pytest.raises(error, match=message):
        make(squares)
