"""Choose, then apply: what all crop layers share.

A crop is a box. A layer chooses one box (or several) for each image; whole-pixel boxes are cut out by
`windows.cut()`, all others are resampled by `sampling.sample()`. What goes with the images, their masks, bounding
boxes and key points, is cropped by the same boxes: see `joint`.
"""

import math

import keras
from keras import ops

from kerascrop import axes, checks, sampling, windows
from kerascrop import boxes as geometry
from kerascrop.layers import joint
from kerascrop.layers.describe import describe


class Crop(keras.layers.Layer):
    """Base of all layers that crop images.

    A subclass chooses, `choose()`, and applies, `apply()`; both see batches only.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; None takes `keras.config.image_data_format()`.
        return_boxes: return `(crops, boxes)`, the boxes in float32, `x1, y1, x2, y2` in pixels of the input.
        box_format: the format of bounding boxes that go with the images: see `kerascrop.convert_boxes()`.
        min_visible: drop bounding boxes of which less than this fraction is inside of the crop: their label becomes
            -1, their sides 0. Boxes of which nothing is left are always dropped.
        **kwargs: arguments of `keras.layers.Layer`, such as `name` and `dtype`.
    """

    rank = 2
    takes_clips = False
    native = False  # whether crops are as large as their boxes, in the corner of a canvas
    parts = joint.PARTS  # what of the inputs is cropped with the images, or belongs to single images

    def __init__(self, *, data_format=None, return_boxes=False, box_format="xyxy", min_visible=0.0, **kwargs):
        # Whole pixels are never cast, and boxes stay float32 when images are float16.
        with checks.keras_arguments():
            super().__init__(autocast=False, **kwargs)
        self.data_format = checks.check_data_format(data_format)
        self.return_boxes = checks.check_flag(return_boxes, "return_boxes")
        self.box_format = geometry.check_box_format(box_format)
        self.min_visible = checks.check_fraction(min_visible, "min_visible")

    def choose(self, data, training):
        """What is cut out of a batch, in a form that `apply()` and `boxes()` understand."""
        raise NotImplementedError

    def boxes(self, choice):
        """Its boxes, `(batch, 4)` or `(batch, crops, 4)`, `x1, y1, x2, y2` in pixels of the input."""
        raise NotImplementedError

    def apply(self, choice, images, is_mask=False):
        """Cut it out of the images, or of masks of the same size."""
        raise NotImplementedError

    def crop_lengths(self, choice):
        """The crops' size in pixels, along each axis."""
        raise NotImplementedError

    def lead(self, shapes):
        """The crops' first axes: the batch, and perhaps the number of crops of each image."""
        return tuple(shapes["images"][:1]) if self._is_batched(shapes["images"]) else ()

    def crops_shape(self, images_shape):
        """The shape of one crop of each image."""
        raise NotImplementedError

    def call(self, inputs, training=None):
        data = self.named(inputs)
        data = {**data, **keras.tree.map_structure(ops.convert_to_tensor, self._parts(data))}
        self.check_shapes(_shape(data))
        batched = self._is_batched(data["images"].shape)
        if not batched:
            data = {**data, **keras.tree.map_structure(lambda x: x[None], self._parts(data))}
        choice = self.choose(data, self._is_training(training))
        crops = {**data, "images": self.apply(choice, data["images"])}
        boxes = None
        if self.return_boxes or isinstance(inputs, dict):
            boxes = ops.cast(self.boxes(choice), "float32")
            crops |= self._crop_companions(data, choice, boxes)
        if not batched:
            crops = {**crops, **keras.tree.map_structure(lambda x: x[0], self._parts(crops))}
            boxes = boxes if boxes is None else boxes[0]
        return self.outputs(inputs, crops, boxes)

    def _crop_companions(self, data, choice, boxes):
        """What goes with the images, cropped by the same boxes."""
        images, crops = data["images"], {}
        views = len(boxes.shape) == 3
        extents = [tuple(reversed(lengths)) for lengths in (self.lengths(ops.shape(images)), self.crop_lengths(choice))]
        if "segmentation_masks" in data:
            crops["segmentation_masks"] = joint.crop_masks(
                data["segmentation_masks"], images, self.rank, self.data_format,
                lambda masks: self.apply(choice, masks, is_mask=True),
            )
        if "bounding_boxes" in data:
            crops["bounding_boxes"] = joint.crop_boxes(
                data["bounding_boxes"], boxes, self.box_format, extents, self.min_visible, views, self.native
            )
        if "keypoints" in data:
            crops["keypoints"] = joint.crop_points(
                data["keypoints"], boxes, self.rank, None if self.native else extents[1], views
            )
        return crops

    def named(self, inputs):
        """The inputs, or their shapes, as a dict: `images` and what goes with them."""
        return joint.check_keys(inputs, self.name, self.parts) if isinstance(inputs, dict) else {"images": inputs}

    def check_shapes(self, shapes):
        """Stop unless the shapes of a dict of inputs fit this layer, and each other."""
        checks.check_images_shape(shapes["images"], self.rank, self.name, clips=self.takes_clips)
        joint.check_shapes(shapes, self.rank, self.data_format, self.name)

    def _parts(self, data):
        """What of the inputs has an axis for the batch."""
        return {key: data[key] for key in self.parts if key in data}

    def _is_batched(self, images_shape):
        return len(images_shape) > self.rank + 1

    def outputs(self, inputs, crops, boxes):
        """What `call()`, `compute_output_shape()` and `compute_output_spec()` return for inputs of this form."""
        crops = crops if isinstance(inputs, dict) else crops["images"]
        return (crops, boxes) if self.return_boxes else crops

    @property
    def axis_names(self):
        return axes.AXIS_NAMES[self.rank]

    def lengths(self, shape):
        """The spatial lengths in a shape of images."""
        return axes.spatial_shape(shape, self.rank, self.data_format)

    def compute_output_shape(self, input_shape):
        shapes = self.named(input_shape)
        self.check_shapes(shapes)
        crops, boxes = self._output_shapes(shapes)
        return self.outputs(input_shape, crops, boxes)

    def compute_output_spec(self, inputs, training=None):
        data = self.named(inputs)
        shapes = _shape(data)
        self.check_shapes(shapes)
        shapes, boxes = self._output_shapes(shapes)
        dtypes = joint.dtypes(self._parts(data))
        dtypes["images"] = self.crops_dtype(dtypes["images"])
        spec = {key: keras.tree.map_structure_up_to(dtypes[key], _tensor, dtypes[key], shapes[key]) for key in dtypes}
        crops = {**data, **spec}
        return self.outputs(inputs, crops, keras.KerasTensor(boxes, "float32"))

    def crops_dtype(self, images_dtype):
        """The type of the crops of images of a type."""
        return images_dtype

    def _output_shapes(self, shapes):
        """The shapes of all outputs, as a dict, and of the boxes."""
        images = tuple(shapes["images"])
        lead, one = self.lead(shapes), self.crops_shape(images)

        def seen(shape):  # of what is there for each crop
            return (*lead, *shape[int(self._is_batched(images)) :])

        crops = {**shapes, "images": checks.check_memory(seen(one), self.name)}
        if "segmentation_masks" in shapes:
            masks, lengths = shapes["segmentation_masks"], self.lengths(one)
            has_channels = len(masks) == len(images)
            masks = self._replace(masks, lengths) if has_channels else (*masks[: -self.rank], *lengths)
            crops["segmentation_masks"] = seen(masks)
        if "bounding_boxes" in shapes:
            crops["bounding_boxes"] = {name: seen(part) for name, part in shapes["bounding_boxes"].items()}
        if "keypoints" in shapes:
            crops["keypoints"] = seen(shapes["keypoints"])
        return crops, (*lead, 2 * self.rank)

    def _replace(self, shape, lengths):
        return axes.replace_lengths(shape, self.rank, self.data_format, lengths)

    def _is_training(self, training):
        """Whether this is training: as the caller says, or else PyTorch's `train()` and `eval()`.

        Those count for what PyTorch calls itself. Keras's models also call them, in `fit()` and `predict()`, and leave
        them as they are; what a Keras model calls goes by Keras's rules alone.
        """
        if training is None and self._get_call_context().entry_layer is self:
            return getattr(self, "mode", None)
        return training

    __repr__ = describe

    if keras.backend.backend() == "torch":

        def train(self, mode=True):
            self.mode = mode
            return super().train(mode)

    def get_config(self):
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "return_boxes": self.return_boxes,
            "box_format": self.box_format,
            "min_visible": self.min_visible,
        }


