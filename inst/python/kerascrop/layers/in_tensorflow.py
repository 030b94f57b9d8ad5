"""Layers in TensorFlow's graphs, such as a `tf.data` pipeline's, while Keras runs on JAX or PyTorch.

The graph calls back into Python: Keras's backend computes on NumPy arrays, on the CPU, one call after the other, for a
layer's random state is one for all threads.
"""

import sys
import threading

import keras
from keras import ops

ONE_AT_A_TIME = threading.Lock()


def is_foreign(inputs):
    """Whether inputs are tensors of a TensorFlow graph, though Keras does not run on TensorFlow."""
    tf = sys.modules.get("tensorflow")
    if keras.backend.backend() == "tensorflow" or tf is None or tf.executing_eagerly():
        return False
    return any(isinstance(part, tf.Tensor) for part in keras.tree.flatten(inputs))


def call(function, inputs, spec):
    """What a function of arrays returns, as tensors of the graph.

    Args:
        inputs: tensors, in any structure, for the function's only argument.
        spec: the same structure of `KerasTensor`s as the function's result.
    """
    import tensorflow as tf

    promised = keras.tree.flatten(spec)
    dtypes = [tf.as_dtype(keras.backend.standardize_dtype(each.dtype)) for each in promised]

    def on_arrays(*arrays):
        with ONE_AT_A_TIME, keras.device("cpu"):
            result = function(keras.tree.pack_sequence_as(inputs, arrays))
            return [
                # JAX has no 64-bit numbers unless asked.
                ops.convert_to_numpy(each).astype(dtype.as_numpy_dtype)
                for each, dtype in zip(keras.tree.flatten(result), dtypes)
            ]

    results = tf.numpy_function(on_arrays, keras.tree.flatten(inputs), dtypes)
    for result, each in zip(results, promised):
        result.set_shape(each.shape)
    return keras.tree.pack_sequence_as(spec, results)
