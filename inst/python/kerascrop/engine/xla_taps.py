"""Bilinear sampling in a TensorFlow graph on a CPU: compiled by XLA, with hand-written gradients.

`blend()` gives the same results as `sampling.blend()`, and so do its gradients of every order. Forward and backward
gather in different ways, so that XLA does not share one gather between them. An image's gradient is gathered too,
pixel by pixel, from the samples that see it.
"""

import functools
import itertools

from keras import ops

from kerascrop.backend import tf
from kerascrop.engine import dtypes, xla


def blend(images, taps, plain):
    """The weighted sums of pixels, as `plain(images, taps)` computes them.

    Args:
        images: `(batch, height, width, channels)`.
        taps: for each axis a list of pairs `(index, weight)`, both `(batch, 1, n)`.
    """
    indices, many = [[index for index, _ in axis] for axis in taps], sum(map(len, taps))
    lengths, dtype = images.shape[1:3], dtypes.result_dtype(images.dtype.name)

    def with_weights(function):
        """Turn a function of arrays and taps into one of arrays and weights, each an argument for custom gradients."""
        return lambda *arrays: function(*arrays[:-many], _pair(indices, arrays[-many:]))

    gather = with_weights(plain)
    spread = with_weights(functools.partial(_spread, lengths=lengths))
    slopes = xla.compiled(with_weights(_slopes))

    @tf.custom_gradient
    def forward(images, *weights):
        def gradient(crops):
            return backward(crops, *weights), *slopes(images, crops, *weights)

        return xla.without_gradient(gather, images, *weights), gradient

    @tf.custom_gradient
    def backward(crops, *weights):
        """The transpose of `forward()`; its gradients are of the same form, from the same images, crops and weights."""

        def gradient(images):
            return forward(images, *weights), *slopes(images, crops, *weights)

        return ops.cast(xla.without_gradient(spread, crops, *weights), dtype), gradient

    return forward(images, *[weight for axis in taps for _, weight in axis])


def _pair(indices, weights):
    weights = iter(weights)
    return [[(index, next(weights)) for index in axis] for axis in indices]


def _slopes(images, crops, taps):
    """The gradient of `sum(blend(images, taps) * crops)` with respect to every weight."""
    rows, columns = taps
    dtype = rows[0][1].dtype
    images, crops = ops.cast(images, dtype), ops.cast(crops[:, 0], dtype)
    batch, height, width = ops.shape(crops)[:3]
    image = ops.arange(batch, dtype="int32")[:, None, None]
    of_rows, of_columns = [0.0] * len(rows), [0.0] * len(columns)
    for (i, row), (j, column) in itertools.product(enumerate(rows), enumerate(columns)):
        target = [image, row[0][:, 0, :, None], column[0][:, 0, None, :]]
        target = ops.stack([ops.broadcast_to(x, (batch, height, width)) for x in target], axis=-1)
        products = ops.sum(crops * tf.gather_nd(images, target), axis=-1)
        of_rows[i] += ops.einsum("bij,bkj->bki", products, column[1])
        of_columns[j] += ops.einsum("bij,bki->bkj", products, row[1])
    return *of_rows, *of_columns


def _spread(crops, taps, lengths):
    """The transpose of `blend()`: along the columns, then along the rows."""
    rows, columns = taps
    dtype = rows[0][1].dtype
    crops = ops.cast(crops[:, 0], dtype)
    crops = _collect(columns, lengths[1], xla.take_columns(crops))
    images = _collect(rows, lengths[0], xla.take_rows(crops))
    return ops.reshape(images, (-1, *lengths, crops.shape[-1]))


def _collect(taps, length, take):
    """The sum of `take(sample, weight)` over the samples that see a pixel; both `(batch, length)`.

    The samples that see a pixel lie between a first and a last one. If a crop is not larger than its box, there are
    two at most; a loop continues as long as any pixel has more.
    """
    indices, weights = zip(*[(index[:, 0], weight[:, 0]) for index, weight in taps])
    batch, n = ops.shape(indices[0])
    samples = ops.broadcast_to(ops.arange(n, dtype="int32"), (batch, n))
    samples = ops.reshape(ops.concatenate([samples] * len(taps), axis=1), (-1,))
    target = ops.concatenate(indices, axis=1) + ops.arange(batch, dtype="int32")[:, None] * length
    # Samples outside the image have the index of an outermost pixel, with a weight of 0: they are left out.
    target = ops.where(ops.concatenate(weights, axis=1) == 0, -1, target)
    target = ops.reshape(target, (-1,))
    # For a pixel that no sample sees, TensorFlow's minimum is the greatest integer, and its maximum the least one.
    first = ops.minimum(tf.math.unsorted_segment_min(samples, target, batch * length), n - 1)
    last = ops.maximum(tf.math.unsorted_segment_max(samples, target, batch * length), -1)
    first, last = ops.reshape(first, (batch, length)), ops.reshape(last, (batch, length))
    pixel = ops.arange(length, dtype="int32")

    def of(step):
        sample = ops.minimum(first + step, n - 1)
        seen = first + step <= last
        weight = 0.0
        for index, value in zip(indices, weights):
            here = seen & (tf.gather(index, sample, batch_dims=1) == pixel)
            value = tf.gather(value, sample, batch_dims=1)
            weight += ops.where(here, value, ops.zeros_like(value))
        return take(sample, weight)

    many = ops.max(last - first) + 1
    return xla.add_until(many, of, of(0) + of(1), 2)
