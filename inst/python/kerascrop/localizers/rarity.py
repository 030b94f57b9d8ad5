"""What stands out in an image: how rare the pixels of its cells are."""

import numpy as np
from keras import ops


def rarity_of(view, shape, cell, blurs):
    """How rare the pixels of each cell are in their image, `(batch, rows, columns)`.

    A pixel stands for its channels and their difference from its surroundings; its rarity is the squared
    Mahalanobis distance from the image's mean (Reed and Yu 1990, "Adaptive multiple-band CFAR detection").

    Args:
        view: `(batch, rows * cell, columns * cell, channels)`.
        shape: rows and columns of cells.
        cell: pixels along a cell's side.
        blurs: for rows and for columns a matrix that makes the surroundings of cells.
    """
    (rows, columns), channels = shape, view.shape[-1]
    cells = ops.reshape(view, (-1, cell, columns, cell * channels))
    cells = ops.reshape(ops.transpose(cells, (0, 2, 1, 3)), (-1, rows * columns, cell**2 * channels))
    # Products of a few small matrices: much faster than the same sums along short axes.
    repeat = np.tile(np.eye(channels, dtype="float32"), cell**2)
    to_mean = repeat.T / cell**2
    means = ops.matmul(cells, to_mean)
    within = ops.matmul(cells, np.eye(len(to_mean), dtype="float32") - to_mean @ repeat)
    planes = ops.reshape(ops.transpose(means, (0, 2, 1)), (-1, channels, rows, columns))
    around = ops.reshape(blurred(planes, *blurs), (-1, channels, rows * columns))
    points = ops.concatenate([means, means - ops.transpose(around, (0, 2, 1))], axis=-1)
    return ops.reshape(_distances(points, within), (-1, rows, columns))


def blurred(maps, down, across):
    """Maps `(..., rows, columns)`, multiplied by a matrix along the rows, and by one along the columns."""
    return ops.matmul(ops.matmul(down, maps), ops.transpose(across))  # some runtimes fail at `ops.einsum()`


def _distances(points, within):
    """The mean squared Mahalanobis distances of each cell's pixels from their image's mean: `(batch, cells)`.

    A cell is the mean of its pixels' numbers, `points` `(batch, cells, numbers)`, and how the pixels differ from it,
    `within` `(batch, cells, pixels * numbers / 2)`: both halves of the numbers differ in the same way.
    """
    half, pixels = points.shape[2] // 2, 2 * within.shape[2] // points.shape[2]
    points = points - ops.mean(points, axis=1, keepdims=True)
    of_pixels = _moments(ops.reshape(within, (-1, points.shape[1] * pixels, half)))
    covariance = _moments(points) + ops.tile(of_pixels, (1, 2, 2))
    identity = ops.convert_to_tensor(np.eye(2 * half, dtype="float32"))
    # Numbers may be constant, or depend on others.
    least = 1e-3 * ops.sum(covariance * identity, axis=(1, 2)) / (2 * half) + 1e-6
    inverses = inverse(covariance + least[:, None, None] * identity)
    both = ops.sum(ops.reshape(inverses, (-1, 2, half, 2, half)), axis=(1, 3))
    same_pixel = np.kron(np.eye(pixels), np.ones((half, half))).astype("float32") / pixels
    both = ops.tile(both, (1, pixels, pixels)) * ops.convert_to_tensor(same_pixel)
    return sum(ops.sum(ops.matmul(x, matrix) * x, axis=-1) for x, matrix in ((points, inverses), (within, both)))


def _moments(points):
    """The second moments of points `(batch, points, numbers)`: `(batch, numbers, numbers)`."""
    return ops.matmul(ops.transpose(points, (0, 2, 1)), points) / points.shape[1]


def inverse(matrices):
    """The inverses of small positive definite matrices `(batch, n, n)`, by elimination (Gauss-Jordan).

    Exported models can hold these operations, which every runtime has; few have one for an inverse.
    """
    for number in range(matrices.shape[-1]):
        here = np.arange(matrices.shape[-1]) == number
        row, column = matrices[:, number : number + 1], matrices[:, :, number : number + 1]
        row = ops.where(here, 1.0, row) / row[:, :, number : number + 1]
        matrices = ops.where(here[:, None], row, ops.where(here, 0.0, matrices) - column * row)
    return matrices
