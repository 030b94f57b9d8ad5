"""Argument checks: each returns the converted value, or raises an error of `errors`; these have a name here too."""

import math
import numbers
import re
import warnings

import keras
import numpy as np

from kerascrop.axes import AXIS_NAMES, channels_axis, spatial_axes
from kerascrop.errors import ArgumentError, BoxError, BoxWarning, ShapeError, SizeError, shown
from kerascrop.errors import CropError as CropError
from kerascrop.errors import shortened as shortened

LARGEST_SIZE, LARGEST_MEMORY = 2**31 - 1, 2**33  # pixels or numbers; bytes
LONGEST_NAME = 200  # characters: files of weights and messages hold the names of layers
LARGEST_FLOATS = {"float16": 65504.0, "bfloat16": 3.3895e38, "float32": 3.4028234e38}


def real_number(value):
    """`value` as a float if it is a finite number, whatever its type; else None. True and False are no numbers."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        return None
    try:
        value = float(value)
    except OverflowError:  # 10**400
        return None
    return value if math.isfinite(value) else None


def whole_number(value):
    """`value` as an int if it is a whole number below 2^31, whatever its type; else None."""
    number = real_number(value)
    if number is None or number != int(number) or abs(number) > LARGEST_SIZE:
        return None
    return int(number)


def check_size(value, name):
    """A size in pixels: a whole number of at least 1."""
    size = whole_number(value)
    if size is None or size < 1:
        raise SizeError(f"`{name}` must be a whole number of pixels, at least 1, not {shown(value)}.")
    return size


def check_count(value, name, least=1):
    """A count: a whole number of at least `least`."""
    count = whole_number(value)
    if count is None or count < least:
        raise SizeError(f"`{name}` must be a whole number, at least {least}, not {shown(value)}.")
    return count


def check_sizes(values, names):
    """A size for each axis, in pixels."""
    return tuple(check_size(value, name) for value, name in zip(values, names))


def check_size_of_crops(size):
    """A size for each of one to three axes, in pixels."""
    sizes = tuple(size) if isinstance(size, (list, tuple, range)) or getattr(size, "ndim", 0) == 1 else ()
    if len(sizes) not in AXIS_NAMES:
        raise SizeError(
            "`size` must be (height, width), in pixels; (length,) for sequences or (depth, height, width) for volumes; "
            f"not {shown(size)}."
        )
    return check_sizes(sizes, AXIS_NAMES[len(sizes)])


def check_fraction(value, name):
    """A number from 0 to 1."""
    if not 0 <= check_number(value, name) <= 1:
        raise ArgumentError(f"`{name}` must be a number from 0 to 1, not {shown(value)}.")
    return float(value)


def check_range(value, name):
    """Two positive numbers, the smaller one first."""
    pair = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(pair) != 2 or not all(check_number(bound, name) > 0 for bound in pair) or pair[0] > pair[1]:
        raise ArgumentError(f"`{name}` must be two positive numbers, the smaller one first, not {shown(value)}.")
    return float(pair[0]), float(pair[1])


def check_flag(value, name):
    """True or False itself, not a value that merely counts as one."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError(f"`{name}` must be True or False, not {shown(value)}.")
    return bool(value)


def check_names(value, name):
    """A tuple of strings, of one or several; None is none."""
    names = (value,) if isinstance(value, str) else () if value is None else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(part, str) for part in names):
        raise ArgumentError(f"`{name}` must be a string, or several, not {shown(value)}.")
    return tuple(names)


def check_choice(value, name, choices):
    """One of a few strings, as itself, or None where that is among them."""
    if value is None and None in choices:
        return None
    if isinstance(value, str) and value in choices:
        return choices[choices.index(value)]
    raise ArgumentError(f"`{name}` must be one of {', '.join(map(repr, choices))}, not {shown(value)}.")


def check_name(value):
    """None, or a name as Keras takes it."""
    is_name = isinstance(value, str) and value.isprintable() and "/" not in value and 1 <= len(value) <= LONGEST_NAME
    if value is None or is_name:
        return value
    raise ArgumentError(
        f"`name` must be None or a string of 1 to {LONGEST_NAME} characters without '/', not {shown(value)}."
    )


