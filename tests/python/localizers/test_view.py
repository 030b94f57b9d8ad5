import numpy as np
import pytest
from keras import ops

from kerascrop import sample
from kerascrop.localizers.view import block_means, look


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("factors", [(1, 1), (2, 3), (4, 1), (5, 5)])
def test_blocks_of_pixels_become_their_means(factors, dtype, rng):
    """Less than a block at the bottom and the right is left out."""
    high, wide = factors
    images = rng.integers(0, 256, size=(2, 22, 31, 3)).astype(dtype)
    rows, columns = 22 // high, 31 // wide
    blocks = images[:, : rows * high, : columns * wide].astype("float64").reshape(2, rows, high, columns, wide, 3)
    means = block_means(ops.convert_to_tensor(images), factors)
    np.testing.assert_allclose(ops.convert_to_numpy(means), blocks.mean(axis=(2, 4)), rtol=1e-6)


def test_sums_of_half_precision_do_not_overflow():
    images = ops.full((1, 40, 40, 1), 255, dtype="float16")
    np.testing.assert_allclose(ops.convert_to_numpy(block_means(images, (20, 20))), 255)


@pytest.mark.parametrize("shape, size", [((50, 90), (24, 40)), ((96, 64), (24, 16)), ((100, 41), (32, 32))])
def test_a_view_is_the_image_made_smaller(shape, size, rng):
    """A smooth picture looks the same whichever way it is reduced, and its middle stays in the middle."""
    y, x = (np.arange(n) + 0.5 for n in shape)
    picture = np.sin(3 * y / shape[0])[:, None] + np.cos(2 * x / shape[1])
    view = ops.convert_to_numpy(look(picture[None, ..., None].astype("float32"), size))[0, ..., 0]
    y, x = ((np.arange(n) + 0.5) / n for n in size)
    inner = np.s_[1:-1, 1:-1]
    np.testing.assert_allclose(view[inner], (np.sin(3 * y)[:, None] + np.cos(2 * x))[inner], atol=0.01)


def test_a_view_of_nearly_the_images_size_is_resampled(rng):
    images = rng.uniform(size=(2, 30, 45, 3)).astype("float32")
    expected = sample(images, np.array([[0, 0, 45, 30]] * 2, "float32"), (28, 44), antialias=True)
    view = look(ops.convert_to_tensor(images), (28, 44))
    np.testing.assert_allclose(ops.convert_to_numpy(view), ops.convert_to_numpy(expected), atol=1e-5)
