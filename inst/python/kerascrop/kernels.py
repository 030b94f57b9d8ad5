"""Along one axis: where a crop's samples are taken, which pixels each of them sees, and with what weight.

All positions are edge coordinates: pixel `j` has its centre at `j + 0.5`. Tensors are `(batch, boxes, n)`, `n` samples
of a crop; kernels `(batch, boxes, n, length)` also have the pixels of the image.
"""

from keras import ops

# Keys' cubic convolution ("Cubic convolution interpolation for digital image processing", 1981) with the parameter
# that PyTorch uses.
CUBIC = -0.75


def positions(start, stop, size):
    """Where the samples are: in the middle of `size` equal parts of a side."""
    steps = ops.arange(size, dtype=start.dtype) + 0.5
    return start[..., None] + steps * ((stop - start) / size)[..., None]


def taps(position, length, interpolation, fill_mode, whole_sample=False):
    """The pixels that each sample sees, and their weights.

    Args:
        whole_sample: reflect at the centres of the outermost pixels, rather than at their edges.

    Returns:
        A list of pairs `(index, weight)`: pixels, always inside of the image, and numbers that are 0 for what lies
        outside of it in `fill_mode="constant"`. The weight is None where it is always 1.
    """
    size = ops.cast(length, position.dtype)
    # Far outside nothing changes any more, but integers would overflow.
    if fill_mode == "reflect":
        period = 2 * (size - 1) if whole_sample else 2 * size
        position = ops.mod(position - 0.5, ops.relu(period - 1) + 1) + 0.5
    else:
        position = clip(position, -3.0, size + 3.0)
    if interpolation == "nearest":
        pairs = [(ops.floor(position), None)]
    else:
        lower = ops.floor(position - 0.5)
        pairs = WEIGHTS[interpolation](position - 0.5 - lower)
        pairs = [(lower + offset, weight) for offset, weight in pairs]
    return [_inside(ops.cast(index, "int32"), weight, length, fill_mode, whole_sample) for index, weight in pairs]


def clip(x, low, high):
    """`ops.clip()` that keeps float64."""
    return low + ops.relu(x - low) - ops.relu(x - high)


def _linear(t):
    return [(0, 1 - t), (1, t)]


def _cubic(t):
    def near(x):  # up to one pixel away
        return ((CUBIC + 2) * x - (CUBIC + 3)) * x * x + 1

    def far(x):  # one to two pixels away
        return ((CUBIC * x - 5 * CUBIC) * x + 8 * CUBIC) * x - 4 * CUBIC

    return [(-1, far(1 + t)), (0, near(t)), (1, near(1 - t)), (2, far(2 - t))]


WEIGHTS = {"bilinear": _linear, "bicubic": _cubic}


def _inside(index, weight, length, fill_mode, whole_sample):
    """An index that may lie outside, moved into the image; or with a weight of 0."""
    last = ops.cast(length, "int32") - 1
    if fill_mode == "reflect":
        index = ops.mod(index, ops.maximum(2 * last, 1) if whole_sample else 2 * last + 2)
        return ops.minimum(index, (2 * last if whole_sample else 2 * last + 1) - index), weight
    if fill_mode == "constant":
        inside = (index >= 0) & (index <= last)
        weight = ops.cast(inside, "float32" if weight is None else weight.dtype) * (1 if weight is None else weight)
    return ops.clip(index, 0, last), weight


def kernel(position, reach, length):
    """Triangles of weights, `reach` (at least 1) pixels to each side: every pixel's weight in every sample.

    Each sample's weights sum to 1: at the image's edge the triangle is cut off.
    """
    centres = ops.cast(ops.arange(length, dtype="int32"), position.dtype) + 0.5
    size = ops.cast(length, position.dtype)
    distance = (clip(position, 0.5, size - 0.5)[..., None] - centres) / reach[..., None, None]
    # At a kink the slope is the right-hand one, as between taps: a mean of both would be 0 at whole pixels, and a box
    # that starts there would never move.
    rising = ops.cast((distance >= -1) & (distance < 0), distance.dtype)
    falling = ops.cast((distance >= 0) & (distance < 1), distance.dtype)
    weights = rising * (1 + distance) + falling * (1 - distance)
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def covered(position, length):
    """How much of a sample lies inside of the image: 0 half a pixel outside and beyond, 1 half a pixel inside."""
    size = ops.cast(length, position.dtype)
    inside = 0.5 + size / 2 - ops.abs(position - size / 2)
    return clip(inside, 0.0, 1.0)
