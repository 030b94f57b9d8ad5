"""What a layer says of its crops, `crop_size()` and `lead()`, held against its images and against what it chose."""

import numpy as np

from kerascrop import axes, checks
from kerascrop.engine.choices import Choice
from kerascrop.engine.samples import Samples


def with_hint(error, shapes, layer):
    """A size error, with a hint if the images would be large enough in the other data format."""
    images = shapes["images"]
    other = ({"channels_last", "channels_first"} - {layer.data_format}).pop()
    order = range(len(images))
    for permute, data_format in ((axes.to_channels_last, other), (axes.from_channels_last, layer.data_format)):
        order = [order[axis] for axis in permute(len(images), layer.rank, data_format) or range(len(images))]
    moved = tuple(images[axis] for axis in order)
    channels = moved[axes.channels_axis(layer.rank, layer.data_format)]
    if channels not in (1, 2, 3, 4):
        return error
    try:
        layer.crop_size({**shapes, "images": moved})
    except checks.SizeError:
        return error
    return checks.SizeError(f"{error} If {images} are images of {channels} channels, use `data_format={other!r}`.")


def check_choice(choice, boxes_shape, size, layer):
    """Stop unless `choose()` gave what the layer declares."""
    caller = f"`choose()` of {type(layer).__name__}"
    if not isinstance(choice, Choice):
        raise checks.ArgumentError(
            f"{caller} must return `kerascrop.Samples(boxes, size)` or `kerascrop.Windows(starts, size)`, not an "
            f"object of type {type(choice).__name__}."
        )
    if _differ(choice.size, size):
        raise checks.ShapeError(
            f"{caller} must give crops of the size that `crop_size()` returns, {size}, not {choice.size}."
        )
    got = choice.boxes_shape
    for_all_images = got[:1] == (1,) and not isinstance(choice, Samples)
    if _differ(got[for_all_images:], boxes_shape[for_all_images:]):
        raise checks.BoxError(f"{caller} must give boxes of shape {boxes_shape}, not {got}.")
    numbers = None if layer.allows_nan or not isinstance(choice, Samples) else checks.known(choice.boxes)
    if numbers is not None and not np.isfinite(numbers).all():
        raise checks.BoxError(f"{caller} must give boxes of finite numbers; some of these are not.")


def _differ(first, second):
    """Whether two shapes differ in what is known of them."""
    return len(first) != len(second) or any(
        isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(first, second)
    )
