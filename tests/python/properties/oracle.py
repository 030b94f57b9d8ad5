"""What every crop must be, in plain NumPy: the specification that the property tests hold the package to.

It shares no code with the package, and takes one image at a time, `(*lengths, channels)`, with the channels last. A
pixel is a unit square: pixel `j` of an axis spans `[j, j + 1)`. A box is `x1, y1, x2, y2` in these edge coordinates,
x first; `x1, x2` for sequences, `x1, y1, z1, x2, y2, z2` for volumes. Sizes and starts are in the order of the
image's axes: `(height, width)`.
"""

import numpy as np

# Whole pixels


def center(length, size):
    """Where the middle `size` of `length` pixels start: an odd one that is left over stays at the end."""
    return (length - size) // 2


def window(image, starts, size, fill_value=0):
    """Whole pixels, moved one by one; those outside of the image are `fill_value`."""
    crop = np.full((*size, image.shape[-1]), fill_value, image.dtype)
    for place in np.ndindex(*size):
        pixel = tuple(start + step for start, step in zip(starts, place))
        if all(0 <= p < length for p, length in zip(pixel, image.shape)):
            crop[place] = image[pixel]
    return crop


def window_box(starts, size):
    first = list(reversed(starts))
    return np.array(first + [start + n for start, n in zip(first, reversed(size))], "float64")


def grid(length, size, stride):
    """Starts of windows `stride` apart; the last one ends where the axis does."""
    starts = list(range(0, length - size + 1, stride))
    return starts if starts[-1] == length - size else [*starts, length - size]


def enlarged_center_box(lengths, size):
    """The box of a centred crop in an image that is enlarged, keeping its aspect, until the crop fits."""
    scale = max(n / length for n, length in zip(size, lengths))
    first = [(length * scale - n) / 2 / scale for length, n in zip(lengths, size)]
    return np.array(first[::-1] + [start + n / scale for start, n in zip(first[::-1], size[::-1])])


# Boxes and points

# Each format: whether y comes before x, and whether it is relative to the image; what the two halves are.
FORMATS = {
    "xyxy": (False, False, "corners"),
    "yxyx": (True, False, "corners"),
    "xywh": (False, False, "corner and size"),
    "center_xywh": (False, False, "centre and size"),
    "center_yxhw": (True, False, "centre and size"),
    "rel_xyxy": (False, True, "corners"),
    "rel_yxyx": (True, True, "corners"),
    "rel_xywh": (False, True, "corner and size"),
    "rel_center_xywh": (False, True, "centre and size"),
    "grid": (False, "grid", "corners"),
}


def to_xyxy(box, box_format, lengths):
    """A box of any format in pixels of an image of these lengths."""
    y_first, relative, halves = FORMATS[box_format]
    rank = len(lengths)
    box = np.array(box, "float64")
    one, two = box[:rank], box[rank:]
    if y_first:
        one, two = one[::-1], two[::-1]
    if relative == "grid":
        one, two = (one + 1) / 2, (two + 1) / 2
    if relative:
        one, two = one * lengths[::-1], two * lengths[::-1]
    if halves == "centre and size":
        one, two = one - two / 2, one + two / 2
    elif halves == "corner and size":
        two = one + two
    return np.concatenate([one, two])


def from_xyxy(box, box_format, lengths):
    y_first, relative, halves = FORMATS[box_format]
    rank = len(lengths)
    one, two = np.array(box[:rank], "float64"), np.array(box[rank:], "float64")
    if halves == "centre and size":
        one, two = (one + two) / 2, two - one
    elif halves == "corner and size":
        two = two - one
    if relative:
        one, two = one / lengths[::-1], two / lengths[::-1]
    if y_first:
        one, two = one[::-1], two[::-1]
    box = np.concatenate([one, two])
    return box * 2 - 1 if relative == "grid" else box


def seen_box(box, crop_box, size):
    """A box, in pixels, as seen from inside a crop of `size`; and the fraction of it that is inside."""
    rank = len(size)
    first, last, visible = [], [], 1.0
    for axis in range(rank):
        start, stop, n = crop_box[axis], crop_box[rank + axis], size[rank - 1 - axis]
        ends = [(box[axis] - start) * n / (stop - start), (box[rank + axis] - start) * n / (stop - start)]
        low, high = min(ends), max(ends)
        first.append(min(max(low, 0.0), n))
        last.append(min(max(high, 0.0), n))
        visible *= (last[-1] - first[-1]) / (high - low) if high > low else 0.0
    return np.array(first + last), visible


