"""What a localizer is given, `Bounds`, and what it returns, `Candidates`."""

from typing import Any, NamedTuple


class Bounds(NamedTuple):
    """How large boxes may be, and how large the images are: tensors `(2,)`, width and height in pixels."""

    smallest: Any
    largest: Any
    images: Any


class Candidates(NamedTuple):
    """Where an image's crop may be, best first.

    A box need not lie inside its image, nor its size between the bounds: the layer moves it and changes its size. In
    training sizes may go a little beyond their bounds, to explore.
    """

    boxes: Any  #: `(batch, candidates, 4)`, x and y of the middle, width and height, in pixels: Keras's `"center_xywh"`
    weights: Any = None  #: `(batch, candidates)`, how much of the crop comes from each; None for one candidate
    losses: tuple = ()  #: numbers that are added to the model's loss
    judged: Any = None  #: `(batch,)`, a further loss for each image, which counts most if the crop's gradient is small
    missed: Any = None  #: a function of true boxes `(batch, 4)`, in pixels, that gives a loss for each image: `BoxLoss`


def between(fractions, bounds):
    """Width and height, in the unit of the bounds, for sizes from 0 (smallest) to 1 (largest): `(..., 2)`."""
    return bounds[0] * (bounds[1] / bounds[0]) ** fractions