def _shape(value):
    if isinstance(value, dict):
        return {key: _shape(part) for key, part in value.items()}
    return tuple(getattr(value, "shape", ()))


def _tensor(dtype, shape):
    return keras.KerasTensor(shape, dtype)


class WindowCrop(Crop):
    """Base of the layers that cut whole pixels, `(batch, height, width, channels)` or one image.

    A subclass fits images and windows to each other, `fit()`, and says where the windows start, `starts()`.
    A clip `(batch, time, height, width, channels)` is cropped as one image with more channels would be.
    """

    takes_clips = True
    fill_value = 0

    def fit(self, lengths):
        """A `windows.Fit`, for lengths that are integers, scalar tensors, or None in `compute_output_shape()`."""
        raise NotImplementedError

    def starts(self, fit, data, training):
        """The windows' first pixels along each axis: integers, scalar tensors, or `(batch,)`."""
        raise NotImplementedError

    def choose(self, data, training):
        shape = ops.shape(data["images"])
        fit = self._fit(shape)
        checks.check_memory(self._replace(shape, fit.sizes), self.name)
        starts = self.starts(fit, data, training)
        return fit, starts, shape[0]

    def apply(self, choice, images, is_mask=False):
        fit, starts, _ = choice
        spatial = axes.spatial_axes(self.rank, self.data_format)
        padded = windows.pad(images, spatial, fit.added, 0 if is_mask else self.fill_value)
        if isinstance(fit.scale, int):
            return self.cut(padded, starts, fit.sizes)
        boxes = self.boxes(choice)
        if isinstance(fit.scale, float):
            return self.enlarge(images, boxes, fit.sizes, is_mask)

        def cut():
            # XLA compiles what it will not run: the slice has to be possible even where the image is too small for it.
            lengths = self.lengths(ops.shape(images))
            lacking = windows.fit(lengths, fit.sizes, "pad", self.axis_names, self.name).added
            whole = keras.tree.map_structure(lambda start: ops.cast(start, "int32"), starts)
            return self.cut(windows.pad(images, spatial, lacking, 0), whole, fit.sizes)

        return ops.cond(fit.scale > 1, lambda: self.enlarge(images, boxes, fit.sizes, is_mask), cut)

    def boxes(self, choice):
        fit, starts, batch = choice
        return windows.window_boxes(starts, fit, batch)

    def cut(self, images, starts, sizes):
        return windows.cut(images, axes.spatial_axes(self.rank, self.data_format), starts, sizes)

    def enlarge(self, images, boxes, sizes, is_mask):
        """Crops of images that are too small, enlarged; their dtype stays: integers are rounded."""
        dtype = keras.backend.standardize_dtype(images.dtype)
        nearest = is_mask or dtype == "bool"
        spatial = [axis % len(images.shape) for axis in axes.spatial_axes(self.rank, self.data_format)]
        others = [axis for axis in range(1, len(images.shape)) if axis not in spatial]
        # What is neither batch nor space, time and channels, is sampled together.
        order = (0, *spatial, *others)
        shape = ops.shape(images)
        together = (*(shape[axis] for axis in spatial), math.prod(shape[axis] for axis in others))
        moved = ops.reshape(ops.transpose(images, order), (-1, *together))
        interpolation = "nearest" if nearest else "bilinear"
        crops = sampling.sample(moved, boxes, sizes, fill_mode="nearest", interpolation=interpolation)
        if not nearest:
            crops = ops.cast(ops.round(crops) if "int" in dtype else crops, dtype)
        views = len(boxes.shape) - 2
        crops = ops.reshape(crops, (*ops.shape(crops)[:-1], *(shape[axis] for axis in others)))
        back = sorted(range(len(order)), key=order.__getitem__)
        return ops.transpose(crops, (0, *range(1, 1 + views), *(axis + views for axis in back[1:])))

    def crop_lengths(self, choice):
        return choice[0].sizes

    def crops_shape(self, images_shape):
        return self._replace(images_shape, self._fit(images_shape).sizes)

    def _fit(self, shape):
        """`fit()` for a shape of images; where they are too small, says whether the other data format would do."""
        try:
            return self.fit(self.lengths(shape))
        except checks.SizeError as error:
            other = ({"channels_last", "channels_first"} - {self.data_format}).pop()
            channels = shape[axes.channels_axis(self.rank, other)]
            try:
                self.fit(axes.spatial_shape(shape, self.rank, other))
            except checks.SizeError:
                raise error from None
            if channels not in (1, 2, 3, 4):
                raise
            raise checks.SizeError(
                f"{error} If {tuple(shape)} are images of {channels} channels, use `data_format={other!r}`."
            ) from None


