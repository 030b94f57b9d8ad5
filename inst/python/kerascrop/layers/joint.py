"""Joint inputs: images with their segmentation masks, bounding boxes and key points, in Keras's own form.

A dict `{"images", "segmentation_masks", "bounding_boxes": {"boxes", "labels"}, "keypoints"}`, of which only the
images are needed; other keys, such as `"labels"`, pass unchanged. What looks like a box, a mask or a point under
another key is an error: it would no longer fit the crops.
"""

import difflib
import functools
import itertools
import re

from keras import ops
from keras.backend import standardize_dtype

from kerascrop import axes, checks, geometry

PARTS = ("images", "segmentation_masks", "bounding_boxes", "keypoints")


# What the words in a key say that there is.
WORDS = {
    "segmentation_masks": "mask segmentation segm seg segmap labelmap",
    "bounding_boxes": "box bbox bndbox boundingbox roi xyxy xywh yxyx rectangle",
    "keypoints": "keypoint kpt kp landmark point joint coord coordinate polygon",
}
PART_OF = {word: part for part, words in WORDS.items() for word in words.split()}


def check_keys(data, layer):
    """A dict of the inputs that are not None; stops unless it has images, and boxes if it has bounding boxes.

    Other keys pass uncropped, so one that looks like a name of something to crop is an error, unless the layer's
    `pass_through` has it.
    """
    data = {key: value for key, value in data.items() if value is not None}
    known = (*PARTS, *layer.input_names[1:])
    lead = _ndim(data["images"]) - layer.rank - 1 if "images" in data else -1
    for key, value in _leaves({key: value for key, value in data.items() if key not in known}, layer.pass_through):
        meant = _meant(key, known)
        # One number for each image, such as a count of boxes, is nothing to crop.
        if meant and _ndim(value) > lead:
            # The key of a dict that looks like a part, rather than those in it.
            key = next(each for each in itertools.accumulate(key.split("/"), "{}/{}".format) if _meant(each, known))
            raise _unknown(key, f"does not know {key!r}", meant, layer)
    if "images" not in data:
        raise checks.ArgumentError(f"`{layer.name}` takes images, or a dict with `images`, not one of {list(data)}.")
    boxes = data.get("bounding_boxes", {"boxes": None})
    if not isinstance(boxes, dict) or "boxes" not in boxes or not set(boxes) <= {"boxes", "labels"}:
        raise checks.ArgumentError(f"`{layer.name}` takes `bounding_boxes` as a dict of `boxes` and perhaps `labels`.")
    return data


def check_passed_shapes(shapes, layer):
    """Stop if what passes uncropped has the images' height and width: it is a mask, or another image."""
    images = shapes["images"]
    lengths = layer.lengths(images)
    if layer.rank == 1 or not all(isinstance(length, int) for length in lengths):
        return
    known = (*PARTS, *layer.input_names[1:])
    lead = len(images) - layer.rank - 1
    for key, shape in _leaves({key: value for key, value in shapes.items() if key not in known}, layer.pass_through):
        if lengths in (tuple(shape[lead : lead + layer.rank]), tuple(shape[lead + 1 : lead + 1 + layer.rank])):
            raise _unknown(key, f"gets {key!r} of the images' size, {lengths}", "segmentation_masks", layer)


def _unknown(key, problem, meant, layer):
    return checks.ArgumentError(
        f"`{layer.name}` {problem}: did you mean {meant!r}? To pass it uncropped, name {key!r} in `pass_through`."
    )


def _leaves(parts, passed, above=""):
    """The keys and values of a dict, and of the dicts in it, whose keys get `"above/"` in front; without those passed.

    A list has its own key for all that it holds.
    """
    for key, value in parts.items():
        key = f"{above}{key}"
        if key in passed:
            continue
        if isinstance(value, dict):
            yield from _leaves(value, passed, f"{key}/")
        elif isinstance(value, list) and any(hasattr(part, "shape") or isinstance(part, tuple) for part in value):
            yield from ((key, part) for part in value)
        else:
            yield key, value


def shape_of(value):
    """A tensor's shape; that of anything else, or of a tensor without a known rank, is `()`."""
    shape = getattr(value, "shape", ())
    return () if getattr(shape, "rank", 0) is None else tuple(shape)


def _ndim(value):
    """The number of axes of a tensor, of a shape, or of nested lists."""
    if not isinstance(value, (list, tuple)):
        return len(shape_of(value))
    nested = [part for part in value if isinstance(part, (list, tuple)) or hasattr(part, "shape")]
    return 1 + max(map(_ndim, nested)) if nested else len(value)


@functools.cache
def _meant(key, parts):
    """The part that a key looks like; None if there is none."""
    key = re.sub("([a-z])([A-Z])", r"\1_\2", str(key)).lower()
    for word in reversed(re.findall("[a-z]+", key)):
        for single in (word, word.removesuffix("s"), word.removesuffix("es")):
            part = PART_OF.get(single)
            if part in parts:
                return part
    # Strict enough to let "image_id" and "image_2" pass, yet to take "image" for "images".
    names = {part.rsplit("_", 1)[-1]: part for part in parts} | {part: part for part in parts}
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.88)
    return names[close[0]] if close else None


