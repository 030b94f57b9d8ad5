"""What a learned crop costs on pictures from 64x64 to 2048x2048, beside reading them whole, in one run.

    make bench

Beside it: the least that looking can cost, a plain mean of blocks of pixels; and the convolutions of a small network
on the whole picture. Figures are medians in milliseconds per picture, of graphs, for pictures of bytes and of floats.
"""

import argparse
import functools

from _timing import CORES, medians  # isort: skip  # before Keras

import keras
import numpy as np
import tensorflow as tf

import kerascrop

CROP, VIEW = 64, 256
PICTURES = ((64, 32), (256, 8), (512, 8), (1024, 4), (2048, 1))  # side, and how many at once


def whole():
    """The convolutions of a network on the whole picture."""
    layers = [keras.layers.Conv2D(n, 3, padding="same", activation="relu") for n in (8, 16, 32)]
    return keras.Sequential([part for layer in layers for part in (layer, keras.layers.MaxPooling2D())])


def candidates(side, batch, dtype):
    pictures = tf.constant(np.random.default_rng(0).integers(0, 256, size=(batch, side, side, 3)).astype(dtype))
    crop = min(CROP, side // 2)
    networks = {size: kerascrop.LearnableCrop(crop, crop, size=size) for size in ("fixed", "square")}
    networks["whole"] = whole()
    for name, network in networks.items():
        network.build(pictures.shape)
        yield (name, "predict"), functools.partial(tf.function(functools.partial(_call, network)), pictures)
        yield (name, "train"), functools.partial(tf.function(functools.partial(_step, network)), pictures)
    view = min(side, VIEW)
    area = functools.partial(tf.image.resize, size=(view, view), method="area")
    yield ("block means", "predict"), functools.partial(tf.function(area), pictures)


def _call(network, pictures):
    return network(tf.cast(pictures, "float32") if isinstance(network, keras.Sequential) else pictures)


def _step(network, pictures):
    """A loss, and its gradient for the weights."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(_call(network, pictures)))
    return tape.gradient(loss, network.trainable_variables, unconnected_gradients="zero")


def finish(results):
    for result in tf.nest.flatten(results):
        result.numpy()
    return 1


COLUMNS = (
    ("block means", "predict"), ("fixed", "predict"), ("square", "predict"), ("whole", "predict"),
    ("fixed", "train"), ("square", "train"), ("whole", "train"),
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11, help="how often each candidate runs")
    rounds = parser.parse_args().rounds
    print(f"ms per picture, median of {rounds} rounds, {CORES} cores\n")
    names = [f"{name}, {what}" for name, what in COLUMNS]
    print(f"| side | pictures | {' | '.join(names)} | whole : fixed, predict | train |")
    print("|---" * (len(names) + 4) + "|")
    for side, batch in PICTURES:
        for dtype in ("uint8", "float32"):
            times = medians(dict(candidates(side, batch, dtype)), rounds, finish)
            row = " | ".join(f"{times[column] / batch:.2f}" for column in COLUMNS)
            ratios = [times["whole", what] / times["fixed", what] for what in ("predict", "train")]
            print(f"| {side} | {batch} {dtype} | {row} | {ratios[0]:.1f} | {ratios[1]:.1f} |", flush=True)
