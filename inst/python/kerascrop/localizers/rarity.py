"""What stands out in an image: how rare the pixels of its cells are, and how large what is rare is."""

import numpy as np
from keras import ops

from kerascrop.localizers.candidates import between
from kerascrop.localizers.grid import Grid, bell, blurred
from kerascrop.localizers.view import block_means


class Rarity:
    """Says how rare the pixels of each cell of a grid are in their image.

    Args:
        grid: the cells.
        side: pixels along a cell's side.
        fine: pixels along the side of the parts that a cell's pixels are compared with the surroundings of, if a
            cell is made of such parts.
    """

    AROUND = 1  # parts, the deviation of the blur that gives a pixel's surroundings: larger things count as rare

    def __init__(self, grid: Grid, side: int, fine: int):
        self.parts = side // fine if side % fine == 0 else 1
        self.side = side // self.parts
        self.shape = tuple(n * self.parts for n in grid.cells)
        blurs = [np.exp(-0.5 * np.square(steps / self.AROUND)) for steps in Grid(*self.shape).steps]
        self.blurs = [blur / blur.sum(axis=1, keepdims=True) for blur in blurs]  # cut off at the edges

    def of(self, view):
        """For a view `(batch, height, width, channels)`: `(batch, rows, columns)`."""
        rare = rarity_of(view, self.shape, self.side, self.blurs)
        return block_means(rare[..., None], (self.parts, self.parts))[..., 0]


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


SCALES = 9  # sizes that are tried at the start: finer, and slower
BLUR = 0.28  # boxes, the deviation of the Gaussian that stands for a box: boxes come out smaller
SHARPNESS = 4.0  # factor in the softmax over sizes: the best one alone


def likely_size(rare, grid, places, bounds):
    """The size, from 0 (smallest) to 1 (largest), at which places `(batch, 2)` stand out most: `(batch, 1)`.

    At this size a blur to the box's size differs most from a wider one (Lindeberg 1998, "Feature detection with
    automatic scale selection"), in a softmax over a few sizes.
    """
    scales = ops.linspace(0.0, 1.0, SCALES)[:, None]
    deviations = BLUR * between(scales, bounds)  # (sizes, 2): horizontal, vertical
    deviations = ops.concatenate([deviations, 1.6 * deviations], axis=0)
    down, across = (
        bell(ops.expand_dims(distance, 1), deviation) / deviation
        for distance, deviation in zip(grid.away(places), (deviations[:, 1:], deviations[:, :1]))
    )
    seen = ops.sum(ops.matmul(down, ops.sqrt(rare)) * across, axis=2)
    response = seen[:, :SCALES] - seen[:, SCALES:]
    response = response / (ops.max(ops.abs(response), axis=1, keepdims=True) + 1e-6)
    return ops.matmul(ops.softmax(SHARPNESS * response), scales)


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
