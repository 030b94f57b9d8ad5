"""Sampling in one, two and three dimensions."""

import numpy as np
import pytest
from keras import ops

from conftest import jitted
from kerascrop.engine.sampling import sample


def run(images, boxes, *args, **kwargs):
    return ops.convert_to_numpy(jitted(lambda x, b: sample(x, b, *args, **kwargs))(images, boxes))


def interpolated(image, box, size):
    """Samples of one image, sequence or volume, by NumPy's interpolation along each axis; edges repeat."""
    rank = len(size)
    for axis, (first, last, n) in enumerate(zip(box[:rank][::-1], box[rank:][::-1], size)):
        places = first + (np.arange(n) + 0.5) * (last - first) / n - 0.5
        image = np.apply_along_axis(lambda line: np.interp(places, np.arange(len(line)), line), axis, image)
    return image


LENGTHS, SIZES = {1: (20,), 2: (9, 12), 3: (5, 8, 7)}, {1: (6,), 2: (4, 5), 3: (3, 4, 5)}


def corners(rng, rank, n, reach=0.0):
    """Boxes of any dimension, some of them mirrored."""
    return (rng.uniform(-reach, 1 + reach, size=(n, 2, rank)) * LENGTHS[rank][::-1]).reshape(n, -1).astype("float32")


@pytest.mark.parametrize("rank", LENGTHS)
def test_sequences_images_and_volumes_agree_with_interpolation(rank, rng):
    x = rng.normal(size=(5, *LENGTHS[rank], 2)).astype("float32")
    places = corners(rng, rank, 5, reach=0.2)
    crops = run(x, places, SIZES[rank], fill_mode="nearest")
    for one, image, box in zip(crops, x, places):
        np.testing.assert_allclose(one, interpolated(image, box, SIZES[rank]), atol=1e-5)


@pytest.mark.parametrize("rank", LENGTHS)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "bool", "int32"])
def test_the_nearest_pixel_is_the_one_that_holds_the_sample(rank, dtype, rng):
    x = rng.integers(0, 2 if dtype == "bool" else 200, size=(5, *LENGTHS[rank], 2)).astype(dtype)
    places = corners(rng, rank, 5, reach=0.3)
    crops = run(x, places, SIZES[rank], interpolation="nearest", fill_value=1)
    assert crops.dtype == dtype
    for one, image, box in zip(crops, x, places):
        expected = np.ones_like(one)
        for index in np.ndindex(*SIZES[rank]):
            steps = (np.array(index) + 0.5) / SIZES[rank]
            place = box[:rank][::-1] + steps * (box[rank:] - box[:rank])[::-1]
            if (place > 0).all() and (place < LENGTHS[rank]).all():
                expected[index] = image[tuple(np.floor(place).astype(int))]
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("rank", LENGTHS)
def test_antialias_of_whole_blocks_along_every_axis(rank, rng):
    """A box in steps of two pixels: the triangle reaches two pixels each way, with weights 1, 3, 3, 1."""
    x = rng.normal(size=(2, *(2 * n for n in SIZES[rank]), 1)).astype("float32")
    whole = np.array([[0] * rank + [2 * n for n in SIZES[rank]][::-1]] * 2, "float32")
    expected = x
    for axis, n in enumerate(SIZES[rank], start=1):
        weights = np.zeros((n, 2 * n))
        for i, row in enumerate(weights):
            for pixel, weight in zip(range(2 * i - 1, 2 * i + 3), (1, 3, 3, 1)):
                if 0 <= pixel < 2 * n:
                    row[pixel] = weight
        expected = np.moveaxis(np.tensordot(weights / weights.sum(1, keepdims=True), expected, (1, axis)), 0, axis)
    np.testing.assert_allclose(run(x, whole, SIZES[rank], antialias=True), expected, atol=1e-5)
