"""Antialiasing, compiled, against the plain path, which runs where there is no graph."""

import numpy as np
import pytest

from conftest import BACKEND, assert_all_close
from kerascrop.engine.sampling import sample

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="is for TensorFlow's graphs")
tf = pytest.importorskip("tensorflow") if BACKEND == "tensorflow" else None


@pytest.mark.parametrize(
    "fill_mode, size, jit_compile", [("constant", (1, 2), False), ("nearest", (1, 2), False), ("reflect", (4, 5), True)]
)
def test_crops_and_gradients_are_those_of_the_plain_path(graph_case, rng, compiled, fill_mode, size, jit_compile):
    cotangent, way = tf.constant(rng.normal(size=(5, *size, 2))), tf.constant(rng.normal(size=(5, 4)))

    def run(images, boxes):
        with tf.GradientTape() as outer:
            outer.watch([images, boxes])
            with tf.GradientTape() as tape:
                tape.watch([images, boxes])
                crops = sample(images, boxes, size, antialias=True, fill_mode=fill_mode, fill_value=0.5)
            slopes = tape.gradient(crops, [images, boxes], cotangent)
            total = tf.reduce_sum(slopes[1] * way)
        return crops, *slopes, *outer.gradient(total, [images, boxes])

    expected = run(*graph_case)
    assert not compiled and all(np.abs(slope).max() > 0.1 for slope in expected[1:])
    assert_all_close(tf.function(run, jit_compile=jit_compile)(*graph_case), expected)
    assert compiled == ["mix"]


def test_whole_pixel_boxes_are_the_slice_bit_for_bit(rng, compiled):
    images = rng.normal(size=(40, 30, 29, 3)).astype("float32")
    top, left = rng.integers(0, 30 - 7, size=40), rng.integers(0, 29 - 8, size=40)
    boxes = np.stack([left, top, left + 8, top + 7], axis=-1).astype("float32")
    crops = tf.function(lambda images, boxes: sample(images, boxes, (7, 8), antialias=True))(images, boxes)
    assert compiled == ["mix"]
    for crop, image, i, j in zip(crops.numpy(), images, top, left):
        np.testing.assert_array_equal(crop, image[i : i + 7, j : j + 8])


def test_a_box_with_nan_gives_nan_and_poisons_no_other_image(graph_case, compiled):
    images, boxes = graph_case
    boxes = tf.concat([[[np.nan, 1, 5, 5]], boxes[1:]], axis=0)
    crops = tf.function(lambda images, boxes: sample(images, boxes, (4, 5), antialias=True))(images, boxes)
    assert compiled == ["mix"] and np.isnan(crops[0]).all() and np.isfinite(crops[1:]).all()
