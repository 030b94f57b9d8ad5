"""The differentiable resampler: boxes with real-valued sides, cut out of images and resized; and pasted back.

Output pixel `i` of `n` samples the input at edge coordinate `x1 + (i + 0.5) * (x2 - x1) / n`, and
input column `j` has its centre at `j + 0.5`. So a whole-pixel box that is as large as the output gives the
slice exactly, and PyTorch's `affine_grid` + `grid_sample(align_corners=False)` is the same map.

Along each axis a sample is the weighted mean of its nearest pixels (bilinear; Jaderberg et al. 2015,
"Spatial Transformer Networks", equation 5). `antialias=True` widens the triangle of weights by
`max(1, box / size)`, so that every pixel of a box counts when the crop is smaller than the box.
Sequences and volumes are sampled like images, along one axis or three.
"""

import itertools
import math

from keras import ops
from keras.backend import standardize_dtype

from kerascrop.axes import AXIS_NAMES
from kerascrop.boxes import split
from kerascrop.checks import check_choice, check_memory, check_number, check_sizes

FILL_MODES = ("constant", "nearest", "reflect")
INTERPOLATIONS = ("bilinear", "nearest")

# The axes' letters in sums over pixels and samples: batch, boxes (k), up to three spatial axes, channels.
PIXELS, SAMPLES = "uvw", "xyz"


def sample(
    images, boxes, size, antialias=False, fill_mode="constant", fill_value=0.0, interpolation="bilinear"
):
    """Crop boxes out of images and resize them, differentiably in image and box.

    Args:
        images: `(batch, height, width, channels)`; sequences `(batch, length, channels)` or volumes
            `(batch, depth, height, width, channels)`. Integers are computed, and returned, as float32: a
            resampled pixel is an average.
        boxes: `(batch, 4)` or `(batch, boxes, 4)`, `"xyxy"` in edge coordinates (pixels); 2 numbers for sequences
            (`x1, x2`), 6 for volumes (`x1, y1, z1, x2, y2, z2`). They are computed in float32 at least, whatever the
            images are. A box whose side runs backwards gives a mirrored crop.
        size: `(height, width)` of the crops, in pixels; `(length,)` or `(depth, height, width)`.
        antialias: widen the kernel where a box is larger than the crop. At the image's edge the kernel is cut off, as
            `keras.ops.image.resize()` does; `fill_mode` is for the samples whose centre lies outside.
        fill_mode: what lies outside the image: `"constant"`, `"nearest"` (the edge's pixels) or
            `"reflect"` (`d c b a | a b c d | d c b a`).
        fill_value: the number for `"constant"`.
        interpolation: `"bilinear"`, or `"nearest"`: the pixel that holds the sample, for masks and labels. It keeps
            the images' dtype and gives the boxes no gradient.

    Returns:
        `(batch, height, width, channels)`, with `(batch, boxes, …)` in front for many boxes. A box with a NaN
        gives a crop of NaNs.

    Raises:
        SizeError: a size is no positive whole number.
        ArgumentError: an unknown `fill_mode` or `interpolation`, or a `fill_value` that is no finite number.
    """
    size = check_sizes(size, AXIS_NAMES[len(size)])
    check_memory((*ops.shape(boxes)[:-1], *size, ops.shape(images)[-1]), "sample()")
    check_choice(fill_mode, "fill_mode", FILL_MODES)
    fill_value = check_number(fill_value, "fill_value")
    nearest = check_choice(interpolation, "interpolation", INTERPOLATIONS) == "nearest"
    images, boxes = ops.convert_to_tensor(images), ops.convert_to_tensor(boxes)
    dtype = standardize_dtype(images.dtype)
    dtype = dtype if nearest or "float" in dtype else "float32"
    precise = "float64" in (dtype, standardize_dtype(boxes.dtype))
    images, boxes = ops.cast(images, dtype), ops.cast(boxes, "float64" if precise else "float32")
    single = len(boxes.shape) == 2
    first, last = split(boxes[:, None] if single else boxes)
    # From here on axis by axis, the outermost first: where a box starts and stops, and the crop's length.
    sides = [(first[..., i], last[..., i], n) for i, n in zip(reversed(range(len(size))), size)]
    resample = _resample_nearest if nearest else _resample_antialiased if antialias else _resample
    crops = resample(images, sides, fill_mode, fill_value)
    return crops[:, 0] if single else crops


def _resample(images, sides, fill_mode, fill_value):
    """Bilinear: each sample is the mean of two pixels along each axis, gathered one by one."""
    positions = [_positions(*side, length, fill_mode) for side, length in zip(sides, _lengths(images))]
    neighbours = [_neighbours(position, length) for (position, _), length in zip(positions, _lengths(images))]
    crops = 0.0
    for corner in itertools.product(*neighbours):
        weight = _outer([weight for _, weight in corner], images.dtype)
        crops += weight * _gather(images, [index for index, _ in corner])
    return _fill(crops, [covered for _, covered in positions], fill_value)


