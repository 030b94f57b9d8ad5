"""The base classes of the layers of images, and what all crop layers share.

A crop is a box. A layer chooses one box (or several) for each image; its choice, `engine.Windows` for whole pixels or
`engine.Samples` for all others, cuts them out of the images. Masks, bounding boxes and key points that go with the
images are cropped by the same choice: see `joint`.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerascrop import axes, checks, geometry
from kerascrop.engine import sampling
from kerascrop.engine.choices import Choice
from kerascrop.engine.samples import Samples
from kerascrop.hints import CropOptions, LayerOptions, Names, Tensor, Unpack
from kerascrop.layers import exporting, in_tensorflow, joint, promises, ragged
from kerascrop.layers.layer import Layer


class ImageLayer(Layer):
    """Base of the layers of images: where the channels are, and the spatial lengths.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; None takes `keras.config.image_data_format()`.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.
    """

    rank = 2  #: spatial axes of the images

    def __init__(self, *, data_format: str | None = None, **kwargs: Unpack[LayerOptions]):
        super().__init__(**kwargs)
        self.data_format = checks.check_data_format(data_format)

    def lengths(self, shape: Sequence) -> tuple:
        """The spatial lengths in a shape of images."""
        return tuple(shape[axis] for axis in axes.spatial_axes(self.rank, self.data_format))

    def with_lengths(self, shape: Sequence, lengths: Sequence) -> tuple:
        """The same shape with other spatial lengths."""
        shape = list(shape)
        for axis, length in zip(axes.spatial_axes(self.rank, self.data_format), lengths):
            shape[axis] = length
        return tuple(shape)


class Crop(ImageLayer):
    """Base of all layers that crop images, including those that users write.

    A subclass defines `choose()`, which returns `kerascrop.Windows` or `kerascrop.Samples`, and `crop_size()`, how
    large the crops are, unless that is `self.height` by `self.width`. This class does the rest: batches and single
    images, both data formats, sizes that are known only when a graph runs, masks, bounding boxes and key points (see
    `CenterCrop`), `return_boxes`, and checks of what is chosen. A layer that keeps its arguments under their names,
    `self.height` for `height`, can be saved and printed without further code; register the class with Keras.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; None takes `keras.config.image_data_format()`.
        return_boxes: return `(crops, boxes)`, the boxes in float32, `x1, y1, x2, y2` in pixels of the input.
        box_format: the format of bounding boxes that go with the images: see `kerascrop.convert_boxes()`.
        min_visible: drop bounding boxes of which less than this fraction is inside the crop: their label becomes -1,
            their sides 0. Boxes of which nothing is left are always dropped.
        pass_through: keys of a dict of inputs, `"parent/key"` for one in a dict in it, that are to pass uncropped
            although they look like boxes, masks or key points.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Example:

    >>> @keras.saving.register_keras_serializable("mine")
    ... class BrightCrop(kerascrop.Crop):
    ...     def __init__(self, height, width, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.height, self.width = height, width
    ...
    ...     def choose(self, data: dict, training: bool) -> Choice:  # the smallest box around all that is bright
    ...         boxes = kerascrop.boxes_from_masks(ops.mean(self.pixels(data), axis=-1) > 0.9)
    ...         return kerascrop.Samples(boxes, (self.height, self.width))
    ...
    >>> BrightCrop(2, 3)(np.ones((5, 9, 12, 1))).shape
    (5, 2, 3, 1)
    """

    takes_clips = True  #: whether images may be clips, `(batch, time, height, width, channels)`
    keeps_dtype = True  #: whether crops have the images' dtype; otherwise both are of the layer's compute dtype
    listeners = ()  #: functions that are called with the batch and the choice of every call
    traces_sizes = True  #: whether `torch.jit.trace()` and JAX can leave the size of images open
    takes_several_sizes = True  #: whether the images of a batch may differ in size; each is then cropped by itself
    allows_nan = False  #: whether boxes may be NaN, for crops of NaNs; otherwise an error, if their values are known

    def __init__(
        self,
        *,
        data_format: str | None = None,
        return_boxes: bool = False,
        box_format: str = "xyxy",
        min_visible: float = 0.0,
        pass_through: Names = (),
        **kwargs: Unpack[LayerOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.return_boxes = checks.check_flag(return_boxes, "return_boxes")
        self.box_format = geometry.check_box_format(box_format)
        self.min_visible = checks.check_fraction(min_visible, "min_visible")
        self.pass_through = checks.check_names(pass_through, "pass_through")

    def choose(self, data: dict, training: bool) -> Choice:
        """Choose what is cut out of a batch.

        Args:
            data: a dict of the tensors that the layer was called with, all with a batch axis: `images`, and perhaps
                `segmentation_masks`, `bounding_boxes`, `keypoints` and others. `self.pixels(data)` are the
                images with the channels last, whatever the layer's data format is, and `self.lengths(shape)` the
                height and width in a shape of images.
            training: True or False.

        Returns:
            `kerascrop.Windows`, for whole pixels that keep their type, or `kerascrop.Samples`, for real-valued boxes.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` needs a method `choose(data, training)`: see `kerascrop.Crop`."
        )

    def crop_size(self, shapes: dict) -> tuple:
        """The size of the crops, `(height, width)` in pixels, as far as it is known before a graph runs.

        Args:
            shapes: the shapes of what `choose()` gets, with None for lengths that are not known. They can be checked
                here.
        """
        names = axes.AXIS_NAMES[self.rank]
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise NotImplementedError(
                f"`{type(self).__name__}` must say how large its crops are: it needs `self.{missing[0]}`, or a method "
                "`crop_size(shapes)`."
            )
        return tuple(getattr(self, name) for name in names)

    def lead(self, shapes: dict) -> tuple:
        """The leading axes of the crops: the batch, and perhaps the number of crops of each image."""
        return shapes["images"][:1]

    def finish(self, choice: Choice, crops: Tensor, boxes: Tensor | None) -> Tensor:
        """The crops to return for a choice, with or without boxes; a layer can add losses here."""
        return crops

    def weights_of(self, choice: Choice) -> Tensor | None:
        """How much each of several crops counts, `(batch, crops)`: `return_boxes=True` returns it after the boxes."""
        return None

    gives_weights = False  #: whether `weights_of()` gives any

    def pixels(self, data: dict) -> Tensor:
        """The images of a batch with the channels last."""
        images = data["images"]
        order = axes.to_channels_last(len(images.shape), self.rank, self.data_format)
        return ops.transpose(images, order) if order else images

    def __call__(self, inputs: Any, *args, **kwargs) -> Any:
        def crop(images):
            return super(Crop, self).__call__(images, *args, **kwargs)

        if len(self.input_names) == 1 and ragged.are_several_sizes(inputs, self.rank):
            return ragged.crop_list(crop, inputs, self)
        if ragged.are_ragged(inputs):
            return self._on_parts(inputs, lambda parts, spec: ragged.crop_batch(crop, parts, spec, self))
        return crop(inputs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        data = self._named(inputs)
        data |= keras.tree.map_structure(ops.convert_to_tensor, self._parts(data))
        is_single, shapes = self._batched(keras.tree.map_structure(joint.shape_of, data), self.is_in_model())
        if is_single:
            data |= keras.tree.map_structure(lambda x: x[None], self._parts(data))
        training = self.is_training(training)
        exporting.check_sizes(self, self.lengths(shapes["images"]))
        dtype = self._check_dtype(data["images"].dtype)
        lead, size = self._crops_shape(shapes, dtype)
        choice = self.choose(data, training)
        promises.check_choice(choice, (*lead, 2 * self.rank), size, self)
        for listener in self.listeners:
            listener(data, choice)
        images, boxes, weights = data["images"], None, self.weights_of(choice)
        if self.keeps_dtype:
            crops = choice.cut(images, False, self.data_format)
        else:
            crops = choice.cut_as(images, self.compute_dtype, self.data_format)
        if self.return_boxes or isinstance(inputs, dict):
            boxes = ops.cast(choice.boxes, "float32")
            if boxes.shape[0] == 1 and lead[0] != 1:  # the same for all images
                boxes = ops.broadcast_to(boxes, (ops.shape(images)[0], *ops.shape(boxes)[1:]))
        crops = {**data, "images": self.finish(choice, crops, boxes)}
        if isinstance(inputs, dict):
            crops |= joint.crop(data, self.lengths(ops.shape(images)), choice, boxes, self)
        if is_single:
            crops |= keras.tree.map_structure(lambda x: x[0], self._parts(crops))
            boxes, weights = (None if part is None else part[0] for part in (boxes, weights))
        return self._outputs(inputs, crops, boxes, weights)

    @contextlib.contextmanager
    def listening(self, part):
        """A context that records, in a list, the `part(data)` of what reaches the layer, and the boxes that it cuts."""
        heard, before = [], self.listeners
        self.listeners = (*before, lambda data, choice: heard.append((part(data), choice.boxes)))
        try:
            yield heard
        finally:
            self.listeners = before

    def look(self, inputs: Any, training: bool | None = None) -> tuple[Tensor, Tensor]:
        """The images, with a batch axis and the channels last, and the boxes that the layer cuts: `(batch, crops, 4)`.

        Of a clip it is the first image.
        """
        with self.listening(self.pixels) as heard:
            self(inputs, training=training)
        images, boxes = heard[0]
        boxes = boxes if len(boxes.shape) == 3 else boxes[:, None]
        images = images[:, 0] if len(images.shape) > self.rank + 2 else images
        return images, ops.broadcast_to(boxes, (ops.shape(images)[0], *boxes.shape[1:]))

    def compute_output_shape(self, input_shape: Any) -> Any:
        crops, boxes = self._output_shapes(self._named(input_shape))
        return self._outputs(input_shape, crops, boxes, boxes[:-1] if self.gives_weights else None)

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> Any:
        return self._output_spec(inputs, in_model=True)

    def call_in_tensorflow(self, inputs, function, *more):
        def run(parts, spec):
            return in_tensorflow.call(lambda both: function(*both), (parts, *more), spec)

        return self._on_parts(inputs, run)

    def _on_parts(self, inputs, run):
        """What `run(parts, spec)` makes of the parts that are cropped, together with those that pass, as they are."""
        if not isinstance(inputs, dict):
            return run(inputs, self._output_spec(inputs, in_model=False))
        data = self._named(inputs)
        parts = self._parts(data)
        result = run(parts, self._output_spec(parts, in_model=False))
        crops, *told = result if self.return_boxes else (result, None)
        return self._outputs(inputs, {**data, **crops}, *told)

    def _output_spec(self, inputs, in_model):
        data = self._named(inputs)
        dtype = self._check_dtype(data["images"].dtype)
        shapes, boxes = self._output_shapes(keras.tree.map_structure(joint.shape_of, data), dtype, in_model)
        dtypes = {**joint.dtypes(self._parts(data)), "images": dtype}
        spec = {key: keras.tree.map_structure_up_to(dtypes[key], _symbol, dtypes[key], shapes[key]) for key in dtypes}
        weights = keras.KerasTensor(boxes[:-1], "float32") if self.gives_weights else None
        return self._outputs(inputs, {**data, **spec}, keras.KerasTensor(boxes, "float32"), weights)

    def _named(self, inputs):
        """The inputs, or their shapes, as a new dict: `images` and what goes with them."""
        if isinstance(inputs, dict):
            return joint.check_keys(inputs, self)
        # A tuple of numbers is the shape of one input.
        is_list = isinstance(inputs, (list, tuple)) and not isinstance((*inputs, None)[0], (int, type(None)))
        several = is_list and 2 <= len(inputs) <= len(self.input_names)
        return dict(zip(self.input_names, inputs)) if several else {"images": inputs}

    def _parts(self, data):
        """Those of the inputs that have a batch axis."""
        return {key: data[key] for key in (*joint.PARTS, *self.input_names[1:]) if key in data}

    def _batched(self, shapes, in_model=False):
        """Whether shapes are of a single image, and the shapes with a batch axis; stops unless they fit each other."""
        images = shapes["images"]
        checks.check_images_shape(images, self.rank, self.name, self.data_format, self.takes_clips, in_model)
        if len(shapes) > 1:
            joint.check_shapes(shapes, self)
        is_single = len(shapes["images"]) == self.rank + 1
        if is_single:
            shapes = {**shapes, **_map_shapes(lambda shape: (1, *shape), self._parts(shapes))}
        return is_single, shapes

    def _check_dtype(self, dtype):
        """The crops' dtype, for images of this one; only real numbers can be computed with."""
        dtype = keras.backend.standardize_dtype(dtype)
        if self.keeps_dtype:
            return dtype
        checks.check_real(dtype, "images")
        return self.compute_dtype

    def _crops_shape(self, shapes, dtype=None):
        """The leading axes of the crops, and their size."""
        try:
            size = tuple(self.crop_size(shapes))
        except checks.SizeError as error:
            raise promises.with_hint(error, shapes, self) from None
        lead = tuple(self.lead(shapes))
        checks.check_memory((*lead, *self.with_lengths(shapes["images"], size)[1:]), self.name, dtype=dtype)
        return lead, size

    def _output_shapes(self, shapes, dtype=None, in_model=False):
        """The shapes of all outputs, as a dict, and of the boxes."""
        is_single, shapes = self._batched(shapes, in_model)
        lead, size = self._crops_shape(shapes, dtype)
        crops = {**shapes, **joint.crops_shapes(shapes, lead, size, self)}
        boxes = (*lead, 2 * self.rank)
        if is_single:
            crops |= _map_shapes(lambda shape: shape[1:], self._parts(crops))
            boxes = boxes[1:]
        return crops, boxes

    def _outputs(self, inputs, crops, boxes, weights=None):
        """What `call()`, `compute_output_shape()` and `compute_output_spec()` return for inputs of this form."""
        crops = crops if isinstance(inputs, dict) else crops["images"]
        told = (boxes,) if weights is None else (boxes, weights)
        return (crops, *told) if self.return_boxes else crops


class SampledCrop(Crop):
    """Base of the layers whose boxes have real-valued sides: every crop is resampled to one size.

    Args:
        height, width: size of the crops, in pixels.
        antialias: see `kerascrop.sample()`.
        **kwargs: see `Crop`.
    """

    keeps_dtype = False
    allows_nan = True

    def __init__(
        self,
        height: int,
        width: int,
        *,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Unpack[CropOptions],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height = checks.check_size(height, "height")
        self.width = checks.check_size(width, "width")
        self.sample_by(antialias)

    def sample_by(self, antialias, **options):
        """Check options of `kerascrop.sample()`, and keep them under their names, and as a `How`."""
        self.how, self.antialias = sampling.check_how(antialias, **options), bool(antialias)
        for name in options:
            setattr(self, name, getattr(self.how, name))

    def samples(self, boxes, **options):
        """The choice of these boxes, as `Samples`."""
        return Samples(boxes, (self.height, self.width), self.how, **options)


def _map_shapes(function, value):
    """Apply a function to each shape in a dict of shapes, and in nested dicts."""
    if isinstance(value, dict):
        return {key: _map_shapes(function, part) for key, part in value.items()}
    return function(value)


def _symbol(dtype, shape):
    return keras.KerasTensor(shape, dtype)
