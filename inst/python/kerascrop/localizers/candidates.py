"""What a localizer is asked, and what it answers."""

from typing import Any, NamedTuple


class Bounds(NamedTuple):
    """How large boxes may be, and how large the images are: tensors `(2,)`, width and height in pixels."""

    smallest: Any
    largest: Any
    images: Any


class Candidates(NamedTuple):
    """Where an image's crop may be, best first.

    A box need not lie inside of its image, nor a size between the bounds: the layer sees to that. In training sizes may
    go a little beyond their bounds, to explore.
    """

    boxes: Any  #: `(batch, candidates, 4)`, x and y of the middle, width and height, in pixels: Keras's `"center_xywh"`
    weights: Any = None  #: `(batch, candidates)`, how much of the crop comes from each; None for one candidate
    losses: tuple = ()  #: numbers that are added to the model's loss
    judged: Any = None  #: `(batch,)`, a further loss for each image; it counts most where the crops are approved of
