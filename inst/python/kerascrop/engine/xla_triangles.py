"""Antialiased sampling in a TensorFlow graph on a CPU: `xla_taps.blend()`'s counterpart for triangles of weights.

`mix()` gives the same results as `sampling.mix()`, and so do its gradients. `sampling.mix()` multiplies each axis by a
matrix that has a weight for every pixel in every sample; here only the pixels that a sample sees are added up, one
after the other, for all samples at once. So the work grows with the number of pixels.
"""

import itertools
from typing import Any, NamedTuple

from keras import ops

from kerascrop.backend import tf
from kerascrop.engine import dtypes, weights, xla


class Triangles(NamedTuple):
    """Each sample's triangle of weights along one axis: its position, its reach, the first and last pixel that it sees,
    and the total of its weights.

    All are `(batch, n)`, except for the reach, `(batch, 1)`. The pixels are those `j`
    with `-1 <= (position - j - 0.5) / reach < 1`: slopes at a kink are the right-hand ones, as in
    `weights.antialiasing()`.
    """
    position: Any
    reach: Any
    first: Any
    last: Any
    total: Any = None


def mix(images, axes, faded, plain):
    """The sums of pixels that triangles of weights see, as `plain(images, axes)` computes them.

    Args:
        images: `(batch, height, width, channels)`.
        axes: for each axis positions `(batch, 1, n)` and how far each box's triangles reach, `(batch, 1)`.
        faded: whether samples that are half a pixel or more outside the image count for nothing.
    """
    lengths, dtype = images.shape[1:3], dtypes.result_dtype(images.dtype.name)

    def pairs(parameters):
        return [parameters[:2], parameters[2:]]

    @tf.custom_gradient
    def forward(images, *parameters):
        mixed = lambda images, *parameters: _mix(images, pairs(parameters))
        crops, rows = xla.without_gradient(mixed, images, *parameters)

        def backward(crops, *_):
            return gradients(crops, rows, images, *parameters)

        return (ops.cast(crops, dtype), ops.stop_gradient(rows)), backward

    @tf.custom_gradient
    def gradients(crops, rows, images, *parameters):
        def backward(*upstream):
            """The second-order gradient, which few need, by way of `plain()`."""
            sources = [crops, images, *parameters]
            with tf.GradientTape() as outer:
                outer.watch(sources)
                with tf.GradientTape() as inner:
                    inner.watch(sources)
                    result = plain(images, pairs(parameters))
                slopes = inner.gradient(result, sources[1:], crops)
            of_crops, *others = outer.gradient(slopes, sources, upstream)
            return of_crops, None, *others

        columns = lambda crops, *parameters: _spread_columns(crops, parameters, lengths[1], faded)
        rows_of = lambda wide, *parameters: _spread_rows(wide, parameters, lengths[0], faded)
        wide = xla.without_gradient(columns, crops, *parameters[2:])
        of_images = xla.without_gradient(rows_of, wide, *parameters[:2])
        of_places = xla.without_gradient(
            lambda images, wide, rows, crops, *parameters: _slopes(images, wide, rows, crops, pairs(parameters)),
            *(images, wide, rows, crops, *parameters),
        )
        return (ops.cast(of_images, dtype), *of_places), backward

    return forward(images, *itertools.chain(*axes))[0]


def _mix(images, axes):
    """The crops `(batch, 1, height, width, channels)`, by rows and then columns; and the result of the rows alone."""
    position = axes[0][0]
    height, width = images.shape[1:3]
    rows = _weighted(axes[0], height, xla.take_rows(images, position.dtype))
    rows = ops.reshape(rows, (-1, ops.shape(position)[2], width, images.shape[3]))
    crops = _weighted(axes[1], width, xla.take_columns(rows))
    return crops[:, None], rows


def _weighted(axis, length, take):
    """The sums of `take(pixel, weight)` over the pixels that each sample sees; both arguments are `(batch, n)`."""
    triangles = _triangles(axis, length)

    def part(step):
        pixel, _, weight = _see(triangles, step)
        return take(pixel, weight / triangles.total)

    return _sum(triangles, part)


def _triangles(axis, length):
    position, reach = axis[0][:, 0], axis[1]
    position = weights.clip(position, 0.5, ops.cast(length, position.dtype) - 0.5)
    ends = [ops.floor(position - reach + 0.5), ops.floor(position + reach - 0.5)]
    triangles = Triangles(position, reach, *[ops.clip(ops.cast(end, "int32"), 0, length - 1) for end in ends])
    return triangles._replace(total=_sum(triangles, lambda step: _see(triangles, step)[2]))


