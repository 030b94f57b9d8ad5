import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import RandomCrop
from kerascrop.checks import ArgumentError, SizeError


def draw(layer, images):
    crops, boxes = layer(images, training=True)
    return ops.convert_to_numpy(crops), ops.convert_to_numpy(boxes).astype(int)


def test_each_image_is_cut_at_its_own_place(rng):
    images = rng.permutation(64 * 9 * 12).reshape(64, 9, 12, 1).astype("float32")
    crops, boxes = draw(RandomCrop(4, 5, return_boxes=True), images)
    for image, crop, (x1, y1, x2, y2) in zip(images, crops, boxes):
        np.testing.assert_array_equal(crop, image[y1:y2, x1:x2])
    assert len(set(map(tuple, boxes))) > 20


def test_every_place_comes_equally_often_the_last_one_included():
    layer = RandomCrop(4, 5, seed=1, return_boxes=True)
    images = np.zeros((6300, 6, 11, 1), "uint8")
    _, boxes = draw(layer, images)
    places = list(itertools.product(range(7), range(3)))
    counts = np.array([(boxes[:, :2] == place).all(1).sum() for place in places])
    assert counts.sum() == 6300 and counts.min() > 0
    # chi-squared with 20 degrees of freedom: 45.3 is its 99.9 % quantile
    assert ((counts - 300.0) ** 2 / 300).sum() < 45.3


def test_an_axis_that_fits_exactly_does_not_stop_the_other():
    _, boxes = draw(RandomCrop(32, 32, seed=2, return_boxes=True), np.zeros((200, 64, 32, 1), "uint8"))
    assert set(boxes[:, 0]) == {0} and len(set(boxes[:, 1])) > 25


def test_per_batch_and_clips_share_one_place(images):
    _, boxes = draw(RandomCrop(4, 5, per_image=False, return_boxes=True), np.repeat(images, 8, axis=0))
    assert len(set(map(tuple, boxes))) == 1
    clips = np.stack([images, images + 1], axis=1)
    crops, boxes = draw(RandomCrop(4, 5, return_boxes=True), clips)
    for clip, crop, (x1, y1, x2, y2) in zip(clips, crops, boxes):
        np.testing.assert_array_equal(crop, clip[:, y1:y2, x1:x2])


@pytest.mark.parametrize("training", [None, False])
def test_the_centre_at_inference(images, training):
    crops = RandomCrop(4, 5)(images, training=training)
    np.testing.assert_array_equal(ops.convert_to_numpy(crops), images[:, 2:6, 3:8])


def test_fit_draws_and_predict_takes_the_centre(images):
    x = keras.Input((9, 12, 3))
    model = keras.Model(x, RandomCrop(4, 5)(x))
    np.testing.assert_array_equal(model.predict(images, verbose=0), images[:, 2:6, 3:8])
    drawn = [ops.convert_to_numpy(model(images, training=True)) for _ in range(5)]
    assert any((crops != images[:, 2:6, 3:8]).any() for crops in drawn)


def test_a_seed_replays_and_so_does_a_layer_that_drew_its_own(images):
    for layer in (RandomCrop(4, 5, seed=3), RandomCrop(4, 5)):
        copy = RandomCrop.from_config(layer.get_config())
        for _ in range(3):
            first, second = (ops.convert_to_numpy(each(images, training=True)) for each in (layer, copy))
            np.testing.assert_array_equal(first, second)


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_compiled_graph_draws_anew_each_time(jit_compile):
    import tensorflow as tf

    layer = RandomCrop(4, 5, seed=1, return_boxes=True)
    compiled = tf.function(lambda x: layer(x, training=True)[1], jit_compile=jit_compile)
    images = np.zeros((100, 9, 12, 1), "uint8")
    first, second = compiled(images).numpy(), compiled(images).numpy()
    assert (first != second).any() and len(set(map(tuple, first))) > 20


@pytest.mark.tensorflow
def test_random_in_tf_data_with_unknown_sizes(images):
    import tensorflow as tf

    layer = RandomCrop(4, 5, seed=1, return_boxes=True)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(images.astype("uint8")), output_signature=tf.TensorSpec((None, None, 3), tf.uint8)
    )
    places = []
    for crop, box in dataset.repeat(20).map(lambda image: layer(image, training=True)):
        assert crop.shape == (4, 5, 3) and crop.dtype == tf.uint8
        places.append(tuple(box.numpy()))
    assert len(set(places)) > 20


def test_wrong_arguments_are_errors(images):
    with pytest.raises(SizeError, match="cannot cut height 10"):
        RandomCrop(10, 5)(images, training=True)
    with pytest.raises(ArgumentError, match="`seed`"):
        RandomCrop(4, 5, seed=1.5)
    with pytest.raises(ArgumentError, match="`per_image`"):
        RandomCrop(4, 5, per_image="yes")


@pytest.mark.parametrize("make", [keras.layers.RandomCrop, RandomCrop])
def test_the_seed_comes_third_as_in_keras(make):
    assert make(4, 5, 42).get_config()["seed"] == 42


def test_a_flag_where_the_seed_stands_is_an_error():
    with pytest.raises(ArgumentError, match="`seed` must be None or a whole number"):
        RandomCrop(4, 5, True)
