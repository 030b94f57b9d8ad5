"""How well a learnable crop finds its object from class labels alone, beside other ways to look at an image.

    python bench/learnable_digits.py [--set digits|second|where] [--seeds 10] [--epochs N] [--only NAME] [--picture F]

Every method trains the same small classifier, from the same seeds, on the same images; only what it is shown differs.
Prints a Markdown table for each method. `bench/learnable_digits.md` has the tables of a whole run, and what was tried.
"""

import argparse
import sys
import time
from typing import NamedTuple

import _timing  # noqa: F401  # isort: skip  # before Keras

import keras
import numpy as np
from keras import layers

import kerascrop
from _learning import SETS, IntegerSlice, SpatialTransformer, agreement, draw, load
from kerascrop import BoxCrop, CenterCrop, LearnableCrop

BATCH, RATE = 64, 2e-3
COLLAPSED = 6  # pixels between the centres
SMALLER = 4  # how much smaller the small copy is


def classifier():
    """The network behind every crop."""
    return keras.Sequential([
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10),
    ], name="classifier")


METHODS = {
    "whole image": None,
    "small copy": None,
    "fixed centre": lambda side: CenterCrop(side, side, return_boxes=True),
    "integer slice": lambda side: IntegerSlice(side, side),
    "spatial transformer": lambda side: SpatialTransformer(side, side),
    "true box": lambda side: BoxCrop(side, side, antialias=True, return_boxes=True),
    "fixed": lambda side: LearnableCrop(side, side, return_boxes=True),
    "square": lambda side: LearnableCrop(side, side, size="square", return_boxes=True),
    "free": lambda side: LearnableCrop(side, side, size="free", return_boxes=True),
}
METHODS["square, 100 boxes"] = METHODS["square"]


def network(name, shape, side):
    """A model from images and true boxes to labels and to the boxes that it looked at (the true ones, where none)."""
    images, boxes = keras.Input(shape, name="images"), keras.Input((4,), name="boxes")
    pixels = layers.Rescaling(1 / 255, name="pixels")(images)
    if METHODS[name] is None:
        seen = layers.AveragePooling2D(SMALLER)(pixels) if name == "small copy" else pixels
        return keras.Model([images, boxes], [classifier()(seen), boxes])
    crops, found = METHODS[name](side)([pixels, boxes] if name == "true box" else pixels)
    return keras.Model([images, boxes], [classifier()(crops), layers.Identity(dtype="float32")(found)])


def train(name, data, seed, epochs, picture=None):
    """One row of the table: the test error in per cent, `agreement()` with the true boxes, and seconds per epoch.

    `picture` is where to draw what was found in a few test images.
    """
    keras.utils.set_random_seed(seed)
    model = network(name, data.train.x.shape[1:], data.side)
    steps = epochs * -(-len(data.train.y) // BATCH)
    losses = [keras.losses.SparseCategoricalCrossentropy(from_logits=True), None]
    truth = [data.train.y, data.train.boxes]
    if name == "square, 100 boxes":
        losses[1] = kerascrop.BoxLoss()
        truth[1] = np.where(np.arange(len(data.train.y))[:, None] < 100, data.train.boxes, np.nan)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    model.compile(keras.optimizers.Adam(rate), losses, jit_compile=False)
    start = time.process_time()
    model.fit([data.train.x, data.train.boxes], truth, batch_size=BATCH, epochs=epochs, verbose=0)
    seconds = (time.process_time() - start) / epochs
    logits, boxes = model.predict([data.test.x, data.test.boxes], batch_size=250, verbose=0)
    error = 100 * np.mean(logits.argmax(axis=1) != data.test.y)
    if METHODS[name] is None:
        boxes = np.full_like(boxes, np.nan)
    elif picture:
        draw(picture, data, boxes, logits.argmax(axis=1))
    return Row(error, *agreement(boxes, data.test.boxes), seconds)


class Row(NamedTuple):
    """What one run gives; means over the test images."""

    error: float
    inside: float
    off: float
    iou: float
    seconds: float


HEADER = (
    "| | test error %, each seed | median | worst / true box (mean) | true box inside | centre off, px (worst) | IoU "
    "| collapsed | CPU s / epoch |"
)


def line(name, rows, reference):
    """A row of the Markdown table: a method's runs, beside the true box's of the same seeds."""
    error, inside, off, iou, seconds = np.array(rows).T
    cells = [name, " ".join(f"{value:.2f}" for value in error), f"{np.median(error):.1f}"]
    ratios = error / [row.error for row in reference] if reference else [np.nan]
    cells.append(f"{np.max(ratios):.2f} ({np.mean(ratios):.2f})")
    if np.isnan(off).any():
        cells += [""] * 4
    else:
        cells += [f"{100 * inside.mean():.1f} %", f"{off.mean():.1f} ({off.max():.1f})", f"{iou.mean():.2f}"]
        cells.append(f"{(off > COLLAPSED).sum()} of {len(off)}")
    return f"| {' | '.join(cells)} | {np.median(seconds):.1f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="digits", help="what is looked at")
    parser.add_argument("--seeds", type=int, default=10, help="how many runs of each method")
    parser.add_argument("--epochs", type=int, help="of training; the set's own if not given")
    parser.add_argument("--only", action="append", choices=METHODS, help="one method; may be given several times")
    parser.add_argument("--picture", metavar="F", help="a file to draw in what the last method found; needs matplotlib")
    options = parser.parse_args()
    if options.picture:
        import matplotlib  # noqa: F401  # where it is missing, say so before training
    names, epochs = options.only or list(METHODS), options.epochs or SETS[options.set].epochs
    runs = {name: [] for name in names}
    for seed in range(options.seeds):
        data = load(options.set, seed)
        for name in names:
            runs[name].append(train(name, data, seed, epochs, options.picture))
            print(f"seed {seed}, {name}: {runs[name][-1]}", file=sys.stderr, flush=True)
    print(HEADER)
    print("|---" * (HEADER.count("|") - 1) + "|")
    for name in names:
        print(line(name, runs[name], runs.get("true box", [])))


if __name__ == "__main__":
    main()
