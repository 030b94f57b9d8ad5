"""How fast whole-pixel crops are, against their peers, in one run: 32 images of 256x256x3 to 224x224, 2 cores.

    make bench

Every candidate runs once in each round, in a new order: a slower moment of the machine, or memory that the one before
has left warm, hits all alike. Figures are medians.
Keras's layers cast `uint8` images to float; kerascrop's keep them.
"""

import argparse
import functools

from _timing import CORES, medians  # isort: skip  # before Keras

import keras
import numpy as np
import tensorflow as tf

import kerascrop

tf.get_logger().setLevel("ERROR")  # graphs traced in a loop are meant here
BATCH, LENGTH, CHANNELS, SIZE = 32, 256, 3, 224
PIPELINE_BATCHES = 8
MARGIN = (LENGTH - SIZE) // 2
MIDDLE = slice(MARGIN, MARGIN + SIZE)


def crop_at_random(image):
    top, left = np.random.randint(LENGTH - SIZE + 1, size=2)
    return image[top : top + SIZE, left : left + SIZE]


def loop_and_stack(images):
    """The tightest loop, made a tensor as the other candidates' crops are."""
    return tf.convert_to_tensor(np.stack([crop_at_random(image) for image in images]))


def loop_and_fill(images):
    """The crop generator of many tutorials: its buffer is float64, NumPy's default, and `fit()` makes it float32."""
    crops = np.zeros((BATCH, SIZE, SIZE, CHANNELS))
    for crop, image in zip(crops, images):
        crop[...] = crop_at_random(image)
    return tf.convert_to_tensor(crops, "float32")


def layer_modes(name, layer, images, modes=("graph", "XLA", "eager"), **kwargs):
    """A layer in a TensorFlow graph, compiled by XLA, and called as it is."""
    images = tf.constant(images)
    call = functools.partial(layer, **kwargs)
    functions = {"graph": tf.function(call), "XLA": tf.function(call, jit_compile=True), "eager": call}
    for mode in modes:
        yield f"{name}, {mode}", functools.partial(functions[mode], images)


def pipelines(images, layer):
    """tf.data, image by image as is usual, and with a layer that crops whole batches."""
    images = tf.data.Dataset.from_tensors(tf.constant(images)).repeat(PIPELINE_BATCHES)
    one = images.unbatch().map(lambda image: tf.image.random_crop(image, (SIZE, SIZE, CHANNELS)), CORES).batch(BATCH)
    whole = images.map(lambda batch: layer(batch, training=True), CORES)
    yield "tf.data, tf.image.random_crop", lambda: list(one)
    yield "tf.data, kerascrop RandomCrop", lambda: list(whole)


def torch_candidates(images):
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(CORES)
    images = torch.from_numpy(images)
    yield "PyTorch slice, copied", lambda: images[:, MIDDLE, MIDDLE].contiguous()
    yield "PyTorch loop over images", lambda: torch.stack([crop_at_random(image) for image in images])


def candidates(images):
    yield "NumPy slice, copied (the limit)", lambda: images[:, MIDDLE, MIDDLE].copy()
    yield from torch_candidates(images)
    yield from layer_modes("keras CenterCrop", keras.layers.CenterCrop(SIZE, SIZE), images)
    yield from layer_modes("keras Cropping2D", keras.layers.Cropping2D(MARGIN), images)
    yield from layer_modes("kerascrop CenterCrop", kerascrop.CenterCrop(SIZE, SIZE), images)
    yield from layer_modes("kerascrop BorderCrop", kerascrop.BorderCrop(MARGIN), images)
    yield "Python loop and np.stack, random", lambda: loop_and_stack(images)
    yield "Python loop into np.zeros, random", lambda: loop_and_fill(images)
    peer, ours = keras.layers.RandomCrop(SIZE, SIZE), kerascrop.RandomCrop(SIZE, SIZE)
    # Not with XLA: it takes Keras's layer, which resizes what it has cut, most of a second.
    yield from layer_modes("keras RandomCrop, one place a batch", peer, images, ("graph", "eager"), training=True)
    yield from layer_modes("kerascrop RandomCrop", ours, images, training=True)
    yield from pipelines(images, ours)


def finish(crops):
    """Waits until crops are there; how many batches they are."""
    if tf.is_tensor(crops):
        crops.numpy()  # on a CPU nothing is copied
    return len(crops) if isinstance(crops, list) else 1


def print_ratios(times):
    """What the package promises. A promise about speed is printed, never asserted: machines differ."""
    real, whole = times["float32"], times["uint8"]
    keras_center = "keras CenterCrop, graph"
    for name in ("kerascrop CenterCrop, graph", "kerascrop BorderCrop, graph"):
        print(f"{name}, float32: {real[name] / real[keras_center]:.2f} of keras CenterCrop's time (aim: at most 1.1)")
        print(f"{name}, uint8: {whole[keras_center] / whole[name]:.1f} times as fast as keras CenterCrop (aim: 3)")
    ours = "kerascrop RandomCrop, graph"
    for dtype, column in times.items():
        share = column[ours] / column["keras RandomCrop, one place a batch, graph"]
        print(f"{ours}, {dtype}: {share:.2f} of keras RandomCrop's time (aim: at most 1)")
        for loop in ("Python loop into np.zeros, random", "Python loop and np.stack, random"):
            print(f"{ours}, {dtype}: {column[loop] / column[ours]:.1f} times as fast as {loop} (aim: 5)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31, help="how often each candidate runs")
    rounds = parser.parse_args().rounds
    images = np.random.default_rng(0).integers(0, 256, (BATCH, LENGTH, LENGTH, CHANNELS), "uint8")
    times = {dtype: medians(dict(candidates(images.astype(dtype))), rounds, finish) for dtype in ("float32", "uint8")}
    print(f"| ms, median of {rounds} rounds | float32 | uint8 |\n|---|---|---|")
    for name, milliseconds in times["float32"].items():
        print(f"| {name} | {milliseconds:.2f} | {times['uint8'][name]:.2f} |")
    print()
    print_ratios(times)
