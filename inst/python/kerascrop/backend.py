"""What Keras runs on. `tf` is TensorFlow if Keras runs on it, else None, so that the backend is asked for in one place.
`tensorflow` is TensorFlow itself, imported when it is first used: its `tf.data` runs pipelines, whatever Keras runs on.

Without a backend, Keras cannot be imported: the error says how to get one.
"""

import importlib.util
import sys

from kerascrop.noise import less_noise

BACKENDS = ("tensorflow", "torch", "jax")

try:
    with less_noise():
        import keras
except ModuleNotFoundError as error:
    wanted = str(error.name).split(".")[0]
    if wanted not in BACKENDS or importlib.util.find_spec(wanted):
        raise
    others = [name for name in BACKENDS if name != wanted]
    there = [name for name in others if importlib.util.find_spec(name)]
    raise ImportError(
        f"No module named '{wanted}', which Keras is set to run on. Install it, `pip install 'kerascrop[{wanted}]'`; "
        f"or take another backend, `'kerascrop[{others[0]}]'` or `'kerascrop[{others[1]}]'`, and set the environment "
        "variable KERAS_BACKEND to its name."
        + "".join(f" As {name} is there already, `KERAS_BACKEND={name}` is enough." for name in there[:1]),
        name=wanted,
    ) from None

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
else:
    tf = None


def torch_tracer():
    """What of PyTorch's records the code that runs, `"torch.export"` or `"torch.jit.trace"`, or None.

    Such code must not ask for a tensor's values, as the inputs to come have others.
    """
    torch = sys.modules.get("torch")
    if keras.backend.backend() != "torch" or torch is None:
        return None
    if torch.jit.is_tracing():
        return "torch.jit.trace"
    return "torch.export" if getattr(torch.compiler, "is_exporting", bool)() else None


class _Later:
    """A module that is imported when something of it is first used."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        return getattr(importlib.import_module(self._name), name)


tensorflow = _Later("tensorflow")
