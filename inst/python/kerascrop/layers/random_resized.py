"""The layer that crops boxes of random area and aspect in training, the largest centred one at inference."""

from collections.abc import Sequence

import keras
from keras import ops

from kerascrop import checks, geometry, seeds
from kerascrop.hints import CropOptions, Unpack
from kerascrop.layers.base import SampledCrop

ATTEMPTS = 10


@keras.saving.register_keras_serializable("kerascrop")
class RandomResizedCrop(SampledCrop):
    """Cut a box of random area, aspect and place out of each image and resize it to `height` by `width`.

    In training the area is uniform in `scale`, as a fraction of the image's, and the aspect (width by height) is
    log-uniform in `ratio`; of ten such boxes the first that fits into the image is taken, or, if none fits, the largest
    box of the crop's aspect; its place is uniform. At inference it is the largest centred box of the crop's aspect.
    Szegedy et al. 2015, "Going Deeper with Convolutions", trained this way, and torchvision's `RandomResizedCrop` draws
    so; here each image has a box of its own.

    Input shape: `(batch, height, width, channels)`, with `"channels_first"` `(batch, channels, height, width)`, or one
    image; or a dict of images, masks, boxes and key points, as in `CenterCrop`. Masks are sampled at the nearest pixel.
    The frames of a clip `(batch, time, height, width, channels)` share a box.

    Output shape: `(batch, height, width, channels)`, in the layer's compute dtype; with `return_boxes=True` also the
    boxes, `(batch, 4)`.

    Args:
        height, width: size of the crops, in pixels.
        scale: bounds of the box's area, as fractions of the image's, in `(0, 1]`.
        ratio: bounds of the box's width divided by its height.
        antialias: average all pixels of a box that is larger than the crop, rather than the nearest four.
        per_image: draw a box for each image; False draws one for the whole batch.
        seed: a whole number, for the same boxes in every run; None draws one.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the boxes that are cut, in pixels of the input.
        box_format, min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a size is not a positive whole number.
        ArgumentError: `scale` or `ratio` is not a pair of positive numbers, the smaller one first; `scale` is above 1.
        ShapeError, BoxError: as in `CenterCrop`.
    """

    def __init__(
        self,
        height: int,
        width: int,
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        antialias: bool = True,
        per_image: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Unpack[CropOptions],
    ):
        super().__init__(height, width, antialias=antialias, data_format=data_format, **kwargs)
        self.scale = checks.check_range(scale, "scale")
        if self.scale[1] > 1:
            raise checks.ArgumentError(f"`scale` is a fraction of the image's area: at most 1, not {self.scale[1]:g}.")
        self.ratio = checks.check_range(ratio, "ratio")
        self.per_image = checks.check_flag(per_image, "per_image")
        self.seed_generator = seeds.Seeds(seed, name=f"{self.name}_seeds")
        self.seed = self.seed_generator.seed

    def choose(self, data, training):
        batch = ops.shape(data["images"])[0]
        image_size = geometry.stack_numbers(self.lengths(ops.shape(data["images"]))[::-1], "float32")
        largest = self._largest(image_size)
        if training:
            drawn = batch if self.per_image else 1
            size, position = self._draw(drawn, image_size, largest), self._uniform((drawn, 2))
        else:
            size, position = largest[None], ops.full((1, 2), 0.5)
        boxes = ops.broadcast_to(geometry.boxes_inside(position, size, image_size), (batch, 4))
        return self.samples(boxes)

    def _largest(self, image_size):
        """The size `(width, height)` of the largest box with the crop's aspect."""
        crop = ops.convert_to_tensor([self.width, self.height], "float32")
        return crop * ops.min(image_size / crop)

    def _draw(self, number, image_size, largest):
        """Random sizes `(number, 2)` that fit into the image."""
        low, high = self.scale
        area = ops.prod(image_size) * (low + (high - low) * self._uniform((number, ATTEMPTS)))
        low, high = self.ratio
        ratio = low * (high / low) ** self._uniform((number, ATTEMPTS))
        sizes = ops.stack([ops.sqrt(area * ratio), ops.sqrt(area / ratio)], axis=-1)
        fits = ops.all(sizes <= image_size, axis=-1)
        first = ops.cast(ops.argmax(ops.cast(fits, "int32"), axis=1), "int32")
        chosen = ops.take_along_axis(sizes, first[:, None, None], axis=1)[:, 0]
        return ops.where(ops.any(fits, axis=1)[:, None], chosen, largest)

    def _uniform(self, shape):
        return keras.random.uniform(shape, seed=self.seed_generator)
