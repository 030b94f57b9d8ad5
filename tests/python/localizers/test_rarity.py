import numpy as np
import pytest
from keras import ops

from kerascrop.localizers.rarity import inverse, rarity_of


@pytest.mark.parametrize("n", [1, 2, 6, 40])
def test_elimination_inverts(n, rng):
    points = rng.normal(size=(5, n, 3 * n))
    matrices = points @ points.transpose(0, 2, 1) / n + 1e-3 * np.eye(n)
    got = ops.convert_to_numpy(inverse(ops.convert_to_tensor(matrices, "float32")))
    expected = np.linalg.inv(matrices)
    np.testing.assert_allclose(got, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("channels", [1, 3])
def test_rarity_is_the_mean_mahalanobis_distance_of_a_cells_pixels(channels, rng):
    rows, columns, cell = 3, 5, 4
    view = rng.normal(size=(2, rows * cell, columns * cell, channels))
    blurs = [rng.uniform(size=(n, n)) for n in (rows, columns)]
    got = ops.convert_to_numpy(
        rarity_of(view.astype("float32"), (rows, columns), cell, [blur.astype("float32") for blur in blurs])
    )
    for image, result in zip(view, got):
        means = image.reshape(rows, cell, columns, cell, channels).mean(axis=(1, 3))
        around = np.einsum("yr,rcd,xc->yxd", blurs[0], means, blurs[1])
        pixels = np.concatenate([image, image - np.kron(around, np.ones((cell, cell, 1)))], axis=-1)
        pixels = pixels.reshape(-1, 2 * channels)
        pixels = pixels - pixels.mean(axis=0)
        covariance = pixels.T @ pixels / len(pixels)
        least = 1e-3 * np.square(pixels).mean() + 1e-6
        inverted = np.linalg.inv(covariance + least * np.eye(2 * channels))
        distances = np.einsum("pi,ij,pj->p", pixels, inverted, pixels)
        expected = distances.reshape(rows, cell, columns, cell).mean(axis=(1, 3))
        np.testing.assert_allclose(result, expected, rtol=1e-3)
