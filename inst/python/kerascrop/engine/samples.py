"""Crops of boxes with real-valued sides: resampled, differentiably in images and boxes."""

import math
from collections.abc import Sequence

import keras
from keras import ops

from kerascrop import axes, checks, geometry
from kerascrop.engine import dtypes, sampling, weights
from kerascrop.engine.choices import Choice
from kerascrop.hints import SampleOptions, Tensor, Unpack, with_arguments_of


class Samples(Choice):
    """Boxes with real-valued sides, whose contents are resampled to one size.

    Args:
        boxes: `(batch, 4)`, or `(batch, crops, 4)` for several crops of each image, `x1, y1, x2, y2` in pixels (edge
            coordinates); 2 numbers for sequences, 6 for volumes.
        size: of the crops, `(height, width)` in pixels; `(length,)` or `(depth, height, width)`.
        how: a `sampling.How`, options that have been checked, instead of those below.
        antialias, interpolation, fill_mode, fill_value, align_corners, gradient_reach: as in `kerascrop.sample()`.
        box_indices: None, or `(boxes,)`, the index of each box's image, for boxes `(boxes, 4)`.

    Crops have the images' dtype: integers are rounded, and limited to what it holds. Masks and booleans take the
    nearest pixel, and what is outside a mask is 0.

    Raises:
        SizeError, ArgumentError: an invalid size or option; images that are not real numbers, or that cannot hold the
            `fill_value`.

    Example:

    >>> choice = kerascrop.Samples(np.array([[1.0, 1, 3, 3]]), (2, 2))
    >>> choice.cut(np.arange(16.0).reshape(1, 4, 4, 1))[0, ..., 0]
    [[5, 6], [9, 10]]
    """

    as_graph = False  # whether crops are cut by a graph that is kept, where TensorFlow runs eagerly

    @with_arguments_of(sampling.check_how)
    def __init__(
        self,
        boxes: Tensor,
        size: Sequence[int],
        how: sampling.How | None = None,
        *,
        box_indices: Tensor | None = None,
        **options: Unpack[SampleOptions],
    ):
        boxes = checks.check_tensor(boxes, "boxes")
        self.given, self.box_indices = ops.cast(boxes, geometry.coordinates_dtype(boxes)), box_indices
        self.size = tuple(size) if how else checks.check_size_of_crops(size)
        self.how = how or sampling.check_how(**options)
        self.boxes_shape = tuple(self.given.shape)

    @property
    def boxes(self) -> Tensor:
        """The boxes that the crops' pixels divide into equal parts."""
        if not self.how.align_corners:
            return self.given
        return geometry.align(self.given, tuple(reversed(self.size)))

    def cut(self, images: Tensor, is_mask: bool = False, data_format: str | None = None) -> Tensor:
        return self.cut_and(lambda crops: crops, images, is_mask, data_format)

    def cut_as(self, images: Tensor, dtype: str, data_format: str | None = None) -> Tensor:
        if type(self).cut is not Samples.cut:
            return super().cut_as(images, dtype, data_format)
        return self.cut_and(lambda crops: crops, images, False, data_format, dtype)

    def cut_and(self, finish, images, is_mask=False, data_format=None, dtype=None):
        """What `finish()` makes of the crops `(batch[, crops], ..., numbers)`, in the images' dtype or another one."""
        data_format, rank = checks.check_data_format(data_format), len(self.size)
        if len(self.boxes_shape) not in (2, 3) or self.boxes_shape[-1] != 2 * rank:
            checks.check_boxes(self.boxes_shape, rank, (None,), (None, None))
        batch = self.boxes_shape[0] if self.box_indices is None else None
        images = checks.check_images_to_cut(checks.check_tensor(images, "images"), rank, batch)
        if self.box_indices is not None:
            checks.check_box_indices(self.box_indices, self.boxes_shape[0], images.shape[0])
        images, restore = _as_pixels(images, rank, data_format)
        how = self.how
        if dtype is None:
            dtype = keras.backend.standardize_dtype(images.dtype)
        elif keras.backend.standardize_dtype(images.dtype) != "uint8" or how.interpolation == "nearest":
            images = ops.cast(images, dtype)  # bytes are resampled as they are: a copy costs more than small crops
        checks.check_memory((*self.boxes_shape[:-1], *self.size, images.shape[-1]), type(self).__name__, dtype=dtype)
        if is_mask or dtype == "bool":
            how = how._replace(interpolation="nearest", least_reach=None, fill_value=0 if is_mask else how.fill_value)
        if how.fill_mode == "constant":
            checks.check_holds(how.fill_value, "fill_value", dtype)
        crops = finish(self.resample(images, how))
        return restore(dtypes.cast(crops, dtype, missing=how.fill_value))

    def resample(self, images, how):
        """Crops of images with the channels last."""
        if self.as_graph and 0 not in self.boxes_shape:
            return sampling.resampling(self.size, how, len(self.boxes_shape) == 3)(images, self.given)
        return sampling.resample(images, self.given, self.size, how, self.box_indices)


