"""Models saved by earlier versions, one for each layer and learnable mode, predict what they did."""

import sys

import keras
import numpy as np
import pytest

from conftest import SAVED

sys.path.insert(0, str(SAVED))

import make  # noqa: E402  # tests/python/saved/make.py


@pytest.mark.parametrize("name", make.MODELS)
def test_a_saved_model_predicts_what_it_did(name):
    model = keras.saving.load_model(SAVED / f"{name}.keras", safe_mode=True)
    _, x = make.MODELS[name]()
    predicted = keras.tree.flatten(model.predict(x, verbose=0))
    with np.load(SAVED / f"{name}.npz") as file:
        for one, other in zip(predicted, file.values(), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)