def _resample_antialiased(images, sides, fill_mode, fill_value):
    """The same with kernels as wide as the step from one sample to the next: a matrix product along each axis."""
    crops, coverage = images, []
    labels = "b" + PIXELS[: len(sides)] + "c"
    for side, length, pixel, place in zip(sides, _lengths(images), PIXELS, SAMPLES):
        position, covered = _positions(*side, length, fill_mode)
        kernel = ops.cast(_kernel(position, _step(*side), length), images.dtype)
        result = "bk" + labels.replace(pixel, place).removeprefix("bk").removeprefix("b")
        crops = ops.einsum(f"bk{place}{pixel},{labels}->{result}", kernel, crops)
        coverage.append(covered)
        labels = result
    return _fill(crops, coverage, fill_value)


def _resample_nearest(images, sides, fill_mode, fill_value):
    """Each sample is the pixel that holds it; no arithmetic, so any dtype passes."""
    positions = [_positions(*side, length, fill_mode) for side, length in zip(sides, _lengths(images))]
    indices = [
        ops.clip(ops.cast(ops.floor(position), "int32"), 0, ops.cast(length, "int32") - 1)
        for (position, _), length in zip(positions, _lengths(images))
    ]
    crops = _gather(images, indices)
    for axis, (_, covered) in enumerate(positions):
        if covered is not None:
            # Half covered is where the centre touches the image's edge.
            inside = _along(covered >= 0.5, axis, len(sides))[..., None]
            crops = ops.where(inside, crops, ops.cast(fill_value, crops.dtype))
    return crops


def _lengths(images):
    return ops.shape(images)[1:-1]


def _along(values, axis, rank):
    """`(batch, boxes, n)` shaped to broadcast along one of the crops' axes."""
    return values[(slice(None), slice(None)) + (None,) * axis + (slice(None),) + (None,) * (rank - 1 - axis)]


def _outer(values, dtype):
    """The product of one tensor `(batch, boxes, n)` for each axis, with an axis for the channels."""
    rank = len(values)
    return ops.cast(math.prod(_along(value, axis, rank) for axis, value in enumerate(values)), dtype)[..., None]


def _gather(images, indices):
    """The pixels at the crossings of indices `(batch, boxes, n)`, one tensor for each axis."""
    shape = ops.shape(images)
    rank = len(indices)
    index = ops.reshape(ops.arange(shape[0], dtype="int32"), (-1, 1) + (1,) * rank)
    for axis, (length, place) in enumerate(zip(shape[1:], indices)):
        index = index * length + _along(place, axis, rank)
    if images.shape[0] == 0:
        return ops.zeros((*ops.shape(index), shape[-1]), images.dtype)  # JAX's `take()` stumbles over empty batches
    return ops.take(ops.reshape(images, (-1, shape[-1])), index, axis=0)


def _step(start, stop, size):
    return (stop - start) / size


def _positions(start, stop, size, length, fill_mode):
    """Where the samples of one axis are taken, and how much of each lies in the image.

    Returns:
        Two tensors `(batch, boxes, size)`: edge coordinates moved to between the centres of the axis's first and
        last pixel, as the fill mode says, and numbers in `[0, 1]`, None where nothing is ever filled in.
    """
    steps = ops.arange(size, dtype=start.dtype) + 0.5
    position = start[..., None] + steps * _step(start, stop, size)[..., None]
    length = ops.cast(length, position.dtype)
    covered = None
    if fill_mode == "constant":
        inside = 0.5 + length / 2 - ops.abs(position - length / 2)  # from 0, half a pixel outside, to 1, half inside
        covered = 1.0 - ops.relu(1.0 - ops.relu(inside))
    elif fill_mode == "reflect":
        position = length - ops.abs(length - ops.mod(position, 2 * length))
    return ops.clip(position, 0.5, length - 0.5), covered


def _neighbours(position, length):
    """The two pixels around each position, and their bilinear weights."""
    last = ops.cast(length, "int32") - 1
    lower = ops.clip(ops.cast(ops.floor(position - 0.5), "int32"), 0, last)
    weight = position - 0.5 - ops.cast(lower, position.dtype)
    return (lower, 1.0 - weight), (ops.minimum(lower + 1, last), weight)


