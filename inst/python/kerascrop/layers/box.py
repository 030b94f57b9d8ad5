"""The layer that cuts out given boxes."""

import keras
from keras import ops

from kerascrop import checks, geometry
from kerascrop.engine.sampling import check_how
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

    Output shape: `(batch, height, width, channels)`, for many boxes `(batch, boxes, height, width, channels)`, with
    `box_indices` `(boxes, height, width, channels)`, in the layer's compute dtype; with `return_boxes=True` also the
    boxes, in `"xyxy"` format.

    Args:
        height, width: size of the crops, in pixels.
        box_format: one of Keras's box formats, such as `"xyxy"` (pixels, edge coordinates) or `"rel_yxyx"`; or
            `"grid"`, corners `x, y, x', y'` in `[-1, 1]`, PyTorch's image coordinates. `bounding_boxes` use it too.
        antialias: average all pixels of a box that is larger than the crop, rather than the nearest four.
        fill_mode: what samples whose centre is outside the image are: `"constant"`, `"nearest"` or `"reflect"`; see
            `kerascrop.sample()`. A box inside the image shows nothing of that.
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
        return_boxes: also return the boxes that are cut, in pixels of the input.
        min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a size is not a positive whole number.
        ShapeError: the first input is neither a batch of images nor one image.
        BoxError: boxes of another shape, or an unknown format.
        ArgumentError: any other invalid argument.

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
        **kwargs: Unpack[BoxOptions],
    ):
        super().__init__(
            height, width, antialias=antialias, data_format=data_format, box_format=box_format, **kwargs
        )
        self.how = check_how(antialias, interpolation, fill_mode, fill_value, align_corners, gradient_reach)
        self.fill_mode = self.how.fill_mode
        self.fill_value = self.how.fill_value
        self.interpolation = self.how.interpolation
        self.align_corners = self.how.align_corners
        self.gradient_reach = self.how.gradient_reach

    def crop_size(self, shapes):
        if "boxes" not in shapes:
            raise checks.ArgumentError(
                f"`{self.name}` takes a list of images, boxes and perhaps box indices; "
                "or a dict with `images` and `boxes`."
            )
        return super().crop_size(shapes)

    def lead(self, shapes):
        return shapes["boxes"][:-1]

    def choose(self, data, training):
        image_size = self.lengths(ops.shape(data["images"]))[::-1]
        boxes = geometry.to_corners(data["boxes"], self.box_format, image_size, self.align_corners)
        return self.samples(boxes, box_indices=data.get("box_indices"))
