"""The differentiable resampler: boxes with real-valued sides, cut out of images and resized.

Output pixel `i` of `n` samples the input at edge coordinate `x1 + (i + 0.5) * (x2 - x1) / n`, and
input column `j` has its centre at `j + 0.5`. So a whole-pixel box that is as large as the output gives the
slice exactly, and PyTorch's `affine_grid` + `grid_sample(align_corners=False)` is the same map.

Along each axis a sample is the weighted mean of its nearest pixels (bilinear; Jaderberg et al. 2015,
"Spatial Transformer Networks", equation 5). `antialias=True` widens the triangle of weights by
`max(1, box / size)`, so that every pixel of a box counts when the crop is smaller than the box.
"""

from keras import ops
from keras.backend import standardize_dtype

from kerascrop.checks import check_choice, check_memory, check_number, check_size

FILL_MODES = ("constant", "nearest", "reflect")


def sample(images, boxes, size, antialias=False, fill_mode="constant", fill_value=0.0):
    """Crop boxes out of images and resize them, differentiably in image and box.

    Args:
        images: `(batch, height, width, channels)`. Integers are computed, and returned, as float32: a
            resampled pixel is an average.
        boxes: `(batch, 4)` or `(batch, boxes, 4)`, `"xyxy"` in edge coordinates (pixels). They are
            computed in float32 at least, whatever the images are.
        size: `(height, width)` of the crops, in pixels.
        antialias: widen the kernel where a box is larger than the crop. At the image's edge the kernel is cut off, as
            `keras.ops.image.resize()` does; `fill_mode` is for the samples whose centre lies outside.
        fill_mode: what lies outside the image: `"constant"`, `"nearest"` (the edge's pixels) or
            `"reflect"` (`d c b a | a b c d | d c b a`).
        fill_value: the number for `"constant"`.

    Returns:
        `(batch, height, width, channels)`, with `(batch, boxes, …)` in front for many boxes. A box with a NaN
        gives a crop of NaNs.

    Raises:
        SizeError: a size is no positive whole number.
        ArgumentError: an unknown `fill_mode`, or a `fill_value` that is no finite number.
    """
    height, width = check_size(size[0], "height"), check_size(size[1], "width")
    check_memory((*ops.shape(boxes)[:-1], height, width, ops.shape(images)[-1]), "sample()")
    check_choice(fill_mode, "fill_mode", FILL_MODES)
    fill_value = check_number(fill_value, "fill_value")
    images, boxes = ops.convert_to_tensor(images), ops.convert_to_tensor(boxes)
    dtype = standardize_dtype(images.dtype)
    dtype = dtype if "float" in dtype else "float32"
    precise = "float64" in (dtype, standardize_dtype(boxes.dtype))
    images, boxes = ops.cast(images, dtype), ops.cast(boxes, "float64" if precise else "float32")
    single = len(boxes.shape) == 2
    if single:
        boxes = boxes[:, None]
    x1, y1, x2, y2 = ops.unstack(boxes, 4, axis=-1)
    resample = _resample_antialiased if antialias else _resample
    crops = resample(images, (y1, y2, height), (x1, x2, width), fill_mode, fill_value)
    return crops[:, 0] if single else crops


def _resample(images, vertical, horizontal, fill_mode, fill_value):
    """Bilinear: each sample is the mean of two rows by two columns, gathered one by one."""
    batch, height, width, channels = ops.shape(images)
    y, covered_y = _positions(*vertical, height, fill_mode)
    x, covered_x = _positions(*horizontal, width, fill_mode)
    pixels = ops.reshape(images, (-1, channels))
    first_pixel = ops.reshape(ops.arange(batch, dtype="int32") * (height * width), (-1, 1, 1, 1))
    crops = 0.0
    for row, row_weight in _neighbours(y, height):
        for column, column_weight in _neighbours(x, width):
            index = first_pixel + row[..., :, None] * width + column[..., None, :]
            crops += _outer(row_weight, column_weight, images.dtype) * ops.take(pixels, index, axis=0)
    return _fill(crops, covered_y, covered_x, fill_value)


def _resample_antialiased(images, vertical, horizontal, fill_mode, fill_value):
    """The same with a kernel as wide as the step from one sample to the next: two matrix products."""
    height, width = ops.shape(images)[1:3]
    y, covered_y = _positions(*vertical, height, fill_mode)
    x, covered_x = _positions(*horizontal, width, fill_mode)
    rows = ops.cast(_kernel(y, _step(*vertical), height), images.dtype)
    columns = ops.cast(_kernel(x, _step(*horizontal), width), images.dtype)
    crops = ops.einsum("bkiy,byxc->bkixc", rows, images)
    crops = ops.einsum("bkjx,bkixc->bkijc", columns, crops)
    return _fill(crops, covered_y, covered_x, fill_value)


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
    reach = ops.maximum(ops.abs(step), 1.0)[..., None, None]
    distance = (position[..., None] - centres) / reach
    # At a kink the slope is the right-hand one, as in `_neighbours()`: a mean of both would be 0 at whole pixels,
    # and a box that starts there would never move.
    rising = ops.where(distance >= -1.0, 1.0 + distance, 0.0)
    weights = ops.where(distance < 0.0, rising, ops.relu(1.0 - distance))
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def _outer(vertical, horizontal, dtype):
    return ops.cast(vertical[..., :, None] * horizontal[..., None, :], dtype)[..., None]


def _fill(crops, covered_y, covered_x, fill_value):
    """Blend what lies outside the image with `fill_value`."""
    if covered_y is None:
        return crops
    covered = _outer(covered_y, covered_x, crops.dtype)
    return crops * covered + fill_value * (1.0 - covered)
