"""Layers that cut the same window, given by its place, out of every image."""

from collections.abc import Sequence

import keras
from keras import ops

from kerascrop import axes, checks
from kerascrop.engine import places
from kerascrop.hints import FillOptions, Unpack
from kerascrop.layers.sized import FilledCrop

Lines = Sequence[int | None] | slice | int | None


class PlacedCrop(FilledCrop):
    """Base of the window crops, in any number of dimensions; the arguments are those of `WindowCrop`.

    Args:
        lines: what is cut out along each axis.
    """

    def __init__(
        self,
        lines: Sequence[Lines],
        /,
        offset: Sequence[int] | None = None,
        size: Sequence[int] | None = None,
        box: Sequence[int] | None = None,
        if_smaller: str = "error",
        fill_value: float = 0,
        data_format: str | None = None,
        **kwargs: Unpack[FillOptions],
    ):
        super().__init__(fill_value=fill_value, data_format=data_format, **kwargs)
        self.place = places.check_place(lines, offset, size, box, self.rank)
        # However the place is given, it is kept as the lines that it has along each axis.
        self.offset = self.size = self.box = None
        for name, line in zip(axes.LINE_NAMES[self.rank], self.place):
            setattr(self, name, tuple(line))
        self.if_smaller = checks.check_choice(if_smaller, "if_smaller", places.IF_SMALLER)

    def fit(self, images_shape):
        """Where the windows start in images of a shape, and how the images are made to fit: a `windows.Fit`."""
        return places.fit(self.place, self.lengths(images_shape), self.if_smaller, self.name)

    def crop_size(self, shapes):
        return self.fit(shapes["images"])[1].sizes

    def choose(self, data, training):
        starts, fit = self.fit(ops.shape(data["images"]))
        return fit.windows(starts, self.fill)


@keras.saving.register_keras_serializable("kerascrop")
class WindowCrop(PlacedCrop):
    """Cut the same rows and columns out of every image, whatever its size.

    The place is given in one of three forms: `rows` and `cols`; `offset` and `size`; or `box`. These are the same:
    `WindowCrop(rows=(2, 6), cols=(3, 8))`, `WindowCrop(offset=(2, 3), size=(4, 5))`, `WindowCrop(box=(3, 2, 8, 6))`,
    the slice `images[:, 2:6, 3:8]` and `tf.image.crop_to_bounding_box(images, 2, 3, 4, 5)`. Pixels are copied, never
    computed: the dtype stays the same, whatever it is.

    Input shape: as in `CenterCrop`, a dict of images, masks, boxes and key points included.

    Output shape: the same with the window's height and width; with `return_boxes=True` also the boxes, `(batch, 4)`.

    Args:
        rows, cols: each `(start, stop)`, a `slice` or a `range`, in pixels and as Python's slices count: from 0, the
            stop excluded, negative numbers from the image's end. -1 or None is all of the axis.
        offset: `(top, left)`, the pixels before the window; `(-5, 0)` starts five rows before the image's end.
        size: `(height, width)` of the window; -1 is all of the axis from the offset on.
        box: `(x1, y1, x2, y2)`, whole pixels, such as another layer returned.
        if_smaller: for images that end within the window: `"error"`; `"pad"`, add the pixels that it lacks, of
            `fill_value`; `"keep"`, leave them out. An image that has no pixel of the window is always an error.
        fill_value: the value of new pixels; for integer images, one that their dtype can hold.
        fill_mode, mask_fill_value: what else new pixels can show, and their value in masks: see `CenterCrop`.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the box, `x1, y1, x2, y2` in pixels of the input.
        box_format, min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a place that is not of whole pixels, or holds none; or that lies outside of the images.
        ArgumentError: the place is given in no form, or in several.
        ShapeError, BoxError: as in `CenterCrop`.

    Example:

    >>> kerascrop.WindowCrop(rows=(1, 3), cols=(-2, None))(np.arange(16).reshape(4, 4, 1))[..., 0]
    [[6, 7], [10, 11]]
    """

    def __init__(
        self,
        rows: Lines = None,
        cols: Lines = None,
        offset: Sequence[int] | None = None,
        size: Sequence[int] | None = None,
        box: Sequence[int] | None = None,
        if_smaller: str = "error",
        fill_value: float = 0,
        data_format: str | None = None,
        **kwargs: Unpack[FillOptions],
    ):
        super().__init__((rows, cols), offset, size, box, if_smaller, fill_value, data_format, **kwargs)


@keras.saving.register_keras_serializable("kerascrop")
class WindowCrop1D(PlacedCrop):
    """Cut the same `steps` out of every sequence, `(batch, length, channels)`.

    `offset` and `size` are one number each, a `box` is `(x1, x2)`. All else is as in `WindowCrop`.
    """

    rank = 1

    def __init__(
        self,
        steps: Lines = None,
        offset: int | Sequence[int] | None = None,
        size: int | Sequence[int] | None = None,
        box: Sequence[int] | None = None,
        if_smaller: str = "error",
        fill_value: float = 0,
        data_format: str | None = None,
        **kwargs: Unpack[FillOptions],
    ):
        super().__init__((steps,), offset, size, box, if_smaller, fill_value, data_format, **kwargs)


@keras.saving.register_keras_serializable("kerascrop")
class WindowCrop3D(PlacedCrop):
    """Cut the same `slices`, `rows` and `cols` out of every volume, `(batch, depth, height, width, channels)`.

    `offset` and `size` are three numbers each, a `box` is `(x1, y1, z1, x2, y2, z2)`. All else is as in `WindowCrop`.
    """

    rank = 3

    def __init__(
        self,
        slices: Lines = None,
        rows: Lines = None,
        cols: Lines = None,
        offset: Sequence[int] | None = None,
        size: Sequence[int] | None = None,
        box: Sequence[int] | None = None,
        if_smaller: str = "error",
        fill_value: float = 0,
        data_format: str | None = None,
        **kwargs: Unpack[FillOptions],
    ):
        super().__init__((slices, rows, cols), offset, size, box, if_smaller, fill_value, data_format, **kwargs)
