"""How well a learnable crop finds its object from class labels alone, beside other ways to look at an image.

    python bench/learnable_digits.py [--set digits|second|where] [--seeds 10] [--epochs 20] [--only NAME]

Every method trains the same small classifier, from the same seeds, on the same images; only what it is shown differs.
Prints a Markdown table for each method. `bench/learnable_digits.md` has the tables of a whole run, and what was tried.
"""

import argparse
import os
import time

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", OMP_NUM_THREADS="1",
                  TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")

import _timing  # noqa: F401
import keras
import numpy as np
from _learning import SETS, IntegerSlice, SpatialTransformer, agreement
from keras import layers, ops

from kerascrop import BoxCrop, CenterCrop, LearnableCrop

BATCH, RATE = 64, 2e-3
COLLAPSED = 6  # pixels between the centres


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
    "fixed centre": lambda side: CenterCrop(side, side, return_boxes=True),
    "integer slice": lambda side: IntegerSlice(side, side, return_boxes=True),
    "spatial transformer": lambda side: SpatialTransformer(side, side),
    "true box": lambda side: BoxCrop(side, side, antialias=True, return_boxes=True),
    "fixed": lambda side: LearnableCrop(side, side, return_boxes=True),
    "square": lambda side: LearnableCrop(side, side, size="square", return_boxes=True),
    "free": lambda side: LearnableCrop(side, side, size="free", return_boxes=True),
}


def network(name, shape, side, make=None):
    """A model of labels, and one of boxes (None for the whole image)."""
    images, boxes = keras.Input(shape, name="images"), keras.Input((4,), name="boxes")
    inputs, found = [images, boxes], None
    crops = layers.Rescaling(1 / 255)(images) if shape[0] == 512 else images
    if name != "whole image":
        layer = (make or METHODS[name])(side)
        crops, found = layer(inputs if name == "true box" else crops)
    logits = classifier()(crops)
    return keras.Model(inputs, logits), found is not None and keras.Model(inputs, found)


def run(name, data, seed, epochs, jit=True, make=None, every=0):
    train, test, side = data
    keras.utils.set_random_seed(seed)
    model, finder = network(name, train.x.shape[1:], side, make)
    steps = epochs * -(-len(train.y) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], jit_compile=jit)
    inputs, test_inputs = [train.x, train.boxes], [test.x, test.boxes]
    seconds = []

    def look():
        error = 1 - (model.predict(test_inputs, batch_size=250, verbose=0).argmax(1) == test.y).mean()
        boxes = finder.predict(test_inputs, batch_size=250, verbose=0) if finder else np.full((len(test.y), 4), np.nan)
        return 100 * error, *agreement(boxes, test.boxes), boxes

    for epoch in range(epochs):
        start = time.perf_counter()
        model.fit(inputs, train.y, batch_size=BATCH, epochs=epoch + 1, initial_epoch=epoch, verbose=0)
        seconds.append(time.perf_counter() - start)
        if every and (epoch + 1) % every == 0:
            print(f"   {epoch+1}: " + " ".join(f"{v:.3g}" for v in look()[:-1]), flush=True)
    return (*look(), float(np.median(seconds)), model)
