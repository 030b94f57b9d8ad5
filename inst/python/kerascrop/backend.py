"""TensorFlow where Keras runs on it, else None: what only TensorFlow has is asked for in one place."""

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
else:
    tf = None
