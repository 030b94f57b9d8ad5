"""Helpers for XLA, TensorFlow's compiler: how to check a length, and how to loop and gather fast.

- XLA drops assertions, but it refuses to run a range that ends before it starts.
- A gather that is one loop with the arithmetic around it is fast; one that several loops share is not, as XLA then
  stores what was gathered.
- It adds up one number at a time, but multiplies matrices fast: sums along an axis are written as products.
- It scatters one number at a time.
"""

import re
import uuid

from keras import ops

from kerascrop.backend import tf


def at_least(length, least, message):
    """A scalar tensor, checked when the graph runs; `message` is the error's text.

    There are two checks, as an ordinary graph keeps the assertion and XLA only the range. A range fails with the name
    of its node and no other text, so the node's name is the message. XLA has no operation that would raise an error.
    """
    check = tf.debugging.assert_greater_equal(length, least, message=message)
    with tf.control_dependencies([check]):
        length = tf.identity(length)
    name = re.sub("[^A-Za-z0-9]+", "_", message).strip("_")
    return least + tf.size(tf.range(least, length, name=name))


def compiled(function):
    """The function, compiled for each shape it is given; in a graph that is compiled as a whole, it is part of that.

    The graph holds an ordinary function, and XLA is no more than a wish: other runtimes take the graph as it is, and
    where too many shapes come by, TensorFlow stops compiling and runs the function itself.
    """
    # A function of this attribute is not inlined before XLA sees it, but whoever exports the graph can inline it.
    mark = {"api_implements": f"kerascrop_{uuid.uuid4()}"}
    function = tf.function(function, autograph=False, experimental_attributes=mark)

    def call(*arrays):
        with tf.xla.experimental.jit_scope():
            return function(*arrays)

    return call


def without_gradient(function, *arrays):
    """The result of a compiled function, hidden from gradient tapes: they would store every step of a loop, which XLA
    cannot.
    """
    return compiled(function)(*map(ops.stop_gradient, arrays))


def add_until(stop, function, total, step):
    """The total plus what a function returns for each step from `step` until `stop`."""

    def body(step, total):
        return step + 1, total + function(step)

    return tf.while_loop(lambda step, _: step < stop, body, (step, total))[1]


def take_rows(images, dtype=None):
    """A function of indices `(batch, n)`, and weights, that returns these rows, `(batch, n, width * channels)`.

    Only what is taken is cast to the `dtype`, if there is one.
    """
    batch, height, width, channels = ops.shape(images)
    rows = ops.reshape(images, (batch * height, width * channels))
    first = ops.arange(batch, dtype="int32")[:, None] * height

    def take(index, weight=None):
        taken = ops.take(rows, first + index, axis=0)
        taken = taken if dtype is None else ops.cast(taken, dtype)
        return taken if weight is None else weight[..., None] * taken

    return take


def take_columns(images):
    """A function of indices `(batch, n)`, and weights, that returns these columns, `(batch, height, n, channels)`."""
    batch, height, width, channels = ops.shape(images)
    pixels = ops.reshape(images, (batch * height * width, channels))
    first = ops.reshape(ops.arange(batch * height, dtype="int32"), (batch, height, 1)) * width

    def take(index, weight=None):
        taken = ops.take(pixels, first + index[:, None], axis=0)
        return taken if weight is None else weight[:, None, :, None] * taken

    return take


def sum_last(x):
    """The sums along the last axis, as a matrix product."""
    shape = ops.shape(x)
    sums = ops.matmul(ops.reshape(x, (-1, shape[-1])), ops.ones((shape[-1], 1), x.dtype))
    return ops.reshape(sums, shape[:-1])
