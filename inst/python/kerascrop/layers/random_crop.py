"""Layers that crop at a random place in training, and at the centre at inference."""

from collections.abc import Sequence

import keras
from keras import ops

from kerascrop import axes, checks, geometry, seeds
from kerascrop.engine import windows
from kerascrop.hints import RandomOptions, SizedOptions, Unpack
from kerascrop.layers.sized import SizedCrop

FOCI = (None, "boxes", "mask", "foreground")


class RandomSizedCrop(SizedCrop):
    """Base of the random crops, in any number of dimensions; the arguments are those of `RandomCrop`."""

    pad_positions = windows.PAD_POSITIONS

    def __init__(
        self,
        sizes: Sequence[int],
        /,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        per_image: bool = True,
        if_smaller: str = "error",
        fill_value: float = 0,
        focus: str | None = None,
        positive_fraction: float = 1.0,
        random_pad: int = 0,
        **kwargs: Unpack[SizedOptions],
    ):
        super().__init__(sizes, if_smaller, fill_value, data_format, **kwargs)
        self.per_image = checks.check_flag(per_image, "per_image")
        self.focus = checks.check_choice(focus, "focus", FOCI)
        self.positive_fraction = checks.check_fraction(positive_fraction, "positive_fraction")
        if self.focus and not self.per_image:
            raise checks.ArgumentError(f"`focus` looks at each image: with {focus!r}, `per_image` must be True.")
        self.random_pad = checks.check_count(random_pad, "random_pad", 0)
        if self.random_pad and self.if_smaller == "resize":
            raise checks.ArgumentError("`random_pad` does not go with if_smaller='resize': 'pad' adds pixels, too.")
        self.seed_generator = seeds.Seeds(seed, name=f"{self.name}_seeds")
        self.seed = self.seed_generator.seed

    def choose(self, data, training):
        shape = ops.shape(data["images"])
        fit = self.fit(shape, None if training else self._position_at_inference())
        if training and self.random_pad:
            fit = fit.padded(self.random_pad)
        if not training:
            starts = windows.center_starts(fit)
        elif self.focus:
            starts = self._focused(fit, data)
        else:
            # One place for a batch of one is a plain slice, which is faster.
            each = self.per_image and data["images"].shape[0] != 1
            starts = windows.random_starts(fit, shape[:1] if each else (), self.seed_generator)
        return fit.applied_to(fit.windows(starts, self.fill), shape[0])

    def _position_at_inference(self):
        """Where images are that are padded: nothing is drawn."""
        each = self.pad_position if isinstance(self.pad_position, tuple) else (self.pad_position,) * self.rank
        return tuple("center" if position == "random" else position for position in each)

    def _focused(self, fit, data):
        """Random starts that depend on boxes or masks, `(batch,)` for each axis."""
        if self.focus == "boxes":
            return self._showing(self._random_box(data), self.min_visible, fit)
        mask = self._mask(data)
        if self.focus == "foreground":
            return self._showing(geometry.boxes_from_masks(mask), 1.0, fit)
        return self._around_pixel(mask, fit)

    def _random_box(self, data):
        """A random bounding box of each image, in pixels; an empty one if it has none."""
        if "bounding_boxes" not in data:
            raise checks.ArgumentError(
                f"`{self.name}` needs `bounding_boxes` beside the images when `focus` is 'boxes'."
            )
        image_size = self.lengths(ops.shape(data["images"]))[::-1]
        boxes = geometry.to_corners(data["bounding_boxes"]["boxes"], self.box_format, image_size)
        boxes = ops.cast(boxes, "float32")
        boxes = ops.reshape(boxes, (ops.shape(boxes)[0], -1, 2 * self.rank))
        first, last = geometry.split(boxes)
        usable = ops.all(last > first, axis=-1)
        labels = data["bounding_boxes"].get("labels")
        if labels is not None and len(labels.shape) == len(data["bounding_boxes"]["boxes"].shape) - 1:
            usable = usable & ops.reshape(ops.cast(labels, "float32") != -1, ops.shape(usable))
        # An empty box that is never usable is added, to be picked where there is no other.
        usable = ops.pad(usable, ((0, 0), (0, 1)))
        boxes = ops.pad(boxes, ((0, 0), (0, 1), (0, 0)))
        number = ops.where(ops.any(usable, axis=1), self._random_true(usable), ops.shape(usable)[1] - 1)
        return ops.take_along_axis(boxes, number[:, None, None], axis=1)[:, 0]

    def _showing(self, boxes, least, fit):
        """Random places, all equally likely, that show at least a fraction of a box, or else as much as possible."""
        shown = 1.0  # the fraction that each place shows, built up axis by axis
        counts = []
        for first, last, length, size, origin in zip(*self._by_axis(boxes), fit.lengths, fit.sizes, fit.origin):
            starts = ops.cast(ops.arange(windows.room(length, size) + 1, dtype="int32"), "float32")
            start, stop = (
                ops.cast(side * fit.scale + ops.cast(origin, "float32"), "float32")[:, None] for side in (first, last)
            )
            inside = ops.relu(ops.minimum(stop, starts + ops.cast(size, "float32")) - ops.maximum(start, starts))
            share = ops.divide_no_nan(inside, stop - start)
            counts.append(ops.shape(starts)[0])
            axis = len(counts) - 1
            shown = ops.reshape(share, (-1, *(1,) * axis, counts[-1])) * (ops.expand_dims(shown, -1) if axis else 1.0)
        shown = ops.reshape(shown, (ops.shape(shown)[0], -1))
        wanted = ops.minimum(ops.maximum(least, 1e-6), ops.max(shown, axis=1, keepdims=True))
        return _unravel(self._random_true(shown >= wanted - 1e-6 * wanted), counts)

    def _by_axis(self, boxes):
        """The boxes' first and last coordinates, the outermost axis first."""
        return [ops.unstack(corner, self.rank, axis=-1)[::-1] for corner in geometry.split(boxes)]

    def _around_pixel(self, mask, fit):
        """Places around a random pixel: with probability `positive_fraction` one that is not zero, else one that is."""
        lengths = ops.shape(mask)[1:]
        positive = keras.random.uniform((ops.shape(mask)[0], 1), seed=self.seed_generator) < self.positive_fraction
        mask = ops.reshape(mask, (ops.shape(mask)[0], -1))
        mask = ops.where(positive, mask, ~mask)
        pixels = _unravel(self._random_true(mask), lengths)
        starts = []
        for pixel, length, size, origin in zip(pixels, fit.lengths, fit.sizes, fit.origin):
            centre = ops.cast(pixel, "float32") * fit.scale + ops.cast(origin, "float32")
            start = ops.cast(centre, "int32") - size // 2
            starts.append(ops.clip(start, 0, windows.room(length, size)))
        return starts

    def _mask(self, data):
        """Where any channel of the mask, in any frame of a clip, is not zero: `(batch, height, width)`."""
        if "segmentation_masks" not in data:
            raise checks.ArgumentError(
                f"`{self.name}` needs `segmentation_masks` beside the images when `focus` is {self.focus!r}."
            )
        mask = data["segmentation_masks"]
        has_channels = len(mask.shape) == len(data["images"].shape)
        mask = ops.not_equal(mask, ops.cast(0, mask.dtype))
        if has_channels:
            mask = ops.any(mask, axis=axes.channels_axis(self.rank, self.data_format))
        return ops.any(mask, axis=1) if len(mask.shape) > self.rank + 1 else mask

    def _random_true(self, flags):
        """The index of a random True flag in each row of `(batch, n)`; of any flag if none is True."""
        flags = flags | ~ops.any(flags, axis=1, keepdims=True)
        order = ops.cumsum(ops.cast(flags, "int32"), axis=1)
        count = order[:, -1:]
        share = keras.random.uniform(ops.shape(count), seed=self.seed_generator)
        wanted = ops.minimum(ops.cast(share * ops.cast(count, "float32"), "int32"), count - 1)
        return ops.cast(ops.argmax(ops.cast(order > wanted, "int32"), axis=1), "int32")


