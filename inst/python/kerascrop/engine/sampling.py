"""The differentiable resampler: boxes with real-valued sides, cut out of images and resized.

Output pixel `i` of `n` samples the input at edge coordinate `x1 + (i + 0.5) * (x2 - x1) / n`, and
input column `j` has its centre at `j + 0.5`. So a whole-pixel box that is as large as the output gives the
exact slice, and PyTorch's `affine_grid` + `grid_sample(align_corners=False)` is the same map.

Along each axis a sample is the weighted mean of its nearest pixels (bilinear; Jaderberg et al. 2015,
"Spatial Transformer Networks", equation 5). `antialias=True` widens the triangle of weights by
`max(1, box / size)`, so that every pixel of a box counts when the crop is smaller than the box.
Sequences and volumes are sampled like images, along one axis or three.
"""

import functools
import itertools
import math
import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from keras import ops
from keras.backend import standardize_dtype

from kerascrop import checks
from kerascrop.backend import tf
from kerascrop.engine import dtypes, weights, xla_taps, xla_triangles
from kerascrop.engine.graphs import Graph
from kerascrop.geometry import align
from kerascrop.hints import Tensor

FILL_MODES = tuple(weights.FILL_MODES)
INTERPOLATIONS = ("bilinear", "nearest", "bicubic")

# The spatial axes' letters in `einsum()`; batch, boxes and channels are b, k and c.
PIXELS, SAMPLES = "uvw", "xyz"


def sample(
    images: Tensor,
    boxes: Tensor,
    size: Sequence[int],
    antialias: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    interpolation: str = "bilinear",
    align_corners: bool = False,
    box_indices: Tensor | None = None,
    gradient_reach: float | None = None,
) -> Tensor:
    """Crop boxes out of images and resize them, differentiably in image and box.

    Args:
        images: `(batch, height, width, channels)`; sequences `(batch, length, channels)` or volumes
            `(batch, depth, height, width, channels)`. Integers are computed, and returned, as float32, those of 32 and
            64 bits as float64: a resampled pixel is an average. Half precision is computed in float32.
        boxes: `(batch, 4)` or `(batch, boxes, 4)`, `"xyxy"` in edge coordinates (pixels); 2 numbers for sequences
            (`x1, x2`), 6 for volumes (`x1, y1, z1, x2, y2, z2`). They are computed in float32 at least, whatever the
            images' dtype. A box whose side runs backwards gives a mirrored crop.
        size: `(height, width)` of the crops, in pixels; `(length,)` or `(depth, height, width)`.
        antialias: widen the kernel where a box is larger than the crop. At the image's edge the kernel is cut off, as
            `keras.ops.image.resize()` does.
        fill_mode: what is outside the image: `"constant"`, `"nearest"` (the edge's pixels) or `"reflect"`
            (`d c b a | a b c d | d c b a`; with `align_corners` `d c b | a b c d | c b a`). `"constant"` is blended
            with the image over its last pixel, as in `grid_sample(padding_mode="zeros")`, only where a box reaches
            out: along an axis on which it is inside, its crop shows the image alone, as with `"nearest"`.
        fill_value: the number for `"constant"`; for `"nearest"` interpolation, one that the images' dtype holds.
        interpolation: `"bilinear"`; `"bicubic"`, smoother, which may overshoot (Keys 1981, with the parameter -0.75, as
            in PyTorch); or `"nearest"`: the pixel that holds the sample, for masks and labels, which keeps the images'
            dtype and gives the boxes no gradient.
        align_corners: take the first sample at the centre of the box's first pixel and the last one at the centre of
            its last, as `grid_sample(align_corners=True)` and `tf.image.crop_and_resize()` do, rather than samples in
            the middle of equal parts. The image then ends at the centres of its outermost pixels, too, and a sample
            beyond them is the `fill_value` alone, as in `tf.image.crop_and_resize()`.
        box_indices: `(boxes,)`, the index of each box's image, counted from 0, for boxes `(boxes, 4)`, as
            `tf.image.crop_and_resize()` takes them; None pairs boxes and images.
        gradient_reach: a number of pixels, at least 1: the boxes' gradient is computed as if each sample saw this far
            to each side, so that it is useful for a box that is off by more than a pixel. The crops stay the same.

    Returns:
        `(batch, height, width, channels)`, with `(batch, boxes, …)` in front for many boxes. A box with a NaN or an
        infinite side gives a crop of NaNs; in integers and booleans, which have none, of `fill_value`.

    Raises:
        SizeError: a size is not a positive whole number, or the crops would be too large for memory.
        ShapeError: the images are not a batch with as many axes as the size asks for, or have no pixels.
        BoxError: boxes have another shape, or are for another number of images; `box_indices` are not whole numbers,
            one for each box, or there is no such image (checked unless they are known only when a graph runs).
        ArgumentError: images or boxes that are not numbers; an unknown `fill_mode` or `interpolation`, a `fill_value`
            that is not a finite number, a `gradient_reach` below 1, or `antialias` with an interpolation other than
            `"bilinear"`.

    Warns:
        kerascrop.BoxWarning: a box lies wholly outside its image. Boxes in a graph, or on a GPU, are not looked at.
    """
    how = check_how(antialias, interpolation, fill_mode, fill_value, align_corners, gradient_reach)
    size = checks.check_size_of_crops(size)
    images, boxes = checks.check_tensor(images, "images"), checks.check_tensor(boxes, "boxes")
    checks.check_pixels_shape(images.shape, len(size), "images")
    if box_indices is None:
        checks.check_boxes(boxes.shape, len(size), images.shape[:1], (images.shape[0], None))
    else:
        checks.check_boxes(boxes.shape, len(size), (None,))
        box_indices = checks.check_box_indices(box_indices, boxes.shape[0], images.shape[0])
    checks.warn_outside(boxes, images.shape[1:-1], "sample()")
    checks.check_memory((*boxes.shape[:-1], *size, images.shape[-1]), "sample()", dtype=_dtype(images, how))
    return resample(images, boxes, size, how, box_indices)