def seen_point(point, crop_box, size):
    rank = len(size)
    moved = []
    for axis in range(rank):
        start, stop, n = crop_box[axis], crop_box[rank + axis], size[rank - 1 - axis]
        moved.append((point[axis] - start) * n / (stop - start))
    return np.array([*moved, *point[rank:]], "float64")


def iou(one, other):
    rank = len(one) // 2
    both = area_one = area_other = 1.0
    for axis in range(rank):
        a, b, c, d = one[axis], one[rank + axis], other[axis], other[rank + axis]
        both *= max(0.0, min(b, d) - max(a, c))
        area_one *= max(0.0, b - a)
        area_other *= max(0.0, d - c)
    either = area_one + area_other - both
    return both / either if either else 0.0


def mask_box(mask):
    """The box around everything in a mask that is not zero; the whole image if there is nothing."""
    places = np.argwhere(mask)
    first, last = (places.min(0), places.max(0) + 1) if len(places) else (np.zeros(mask.ndim), np.array(mask.shape))
    return np.concatenate([first[::-1], last[::-1]]).astype("float64")


# Sampling


def positions(start, stop, n, align_corners=False):
    """Where a crop's `n` samples are taken along an axis, and the distance of two of them."""
    if align_corners and n > 1:  # from the centre of the box's first pixel to that of its last one
        step = (stop - start - 1) / (n - 1)
        return [start + 0.5 + i * step for i in range(n)], step
    step = (stop - start) / n
    return [start + (i + 0.5) * step for i in range(n)], step


def image_span(length, align_corners=False):
    """The part of an axis that is the image: from its first to its last pixel's edge, or centre."""
    return (0.5, length - 0.5) if align_corners else (0.0, float(length))


def reflected(index, length, whole_sample):
    """The pixel that an index outside of the image shows: `d c b a | a b c d`, or `d c b | a b c d`."""
    if whole_sample:
        index = index % (2 * length - 2) if length > 1 else 0
        return min(index, 2 * length - 2 - index) if length > 1 else 0
    index = index % (2 * length)
    return min(index, 2 * length - 1 - index)


def cubic(x):
    """Keys 1981, equation 4, with a = -0.75."""
    x = abs(x)
    if x <= 1:
        return 1.25 * x**3 - 2.25 * x**2 + 1
    return -0.75 * x**3 + 3.75 * x**2 - 6 * x + 3 if x < 2 else 0.0


def triangle(position, reach, length):
    """Weights of an axis's pixels, falling over `reach` pixels to each side; their sum is 1."""
    position = min(max(position, 0.5), length - 0.5)
    weights = np.array([max(0.0, 1 - abs(position - j - 0.5) / reach) for j in range(length)])
    return weights / weights.sum()


def kernel(position, interpolation):
    """The pixels that a sample sees on an axis that goes on for ever, and their weights."""
    lower = int(np.floor(position - 0.5))
    t = position - 0.5 - lower
    return {
        "bilinear": [(lower, 1 - t), (lower + 1, t)],
        "bicubic": [(lower + k, cubic(t - k)) for k in (-1, 0, 1, 2)],
        "nearest": [(int(np.floor(position)), 1.0)],
    }[interpolation]


def weights(position, reach, length, interpolation, fill_mode, align_corners, inside):
    """The weights of an axis's pixels in the sample at a position.

    With "constant", what is outside of the image has a weight, too, for which there is no pixel here; but not if the
    box is inside along this axis. With `align_corners` a sample sees either the image alone or nothing of it.
    """
    row, whole_sample, part = np.zeros(length), align_corners and fill_mode == "reflect", 1.0
    low, high = image_span(length, align_corners)
    alone = fill_mode != "constant" or align_corners or inside
    if fill_mode == "constant" and align_corners and not within(position, position, low, high, length):
        return row
    if interpolation == "antialias":
        if fill_mode == "reflect":
            position = mirrored(position, length, whole_sample)
        if not alone:  # blended over one pixel
            part = min(max(min(position, length - position) + 0.5, 0.0), 1.0)
        return part * triangle(position, reach, length)
    for index, weight in kernel(position, interpolation):
        if fill_mode == "reflect":
            index = reflected(index, length, whole_sample)
        if alone or 0 <= index < length:
            row[min(max(index, 0), length - 1)] += weight
    return row


def within(start, stop, low, high, length):
    """Whether what lies between two sides is between two others, but for rounding errors."""
    return min(start, stop) >= low - 2e-6 * length and max(start, stop) <= high + 2e-6 * length


def mirrored(position, length, whole_sample):
    """A position in the image that shows what `reflect` has at one outside of it."""
    low, high = image_span(length, whole_sample)
    if high <= low:
        return low
    distance = (position - low) % (2 * (high - low))
    return low + min(distance, 2 * (high - low) - distance)


