"""Networks of a user's own whose features a map is made of."""

import keras

from kerascrop import checks
from kerascrop.localizers import network


def check_backbone(backbone):
    """A Keras layer or model."""
    if not isinstance(backbone, keras.layers.Layer):
        raise checks.ArgumentError(f"`backbone` must be a Keras layer or model, not {checks.shown(backbone)}.")
    return backbone


def whole_cells(backbone, aspect, longest, channels):
    """The size of the view for a backbone, `(height, width)`, and how many cells its map of that view has.

    `aspect` are height and width as fractions of the longer side, which has `longest` pixels. A backbone for one size
    of images sees that; for any other, sides are whole cells.
    """
    *size, wanted = tuple(getattr(backbone, "input_shape", None) or (None,) * 4)[1:]
    if wanted not in (None, channels):
        raise checks.ShapeError(f"`backbone` takes images of {wanted} channels, but these have {channels}.")
    if None in size:
        stride = max(1, round(longest / max(_cells(backbone, (longest, longest), channels))))
        size, _ = network.whole_cells(aspect, longest, stride)
    cells = _cells(backbone, size, channels)
    if size[0] % cells[0] or size[1] % cells[1] or size[0] // cells[0] != size[1] // cells[1]:
        raise checks.ShapeError(
            f"`backbone` must make a map of whole square cells, but of images of {size[0]} x {size[1]} pixels it makes "
            f"one of {cells[0]} x {cells[1]}: use convolutions with padding='same'."
        )
    return tuple(size), cells


def _cells(backbone, size, channels):
    """Rows and columns of the map of images of a size."""
    shape = (None, *size, channels)
    try:
        found = tuple(backbone(keras.KerasTensor(shape)).shape)
    except Exception as error:
        text = checks.shortened(error)
        raise checks.ShapeError(f"`backbone` does not take images of shape {shape}. {text}") from error
    if len(found) != 4 or None in found[1:]:
        raise checks.ShapeError(
            "`backbone` must return a map of features, (batch, rows, columns, features); of images of shape "
            f"{shape} it returns {found}. Leave out its last layers (`include_top=False`)."
        )
    return found[1:3]