def resample(images, boxes, size, how, box_indices=None):
    """`sample()` for arguments that have been checked, with the options as a `How`."""
    if 0 in boxes.shape[:-1]:  # JAX cannot take from nothing, and many empty sums in TensorFlow's graph end the process
        return ops.zeros((*boxes.shape[:-1], *size, images.shape[-1]), _dtype(images, how))
    dtype, nearest = _dtype(images, how), how.interpolation == "nearest"
    precise = "float64" in (dtype, standardize_dtype(boxes.dtype))
    if standardize_dtype(images.dtype) != "uint8":  # a copy of whole photographs would cost more than small crops
        images = ops.cast(images, dtype)
    boxes = ops.cast(boxes, "float64" if precise else "float32")
    single = len(boxes.shape) == 2
    boxes = boxes[:, None] if single else boxes
    boxes = align(boxes, tuple(reversed(size))) if how.align_corners else boxes
    if how.gradient_reach is None or nearest:
        crops = _resample(images, boxes, size, how, box_indices)
    else:
        crops = _resample(images, ops.stop_gradient(boxes), size, how, box_indices)
        how = how._replace(least_reach=how.gradient_reach)
        wide = _resample(ops.stop_gradient(images), boxes, size, how, box_indices)
        crops = crops + (wide - ops.stop_gradient(wide))
    return crops[:, 0] if single else crops


@functools.lru_cache(maxsize=64)
def resampling(size, how, several):
    """`resample()` of images and boxes as a `Graph`, for layers that are called again and again.

    There is one for boxes `(batch, boxes, 4)`, where there are `several`, and one for `(batch, 4)`: a graph for both
    would not know how many axes they have.
    """
    return Graph(lambda images, boxes: resample(images, boxes, size, how))


def _dtype(images, how):
    dtype = standardize_dtype(images.dtype)
    return dtype if how.interpolation == "nearest" else dtypes.result_dtype(dtype)


class How(NamedTuple):
    """How crops are resampled: the options of `sample()`, checked."""

    interpolation: str = "bilinear"
    fill_mode: str = "constant"
    fill_value: float = 0.0
    align_corners: bool = False
    gradient_reach: float | None = None
    least_reach: float | None = None  # least pixels that antialiasing kernels see each way; None without antialiasing


def check_how(
    antialias: bool = False,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    align_corners: bool = False,
    gradient_reach: float | None = None,
) -> How:
    """The options as a `How`, checked one by one and together."""
    fill_mode = checks.check_choice(fill_mode, "fill_mode", FILL_MODES)
    interpolation = checks.check_choice(interpolation, "interpolation", INTERPOLATIONS)
    if checks.check_flag(antialias, "antialias") and interpolation != "bilinear":
        raise checks.ArgumentError(f"`antialias` goes with interpolation='bilinear', not with {interpolation!r}.")
    align_corners = checks.check_flag(align_corners, "align_corners")
    fill_value = checks.check_number(fill_value, "fill_value")
    if gradient_reach is not None:
        if checks.check_number(gradient_reach, "gradient_reach") < 1:
            raise checks.ArgumentError(f"`gradient_reach` must be at least 1 pixel, not {gradient_reach:g}.")
        gradient_reach = float(gradient_reach)
    return How(interpolation, fill_mode, fill_value, align_corners, gradient_reach, 1 if antialias else None)


