"""Save a model for each layer and learnable mode, with what it predicts: files that later versions must still load.

    PYTHONPATH=inst/python .venv/bin/python tests/python/saved/make.py

What is there is left as it is, so a new layer is added to `MODELS`, and its file is made by the version that brings it.
The first ones were made by commit 3e330c0 (version 0.1.0); `learnable_square` and `learnable_free` again after f5ef184,
before any release, as their glimpse divides what its weights say.
"""

import pathlib

import keras
import numpy as np

import kerascrop

FOLDER = pathlib.Path(__file__).parent
SHAPES = {1: (13, 2), 2: (14, 20, 2), 3: (6, 9, 8, 2)}  # of sequences, images and volumes
BOXES = np.array([[0.5, 1.2, 7.1, 8.9], [3, 2, 15, 11], [-1, 0, 9, 6]], "float32")


def inputs(*shape):
    """Three inputs, the same ones everywhere."""
    return np.random.default_rng(0).uniform(size=(3, *shape)).astype("float32")


def on_images(layer, rank=2):
    """A model of one layer, and what it is called on."""
    images = keras.Input(SHAPES[rank])
    return keras.Model(images, layer(images)), inputs(*SHAPES[rank])


def on_images_and(second, layer):
    images, other = keras.Input(SHAPES[2]), keras.Input(second.shape[1:])
    return keras.Model([images, other], layer([images, other])), [inputs(*SHAPES[2]), second]


def point(shape):
    """A network that predicts a place."""
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(2, "sigmoid")])


def uncrop():
    crops, boxes = keras.Input((5, 6, 2)), keras.Input((4,))
    return keras.Model([crops, boxes], kerascrop.Uncrop(14, 20, fill_value=2)([crops, boxes])), [inputs(5, 6, 2), BOXES]


def pool(how, **arguments):
    predictions, weights = keras.Input((5, 4)), keras.Input((5,))
    pooled = kerascrop.CropPool(how, **arguments)([predictions, weights])
    return keras.Model([predictions, weights], pooled), [inputs(5, 4), inputs(5)]


def learnable(**arguments):
    return on_images(kerascrop.LearnableCrop(6, 8, return_boxes=True, **arguments))


MODELS = {
    "center": lambda: on_images(kerascrop.CenterCrop(5, 6, return_boxes=True)),
    "center_1d": lambda: on_images(kerascrop.CenterCrop1D(5), 1),
    "center_3d": lambda: on_images(kerascrop.CenterCrop3D(3, 5, 6), 3),
    "center_enlarged": lambda: on_images(kerascrop.CenterCrop(20, 20, if_smaller="resize", return_boxes=True)),
    "border": lambda: on_images(kerascrop.BorderCrop(((1, 3), (-1, 7)), fill_value=0.5)),
    "border_1d": lambda: on_images(kerascrop.BorderCrop1D((1, -2)), 1),
    "border_3d": lambda: on_images(kerascrop.BorderCrop3D(((1, 2), (-1, 0), (3, 3))), 3),
    "window": lambda: on_images(kerascrop.WindowCrop((2, 7), (-9, -2), return_boxes=True)),
    "window_1d": lambda: on_images(kerascrop.WindowCrop1D(offset=4, size=12, if_smaller="pad", fill_value=0.5), 1),
    "window_3d": lambda: on_images(kerascrop.WindowCrop3D(box=(1, 2, 3, 7, 5, 6)), 3),
    "like": lambda: on_images_and(inputs(5, 6, 3), kerascrop.CropLike(("end", 3))),
    "random": lambda: on_images(kerascrop.RandomCrop(5, 6, seed=1, focus="mask", positive_fraction=0.5)),
    "random_padded": lambda: on_images(
        kerascrop.RandomCrop(
            16, 6, seed=1, if_smaller="pad", pad_position="random", random_pad=2, fill_mode="mirror", return_boxes=True
        )
    ),
    "random_1d": lambda: on_images(kerascrop.RandomCrop1D(5, seed=1), 1),
    "random_3d": lambda: on_images(kerascrop.RandomCrop3D(3, 5, 6, seed=1), 3),
    "random_resized": lambda: on_images(kerascrop.RandomResizedCrop(5, 6, seed=1, return_boxes=True)),
    "multi_ten": lambda: on_images(kerascrop.MultiCrop(5, 6, views="ten", return_boxes=True)),
    "multi_grid": lambda: on_images(kerascrop.MultiCrop(5, 6, views="grid", stride=(4, 6), return_boxes=True)),
    "box": lambda: on_images_and(BOXES, kerascrop.BoxCrop(5, 6, antialias=True, fill_mode="reflect")),
    "uncrop": uncrop,
    "pool_mean": lambda: pool("mean"),
    "pool_attention": lambda: pool("attention", units=6, return_weights=True),
    "learnable_fixed": learnable,
    "learnable_square": lambda: learnable(size="square", min_size=0.3),
    "learnable_free": lambda: learnable(size="free", antialias=False),
    "learnable_canvas": lambda: learnable(size="free", localizer="global", resize=False, max_size=6),
    "learnable_snap": lambda: learnable(localizer="global", snap=True),
    "learnable_global": lambda: learnable(size="free", localizer="global", max_size=12),
    "learnable_own": lambda: learnable(localizer=point(SHAPES[2])),
    "learnable_features": lambda: on_images_and(inputs(7), kerascrop.LearnableCrop(6, 8, localizer=point((7,)))),
}


def main():
    for name in MODELS:
        file = FOLDER / f"{name}.keras"
        if file.exists():
            continue
        model, x = MODELS[name]()
        # What starts at zero would say nothing.
        rng = np.random.default_rng(1)
        for variable in model.trainable_variables:
            variable.assign(rng.normal(size=variable.shape) / 4)
        model.save(file)
        predicted = keras.tree.flatten(model.predict(x, verbose=0))
        np.savez_compressed(FOLDER / f"{name}.npz", *predicted)


if __name__ == "__main__":
    main()
