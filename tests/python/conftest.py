import os
import pathlib
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "inst" / "python"))

import kerascrop  # noqa: E402, F401, I001  # first, as it keeps TensorFlow from logging what is not wrong
import keras  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

BACKEND, BACKENDS = keras.backend.backend(), {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
SAVED = pathlib.Path(__file__).parent / "saved"

if BACKEND == "jax":
    import jax

    jax.config.update("jax_enable_x64", True)  # gradients are compared in float64


# Boxes inside, partly outside, mirrored, wholly outside, and of a single point.
REAL_BOXES = np.array(
    [[1.3, 0.7, 9.1, 8.2], [-3.2, 2.4, 6.7, 11.9], [10.6, 1.1, 2.2, 7.3], [20.3, 0.2, 30.1, 5.7], [4.6, 3.3, 4.6, 3.3]]
)


def pytest_runtest_setup(item):
    for backend, name in BACKENDS.items():
        if backend in item.keywords and BACKEND != backend:
            pytest.skip(f"needs the {name} backend")


def pytest_configure(config):
    for backend, name in BACKENDS.items():
        config.addinivalue_line("markers", f"{backend}: needs the {name} backend")


def pytest_terminal_summary(terminalreporter):
    """How many cases the property tests have tried: `tools/fuzz.py` reads this line."""
    properties = sys.modules.get("cases")
    if properties and properties.tally["cases"]:
        found = len(terminalreporter.stats.get("failed", []))
        terminalreporter.write_line(f"{properties.tally['cases']:,} cases on {BACKEND}, {found} findings")


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


def assert_all_close(actual, expected, atol=1e-10):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def images(rng):
    """A batch of images no two numbers of which are equal."""
    return rng.permutation(4 * 9 * 12 * 3).reshape(4, 9, 12, 3).astype("float32")


@pytest.fixture
def scenes(rng):
    """A batch of colour images, larger than `images`."""
    return rng.uniform(size=(6, 40, 60, 3)).astype("float32")


@pytest.fixture
def graph_case(rng):
    """Images 9 x 12 and boxes in TensorFlow's float64, where nothing but a mistake is larger than a rounding."""
    import tensorflow as tf

    return tf.constant(rng.normal(size=(5, 9, 12, 2))), tf.constant(REAL_BOXES)


@pytest.fixture
def compiled(monkeypatch):
    """The names of the functions for TensorFlow's graphs that were called."""
    from kerascrop.engine import xla_taps, xla_triangles

    calls = []

    def watched(name, function):
        return lambda *args: calls.append(name) or function(*args)

    for module, name in ((xla_taps, "blend"), (xla_triangles, "mix")):
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))
    return calls
