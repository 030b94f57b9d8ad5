"""Layers that cut images to the size of a reference, as the skip connections of a U-Net need."""

from collections.abc import Sequence

import keras
from keras import ops

from kerascrop import axes, checks
from kerascrop.engine import windows
from kerascrop.hints import FillOptions, Unpack
from kerascrop.layers.sized import FilledCrop

PLACES = ("center", "start", "end")
IF_SMALLER = tuple(choice for choice in windows.IF_SMALLER if choice != "resize")


@keras.saving.register_keras_serializable("kerascrop")
class CropLike(FilledCrop):
    """Cut images to the height and width of a reference, as the skip connections of a U-Net need.

    Pixels are copied, never computed: the dtype stays the same, whatever it is. The reference is looked at for its size
    alone; its channels and dtype may be others.

    Input: a list `[images, reference]`, both `(batch, height, width, channels)`, with `"channels_first"` both `(batch,
    channels, height, width)`, or both without the batch. Or a dict of `images`, `reference` and what goes with the
    images: see `CenterCrop`.

    Output shape: that of the images with the reference's height and width, which are known before a model runs where
    the reference's are; with `return_boxes=True` also the boxes, `(batch, 4)`.

    Args:
        place: where the crops are: `"center"`, at `(length - size) // 2`; `"start"`, top left; `"end"`, bottom right; a
            number of pixels before them; or one of these for each axis, `("end", 2)`.
        if_smaller: what to do when an image is smaller than the reference: `"error"`; `"pad"`, add pixels of
            `fill_value` on both sides, an odd one at the end; `"keep"`, leave that axis as it is.
        fill_value: the value of new pixels; for integer images, one that their dtype can hold.
        fill_mode, mask_fill_value: what else new pixels can show, and their value in masks: see `CenterCrop`.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the box, `x1, y1, x2, y2` in pixels of the input.
        box_format, min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: an image is smaller than the reference while `if_smaller` is `"error"`, or has not that many pixels
            after the `place`.
        ArgumentError: there is no reference; an unknown `place`, or numbers of pixels while `if_smaller` is not
            `"error"`.
        ShapeError, BoxError: as in `CenterCrop`; a reference that is no batch of images.

    Example:

    >>> images, reference = np.arange(16).reshape(4, 4, 1), np.zeros((2, 2, 3))
    >>> kerascrop.CropLike()([images, reference])[..., 0]
    [[5, 6], [9, 10]]
    """

    input_names = ("images", "reference")

    def __init__(
        self,
        place: str | int | Sequence[str | int] = "center",
        if_smaller: str = "error",
        fill_value: float = 0,
        data_format: str | None = None,
        **kwargs: Unpack[FillOptions],
    ):
        super().__init__(fill_value=fill_value, data_format=data_format, **kwargs)
        self.place = self._check_place(place)
        self.if_smaller = checks.check_choice(if_smaller, "if_smaller", IF_SMALLER)
        if self.if_smaller != "error" and not set(self._places()) <= set(PLACES):
            raise checks.ArgumentError(
                f"`place` in pixels goes with if_smaller='error', not with {if_smaller!r}: use {', '.join(PLACES)}."
            )

    def _check_place(self, place):
        """One word or number, or a tuple of one for each axis."""
        several = isinstance(place, (list, tuple))
        given = place if several else [place]
        each = [part if isinstance(part, str) else checks.whole_number(part) for part in given]
        known = [part in PLACES if isinstance(part, str) else part is not None and part >= 0 for part in each]
        if len(each) != (self.rank if several else 1) or not all(known):
            raise checks.ArgumentError(
                f"`place` must be one of {', '.join(map(repr, PLACES))}, or a number of pixels from 0 on, or one of "
                f"these for each axis, not {checks.shown(place)}."
            )
        each = [PLACES[PLACES.index(part)] if isinstance(part, str) else part for part in each]
        return tuple(each) if several else each[0]

    def _places(self):
        return self.place if isinstance(self.place, tuple) else (self.place,) * self.rank

    def fit(self, shapes):
        """How the images are made to fit the reference: a `windows.Fit`."""
        if "reference" not in shapes:
            raise checks.ArgumentError(
                f"`{self.name}` takes a list of images and the reference whose size they get; or a dict with `images` "
                "and `reference`."
            )
        if len(shapes["reference"]) != self.rank + 2:
            raise checks.ShapeError(
                f"`{self.name}` takes a reference of {self.rank + 2} axes, or for one image {self.rank + 1}; with the "
                f"batch, this one has shape {tuple(shapes['reference'])}."
            )
        names = axes.AXIS_NAMES[self.rank]
        lengths, sizes = self.lengths(shapes["images"]), self.lengths(shapes["reference"])
        ahead = [place if isinstance(place, int) else 0 for place in self._places()]
        needed = tuple(None if size is None else size + pixels for size, pixels in zip(sizes, ahead))
        fit = windows.fit(lengths, needed, self.if_smaller, names, self.name)
        return fit._replace(sizes=sizes) if any(ahead) else fit

    def crop_size(self, shapes):
        return self.fit(shapes).sizes

    def choose(self, data, training):
        fit = self.fit({name: ops.shape(data[name]) for name in self.input_names})
        middle = windows.center_starts(fit)
        starts = [
            place if isinstance(place, int) else {"center": half, "start": length - length, "end": length - size}[place]
            for place, half, length, size in zip(self._places(), middle, fit.lengths, fit.sizes)
        ]
        return fit.windows(starts, self.fill)


@keras.saving.register_keras_serializable("kerascrop")
class CropLike1D(CropLike):
    """Cut sequences, `(batch, length, channels)`, to the length of a reference. All else is as in `CropLike`."""

    rank = 1


@keras.saving.register_keras_serializable("kerascrop")
class CropLike3D(CropLike):
    """Cut volumes, `(batch, depth, height, width, channels)`, to a reference's size. All else is as in `CropLike`."""

    rank = 3
