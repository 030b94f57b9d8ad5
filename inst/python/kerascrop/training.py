"""Predicted boxes in training: a loss and a metric that compare them with true boxes, and a monitor."""

import numbers
import re
import warnings
from typing import Any

import keras
import numpy as np
from keras import ops

from kerascrop import checks, notes
from kerascrop.geometry import box_iou, middles, split
from kerascrop.hints import Tensor
from kerascrop.layers.learnable import LearnableCrop


def check_pair(y_true, y_pred, name):
    """Stop unless both are boxes, equally many."""
    shapes = tuple(y_true.shape), tuple(y_pred.shape)
    if any(not 2 <= len(shape) <= 3 or shape[-1] not in (4, None) for shape in shapes) or len({*map(len, shapes)}) > 1:
        raise checks.BoxError(
            f"`{name}` compares boxes (batch, 4), not `y_true` {shapes[0]} with `y_pred` {shapes[1]}. "
            "Is it set for the output that holds boxes?"
        )
    if any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(*shapes)):
        raise checks.BoxError(f"`{name}` compares boxes in pairs, not `y_true` {shapes[0]} with `y_pred` {shapes[1]}.")


def labelled(boxes):
    """Which boxes are known (finite, with an area), and the boxes, with unknown ones replaced by 0 to 1."""
    first, last = split(boxes)
    known = ops.all(ops.isfinite(boxes), axis=-1) & ops.all(last > first, axis=-1)
    unit = ops.cast(ops.concatenate([ops.zeros_like(first), ops.ones_like(last)], axis=-1), boxes.dtype)
    return known, ops.where(known[..., None], boxes, unit)