def check_shapes(shapes, layer):
    """Stop unless masks, boxes, labels and key points fit the images; `shapes` is a dict of shapes."""
    images, rank = shapes["images"], layer.rank
    lead = images[: len(images) - rank - 1]
    check_passed_shapes(shapes, layer)
    if "boxes" in shapes and "boxes" in layer.input_names:
        _check_boxes(shapes, layer)
    if "segmentation_masks" in shapes:
        masks = shapes["segmentation_masks"]
        lengths = layer.lengths(images)
        has_channels = len(masks) == len(images)
        if has_channels:
            got = layer.lengths(masks)
        else:
            got = masks[len(lead) :]
        if len(got) != rank or not _agree((*lead, *lengths), (*masks[: len(lead)], *got)):
            raise checks.ShapeError(
                f"`{layer.name}` needs `segmentation_masks` of the images' size {(*lead, *lengths)}, "
                f"with or without channels, not {tuple(masks)}."
            )
    if "bounding_boxes" in shapes:
        sides, labels = shapes["bounding_boxes"]["boxes"], shapes["bounding_boxes"].get("labels")
        if len(sides) != len(lead) + 2 or sides[-1] != 2 * rank or not _agree(sides[: len(lead)], lead):
            raise checks.BoxError(
                f"`{layer.name}` takes bounding boxes of shape {_form(*lead, 'boxes', 2 * rank)} with these images, "
                f"not {tuple(sides)}."
            )
        if labels is not None and not _agree(sides[:-1], labels[: len(lead) + 1]):
            raise checks.BoxError(
                f"`{layer.name}` needs a label for each bounding box: there are boxes of shape {tuple(sides)}, "
                f"but labels of shape {tuple(labels)}."
            )
    if "keypoints" in shapes:
        points = shapes["keypoints"]
        if len(points) != len(lead) + 2 or not _agree(points[: len(lead)], lead) or (points[-1] or rank) < rank:
            raise checks.ShapeError(
                f"`{layer.name}` takes key points of shape {_form(*lead, 'points', rank)} with these images, "
                f"not {tuple(points)}."
            )


def _check_boxes(shapes, layer):
    """Stop unless the boxes to cut fit the images, or come with the indices of their images."""
    images, boxes, indices = (shapes.get(name) for name in ("images", "boxes", "box_indices"))
    batched = len(images) > layer.rank + 1
    if indices is None:
        leads = ((None,), (None, None)) if batched else ((), (None,))
        if not checks.are_boxes(boxes, layer.rank, *leads):
            forms = "(batch, 4) or (batch, boxes, 4)" if batched else "(4,) or (boxes, 4)"
            raise checks.BoxError(f"`{layer.name}` takes boxes of shape {forms} with these images, not {tuple(boxes)}.")
        if batched and not _agree(boxes[:1], images[:1]):
            raise checks.BoxError(
                f"`{layer.name}` needs boxes for each image: there are {images[0]} images, but boxes for {boxes[0]}."
            )
        return
    if not batched or not checks.are_boxes(boxes, layer.rank, (None,)) or len(indices) != 1:
        raise checks.BoxError(
            f"`{layer.name}` takes `box_indices` (boxes,) with boxes (boxes, 4) and a batch of images, not "
            f"{tuple(indices)} with {tuple(boxes)} and {tuple(images)}."
        )
    if not _agree(boxes[:1], indices):
        raise checks.BoxError(
            f"`{layer.name}` needs one entry of `box_indices` for each box: there are {boxes[0]} boxes, but "
            f"{indices[0]} indices."
        )
    if set(shapes) & set(PARTS) != {"images"}:
        raise checks.ArgumentError(f"`{layer.name}` takes `box_indices` with images alone.")


def _form(*axes):
    """A shape as text, in which axes may have names rather than lengths."""
    return f"({', '.join(map(str, axes))})"


def _agree(first, second):
    """Whether two shapes are the same, as far as they are known."""
    return len(first) == len(second) and all(a is None or b is None or a == b for a, b in zip(first, second))


def crop(data, lengths, choice, boxes, layer):
    """Crop what goes with a batch of images in the same way as the images.

    Args:
        data: a dict of tensors, whose images have not been cropped.
        lengths: the images' spatial lengths.
        choice: the choice that the images are cropped by.
        boxes: its boxes, one or several for each image.
        layer: the layer, which knows the formats.

    Returns:
        A dict of `segmentation_masks`, `bounding_boxes` and `keypoints`, as far as `data` has them.
    """
    sizes = lengths[::-1], choice.size[::-1]  # x first, as in boxes
    crops = {}
    if "segmentation_masks" in data:
        crops["segmentation_masks"] = _crop_masks(data["segmentation_masks"], data["images"], choice, layer)
    if "bounding_boxes" in data:
        crops["bounding_boxes"] = _crop_boxes(data["bounding_boxes"], boxes, sizes, choice.scaled, layer)
    if "keypoints" in data:
        crops["keypoints"] = _crop_points(data["keypoints"], boxes, sizes[1] if choice.scaled else None)
    return crops