def check_dtype(value):
    """None, or what Keras takes as a `dtype`: the name of a type, or a policy."""
    try:
        if isinstance(keras.dtype_policies.get(value), (keras.DTypePolicy, keras.dtype_policies.DTypePolicyMap)):
            return value
    except Exception:  # Keras has several for this
        pass
    raise ArgumentError(
        f"`dtype` must be the name of a type, such as 'float32', or a Keras policy, not {shown(value)}."
    )


def check_data_format(value):
    """Where the channels are; None takes Keras's setting."""
    if value is None:
        value = keras.config.image_data_format()
    return check_choice(value, "data_format", ("channels_last", "channels_first"))


def check_number(value, name):
    """A finite number."""
    number = real_number(value)
    if number is None:
        raise ArgumentError(f"`{name}` must be a finite number, not {shown(value)}.")
    return number


def check_holds(value, name, dtype):
    """A number that `dtype` can hold: a whole one for integers, one that does not become infinite for the others."""
    if dtype == "bool":
        low, high = 0, 1
    elif "int" in dtype:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    else:
        if abs(value) > LARGEST_FLOATS.get(dtype, math.inf):
            raise ArgumentError(f"`{name}` must be a number that images of type {dtype} can hold, not {shown(value)}.")
        return
    if not (low <= value <= high and value == int(value)):
        raise ArgumentError(
            f"`{name}` must be a whole number from {low} to {high} for images of type {dtype}, not {shown(value)}."
        )


def check_memory(shape, layer, what="crops", dtype=None):
    """A shape, checked to have no more numbers than an index can count, in at most 8 GiB of memory.

    None, a length not known yet, passes. Without a `dtype`, numbers count as bytes.
    """
    count = math.prod(length for length in shape if isinstance(length, int))
    size = count * _bytes(dtype)
    if count > LARGEST_SIZE or size > LARGEST_MEMORY:
        raise SizeError(
            f"`{layer}` would make {what} of shape {tuple(shape)}, {count:.2g} numbers, {size / 2**30:.3g} GiB. "
            "Use smaller sizes or batches."
        )
    return tuple(shape)


def _bytes(dtype):
    """How many bytes a number of this dtype takes."""
    bits = re.search("[0-9]+", dtype or "")
    return int(bits[0]) // 8 if bits else 1


def check_seed(value):
    """None, or a whole number from 0 to 2^31 - 1: what all backends, NumPy and R take as a seed, and 32 bits hold."""
    if value is None:
        return None
    seed = whole_number(value)
    if seed is None or seed < 0:
        raise ArgumentError(f"`seed` must be None or a whole number from 0 to 2147483647, not {shown(value)}.")
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
            f"or {rank} pairs (before, after), not {shown(cropping)}."
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
    if isinstance(value, keras.KerasTensor):
        raise ArgumentError(f"`{name}` is {shown(value)}, which has no numbers yet: in a model, layers take it.")
    try:
        if not isinstance(value, (list, tuple, numbers.Number)) and not hasattr(value, "shape"):
            raise TypeError  # what backends make of other objects differs
        tensor = keras.ops.convert_to_tensor(value)
        dtype = keras.backend.standardize_dtype(tensor.dtype)
        if hasattr(tensor, "dense_shape") or hasattr(tensor, "ragged_rank") or len(tensor.shape) < 0:
            raise TypeError  # a sparse or ragged one, or of unknown rank
    except Exception:  # each backend has errors of its own
        raise ArgumentError(f"`{name}` must be an array or a tensor, not {shown(value)}.") from None
    check_real(dtype, name)
    return tensor


def check_real(dtype, name):
    """Stop unless a dtype is that of real numbers, the only ones that can be resampled."""
    if not any(kind in dtype for kind in ("float", "int", "bool")):
        raise ArgumentError(f"`{name}` must be real numbers, not {dtype}.")


