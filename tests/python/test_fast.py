"""The compiled path of a TensorFlow graph against the plain one, which runs where there is no graph."""

import numpy as np
import pytest

from conftest import BACKEND
from kerascrop import fast, fast_triangles
from kerascrop.sampling import sample

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="is for TensorFlow's graphs")
tf = pytest.importorskip("tensorflow") if BACKEND == "tensorflow" else None

# Boxes inside, partly outside, mirrored, wholly outside, and of a single point.
BOXES = np.array(
    [[1.3, 0.7, 9.1, 8.2], [-3.2, 2.4, 6.7, 11.9], [10.6, 1.1, 2.2, 7.3], [20.3, 0.2, 30.1, 5.7], [4.6, 3.3, 4.6, 3.3]]
)


@pytest.fixture
def case(rng):
    """Images 9 x 12 in float64, where nothing but a mistake is larger than a rounding."""
    return tf.constant(rng.normal(size=(5, 9, 12, 2))), tf.constant(BOXES)


@pytest.fixture
def used(monkeypatch):
    """The names of the compiled functions that were called."""
    calls = []

    def watched(name, function):
        return lambda *args: calls.append(name) or function(*args)

    for module, name in ((fast, "blend"), (fast_triangles, "mix")):
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))
    return calls


def weights(rng, shape):
    return tf.constant(rng.normal(size=shape))


def assert_all_close(actual, expected, atol=1e-10):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect"])
@pytest.mark.parametrize("size, jit_compile", [((4, 5), False), ((4, 5), True), ((20, 31), False)])
def test_crops_and_gradients_are_those_of_the_plain_path(case, rng, used, fill_mode, size, jit_compile):
    cotangent = weights(rng, (5, *size, 2))

    def run(*sources):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            crops = sample(*sources, size, fill_mode=fill_mode, fill_value=0.5)
        return crops, *tape.gradient(crops, sources, cotangent)

    expected = run(*case)
    assert not used
    assert_all_close(tf.function(run, jit_compile=jit_compile)(*case), expected)
    assert used


@pytest.mark.parametrize("jit_compile", [False, True])
def test_many_channels_too(rng, used, jit_compile):
    images, boxes = tf.constant(rng.normal(size=(5, 9, 12, fast.MANY))), tf.constant(BOXES)
    cotangent = weights(rng, (5, 4, 5, fast.MANY))

    def run(*sources):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            crops = sample(*sources, (4, 5), fill_value=0.5)
        return crops, *tape.gradient(crops, sources, cotangent)

    expected = run(images, boxes)
    assert_all_close(tf.function(run, jit_compile=jit_compile)(images, boxes), expected)
    assert used


@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "reflect"])
@pytest.mark.parametrize("size, jit_compile", [((1, 2), False), ((4, 5), True)])
def test_antialiased_crops_and_gradients_are_those_of_the_plain_path(case, rng, used, fill_mode, size, jit_compile):
    cotangent, way = weights(rng, (5, *size, 2)), weights(rng, (5, 4))

    def run(images, boxes):
        with tf.GradientTape() as outer:
            outer.watch([images, boxes])
            with tf.GradientTape() as tape:
                tape.watch([images, boxes])
                crops = sample(images, boxes, size, antialias=True, fill_mode=fill_mode, fill_value=0.5)
            slopes = tape.gradient(crops, [images, boxes], cotangent)
            total = tf.reduce_sum(slopes[1] * way)
        return crops, *slopes, *outer.gradient(total, [images, boxes])

    expected = run(*case)
    assert not used and all(np.abs(slope).max() > 0.1 for slope in expected[1:])
    assert_all_close(tf.function(run, jit_compile=jit_compile)(*case), expected)
    assert used == ["mix"]


@pytest.mark.parametrize("jit_compile", [False, True])
def test_second_derivatives_are_those_of_the_plain_path(case, rng, used, jit_compile):
    cotangent = weights(rng, (5, 4, 5, 2))
    ways = weights(rng, (5, 9, 12, 2)), weights(rng, (5, 4))

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

    expected = run(*case, cotangent)
    assert all(np.abs(slope).max() > 0.1 for slope in expected)
    assert_all_close(tf.function(run, jit_compile=jit_compile)(*case, cotangent), expected)
    assert used


@pytest.mark.parametrize("antialias", [False, True])
def test_whole_pixel_boxes_are_the_slice_bit_for_bit(rng, used, antialias):
    images = rng.normal(size=(40, 30, 29, 3)).astype("float32")
    top, left = rng.integers(0, 30 - 7, size=40), rng.integers(0, 29 - 8, size=40)
    boxes = np.stack([left, top, left + 8, top + 7], axis=-1).astype("float32")
    crops = tf.function(lambda images, boxes: sample(images, boxes, (7, 8), antialias))(images, boxes)
    assert used
    for crop, image, i, j in zip(crops.numpy(), images, top, left):
        np.testing.assert_array_equal(crop, image[i : i + 7, j : j + 8])


def test_batches_of_any_number_and_boxes_with_nan(case, used):
    images, boxes = case
    boxes = tf.concat([[[np.nan, 1, 5, 5]], boxes[1:]], axis=0)
    antialiased = tf.function(lambda images, boxes: sample(images, boxes, (4, 5), antialias=True))(images, boxes)
    assert np.isnan(antialiased[0]).all() and np.isfinite(antialiased[1:]).all()

    @tf.function(input_signature=[tf.TensorSpec((None, 9, 12, 2), "float64"), tf.TensorSpec((None, 4), "float64")])
    def run(images, boxes):
        with tf.GradientTape() as tape:
            tape.watch([images, boxes])
            crops = sample(images, boxes, (4, 5))
        return crops, *tape.gradient(crops, [images, boxes])

    crops, of_images, of_boxes = run(images, boxes)
    assert "blend" in used and np.isnan(crops[0]).all() and np.isnan(of_boxes[0]).any()
    assert_all_close([x[1:] for x in (crops, of_images, of_boxes)], run(images[1:], boxes[1:]))
    assert [x.shape for x in run(images[:0], boxes[:0])] == [(0, 4, 5, 2), (0, 9, 12, 2), (0, 4)]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_keeps_its_type_and_adds_up_in_float32(case, rng, used, dtype):
    images, boxes = tf.cast(case[0], dtype), tf.cast(case[1], "float32")

    def run(images, boxes):
        with tf.GradientTape() as tape:
            tape.watch([images, boxes])
            crops = sample(images, boxes, (4, 5))
        return crops, *tape.gradient(crops, [images, boxes])

    actual, expected = tf.function(run)(images, boxes), run(tf.cast(images, "float32"), boxes)
    assert used and [x.dtype for x in actual] == [images.dtype, images.dtype, tf.float32]
    for one, other in zip(actual, expected):
        np.testing.assert_allclose(tf.cast(one, "float32"), other, atol=0.02 if dtype == "float16" else 0.1)
