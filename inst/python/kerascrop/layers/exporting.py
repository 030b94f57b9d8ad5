"""What exporters of PyTorch and JAX cannot hold is refused as they begin, with the way out; they would stop in words of
theirs, or make a file that fails for images of another size.
"""

import keras

from kerascrop import checks
from kerascrop.backend import torch_tracer


def check_sizes(layer, lengths):
    """Stop where an exporter leaves the images' `lengths` open, and this layer cannot be exported so."""
    exporter = _exporter_that_fails(layer, all(isinstance(length, int) for length in lengths))
    if exporter:
        raise checks.ShapeError(
            f"`{layer.name}` cannot go through {exporter} with images of unknown size. Make the model on images of one "
            "size, `keras.Input((height, width, channels))`, and leave no more than the batch open; or export it with "
            "Keras on TensorFlow, where any size can."
        )


def _exporter_that_fails(layer, are_known):
    if keras.backend.backend() == "jax":
        counts = layer.keeps_dtype or not layer.traces_sizes  # whole pixels; JAX does not compute with open lengths
        return "jax.export" if counts and not are_known else None
    tracer = torch_tracer()
    if tracer == "torch.jit.trace":
        return tracer if not layer.traces_sizes and _built_for_any_size(layer) else None
    return None if are_known else tracer


def _built_for_any_size(layer):
    shape = (layer.get_build_config() or {}).get("input_shape") or ()
    shape = layer._named(shape)["images"] if shape else ()
    return bool(shape) and None in layer.lengths(shape)
