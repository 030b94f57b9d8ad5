"""The layer whose boxes a small network inside it learns to predict."""

import math

import keras
from keras import ops

from kerascrop import axes, checks, geometry, notes
from kerascrop.engine import dtypes, windows
from kerascrop.engine.samples import Blend, OnCanvas, Samples
from kerascrop.hints import CropOptions, Tensor, Unpack
from kerascrop.layers.base import SampledCrop
from kerascrop.localizers import Adapter, Bounds, Candidates, GlobalLocalizer, MapLocalizer
from kerascrop.localizers.adapter import SIZES


@keras.saving.register_keras_serializable("kerascrop")
class LearnableCrop(SampledCrop):
    """Learn where to crop from the loss of the network that follows.

    A localizer predicts one box for each image. The crop is resampled, differentiably in the box, so training on the
    crops also trains the localizer: no true boxes are needed. The box lies inside the image by construction.

    The built-in localizer, `kerascrop.localizers.MapLocalizer`, has about 7,500 parameters, 24,000 if sizes are
    learned. It starts at what stands out from the rest of its image, with a box of about the size of that, or the
    nearest size that is not unusual among those found in training so far. In training only, a crop is the mean of two
    candidates, weighted by how much each stands out: where they compete, the loss tells which of them is the object
    (with `return_boxes=True` the boxes are those of the first). Their boxes are moved by up to 8 and scaled by up to 15
    per cent at random: where that cuts off a part of the object, the loss rises.

    The layer adds three losses of its own (`add_loss()`), which need no labels. When an image is turned by 180 degrees,
    the place that is found should turn with it. The localizer's network should find by itself what it found with the
    help of what stands out; it learns this most from images whose crops served the network that follows, which a small
    gradient shows. A box that is disturbed twice should be corrected to the same box both times, so that sizes fit all
    objects alike. In training the localizer sees images mirrored at random. Nothing follows a schedule. Where something
    else in the images is as large as the object and stands out more, the localizer may find that instead: show it some
    true boxes with `BoxLoss`, which teach its map directly, so that a few dozen go a long way, and watch it with
    `CropMonitor`.

    Input shape: `(batch, height, width, channels)`, with `"channels_first"` `(batch, channels, height, width)`; one
    image without the batch. Or, with a localizer of your own, a list `[images, features]`; it sees the features. Or a
    dict of `images`, perhaps `features`, and what goes with the images: see `CenterCrop`. The frames of a clip `(batch,
    time, height, width, channels)` share a box; the localizer sees their mean, so that all of them count.

    Output shape: `(batch, height, width, channels)` with the crops' size, in the compute dtype; with
    `return_boxes=True` also the boxes, `(batch, 4)`. Several crops of an image are `(batch, crops, height, width,
    channels)`, their boxes `(batch, crops, 4)`, and after these come their weights, `(batch, crops)`, which add up to
    1.

    Args:
        height, width: size of the crops, in pixels.
        size: what is learned: `"fixed"`, the place of a window of `height` by `width` pixels; `"square"`, a place and
            a side; `"free"`, a place, a width and a height.
        min_size, max_size: bounds of the learned size, in pixels or, if at most 1, as a fraction of the image (its
            shorter side for `"square"`). The defaults are half the crop's size (or `max_size`, if that is smaller),
            and the whole image.
        resize: resize every crop to `height` by `width`. False keeps the images' scale, so that sizes can differ in a
            batch: a crop stands in the top left corner of a canvas of `height` by `width` pixels, the rest of which is
            0. `max_size` is then at most the canvas. A pixel that the box covers in part is weighted by that part,
            which gives the size a gradient. With `return_boxes` the boxes tell the size of what is on each canvas.
        localizer: None, the built-in one; `"global"`, one trainable box for all images; or a Keras layer or model
            that returns 2, 3 or 4 numbers in `[0, 1]` for each image, as `size` asks: x and y of the place, in the
            room that the box leaves (0 touches the left or top edge, 1 the right or bottom), then the side, or the
            width and height, between their bounds. Numbers beyond count as 0 or 1, with a warning when values are
            first known, and have no gradient: end it with a sigmoid. Or a Keras layer with a method `candidates()`,
            which may also explore in training, and have losses: see `kerascrop.localizers`.
        antialias: average all pixels of a box that is larger than the crop.
        snap: at inference, move a `"fixed"` box to whole pixels, so that the crop is an exact slice.
        crops: how many crops of each image. Several are at places that do not coincide, the highest peaks of the
            localizer's map, with weights that `CropPool` takes: so labels alone can teach the map which of them help.
        view: how large a copy of the image the built-in localizer looks at, in pixels along the longer side, at least
            4; smaller images are seen as they are. In a copy of twice the side, things half as large are found, for
            four times the time.
        seed: a whole number, for the same exploration in every training; None draws one.
        data_format: `"channels_last"` or `"channels_first"`; None takes Keras's setting.
        return_boxes: also return the boxes that are cut, in pixels of the input.
        box_format, min_visible, pass_through: for what goes with the images, as in `CenterCrop`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        SizeError: a size is not a positive whole number; `min_size` is above `max_size`; the images, or the canvas of
            `resize=False`, are smaller than a box.
        ShapeError: the input is not a batch of images, or a localizer returns more or fewer numbers than `size` needs.
        ArgumentError: an unknown `size` or `localizer`.
    """

    input_names = ("images", "features")
    takes_several_sizes = False  # its losses are of a whole batch
    traces_sizes = False
    BEYOND = 1.2  # how far sizes may leave their bounds in training, where a localizer explores: a factor

    def __init__(
        self,
        height: int,
        width: int,
        size: str = "fixed",
        min_size: float | None = None,
        max_size: float | None = None,
        resize: bool = True,
        localizer: keras.layers.Layer | str | None = None,
        antialias: bool = True,
        snap: bool = False,
        crops: int = 1,
        view: int = 256,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Unpack[CropOptions],
    ):
        super().__init__(height, width, antialias=antialias, data_format=data_format, **kwargs)
        self.size = checks.check_choice(size, "size", tuple(SIZES))
        self.min_size = checks.check_side(min_size, "min_size")
        self.max_size = checks.check_side(max_size, "max_size")
        self.resize = checks.check_flag(resize, "resize")
        self.snap = checks.check_flag(snap, "snap")
        self.crops = checks.check_count(crops, "crops")
        self.gives_weights = self.crops > 1
        self.view = checks.check_size(view, "view")
        self.seed = checks.check_seed(seed)
        self.given_localizer = localizer
        policy = {"name": "localizer", "dtype": self.dtype_policy}
        if localizer is None:
            self.localizer = MapLocalizer(None, self.view, self.seed, **policy)
        elif isinstance(localizer, keras.layers.Layer):
            self.localizer = localizer
        elif isinstance(localizer, str) and localizer == "global":
            self.localizer = GlobalLocalizer(2 + SIZES[size], **policy)
        else:
            raise checks.ArgumentError(
                f"`localizer` must be None, 'global' or a Keras layer, not {checks.shown(localizer)}."
            )
        if isinstance(self.localizer, MapLocalizer):
            self.localizer.serve(SIZES[size], self.crops)
        # A localizer without `candidates()` returns numbers.
        self.adapter = None if hasattr(self.localizer, "candidates") else Adapter(self.localizer, size, self.name)
        if self.adapter and self.crops > 1:
            raise checks.ArgumentError(
                f"A localizer that returns one box cannot give `crops`={self.crops}: use the built-in one, or a layer "
                "with a method `candidates()`."
            )

    def build(self, input_shape):
        _, shapes = self._batched(self._named(input_shape))
        self._crops_shape(shapes)
        height, width = self.lengths(shapes["images"])
        channels = shapes["images"][axes.channels_axis(self.rank, self.data_format)]
        seen = (None, *(shapes.get("features") or (None, height, width, channels))[1:])
        if self.adapter:
            self.adapter.build(seen, self.compute_dtype)
            return
        if type(self.localizer).build not in (keras.layers.Layer.build, keras.Model.build):
            self.localizer.build(seen)
        if any(not layer.built for layer in self.localizer._flatten_layers()):
            # What it makes when it is first asked has to be there before training: it is asked about zeros.
            side = math.ceil(max(self.height, self.width, self.min_size or 0, self.max_size or 0))
            zeros = ops.zeros([1, *(length or side for length in seen[1:])], self.compute_dtype)
            self.localizer.candidates(zeros, self._bounds(height or side, width or side), False)
            self.localizer.built = True

    def _asked(self, data):
        """What a localizer is asked: the images, channels last, and their bounds."""
        images = self.still(data)
        _, height, width, _ = ops.shape(images)
        if not (isinstance(height, int) and isinstance(width, int)):
            height, width = self._checked_late(height, width)
        return images, self._bounds(height, width)

    def choose(self, data, training):
        images, bounds = self._asked(data)
        size, crop = (self.height, self.width), Samples if self.resize else OnCanvas
        if images.shape[0] == 0:  # Keras's convolutions fail for empty batches
            return crop(ops.zeros((0, *self._several, 4), "float32"), size, self.how)
        if not (isinstance(self.localizer, MapLocalizer) and "int" in keras.backend.standardize_dtype(images.dtype)):
            images = ops.cast(images, self.compute_dtype)  # the map takes whole numbers: a copy would cost more than it
        seen = data["features"] if "features" in data else images
        found = (self.adapter or self.localizer).candidates(seen, bounds, training)
        self._check_candidates(found)
        for loss in found.losses:
            self.add_loss(loss)
        beyond = self.BEYOND if training else 1.0
        largest = bounds.largest * beyond
        if not self.resize:
            largest = ops.minimum(largest, ops.convert_to_tensor([self.width, self.height], "float32"))
        sizes = ops.clip(found.boxes[..., 2:], bounds.smallest / beyond, largest)
        boxes = geometry.boxes_around(found.boxes[..., :2], sizes, bounds.images)
        if self.snap and self.size == "fixed" and not training:
            corner = ops.round(boxes[..., :2])
            boxes = ops.concatenate([corner, corner + bounds.largest], axis=-1)
        if self.crops > 1:
            choice = crop(boxes, size, self.how)
        elif found.weights is None and found.judged is None:
            choice = crop(boxes[:, 0], size, self.how)
        else:
            weights = ops.ones_like(boxes[..., 0]) if found.weights is None else found.weights
            choice = Blend(crop(boxes, size, self.how), weights, found.judged)
        choice.missed, choice.weights_of_crops = found.missed, found.weights
        choice.as_graph = not training
        return choice

    @property
    def _several(self):
        return (self.crops,) if self.crops > 1 else ()

    def lead(self, shapes):
        return (*super().lead(shapes), *self._several)

    def weights_of(self, choice):
        if self.crops == 1:
            return None
        weights = choice.weights_of_crops
        return ops.zeros((0, self.crops), "float32") if weights is None else ops.cast(weights, "float32")

    def still(self, data):
        """The images that a box is found in, `(batch, height, width, channels)`: of a clip the mean of its frames."""
        images = self.pixels(data)
        if len(images.shape) > self.rank + 2:
            images = ops.mean(ops.cast(images, dtypes.sum_dtype(self.compute_dtype)), axis=1)
        return images

    def seen(self, data):
        """The images that a box is found in, as floats."""
        return ops.cast(self.still(data), self.compute_dtype)

    def _bounds(self, height, width):
        low, high = self.bounds(height, width)
        pixels = geometry.stack_numbers((*low, *high, width, height), "float32")
        return Bounds(*ops.unstack(ops.reshape(pixels, (3, 2)), 3, axis=0))

    def _check_candidates(self, found):
        """Stop unless a localizer answered with `Candidates` that fit each other."""
        caller = f"`candidates()` of {type(self.localizer).__name__}"
        if not isinstance(found, Candidates):
            raise checks.ArgumentError(
                f"{caller} must return `kerascrop.localizers.Candidates`, not an object of type {type(found).__name__}."
            )
        boxes = tuple(found.boxes.shape)
        if len(boxes) != 3 or boxes[2] != 4:
            raise checks.BoxError(f"{caller} must give boxes of shape (batch, candidates, 4), not {boxes}.")
        if self.crops > 1 and (boxes[1] != self.crops or found.weights is None):
            raise checks.ArgumentError(
                f"{caller} must give {self.crops} boxes for each image and their `weights`, as `crops` says, not "
                f"{boxes[1]}{' without weights' if found.weights is None else ''}."
            )
        if found.weights is None and boxes[1] != 1:
            raise checks.ArgumentError(f"{caller} gives {boxes[1]} boxes for each image, but no `weights` of them.")
        if found.weights is not None and len(found.weights.shape) != 2 or not isinstance(found.losses, (tuple, list)):
            raise checks.ArgumentError(f"{caller} must give `weights` (batch, candidates), and `losses` as a tuple.")

    def finish(self, choice, crops, boxes):
        if boxes is not None and choice.missed is not None:
            notes.write(boxes, choice.missed)
        if isinstance(choice, Blend) and choice.losses is not None:
            crops, losses = weighed_by_gradient(crops, choice.losses)
            self.add_loss(ops.mean(losses))
        return crops

    def locate(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """The boxes of a batch of images, as at inference: `(batch, 4)`, `x1, y1, x2, y2` in pixels."""
        return self.choose(self._built_for(images, features), training=False).boxes

    def doubt(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """How unsure the boxes of a batch of images are, as at inference: `(batch,)`, from 0 to 1.

        It is what the place that is next best holds of the localizer's map, beside the place that is taken: 1 where
        that would have done as well. Where it is large, a true box teaches most: see `propose_boxes()`. A localizer of
        your own may have a method `doubt(seen, bounds)`; without one this is NaN.
        """
        data = self._built_for(images, features)
        images, bounds = self._asked(data)
        if not hasattr(self.localizer, "doubt"):
            return ops.full((ops.shape(images)[0],), math.nan, "float32")
        if not isinstance(self.localizer, MapLocalizer):
            images = ops.cast(images, self.compute_dtype)
        return self.localizer.doubt(data.get("features", images), bounds)

    def _built_for(self, images, features):
        data = {"images": ops.convert_to_tensor(images)} | ({} if features is None else {"features": features})
        if not self.built:
            self.build({name: tuple(part.shape) for name, part in data.items()})
        return data

    def bounds(self, height: float, width: float) -> tuple[tuple, tuple]:
        """The smallest and the largest box, each `(width, height)` in pixels.

        Raises:
            SizeError: the smallest is larger than the largest, or the largest does not fit into the image.
        """
        if self.size == "fixed":
            low = high = (self.width, self.height)
        elif self.size == "square":
            output = max(self.height, self.width) if self.resize else min(self.height, self.width)
            low, high = self._range(output, _least(height, width))
            low, high = (low, low), (high, high)
        else:
            low, high = zip(self._range(self.width, width), self._range(self.height, height))
        if not isinstance(width, (int, float)):  # all else was checked before there was a graph
            return low, high
        canvas = (self.width, self.height)
        for smallest, largest, side, most, name in zip(low, high, (width, height), canvas, ("width", "height")):
            images = f"images of {name} {side}" if side < math.inf else "any images"
            if largest < smallest < math.inf:
                raise checks.SizeError(
                    f"`min_size` must be at most `max_size`, but in {images} they are "
                    f"{smallest:g} and {largest:g} pixels."
                )
            if largest > side:
                raise checks.SizeError(
                    f"`{self.name}` cannot cut {name} {largest:g} out of {images}. "
                    f"Use a smaller `{name if self.size == 'fixed' else 'max_size'}`, or larger images."
                )
            if most < largest and not self.resize:
                raise checks.SizeError(
                    f"`{self.name}` cannot put crops of {name} {largest:g} on a canvas of {name} {most}. "
                    f"Use a smaller `max_size`, a larger `{name}`, or `resize=True`."
                )
        return low, high

    def crop_size(self, shapes):
        if "features" in shapes and self.given_localizer is None:
            raise checks.ArgumentError(
                f"`{self.name}` takes images; a list of images and features goes with a `localizer` of your own."
            )
        lengths = self.lengths(shapes["images"])
        smallest, _ = self.bounds(*(math.inf if length is None else length for length in lengths))
        if self.crops > 1 and None not in lengths:
            places = math.prod(int(length // side) for length, side in zip(lengths, reversed(smallest)))
            if self.crops > places:
                raise checks.SizeError(
                    f"`{self.name}` cannot find {self.crops} places that do not coincide in images of {lengths[0]} x "
                    f"{lengths[1]} pixels, with boxes of {smallest[1]:g} x {smallest[0]:g}: "
                    f"use at most {places} `crops`, or smaller boxes."
                )
        return super().crop_size(shapes)

    def get_config(self):
        given = self.given_localizer
        is_layer = isinstance(given, keras.layers.Layer)
        return {**super().get_config(), "localizer": keras.saving.serialize_keras_object(given) if is_layer else given}

    @classmethod
    def from_config(cls, config):
        if isinstance(config["localizer"], dict):
            config = {**config, "localizer": keras.saving.deserialize_keras_object(config["localizer"])}
        return super().from_config(config)

    def _range(self, output, side):
        """The bounds of one side, in pixels, for a crop of `output` pixels and an image `side`, a number or a tensor.

        A `side` that is not known yet is infinite.
        """
        pixels = side if isinstance(side, (int, float)) else ops.cast(side, "float32")
        high = self.max_size if (self.max_size or 0) > 1 else (self.max_size or 1) * pixels
        low = output / 2
        if self.min_size is not None:
            low = self.min_size if self.min_size > 1 else self.min_size * pixels
        if not self.resize and (self.max_size is None or self.max_size <= 1 and not isinstance(side, int)):
            high = _least(high, output)
        # A lower bound above the upper one is an error if both are known.
        is_error = self.min_size is not None and all(isinstance(n, (int, float)) and n < math.inf for n in (low, high))
        return low if is_error else _least(low, high), high

    def _checked_late(self, *lengths):
        """Height and width of images, with a check in the graph that a box fits into them."""
        names = axes.AXIS_NAMES[self.rank]
        if self.size == "fixed":
            return windows.check_fits(lengths, (self.height, self.width), names, self.name)
        largest, remedy = math.ceil(max(self.min_size or 1, self.max_size or 1)), "`max_size`, or larger images"
        return windows.check_fits(lengths, (largest, largest), names, self.name, remedy)


def weighed_by_gradient(crops, losses):
    """Scale each image's loss by how small its crop's gradient is.

    Crops `(batch, ...)` and losses `(batch,)` are returned unchanged, but a loss's own gradient is multiplied by
    `1 / (1 + r^2)`, where r is the norm of its crop's gradient, divided by the batch's mean norm: a crop that shows
    what the network that follows needs has a small gradient. So losses teach most where the crops are good, which no
    localizer can know.
    """

    @ops.custom_gradient
    def unchanged(both):
        def gradient(*inputs, upstream=None):
            upstream = inputs[-1] if upstream is None else upstream  # Keras passes it by name under PyTorch only
            lengths = ops.sqrt(ops.sum(ops.square(upstream[:, :-1]), axis=1, keepdims=True))
            typical = ops.mean(lengths)
            ratios = lengths / ops.where(typical > 0, typical, 1.0)
            return ops.concatenate([upstream[:, :-1], upstream[:, -1:] / (1 + ops.square(ratios))], axis=1)

        return both + 0, gradient

    # Joined into one tensor, since PyTorch's custom gradients take only one.
    flat = ops.reshape(ops.cast(crops, "float32"), (ops.shape(crops)[0], -1))
    both = unchanged(ops.concatenate([flat, losses[:, None]], axis=1))
    return ops.cast(ops.reshape(both[:, :-1], ops.shape(crops)), crops.dtype), both[:, -1]


def _least(first, second):
    """The smaller of two numbers, or tensors."""
    if isinstance(first, (int, float)) and isinstance(second, (int, float)):
        return min(first, second)
    return ops.minimum(ops.cast(first, "float32"), ops.cast(second, "float32"))
