"""The compiled path of a TensorFlow graph against the plain one, which runs where there is no graph."""

import numpy as np
import pytest

from conftest import BACKEND, REAL_BOXES, assert_all_close
from kerascrop.engine.sampling import sample

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="is for TensorFlow's graphs")
tf = pytest.importorskip("tensorflow") if BACKEND == "tensorflow" else None


@pytest.mark.parametrize(
    "fill_mode, size, channels, jit_compile",  # one that compiles takes seconds: each kind once or twice, not all pairs
    [
        ("constant", (4, 5), 2, False),
        ("constant", (4, 5), 16, True),
        ("nearest", (20, 31), 2, False),
        ("reflect", (4, 5), 16, False),
    ],
)
def test_crops_and_gradients_are_those_of_the_plain_path(rng, compiled, fill_mode, size, channels, jit_compile):
    sources = tf.constant(rng.normal(size=(5, 9, 12, channels))), tf.constant(REAL_BOXES)
    cotangent = tf.constant(rng.normal(size=(5, *size, channels)))

    def run(*sources):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            crops = sample(*sources, size, fill_mode=fill_mode, fill_value=0.5)
        return crops, *tape.gradient(crops, sources, cotangent)

    expected = run(*sources)
    assert not compiled
    assert_all_close(tf.function(run, jit_compile=jit_compile)(*sources), expected)
    assert compiled


@pytest.mark.parametrize("jit_compile", [False, True])
def test_second_derivatives_are_those_of_the_plain_path(graph_case, rng, compiled, jit_compile):
    cotangent = tf.constant(rng.normal(size=(5, 4, 5, 2)))
    ways = tf.constant(rng.normal(size=(5, 9, 12, 2))), tf.constant(rng.normal(size=(5, 4)))

    def run(images, boxes, cotangent):
        sources = images, boxes, cotangent
        with tf.GradientTape() as outer:
            outer.watch(sources)
            with tf.GradientTape() as tape:
                tape.watch(sources)
                crops = sample(images, boxes, (4, 5), fill_mode="nearest")
            slopes = tape.gradient(crops, (images, boxes), cotangent)
            total = sum(tf.reduce_sum(slope * way) for slope, way in zip(slopes, ways))
        return outer.gradient(total, sources)

    expected = run(*graph_case, cotangent)
    assert all(np.abs(slope).max() > 0.1 for slope in expected)
    assert_all_close(tf.function(run, jit_compile=jit_compile)(*graph_case, cotangent), expected)
    assert compiled


def test_whole_pixel_boxes_are_the_slice_bit_for_bit(rng, compiled):
    images = rng.normal(size=(40, 30, 29, 3)).astype("float32")
    top, left = rng.integers(0, 30 - 7, size=40), rng.integers(0, 29 - 8, size=40)
    boxes = np.stack([left, top, left + 8, top + 7], axis=-1).astype("float32")
    crops = tf.function(lambda images, boxes: sample(images, boxes, (7, 8)))(images, boxes)
    assert compiled
    for crop, image, i, j in zip(crops.numpy(), images, top, left):
        np.testing.assert_array_equal(crop, image[i : i + 7, j : j + 8])


def test_batches_of_any_number_and_boxes_with_nan(graph_case, compiled):
    images, boxes = graph_case
    boxes = tf.concat([[[np.nan, 1, 5, 5]], boxes[1:]], axis=0)

    @tf.function(input_signature=[tf.TensorSpec((None, 9, 12, 2), "float64"), tf.TensorSpec((None, 4), "float64")])
    def run(images, boxes):
        with tf.GradientTape() as tape:
            tape.watch([images, boxes])
            crops = sample(images, boxes, (4, 5))
        return crops, *tape.gradient(crops, [images, boxes])

    crops, of_images, of_boxes = run(images, boxes)
    assert "blend" in compiled and np.isnan(crops[0]).all() and np.isnan(of_boxes[0]).any()
    assert_all_close([x[1:] for x in (crops, of_images, of_boxes)], run(images[1:], boxes[1:]))
    assert [x.shape for x in run(images[:0], boxes[:0])] == [(0, 4, 5, 2), (0, 9, 12, 2), (0, 4)]


@pytest.mark.parametrize("dtype, antialias", [("float16", True), ("bfloat16", False)])
def test_half_precision_keeps_its_type_and_adds_up_in_float32(graph_case, rng, compiled, dtype, antialias):
    images, boxes = tf.cast(graph_case[0], dtype), tf.cast(graph_case[1], "float32")

    def run(images, boxes):
        with tf.GradientTape() as tape:
            tape.watch([images, boxes])
            crops = sample(images, boxes, (4, 5), antialias=antialias)
        return crops, *tape.gradient(crops, [images, boxes])

    actual, expected = tf.function(run)(images, boxes), run(tf.cast(images, "float32"), boxes)
    assert compiled and [x.dtype for x in actual] == [images.dtype, images.dtype, tf.float32]
    for one, other in zip(actual, expected):
        np.testing.assert_allclose(tf.cast(one, "float32"), other, atol=0.02 if dtype == "float16" else 0.1)
