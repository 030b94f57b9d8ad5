"""Layers in one line, as they print."""

import inspect

import keras


def describe(layer):
    """The layer's class, its name, and those of its settings that are not the defaults."""
    defaults = {}
    for ancestor in type(layer).__mro__[: type(layer).__mro__.index(keras.layers.Layer)]:
        for name, parameter in inspect.signature(ancestor.__init__).parameters.items():
            defaults.setdefault(name, parameter.default)
    defaults["data_format"] = keras.config.image_data_format()
    config = layer.get_config()
    settings = {name: config[name] for name in defaults if name in config and config[name] != defaults[name]}
    parts = [f"{type(layer).__name__} name={layer.name}", *(f"{name}={_shown(settings[name])}" for name in settings)]
    return f"<{', '.join(parts)}>"


def _shown(value):
    """A setting in a few words: of a serialized layer, such as a localizer, its class."""
    return value["class_name"] if isinstance(value, dict) and "class_name" in value else repr(value)