def check_inputs(inputs, layer, part="images", nested=False):
    """What a layer is called with, arrays in it as tensors; stops where there is something else."""
    if isinstance(inputs, dict):
        if not all(isinstance(key, str) for key in inputs):
            raise ArgumentError(f"`{layer}` takes a dict whose keys are strings, not {shown(list(inputs))}.")
        # A part that is None is missing, and `joint` drops it; nested ones are dropped here.
        parts = [(key, value) for key, value in inputs.items() if value is not None or not nested]
        return {key: value if value is None else check_inputs(value, layer, key, True) for key, value in parts}
    if isinstance(inputs, (list, tuple)) and inputs and all(hasattr(value, "shape") for value in inputs):
        return type(inputs)(check_inputs(value, layer, part, True) for value in inputs)
    try:
        if isinstance(inputs, (np.ndarray, np.generic)):
            inputs = keras.ops.convert_to_tensor(inputs)
        len(inputs.shape), inputs.__getitem__  # a `tf.TensorSpec` has a shape, but no numbers
        keras.backend.standardize_dtype(inputs.dtype)
    except Exception:  # each backend has errors of its own
        raise ArgumentError(f"`{layer}` takes arrays and tensors; for {part} it got {shown(inputs)}.") from None
    return inputs


def check_images_to_cut(images, rank, batch=None):
    """Images of any type as a tensor, with `rank` spatial axes between batch and channels at least.

    `batch` is how many there must be, if that is known.
    """
    if isinstance(images, keras.KerasTensor):
        raise ArgumentError(f"`images` is {shown(images)}, which has no numbers yet: in a model, layers take it.")
    images = images if keras.ops.is_tensor(images) else check_inputs(images, "cut()")
    if len(images.shape) < rank + 2:
        raise ShapeError(f"`images` must have {rank + 2} axes, with batch and channels, not {tuple(images.shape)}.")
    if batch is not None and images.shape[0] not in (None, batch):
        raise ShapeError(f"There must be an image for each box: there are {images.shape[0]} images, but {batch} boxes.")
    return images


def known(tensor):
    """A tensor's values as a NumPy array, or None if they are not known before a graph runs."""
    try:
        return keras.ops.convert_to_numpy(tensor)
    except Exception:  # each backend has its own error for this
        return None


def at_hand(tensor):
    """A tensor's values as a NumPy array, or None if they would have to be waited for: in a graph, or on a GPU."""
    try:
        return known(tensor) if "cpu" in str(tensor.device).lower() else None
    except Exception:  # each backend has its own error for this
        return None


def warn_outside(boxes, lengths, name, given=None):
    """Warn of boxes that lie wholly outside their images, where their numbers are at hand.

    Args:
        boxes: `(..., 2 * rank)` corners in pixels; those with NaN are not meant.
        lengths: of the images in pixels, the outermost axis first.
        given: the boxes before they were converted; where all numbers are -1, there is none.
    """
    numbers, lengths = at_hand(boxes), tuple(lengths)
    if numbers is None or not all(isinstance(length, (int, float)) for length in lengths):
        return
    rank = len(lengths)
    corners = numbers[..., :rank], numbers[..., rank:]
    missing = np.all((numbers if given is None else known(given)) == -1, axis=-1)
    outside = (np.maximum(*corners) <= 0) | (np.minimum(*corners) >= lengths[::-1])
    outside = np.any(outside, axis=-1) & ~missing
    if outside.any():
        many = "1 box lies" if outside.sum() == 1 else f"{outside.sum()} boxes lie"
        warnings.warn(
            f"`{name}`: {many} wholly outside of images of {' x '.join(map(str, lengths))} pixels, such as "
            f"{numbers[outside][0].tolist()}. `kerascrop.clip_boxes()` moves sides to the image's edges.",
            BoxWarning,
            stacklevel=3,
        )


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
    number = real_number(value)
    if number is None or not 0 < number <= LARGEST_SIZE:
        raise SizeError(f"`{name}` must be a number of pixels, or a fraction of the image up to 1, not {shown(value)}.")
    return number
