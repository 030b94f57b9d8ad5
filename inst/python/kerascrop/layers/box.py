"""The boxes that it is given."""

import keras
from keras import ops

from kerascrop import boxes as geometry
from kerascrop import checks
from kerascrop.layers.base import SampledCrop


@keras.saving.register_keras_serializable("kerascrop")
class BoxCrop(SampledCrop):
    """Cut given boxes out of images and resize each to `height` by `width`, differentiably in both.

    A whole-pixel box that is as large as the output gives the slice exactly. A box may reach outside the image:
    `fill_mode` says what is there.

    Input: a list `[images, boxes]`: images `(batch, height, width, channels)` and boxes `(batch, 4)` or
    `(batch, boxes, 4)`; for one image without the batch, `(4,)` or `(boxes, 4)`. With
    `data_format="channels_first"` images are `(batch, channels, height, width)`.

    Output shape: `(batch, height, width, channels)`, for many boxes `(batch, boxes, height, width, channels)`, in the
    layer's compute dtype; with `return_boxes=True` also the boxes, in `"xyxy"` format.

    Args:
        height, width: size of the crops, in pixels.
        box_format: one of Keras's box formats, such as `"xyxy"` (pixels, edge coordinates) or `"rel_yxyx"`; or
            `"grid"`, corners `x, y, x', y'` in `[-1, 1]`, PyTorch's image coordinates.
        antialias: average all pixels of a box that is larger than the crop, rather than the nearest four.
        fill_mode: what is outside the image: `"constant"`, `"nearest"` or `"reflect"`.
        fill_value: the number for `"constant"`.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the boxes, `x1, y1, x2, y2` in pixels.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.

    Raises:
        SizeError: a size is no positive whole number.
        ShapeError: the first input is no batch of images, nor one image.
        BoxError: boxes of another shape, or an unknown format.

    Example:

    >>> image = np.arange(16, dtype="float32").reshape(4, 4, 1)
    >>> kerascrop.BoxCrop(2, 2)([image, np.array([1.0, 1, 3, 3])])[..., 0]
    [[5, 6], [9, 10]]
    """

    def __init__(
        self,
        height,
        width,
        box_format="xyxy",
        antialias=False,
        fill_mode="constant",
        fill_value=0.0,
        data_format=None,
        return_boxes=False,
        **kwargs,
    ):
        super().__init__(
            height,
            width,
            antialias=antialias,
            fill_mode=fill_mode,
            fill_value=fill_value,
            data_format=data_format,
            return_boxes=return_boxes,
            **kwargs,
        )
        self.box_format = geometry.check_box_format(box_format)

    def call(self, inputs):
        images, boxes = self._pair(inputs)
        images, boxes = ops.convert_to_tensor(images), ops.convert_to_tensor(boxes)
        self._check_shapes(images.shape, boxes.shape)
        boxes = geometry.convert_boxes(boxes, self.box_format, "xyxy", *self.lengths(ops.shape(images)))
        if len(images.shape) == 3:
            crops = self.sample(images[None], boxes[None])[0]
        else:
            crops = self.sample(images, boxes)
        return self.outputs(crops, ops.cast(boxes, "float32"))

    def compute_output_shape(self, input_shape):
        images_shape, boxes_shape = self._pair(input_shape)
        self._check_shapes(images_shape, boxes_shape)
        return self.outputs(self.crops_shape(images_shape, boxes_shape), tuple(boxes_shape))

    def compute_output_spec(self, inputs):
        return self.spec(self.compute_output_shape([x.shape for x in self._pair(inputs)]), self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "box_format": self.box_format}

    def _pair(self, inputs):
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise checks.ArgumentError(f"`{self.name}` takes a list of two: images and boxes.")
        return inputs

    def _check_shapes(self, images_shape, boxes_shape):
        checks.check_images_shape(images_shape, self.rank, self.name)
        checks.check_boxes_shape(boxes_shape, images_shape, self.name)
