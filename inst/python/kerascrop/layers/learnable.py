"""Boxes that a small network inside the layer learns to predict."""

import math
import warnings
from typing import Any, NamedTuple

import keras
from keras import ops

from kerascrop import axes, checks, kernels, sampling, seeds, windows
from kerascrop.approval import approved
from kerascrop.boxes import boxes_around, boxes_inside, extent, split
from kerascrop.layers.base import SampledCrop
from kerascrop.localizers import GlobalLocalizer, MapLocalizer, sides

SIZES = {"fixed": 0, "square": 1, "free": 2}  # how many numbers a size takes

SHIFTED, SCALED = 0.08, 0.15  # noise on boxes in training, of their size and in logarithms: a cut object costs
TURNED = 4  # every so many images are also shown turned by 180 degrees


class Candidates(NamedTuple):
    """Boxes that may be an image's, and how much of its crop comes from each."""

    boxes: Any  #: `(batch, candidates, 4)`
    shares: Any  #: `(batch, candidates)`, which add up to 1
    alone: Any  #: `(batch,)`: how badly the network finds the first one without the help of what stands out


@keras.saving.register_keras_serializable("kerascrop")
class LearnableCrop(SampledCrop):
    """Learn where to crop, from the loss of the network behind.

    A localizer predicts one box for each image. The crop is resampled, differentiably in the box, so whatever is
    trained on the crops also trains the localizer: no boxes are needed. The box lies inside the image by
    construction.

    The built-in localizer, `kerascrop.localizers.MapLocalizer`, has about 7,500 parameters, 24,000 where sizes are
    learned. It starts where something stands out from the rest of its image, with a box of about its size, or the
    nearest size that is not unusual among those found in training so far. In training only, a crop is the mean of two
    candidates, weighted by how much each stands out: where they compete, the loss tells which of them is the object
    (with `return_boxes=True` the boxes are those of the first). Their boxes are moved by up to 8 and scaled by up to 15
    per cent at random, so that an object at the crop's edge is cut and costs. The layer adds losses of its own
    (`add_loss()`), which need no labels: some images are also shown turned by 180 degrees, and should give the turned
    place, which leaves no constant offset; the network should find alone what it found with the help of what stands
    out, above all where the loss behind approved of the crop, which a small gradient tells; and boxes that are made
    wrong in two ways should be corrected to the same one, so that sizes fit all objects alike. Nothing is scheduled. It
    can be led astray by things that stand out more than the object does, and are as large.

    Input shape: `(batch, height, width, channels)`, with `"channels_first"` `(batch, channels, height, width)`; one
    image without the batch. Or, with a localizer of your own, a list `[images, features]`: it sees the features. Or a
    dict of `images`, perhaps `features`, and what goes with the images: see `CenterCrop`.

    Output shape: `(batch, height, width, channels)` with the crops' size, in the compute dtype; with
    `return_boxes=True` also the boxes, `(batch, 4)`.

    Args:
        height, width: size of the crops, in pixels.
        size: what is learned: `"fixed"`, the place of a window of `height` by `width` pixels; `"square"`, a place and
            a side; `"free"`, a place, a width and a height.
        min_size, max_size: bounds of the learned size, in pixels, or, at most 1, as a fraction of the image (its
            shorter side for `"square"`). The defaults are half the crop's size (or `max_size`, if that is smaller),
            and the whole image.
        resize: resize every crop to `height` by `width`. False keeps the images' scale, so that sizes can differ in a
            batch: a crop stands in the top left corner of a canvas of `height` by `width` pixels, the rest of which is
            0. `max_size` is at most the canvas then. A pixel that the box covers in part counts by that part, which is
            what gives the size a gradient. With `return_boxes` the boxes tell the size of what is in each canvas.
        localizer: None, the built-in one; `"global"`, one trainable box for all images; or a Keras layer or model
            that returns 2, 3 or 4 numbers in `[0, 1]` for each image, as `size` asks: x and y of the place, in the
            room that the box leaves (0 touches the left or top edge, 1 the right or bottom), the side, or the width
            and height, between their bounds. Numbers beyond count as 0 or 1, and have no gradient: end it with a
            sigmoid. There is a warning, the first time that they can be looked at.
        antialias: average all pixels of a box that is larger than the crop.
        snap: at inference, move a `"fixed"` box to whole pixels, so that the crop is an exact slice.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        **kwargs: `return_boxes`, `box_format` and `min_visible` as in `CenterCrop`, and arguments of
            `keras.layers.Layer`, such as `name`.

    Raises:
        SizeError: a size is no positive whole number; `min_size` is above `max_size`; the images, or the canvas of
            `resize=False`, are smaller than a box.
        ShapeError: the input is no batch of images, or a localizer returns another number of numbers.
        ArgumentError: an unknown `size` or `localizer`.
    """

    parts = (*SampledCrop.parts, "features")

    def __init__(
        self,
        height,
        width,
        size="fixed",
        min_size=None,
        max_size=None,
        resize=True,
        localizer=None,
        antialias=True,
        snap=False,
        data_format=None,
        **kwargs,
    ):
        super().__init__(height, width, antialias=antialias, data_format=data_format, **kwargs)
        self.size = checks.check_choice(size, "size", tuple(SIZES))
        self.min_size = checks.check_extent(min_size, "min_size")
        self.max_size = checks.check_extent(max_size, "max_size")
        self.native = not checks.check_flag(resize, "resize")
        self.snap = checks.check_flag(snap, "snap")
        self.numbers = 2 + SIZES[size]
        is_layer = isinstance(localizer, keras.layers.Layer)
        if not (is_layer or localizer is None or (isinstance(localizer, str) and localizer == "global")):
            raise checks.ArgumentError(f"`localizer` must be None, 'global' or a Keras layer, not {localizer!r}.")
        self.given_localizer = localizer
        self.is_built_in = localizer is None
        self.is_checked = False
        if is_layer:
            self.localizer = localizer
        self.seed_generator = seeds.Seeds(name=f"{self.name}_seeds")

    def build(self, input_shape):
        shapes = self.named(input_shape)
        self.check_shapes(shapes)
        images_shape, features_shape = shapes["images"], shapes.get("features")
        images_shape = (None, *images_shape[-3:])
        height, width = self.lengths(images_shape)
        policy = {"name": "localizer", "dtype": self.dtype_policy}
        if self.is_built_in:
            channels = images_shape[axes.channels_axis(self.rank, self.data_format)]
            self.localizer = MapLocalizer(SIZES[self.size], **policy)
            self.localizer.build((None, height, width, channels))
            return
        if self.given_localizer == "global":
            self.localizer = GlobalLocalizer(self.numbers, **policy)
        seen = images_shape if features_shape is None else (None, *features_shape[1:])
        returned = self.localizer(keras.KerasTensor(seen, self.compute_dtype)).shape  # builds it, whatever it is
        if len(returned) != 2 or returned[-1] != self.numbers:
            raise checks.ShapeError(
                f"`localizer` must return {self.numbers} numbers for each image with size={self.size!r}, "
                f"shape (batch, {self.numbers}), not {tuple(returned)}."
            )

    def choose(self, data, training):
        """`Candidates`, two when the built-in localizer trains, or the boxes."""
        images = data["images"]
        if not (training and self.is_built_in and images.shape[0] != 0):
            return self.locate(images, data.get("features"), training)
        return self.explore(images)

    def boxes(self, choice):
        return choice.boxes[:, 0] if isinstance(choice, Candidates) else choice

    def locate(self, images, features=None, training=False):
        """The boxes: `(batch, 4)`, `x1, y1, x2, y2` in pixels, for a batch of images; `snap` is for inference."""
        images = ops.convert_to_tensor(images)
        if not self.built:
            self.build(images.shape if features is None else [images.shape, ops.shape(features)])
        if images.shape[0] == 0:
            return ops.zeros((0, 4), "float32")  # Keras's convolutions stumble over empty batches
        height, width = self._image_size(images)
        if self.is_built_in:
            numbers = self.localizer(self._view(images), self._shares(height, width), training=False)
            boxes = boxes_around(
                numbers[:, :2] * extent(height, width), self._size(numbers, height, width), height, width
            )
        else:
            numbers = self.localizer(self.to_floats(images) if features is None else features)
            numbers = ops.clip(self._check_numbers(ops.cast(numbers, "float32")), 0.0, 1.0)
            boxes = boxes_inside(numbers[:, :2], self._size(numbers, height, width), height, width)
        if self.snap and self.size == "fixed" and not training:
            corner = ops.round(boxes[:, :2])
            boxes = ops.concatenate([corner, corner + extent(self.height, self.width)], axis=-1)
        return boxes

    def explore(self, images):
        """The `Candidates` in training, moved and scaled a little; adds the losses that the crops do not weigh."""
        height, width = self._image_size(images)
        view, image, bounds = self._view(images), extent(height, width), self._shares(height, width)
        batch = ops.shape(view)[0]
        turned = ops.flip(ops.flip(view[::TURNED], axis=1), axis=2)
        found = self.localizer.find(ops.concatenate([view, turned], axis=0), bounds, training=True)
        size, numbers = self._size(found.numbers, height, width), found.numbers[:batch]
        # A place and its turned one are opposite: they add up to 1. Distances are in boxes, and bounded.
        off = (found.mean[:batch][::TURNED] + found.mean[batch:] - 1) * image
        off = ops.sum(ops.square(off / ops.stop_gradient(size[batch:])), axis=1)
        self.add_loss(ops.mean(off / (1 + off)))
        if self.size != "fixed":
            numbers, apart = self.localizer.correct_twice(view, numbers, bounds, self._noise(batch, 2, self.numbers))
            self.add_loss(ops.mean(apart / (1 + apart)))
        noise, size = self._noise(batch, 3), self._size(ops.clip(numbers, 0.0, 1.0), height, width)
        shift = SHIFTED * noise[:, :2] * ops.stop_gradient(size)  # else smaller boxes would be moved less, and pay
        size = size * ops.exp(SCALED * noise[:, 2:])
        if self.native:
            size = ops.minimum(size, extent(self.height, self.width))
        places = ops.stack([numbers[:, :2], found.other[:batch]], axis=1)
        boxes = boxes_around(places * image + shift[:, None], size[:, None], height, width)
        share = found.share[:batch]
        return Candidates(boxes, ops.stack([share, 1 - share], axis=1), found.alone[:batch])

    def bounds(self, height, width):
        """The smallest and the largest box, each `(width, height)` in pixels.

        Raises:
            SizeError: the smallest is larger than the largest, or that does not fit into the image.
        """
        if self.size == "fixed":
            low = high = (self.width, self.height)
        elif self.size == "square":
            output = min(self.height, self.width) if self.native else max(self.height, self.width)
            low, high = self._range(output, _minimum(height, width))
            low, high = (low, low), (high, high)
        else:
            low, high = zip(self._range(self.width, width), self._range(self.height, height))
        canvas = (self.width, self.height)
        for smallest, largest, side, most, name in zip(low, high, (width, height), canvas, ("width", "height")):
            images = f"images of {name} {side}" if isinstance(side, int) else "any images"
            if _are_numbers(smallest, largest) and smallest > largest:
                raise checks.SizeError(
                    f"`min_size` must be at most `max_size`, but in {images} they are "
                    f"{smallest:g} and {largest:g} pixels."
                )
            if _are_numbers(largest, side) and largest > side:
                raise checks.SizeError(
                    f"`{self.name}` cannot cut {name} {largest:g} out of {images}. "
                    f"Use a smaller `{name if self.size == 'fixed' else 'max_size'}`, or larger images."
                )
            if self.native and _are_numbers(largest) and largest > most:
                raise checks.SizeError(
                    f"`{self.name}` cannot put crops of {name} {largest:g} on a canvas of {name} {most}. "
                    f"Use a smaller `max_size`, a larger `{name}`, or `resize=True`."
                )
        return low, high

    def sample(self, images, choice, is_mask):
        if not isinstance(choice, Candidates) or is_mask:
            return self._sample(images, self.boxes(choice), is_mask)
        crops = self._sample(images, choice.boxes, is_mask)
        crops = ops.sum(ops.cast(choice.shares, crops.dtype)[:, :, None, None, None] * crops, axis=1)
        crops, alone = approved(crops, choice.alone)
        self.add_loss(ops.mean(alone))
        return crops

    def _sample(self, images, boxes, is_mask):
        if not self.native:
            return super().sample(images, boxes, is_mask)
        corner, stop = split(boxes)
        canvas = ops.concatenate([corner, corner + extent(self.height, self.width)], axis=-1)
        how = {"interpolation": "nearest"} if is_mask else {}
        crops = sampling.sample(images, canvas, (self.height, self.width), fill_mode="nearest", **how)
        # How much of each of the canvas's columns and rows the box covers.
        across, down = (
            kernels.clip((stop - corner)[..., axis, None] - ops.arange(n, dtype="float32"), 0.0, 1.0)
            for axis, n in enumerate((self.width, self.height))
        )
        covered = (down[..., :, None] * across[..., None, :])[..., None]
        if is_mask:
            return ops.where(covered > 0.5, crops, ops.zeros_like(crops))
        return crops * ops.cast(covered, crops.dtype)

    def get_config(self):
        config = super().get_config()
        localizer = self.given_localizer
        if isinstance(localizer, keras.layers.Layer):
            localizer = keras.saving.serialize_keras_object(localizer)
        return {
            **config,
            "size": self.size,
            "min_size": self.min_size,
            "max_size": self.max_size,
            "resize": not self.native,
            "localizer": localizer,
            "snap": self.snap,
        }

    @classmethod
    def from_config(cls, config):
        if isinstance(config["localizer"], dict):
            config = {**config, "localizer": keras.saving.deserialize_keras_object(config["localizer"])}
        return super().from_config(config)

    def _view(self, images):
        """What the built-in localizer looks at."""
        return self.localizer.look(self.to_channels_last(self.to_floats(images)))

    def _noise(self, *shape):
        """Random numbers from -1 to 1."""
        return keras.random.uniform(shape, -1, 1, "float32", seed=self.seed_generator)

    def _size(self, numbers, height, width):
        """Sizes `(batch, 2)`, for numbers whose third, and fourth, say how large between the bounds, in logarithms."""
        share = numbers[:, 2:] if self.size != "fixed" else ops.zeros_like(numbers[:, :1])
        return sides(share, self._limits(height, width))

    def _range(self, output, side):
        """The bounds of one side, in pixels, for a crop of `output` pixels and an image of `side`."""
        high = side if self.max_size is None else _pixels(self.max_size, side)
        if self.native and (self.max_size is None or self.max_size <= 1 and not _are_numbers(side)):
            high = _minimum(high, output)
        low = output / 2 if self.min_size is None else _pixels(self.min_size, side)
        # One above the other is an error where both are known.
        return low if self.min_size is not None and _are_numbers(low, high) else _minimum(low, high), high

    def _limits(self, height, width):
        """The bounds as a tensor, `(2, 2)`, in pixels: width and height of the smallest and of the largest box."""
        return ops.stack([extent(*reversed(bound)) for bound in self.bounds(height, width)])

    def _shares(self, height, width):
        """The same as fractions of the image."""
        return self._limits(height, width) / extent(height, width)

    def _image_size(self, images):
        """Height and width of a batch of images, checked to hold a box: numbers, or tensors where not known."""
        lengths, names = self.lengths(ops.shape(images)), self.axis_names
        if self.size == "fixed":
            return windows.check_fits(lengths, (self.height, self.width), names, self.name)
        largest, remedy = math.ceil(max(self.min_size or 1, self.max_size or 1)), "`max_size`, or larger images"
        return windows.check_fits(lengths, (largest, largest), names, self.name, remedy)

    def _check_numbers(self, numbers):
        """A localizer's numbers; the first ones that can be looked at are checked to be in their range."""
        found = None if self.is_checked else checks.known(numbers)
        if found is not None:
            self.is_checked = True
            if ((found < -1e-3) | (found > 1.001)).any():
                warnings.warn(
                    f"`localizer` of `{self.name}` should return numbers from 0 to 1, but it returns numbers from "
                    f"{found.min():.3g} to {found.max():.3g}. Those beyond count as 0 or 1, and have no gradient. "
                    "End it with a sigmoid.",
                    stacklevel=2,
                )
        return numbers

    def check_shapes(self, shapes):
        super().check_shapes(shapes)
        self.bounds(*(math.inf if length is None else length for length in self.lengths(shapes["images"])))

    def named(self, inputs):
        is_pair = isinstance(inputs, (list, tuple)) and not isinstance(inputs[0], (int, type(None)))
        if is_pair and len(inputs) == 2:
            inputs = {"images": inputs[0], "features": inputs[1]}
        inputs = super().named(inputs)
        if self.is_built_in and ("features" in inputs or is_pair):
            raise checks.ArgumentError(
                f"`{self.name}` takes images; a list of images and features goes with a `localizer` of your own."
            )
        return inputs


def _are_numbers(*lengths):
    """Whether lengths are numbers, rather than tensors or infinite, which stands for any."""
    return all(isinstance(length, (int, float)) and length < math.inf for length in lengths)


def _pixels(size, side):
    """A size in pixels, for one that may be a fraction of a side."""
    if size > 1:
        return size
    return size * (side if isinstance(side, int) else ops.cast(side, "float32"))


def _minimum(first, second):
    """The smaller of two numbers, one of which may be a tensor."""
    if _are_numbers(first, second):
        return min(first, second)
    return ops.minimum(ops.cast(first, "float32"), ops.cast(second, "float32"))
