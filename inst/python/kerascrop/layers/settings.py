"""The arguments that a layer was made with: how they show, how they are saved, how a layer prints in one line."""

import functools
import inspect
import re
from typing import Any

import keras

from kerascrop import checks
from kerascrop.hints import NAMED, with_arguments_of


def show_arguments(layer_class):
    """Let a layer's constructor show the arguments of the classes that it is made of, and those of Keras."""
    if "__init__" in vars(layer_class):
        with_arguments_of(*(base.__init__ for base in _own_classes(layer_class)[1:]), _of_keras)(layer_class.__init__)


def _own_classes(layer_class):
    """A layer's class and those that it is made of, up to Keras's."""
    return layer_class.__mro__[: layer_class.__mro__.index(keras.layers.Layer)]


def _of_keras(*, name: str | None = None, dtype: Any = None, trainable: bool = True):
    """Stands for `keras.layers.Layer`: its arguments that matter to these layers. Keras saves them by itself."""


@functools.cache
def arguments(layer_class):
    """The names of a layer's own arguments, with their defaults; those of the class itself come first."""
    found = {}
    for each in _own_classes(layer_class):
        for name, parameter in list(inspect.signature(each.__init__).parameters.items())[1:]:
            if parameter.kind in NAMED and name not in inspect.signature(_of_keras).parameters:
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


def default_name(layer_class):
    """A name for a layer that is given none, or None, for Keras to choose one.

    Keras has a `RandomCrop` and a `CenterCrop` as well, and a model's summary shows no more than a layer's name and its
    class: a layer of this package is told apart by its name.
    """
    if not layer_class.__module__.startswith("kerascrop."):
        return None
    name = "kerascrop_" + re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("([0-9])D$", r"_\1d", layer_class.__name__)).lower()
    number = keras.backend.get_uid(name) - 1
    return f"{name}_{number}" if number else name
