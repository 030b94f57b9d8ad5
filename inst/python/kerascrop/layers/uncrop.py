"""The layer that puts crops back where they came from."""

from collections.abc import Sequence

import keras
from keras import ops

from kerascrop import axes, checks
from kerascrop.engine import dtypes, pasting
from kerascrop.geometry import check_box_format, convert_boxes
from kerascrop.hints import LayerOptions, Tensor, Unpack
from kerascrop.layers.base import ImageLayer


@keras.saving.register_keras_serializable("kerascrop")
class Uncrop(ImageLayer):
    """Paste crops into images of `height` by `width` pixels, to undo what a crop layer did.

    Each crop is resized to its box, with antialiasing if the box is smaller than the crop. Overlapping crops are
    averaged; pixels without a crop get `fill_value`. Crops of whole pixels go back unchanged; those of boxes that are
    not finite are left out. So a large image can be predicted in tiles: `MultiCrop(views="grid", return_boxes=True)`,
    the network, `Uncrop`.

    Input: a list `[crops, boxes]`: crops `(batch, height, width, channels)` with boxes `(batch, 4)`, or
    `(batch, boxes, height, width, channels)` with `(batch, boxes, 4)`; or one crop `(height, width, channels)` with
    `(4,)`. Several crops of one image need the batch, `crops[None]`: without it they are a batch of single ones. With
    `data_format="channels_first"` crops are `(batch[, boxes], channels, height, width)`. The boxes are those that the
    crop layer returned with `return_boxes=True`. A mirrored box, `x1 > x2`, is mirrored back.

    Output shape: `(batch, height, width, channels)`, in the crops' dtype. Half precision is averaged in float32;
    integers as in `kerascrop.paste()`, then rounded and limited to what their dtype holds.

    Args:
        height, width: size of the images, in pixels.
        box_format: of the boxes: see `kerascrop.convert_boxes()`; relative to the output images.
        fill_value: the value of pixels that no crop covers.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        adjoint: instead, add each of a crop's pixels back to the pixels that `BoxCrop` computed it from: the exact
            transpose of `BoxCrop` as a linear map, `<BoxCrop(x), y> = <x, Uncrop(y)>`, for algorithms that need one.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a size is not a positive whole number.
        ArgumentError: a `fill_value` together with `adjoint`, or one that is not a number.
        ShapeError: the crops do not have such a shape.
        BoxError: boxes of another shape or number than the crops, or an unknown format.

    Example:

    >>> crops, boxes = kerascrop.CenterCrop(2, 2, return_boxes=True)(np.arange(16).reshape(1, 4, 4, 1))
    >>> kerascrop.Uncrop(4, 4)([crops, boxes])[0, ..., 0]
    [[0, 0, 0, 0], [0, 5, 6, 0], [0, 9, 10, 0], [0, 0, 0, 0]]
    """

    input_names = ("crops", "boxes")

    def __init__(
        self,
        height: int,
        width: int,
        box_format: str = "xyxy",
        fill_value: float = 0,
        data_format: str | None = None,
        adjoint: bool = False,
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height = checks.check_size(height, "height")
        self.width = checks.check_size(width, "width")
        self.box_format = check_box_format(box_format)
        self.fill_value = checks.check_number(fill_value, "fill_value")
        self.adjoint = checks.check_flag(adjoint, "adjoint")
        if self.adjoint and self.fill_value:
            raise checks.ArgumentError(
                f"`adjoint` adds to images of zeros: `fill_value` must be 0, not {checks.shown(fill_value)}."
            )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        self._check_pair(inputs)
        crops, boxes = (ops.convert_to_tensor(part) for part in inputs)
        self._check_shapes(crops.shape, boxes.shape)
        dtype = keras.backend.standardize_dtype(crops.dtype)
        checks.check_holds(self.fill_value, "fill_value", dtype)
        batched, many = len(crops.shape) > 3, len(crops.shape) > 4
        crops, boxes = (crops, boxes) if batched else (crops[None], boxes[None])
        crops, boxes = (crops, boxes) if many else (crops[:, None], boxes[:, None])
        order = axes.to_channels_last(5, 2, self.data_format)
        crops = ops.transpose(crops, order) if order else crops
        boxes = convert_boxes(boxes, self.box_format, "xyxy", self.height, self.width)
        size = (self.height, self.width)
        if self.adjoint:
            images = pasting.adjoint(crops, boxes, size)
        else:
            images = pasting.paste(crops, boxes, size, self.fill_value)
        order = axes.from_channels_last(4, 2, self.data_format)
        images = ops.transpose(images, order) if order else images
        images = dtypes.cast(images, dtype)
        return images if batched else images[0]

    def compute_output_shape(self, input_shape: Sequence, dtype: str | None = None) -> tuple:
        self._check_pair(input_shape)
        crops, boxes = input_shape
        self._check_shapes(crops, boxes)
        shape = (*(crops[:1] if len(crops) > 3 else ()), *crops[-3:])
        return checks.check_memory(
            self.with_lengths(shape, (self.height, self.width)), self.name, "images", dtype
        )

    def compute_output_spec(self, inputs):
        self._check_pair(inputs)
        dtype = keras.backend.standardize_dtype(inputs[0].dtype)
        checks.check_real(dtype, "crops")
        return keras.KerasTensor(self.compute_output_shape([x.shape for x in inputs], dtype), dtype)

    def _check_pair(self, inputs):
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise checks.ArgumentError(f"`{self.name}` takes a list of two: crops and their boxes.")

    def _check_shapes(self, crops_shape, boxes_shape):
        if not 3 <= len(crops_shape) <= 5:
            raise checks.ShapeError(
                f"`{self.name}` takes crops (batch, height, width, channels) or "
                f"(batch, boxes, height, width, channels), not {tuple(crops_shape)}."
            )
        lead = tuple(crops_shape[:-3])
        if not checks.are_boxes(boxes_shape, 2, lead):
            raise checks.BoxError(
                f"`{self.name}` needs a box for each crop: with crops {tuple(crops_shape)}, "
                f"boxes {(*lead, 4)}, not {tuple(boxes_shape)}."
            )
