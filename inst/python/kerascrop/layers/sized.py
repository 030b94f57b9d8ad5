"""The base classes of the layers that cut whole pixels, of which some may lie outside of the images."""

from collections.abc import Sequence

from kerascrop import axes, checks
from kerascrop.engine import cutting, windows
from kerascrop.hints import CropOptions, FillOptions, Unpack
from kerascrop.layers.base import Crop


class FilledCrop(Crop):
    """Base of the layers whose windows may add pixels.

    Args:
        fill_value, fill_mode, mask_fill_value: see `CenterCrop`.
        **kwargs: see `Crop`.
    """

    def __init__(
        self,
        *,
        fill_value: float = 0,
        fill_mode: str = "constant",
        mask_fill_value: float = 0,
        **kwargs: Unpack[CropOptions],
    ):
        super().__init__(**kwargs)
        self.fill = cutting.check_fill(fill_value, fill_mode, mask_fill_value)
        self.fill_value, self.fill_mode, self.mask_fill_value = self.fill


class SizedCrop(FilledCrop):
    """Base of the layers that cut windows of a given size, in any number of dimensions.

    Args:
        sizes: of the windows, in pixels, along each axis.
        if_smaller, pad_position: see `CenterCrop`.
        **kwargs: see `FilledCrop`.
    """

    pad_positions = windows.PAD_POSITIONS[:-1]  #: where images may be among pixels that are added

    def __init__(
        self,
        sizes: Sequence[int],
        /,
        if_smaller: str = "error",
        fill_value: float = 0,
        data_format: str | None = None,
        *,
        pad_position: str | Sequence[str] = "center",
        **kwargs: Unpack[FillOptions],
    ):
        super().__init__(fill_value=fill_value, data_format=data_format, **kwargs)
        names = axes.AXIS_NAMES[self.rank]
        self.sizes = checks.check_sizes(sizes, names)
        for name, size in zip(names, self.sizes):
            setattr(self, name, size)
        self.if_smaller = checks.check_choice(if_smaller, "if_smaller", windows.IF_SMALLER)
        self.pad_position = self._check_position(pad_position)
        if self.if_smaller != "pad" and self.pad_position != "center":
            raise checks.ArgumentError(f"`pad_position` goes with if_smaller='pad', not with {if_smaller!r}.")

    def _check_position(self, position):
        if isinstance(position, (list, tuple)) and len(position) == self.rank:
            return tuple(checks.check_choice(each, "pad_position", self.pad_positions) for each in position)
        return checks.check_choice(position, "pad_position", self.pad_positions)

    def fit(self, images_shape, position=None):
        """How images of a shape and the windows are made to fit each other: a `windows.Fit`."""
        names, lengths = axes.AXIS_NAMES[self.rank], self.lengths(images_shape)
        return windows.fit(lengths, self.sizes, self.if_smaller, names, self.name, position or self.pad_position)

    def crop_size(self, shapes):
        return self.fit(shapes["images"]).sizes
