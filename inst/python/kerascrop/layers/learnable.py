"""Boxes that a small network inside the layer learns to predict."""

import math

import keras
import numpy as np
from keras import ops

from kerascrop import checks
from kerascrop.boxes import boxes_inside
from kerascrop.layers.base import SampledCrop
from kerascrop.localizers import CELL, GlobalLocalizer, MapLocalizer

SIZES = {"fixed": 0, "square": 1, "free": 2}  # how many numbers a size takes

# The course of training, in fractions of the box; found by experiment (bench/ has the log).
SHIFT = 0.08  # the box is moved by up to this, each way,
ZOOM = 0.15  # and scaled by up to exp(this), so that a cut object costs
PATIENCE = 150  # steps with a focused map, until the expected crop has faded to 1/e
VIGNETTE = 0.25  # standard deviation of the Gaussian that dims the edges of the expected crop
TURNED = 4  # one in so many images is also shown turned by 180 degrees


@keras.saving.register_keras_serializable("kerascrop")
class LearnableCrop(SampledCrop):
    """Learn where to crop, from the loss of the network behind.

    A localizer predicts one box for each image. The crop is resampled, differentiably in the box, so whatever is trained
    on the crops also trains the localizer: no boxes are needed. The box lies inside the image by construction.

    The built-in localizer (`kerascrop.localizers.MapLocalizer`, about 20,000 parameters) scores every place of a
    view of 64 pixels, and three things, all inside this layer and in training only, make it find its object:

    1. At first the crop is mostly what the map *expects*, the mean of all windows weighted by their scores: so every place has
       a say in the loss. It fades as maps get sharp, and the real crop takes over.
    2. The box is moved and scaled at random by a few per cent, so that an object at the crop's edge is cut and costs.
    3. Some images are also shown turned by 180 degrees, and a loss asks for the turned place: that leaves no constant offset.

    Input shape: `(batch, height, width, channels)`, with `"channels_first"` `(batch, channels, height, width)`; one image
    without the batch. Or, with a localizer of your own, a list `[images, features]`: it sees the features.

    Output shape: `(batch, height, width, channels)` with the crops' size, in the compute dtype; with
    `return_boxes=True` also the boxes, `(batch, 4)`.

    Args:
        height, width: size of the crops, in pixels.
        size: what is learned: `"fixed"`, the place of a window of `height` by `width` pixels; `"square"`, a place and a side;
            `"free"`, a place, a width and a height.
        min_size, max_size: bounds of the learned size, in pixels, or, at most 1, as a fraction of the image (its shorter
            side for `"square"`). The defaults are half the crop's size, and the whole image.
        localizer: None, the built-in one; `"global"`, one trainable box for all images; or a Keras layer or model that
            returns 2, 3 or 4 numbers in `[0, 1]` for each image, as `size` asks: x and y of the place, in the room
            that the box leaves (0 touches the left or top edge, 1 the right or bottom), the side, or the width and height,
            between their bounds.
        antialias: average all pixels of a box that is larger than the crop.
        snap: at inference, move a `"fixed"` box to whole pixels, so that the crop is an exact slice.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the boxes, `x1, y1, x2, y2` in pixels.
        **kwargs: arguments of `keras.layers.Layer`, such as `name`.

    Raises:
        SizeError: a size is no positive whole number; `min_size` is above `max_size`; the images are smaller than a box.
        ShapeError: the input is no batch of images, or a localizer returns another number of numbers.
        ArgumentError: an unknown `size` or `localizer`.
    """

    def __init__(
        self,
        height,
        width,
        size="fixed",
        min_size=None,
        max_size=None,
        localizer=None,
        antialias=True,
        snap=False,
        data_format=None,
        return_boxes=False,
        **kwargs,
    ):
        super().__init__(
            height, width, antialias=antialias, data_format=data_format, return_boxes=return_boxes, **kwargs
        )
        self.size = checks.check_choice(size, "size", tuple(SIZES))
        self.min_size = checks.check_extent(min_size, "min_size")
        self.max_size = checks.check_extent(max_size, "max_size")
        self.snap = checks.check_flag(snap, "snap")
        self.numbers = 2 + SIZES[size]
        self.given_localizer = localizer
        policy = {"name": "localizer", "dtype": self.dtype_policy}
        if localizer is None:
            self.localizer = MapLocalizer(SIZES[size], **policy)
        elif localizer == "global":
            self.localizer = GlobalLocalizer(self.numbers, **policy)
        elif isinstance(localizer, keras.layers.Layer):
            self.localizer = localizer
        else:
            raise checks.ArgumentError(f"`localizer` must be None, 'global' or a Keras layer, not {localizer!r}.")
        self.searches = localizer is None
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape):
        images_shape, features_shape = self._parts(input_shape)
        checks.check_images_shape(images_shape, self.rank, self.name)
        images_shape = (None, *images_shape[-3:])
        height, width = self.lengths(images_shape)
        if height and width:
            self.size_bounds(height, width)
        if self.searches:
            channels = images_shape[-1 if self.data_format == "channels_last" else 1]
            self.localizer.build((None, height, width, channels))
            self.focus = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="focus", dtype="float32", autocast=False
            )
            return
        seen = images_shape if features_shape is None else (None, *features_shape[1:])
        if not self.localizer.built:
            self.localizer.build(seen)
        returned = self.localizer.compute_output_shape(seen)
        if len(returned) != 2 or returned[-1] != self.numbers:
            raise checks.ShapeError(
                f"`localizer` must return {self.numbers} numbers for each image with size={self.size!r}, "
                f"shape (batch, {self.numbers}), not {tuple(returned)}."
            )

    def call(self, inputs, training=None):
        images, features = self._parts(inputs)
        images = ops.convert_to_tensor(images)
        checks.check_images_shape(images.shape, self.rank, self.name)
        single = len(images.shape) == 3
        images = images[None] if single else images
        if self.searches and training and images.shape[0] != 0:
            crops, boxes = self.search(self.to_channels_last(images))
            crops = self.from_channels_last(crops)
        else:
            boxes = self.locate(images, features)
            if self.snap and not training and self.size == "fixed":
                boxes = ops.round(boxes)
            crops = self.sample(images, boxes)
        return self.outputs(crops[0] if single else crops, boxes[0] if single else boxes)

    def locate(self, images, features=None):
        """The boxes at inference: `(batch, 4)`, `x1, y1, x2, y2` in pixels of a batch of images."""
        images = ops.convert_to_tensor(images)
        if not self.built:
            self.build(images.shape)
        if images.shape[0] == 0:
            return ops.zeros((0, 4))  # Keras's convolutions stumble over empty batches
        height, width = self.lengths(ops.shape(images))
        if self.searches:
            found = self.localizer(self.localizer.look(self.to_channels_last(images)), training=False)
            return self.place(found.centre, self.sizes(found.size, height, width), height, width)
        seen = ops.cast(images, self.compute_dtype) if features is None else features
        numbers = ops.cast(self.localizer(seen), "float32")
        size = self.sizes(numbers[:, 2:], height, width) * _extent(height, width)
        return boxes_inside(numbers[:, :2], ops.broadcast_to(size, ops.shape(numbers[:, :2])), height, width)

    def size_bounds(self, height, width):
        """The smallest and the largest size, `(width, height)` in pixels; numbers, or tensors where unknown."""
        if self.size == "square":
            least = min(height, width) if isinstance(height, int) and isinstance(width, int) else ops.minimum(height, width)
            image, default = (least, least), (max(self.height, self.width) / 2,) * 2
        else:
            image, default = (width, height), (self.width / 2, self.height / 2)
        if self.size == "fixed":
            low = high = (self.width, self.height)
        else:
            low = [_pixels(self.min_size, side) if self.min_size else _smaller(start, side) for side, start in zip(image, default)]
            high = [_pixels(self.max_size, side) if self.max_size else side for side in image]
        for smallest, largest, side, name in zip(low, high, image, ("width", "height")):
            if not isinstance(side, int):
                continue
            if smallest > largest:
                raise checks.SizeError(
                    f"`min_size` must be at most `max_size`, but they are {smallest:g} and {largest:g} pixels "
                    f"of images of {name} {side}."
                )
            if largest > side:
                raise checks.SizeError(
                    f"`{self.name}` cannot cut {name} {largest:g} out of images of {name} {side}. "
                    "Use a smaller size, or larger images."
                )
        return low, high

    def sizes(self, share, height, width):
        """Sizes `(batch or 1, 2)`, `(width, height)` as fractions of the image, for shares `(batch, n)` between the bounds."""
        low, high = (_stack(bound) for bound in self.size_bounds(height, width))
        size = low if self.size == "fixed" else low * (high / low) ** share
        return size / _extent(height, width) if self.size != "fixed" else (size / _extent(height, width))[None]

    def place(self, centre, size, height, width):
        """Boxes around centres, moved to lie inside; both are fractions of the image."""
        size = ops.minimum(size, 1.0)
        centre = ops.clip(centre, size / 2, 1 - size / 2)
        extent = _extent(height, width)
        return ops.concatenate([(centre - size / 2) * extent, (centre + size / 2) * extent], axis=-1)

    def search(self, images):
        """Crops and boxes in training, with the channels last: see the class."""
        height, width = ops.shape(images)[1:3]
        batch = ops.shape(images)[0]
        view = self.localizer.look(images)
        turned = ops.flip(view[::TURNED], axis=(1, 2))
        found = self.localizer(ops.concatenate([view, turned], axis=0), training=True)
        size = self.sizes(found.size, height, width) + ops.zeros_like(found.centre)
        fading = ops.exp(-self.focus / PATIENCE)
        self.add_loss((1 - fading) * _disagreement(found.centre[:batch:TURNED], found.centre[batch:], size[batch:]))
        heat, centre, size = found.heat[:batch], found.centre[:batch], size[:batch]
        spread = ops.sqrt(ops.sum(found.variance[:batch] / size**2, axis=1))
        self.focus.assign_add(ops.mean(ops.relu(1 - 2 * ops.stop_gradient(spread))))

        noise = keras.random.uniform((batch, 3), -1, 1, seed=self.seed_generator)
        shift, size = SHIFT * noise[:, :2] * size, size * ops.exp(ZOOM * noise[:, 2:])
        boxes = self.place(centre + shift, size, height, width)
        sharp = self.sample_last(images, boxes)
        expected = self.expected_crop(view, heat, shift, size, height, width)
        return ops.cast(fading, sharp.dtype) * expected + ops.cast(1 - fading, sharp.dtype) * sharp, boxes

    def expected_crop(self, view, heat, shift, size, height, width):
        """The same crop of what the map expects around the object, dimmed towards the edges."""
        rows, columns = self.localizer.cells
        # It has to show a box of the middle size.
        known = isinstance(height, int) and isinstance(width, int)
        low, high = self.size_bounds(height, width) if known else ((0.25, 0.25), (1, 1))
        middle = [math.sqrt(a * b) / (side if known else 1) for a, b, side in zip(low, high, (width, height))]
        reach = math.ceil(rows * middle[1] / 2), math.ceil(columns * middle[0] / 2)
        expected = self.localizer.expected_view(view, heat, reach)
        field = _extent(*expected.shape[1:3])
        scale = _extent(rows * CELL, columns * CELL)
        shift, half = shift * scale, size * scale / 2
        half = ops.minimum(half, field / 2 - ops.abs(shift))
        crop = self.sample_last(expected, ops.concatenate([field / 2 + shift - half, field / 2 + shift + half], axis=-1))
        mean = ops.mean(view, axis=(1, 2), keepdims=True)
        window = ops.convert_to_tensor(_vignette(self.height)[:, None] * _vignette(self.width), crop.dtype)
        return mean + window[..., None] * (crop - mean)

    def compute_output_shape(self, input_shape):
        images_shape, _ = self._parts(input_shape)
        checks.check_images_shape(images_shape, self.rank, self.name)
        height, width = self.lengths(images_shape)
        if height and width:
            self.size_bounds(height, width)
        boxes_shape = (*images_shape[:-3], 4)
        return self.outputs(self.crops_shape(images_shape, boxes_shape), boxes_shape)

    def compute_output_spec(self, inputs, training=None):
        images, _ = self._parts(inputs)
        return self.spec(self.compute_output_shape(images.shape))

    def get_config(self):
        config = super().get_config()
        del config["fill_mode"], config["fill_value"]  # a box never reaches outside
        localizer = self.given_localizer
        if isinstance(localizer, keras.layers.Layer):
            localizer = keras.saving.serialize_keras_object(localizer)
        return {
            **config,
            "size": self.size,
            "min_size": self.min_size,
            "max_size": self.max_size,
            "localizer": localizer,
            "snap": self.snap,
        }

    @classmethod
    def from_config(cls, config):
        if isinstance(config["localizer"], dict):
            config = {**config, "localizer": keras.saving.deserialize_keras_object(config["localizer"])}
        return cls(**config)

    def _parts(self, inputs):
        """Images and features, or None; of tensors or shapes."""
        is_pair = isinstance(inputs, (list, tuple)) and not isinstance(inputs[0], (int, type(None)))
        if not is_pair:
            return inputs, None
        if len(inputs) != 2 or self.searches:
            raise checks.ArgumentError(
                f"`{self.name}` takes images; a list of images and features goes with a `localizer` of your own."
            )
        return inputs


def _extent(height, width):
    """`(width, height)` as a float32 tensor, for fractions that are `(x, y)`."""
    return _stack((width, height))


def _stack(numbers):
    return ops.stack([ops.cast(number, "float32") for number in numbers])


def _pixels(size, side):
    return size * side if size <= 1 else size


def _smaller(size, side):
    return min(size, side) if isinstance(side, int) else ops.minimum(size, ops.cast(side, "float32"))


def _disagreement(centre, turned, size):
    """How far the places of images, and of the same images turned by 180 degrees, are from each other: 0 to 1."""
    distance = ops.sum(ops.square((centre + turned - 1) / ops.stop_gradient(size)), axis=1)
    return ops.mean(distance / (1 + distance))


def _vignette(n):
    """A Gaussian over n pixels."""
    return np.exp(-0.5 * (((np.arange(n) + 0.5) / n - 0.5) / VIGNETTE) ** 2)
