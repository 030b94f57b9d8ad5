import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "inst" / "python"))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

BACKEND = keras.backend.backend()

if BACKEND == "jax":
    import jax

    jax.config.update("jax_enable_x64", True)  # gradients are compared in float64


def pytest_runtest_setup(item):
    if "tensorflow" in item.keywords and BACKEND != "tensorflow":
        pytest.skip("needs the TensorFlow backend")


def pytest_configure(config):
    config.addinivalue_line("markers", "tensorflow: needs the TensorFlow backend")


def jitted(function):
    """The function, compiled under JAX, which compiles every single operation for each new shape otherwise."""
    if BACKEND != "jax":
        return function
    import jax

    return jax.jit(function)


def differentiable_gradient(function, x):
    """The gradient of a scalar function of a tensor, as a tensor that has a gradient itself, on any backend."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)
    if BACKEND == "jax":
        import jax

        return jax.jit(jax.grad(function))(x)
    import torch

    x = x if x.requires_grad else x.clone().requires_grad_(True)
    return torch.autograd.grad(function(x), x, create_graph=True)[0]


def gradient(function, x):
    """The gradient of a scalar function of a tensor, as a NumPy array, on any backend."""
    return keras.ops.convert_to_numpy(differentiable_gradient(function, keras.ops.convert_to_tensor(x)))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def images(rng):
    """A batch of images no two numbers of which are equal."""
    return rng.permutation(4 * 9 * 12 * 3).reshape(4, 9, 12, 3).astype("float32")
