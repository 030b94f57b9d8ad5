"""The cells of a map, in rows and columns, and what is added up over them."""

import numpy as np
from keras import ops

TINY = 1e-12  # added to the cells of a map, which may all be 0


class Grid:
    """Cells that divide an image evenly; places are x and y, as fractions of the image.

    Args:
        rows, columns: how many cells there are.

    Attributes:
        cells: `(rows, columns)`.
        middles: of the rows, along y, and of the columns, along x.
        steps: how many cells two rows, and two columns, are apart.
    """

    def __init__(self, rows: int, columns: int):
        self.cells = rows, columns
        lines = [np.arange(n, dtype="float32") for n in self.cells]
        self.middles = [(line + 0.5) / np.float32(len(line)) for line in lines]
        self.steps = [line[:, None] - line for line in lines]

    def softmax(self, scores, softmax=ops.softmax):
        """The softmax, or its logarithm, of maps `(batch, rows, columns)` over all of their cells."""
        return ops.reshape(softmax(ops.reshape(scores, (-1, self.cells[0] * self.cells[1]))), (-1, *self.cells))

    def blurs(self, deviations):
        """For the rows and the columns, Gaussians around each, 1 at its middle; cut off at the edges.

        So half an object at an edge does not stand out as a whole one would. `deviations`, along x and y, are fractions
        of the image.
        """
        return [bell(steps, length * len(steps)) for steps, length in zip(self.steps, ops.unstack(deviations)[::-1])]

    def window(self, heat, blurs, luck=None):
        """Weights of the cells around where a box holds most of a map, or where a cell does, times its luck."""
        rows, columns = self.cells
        held = blurred(heat, *blurs) if luck is None else heat * luck
        # Not `ops.argmax()`: Keras makes it of operations on bits, which few other runtimes have.
        peak = ops.top_k(ops.reshape(held, (-1, rows * columns)), 1)[1][:, 0]
        vertical, horizontal = ops.take(blurs[0], peak // columns, axis=0), ops.take(blurs[1], peak % columns, axis=0)
        return vertical[:, :, None] * horizontal[:, None]

    def away(self, places):
        """How far the rows, `(batch, rows)`, and the columns, `(batch, columns)`, are from places `(batch, 2)`."""
        # Slices of one column, as TensorFlow's optimizer turns `[:, axis, None]` of stacked numbers into `[:, axis]`.
        return [ops.subtract(self.middles[0], places[:, 1:]), ops.subtract(self.middles[1], places[:, :1])]

    def around(self, places, deviations):
        """Maps of a Gaussian around each place, `(batch, 2)`; each map adds up to 1."""
        down, across = map(bell, self.away(places), (deviations[:, 1:], deviations[:, :1]))
        cells = down[:, :, None] * across[:, None]
        return cells / (ops.sum(cells, axis=(1, 2), keepdims=True) + TINY)

    def near(self, places, apart):
        """Which cells are less than `apart`, `(2,)`, from a place `(batch, 2)` along both axes."""
        down, across = (ops.abs(distance) < apart[axis] for distance, axis in zip(self.away(places), (1, 0)))
        return ops.logical_and(down[:, :, None], across[:, None])

    def shares(self, places):
        """How places `(..., 2)` are shared by the cells around them, so that they are the centre of mass.

        For the rows, `(..., rows)`, and for the columns; their products are the cells' shares. A place beyond the
        middles of the outermost cells counts as being there.
        """
        return [
            ops.relu(1 - ops.abs(ops.subtract(np.arange(n, dtype="float32"), ops.clip(n * place - 0.5, 0, n - 1))))
            for n, place in zip(self.cells, (places[..., 1:], places[..., :1]))
        ]

    def centre(self, heat):
        """The centre of mass of a map: `(batch, 2)`."""
        heat = heat + TINY
        total = ops.sum(heat, axis=(1, 2))
        down, across = self.middles
        sums = ops.matmul(ops.sum(heat, axis=1), across), ops.matmul(ops.sum(heat, axis=2), down)
        return ops.stack([part / total for part in sums], axis=1)


def blurred(maps, down, across):
    """Maps `(..., rows, columns)`, multiplied by a matrix along the rows, and by one along the columns."""
    return ops.matmul(ops.matmul(down, maps), ops.transpose(across))  # some runtimes fail at `ops.einsum()`


def bell(distance, deviation):
    """A Gaussian, 1 at its middle."""
    return ops.exp(-0.5 * ops.square(ops.divide(distance, deviation)))
