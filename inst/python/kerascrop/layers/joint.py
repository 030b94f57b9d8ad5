"""Joint inputs: images with their segmentation masks, bounding boxes and key points, in Keras's own form.

A dict `{"images", "segmentation_masks", "bounding_boxes": {"boxes", "labels"}, "keypoints"}`, of which only the
images are needed; what has other keys, such as `"labels"`, passes as it is.
"""

import difflib

from keras import ops
from keras.backend import standardize_dtype

from kerascrop import axes, boxes, checks

PARTS = ("images", "segmentation_masks", "bounding_boxes", "keypoints")


def check_keys(data, layer, parts=PARTS):
    """A dict of inputs without what is None; stops unless it has images, and boxes if it has bounding boxes.

    What has another key passes uncropped, so a key that is nearly that of a missing part stops, too.
    """
    data = {key: value for key, value in data.items() if value is not None}
    for key in data:
        meant = _meant(key, parts)
        if meant and meant not in data:
            raise checks.ArgumentError(
                f"`{layer}` does not know {key!r}: did you mean {meant!r}? "
                "What is to pass uncropped needs another name."
            )
    if "images" not in data:
        raise checks.ArgumentError(f"`{layer}` takes images, or a dict with `images`, not one of {list(data)}.")
    boxes = data.get("bounding_boxes", {"boxes": None})
    if not isinstance(boxes, dict) or "boxes" not in boxes or not set(boxes) <= {"boxes", "labels"}:
        raise checks.ArgumentError(f"`{layer}` takes `bounding_boxes` as a dict of `boxes` and perhaps `labels`.")
    return data


def _meant(key, parts):
    """The part whose name, or its last word, a key nearly is; None where it is one, or like none."""
    if key in parts:
        return None
    names = {part.rsplit("_", 1)[-1]: part for part in parts} | {part: part for part in parts}
    # Strict enough for "image_id" and "image_2", and for "mask" to be "masks".
    close = difflib.get_close_matches(str(key).lower(), names, n=1, cutoff=0.88)
    return names[close[0]] if close else None


def check_shapes(shapes, rank, data_format, layer):
    """Stop unless masks, boxes, labels and key points fit the images; `shapes` is a dict of shapes."""
    images = shapes["images"]
    lead = images[: len(images) - rank - 1]
    if "segmentation_masks" in shapes:
        masks = shapes["segmentation_masks"]
        lengths = axes.spatial_shape(images, rank, data_format)
        has_channels = len(masks) == len(images)
        if has_channels:
            got = axes.spatial_shape(masks, rank, data_format)
        else:
            got = masks[len(lead) :]
        if len(got) != rank or not _agree((*lead, *lengths), (*masks[: len(lead)], *got)):
            raise checks.ShapeError(
                f"`{layer}` needs `segmentation_masks` of the images' size {(*lead, *lengths)}, "
                f"with or without channels, not {tuple(masks)}."
            )
    if "bounding_boxes" in shapes:
        sides, labels = shapes["bounding_boxes"]["boxes"], shapes["bounding_boxes"].get("labels")
        if len(sides) != len(lead) + 2 or sides[-1] != 2 * rank or not _agree(sides[: len(lead)], lead):
            raise checks.BoxError(
                f"`{layer}` takes bounding boxes of shape {_form(*lead, 'boxes', 2 * rank)} with these images, "
                f"not {tuple(sides)}."
            )
        if labels is not None and not _agree(sides[:-1], labels[: len(lead) + 1]):
            raise checks.BoxError(
                f"`{layer}` needs a label for each bounding box: there are boxes of shape {tuple(sides)}, "
                f"but labels of shape {tuple(labels)}."
            )
    if "keypoints" in shapes:
        points = shapes["keypoints"]
        if len(points) != len(lead) + 2 or not _agree(points[: len(lead)], lead) or (points[-1] or rank) < rank:
            raise checks.ShapeError(
                f"`{layer}` takes key points of shape {_form(*lead, 'points', rank)} with these images, "
                f"not {tuple(points)}."
            )


def _form(*axes):
    """A shape some of whose axes have a name rather than a length."""
    return f"({', '.join(map(str, axes))})"


