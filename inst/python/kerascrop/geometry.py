"""Boxes: their formats, boxes around masks, how well two boxes agree, and what a crop shows of a box.

Convention: a pixel is a unit square; column `j` (from 0) spans `[j, j + 1)`. A box is
`x1, y1, x2, y2` in these edge coordinates, so its width is `x2 - x1`; Keras calls it `"xyxy"`.
In one dimension it is `x1, x2`, in three `x1, y1, z1, x2, y2, z2`: first one corner, then the other.
"""

from typing import NamedTuple

import keras
from keras import ops

from kerascrop.checks import (
    LARGEST_SIZE,
    BoxError,
    ShapeError,
    SizeError,
    check_tensor,
    real_number,
    shown,
    warn_outside,
)
from kerascrop.hints import Tensor


class BoxFormat(NamedTuple):
    """What the numbers of a box mean; by default its first and last corners, in pixels, x before y."""

    y_first: bool = False
    sized: bool = False  # a corner and a size
    centred: bool = False  # the centre and a size
    relative: bool = False  # as fractions of the image
    symmetric: bool = False  # from -1 to 1 across the image


BOX_FORMATS = {
    "xyxy": BoxFormat(),
    "yxyx": BoxFormat(y_first=True),
    "xywh": BoxFormat(sized=True),
    "center_xywh": BoxFormat(sized=True, centred=True),
    "center_yxhw": BoxFormat(y_first=True, sized=True, centred=True),
    "rel_xyxy": BoxFormat(relative=True),
    "rel_yxyx": BoxFormat(relative=True, y_first=True),
    "rel_xywh": BoxFormat(relative=True, sized=True),
    "rel_center_xywh": BoxFormat(relative=True, sized=True, centred=True),
    "grid": BoxFormat(relative=True, symmetric=True),
}


def check_box_format(box_format):
    """One of Keras's box formats, or `"grid"`."""
    if not isinstance(box_format, str) or box_format not in BOX_FORMATS:
        raise BoxError(f"`box_format` must be one of {', '.join(map(repr, BOX_FORMATS))}, not {shown(box_format)}.")
    return box_format