def _see(triangles, step):
    """The pixel `step` places after the first one: its index, its distance in units of the reach, and its weight.

    Where a triangle sees no pixel there, this is the last one that it sees, with a weight of 0.
    """
    pixel = triangles.first + step
    distance = (triangles.position - ops.cast(pixel, triangles.reach.dtype) - 0.5) / triangles.reach
    seen = ops.cast(pixel <= triangles.last, distance.dtype)
    return ops.minimum(pixel, triangles.last), distance, seen * ops.relu(1 - ops.abs(distance))


def _sum(triangles, part):
    """The sum of `part(step)` over as many steps as the widest triangle needs, the first four without a loop.

    For boxes of up to two pixels per sample, four are enough.
    """
    many = ops.max(triangles.last - triangles.first) + 1
    return xla.add_until(many, part, sum(map(part, range(4))), 4)


def _slopes(images, wide, rows, crops, axes):
    """The gradients for positions and reaches, from the cotangent `crops`; `wide` is that spread along the columns."""
    dtype = wide.dtype
    crops = ops.cast(crops[:, 0], dtype)
    height, width, channels = ops.shape(crops)[1:]
    take_rows, take_columns = xla.take_rows(images, dtype), xla.take_columns(rows)
    wide = ops.reshape(wide, (-1, height, wide.shape[2] * channels))

    def of_rows(pixel):
        return xla.sum_last(take_rows(pixel) * wide)

    def of_columns(pixel):
        products = ops.sum(take_columns(pixel) * crops, axis=-1)
        return ops.einsum("bi,bij->bj", ops.ones_like(products[..., 0]), products)

    return *_axis_slopes(axes[0], images.shape[1], of_rows), *_axis_slopes(axes[1], images.shape[2], of_columns)


def _axis_slopes(axis, length, product):
    """The gradients for positions `(batch, 1, n)` and reaches `(batch, 1)`.

    Args:
        product: a function of pixels `(batch, n)` that returns the products of the cotangent and what is weighted.
    """
    triangles = _triangles(axis, length)

    def part(step):
        pixel, distance, weight = _see(triangles, step)
        seen = triangles.first + step <= triangles.last
        rising = ops.cast(seen & (distance < 0), distance.dtype)
        slope = (2 * rising - ops.cast(seen, distance.dtype)) / triangles.reach
        slopes = [slope, -distance * slope]
        return ops.concatenate([ops.stack(slopes), ops.stack([*slopes, weight]) * product(pixel)])

    *of_total, of_position, of_reach, result = ops.unstack(_sum(triangles, part), 5)
    mean = result / triangles.total
    of_position, of_reach = (
        (slope - mean * change) / triangles.total for slope, change in zip((of_position, of_reach), of_total)
    )
    size = ops.cast(length, of_position.dtype)
    moves = (axis[0][:, 0] > 0.5) & (axis[0][:, 0] <= size - 0.5)
    of_position = ops.where(moves, of_position, ops.zeros_like(of_position))
    return of_position[:, None], ops.sum(of_reach, axis=1, keepdims=True)


def _spread_columns(crops, axis, length, faded):
    """The transpose along the columns: crops `(batch, 1, height, width, channels)`, spread to the images' width."""
    return _spread(axis, length, faded, xla.take_columns(ops.cast(crops[:, 0], axis[0].dtype)))


def _spread_rows(wide, axis, length, faded):
    """The transpose along the rows: images, from what `_spread_columns()` returns."""
    images = _spread(axis, length, faded, xla.take_rows(wide))
    return ops.reshape(images, (-1, length, *wide.shape[2:]))


def _spread(axis, length, faded, take):
    """The sum of `take(sample, weight)` over the samples that see a pixel; both `(batch, length)`."""
    triangles = _triangles(axis, length)
    n = ops.shape(triangles.total)[1]
    pixel = ops.arange(length, dtype="int32")
    seen = (triangles.first[..., None] <= pixel) & (pixel <= triangles.last[..., None])
    if faded:
        outside = ops.abs(axis[0][:, 0] - length / 2) >= length / 2 + 0.5
        seen = seen & ~outside[..., None]
    sample = ops.arange(n, dtype="int32")[:, None]
    first = ops.min(ops.where(seen, sample, n - 1), axis=1)
    last = ops.max(ops.where(seen, sample, -1), axis=1)

    def part(step):
        sample = ops.minimum(first + step, n - 1)
        position, whole = (tf.gather(x, sample, batch_dims=1) for x in (triangles.position, triangles.total))
        distance = (position - ops.cast(pixel, position.dtype) - 0.5) / triangles.reach
        weight = ops.relu(1 - ops.abs(distance)) / whole
        return take(sample, ops.where(first + step <= last, weight, ops.zeros_like(weight)))

    return xla.add_until(ops.max(last - first) + 1, part, part(0) + part(1), 2)