def spans_of(boxes, size):
    """For each axis, the outermost first: where boxes start and stop, and the crops' length."""
    rank = len(size)
    return [(boxes[..., i], boxes[..., rank + i], n) for i, n in zip(reversed(range(rank)), size)]


def _resample(images, boxes, size, how, box_indices):
    spans = spans_of(boxes, size)
    if how.least_reach is not None:
        images = images if box_indices is None else ops.take(images, box_indices, axis=0)
        return _by_triangles(images, spans, how)
    if how.interpolation == "nearest":
        return _nearest(images, spans, how, box_indices)
    return _by_taps(images, spans, how, box_indices)


def _by_taps(images, spans, how, box_indices):
    """Each sample is the weighted sum of a few pixels along each axis, gathered one by one."""
    lengths = ops.shape(images)[1:-1]
    taps = taps_of(spans, lengths, how)
    if how.interpolation == "bilinear" and _suits_xla(images, spans[0][0].shape) and box_indices is None:
        crops = xla_taps.blend(images, taps, blend)
    else:
        crops = blend(images, taps, box_indices)
    if how.fill_mode != "constant" or how.fill_value == 0:
        return crops
    sums = [sum(weight for _, weight in axis) for axis in taps]
    # Without the rounding errors of a sum, where nothing is missing.
    own = by_axis(weights.kept, spans, lengths, how)
    return _filled(crops, [ops.where(whole, 1.0, part) for whole, part in zip(own, sums)], how)


def _filled(crops, parts, how):
    """Crops with the fill value in place of what is outside the image.

    Args:
        crops: weighted sums, in which nothing outside the image has a weight.
        parts: for each axis how much of each sample is the image, `(batch, boxes, n)`.
    """
    return crops + how.fill_value * (1 - outer(parts, crops.dtype))


LARGE, FEW = 256 * 256, 16  # pixels of an image, and boxes in it


def _suits_xla(images, boxes_shape, large=math.inf):
    """Whether XLA is faster for these images and boxes `(batch, number)`.

    It is only in TensorFlow graphs on a CPU, for images of known size, as XLA compiles for each new size, and for one
    box per image, or a few in images of `large` pixels or more.
    """
    if tf is None or tf.executing_eagerly() or len(images.shape) != 4 or None in images.shape[1:]:
        return False
    most = FEW if math.prod(images.shape[1:3]) >= large else 1
    return boxes_shape[1] is not None and boxes_shape[1] <= most and not tf.config.list_physical_devices("GPU")


def blend(images, taps, box_indices=None):
    """Weighted sums of pixels; a pixel's weight is the product of one weight along each axis."""
    crops, dtype = 0.0, dtypes.sum_dtype(standardize_dtype(images.dtype))
    for corner in itertools.product(*taps):
        weight = outer([weight for _, weight in corner], dtype)
        crops += weight * ops.cast(_gather(images, [index for index, _ in corner], box_indices), dtype)
    return ops.cast(crops, dtypes.result_dtype(standardize_dtype(images.dtype)))


def taps_of(spans, lengths, how):
    return [
        weights.taps(weights.positions(*span), span[:2], length, how.interpolation, how.fill_mode, how.align_corners)
        for span, length in zip(spans, lengths)
    ]


def _nearest(images, spans, how, box_indices):
    """Each sample is the pixel that holds it; no arithmetic, so any dtype passes."""
    lengths, dtype = ops.shape(images)[1:-1], standardize_dtype(images.dtype)
    checks.check_holds(how.fill_value, "fill_value", dtype)
    ((*taps,),) = zip(*taps_of(spans, lengths, how))
    crops = _gather(images, [index for index, _ in taps], box_indices)
    if how.fill_mode == "constant":
        inside = outer([weight for _, weight in taps], "float32") > 0
        crops = ops.where(inside, crops, ops.cast(how.fill_value, crops.dtype))
    lost = ~functools.reduce(operator.and_, [ops.isfinite(start) & ops.isfinite(stop) for start, stop, _ in spans])
    lost = ops.reshape(lost, (*ops.shape(lost), *(1,) * (len(spans) + 1)))
    return ops.where(lost, ops.cast(np.nan if "float" in dtype else how.fill_value, dtype), crops)


