"""What the bench of the learnable crop trains on, and how far its boxes are from the true ones.

`digits()` is the benchmark of the package; `second()` and `where()` put the same digits on pieces of the two
photographs in `inst/extdata`. All return `Digits`: images as bytes, labels, boxes.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from kerascrop import sample
from kerascrop.digits import Digits, cluttered_digits

PHOTOGRAPHS = Path(__file__).parents[1] / "inst" / "extdata"


def digits(n, split, seed):
    """64x64, a digit of 20x20 among 6 pieces of others."""
    made = cluttered_digits(n, split=split, seed=seed)
    return made._replace(x=_bytes(made.x))


def second(n, split, seed):
    """96x96 in colour: a digit of 20 to 40 pixels, in a colour that differs from the photograph behind it."""
    return _on_photographs(n, split, seed, canvas=96, sizes=(20, 40))


def where(n, split, seed):
    """512x512: a digit of 24 pixels on a photograph."""
    return _on_photographs(n, split, seed, canvas=512, sizes=(24, 24))


def _on_photographs(n, split, seed, canvas, sizes):
    rng = np.random.default_rng(seed)
    images = _pieces(n, canvas, split, rng)
    bank = {
        size: cluttered_digits(2000, size, size, distractors=0, split=split, seed=int(rng.integers(2**31)))
        for size in range(sizes[0], sizes[1] + 1, 4)
    }
    labels, boxes = np.zeros(n, "int32"), np.zeros((n, 4), "float32")
    for i, image in enumerate(images):
        size = int(rng.choice(list(bank)))
        number = rng.integers(2000)
        top, left = rng.integers(canvas - size + 1, size=2)
        ground, ink = image[top : top + size, left : left + size] / 255, bank[size].x[number]
        ink = ground + ink * (_colour(ground.mean((0, 1)), rng) - ground)
        image[top : top + size, left : left + size] = _bytes(ink)
        labels[i], boxes[i] = bank[size].y[number], (left, top, left + size, top + size)
    return Digits(images, labels, boxes)


def _bytes(images):
    """Images in [0, 1] as bytes, which take a quarter of the memory."""
    return np.round(255 * images).astype("uint8")


def _colour(ground, rng):
    """A colour at least half of the way across one channel away from the ground's."""
    while True:
        colour = rng.uniform(size=3)
        if np.abs(colour - ground).max() > 0.5:
            return colour


def _pieces(n, canvas, split, rng):
    """Pieces of the photographs, flipped and scaled at random: from the left for training, the right for testing."""
    pieces = np.empty((n, canvas, canvas, 3), "uint8")
    which = rng.integers(2, size=n)
    for number, photograph in enumerate(_photographs()):
        height, width = photograph.shape[:2]
        half = width // 2
        rows = np.flatnonzero(which == number)
        side = rng.uniform(min(height, half) / 3, min(height, half), size=len(rows))
        x = rng.uniform(size=len(rows)) * (half - side) + (half if split == "test" else 0)
        y = rng.uniform(size=len(rows)) * (height - side)
        boxes = np.stack([x, y, x + side, y + side], 1)
        flips = rng.integers(2, size=(len(rows), 2))
        for axis in (0, 1):
            mirrored = flips[:, axis] == 1
            boxes[np.ix_(mirrored, [axis, axis + 2])] = boxes[np.ix_(mirrored, [axis + 2, axis])]
        for start in range(0, len(rows), 64):
            part = boxes[None, start : start + 64].astype("float32")
            images = ops.convert_to_numpy(sample(photograph[None], part, (canvas, canvas)))[0]
            pieces[rows[start : start + 64]] = _bytes(images)
    return pieces


@functools.cache
def _photographs():
    return [
        ops.convert_to_numpy(tf.io.decode_jpeg((PHOTOGRAPHS / f"{name}.jpg").read_bytes())).astype("float32") / 255
        for name in ("chelsea", "coffee")
    ]


