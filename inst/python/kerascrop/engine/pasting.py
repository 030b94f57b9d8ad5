"""From crops back to images: pasted where they came from, or spread as gradients are.

Sequences and volumes are handled like images, as in `sampling.sample()`.
"""

import itertools
import math
from collections.abc import Sequence

import keras
from keras import ops
from keras.backend import standardize_dtype

from kerascrop import checks
from kerascrop.backend import torch_tracer
from kerascrop.engine import dtypes, weights
from kerascrop.engine.sampling import (
    PIXELS,
    SAMPLES,
    along,
    by_axis,
    check_how,
    flat_index,
    multiply,
    outer,
    spans_of,
    taps_of,
    triangles,
)
from kerascrop.geometry import align
from kerascrop.hints import Tensor


def adjoint(
    crops: Tensor,
    boxes: Tensor,
    size: Sequence[int],
    antialias: bool = False,
    fill_mode: str = "constant",
    interpolation: str = "bilinear",
    align_corners: bool = False,
) -> Tensor:
    """The transpose of `sample()` as a linear map of the images: `<sample(x), y>` is `<x, adjoint(y)>`.

    This is what carries a gradient from crops back to images. To put crops back where they came from, use `paste()`.

    Args:
        crops: `(batch, boxes, height, width, channels)`, or `(batch, height, width, channels)` with one box each.
        boxes: `(batch, boxes, 4)` or `(batch, 4)`, as in `sample()`.
        size: `(height, width)` of the images.
        antialias, fill_mode, interpolation, align_corners: as in `sample()`; `fill_value` counts as 0.

    Returns:
        `(batch, height, width, channels)`, in the type that `sample()` gives. Crops of boxes that are not finite are
        left out.

    Raises:
        SizeError, ShapeError, BoxError, ArgumentError: as in `sample()`, for crops instead of images.
    """
    how = check_how(antialias, interpolation, fill_mode, align_corners=align_corners)
    crops, boxes, size, dtype = _prepare(crops, boxes, size, "adjoint()")
    lengths = ops.shape(crops)[2:-1]
    boxes = align(boxes, tuple(reversed(lengths))) if align_corners else boxes
    spans = spans_of(boxes, lengths)
    if antialias:
        return ops.cast(_spread_triangles(crops, spans, size, how), dtype)
    batch, boxes = ops.shape(crops)[:2]
    image = ops.arange(batch, dtype="int32")
    sums = 0.0
    for corner in itertools.product(*taps_of(spans, size, how)):
        index, weight = zip(*corner)
        values = crops if weight[0] is None else crops * outer(weight, crops.dtype)
        sums += _add_up(values, flat_index(index, size, image), batch * math.prod(size))
    return ops.cast(ops.reshape(sums, (-1, *size, crops.shape[-1])), dtype)


def _spread_triangles(crops, spans, size, how):
    positions = [weights.positions(*span) for span in spans]
    if how.fill_mode == "constant":
        crops = crops * outer(by_axis(weights.covered, spans, size, how), crops.dtype)
    axes = [triangles(*arguments, how) for arguments in zip(positions, spans, size)]
    matrices = [weights.antialiasing(*axis, length) for axis, length in zip(axes, size)]
    return multiply(crops, matrices, SAMPLES, PIXELS, last="b")


def _add_up(values, index, count):
    """Sums `(count, channels)` of values `(..., channels)` with the same index; those of index `count` are dropped."""
    values, index = ops.reshape(values, (-1, values.shape[-1])), ops.reshape(index, (-1,))
    if keras.backend.backend() == "torch":  # Keras adds up in float32 there, whatever the type is
        return values.new_zeros((count + 1, values.shape[-1])).index_add(0, index, values)[:-1]
    return ops.segment_sum(values, index, num_segments=count + 1)[:-1]


def _prepare(crops, boxes, size, name):
    """Crops and boxes, with an axis for the boxes, in the types to compute in; the images' size and dtype. All checked.

    Boxes that are not finite are moved outside the images.
    """
    size = checks.check_size_of_crops(size)
    crops, boxes = checks.check_tensor(crops, "crops"), checks.check_tensor(boxes, "boxes")
    rank = len(size)
    lead = 2 if len(crops.shape) == rank + 3 else 1
    checks.check_pixels_shape(crops.shape, rank, "crops", lead)
    checks.check_boxes(boxes.shape, rank, crops.shape[:lead])
    dtype = dtypes.result_dtype(standardize_dtype(crops.dtype))
    checks.check_memory((crops.shape[0], *size, crops.shape[-1]), name, "images", dtype)
    crops = ops.cast(crops, dtypes.sum_dtype(dtype))
    boxes = ops.cast(boxes, "float64" if dtype == "float64" else "float32")
    sides = [ops.cast(n, boxes.dtype) for n in reversed(ops.shape(crops)[lead:-1])]
    nowhere = ops.stack([*(-2 * n for n in sides), *(-n for n in sides)])  # of the crops' size, to the left of all
    boxes = ops.where(ops.all(ops.isfinite(boxes), axis=-1, keepdims=True), boxes, nowhere)
    return (crops, boxes, size, dtype) if lead == 2 else (crops[:, None], boxes[:, None], size, dtype)