def _crop_masks(masks, images, choice, layer):
    """Masks of any dtype, with an axis for channels or without one."""
    if len(masks.shape) == len(images.shape):
        return choice.cut(masks, True, layer.data_format)
    axis = axes.channels_axis(layer.rank, layer.data_format)
    return ops.squeeze(choice.cut(ops.expand_dims(masks, axis), True, layer.data_format), axis)


def _crop_boxes(bounding_boxes, crops, sizes, scaled, layer):
    """Bounding boxes as seen from inside the crops.

    A box is dropped if less than `layer.min_visible` of it, or nothing, is seen: its sides become 0, its label -1.
    """
    (image_size, crop_size), several = sizes, len(crops.shape) == 3
    labels = bounding_boxes.get("labels")
    if labels is not None:
        labels = labels if _is_signed(labels) else ops.cast(labels, "int32")
        labels = labels[:, None] if several else labels
    crops = _beside(crops, bounding_boxes["boxes"])
    boxes = geometry.to_corners(bounding_boxes["boxes"], layer.box_format, image_size)
    boxes = boxes[:, None] if several else boxes
    boxes, visible = geometry.seen_boxes(boxes, ops.cast(crops, boxes.dtype), crop_size if scaled else None)
    kept = (visible > 0) & (visible >= layer.min_visible - 1e-6)  # a rounding error must not drop a box
    if labels is not None:
        extra = (1,) * (len(labels.shape) - len(kept.shape))  # labels may be a vector for each box
        missing = ops.cast(-1, labels.dtype)
        padding = ops.equal(labels, missing)
        if extra:
            padding = ops.all(padding, axis=-1)
        kept = kept & ~padding
        labels = ops.where(ops.reshape(kept, (*ops.shape(kept), *extra)), labels, missing)
    boxes = geometry.from_corners(ops.where(kept[..., None], boxes, 0.0), layer.box_format, crop_size)
    return {**bounding_boxes, "boxes": boxes} | ({} if labels is None else {"labels": labels})


def _is_signed(labels):
    return not standardize_dtype(labels.dtype).startswith(("uint", "bool"))


def _crop_points(points, crops, crop_size):
    """Key points as seen from inside the crops; those outside a crop have coordinates outside its size."""
    points, rank = ops.cast(points, geometry.coordinates_dtype(points)), crops.shape[-1] // 2
    several, crops = len(crops.shape) == 3, ops.cast(_beside(crops, points), points.dtype)
    points = points[:, None] if several else points
    moved = geometry.seen_points(points[..., :rank], crops, crop_size)
    if points.shape[-1] == rank:
        return moved
    rest = ops.broadcast_to(points[..., rank:], (*ops.shape(moved)[:-1], points.shape[-1] - rank))
    return ops.concatenate([moved, rest], axis=-1)


def _beside(crops, things):
    """Crops `(batch[, crops], :)`, reshaped to broadcast with things `(batch[, 1][, time], number, :)`."""
    between = len(things.shape) - 2
    return ops.reshape(crops, (*ops.shape(crops)[:-1], *(1,) * between, crops.shape[-1]))


def crops_shapes(shapes, lead, size, layer):
    """The shapes of all parts after cropping, from a dict of their shapes, all with a batch axis.

    Args:
        lead: the leading axes of the crops: the batch, and perhaps the number of crops of each image.
        size: of the crops, in pixels.
    """

    def resized(shape):
        return (*lead, *layer.with_lengths(shape, size)[1:])

    crops = {"images": resized(shapes["images"])}
    if "segmentation_masks" in shapes:
        masks = shapes["segmentation_masks"]
        has_channels = len(masks) == len(shapes["images"])
        crops["segmentation_masks"] = resized(masks) if has_channels else (*lead, *masks[1 : -layer.rank], *size)
    if "bounding_boxes" in shapes:
        crops["bounding_boxes"] = {name: (*lead, *part[1:]) for name, part in shapes["bounding_boxes"].items()}
    if "keypoints" in shapes:
        crops["keypoints"] = (*lead, *shapes["keypoints"][1:])
    return crops


def dtypes(data):
    """The dtypes of all parts after cropping: boxes and points are float32 at least, labels can hold -1."""
    found = {key: standardize_dtype(value.dtype) for key, value in data.items() if not isinstance(value, dict)}
    if "bounding_boxes" in data:
        parts = data["bounding_boxes"]
        found["bounding_boxes"] = {"boxes": geometry.coordinates_dtype(parts["boxes"])}
        if "labels" in parts:
            found["bounding_boxes"]["labels"] = (
                standardize_dtype(parts["labels"].dtype) if _is_signed(parts["labels"]) else "int32"
            )
    if "keypoints" in data:
        found["keypoints"] = geometry.coordinates_dtype(data["keypoints"])
    return found