def convert_boxes(
    boxes: Tensor,
    source: str,
    target: str,
    height: float | None = None,
    width: float | None = None,
    depth: float | None = None,
) -> Tensor:
    """Convert boxes to another format.

    Args:
        boxes: a tensor `(..., 4)`; `(..., 2)` for sequences, `(..., 6)` for volumes.
        source: their format, by Keras's names: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`,
            or `"rel_xyxy"`, `"rel_yxyx"`, `"rel_xywh"`, `"rel_center_xywh"` (fractions of the image's height and
            width); or `"grid"`, the corners `x, y, x', y'` in `[-1, 1]`, where -1 and 1 are the image's outer edges
            (PyTorch's `align_corners=False`). Other dimensions use the same names: `"xywh"` is the first corner and
            the size.
        target: the format to convert to.
        height, width, depth: the images' size in pixels, above 0, for the relative formats and `"grid"`. A sequence's
            length is its width.

    Returns:
        A tensor of the same shape, in float32, or in float64 if the boxes are. Numbers are converted as they are: NaN
        stays NaN, and a negative width gives a box whose sides run backwards.

    Raises:
        BoxError: a format is unknown or needs a size that is not given, or the last axis has another length.
        SizeError: a size is not a number above 0.
        ArgumentError: the boxes are not numbers.
    """
    check_box_format(source)
    check_box_format(target)
    boxes = check_some_boxes(boxes, "boxes")
    image_size = check_image_size(width, height, depth)[: boxes.shape[-1] // 2]
    relative = [BOX_FORMATS[box_format].relative for box_format in (source, target)]
    if all(relative):
        image_size = (1,) * len(image_size)  # any size will do
    elif any(relative) and None in image_size:
        needed = {2: "`width`", 4: "`height` and `width`", 6: "`depth`, `height` and `width`"}[boxes.shape[-1]]
        raise BoxError(f"{needed} of the images are needed to convert boxes from {source!r} to {target!r}.")
    return from_corners(to_corners(boxes, source, image_size), target, image_size)


def check_some_boxes(boxes, name, lengths=(2, 4, 6)):
    """Boxes of any number, as a tensor."""
    boxes = check_tensor(boxes, name)
    shape = tuple(boxes.shape)
    if not shape or shape[-1] not in lengths:
        form = "4 numbers each" + (" (2 in one dimension, 6 in three)" if len(lengths) > 1 else "")
        raise BoxError(f"`{name}` must have {form}, not {shape[-1] if shape else 'a single number'}.")
    return boxes


def check_image_size(width, height, depth=None):
    """The sides of images, width first: None, numbers above 0, or tensors."""
    sides = []
    for name, side in (("width", width), ("height", height), ("depth", depth)):
        if side is not None and not (ops.is_tensor(side) and not side.shape):
            number = real_number(side)
            if number is None or not 0 < number <= LARGEST_SIZE:
                raise SizeError(f"`{name}` must be a number of pixels above 0, not {shown(side)}.")
            side = int(number) if number == int(number) else number
        sides.append(side)
    return tuple(sides)


def clip_boxes(
    boxes: Tensor,
    height: float,
    width: float,
    box_format: str = "xyxy",
    depth: float | None = None,
) -> Tensor:
    """Move the sides of boxes that reach outside their images to the images' edges.

    What is left of a box that lies outside wholly has no area: it is a line or a point at the edge, and there is a
    `kerascrop.BoxWarning`, if the numbers are known. Missing boxes, all of whose numbers are -1, stay as they are, and
    so does NaN. Gradients pass where a side is not moved.

    Args:
        boxes: a tensor `(..., 4)`; `(..., 2)` for sequences, `(..., 6)` for volumes.
        height, width: the images' size in pixels. A sequence's length is its width; its height is not used.
        box_format: of the boxes, before and after: see `convert_boxes()`.
        depth: of volumes, in pixels.

    Returns:
        A tensor of the same shape, in float32, or in float64 if the boxes are.

    Raises:
        BoxError, SizeError, ArgumentError: as in `convert_boxes()`.

    Example:

    >>> kerascrop.clip_boxes([[-3, 2, 5, 8], [10, 4, 30, 9]], height=9, width=12)
    [[0, 2, 5, 8], [10, 4, 12, 9]]
    """
    check_box_format(box_format)
    boxes = check_some_boxes(boxes, "boxes")
    image_size = check_image_size(width, height, depth)[: boxes.shape[-1] // 2]
    if None in image_size:
        raise BoxError("`depth` of the images is needed for boxes of six numbers.")
    boxes = ops.cast(boxes, coordinates_dtype(boxes))
    missing = ops.all(boxes == -1, axis=-1, keepdims=True)
    corners = to_corners(boxes, box_format, image_size)
    warn_outside(corners, image_size[::-1], "clip_boxes()", boxes)
    most = ops.concatenate([stack_numbers(image_size, corners.dtype)] * 2)
    clipped = ops.where(corners < 0, ops.zeros_like(corners), ops.where(corners > most, most, corners))
    # Numbers of boxes inside stay as they are, without the rounding of a way through corners and back.
    moved = ops.any(clipped != corners, axis=-1, keepdims=True)
    return ops.where(missing | ~moved, boxes, from_corners(clipped, box_format, image_size))


def coordinates_dtype(numbers):
    """The dtype to compute coordinates in: never half precision, which has too few digits."""
    return "float64" if keras.backend.standardize_dtype(numbers.dtype) == "float64" else "float32"


def to_corners(boxes, box_format, image_size, align_corners=False):
    """Convert boxes of any format to `"xyxy"`; `image_size` is in pixels, width first, as in a box.

    With `align_corners`, relative numbers count from the centre of the image's first pixel to that of its last one.
    """
    form = BOX_FORMATS[box_format]
    boxes = ops.convert_to_tensor(boxes)
    boxes = ops.cast(boxes, coordinates_dtype(boxes))
    boxes = (boxes + 1) / 2 if form.symmetric else boxes
    first, second = split(boxes)
    if form.y_first:
        first, second = ops.flip(first, -1), ops.flip(second, -1)
    between_centres = align_corners and form.relative
    if form.relative:
        unit = stack_numbers(image_size, boxes.dtype) - (1 if between_centres else 0)
        first, second = first * unit, second * unit
    if form.centred:
        first = first - second / 2
    if form.sized:
        second = first + second
    return ops.concatenate([first, second + 1 if between_centres else second], axis=-1)


def from_corners(boxes, box_format, image_size):
    """Convert boxes of `"xyxy"` format to another one; undoes `to_corners()`."""
    form = BOX_FORMATS[box_format]
    first, second = split(boxes)
    if form.sized:
        second = second - first
    if form.centred:
        first = first + second / 2
    if form.relative:
        unit = stack_numbers(image_size, boxes.dtype)
        first, second = first / unit, second / unit
    if form.y_first:
        first, second = ops.flip(first, -1), ops.flip(second, -1)
    boxes = ops.concatenate([first, second], axis=-1)
    return boxes * 2 - 1 if form.symmetric else boxes


def stack_numbers(numbers, dtype):
    """Numbers, some of which may be tensors, as one tensor."""
    return ops.stack([ops.cast(number, dtype) for number in numbers])


def align(boxes, counts):
    """Boxes that, divided into `counts` equal parts (x first), have them centred where `align_corners` puts samples.

    With `align_corners`, the first sample is taken at the centre of a box's first pixel and the last one at the centre
    of its last pixel; a single sample is taken in the middle.
    """
    first, last = split(boxes)
    sides = []
    for i, n in enumerate(counts):
        start, stop = first[..., i], last[..., i]
        if not isinstance(n, int):  # known only when the graph runs
            n = ops.cast(n, start.dtype)
            alone, step = n == 1, (stop - start - 1) / ops.maximum(n - 1, 1)
            begin = ops.where(alone, start, start + 0.5 - step / 2)
            start, stop = begin, ops.where(alone, stop, begin + n * step)
        elif n > 1:
            step = (stop - start - 1) / (n - 1)
            start = start + 0.5 - step / 2
            stop = start + n * step
        sides.append((start, stop))
    return ops.stack([start for start, _ in sides] + [stop for _, stop in sides], axis=-1)


def middles(boxes):
    """The middles of boxes: `(..., rank)`."""
    return sum(split(boxes)) / 2


def split(boxes):
    """The first and the last corners, `(..., rank)` each."""
    rank = boxes.shape[-1] // 2
    return boxes[..., :rank], boxes[..., rank:]


def seen_boxes(boxes, crops, crop_size):
    """Boxes as seen from inside crops: moved, scaled and cut off at the crops' sides.

    Args:
        boxes: `(..., 2 * rank)` in `"xyxy"` format, pixels of the image.
        crops: the crops' boxes, of a shape that broadcasts. A side that runs backwards mirrors the crop.
        crop_size: the crops' size in their own pixels, width first; None for crops that are not resized.

    Returns:
        Boxes in pixels of the crops, and the fraction of each box that is seen, `(...)` in `[0, 1]`.
    """
    corners = ops.reshape(boxes, (*ops.shape(boxes)[:-1], 2, boxes.shape[-1] // 2))
    moved = seen_points(corners, crops[..., None, :], crop_size)
    first, last = moved[..., 0, :], moved[..., 1, :]
    first, last = ops.minimum(first, last), ops.maximum(first, last)
    if crop_size is None:
        start, stop = split(crops)
        sides = stop - start
    else:
        sides = stack_numbers(crop_size, crops.dtype)
    inside = [ops.minimum(ops.relu(corner), sides) for corner in (first, last)]
    # Sides are divided axis by axis: the area of a large box would lose digits.
    visible = ops.prod(ops.divide_no_nan(inside[1] - inside[0], last - first), axis=-1)
    return ops.concatenate(inside, axis=-1), visible


def seen_points(points, crops, crop_size):
    """Points `(..., rank)`, x first, in pixels of the image, as seen from inside crops."""
    start, stop = split(crops)
    if crop_size is None:
        return points - start
    return (points - start) * (stack_numbers(crop_size, crops.dtype) / (stop - start))


def boxes_from_masks(masks: Tensor) -> Tensor:
    """The boxes around everything that is not zero, to crop to the foreground.

    Args:
        masks: `(batch, height, width)` of any dtype; `(batch, length)` for sequences, `(batch, depth, height, width)`
            for volumes.

    Returns:
        Boxes `(batch, 4)` in `"xyxy"` format, float32; `(batch, 2)` and `(batch, 6)` for sequences and volumes. The
        box of a mask that is zero everywhere is the whole image.

    Raises:
        ShapeError: the masks do not have such a shape, or no pixels.
        ArgumentError: the masks are not numbers.
    """
    masks = check_tensor(masks, "masks")
    if not 2 <= len(masks.shape) <= 4 or 0 in masks.shape[1:]:
        raise ShapeError(
            f"`masks` must have shape (batch, height, width), with at least one pixel, not {tuple(masks.shape)}."
        )
    masks = ops.not_equal(masks, ops.cast(0, masks.dtype))
    axes = range(1, len(masks.shape))
    first, last = [], []
    for axis in reversed(axes):
        line = ops.any(masks, axis=[other for other in axes if other != axis])  # where there is anything
        line = ops.logical_or(line, ops.logical_not(ops.any(line, axis=1, keepdims=True)))
        line = ops.cast(line, "int32")
        first.append(ops.argmax(line, axis=1))
        last.append(ops.shape(line)[1] - ops.cast(ops.argmax(ops.flip(line, axis=1), axis=1), "int32"))
    first, last = ([ops.cast(pixel, "float32") for pixel in side] for side in (first, last))
    return ops.stack(first + last, axis=-1)


def box_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Intersection over union of pairs of boxes.

    Args:
        boxes, others: tensors `(..., 4)` in `"xyxy"` format that broadcast against each other, of any real types.

    Returns:
        A tensor `(...)` in `[0, 1]`, in float32, or in float64 if either is; 0 where both boxes are empty.

    Raises:
        BoxError: boxes of another shape, or shapes that do not broadcast.
        ArgumentError: boxes that are not numbers.
    """
    boxes, others = (check_some_boxes(these, name, (4,)) for these, name in ((boxes, "boxes"), (others, "others")))
    if not _broadcast(boxes.shape, others.shape):
        raise BoxError(f"`boxes` {tuple(boxes.shape)} and `others` {tuple(others.shape)} are no pairs of boxes.")
    dtype = "float64" if "float64" in (coordinates_dtype(boxes), coordinates_dtype(others)) else "float32"
    x1, y1, x2, y2 = ops.unstack(ops.cast(boxes, dtype), 4, axis=-1)
    u1, v1, u2, v2 = ops.unstack(ops.cast(others, dtype), 4, axis=-1)
    width = ops.relu(ops.minimum(x2, u2) - ops.maximum(x1, u1))
    height = ops.relu(ops.minimum(y2, v2) - ops.maximum(y1, v1))
    both = width * height
    either = ops.relu(x2 - x1) * ops.relu(y2 - y1) + ops.relu(u2 - u1) * ops.relu(v2 - v1) - both
    return ops.divide_no_nan(both, either)


def _broadcast(first, second):
    """Whether shapes broadcast against each other, as far as they are known."""
    return all(None in pair or 1 in pair or pair[0] == pair[1] for pair in zip(first[::-1], second[::-1]))


def boxes_inside(position, size, image_size):
    """Boxes that lie inside the image by construction: the size first, then a place in the room that is left.

    Args:
        position: `(..., 2)`, x and y in `[0, 1]`: 0 touches the left or top edge, 1 the right or bottom. Numbers
            beyond count as 0 or 1.
        size: `(..., 2)`, width and height in pixels, at most the image's.
        image_size: `(2,)`, width and height of the images in pixels.

    Returns:
        Boxes `(..., 4)` in `"xyxy"` format.
    """
    corner = ops.clip(position, 0.0, 1.0) * (image_size - size)
    return ops.concatenate([corner, corner + size], axis=-1)


def boxes_around(centre, size, image_size):
    """Boxes around centres, reduced to the image's size and moved inside the image.

    Args:
        centre: `(..., 2)`, x and y in pixels.
        size: `(..., 2)`, width and height in pixels.
        image_size: `(2,)`, width and height of the images in pixels.

    Returns:
        Boxes `(..., 4)` in `"xyxy"` format.
    """
    size = ops.minimum(size, image_size)
    centre = ops.clip(centre, size / 2, image_size - size / 2)
    return ops.concatenate([centre - size / 2, centre + size / 2], axis=-1)
