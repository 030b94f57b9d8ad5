"""Boxes: their formats, what they hold, how far they agree.

Convention: a pixel is a unit square; column `j` (from 0) spans `[j, j + 1)`. A box is
`x1, y1, x2, y2` in these edge coordinates, so its width is `x2 - x1`; Keras calls it `"xyxy"`.
"""

import keras
from keras import ops

from kerascrop.checks import BoxError

BOX_FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
    "grid",
)


def check_box_format(box_format):
    """One of Keras's box formats, or `"grid"`."""
    if box_format not in BOX_FORMATS:
        raise BoxError(f"`box_format` must be one of {', '.join(map(repr, BOX_FORMATS))}, not {box_format!r}.")
    return box_format


def convert_boxes(boxes, source, target, height=None, width=None):
    """Boxes in another format.

    Args:
        boxes: a tensor `(..., 4)`.
        source: the format they have: `"xyxy"`, `"yxyx"`, `"xywh"`, `"center_xywh"`, `"center_yxhw"`, or `"rel_xyxy"`,
            `"rel_yxyx"`, `"rel_xywh"`, `"rel_center_xywh"` (fractions of the image's height and width), as
            `keras.utils.bounding_boxes.convert_format()` knows them; or `"grid"`, the corners `x, y, x', y'` in `[-1,
            1]`, where -1 and 1 are the image's outer edges (PyTorch's `align_corners=False`).
        target: the format they get.
        height, width: the images' size in pixels, for the relative formats and `"grid"`.

    Returns:
        A tensor `(..., 4)`, in float32, or float64 where the boxes are.

    Raises:
        BoxError: a format is unknown.
    """
    check_box_format(source)
    check_box_format(target)
    boxes = ops.convert_to_tensor(boxes)
    dtype = "float64" if keras.backend.standardize_dtype(boxes.dtype) == "float64" else "float32"
    boxes = ops.cast(boxes, dtype)  # never half precision: coordinates need their digits
    if source == target:
        return boxes
    # Keras converts between the formats in pixels; to these, and from them, leads a scale.
    boxes = (boxes + 1) / 2 if source == "grid" else boxes
    source, scale = _in_pixels(source, height, width, dtype)
    boxes = boxes * scale
    target_in_pixels, scale = _in_pixels(target, height, width, dtype)
    boxes = keras.utils.bounding_boxes.convert_format(boxes, source, target_in_pixels, dtype=dtype) / scale
    return boxes * 2 - 1 if target == "grid" else boxes


def _in_pixels(box_format, height, width, dtype):
    """The same format in pixels, and what its numbers have to be multiplied with."""
    if box_format == "grid":
        box_format = "rel_xyxy"
    if not box_format.startswith("rel_"):
        return box_format, 1
    box_format = box_format.removeprefix("rel_")
    sides = (height, width) if box_format.startswith("y") else (width, height)
    return box_format, ops.stack([ops.cast(side, dtype) for side in sides * 2])


def box_iou(boxes, others):
    """Intersection over union of pairs of boxes.

    Args:
        boxes, others: tensors `(..., 4)` in `"xyxy"` format that broadcast against each other.

    Returns:
        A tensor `(...)` in `[0, 1]`; 0 where both boxes are empty.
    """
    x1, y1, x2, y2 = ops.unstack(ops.convert_to_tensor(boxes), 4, axis=-1)
    u1, v1, u2, v2 = ops.unstack(ops.convert_to_tensor(others), 4, axis=-1)
    width = ops.relu(ops.minimum(x2, u2) - ops.maximum(x1, u1))
    height = ops.relu(ops.minimum(y2, v2) - ops.maximum(y1, v1))
    both = width * height
    either = ops.relu(x2 - x1) * ops.relu(y2 - y1) + ops.relu(u2 - u1) * ops.relu(v2 - v1) - both
    return ops.divide_no_nan(both, either)


def boxes_inside(position, size, height, width):
    """Boxes that lie inside the image by construction: the size first, then a place in the room that is left.

    Args:
        position: `(..., 2)`, x and y in `[0, 1]`: 0 touches the left or top edge, 1 the right or bottom. What lies
            beyond counts as 0 or 1.
        size: `(..., 2)`, width and height in pixels, at most the image's.
        height, width: the images' size in pixels.

    Returns:
        Boxes `(..., 4)` in `"xyxy"` format.
    """
    corner = ops.clip(position, 0.0, 1.0) * (extent(height, width) - size)
    return ops.concatenate([corner, corner + size], axis=-1)


def boxes_around(centre, size, height, width):
    """Boxes around places, cut down to the image and moved until they lie inside.

    Args:
        centre: `(..., 2)`, x and y in pixels.
        size: `(..., 2)`, width and height in pixels.
        height, width: the images' size in pixels.

    Returns:
        Boxes `(..., 4)` in `"xyxy"` format.
    """
    size = ops.minimum(size, extent(height, width))
    centre = ops.clip(centre, size / 2, extent(height, width) - size / 2)
    return ops.concatenate([centre - size / 2, centre + size / 2], axis=-1)


def extent(height, width):
    """An image's size as a tensor `(width, height)`, x before y as in a box."""
    return ops.stack([ops.cast(width, "float32"), ops.cast(height, "float32")])
