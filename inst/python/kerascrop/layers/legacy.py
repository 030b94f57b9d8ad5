"""Keras 2, also called tf_keras: its models cannot use these layers, which would take none of its training for one."""

import functools
import re
import sys

import keras

from kerascrop import checks

MODULES = re.compile(r"(tf_keras|keras(\.src)?\.engine|tensorflow\.python\.keras)(\.|$)")
CONTEXTS = ("tf_keras.src.engine.base_layer_utils", "tensorflow.python.keras.engine.base_layer_utils")


def check_none(layer, inputs=(), training=True):
    """Stop if inputs are those of Keras 2, or if one of its models calls the layer, without `training`."""
    if any(is_legacy(type(part)) for part in keras.tree.flatten(inputs)):
        problem = "got a tensor of Keras 2"
    elif training is None and any(map(_is_calling, CONTEXTS)):
        problem = "is called by a model of Keras 2, without `training`"
    else:
        return
    raise checks.ArgumentError(
        f"`{layer}` is a layer of Keras 3, but {problem}, or tf_keras, which would switch random crops off. Make the "
        "model with Keras 3: `import keras`, neither `tf_keras` nor, while TF_USE_LEGACY_KERAS is set, `tf.keras`."
    )


@functools.cache
def is_legacy(kind):
    """Whether a class is one of Keras 2's, or derives from one."""
    return any(MODULES.match(each.__module__) for each in kind.__mro__)


def _is_calling(module):
    return module in sys.modules and bool(sys.modules[module].call_context().in_call)