def _unravel(index, lengths):
    """The place along each axis, for an index that counts through all of them."""
    starts = []
    for length in reversed(lengths):
        starts.append(index % length)
        index = index // length
    return starts[::-1]


@keras.saving.register_keras_serializable("kerascrop")
class RandomCrop(RandomSizedCrop):
    """Cut `height` by `width` pixels out of a random place of each image.

    In training every place is equally likely, the last row and column included, and each axis is drawn on its
    own; at inference the crop is the centre, of the same size. The dtype stays the same.

    Input shape: as in `CenterCrop`, a dict of images, masks, boxes and key points included. The frames of a clip
    `(batch, time, height, width, channels)` share one place.

    Output shape: the same with the new height and width; with `return_boxes=True` also the boxes, `(batch, 4)`.

    Args:
        height, width: size of the crop, in pixels.
        seed: a whole number, for the same places in every run; None draws one.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        per_image: draw a place for each image; False draws one for the whole batch.
        if_smaller: what to do when an image is smaller than the crop, as in `CenterCrop`.
        fill_value, fill_mode, mask_fill_value: of new pixels, as in `CenterCrop`.
        pad_position: with `if_smaller="pad"`, where the image is among the new pixels, as in `CenterCrop`; or
            `"random"`, at a random place in training, and in the middle at inference.
        random_pad: in training, add so many pixels on each side before the place is drawn, so that crops may reach so
            far outside of the image: `RandomCrop(32, 32, random_pad=4)` is what trains on CIFAR.
        focus: what training crops should show; needs the joint form of the input.
            `"boxes"`: at least `min_visible` of one of the `bounding_boxes`, drawn at random, as Albumentations'
            `AtLeastOneBBoxRandomCrop` and torchvision's `RandomIoUCrop` do; all places that show this much are equally
            likely, or if there are none, those that show most.
            `"mask"`: around a random pixel where `segmentation_masks` are not zero, with probability
            `positive_fraction`, or else around one where they are zero, as MONAI's `RandCropByPosNegLabel` does. The
            window is moved until it fits into the image.
            `"foreground"`: all that is not zero in `segmentation_masks`, as far as it fits.
        positive_fraction: for `focus="mask"`, in `[0, 1]`.
        return_boxes: also return the boxes that are cut, in pixels of the input.
        box_format, min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: the images, or a dict.
        training: True for random places. `fit()` sets it; outside a model, as in a `tf.data` pipeline, pass it:
            `dataset.map(lambda images: crop(images, training=True))`. Under PyTorch, `train()` and `eval()` of the
            layer, or of a `torch.nn.Module` that holds it, set it; until then it is False, as everywhere in Keras.

    Raises:
        SizeError: a size is not a positive whole number, or larger than the images while `if_smaller` is `"error"`.
        ShapeError, BoxError: as in `CenterCrop`.
        ArgumentError: an unknown choice, or `focus` without the boxes or masks that it needs.
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[RandomOptions],
    ):
        super().__init__((height, width), seed, data_format, **kwargs)


@keras.saving.register_keras_serializable("kerascrop")
class RandomCrop1D(RandomSizedCrop):
    """Cut `length` steps out of a random place of each sequence, `(batch, length, channels)`.

    All else is as in `RandomCrop`, with boxes of two numbers, `x1, x2`.
    """

    rank = 1

    def __init__(
        self,
        length: int,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[RandomOptions],
    ):
        super().__init__((length,), seed, data_format, **kwargs)


@keras.saving.register_keras_serializable("kerascrop")
class RandomCrop3D(RandomSizedCrop):
    """Cut a random place out of each volume, `(batch, depth, height, width, channels)`.

    All else is as in `RandomCrop`, with boxes of six numbers, `x1, y1, z1, x2, y2, z2`.
    """

    rank = 3

    def __init__(
        self,
        depth: int,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[RandomOptions],
    ):
        super().__init__((depth, height, width), seed, data_format, **kwargs)
