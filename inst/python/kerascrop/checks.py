"""Argument checks: each returns the converted value, or raises an error that says what is wrong and what would work.

R users catch the same error classes, with the prefix `kerascrop_error_`.
All are `ValueError`s, so Python users need not know them.
"""

import contextlib
import math
import numbers
from collections.abc import Iterable

import keras
import numpy as np

from kerascrop.axes import AXIS_NAMES, channels_axis, spatial_axes


class CropError(ValueError):
    """Base of the errors below."""

    # AutoGraph, which converts what `Dataset.map()` is given, leaves an error its class only if it is made so; others
    # become a `StagingError`.
    __init__ = Exception.__init__


class ArgumentError(CropError):
    """An argument of the wrong kind, or a choice that does not exist."""


class SizeError(CropError):
    """A size that is not a positive whole number, or larger than the image."""


class ShapeError(CropError):
    """A tensor of the wrong rank, or with the wrong number of channels."""


class BoxError(CropError):
    """Boxes of the wrong shape, reversed, or in an unknown format."""


LARGEST_SIZE = 2**31 - 1


@contextlib.contextmanager
def keras_arguments():
    """A context that turns a Keras layer's error about its arguments into an `ArgumentError`."""
    try:
        yield
    except ValueError as error:
        raise ArgumentError(str(error)) from None


def whole_number(value):
    """`value` as an int if it is a whole number, whatever its type; else None."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return None
    if not math.isfinite(value) or value != int(value) or abs(value) > LARGEST_SIZE:
        return None
    return int(value)


def check_size(value, name):
    """A size in pixels: a whole number of at least 1."""
    size = whole_number(value)
    if size is None or size < 1:
        raise SizeError(f"`{name}` must be a whole number of pixels, at least 1, not {value!r}.")
    return size


def check_count(value, name, least=1):
    """A count: a whole number of at least `least`."""
    count = whole_number(value)
    if count is None or count < least:
        raise SizeError(f"`{name}` must be a whole number, at least {least}, not {value!r}.")
    return count


def check_sizes(values, names):
    """A size for each axis, in pixels."""
    return tuple(check_size(value, name) for value, name in zip(values, names))


def check_size_of_crops(size):
    """A size for each of one to three axes, in pixels."""
    sizes = tuple(size) if isinstance(size, Iterable) else ()
    if len(sizes) not in AXIS_NAMES:
        raise SizeError(
            "`size` must be (height, width), in pixels; (length,) for sequences or (depth, height, width) for volumes; "
            f"not {size!r}."
        )
    return check_sizes(sizes, AXIS_NAMES[len(sizes)])


def check_fraction(value, name):
    """A number from 0 to 1."""
    if not 0 <= check_number(value, name) <= 1:
        raise ArgumentError(f"`{name}` must be a number from 0 to 1, not {value!r}.")
    return float(value)


def check_range(value, name):
    """Two positive numbers, the smaller one first."""
    pair = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(pair) != 2 or not all(check_number(bound, name) > 0 for bound in pair) or pair[0] > pair[1]:
        raise ArgumentError(f"`{name}` must be two positive numbers, the smaller one first, not {value!r}.")
    return float(pair[0]), float(pair[1])


def check_flag(value, name):
    """True or False itself, not a value that merely counts as one."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError(f"`{name}` must be True or False, not {value!r}.")
    return bool(value)


def check_choice(value, name, choices):
    """One of a few strings."""
    if value not in choices:
        raise ArgumentError(f"`{name}` must be one of {', '.join(map(repr, choices))}, not {value!r}.")
    return value


def check_data_format(value):
    """Where the channels are; None takes Keras's setting."""
    if value is None:
        value = keras.config.image_data_format()
    return check_choice(value, "data_format", ("channels_last", "channels_first"))


