"""Layers that cut out the middle of an image, a sequence or a volume."""

import keras
from keras import ops

from kerascrop.engine.windows import center_starts
from kerascrop.hints import SizedOptions, Unpack
from kerascrop.layers.sized import SizedCrop


class CenterSizedCrop(SizedCrop):
    """Base of the centre crops, in any number of dimensions; the arguments are those of `CenterCrop`."""

    def choose(self, data, training):
        shape = ops.shape(data["images"])
        fit = self.fit(shape)
        return fit.applied_to(fit.windows(center_starts(fit), self.fill), shape[0])


@keras.saving.register_keras_serializable("kerascrop")
class CenterCrop(CenterSizedCrop):
    """Cut out the middle `height` by `width` pixels.

    The window starts at `(length - size) // 2`: an odd pixel that is left over stays at the bottom or right.
    Pixels are copied, never computed: the dtype stays the same, whatever it is.

    Input shape: `(batch, height, width, channels)`, with `"channels_first"` `(batch, channels, height, width)`;
    one image without the batch, or a clip `(batch, time, height, width, channels)`; images of several sizes, as a list
    or a `tf.RaggedTensor`, if all crops have one. Or a dict, Keras's joint form:
    `images`, and perhaps `segmentation_masks` `(batch, height, width[, channels])`, `bounding_boxes`, a dict of `boxes`
    `(batch, boxes, 4)` and `labels` `(batch, boxes)`, and `keypoints` `(batch, points, 2)`, x and y in pixels. All are
    cropped alike, and keep their dtype; other keys pass unchanged, but see `pass_through`.

    Output shape: the same with the new height and width; with `return_boxes=True` also the boxes, `(batch, 4)`.

    Args:
        height, width: size of the crop, in pixels.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        if_smaller: what to do when an image is smaller than the crop: `"error"`; `"resize"`, enlarge the image
            (bilinear, masks to the nearest pixel), keeping its aspect, until the crop fits, as Keras does; `"pad"`, add
            pixels around it; `"keep"`, leave that axis as it is.
        fill_value: the value of new pixels; for integer images, one that their dtype can hold.
        fill_mode: what new pixels show: `"constant"`, the `fill_value`; or the image again, `"nearest"` (a a a|a b c
            d), `"reflect"` (c b a|a b c d; NumPy and TensorFlow say symmetric) or `"mirror"` (d c b|a b c d; NumPy,
            PyTorch and TensorFlow say reflect).
        mask_fill_value: the value of new pixels in masks.
        pad_position: where a padded image is among the new pixels: `"center"`, an odd one of which is at the end,
            `"start"`, all at the end, or `"end"`; or one of these for each axis, `("start", "end")` for top right.
        return_boxes: also return the box, `x1, y1, x2, y2` in pixels of the input.
        box_format: the format of `bounding_boxes`, before and after: `"xyxy"` (pixels), `"rel_xyxy"` (fractions of the
            image, then of the crop), …; see `kerascrop.convert_boxes()`.
        min_visible: drop bounding boxes of which less than this fraction is left: their label becomes -1 (unsigned
            labels come as int32), their sides 0.
        pass_through: keys that pass uncropped although they look like boxes, masks or key points, such as `"bbox"`;
            `"objects/bbox"` for a key of a dict in the dict. Without it they are errors.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a size is not a positive whole number, or larger than the images while `if_smaller` is `"error"`.
        ShapeError: the input is neither a batch of images nor one image; or masks have another size.
        BoxError: bounding boxes of another shape or number than the labels, or an unknown format.
        ArgumentError: an unknown choice, or a `fill_value` that the images cannot hold.

    Example:

    >>> kerascrop.CenterCrop(2, 2)(np.arange(16).reshape(4, 4, 1))[..., 0]
    [[5, 6], [9, 10]]
    """

    def __init__(
        self,
        height: int,
        width: int,
        data_format: str | None = None,
        if_smaller: str = "error",
        fill_value: float = 0,
        **kwargs: Unpack[SizedOptions],
    ):
        super().__init__((height, width), if_smaller, fill_value, data_format, **kwargs)


@keras.saving.register_keras_serializable("kerascrop")
class CenterCrop1D(CenterSizedCrop):
    """Cut out the middle `length` steps of sequences, `(batch, length, channels)`.

    With `"channels_first"`, sequences are `(batch, channels, length)`. Boxes have two numbers, `x1, x2`. All else is as
    in `CenterCrop`.
    """

    rank = 1

    def __init__(
        self,
        length: int,
        data_format: str | None = None,
        if_smaller: str = "error",
        fill_value: float = 0,
        **kwargs: Unpack[SizedOptions],
    ):
        super().__init__((length,), if_smaller, fill_value, data_format, **kwargs)


@keras.saving.register_keras_serializable("kerascrop")
class CenterCrop3D(CenterSizedCrop):
    """Cut out the middle of volumes, `(batch, depth, height, width, channels)`.

    With `"channels_first"`, volumes are `(batch, channels, depth, height, width)`. Boxes have six numbers,
    `x1, y1, z1, x2, y2, z2`. All else is as in `CenterCrop`.
    """

    rank = 3

    def __init__(
        self,
        depth: int,
        height: int,
        width: int,
        data_format: str | None = None,
        if_smaller: str = "error",
        fill_value: float = 0,
        **kwargs: Unpack[SizedOptions],
    ):
        super().__init__((depth, height, width), if_smaller, fill_value, data_format, **kwargs)
