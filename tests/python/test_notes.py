import gc

import keras
import numpy as np
from keras import ops

from conftest import jitted
from kerascrop import notes


def test_a_note_stays_with_its_tensor():
    first, second = (ops.convert_to_tensor(np.zeros(3, "float32")) for _ in range(2))
    assert notes.read(first) is None
    notes.write(first, "mine")
    assert notes.read(first) == "mine" and notes.read(second) is None and notes.read(first + 1) is None
    kept = len(notes._notes)
    del first
    gc.collect()
    assert len(notes._notes) <= kept and notes.read(second) is None


def test_a_note_reaches_a_loss_inside_a_compiled_function():
    seen = []

    def function(x):
        y = 2 * x
        notes.write(y, "inside")
        seen.append(notes.read(y))
        return y

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        function = tf.function(function)
    jitted(function)(ops.convert_to_tensor(np.ones(2, "float32")))
    assert seen == ["inside"]
