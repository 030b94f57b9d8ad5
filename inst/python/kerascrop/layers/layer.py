"""The base class of all layers: how each is named, called, printed and saved."""

from typing import Any

import keras
import numpy as np

from kerascrop import checks, errors
from kerascrop.hints import LayerOptions, Unpack
from kerascrop.layers import in_tensorflow, legacy, settings
from kerascrop.seeds import SavedSeeds

# Those of Keras's own arguments that it does not check, or not in words for users.
ARGUMENTS_OF_KERAS = {
    "name": checks.check_name,
    "dtype": checks.check_dtype,
    "trainable": lambda value: checks.check_flag(value, "trainable"),
}


class Layer(SavedSeeds, keras.layers.Layer):
    """Base of all layers: checks of Keras's arguments and of inputs, saving and printing, and PyTorch's training mode.

    Args:
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.
    """

    input_names = ("images",)  #: what a list of inputs holds, in order

    def __init__(self, **kwargs: Unpack[LayerOptions]):
        for name, check in ARGUMENTS_OF_KERAS.items():
            if name in kwargs:
                check(kwargs[name])
        if kwargs.get("name") is None:
            kwargs["name"] = settings.default_name(type(self))
        # Without autocast, whole pixels are never cast, and boxes stay float32 when images are float16.
        with errors.keras_arguments():
            super().__init__(autocast=False, **kwargs)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        settings.show_arguments(cls)

    def __call__(self, inputs: Any, *args, **kwargs) -> Any:
        if args:
            raise checks.ArgumentError(
                f"`{self.name}` takes its inputs as one argument, several of them in a list, and `training` by name."
            )
        legacy.check_none(self.name, inputs, kwargs.get("training"))
        inputs = checks.check_inputs(inputs, self.name, self.input_names[0])
        if not isinstance(kwargs.get("training"), (bool, np.bool_, int, type(None))):
            wrong = checks.shown(kwargs["training"])
            raise checks.ArgumentError(f"`training` must be True, False or None, not {wrong}.")
        if in_tensorflow.is_foreign(inputs):
            return self.call_in_tensorflow(inputs, lambda arrays: self(arrays, **kwargs))
        return super().__call__(inputs, **kwargs)

    def call_in_tensorflow(self, inputs, function, *more):
        """What `function(inputs, *more)`, which calls this layer, gives in a TensorFlow graph: see `in_tensorflow`."""
        return in_tensorflow.call(lambda both: function(*both), (inputs, *more), self.compute_output_spec(inputs))

    def is_training(self, training: bool | None) -> bool:
        """Whether the layer is training: as the caller says, or else as PyTorch's `train()` and `eval()` have set.

        Their mode counts only when the layer is called by itself or by a PyTorch module. Keras's models set it too, in
        `fit()` and `predict()`, and leave it set; a layer that a Keras model calls follows Keras's rules alone.
        """
        if training is None and self._get_call_context().entry_layer is self:
            training = getattr(self, "mode", None)
        return bool(training)

    def is_in_model(self):
        """Whether a Keras model is calling the layer: then there is a batch axis."""
        return isinstance(self._get_call_context().entry_layer, keras.Model)

    __repr__ = settings.describe

    if keras.backend.backend() == "torch":

        def train(self, mode=True):
            self.mode = mode
            return super().train(mode)

    def get_config(self) -> dict:
        return {**settings.config(self), **super().get_config()}  # Keras knows best how to save its own arguments
