"""The arguments that a layer was made with: how they are saved, and how a layer prints in one line."""

import functools
import inspect

import keras

from kerascrop import checks


@functools.cache
def arguments(layer_class):
    """The names of a layer's own arguments, with their defaults; those of the class itself come first."""
    found = {}
    for ancestor in layer_class.__mro__[: layer_class.__mro__.index(keras.layers.Layer)]:
        for name, parameter in list(inspect.signature(ancestor.__init__).parameters.items())[1:]:
            if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                found.setdefault(name, parameter.default)
    return found


def config(layer):
    """A layer's arguments, each of which it must keep as an attribute of the same name."""
    settings = {}
    for name in arguments(type(layer)):
        if not hasattr(layer, name):
            raise checks.ArgumentError(
                f"`{type(layer).__name__}` cannot be saved: it does not keep its argument `{name}` as `self.{name}`. "
                "Keep it, or write a `get_config()`."
            )
        settings[name] = getattr(layer, name)
    return settings


def describe(layer):
    """The layer's class, its name, and those of its settings that are not the defaults."""
    defaults = {**arguments(type(layer)), "data_format": keras.config.image_data_format()}
    try:
        settings = layer.get_config()
    except checks.ArgumentError:  # a layer that cannot be saved can still be printed
        settings = {}
    settings = {name: settings[name] for name in defaults if name in settings and settings[name] != defaults[name]}
    parts = [f"{type(layer).__name__} name={layer.name}", *(f"{name}={_shown(settings[name])}" for name in settings)]
    return f"<{', '.join(parts)}>"


def _shown(value):
    """A setting as text: for a serialized layer, such as a localizer, its class name."""
    return value["class_name"] if isinstance(value, dict) and "class_name" in value else repr(value)