def axis_matrix(start, stop, n, length, interpolation="bilinear", fill_mode="constant", align_corners=False):
    """Each pixel's weight in each sample, `(n, length)`; a row of zeros where a sample sees nothing."""
    where, step = positions(start, stop, n, align_corners)
    reach, inside = max(1.0, abs(step)), within(start, stop, 0, length, length)
    return np.array([weights(p, reach, length, interpolation, fill_mode, align_corners, inside) for p in where])


def axes_of(box, size, lengths, **how):
    """`axis_matrix()` of each of the image's axes."""
    rank = len(size)
    sides = [(box[rank - 1 - axis], box[2 * rank - 1 - axis]) for axis in range(rank)]
    return [axis_matrix(*side, n, length, **how) for side, n, length in zip(sides, size, lengths)]


def multiply(values, matrices):
    """Multiply each of the leading axes by its matrix."""
    for axis, matrix in enumerate(matrices):
        values = np.moveaxis(np.tensordot(matrix, values, (1, axis)), 0, axis)
    return values


def sample(image, box, size, fill_value=0.0, **how):
    """A box of an image, resampled to a size; `how` as in `axis_matrix()`."""
    box = np.array(box, "float64")
    if not np.isfinite(box).all():
        return np.full((*size, image.shape[-1]), np.nan)
    matrices, part = axes_of(box, size, image.shape, **how), np.array(1.0)
    for matrix in matrices:
        part = part[..., None] * matrix.sum(1)
    return multiply(image.astype("float64"), matrices) + fill_value * (1 - part[..., None])


def adjoint(crop, box, lengths, **how):
    """The transpose of `sample()` as a linear map of the image, for a `fill_value` of 0."""
    matrices = axes_of(np.array(box, "float64"), crop.shape[:-1], lengths, **how)
    return multiply(crop.astype("float64"), [matrix.T for matrix in matrices])


def undecided(box, size, lengths, slack, interpolation="bilinear", fill_mode="constant", align_corners=False):
    """Which samples a rounding of `slack` pixels may move beyond a step: the image's edge, or that of a pixel."""
    unsure = np.zeros(tuple(size), bool)
    rank = len(size)
    for axis, (n, length) in enumerate(zip(size, lengths)):
        sides = box[rank - 1 - axis], box[2 * rank - 1 - axis]
        where, _ = positions(*sides, n, align_corners)
        marks, edges = [], []
        if fill_mode == "constant":
            edges = [edge + side * 2e-6 * length for edge, side in zip(image_span(length, align_corners), (-1, 1))]
        if align_corners:
            marks += edges
        if interpolation == "nearest":
            marks += range(length + 1)
        close = np.array([any(abs(p - mark) <= slack for mark in marks) for p in where])
        if interpolation == "nearest" and fill_mode == "reflect":
            close |= np.array([abs(p - round(p)) <= slack for p in where])
        if not align_corners and any(abs(side - edge) <= slack for side in sides for edge in edges):
            close[:] = True  # whether the box reaches out
        unsure |= close.reshape([-1 if i == axis else 1 for i in range(rank)])
    return unsure


# Pasting


def cover(start, stop, length):
    """How much of each pixel of an axis lies between two sides."""
    low, high = min(start, stop), max(start, stop)
    return np.array([max(0.0, min(j + 1, high) - max(j, low)) for j in range(length)])


def paste(crops, boxes, size, fill_value=0.0):
    """Crops put back where their boxes are: resized to them, averaged where they overlap.

    A pixel that boxes cover in part is that part of them, and `fill_value` for the rest.
    """
    rank = len(size)
    total, count = np.zeros((*size, crops[0].shape[-1])), np.zeros((*size, 1))
    for crop, box in zip(crops, np.array(boxes, "float64")):
        matrices, covered = [], np.array(1.0)
        for axis, length in enumerate(size):
            start, stop, n = box[rank - 1 - axis], box[2 * rank - 1 - axis], crop.shape[axis]
            step = n / (stop - start) if stop != start else n  # the crop's pixels in one of the image's
            where = [(j + 0.5 - start) * step for j in range(length)]
            matrices.append(np.array([triangle(p, max(1.0, abs(step)), n) for p in where]))
            covered = covered[..., None] * cover(start, stop, length)
        total += multiply(crop.astype("float64"), matrices) * covered[..., None]
        count += covered[..., None]
    return total / np.maximum(count, 1.0) + fill_value * np.maximum(0.0, 1.0 - count)
