"""How long a request takes: a small network on images of 256x256x3, without and behind a learned crop, in one run.

    make bench

A crop costs once what it costs; the ratio to the network alone depends on how large that is. Figures are medians.
"""

import argparse
import functools

from _timing import CORES, medians  # isort: skip  # before Keras

import keras
import numpy as np
import tensorflow as tf

import kerascrop

LENGTH, SIZE = 256, 64
AIMS = {("eager", 1): 10, ("graph", 1): 3, ("graph", 32): 60}  # ms with a crop


def network(*crop):
    """The same layers with and without a crop in front: without it they see images reduced to its size."""
    reduced = [] if crop else [keras.layers.AveragePooling2D(LENGTH // SIZE)]
    convolutions = [keras.layers.Conv2D(16, 3, 2, activation="relu") for _ in range(3)]
    head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((LENGTH, LENGTH, 3)), *crop, *reduced, *convolutions, *head])


def candidates(batch):
    models = {"no crop": network()}
    for size in ("fixed", "square", "free"):
        models[size] = network(kerascrop.LearnableCrop(SIZE, SIZE, size=size))
    images = tf.constant(np.random.default_rng(0).uniform(size=(batch, LENGTH, LENGTH, 3)).astype("float32"))
    for name, model in models.items():
        call = functools.partial(model, training=False)
        graph = tf.function(call, autograph=False)
        yield ("eager", name), functools.partial(call, images)
        yield ("graph", name), functools.partial(graph, images)


def finish(scores):
    scores.numpy()
    return 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21, help="how often each candidate runs")
    rounds = parser.parse_args().rounds
    print(f"| ms, median of {rounds} rounds, {CORES} cores | n | no crop | fixed | square | free | fixed : no crop |")
    print("|---|---|---|---|---|---|---|")
    for batch in (1, 32):
        times = medians(dict(candidates(batch)), rounds, finish)
        for mode in ("eager", "graph"):
            row = [times[mode, name] for name in ("no crop", "fixed", "square", "free")]
            aim = f" (aim: {AIMS[mode, batch]})" if (mode, batch) in AIMS else ""
            print(f"| {mode}{aim} | {batch} | {' | '.join(f'{t:.1f}' for t in row)} | {row[1] / row[0]:.1f} |")
