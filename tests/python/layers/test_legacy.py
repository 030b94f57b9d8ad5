"""What Keras 2 makes or calls is told from what Keras 3 does."""

import sys
import types

import keras
import numpy as np
import pytest

import kerascrop
from kerascrop.checks import ArgumentError
from kerascrop.layers import legacy

MODULES = ["tf_keras.src.engine.keras_tensor", "keras.engine.keras_tensor", "keras.src.engine.keras_tensor"]
MODULES += ["tensorflow.python.keras.engine.keras_tensor", "tf_keras.engine"]


@pytest.mark.parametrize("module", MODULES)
def test_a_tensor_of_keras_2_is_an_error_that_tells_the_way(module):
    tensor = type("KerasTensor", (), {"__module__": module, "shape": (None, 9, 12, 3), "dtype": "float32"})()
    layers = kerascrop.RandomCrop(4, 5), kerascrop.LearnableCrop(4, 5), kerascrop.Uncrop(9, 12), kerascrop.CropPool()
    for layer in layers:
        for inputs in (tensor, [tensor, tensor], {"images": tensor}):
            with pytest.raises(ArgumentError, match="Keras 2, .*`import keras`"):
                layer(inputs)
    own = type("Own", (type(tensor),), {"__module__": "mine"})
    assert legacy.is_legacy(own)


def test_keras_3_and_arrays_are_not_legacy():
    for each in (keras.Input((9, 12, 3)), keras.Sequential(), np.zeros(2), keras.ops.zeros(2), "tf_keras"):
        assert not legacy.is_legacy(type(each))


def test_a_model_of_keras_2_must_say_whether_it_trains(monkeypatch):
    context = types.SimpleNamespace(in_call=True)
    module = types.SimpleNamespace(call_context=lambda: context)
    monkeypatch.setitem(sys.modules, legacy.CONTEXTS[0], module)
    crop, x = kerascrop.RandomCrop(4, 5), np.zeros((2, 9, 12, 3), "float32")
    with pytest.raises(ArgumentError, match="called by a model of Keras 2, without `training`"):
        crop(x)
    assert crop(x, training=True).shape == crop(x, training=False).shape == (2, 4, 5, 3)
    context.in_call = False
    assert crop(x).shape == (2, 4, 5, 3)


def test_with_tf_keras_itself(monkeypatch):
    tf_keras = pytest.importorskip("tf_keras")
    symbol = tf_keras.Input((9, 12, 3))
    crop, x = kerascrop.RandomCrop(4, 5), np.zeros((2, 9, 12, 3), "float32")
    with pytest.raises(ArgumentError, match="Keras 2"):
        crop(symbol)

    class Model(tf_keras.Model):
        def call(self, inputs):
            return crop(inputs)

    with pytest.raises(ArgumentError, match="Keras 2"):
        Model()(x, training=True)