class OnCanvas(Samples):
    """Boxes of any size at the image's own scale, each in the top left corner of a canvas that is 0 elsewhere.

    A pixel that a box covers in part is weighted by that part, which gives the box's size a gradient.
    """

    scaled = False

    def resample(self, images, how):
        corner, stop = geometry.split(self.given)
        height, width = self.size
        canvas = ops.concatenate([corner, corner + ops.convert_to_tensor([width, height], corner.dtype)], axis=-1)
        crops = sampling.resample(images, canvas, self.size, how._replace(fill_mode="nearest", least_reach=None))
        # How much of each of the canvas's columns and rows the box covers.
        across, down = (
            weights.clip((stop - corner)[..., axis, None] - ops.arange(n, dtype="float32"), 0.0, 1.0)
            for axis, n in enumerate((width, height))
        )
        covered = (down[..., :, None] * across[..., None, :])[..., None]
        if how.interpolation == "nearest":
            return ops.where(covered > 0.5, crops, ops.zeros_like(crops))
        return crops * ops.cast(covered, crops.dtype)


class Blend(Choice):
    """Several candidates for each image, whose crop is their weighted mean; the weights add up to 1.

    The box and the masks are those of the first candidate.

    Args:
        candidates: `Samples` with boxes `(batch, candidates, 4)`.
        weights: `(batch, candidates)`.
        losses: None, or `(batch,)`: losses that the layer weighs once there are crops. `cut()` ignores them.
    """

    def __init__(self, candidates, weights, losses=None):
        self.candidates, self.weights, self.losses = candidates, weights, losses
        self.size, self.scaled = candidates.size, candidates.scaled
        self.boxes_shape = (candidates.boxes_shape[0], *candidates.boxes_shape[2:])

    @property
    def boxes(self) -> Tensor:
        return self.candidates.boxes[:, 0]

    def cut(self, images: Tensor, is_mask: bool = False, data_format: str | None = None) -> Tensor:
        if is_mask:
            first = type(self.candidates)(self.candidates.given[:, 0], self.size, self.candidates.how)
            return first.cut(images, True, data_format)

        return self.candidates.cut_and(self._mean, images, False, data_format)

    def cut_as(self, images: Tensor, dtype: str, data_format: str | None = None) -> Tensor:
        return self.candidates.cut_and(self._mean, images, False, data_format, dtype)

    def _mean(self, crops):
        dtype = dtypes.sum_dtype(keras.backend.standardize_dtype(crops.dtype))
        each = ops.cast(self.weights, dtype)
        each = ops.reshape(each, (*ops.shape(each), *(1,) * (len(crops.shape) - 2)))
        return ops.sum(each * ops.cast(crops, dtype), axis=1)


def _as_pixels(images, rank, data_format):
    """Images as `(batch, *lengths, numbers)`, and a function that gives their crops the images' layout again.

    Axes that are neither batch nor spatial, such as a clip's time, are handled like channels.
    """
    ndim = len(images.shape)
    spatial = [axis % ndim for axis in axes.spatial_axes(rank, data_format)]
    others = [axis for axis in range(1, ndim) if axis not in spatial]
    if spatial[-1] < others[0] and len(others) == 1:
        return images, lambda crops: crops
    order, shape = (0, *spatial, *others), ops.shape(images)
    images = ops.transpose(images, order)
    others = [shape[axis] for axis in others]
    if len(others) > 1:
        images = ops.reshape(images, (-1, *(shape[axis] for axis in spatial), math.prod(others)))

    def restore(crops):
        if len(others) > 1:
            crops = ops.reshape(crops, (*ops.shape(crops)[:-1], *others))
        several = len(crops.shape) - ndim
        back = sorted(range(ndim), key=order.__getitem__)
        return ops.transpose(crops, (*range(several + 1), *(axis + several for axis in back[1:])))

    return images, restore
