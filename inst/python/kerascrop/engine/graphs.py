"""Functions that TensorFlow runs as one graph, which spares the time between their operations."""

import functools
import weakref

from kerascrop.backend import tf

# Eager calls before a graph is made. Making one takes as long as some ten of them: it pays for what is called again and
# again, as a server does.
CALLS = 3


class Graph:
    """A function of tensors, which returns tensors and does nothing else; called eagerly again and again, it becomes a
    TensorFlow graph: one for sizes that stay, and one for all that change.
    """

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *tensors):
        if tf is None or not tf.executing_eagerly():
            return self.function(*tensors)
        self.calls += 1
        if self.calls == CALLS:
            self.function = tf.function(self.function, autograph=False, reduce_retracing=True)
        return self.function(*tensors)


def in_graph(method):
    """A layer's method as a `Graph`, one for each layer, kept outside of it, whose attributes are saved.

    In a `keras.StatelessScope` weights have values for the moment, which no graph must keep: the method runs as it is.
    """
    graphs = weakref.WeakKeyDictionary()

    @functools.wraps(method)
    def call(layer, *tensors):
        if tf is None or not all(isinstance(weight.value, tf.Variable) for weight in layer.weights):
            return method(layer, *tensors)
        if layer not in graphs:
            own = weakref.ref(layer)
            graphs[layer] = Graph(lambda *tensors: method(own(), *tensors))
        return graphs[layer](*tensors)

    return call
