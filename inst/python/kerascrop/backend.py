"""`tf`: TensorFlow if Keras runs on it, else None, so that the backend is asked for in one place."""

import keras

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
else:
    tf = None
