"""How exact the sampling is on every backend that is installed: the largest errors, where the tests only tell whether
they are small.

    python bench/exactness.py

Crops are compared with PyTorch's, TensorFlow's and Keras's own functions, with slices and with the definition in
float64; gradients with central differences in float64. Images hold numbers from 0 to 1; boxes lie inside, partly and
wholly outside, and some are mirrored.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}  # and the package that each needs


def errors():
    """Pairs of a name and the largest error, on the backend of this process."""
    import numpy as np
    from keras import ops
    from test_sampling import HOW, NUMPY_MODES, REAL_BOXES, grid_sample, numeric_gradient, tensor, triangle
    from test_sampling import random_boxes as random_boxes_inside

    from conftest import BACKEND, gradient
    from kerascrop import BoxCrop, adjoint, sample

    rng = np.random.default_rng(0)
    images = rng.uniform(size=(8, 9, 12, 3)).astype("float32")
    grids = rng.uniform(-1.7, 1.7, size=(8, 4)).astype("float32")
    grids[0] = [-3, -3, -2, -2]

    def crop(images, boxes, size, **how):
        return ops.convert_to_numpy(sample(images, boxes, size, **how))

    for interpolation in ("bilinear", "bicubic"):
        for fill_mode in NUMPY_MODES:
            for aligned in (False, True):
                expected = grid_sample(images, grids, (5, 7), fill_mode, interpolation, aligned)
                how = {"fill_mode": fill_mode, "interpolation": interpolation, "align_corners": aligned}
                crops = ops.convert_to_numpy(BoxCrop(5, 7, box_format="grid", **how)([images, grids]))
                name = f"`grid_sample()`, {interpolation}, {fill_mode}{', align_corners' if aligned else ''}"
                yield name, np.abs(crops - expected).max()
    if BACKEND == "tensorflow":
        import tensorflow as tf

        inside = random_boxes_inside(rng, 8)
        shares = np.clip(inside[:, [1, 0, 3, 2]] / [9, 12, 9, 12], 0, 1).astype("float32")
        expected = tf.image.crop_and_resize(images, shares, np.arange(8), (5, 7))
        crops = BoxCrop(5, 7, box_format="rel_yxyx", align_corners=True)([images, shares])
        yield "`tf.image.crop_and_resize()`, align_corners", np.abs(crops - expected).max()
    for antialias in (False, True):
        top, left = rng.integers(0, 5, size=8), rng.integers(0, 6, size=8)
        windows = np.stack([left, top, left + 7, top + 5], axis=1).astype("float32")
        expected = [image[i : i + 5, j : j + 7] for image, i, j in zip(images, top, left)]
        crops = crop(images, windows, (5, 7), antialias=antialias)
        yield f"whole-pixel boxes, the slice{', antialiased' if antialias else ''}", np.abs(crops - expected).max()
    whole = np.array([[0, 0, 12, 9]] * 8, "float32")
    expected = ops.convert_to_numpy(ops.image.resize(images, (3, 4), antialias=True))
    yield "`resize(antialias=True)` by 1/3", np.abs(crop(images, whole, (3, 4), antialias=True) - expected).max()
    inside = random_boxes_inside(rng, 8)
    expected = [
        np.einsum("iy,jx,yxc->ijc", triangle(y1, y2, 2, 9), triangle(x1, x2, 3, 12), image)
        for image, (x1, y1, x2, y2) in zip(images, inside.astype("float64"))
    ]
    crops = crop(images, inside, (2, 3), antialias=True, fill_mode="nearest")
    yield "antialiased, the definition in float64", np.abs(crops - expected).max()

    weights, pixels = rng.normal(size=(3, 1, 4, 5, 1)), rng.normal(size=(3, 6, 7, 1))
    for how in HOW:
        name = ", ".join(f"{key}={value!r}" for key, value in how.items()) or "bilinear"

        def loss(pixels, boxes, how=how):
            return ops.sum(sample(pixels, boxes, (4, 5), **how) * tensor(weights))

        for what, function, at in (
            ("box", lambda boxes, loss=loss: loss(tensor(pixels), boxes), REAL_BOXES),
            ("image", lambda images, loss=loss: loss(images, tensor(REAL_BOXES)), pixels),
        ):
            difference = np.abs(gradient(function, at) - numeric_gradient(function, at)).max()
            yield f"gradient to the {what}, {name}", difference
        back = ops.convert_to_numpy(adjoint(weights, REAL_BOXES, (6, 7), **how))
        forward = ops.convert_to_numpy(sample(tensor(pixels), tensor(REAL_BOXES), (4, 5), **how))
        products = (forward * weights).sum(), (pixels * back).sum()
        yield f"adjoint, {name}", abs(products[0] - products[1]) / abs(products[0])


def table():
    columns = {}
    for backend, package in BACKENDS.items():
        if importlib.util.find_spec(package):
            environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
            command = [sys.executable, __file__, "--this-backend"]
            output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            columns[backend] = json.loads(output.splitlines()[-1])
    print(f"| largest error | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name in next(iter(columns.values())):
        cells = (f"{column[name]:.1e}" if name in column else "" for column in columns.values())
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    if "--this-backend" in sys.argv:
        sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
        print(json.dumps({name: float(error) for name, error in errors()}))
    else:
        table()
