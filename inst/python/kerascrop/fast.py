"""Sampling in a TensorFlow graph on a CPU: compiled by XLA, with gradients made by hand.

One contract: `blend()` and `mix()` give what the functions of that name in `sampling` do, as do their gradients of
every order; the gradients of `mix()` are the plain ones. What is known of XLA on a CPU, and used here:

- A gather that is one loop with the arithmetic around it is fast; one that several loops share is not, as XLA then
  stores what was gathered. So forward and backward gather in different ways, which XLA does not take for the same.
- It adds up one number at a time, but multiplies matrices fast: sums along an axis are products.
- It scatters one number at a time: an image's gradient is gathered too, pixel by pixel, from the samples that see it.
"""

import functools
import itertools

from keras import backend, ops

from kerascrop import kernels


def applies(images, boxes, box_indices):
    """Whether this is for these images, and boxes of the shape `(batch, number)`.

    Only in graphs and for images of a known size, as XLA compiles for each new one; and for one box an image.
    """
    one = boxes[1] == 1 and box_indices is None
    if backend.backend() != "tensorflow" or len(images.shape) != 4 or None in images.shape[1:] or not one:
        return False
    import tensorflow as tf

    return not tf.executing_eagerly() and not tf.config.list_physical_devices("GPU")


def blend(images, taps, plain):
    """The weighted sums of pixels, as `plain(images, taps)` computes them.

    Args:
        images: `(batch, height, width, channels)`.
        taps: for each axis a list of pairs `(index, weight)`, both `(batch, 1, n)`.
    """
    indices = [[index for index, _ in axis] for axis in taps]
    lengths, dtype = images.shape[1:3], images.dtype

    def with_weights(function):
        """A function of an array and the weights, which custom gradients take one by one."""
        return lambda array, *weights: function(array, _pair(indices, weights))

    def slopes(images, crops, weights):
        function = _compile(lambda images, crops, *weights: _slopes(images, crops, _pair(indices, weights)))
        return function(images, crops, *weights)

    @_custom_gradient
    def forward(images, *weights):
        def gradient(crops):
            return backward(crops, *weights), *slopes(images, crops, weights)

        return _unseen(with_weights(plain), images, *weights), gradient

    @_custom_gradient
    def backward(crops, *weights):
        """The transpose; what it multiplies are the same three things as in `forward()`."""

        def gradient(images):
            return forward(images, *weights), *slopes(images, crops, weights)

        spread = with_weights(functools.partial(_spread, lengths=lengths))
        return ops.cast(_unseen(spread, crops, *weights), dtype), gradient

    return forward(images, *[weight for axis in taps for _, weight in axis])


def mix(images, axes, plain):
    """The sums of pixels that triangles of weights see, as `plain(images, axes)` computes them; its gradients are used.

    Args:
        images: `(batch, height, width, channels)`.
        axes: for each axis positions `(batch, 1, n)` and how far each box's triangles reach, `(batch, 1)`.
    """
    import tensorflow as tf

    def pairs(places):
        return [places[:2], places[2:]]

    @_custom_gradient
    def forward(images, *places):
        def gradient(crops):
            with tf.GradientTape() as tape:
                tape.watch([images, *places])
                result = plain(images, pairs(places))
            return tape.gradient(result, [images, *places], crops)

        return _unseen(lambda images, *places: _mix(images, pairs(places)), images, *places), gradient

    return forward(images, *itertools.chain(*axes))


def _mix(images, axes):
    """Along the rows, then along the columns; of each pixel that a sample sees, one after the other."""
    batch, height, width, channels = ops.shape(images)
    rows, columns = (ops.shape(position)[2] for position, _ in axes)
    dtype = axes[0][0].dtype
    wide = ops.reshape(images, (batch * height, width * channels))
    first = ops.arange(batch, dtype="int32")[:, None] * height
    wide = ops.cast(wide, dtype)
    crops = _add_seen(
        axes[0], height, lambda pixel, weight: weight[..., None] * ops.take(wide, first + pixel, axis=0)
    )
    pixels = ops.reshape(crops, (batch * rows * width, channels))
    line = ops.reshape(ops.arange(batch * rows, dtype="int32"), (batch, rows, 1)) * width
    crops = _add_seen(
        axes[1],
        width,
        lambda pixel, weight: weight[:, None, :, None] * ops.take(pixels, line + pixel[:, None], axis=0),
    )
    return ops.cast(ops.reshape(crops, (batch, 1, rows, columns, channels)), images.dtype)


