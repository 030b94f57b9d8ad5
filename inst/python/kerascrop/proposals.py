"""What a model with a learnable crop says of pictures: where it would crop, how sure it is, what it sees in a box."""

import contextlib
import functools
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerascrop import checks
from kerascrop.backend import tf
from kerascrop.engine import sampling
from kerascrop.engine.samples import OnCanvas, Samples
from kerascrop.hints import Tensor
from kerascrop.pipelines import files
from kerascrop.training import crops_of


def propose_boxes(
    model: keras.Model, images: Sequence | np.ndarray, labels: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Where a model with a learnable crop looks in each of several images, and how unsure it is: what to correct first.

    Args:
        model: a Keras model with one `LearnableCrop`, built, that takes images.
        images: paths of image files, whose pixels become numbers from 0 to 1, or stay those from 0 to 255 if the model
            rescales them itself; or an array `(images, height, width, channels)` of the model's input.
        labels: the names of the classes that the model tells apart, in order, for the boxes' labels; None for none.

    Returns:
        A dict of arrays with a row for each box, as `read_boxes()` has it, which `write_boxes()` and
        `pandas.DataFrame()` take. `file` is the path, or for arrays the image's number, from 0 on, and `doubt` says how
        unsure the model is of the image's boxes, from 0 to 1: see `LearnableCrop.doubt()`.

    Raises:
        ArgumentError: the model has no such layer, or several, or takes something else than images; the images are
            none; or there are not as many labels as classes.

    Example:

    >>> proposals = kerascrop.propose_boxes(model, files)
    >>> worst_first = np.argsort(-proposals["doubt"])
    """
    proposer = Proposer(model)
    paths = isinstance(images, (list, tuple)) and all(isinstance(image, (str, os.PathLike)) for image in images)
    if paths:
        pictures = names = [os.fspath(image) for image in images]
    else:
        pictures = ops.convert_to_numpy(checks.check_tensor(images, "images"))
        if pictures.ndim != 4:
            raise checks.ArgumentError(
                f"`images` must be paths, or an array (images, height, width, channels), not {checks.shown(images)}."
            )
        names = [str(number) for number in range(len(pictures))]
    classes = checks.check_names(labels, "labels")
    rows = []
    for name, picture in zip(names, pictures):
        try:
            boxes, answer, doubt = proposer.doubt(picture)
        except files.Unreadable as problem:
            raise checks.ArgumentError(f"The image {name!r} {problem}.") from None
        if classes and len(classes) != len(answer):
            raise checks.ArgumentError(
                f"`labels` must name each of the model's {len(answer)} classes, not {len(classes)}."
            )
        label = classes[int(np.argmax(answer))] if classes else ""
        rows += [(name, *box, label, *proposer.size, doubt) for box in boxes]
    columns = list(zip(*rows)) or [()] * 9
    types = (str, *["float64"] * 4, str, "int64", "int64", "float64")
    names = ("file", "x1", "y1", "x2", "y2", "label", "height", "width", "doubt")
    return {name: np.array(column, dtype) for name, column, dtype in zip(names, columns, types)}


class Proposer:
    """A model that is asked about one picture at a time.

    Args:
        model: a Keras model with one `LearnableCrop`, built, that takes images.

    Raises:
        ArgumentError: the model has no such layer, or several, or takes something else than images.

    Example:

    >>> proposer = Proposer(model)
    >>> boxes, answer = proposer.show("photo.jpg")
    >>> proposer.judge((10, 20, 74, 84))
    """

    def __init__(self, model: Any):
        if not isinstance(model, keras.Model):
            raise checks.ArgumentError(f"`model` must be a Keras model, not {checks.shown(model)}.")
        layers = crops_of(model)
        if len(layers) != 1:
            names = ", ".join(repr(layer.name) for layer in layers) or "none"
            raise checks.ArgumentError(f"`model` must have one learnable crop, but it has {names}.")
        self.model, self.layer = model, layers[0]
        shape = getattr(model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 4:
            raise checks.ArgumentError(f"`model` must take images, (batch, height, width, channels), not {shape}.")
        self.first = self.layer.data_format == "channels_first"
        self.channels, self.lengths = (shape[1], shape[2:]) if self.first else (shape[3], shape[1:3])
        rescales = any(isinstance(layer, keras.layers.Rescaling) for layer in model._flatten_layers())
        self.scale = 1.0 if rescales else 1 / 255
        self.image, self.size = None, None

    def show(self, picture: str | Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Take a picture, which is resized if the model takes another size.

        Args:
            picture: the path of a file, whose pixels become numbers from 0 to 1, or stay those from 0 to 255 if the
                model rescales them itself; or the model's input, `(height, width, channels)`.

        Returns:
            The boxes that the layer would cut, `(crops, 4)` in pixels of the picture, and the model's answer.
        """
        boxes, answer, _ = self._look(picture)
        self.judge(boxes[0])  # what is made at the first call is made now
        return boxes, answer

    def doubt(self, picture: str | Tensor) -> tuple[np.ndarray, np.ndarray, float]:
        """As `show()`, and how unsure the layer is of the boxes, from 0 to 1: see `LearnableCrop.doubt()`."""
        boxes, answer, data = self._look(picture)
        return boxes, answer, float(ops.convert_to_numpy(self.layer.doubt(data["images"], data.get("features")))[0])

    def _look(self, picture):
        """The boxes, the model's answer, and the data that reached the layer."""
        if isinstance(picture, str):
            picture = files.pixels(picture, self.channels or 3) * np.float32(self.scale)
        image = ops.convert_to_tensor(picture, "float32")
        self.size = tuple(image.shape[:2])
        lengths = tuple(wanted or length for wanted, length in zip(self.lengths, self.size))
        if lengths != self.size:
            image = ops.image.resize(image, lengths, antialias=True, data_format="channels_last")
        self.image = (ops.transpose(image, (2, 0, 1)) if self.first else image)[None]
        with self.layer.listening(dict) as heard:
            answer = self._ask()
        data, boxes = heard[-1]
        return self._boxes(data, boxes), answer, data

    def judge(self, box: Tensor) -> np.ndarray:
        """The model's answer to the picture if the layer cuts `box`, `x1, y1, x2, y2` in the picture's pixels."""
        layer = self.layer

        def choose(data, training):
            boxes = ops.convert_to_tensor(np.reshape(box, (1, 4)) * self._scale(data), "float32")
            if layer.crops > 1:
                boxes = ops.broadcast_to(boxes[:, None], (1, layer.crops, 4))
            choice = (Near if layer.resize else OnCanvas)(boxes, (layer.height, layer.width), layer.how)
            choice.missed = None
            choice.weights_of_crops = ops.ones((1, layer.crops)) / layer.crops if layer.crops > 1 else None
            return choice

        with _with(layer, "choose", choose):
            return self._ask()

    def _ask(self):
        answer = self.model(self.image, training=False)
        answers = [ops.convert_to_numpy(part)[0] for part in keras.tree.flatten(answer)]
        return next((part for part in answers if part.ndim == 1), answers[0]).reshape(-1)

    def _scale(self, data):
        """From the picture's pixels to those that the layer sees: what is before it may have resized them."""
        height, width = self.layer.lengths(data["images"].shape)
        return np.tile([width / self.size[1], height / self.size[0]], 2)

    def _boxes(self, data, boxes):
        return ops.convert_to_numpy(boxes).reshape(-1, 4) / self._scale(data)


class Near(Samples):
    """Samples that look at no more of an image than the boxes need: of a large photograph that is far less."""

    def resample(self, images, how):
        boxes = ops.convert_to_numpy(self.given).reshape(-1, 4)
        lengths = np.array(images.shape[2:0:-1])
        reach = 2 + 2 * (boxes[:, 2:] - boxes[:, :2]).max(axis=0) / self.size[::-1]  # of the antialiasing kernel
        first = np.clip(np.floor(boxes[:, :2].min(axis=0) - reach), 0, lengths - 1)
        stop = np.clip(np.ceil(boxes[:, 2:].max(axis=0) + reach), first + 1, lengths)
        (left, top), (right, bottom) = first.astype(int), stop.astype(int)
        part = ops.cast(images[:, top:bottom, left:right], "float32")
        boxes = ops.reshape(self.given - np.tile(first, 2).astype("float32"), (1, -1, 4))
        return ops.reshape(_graph(self.size, how)(part, boxes), (*self.boxes_shape[:-1], *self.size, part.shape[-1]))


@functools.cache
def _graph(size, how):
    """`sampling.resample()` for images and boxes of all shapes. As a graph it takes TensorFlow a tenth of the time."""

    def resample(images, boxes):
        return sampling.resample(images, boxes, size, how)

    if tf is None:
        return resample
    return tf.function(resample, autograph=False, reduce_retracing=True)


@contextlib.contextmanager
def _with(layer, name, value):
    """A context in which a layer has another attribute of its own."""
    before = vars(layer).get(name)
    setattr(layer, name, value)
    try:
        yield
    finally:
        delattr(layer, name) if before is None else setattr(layer, name, before)