class SizedCrop(WindowCrop):
    """Base of the layers whose windows have a size that is given, in any number of dimensions.

    Args:
        sizes: of the windows, in pixels, along each axis.
        if_smaller, fill_value: see `CenterCrop`.
        **kwargs: see `kerascrop.layers.base.Crop`.
    """

    def __init__(self, sizes, if_smaller="error", fill_value=0, **kwargs):
        super().__init__(**kwargs)
        for name, size in zip(self.axis_names, checks.check_sizes(sizes, self.axis_names)):
            setattr(self, name, size)
        self.if_smaller = checks.check_choice(if_smaller, "if_smaller", windows.IF_SMALLER)
        self.fill_value = checks.check_number(fill_value, "fill_value")

    @property
    def sizes(self):
        return tuple(getattr(self, name) for name in self.axis_names)

    def fit(self, lengths):
        return windows.fit(lengths, self.sizes, self.if_smaller, self.axis_names, self.name)

    def starts(self, fit, data, training):
        return windows.center_starts(fit)

    def get_config(self):
        sizes = dict(zip(self.axis_names, self.sizes))
        return {**super().get_config(), **sizes, "if_smaller": self.if_smaller, "fill_value": self.fill_value}


class SampledCrop(Crop):
    """Base of the layers whose boxes have real-valued sides: every crop is resampled to one size.

    What a subclass chooses is boxes.

    Args:
        height, width: size of the crops, in pixels.
        antialias: see `kerascrop.sampling.sample()`.
        **kwargs: see `Crop`.
    """

    def __init__(self, height, width, *, antialias=False, **kwargs):
        super().__init__(**kwargs)
        self.height = checks.check_size(height, "height")
        self.width = checks.check_size(width, "width")
        self.antialias = checks.check_flag(antialias, "antialias")

    def apply(self, choice, images, is_mask=False):
        crops = self.sample(self.to_channels_last(images if is_mask else self.to_floats(images)), choice, is_mask)
        order = axes.from_channels_last(len(crops.shape), self.rank, self.data_format)
        return ops.transpose(crops, order) if order else crops

    def boxes(self, choice):
        return choice

    def sample(self, images, choice, is_mask):
        """Crops with the channels last of images with the channels last."""
        how = {"interpolation": "nearest"} if is_mask else {"antialias": self.antialias}
        return sampling.sample(images, choice, (self.height, self.width), **how)

    def to_floats(self, images):
        return ops.cast(images, self.compute_dtype)

    def to_channels_last(self, images):
        order = axes.to_channels_last(len(images.shape), self.rank, self.data_format)
        return ops.transpose(images, order) if order else images

    def crop_lengths(self, choice):
        return self.height, self.width

    def crops_shape(self, images_shape):
        return self._replace(images_shape, (self.height, self.width))

    def crops_dtype(self, images_dtype):
        return self.compute_dtype

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width, "antialias": self.antialias}