def pair_up(truth, known, predicted):
    """Predicted boxes `(batch, boxes, 4)` in the order of the true ones: each gets one of its own, the nearest first.

    Near is a small `distance_iou()`. Missing boxes get what is left.
    """
    if len(predicted.shape) != 3 or not isinstance(predicted.shape[1], int):
        raise checks.BoxError(
            f"With `match=True` there are several boxes of each image, (batch, boxes, 4), not {tuple(predicted.shape)}."
        )
    count = predicted.shape[1]
    costs = ops.where(known[..., None], distance_iou(truth[:, :, None], predicted[:, None]), 8.0)  # all others are <= 2
    costs = ops.stop_gradient(ops.reshape(costs, (-1, count * count)))
    pairs = ops.zeros_like(costs)
    for _ in range(count):
        nearest = ops.argmin(costs, axis=1)
        row, column = (ops.one_hot(i, count, dtype=costs.dtype) for i in (nearest // count, nearest % count))
        pairs = pairs + ops.reshape(row[:, :, None] * column[:, None], (-1, count * count))
        taken = ops.reshape(ops.maximum(row[:, :, None], column[:, None]), (-1, count * count))
        costs = ops.where(taken > 0, 16.0, costs)
    return ops.einsum("btp,bpc->btc", ops.reshape(pairs, (-1, count, count)), predicted)


def distance_iou(truth, predicted):
    """`1 - IoU + d^2 / c^2` of pairs of boxes: see `BoxLoss`."""
    (first, last), (first_true, last_true) = split(predicted), split(truth)
    distance = (first + last - first_true - last_true) / 2
    around = ops.maximum(last, last_true) - ops.minimum(first, first_true)
    spread = ops.sum(ops.square(distance), axis=-1) / ops.sum(ops.square(around), axis=-1)
    return 1 - ops.cast(box_iou(predicted, truth), spread.dtype) + spread


def weigh(known, sample_weight, dtype):
    """A weight for each box: 0 if it is not known."""
    known = ops.cast(known, dtype)
    if sample_weight is None:
        return known
    weight = ops.cast(checks.check_tensor(sample_weight, "sample_weight"), dtype)
    if len(weight.shape) == len(known.shape) + 1 and weight.shape[-1] == 1:
        weight = ops.squeeze(weight, -1)
    shapes = zip(weight.shape, known.shape)
    if len(weight.shape) > len(known.shape) or any(a != b and None not in (a, b) and a != 1 for a, b in shapes):
        raise checks.ShapeError(
            f"`sample_weight` must be a weight for each image or box, not of shape {tuple(weight.shape)} for boxes "
            f"{tuple(known.shape)}."
        )
    return known * ops.reshape(weight, (*ops.shape(weight), *(1,) * (len(known.shape) - len(weight.shape))))


@keras.saving.register_keras_serializable("kerascrop")
class BoxIoU(keras.metrics.Mean):
    """The mean intersection over union of true and predicted boxes, from 0 to 1.

    Both are `(batch, 4)`, or `(batch, boxes, 4)`, `x1, y1, x2, y2` in pixels. Missing boxes do not count: those with
    a NaN, or without area, such as `-1, -1, -1, -1`. If all are missing, the metric is 0.

    Args:
        name, dtype: as in `keras.metrics.Mean`.
        match: as in `BoxLoss`.

    Raises:
        BoxError: the boxes have other shapes.

    Example:

    >>> metric = kerascrop.BoxIoU()
    >>> metric.update_state([[0, 0, 2, 2], [-1, -1, -1, -1]], [[1, 0, 3, 2], [0, 0, 5, 5]])
    >>> float(metric.result())
    0.3333
    """

    def __init__(self, name: str = "box_iou", dtype: Any = None, match: bool = False):
        self.match = checks.check_flag(match, "match")
        super().__init__(name=checks.check_name(name), dtype=checks.check_dtype(dtype))

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> None:
        y_true, y_pred = checks.check_tensor(y_true, "y_true"), checks.check_tensor(y_pred, "y_pred")
        y_true, y_pred = ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype)
        check_pair(y_true, y_pred, self.name)
        known, truth = labelled(y_true)
        y_pred = pair_up(truth, known, y_pred) if self.match else y_pred
        super().update_state(box_iou(truth, y_pred), weigh(known, sample_weight, self.dtype))

    def get_config(self):
        return {**super().get_config(), "match": self.match}


REDUCTIONS = ("mean_with_sample_weight", "sum_over_batch_size", "mean", "sum", "none", None)


@keras.saving.register_keras_serializable("kerascrop")
class BoxLoss(keras.losses.Loss):
    """How far predicted boxes are from true ones, from 0 to 2: for a model output that is boxes.

    `1 - IoU + d^2 / c^2`, where `d` is the distance of the centres and `c` the diagonal of the smallest box around
    both: the distance-IoU loss of Zheng et al. 2020, "Distance-IoU Loss: Faster and Better Learning for Bounding Box
    Regression", equation 7. The last term has a gradient towards the true box even where the two do not overlap, or
    one contains the other.

    In training, the boxes that the built-in localizer of a `LearnableCrop` predicts also get the gradient of the
    cross-entropy between its map and the cell of the true centre, which the loss's value leaves out: this finds objects
    that no gradient of a box leads to. They have to reach the loss as the layer returns them.

    Both are `(batch, 4)`, or `(batch, boxes, 4)`, `x1, y1, x2, y2` in pixels. Missing boxes do not count: those with
    a NaN, or without area, such as `-1, -1, -1, -1`. The mean is over the other boxes of a batch, so a few known
    boxes pull as strongly as many.

    Args:
        reduction: as in `keras.losses.Loss`. The default, `"mean_with_sample_weight"`, is the mean over the known
            boxes; `"sum_over_batch_size"` divides by the number of all boxes.
        name, dtype: as in `keras.losses.Loss`.
        match: pair each of several true boxes of an image with a predicted one of its own, the nearest pair first,
            instead of in order: for a `LearnableCrop` of several `crops`. There are as many true boxes as crops; where
            an image has fewer, the others are missing ones.

    Raises:
        BoxError: the boxes have other shapes.

    Example:

    >>> images = keras.Input((64, 64, 1))
    >>> crops, boxes = kerascrop.LearnableCrop(24, 24, return_boxes=True)(images)
    >>> model = keras.Model(images, [classifier(crops), boxes])
    >>> losses = [class_loss, kerascrop.BoxLoss()]
    >>> model.compile("adam", losses, metrics=[["accuracy"], [kerascrop.BoxIoU()]])
    >>> model.fit(x, [labels, true_boxes])
    """

    def __init__(
        self,
        reduction: str | None = "mean_with_sample_weight",
        name: str = "box_loss",
        dtype: Any = None,
        match: bool = False,
    ):
        self.match = checks.check_flag(match, "match")
        reduction = checks.check_choice(reduction, "reduction", REDUCTIONS)
        super().__init__(name=checks.check_name(name), reduction=reduction, dtype=checks.check_dtype(dtype))

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        missed = notes.read(y_pred)
        y_true = ops.cast(checks.check_tensor(y_true, "y_true"), self.dtype)
        y_pred = ops.cast(checks.check_tensor(y_pred, "y_pred"), self.dtype)
        check_pair(y_true, y_pred, self.name)
        known, truth = labelled(y_true)
        y_pred = pair_up(truth, known, y_pred) if self.match else y_pred
        if missed is not None:
            notes.write(y_pred, missed)  # it may have been cast, or paired
        return super().__call__(truth, y_pred, weigh(known, sample_weight, self.dtype))

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        losses = distance_iou(y_true, y_pred)
        missed = notes.read(y_pred)
        if missed is None:
            return losses
        taught = ops.cast(missed(y_true), losses.dtype)
        return losses + taught - ops.stop_gradient(taught)

    def get_config(self):
        return {**super().get_config(), "match": self.match}


class CropMonitor(keras.callbacks.Callback):
    """Watch where a `LearnableCrop` looks while it learns.

    Before training and after every epoch the model is run on a few images, as for prediction, and the boxes that the
    layer cuts are kept and summarised. There is a warning, once each, when all crops are at the same place, when nearly
    all have the smallest or the largest size or lie at the image's edge, and when boxes are no longer numbers.

    Args:
        images: a few inputs of the model, as `fit()` takes them; 16 are plenty.
        boxes: their true boxes, `(n, 4)`, or `(n, crops, 4)` for several crops, which are paired as by
            `BoxIoU(match=True)`; or None. As in `BoxIoU`, some may be missing.
        layer: the layer, or its name; None takes the model's only `LearnableCrop`.

    Attributes:
        seen: the images that reach the layer, as a NumPy array `(n, height, width, channels)`; of clips the mean frame.
        boxes: a list of arrays `(n, 4)`, or `(n, crops, 4)`, in pixels of `seen`: one before training, then one for
            each epoch.
        history: a list of as many dicts: `epoch` (how many are done), `spread` (standard deviation of the boxes'
            centres, as a fraction of the image's side, along the axis where it is larger), `width` and `height` (means,
            in pixels) and, with true boxes, `iou` (mean).
        remarks: the warnings' texts.

    Raises:
        ArgumentError: the model has no such layer, or several.
        BoxError: there is not one true box for each image.

    Example:

    >>> monitor = kerascrop.CropMonitor(x[:16])
    >>> model.fit(x, y, epochs=5, callbacks=[monitor])
    >>> monitor.history[-1]
    """

    # Crops with a smaller spread are at the same place; a larger share of the boxes is nearly all of them.
    SPREAD, SHARE = 0.02, 0.9

    def __init__(self, images: Any, boxes: Tensor | None = None, layer: LearnableCrop | str | None = None):
        super().__init__()
        self.images = _as_images(images)
        counts = {len(part) for part in keras.tree.flatten(self.images)}
        if len(counts) != 1 or 0 in counts:
            raise checks.ShapeError(f"`images` must be one or more, equally many in all parts, not {counts}.")
        self.truth = None if boxes is None else ops.convert_to_numpy(checks.check_tensor(boxes, "boxes"))
        shape, count = np.shape(self.truth), counts.pop()
        if boxes is not None and (len(shape) not in (2, 3) or (shape[0], shape[-1]) != (count, 4)):
            raise checks.BoxError(
                f"`boxes` must be one for each image, ({count}, 4), or for each crop, ({count}, crops, 4), not {shape}."
            )
        if layer is not None and not isinstance(layer, (str, keras.layers.Layer)):
            raise checks.ArgumentError(f"`layer` must be None, a layer or its name, not {checks.shown(layer)}.")
        self.layer = layer
        self._forget()

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._forget()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if not self.history:
            self._look(epoch)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._look(epoch + 1)
        self._judge()

    def _forget(self):
        self.seen, self.boxes, self.history, self.remarks = None, [], [], []

    def _call(self, model):
        try:
            model(self.images, training=False)
        except (ValueError, TypeError) as error:
            text = re.sub(r"\x1b\[\d*m", "", checks.shortened(error))
            raise checks.ArgumentError(f"The model does not take the monitor's `images`. {text}") from error

    def _look(self, epoch):
        model = self.model  # under JAX this also brings the weights up to date
        if not model.built:  # a subclassed model may make its layers only then
            self._call(model)
        layer = _find_layer(model, self.layer)
        with layer.listening(layer.seen) as heard:
            self._call(model)
        if not heard:
            raise checks.ArgumentError(f"The model does not call `{layer.name}` for these `images`.")
        # The last call: when a layer is built, Keras calls what is around it with symbols first.
        images, boxes = (ops.convert_to_numpy(part) for part in heard[-1])
        if self.seen is None:
            self.seen = images
            height, width = images.shape[1:3]
            self.sides = np.array([width, height])
            self.limits = np.array(layer.bounds(height, width))
            self.is_global = layer.given_localizer == "global"
        sizes, centres = boxes[..., 2:] - boxes[..., :2], middles(boxes)
        record = {
            "epoch": epoch,
            "spread": float((centres / self.sides).std(axis=0).max()),
            "width": float(sizes[..., 0].mean()),
            "height": float(sizes[..., 1].mean()),
        }
        if self.truth is not None:
            metric = BoxIoU(match=layer.crops > 1)
            metric.update_state(self.truth, boxes)
            record["iou"] = float(metric.result())
        self.boxes.append(boxes)
        self.history.append(record)

    def _judge(self):
        boxes, record = self.boxes[-1], self.history[-1]
        if not np.isfinite(boxes).all():
            self._remark("The boxes are not numbers any more: training has diverged. A smaller learning rate may help.")
            return
        if len(boxes) > 1 and not self.is_global and record["spread"] < self.SPREAD:
            self._remark("All crops are at the same place: the localizer does not tell the images apart.")
        boxes = boxes.reshape(-1, 4)  # of all crops
        size = boxes[:, 2:] - boxes[:, :2]
        (low, high), nearly_all = self.limits, self._nearly_all
        if nearly_all((size < 1.02 * low) & (low < high)):
            self._remark("Nearly all crops have the smallest size. Is `min_size` right?")
        if nearly_all((size > 0.98 * high) & (low < high)):
            self._remark("Nearly all crops have the largest size. Is `max_size` right?")
        margin = np.minimum(boxes[:, :2], self.sides - boxes[:, 2:])
        if nearly_all((margin < 0.5) & (size < 0.95 * self.sides)):
            self._remark("Nearly all crops lie at the image's edge.")

    def _nearly_all(self, is_so):
        """Whether `is_so`, `(boxes, 2)`, is true along either axis for nearly all boxes."""
        return is_so.any(axis=1).mean() > self.SHARE

    def _remark(self, text):
        if text not in self.remarks:
            self.remarks.append(text)
            self.warn(f"{text} (After epoch {self.history[-1]['epoch']}.)")

    def warn(self, text: str) -> None:
        """Give a remark as a warning; R replaces this with a function of its own."""
        warnings.warn(text, stacklevel=3)


def _as_images(images):
    """A model's inputs as NumPy arrays; stops unless they are arrays with a batch axis, or lists or dicts of them."""
    if isinstance(images, (list, tuple)) and images and not isinstance(images[0], numbers.Number):
        return [_as_images(part) for part in images]
    if isinstance(images, dict) and images:
        return {key: _as_images(part) for key, part in images.items()}
    try:
        if not hasattr(images, "shape"):
            raise TypeError
        return ops.convert_to_numpy(checks.check_tensor(images, "images"))[:]
    except (checks.ArgumentError, TypeError, IndexError):
        raise checks.ArgumentError(
            f"`images` must be some inputs of the model, arrays or lists of them, not {checks.shown(images)}."
        ) from None


def crops_of(model):
    """All learnable crops of a model, also those in models inside of it."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, LearnableCrop)]


def _find_layer(model, wanted):
    """A model's `LearnableCrop`; `wanted` is the layer, its name, or None for the only one."""
    layers = crops_of(model)
    found = [layer for layer in layers if wanted is None or wanted is layer or wanted == layer.name]
    if len(found) == 1:
        return found[0]
    names = ", ".join(repr(layer.name) for layer in layers) or "none"
    raise checks.ArgumentError(f"`layer` must name one LearnableCrop of the model, which has {names}.")
