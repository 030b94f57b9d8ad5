"""Type hints: what a tensor is, and what the arguments are that a function passes on as `**kwargs`.

A layer's class names its own arguments, and passes those of its bases on. The dicts below tell type checkers and
editors what these are; `with_arguments_of()` shows them to `help()` and `inspect.signature()`.
"""

import inspect
import sys
from collections.abc import Sequence
from typing import Any, TypedDict

if sys.version_info >= (3, 11):
    from typing import Unpack as Unpack
else:
    from typing_extensions import Unpack as Unpack

Tensor = Any  # a tensor of the backend, symbolic or not, or what becomes one: an array, nested lists of numbers
Names = str | Sequence[str]

NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def with_arguments_of(*others):
    """Decorate a function that passes `**kwargs` on: its signature shows the others' arguments, as keywords only.

    Arguments without a default do not show: whoever passes `**kwargs` on gives these itself.
    """

    def decorate(function):
        signature = inspect.signature(function)
        *own, last = signature.parameters.values()
        if last.kind is last.VAR_KEYWORD:
            shown = {parameter.name: parameter for parameter in own}
            for parameter in (each for other in others for each in inspect.signature(other).parameters.values()):
                if parameter.kind in NAMED and parameter.default is not parameter.empty:
                    shown.setdefault(parameter.name, parameter.replace(kind=parameter.KEYWORD_ONLY))
            last = last.replace(annotation=last.empty)
            function.__signature__ = signature.replace(parameters=[*shown.values(), last])
        return function

    return decorate


class SampleOptions(TypedDict, total=False):
    """What `Samples` takes as `kerascrop.sample()` does."""

    antialias: bool
    interpolation: str
    fill_mode: str
    fill_value: float
    align_corners: bool
    gradient_reach: float | None


class LayerOptions(TypedDict, total=False):
    """What Keras's own `Layer` takes."""

    name: str | None
    dtype: Any
    trainable: bool
    input_shape: tuple[int | None, ...]


class BoxOptions(LayerOptions, total=False):
    """What `Crop` takes, but for the format of boxes."""

    return_boxes: bool
    min_visible: float
    pass_through: Names


class CropOptions(BoxOptions, total=False):
    """What `Crop` takes."""

    box_format: str


class FillOptions(CropOptions, total=False):
    """What `FilledCrop` takes, but for the `fill_value`."""

    fill_mode: str
    mask_fill_value: float


class SizedOptions(FillOptions, total=False):
    """What `SizedCrop` takes."""

    pad_position: str | Sequence[str]


class RandomOptions(SizedOptions, total=False):
    """What the random crops take, in any number of dimensions."""

    per_image: bool
    if_smaller: str
    fill_value: float
    focus: str | None
    positive_fraction: float
    random_pad: int


class PipelineOptions(RandomOptions, total=False):
    """What `crop_generator()` and `crop_dataset()` pass on to `RandomCrop`."""

    data_format: str | None