def paste(crops: Tensor, boxes: Tensor, size: Sequence[int], fill_value: float = 0.0) -> Tensor:
    """Put crops back where their boxes are: the inverse of `sample()`.

    Each crop is resized to its box, with antialiasing if the box is smaller than the crop. Overlapping crops are
    averaged; pixels without a crop get `fill_value`. Whole-pixel boxes of the crops' size put every number back
    unchanged. Crops of boxes that are not finite, or of no area, are left out.

    Args:
        crops: `(batch, boxes, height, width, channels)`, or `(batch, height, width, channels)` with one box each.
        boxes: `(batch, boxes, 4)` or `(batch, 4)`, `"xyxy"` in pixels of the output images; what lies outside is
            dropped.
        size: `(height, width)` of the images.
        fill_value: a finite number.

    Returns:
        `(batch, height, width, channels)`, in the crops' type if that is a floating-point one; in float32 for
        integers of up to 16 bits, in float64 for others. Half precision is added up in float32.

    Raises:
        SizeError, ShapeError, BoxError, ArgumentError: as in `sample()`, for crops instead of images.
    """
    fill_value = checks.check_number(fill_value, "fill_value")
    crops, boxes, size, dtype = _prepare(crops, boxes, size, "paste()")
    spans = spans_of(boxes, ops.shape(crops)[2:-1])
    whole = [
        ops.all((start == ops.round(start)) & (stop - start == ops.cast(n, start.dtype))) for start, stop, n in spans
    ]
    resized = lambda: _add_boxes(crops, spans, size)
    if torch_tracer():
        total, count = resized()  # that is right for all boxes, and what is traced cannot ask how they are
    else:
        total, count = ops.cond(ops.all(ops.stack(whole)), lambda: _add_windows(crops, spans, size), resized)
    mean = total / ops.maximum(count, 1.0)
    return ops.cast(ops.where(count < 1.0, mean + fill_value * (1.0 - count), mean), dtype)


def _add_windows(crops, spans, size):
    """Whole-pixel crops, added up where they belong, and how many of them cover each pixel."""
    batch, boxes = ops.shape(crops)[:2]
    rank, count = len(size), batch * math.prod(size)
    steps = []
    for (start, _, n), length in zip(spans, size):
        start = ops.maximum(ops.minimum(start, length), -ops.cast(n, start.dtype))  # further away is nothing either
        steps.append(ops.cast(start, "int32")[..., None] + ops.arange(n, dtype="int32"))
    outside = False
    for axis, (step, length) in enumerate(zip(steps, size)):
        outside = outside | along((step < 0) | (step >= length), axis, rank)
    index = ops.where(outside, count, flat_index(steps, size, ops.arange(batch, dtype="int32")))
    sums = _add_up(ops.concatenate([crops, ops.ones_like(crops[..., :1])], axis=-1), index, count)
    sums = ops.reshape(sums, (-1, *size, crops.shape[-1] + 1))
    return sums[..., :-1], sums[..., -1:]


def _add_boxes(crops, spans, size):
    """Crops of any boxes, resized to them and added up, and how much of each pixel they cover."""
    matrices, coverage = [], []
    for (start, stop, pixels), length in zip(spans, size):
        # The image's pixels as seen from inside the crop, `step` of the crop's pixels apart.
        length_of_box = ops.where(stop == start, ops.ones_like(start), stop - start)
        step = ops.cast(pixels, start.dtype) / length_of_box
        edges = ops.arange(length + 1, dtype=start.dtype)
        position = (edges[:-1] + 0.5 - start[..., None]) * step[..., None]
        kernel = weights.antialiasing(position, 1 + ops.relu(ops.abs(step) - 1), pixels)
        low, high = ops.minimum(start, stop)[..., None], ops.maximum(start, stop)[..., None]
        coverage.append(ops.relu(ops.minimum(edges[1:], high) - ops.maximum(edges[:-1], low)))
        matrices.append(kernel * coverage[-1][..., None])
    # Here the crops take the place of images, and the image's pixels that of samples.
    images = multiply(crops, matrices, PIXELS, SAMPLES, last="b")
    rank = len(spans)
    count = ops.sum(math.prod(along(cover, axis, rank) for axis, cover in enumerate(coverage)), axis=1)
    return images, ops.cast(count, crops.dtype)[..., None]
