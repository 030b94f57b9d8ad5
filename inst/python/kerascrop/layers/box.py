"""The layer that cuts out given boxes."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerascrop import checks, geometry
from kerascrop.hints import BoxOptions, Unpack
from kerascrop.layers.base import SampledCrop


@keras.saving.register_keras_serializable("kerascrop")
class BoxCrop(SampledCrop):
    """Cut given boxes out of images and resize each to `height` by `width`, differentiably in both.

    A whole-pixel box that is as large as the output gives the exact slice. A box may reach outside the image:
    `fill_mode` says what is there.

    Input: a list `[images, boxes]`: images `(batch, height, width, channels)` and boxes `(batch, 4)` or
    `(batch, boxes, 4)`; for one image without the batch, `(4,)` or `(boxes, 4)`. With
    `data_format="channels_first"` images are `(batch, channels, height, width)`. Or a dict of `images`, `boxes` and
    what goes with the images: see `CenterCrop`. Masks are sampled at the nearest pixel. The frames of a clip `(batch,
    time, height, width, channels)` share their boxes.

    To assign boxes to images freely, as `tf.image.crop_and_resize()` does, add the index of each box's image: a list
    `[images, boxes, box_indices]` with boxes `(boxes, 4)` and whole numbers `(boxes,)`.

    Or, where `boxes` are given to the layer itself, the images alone.

    Output shape: `(batch, height, width, channels)`, for many boxes `(batch, boxes, height, width, channels)`, with
    `box_indices` `(boxes, height, width, channels)`, in the layer's compute dtype; with `return_boxes=True` also the
    boxes, in `"xyxy"` format.

    Args:
        height, width: size of the crops, in pixels.
        box_format: one of Keras's box formats, such as `"xyxy"` (pixels, edge coordinates) or `"rel_yxyx"`; or
            `"grid"`, corners `x, y, x', y'` in `[-1, 1]`, PyTorch's image coordinates. `bounding_boxes` use it too.
        antialias: average all pixels of a box that is larger than the crop, rather than the nearest four.
        fill_mode: what is outside the image: `"constant"`, `"nearest"` or `"reflect"`; see `kerascrop.sample()`. A box
            inside the image shows nothing of that.
        fill_value: the number for `"constant"`.
        interpolation: `"bilinear"`, `"bicubic"` or `"nearest"`: see `kerascrop.sample()`.
        align_corners: take the first sample at the centre of the box's first pixel, and the last one at the centre of
            its last pixel. Relative boxes then count from the centre of the image's first pixel to that of its last
            one: with `box_format="rel_yxyx"` these are the boxes, and the crops, of `tf.image.crop_and_resize()`, with
            `"grid"` the boxes of `grid_sample(align_corners=True)`. The returned boxes are those that the crops'
            pixels divide.
        gradient_reach: a number of pixels, at least 1: the boxes' gradient is computed as if each sample saw this far
            to each side; the crops stay the same. None takes the true gradient.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        boxes: constant boxes, `(4,)` or `(boxes, 4)`, the same for all images; they are saved with the layer. None: the
            boxes come with the images.
        return_boxes: also return the boxes that are cut, in pixels of the input.
        min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a size is not a positive whole number.
        ShapeError: the first input is neither a batch of images nor one image.
        BoxError: boxes of another shape, or an unknown format.
        ArgumentError: any other invalid argument.

    Warns:
        kerascrop.BoxWarning: a box lies wholly outside its image, so that its crop shows nothing of it. Boxes in a
            graph, or on a GPU, are not looked at; nor are missing ones, all of whose numbers are -1.

    Example:

    >>> image = np.arange(16, dtype="float32").reshape(4, 4, 1)
    >>> kerascrop.BoxCrop(2, 2)([image, np.array([1.0, 1, 3, 3])])[..., 0]
    [[5, 6], [9, 10]]
    """

    input_names = ("images", "boxes", "box_indices")

    def __init__(
        self,
        height: int,
        width: int,
        box_format: str = "xyxy",
        antialias: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        interpolation: str = "bilinear",
        align_corners: bool = False,
        gradient_reach: float | None = None,
        data_format: str | None = None,
        boxes: Any = None,
        **kwargs: Unpack[BoxOptions],
    ):
        super().__init__(
            height, width, antialias=antialias, data_format=data_format, box_format=box_format, **kwargs
        )
        self.boxes = None if boxes is None else self._constant(boxes)
        if self.boxes is not None:
            self.input_names = ("images",)
        self.sample_by(
            antialias,
            interpolation=interpolation,
            fill_mode=fill_mode,
            fill_value=fill_value,
            align_corners=align_corners,
            gradient_reach=gradient_reach,
        )

    def _constant(self, boxes):
        """The same boxes for all images, as nested lists, in which they are saved."""
        boxes = ops.convert_to_numpy(checks.check_tensor(boxes, "boxes")).astype("float64")
        checks.check_boxes(boxes.shape, self.rank, (), (None,))
        if not boxes.size or not np.isfinite(boxes).all():
            raise checks.BoxError("`boxes` must be one or more, of finite numbers.")
        return boxes.tolist()

    def _named(self, inputs):
        is_list = isinstance(inputs, (list, tuple)) and any(hasattr(part, "shape") for part in inputs)
        if self.boxes is not None and (is_list or isinstance(inputs, dict) and "boxes" in inputs):
            raise checks.ArgumentError(f"`{self.name}` has `boxes` of its own: it takes images without any.")
        return super()._named(inputs)

    def crop_size(self, shapes):
        if self.boxes is None and "boxes" not in shapes:
            raise checks.ArgumentError(
                f"`{self.name}` takes a list of images, boxes and perhaps box indices; or a dict with `images` and "
                "`boxes`. Boxes that are the same for all images can be given to the layer: `boxes=`."
            )
        return super().crop_size(shapes)

    def lead(self, shapes):
        if self.boxes is not None:
            return (*super().lead(shapes), *np.shape(self.boxes)[:-1])
        return shapes["boxes"][:-1]

    def choose(self, data, training):
        image_size = self.lengths(ops.shape(data["images"]))[::-1]
        boxes = data.get("boxes")
        if self.boxes is not None:
            boxes = ops.convert_to_tensor(self.boxes, "float32")
            boxes = ops.broadcast_to(boxes, (ops.shape(data["images"])[0], *boxes.shape))
        corners = geometry.to_corners(boxes, self.box_format, image_size, self.align_corners)
        checks.warn_outside(corners, image_size[::-1], self.name, boxes)
        return self.samples(corners, box_indices=data.get("box_indices"))