def agreement(boxes, truth):
    """Means over the images: share of the true box inside, distance of the centres in pixels, IoU."""
    low, high = np.maximum(boxes[:, :2], truth[:, :2]), np.minimum(boxes[:, 2:], truth[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = [np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (boxes, truth)]
    centres = [(box[:, 2:] + box[:, :2]) / 2 for box in (boxes, truth)]
    off = np.hypot(*(centres[0] - centres[1]).T)
    return (common / areas[1]).mean(), off.mean(), (common / (sum(areas) - common)).mean()


def draw(path, data, boxes, labels, n=5):
    """The first test images with their true boxes (green) and others (red); below what is in those, and read."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    crops = sample(data.test.x[:n] / 255, boxes[:n], (data.side, data.side), antialias=True)
    crops = _bytes(ops.convert_to_numpy(crops))
    shares = {"height_ratios": [2, 1], "hspace": 0.18, "wspace": 0.05}
    figure, axes = plt.subplots(2, n, figsize=(2 * n, 3.5), gridspec_kw=shares)
    for i, (image, crop) in enumerate(zip(axes[0], axes[1])):
        image.imshow(data.test.x[i], cmap="gray")
        for (x1, y1, x2, y2), colour in ((data.test.boxes[i], "#00E5A8"), (boxes[i], "#FF3D7F")):
            image.add_patch(plt.Rectangle((x1 - 0.5, y1 - 0.5), x2 - x1, y2 - y1, fill=False, edgecolor=colour, lw=1.5))
        crop.imshow(crops[i], cmap="gray")
        truth = data.test.y[i]
        crop.set_title(f"{labels[i]}" if labels[i] == truth else f"{labels[i]}, is {truth}", fontsize=9, pad=3)
        for panel in (image, crop):
            panel.axis("off")
    figure.savefig(path, dpi=100, bbox_inches="tight", pad_inches=0.02)


class Set(NamedTuple):
    """What makes the images, how many to train on and to test with, the side of the crops, and epochs of training."""

    make: Callable
    training: int
    testing: int
    side: int
    epochs: int


SETS = {
    "digits": Set(digits, 6000, 8000, 24, 20),
    "second": Set(second, 6000, 4000, 24, 20),
    "where": Set(where, 1000, 400, 32, 60),
}


class Task(NamedTuple):
    """Images to train on and to test with, and the side of the crops."""

    train: Digits
    test: Digits
    side: int


def load(name, seed):
    """A set drawn from a seed."""
    make, training, testing, side, _ = SETS[name]
    return Task(make(training, "train", seed), make(testing, "test", 1000 + seed), side)


class IntegerSlice(keras.layers.Layer):
    """Crops at a predicted corner, cast to integers: no gradient reaches what predicts it."""

    def __init__(self, height, width):
        super().__init__()
        self.size = height, width
        corner = keras.layers.Dense(2, "sigmoid")
        self.localizer = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(32, "relu"), corner])

    def build(self, shape):
        self.localizer.build(shape)

    def call(self, images):
        room = np.array(images.shape[1:3]) - self.size
        corners = ops.cast(self.localizer(images) * room, "int32")
        rows, columns = (corners[:, i, None] + ops.arange(n) for i, n in enumerate(self.size))
        crops = tf.gather(tf.gather(images, rows, batch_dims=1), columns, axis=2, batch_dims=1)
        corners = ops.cast(corners[:, ::-1], "float32")
        return crops, ops.concatenate([corners, corners + np.array(self.size[::-1])], axis=1)


class SpatialTransformer(keras.layers.Layer):
    """Jaderberg et al. 2015: a dense network predicts an affine map, which starts at the image's middle."""

    def __init__(self, height, width):
        super().__init__()
        self.size = height, width
        theta = keras.layers.Dense(6, kernel_initializer="zeros")
        self.localizer = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(32, "relu"), theta])

    def build(self, shape):
        self.localizer.build(shape)
        self.start = np.array([self.size[1] / shape[2], 0, 0, 0, self.size[0] / shape[1], 0], "float32")

    def call(self, images):
        theta = ops.reshape(self.localizer(images) + self.start, (-1, 2, 3))
        y, x = (2 * (np.arange(n, dtype="float32") + 0.5) / n - 1 for n in self.size)
        grid = np.stack([*np.meshgrid(x, y), np.ones(self.size, "float32")]).reshape(3, -1)
        crops = _bilinear(images, _pixels(theta, grid, images.shape))
        corners = _pixels(theta, np.array([[-1, 1], [-1, 1], [1, 1]], "float32"), images.shape)
        boxes = ops.concatenate([ops.min(corners, axis=2), ops.max(corners, axis=2)], axis=1)
        return ops.reshape(crops, (-1, *self.size, images.shape[-1])), boxes


def _pixels(theta, points, shape):
    """Points `(3, n)` in [-1, 1], mapped: `(batch, 2, n)`, x and y, in pixels."""
    return (ops.matmul(theta, points) + 1) / 2 * np.array([[shape[2]], [shape[1]]], "float32")


def _bilinear(images, points):
    """The images at points, 0 outside: `(batch, n, channels)`."""
    height, width, channels = images.shape[1:]
    flat = ops.reshape(images, (-1, height * width, channels))
    x, y = ops.unstack(points - 0.5, axis=1)
    values = 0.0
    for row in (ops.floor(y), ops.floor(y) + 1):
        for column in (ops.floor(x), ops.floor(x) + 1):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            weight = (1 - ops.abs(x - column)) * (1 - ops.abs(y - row)) * ops.cast(inside, "float32")
            place = ops.clip(row, 0, height - 1) * width + ops.clip(column, 0, width - 1)
            values += weight[..., None] * tf.gather(flat, ops.cast(place, "int32"), batch_dims=1)
    return values