def _by_triangles(images, spans, how):
    """Each sample is the weighted sum of the pixels in its reach along each axis."""
    lengths = ops.shape(images)[1:-1]
    positions = [weights.positions(*span) for span in spans]
    axes = [triangles(*arguments, how) for arguments in zip(positions, spans, lengths)]
    if _suits_xla(images, spans[0][0].shape, LARGE):
        faded = how.fill_mode == "constant"
        one_by_one = [
            xla_triangles.mix(images, [(at[:, k : k + 1], reach[:, k : k + 1]) for at, reach in axes], faded, mix)
            for k in range(spans[0][0].shape[1])
        ]
        crops = ops.concatenate(one_by_one, axis=1)
    else:
        crops = mix(images, axes)
    if how.fill_mode != "constant":
        return crops
    parts = by_axis(weights.covered, spans, lengths, how)
    crops *= outer(parts, crops.dtype)
    return _filled(crops, parts, how) if how.fill_value != 0 else crops


def by_axis(function, spans, lengths, how):
    """`weights.kept` or `weights.covered` of the samples along each axis."""
    return [
        function(weights.positions(*span), span[:2], length, how.align_corners) for span, length in zip(spans, lengths)
    ]


def mix(images, axes):
    """Matrix products with the triangles of weights of each axis: positions `(batch, boxes, n)`, and reaches."""
    matrices = [weights.antialiasing(*axis, length) for axis, length in zip(axes, ops.shape(images)[1:-1])]
    dtype = standardize_dtype(images.dtype)
    crops = multiply(ops.cast(images, dtypes.sum_dtype(dtype)), matrices, PIXELS, SAMPLES, first="b")
    return ops.cast(crops, dtypes.result_dtype(dtype))


def multiply(values, matrices, old, new, first="bk", last="bk"):
    """Multiply the values' axes, one after the other, by a matrix `(batch, boxes, samples, pixels)` for each.

    Args:
        old, new: the letters of the axes before and after, `PIXELS` and `SAMPLES` or the reverse.
        first, last: the letters of the leading axes of the values and of the result: batch, and boxes, which are
            summed in the last product if the result has none.
    """
    axes = old[: len(matrices)]
    for i, matrix in enumerate(matrices):
        before = first if i == 0 else "bk"
        after = last if i == len(matrices) - 1 else "bk"
        result = axes.replace(old[i], new[i])
        matrix = ops.cast(matrix, values.dtype)
        values = ops.einsum(f"bk{SAMPLES[i]}{PIXELS[i]},{before}{axes}c->{after}{result}c", matrix, values)
        axes = result
    return values


def triangles(position, span, length, how):
    """The positions of the triangles of weights, and how far they reach."""
    start, stop, n = span
    position = weights.FILL_MODES[how.fill_mode].inside(position, length, how.align_corners)
    return position, how.least_reach + ops.relu(ops.abs(stop - start) / ops.cast(n, start.dtype) - how.least_reach)


def along(values, axis, rank):
    """Values `(batch, boxes, n)`, reshaped to broadcast along one of the crops' axes."""
    return values[(slice(None), slice(None)) + (None,) * axis + (slice(None),) + (None,) * (rank - 1 - axis)]


def outer(values, dtype):
    """The product of one tensor `(batch, boxes, n)` for each axis, with an axis for the channels."""
    rank = len(values)
    return ops.cast(math.prod(along(value, axis, rank) for axis, value in enumerate(values)), dtype)[..., None]


def flat_index(indices, lengths, image):
    """The flat indices of pixels, counted through all images, for indices `(batch, boxes, n)` along each axis."""
    rank = len(indices)
    flat = ops.reshape(image, (-1, 1) + (1,) * rank)
    for axis, (length, index) in enumerate(zip(lengths, indices)):
        flat = flat * length + along(index, axis, rank)
    return flat


def _gather(images, indices, box_indices=None):
    """The pixels at the crossings of indices `(batch, boxes, n)`, one tensor for each axis."""
    shape = ops.shape(images)
    image = ops.arange(shape[0], dtype="int32") if box_indices is None else ops.cast(box_indices, "int32")
    flat = flat_index(indices, shape[1:-1], image)
    return ops.take(ops.reshape(images, (-1, shape[-1])), flat, axis=0)
