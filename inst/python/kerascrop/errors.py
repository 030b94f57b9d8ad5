"""The errors that users see, and how they show a value in a few words; `checks` raises most, and has them all.

R users catch the same error classes, with the prefix `kerascrop_error_`.
All are `ValueError`s, so Python users need not know them.
"""

import contextlib
import reprlib

import keras


class CropError(ValueError):
    """Base of the errors below."""

    # AutoGraph, which converts what `Dataset.map()` is given, leaves an error its class only if it is made so; others
    # become a `StagingError`.
    __init__ = Exception.__init__

    # With this mark Keras lets an error pass as it is. It would put the message in bold, by codes for terminals,
    # between a line on the layer, which the message names already, and a list of all arguments.
    _keras_call_info_injected = True


class ArgumentError(CropError):
    """An argument of the wrong kind, or a choice that does not exist."""


class SizeError(CropError):
    """A size that is not a positive whole number, or larger than the image."""


class ShapeError(CropError):
    """A tensor of the wrong rank, or with the wrong number of channels."""


class BoxError(CropError):
    """Boxes of the wrong shape, reversed, or in an unknown format."""


class BoxWarning(UserWarning):
    """Boxes that are probably not meant so."""


class _Shown(reprlib.Repr):
    """What a user gave, in a few words, whatever it is."""

    maxlist = maxtuple = maxset = maxfrozenset = 8
    maxdict, maxstring, maxother, maxlong, maxlevel = 4, 60, 60, 40, 3

    def repr_int(self, value, level):
        return super().repr_int(value, level) if abs(value) < 10**60 else "a whole number of more than 60 digits"

    def repr1(self, value, level):
        if isinstance(value, keras.KerasTensor):
            return f"a symbolic tensor of shape {value.shape}"
        if len(shape := getattr(value, "shape", None) or ()) and not isinstance(value, type):
            return f"an array of type {getattr(value, 'dtype', '?')} and shape {tuple(shape)}"
        return super().repr1(value, level)


def shown(value):
    """A value in a few words, for errors."""
    try:
        return _Shown().repr(value)
    except Exception:  # an object's own, when it is printed
        return f"an object of type {type(value).__name__}"


@contextlib.contextmanager
def keras_arguments():
    """A context that turns Keras's errors about a layer's name, dtype and the like into an `ArgumentError`."""
    try:
        yield
    except CropError:
        raise
    except Exception as error:
        raise ArgumentError(shortened(error)) from None


def shortened(error, most=400):
    """An error's text, cut off where it is very long."""
    text = str(error)
    return text if len(text) <= most else f"{text[:most]}..."