def _agree(first, second):
    return len(first) == len(second) and all(a is None or b is None or a == b for a, b in zip(first, second))


def crop_masks(masks, images, rank, data_format, apply):
    """Masks of any dtype, with an axis for channels or without one, cropped by `apply()`."""
    if len(masks.shape) == len(images.shape):
        return apply(masks)
    axis = axes.channels_axis(rank, data_format)
    return ops.squeeze(apply(ops.expand_dims(masks, axis)), axis)


def crop_boxes(bounding_boxes, crops, box_format, extents, min_visible, views, native=False):
    """Bounding boxes as they are seen from inside of the crops.

    Args:
        bounding_boxes: a dict of `boxes` and perhaps `labels`.
        crops: the crops' boxes, `(batch, 2 * rank)`; with `views` `(batch, crops, 2 * rank)`.
        box_format: of the bounding boxes, before and after.
        extents: the images' size and the crops', each width first.
        min_visible: a box of which less than this fraction, or nothing, is seen is dropped: its sides become 0, its
            label -1.
        views: whether there are several crops of an image.
        native: whether the crops are as large as their boxes, in the corner of a canvas of the crops' size.
    """
    image, crop = extents
    sides = boxes.to_corners(bounding_boxes["boxes"], box_format, image)
    sides, crops = _paired(sides, crops, views)
    sides, visible = boxes.seen_boxes(sides, crops, None if native else crop)
    kept = (visible > 0) & (visible >= min_visible - 1e-6)  # a rounding is no reason to drop a box
    labels = bounding_boxes.get("labels")
    if labels is not None:
        labels = labels if _is_signed(labels) else ops.cast(labels, "int32")
        labels = labels[:, None] if views else labels
        extra = (1,) * (len(labels.shape) - len(kept.shape))  # labels may be a vector for each box
        missing = ops.cast(-1, labels.dtype)
        padding = ops.equal(labels, missing)
        if extra:
            padding = ops.all(padding, axis=-1)
        kept = kept & ~padding
        labels = ops.where(ops.reshape(kept, (*ops.shape(kept), *extra)), labels, missing)
    sides = boxes.from_corners(ops.where(kept[..., None], sides, 0.0), box_format, crop)
    return {**bounding_boxes, "boxes": sides} | ({} if labels is None else {"labels": labels})


def _is_signed(labels):
    return not standardize_dtype(labels.dtype).startswith(("uint", "bool"))


def dtypes(data):
    """The types of what is cropped, afterwards: boxes and points are float32 at least, labels can be -1."""
    found = {key: standardize_dtype(value.dtype) for key, value in data.items() if not isinstance(value, dict)}
    if "bounding_boxes" in data:
        parts = data["bounding_boxes"]
        found["bounding_boxes"] = {"boxes": boxes.coordinates_dtype(parts["boxes"])}
        if "labels" in parts:
            found["bounding_boxes"]["labels"] = (
                standardize_dtype(parts["labels"].dtype) if _is_signed(parts["labels"]) else "int32"
            )
    if "keypoints" in data:
        found["keypoints"] = boxes.coordinates_dtype(data["keypoints"])
    return found


def crop_points(points, crops, rank, extent, views):
    """Key points as they are seen from inside of the crops; those outside of a crop lie outside of its size."""
    points = ops.convert_to_tensor(points)
    points = ops.cast(points, boxes.coordinates_dtype(points))
    points, crops = _paired(points, crops, views)
    moved = boxes.seen_points(points[..., :rank], crops, extent)
    if points.shape[-1] == rank:
        return moved
    rest = ops.broadcast_to(points[..., rank:], (*ops.shape(moved)[:-1], points.shape[-1] - rank))
    return ops.concatenate([moved, rest], axis=-1)


def _paired(things, crops, views):
    """Boxes or points `(batch[, time], number, :)` and crops `(batch[, views], :)`, so that they broadcast."""
    if views:
        things = things[:, None]
    crops = ops.reshape(
        crops, (*ops.shape(crops)[:-1], *(1,) * (len(things.shape) - len(crops.shape)), crops.shape[-1])
    )
    return things, ops.cast(crops, things.dtype)