def _kernel(position, step, length):
    """Weights `(batch, boxes, size, length)` of every pixel of an axis in every sample; each row sums to 1."""
    centres = ops.cast(ops.arange(length, dtype="int32"), position.dtype) + 0.5
    step = ops.abs(step)
    # Not `ops.maximum()`, which makes float32 of float64 under PyTorch.
    reach = (1.0 + ops.cast(step >= 1.0, step.dtype) * (step - 1.0))[..., None, None]
    distance = (position[..., None] - centres) / reach
    # At a kink the slope is the right-hand one, as in `_neighbours()`: a mean of both would be 0 at whole pixels,
    # and a box that starts there would never move.
    rising = ops.where(distance >= -1.0, 1.0 + distance, 0.0)
    weights = ops.where(distance < 0.0, rising, ops.relu(1.0 - distance))
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def _fill(crops, coverage, fill_value):
    """Blend what lies outside the image with `fill_value`."""
    if coverage[0] is None:
        return crops
    covered = _outer(coverage, crops.dtype)
    return crops * covered + fill_value * (1.0 - covered)


def paste(crops, boxes, size, fill_value=0.0):
    """Put crops back to where their boxes are: the inverse of `sample()`.

    Each crop is resized to its box, antialiased where the box is the smaller one. Where crops overlap, their mean
    counts; where there is none, `fill_value`. Whole-pixel boxes of the crops' size put every number back unchanged.

    Args:
        crops: `(batch, boxes, height, width, channels)`; sequences and volumes as in `sample()`.
        boxes: `(batch, boxes, 4)`, `"xyxy"` in pixels of the image that is made; what lies outside is dropped.
        size: `(height, width)` of that image.
        fill_value: a number.

    Returns:
        `(batch, height, width, channels)`, in float32 for integers. Under PyTorch whole-pixel crops are added up in
        float32, whatever their type.
    """
    size = check_sizes(size, AXIS_NAMES[len(size)])
    dtype = standardize_dtype(crops.dtype)
    crops = ops.cast(crops, dtype if "float" in dtype else "float32")
    first, last = split(ops.cast(boxes, "float32"))
    lengths = ops.shape(crops)[2:-1]
    sides = [(first[..., i], last[..., i], n) for i, n in zip(reversed(range(len(size))), lengths)]
    whole = ops.all(ops.stack([ops.all((start == ops.round(start)) & (stop - start == n)) for start, stop, n in sides]))
    total, count = ops.cond(whole, lambda: _add_windows(crops, sides, size), lambda: _add_boxes(crops, sides, size))
    mean = total / ops.maximum(count, 1.0)
    return mean + fill_value * ops.relu(1.0 - count)


def _add_windows(crops, sides, size):
    """Whole-pixel crops, added up where they belong, and how many there are of each pixel."""
    batch, boxes = ops.shape(crops)[:2]
    rank = len(size)
    canvas = math.prod(size)
    place, outside = 0, False
    for axis, ((start, _, n), length) in enumerate(zip(sides, size)):
        steps = ops.cast(start, "int32")[..., None] + ops.arange(n, dtype="int32")
        place = place * length + _along(steps, axis, rank)
        outside = outside | _along((steps < 0) | (steps >= length), axis, rank)
    image = ops.reshape(ops.arange(batch, dtype="int32"), (-1, 1) + (1,) * rank)
    # What lies outside goes to one number more than there are pixels.
    place = ops.reshape(ops.where(outside, batch * canvas, place + image * canvas), (-1,))
    channels = crops.shape[-1]
    values = ops.reshape(crops, (-1, channels))
    values = ops.concatenate([values, ops.ones_like(values[:, :1])], axis=-1)
    sums = ops.segment_sum(values, place, num_segments=batch * canvas + 1)[:-1]
    sums = ops.reshape(sums, (-1, *size, channels + 1))
    return sums[..., :-1], sums[..., -1:]


def _add_boxes(crops, sides, size):
    """Crops of any box, resized to it and added up, and how much of each pixel they cover."""
    coverage, labels = [], "bk" + PIXELS[: len(sides)] + "c"
    for (start, stop, n), length, pixel, place in zip(sides, size, PIXELS, SAMPLES):
        # The image as it is seen from inside of the crop: it runs from `-start` in steps of less or more than a pixel.
        span = ops.where(stop == start, ops.ones_like(start), stop - start)
        step = n / span
        edges = ops.arange(length + 1, dtype=start.dtype)
        position = (edges[:-1] + 0.5 - start[..., None]) * step[..., None]
        kernel = _kernel(ops.clip(position, 0.5, n - 0.5), step, n)
        low, high = ops.minimum(start, stop)[..., None], ops.maximum(start, stop)[..., None]
        covered = ops.relu(ops.minimum(edges[1:], high) - ops.maximum(edges[:-1], low))
        kernel = ops.cast(kernel * covered[..., None], crops.dtype)
        coverage.append(covered)
        result = labels.replace(pixel, place)
        if len(coverage) == len(sides):
            result = result.replace("k", "")  # the last product also adds up the crops
        crops = ops.einsum(f"bk{place}{pixel},{labels}->{result}", kernel, crops)
        labels = result
    rank = len(sides)
    count = ops.sum(math.prod(_along(covered, axis, rank) for axis, covered in enumerate(coverage)), axis=1)
    return crops, ops.cast(count, crops.dtype)[..., None]
