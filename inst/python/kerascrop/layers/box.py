"""The boxes that it is given."""

import keras
from keras import ops

from kerascrop import checks
from kerascrop.boxes import convert_boxes
from kerascrop.layers.base import SampledCrop


@keras.saving.register_keras_serializable("kerascrop")
class BoxCrop(SampledCrop):
    """Cut given boxes out of images and resize each to `height` by `width`, differentiably in both.

    A whole-pixel box that is as large as the output gives the slice exactly. A box may reach outside the image:
    `fill_mode` says what is there.

    Input: a list `[images, boxes]`: images `(batch, height, width, channels)` and boxes `(batch, 4)` or
    `(batch, boxes, 4)`; for one image without the batch, `(4,)` or `(boxes, 4)`. With
    `data_format="channels_first"` images are `(batch, channels, height, width)`. Or a dict of `images`, `boxes` and what
    goes with the images: see `CenterCrop`. Masks are sampled at the nearest pixel.

    Output shape: `(batch, height, width, channels)`, for many boxes `(batch, boxes, height, width, channels)`, in the
    layer's compute dtype; with `return_boxes=True` also the boxes, in `"xyxy"` format.

    Args:
        height, width: size of the crops, in pixels.
        box_format: one of Keras's box formats, such as `"xyxy"` (pixels, edge coordinates) or `"rel_yxyx"`; or
            `"grid"`, corners `x, y, x', y'` in `[-1, 1]`, PyTorch's image coordinates. `bounding_boxes` have it too.
        antialias: average all pixels of a box that is larger than the crop, rather than the nearest four.
        fill_mode: what is outside the image: `"constant"`, `"nearest"` or `"reflect"`.
        fill_value: the number for `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        **kwargs: `return_boxes` and `min_visible` as in `CenterCrop`, and arguments of `keras.layers.Layer`, such as
            `name`.

    Raises:
        SizeError: a size is no positive whole number.
        ShapeError: the first input is no batch of images, nor one image.
        BoxError: boxes of another shape, or an unknown format.

    Example:

    >>> image = np.arange(16, dtype="float32").reshape(4, 4, 1)
    >>> kerascrop.BoxCrop(2, 2)([image, np.array([1.0, 1, 3, 3])])[..., 0]
    [[5, 6], [9, 10]]
    """

    parts = (*SampledCrop.parts, "boxes")

    def __init__(
        self,
        height,
        width,
        box_format="xyxy",
        antialias=False,
        fill_mode="constant",
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(
            height,
            width,
            antialias=antialias,
            fill_mode=fill_mode,
            fill_value=fill_value,
            data_format=data_format,
            box_format=box_format,
            **kwargs,
        )

    def named(self, inputs):
        if not isinstance(inputs, dict):
            if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
                raise checks.ArgumentError(f"`{self.name}` takes a list of two: images and boxes; or a dict.")
            inputs = {"images": inputs[0], "boxes": inputs[1]}
        inputs = super().named(inputs)
        if "boxes" not in inputs:
            raise checks.ArgumentError(f"`{self.name}` takes a dict with `images` and the `boxes` to cut.")
        return inputs

    def check_shapes(self, shapes):
        super().check_shapes(shapes)
        checks.check_boxes_shape(shapes["boxes"], shapes["images"], self.name)

    def choose(self, data, training):
        height, width = self.lengths(ops.shape(data["images"]))
        boxes = convert_boxes(data["boxes"], self.box_format, "xyxy", height, width)
        return boxes, boxes

    def views(self, shapes):
        many = len(shapes["boxes"]) - self._is_batched(shapes["images"]) == 2
        return (shapes["boxes"][-2],) if many else ()