def check_number(value, name):
    """A finite number."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ArgumentError(f"`{name}` must be a finite number, not {value!r}.")
    return float(value)


def check_holds(value, name, dtype):
    """A number that `dtype` can hold; floating-point types take any."""
    if dtype == "bool":
        low, high = 0, 1
    elif "int" in dtype:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    else:
        return
    if not (low <= value <= high and value == int(value)):
        raise ArgumentError(
            f"`{name}` must be a whole number from {low} to {high} for images of type {dtype}, not {value!r}."
        )


def check_memory(shape, layer, what="crops"):
    """A shape, checked to have no more numbers than an index can count; None, a length not known yet, passes."""
    count = math.prod(length for length in shape if isinstance(length, int))
    if count > LARGEST_SIZE:
        raise SizeError(
            f"`{layer}` would make {what} of shape {tuple(shape)}, {count:.2g} numbers. Use smaller sizes or batches."
        )
    return tuple(shape)


def check_seed(value):
    """None, or a whole number that is not negative."""
    if value is None:
        return None
    seed = whole_number(value)
    if seed is None or seed < 0:
        raise ArgumentError(f"`seed` must be None or a whole number that is not negative, not {value!r}.")
    return seed


def check_margins(cropping, rank):
    """Margins in any form that Keras's `Cropping2D` takes, as `((before, after), ...)`, one pair per axis.

    One number is for all sides, one number per axis for both its sides; sequences also take `(before, after)`.
    Negative numbers are allowed: they add a border.
    """
    pairs = cropping if isinstance(cropping, (list, tuple)) else [cropping] * rank
    if rank == 1 and len(pairs) == 2:
        pairs = [tuple(pairs)]
    pairs = [pair if isinstance(pair, (list, tuple)) else (pair, pair) for pair in pairs]
    margins = tuple(tuple(whole_number(margin) for margin in pair) for pair in pairs)
    if len(margins) != rank or any(len(pair) != 2 or None in pair for pair in margins):
        raise SizeError(
            f"`cropping` must be a whole number of pixels, {rank} of them (one an axis), "
            f"or {rank} pairs (before, after), not {cropping!r}."
        )
    return margins


def check_images_shape(shape, rank, layer, data_format="channels_last", clips=False, in_model=False):
    """Stop unless images have `rank` spatial axes and channels, perhaps a batch axis, and for clips a time axis.

    Args:
        in_model: whether a model's input is meant, which always has a batch axis. Otherwise axes that may be one
            image's are taken for it, unless it would have more than four channels, or an unknown length in front of
            known ones: then they are more probably a batch without channels, which must not be cropped along the batch.
    """
    if rank + 2 <= len(shape) <= rank + (3 if clips else 2):
        return
    lacks_an_axis = len(shape) == rank + 1
    if lacks_an_axis and not in_model:
        channels = shape[channels_axis(rank, data_format)]
        others = [shape[axis] for axis in spatial_axes(rank, data_format) if axis != -rank - 1]
        looks_batched = shape[0] is None and any(length is not None for length in others)
        if (channels is None or channels <= 4) and not looks_batched:
            return
    if in_model:
        takes = f"in a model takes a batch of images, a tensor with {rank + 2} axes"
    else:
        takes = f"takes a batch of images, a tensor with {rank + 2} axes, or one image, with {rank + 1}"
    hint = "Grey images need an axis of one channel."
    if lacks_an_axis:
        grey = "x[..., None]" if data_format == "channels_last" else "x[:, None]"
        hint = (
            f"A batch of grey images needs an axis of one channel, `{grey}`; one image, with however many channels, a "
            "batch axis, `x[None]`."
        )
        hint += {2: " Sequences have layers of their own.", 3: " Images have layers of their own."}.get(rank, "")
    raise ShapeError(f"`{layer}` {takes}; this one has shape {tuple(shape)}. {hint}")


def check_tensor(value, name):
    """A tensor of real numbers."""
    try:
        tensor = keras.ops.convert_to_tensor(value)
        dtype = keras.backend.standardize_dtype(tensor.dtype)
    except (TypeError, ValueError):
        raise ArgumentError(f"`{name}` must be an array or a tensor, not {type(value).__name__}.") from None
    if not any(kind in dtype for kind in ("float", "int", "bool")):
        raise ArgumentError(f"`{name}` must be real numbers, not {dtype}.")
    return tensor


def known(tensor):
    """A tensor's values as a NumPy array, or None if they are not known before a graph runs."""
    try:
        return keras.ops.convert_to_numpy(tensor)
    except Exception:  # each backend has its own error for this
        return None


def check_pixels_shape(shape, rank, name, lead=1):
    """Stop unless a shape has `lead` axes, then `rank` spatial axes and channels, and at least one pixel."""
    form = ", ".join(("batch", "boxes")[:lead] + AXIS_NAMES[rank] + ("channels",))
    if len(shape) != lead + rank + 1 or 0 in shape[lead:-1]:
        raise ShapeError(f"`{name}` must have shape ({form}), with at least one pixel, not {tuple(shape)}.")


def are_boxes(shape, rank, *leads):
    """Whether a shape is that of boxes: one of the shapes `leads`, then two numbers per axis; None is any length."""
    if tuple(shape[-1:]) != (2 * rank,):
        return False
    return any(
        len(shape) == len(lead) + 1 and all(None in pair or pair[0] == pair[1] for pair in zip(lead, shape))
        for lead in leads
    )


def check_boxes(shape, rank, *leads):
    """Stop unless `are_boxes()` accepts the shape."""
    if not are_boxes(shape, rank, *leads):
        forms = " or ".join(str((*lead, 2 * rank)).replace("None", "n") for lead in leads)
        raise BoxError(f"`boxes` must have shape {forms}, not {tuple(shape)}.")


def check_box_indices(indices, boxes, images):
    """The index of each box's image: whole numbers and, where their values are known, below `images`."""
    indices = check_tensor(indices, "box_indices")
    shape, dtype = tuple(indices.shape), keras.backend.standardize_dtype(indices.dtype)
    if "int" not in dtype or len(shape) != 1 or (None not in (shape[0], boxes) and shape[0] != boxes):
        raise BoxError(
            f"`box_indices` must be whole numbers of shape ({boxes or 'n'},), one for each box, not {dtype} of shape "
            f"{shape}."
        )
    numbers = None if images is None else known(indices)
    if numbers is not None:
        wrong = numbers[(numbers < 0) | (numbers >= images)]
        if wrong.size:
            raise BoxError(
                f"`box_indices` must be from 0 to {images - 1}, as there are {images} images, not {wrong[0]}."
            )
    return indices


def check_side(value, name):
    """None, or a size: a number of pixels or, if at most 1, a fraction of the image."""
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real) or not 0 < value <= LARGEST_SIZE:
        raise SizeError(f"`{name}` must be a number of pixels, or a fraction of the image up to 1, not {value!r}.")
    return float(value)