def _add_seen(axis, length, part):
    """The sum of `part(pixel, weight)`, both `(batch, n)`, over the pixels that a triangle covers."""
    position, reach = axis[0][:, 0], axis[1]
    size = ops.cast(length, position.dtype)
    position = kernels.clip(position, 0.5, size - 0.5)
    first = ops.cast(ops.relu(ops.floor(position - reach + 0.5)), "int32")
    last = ops.cast(size - 1 - ops.relu(size - ops.ceil(position + reach - 0.5)), "int32")

    def seen(step):
        pixel = first + step
        distance = ops.abs(position - ops.cast(pixel, position.dtype) - 0.5) / reach
        weight = ops.where(pixel <= last, ops.relu(1 - distance), ops.zeros_like(distance))
        return ops.clip(pixel, 0, length - 1), weight

    def sums(function, steps):
        """Of as many steps as the widest triangle needs; `steps` of them without a loop."""
        return _add_until(many, function, sum(map(function, range(steps))), steps)

    many = ops.max(last - first) + 1
    total = sums(lambda step: seen(step)[1], 1)

    def weighted(step):
        pixel, weight = seen(step)
        return part(pixel, weight / total)

    return sums(weighted, 4)  # all there are up to two pixels a sample


def _pair(indices, weights):
    weights = iter(weights)
    return [[(index, next(weights)) for index in axis] for axis in indices]


def _compile(function):
    """Compiled for the shapes that come; inside of a graph that is compiled as a whole, a part of it."""
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


def _unseen(function, *arrays):
    """What a compiled function gives, unseen by tapes: they would store every step of a loop, which XLA cannot."""
    return _compile(function)(*map(ops.stop_gradient, arrays))


def _custom_gradient(function):
    import tensorflow as tf

    return tf.custom_gradient(function)


def _slopes(images, crops, taps):
    """The gradient to every weight of `sum(blend(images, taps) * crops)`."""
    import tensorflow as tf

    rows, columns = taps
    dtype = rows[0][1].dtype
    images, crops = ops.cast(images, dtype), ops.cast(crops[:, 0], dtype)
    batch, height, width = ops.shape(crops)[:3]
    image = ops.arange(batch, dtype="int32")[:, None, None]
    of_rows, of_columns = [0.0] * len(rows), [0.0] * len(columns)
    for (i, row), (j, column) in itertools.product(enumerate(rows), enumerate(columns)):
        place = [image, row[0][:, 0, :, None], column[0][:, 0, None, :]]
        place = ops.stack([ops.broadcast_to(x, (batch, height, width)) for x in place], axis=-1)
        products = ops.sum(crops * tf.gather_nd(images, place), axis=-1)
        of_rows[i] += ops.einsum("bij,bkj->bki", products, column[1])
        of_columns[j] += ops.einsum("bij,bki->bkj", products, row[1])
    return *of_rows, *of_columns


def _spread(crops, taps, lengths):
    """The transpose of `blend()`: along the columns, then along the rows."""
    rows, columns = taps
    dtype = rows[0][1].dtype
    crops = ops.cast(crops[:, 0], dtype)
    batch, height, width, channels = ops.shape(crops)
    line = ops.reshape(ops.arange(batch * height, dtype="int32"), (batch, height, 1)) * width
    pixels = ops.reshape(crops, (-1, channels))
    crops = _collect(
        columns,
        lengths[1],
        lambda sample, weight: weight[:, None, :, None] * ops.take(pixels, line + sample[:, None], axis=0),
    )
    wide = ops.reshape(crops, (batch * height, lengths[1] * channels))
    first = ops.arange(batch, dtype="int32")[:, None] * height
    images = _collect(
        rows, lengths[0], lambda sample, weight: weight[..., None] * ops.take(wide, first + sample, axis=0)
    )
    return ops.reshape(images, (batch, *lengths, channels))


def _collect(taps, length, part):
    """The sum of `part(sample, weight)` over the samples that see a pixel; both `(batch, length)`.

    The samples that see a pixel lie between a first and a last one. Where a crop is not larger than its box these are
    two at most; a loop goes on as long as any pixel has more.
    """
    import tensorflow as tf

    indices, weights = zip(*[(index[:, 0], weight[:, 0]) for index, weight in taps])
    batch, n = ops.shape(indices[0])
    samples = ops.broadcast_to(ops.arange(n, dtype="int32"), (batch, n))
    samples = ops.reshape(ops.concatenate([samples] * len(taps), axis=1), (-1,))
    place = ops.concatenate(indices, axis=1) + ops.arange(batch, dtype="int32")[:, None] * length
    place = ops.reshape(place, (-1,))
    # Of a pixel that no sample sees, the first one is the greatest integer that there is, and the last one the least.
    first = ops.minimum(tf.math.unsorted_segment_min(samples, place, batch * length), n - 1)
    last = ops.maximum(tf.math.unsorted_segment_max(samples, place, batch * length), -1)
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
        return part(sample, weight)

    many = ops.max(last - first) + 1
    return _add_until(many, of, of(0) + of(1), 2)


def _add_until(stop, function, total, step):
    """The total and what a function gives for each further step."""
    import tensorflow as tf

    def body(step, total):
        return step + 1, total + function(step)

    return tf.while_loop(lambda step, _: step < stop, body, (step, total))[1]
