"""The layer that joins what a network says of several crops of an image."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerascrop import checks
from kerascrop.engine import dtypes
from kerascrop.hints import LayerOptions, Tensor, Unpack
from kerascrop.layers.layer import Layer

HOW = ("mean", "max", "attention")


@keras.saving.register_keras_serializable("kerascrop")
class CropPool(Layer):
    """Join what a network says of each of several crops of an image, so that there is one answer for the image.

    `"mean"` is the mean over the crops, weighted where weights are given. If the predictions are probabilities of
    classes, and the weights those of the places that were cropped, it is the likelihood of a mixture: labels of images
    alone then teach the layer that gave the weights which of its crops helped. `"max"` is the largest number, element
    by element: one crop that shows a thing is enough. `"attention"` learns from the predictions, here features, how
    much each crop counts: the gated attention of Ilse, Tomczak and Welling (2018), equation 9, whose weights are the
    softmax over the crops of `w^T (tanh(V h) * sigmoid(U h))`.

    Input shape: predictions `(batch, crops, ...)`, for `"attention"` `(batch, crops, features)`; or a list
    `[predictions, weights]` with weights `(batch, crops)`, not negative, of any sum. Their ratio counts: for
    `"attention"`, their logarithm is added to what the softmax is taken of. A crop of weight 0 does not count; if all
    of an image are 0, it is as if no weights were given.

    Output shape: `(batch, ...)`, in the compute dtype; half precision is added up in float32. With
    `return_weights=True` also the weights that were used, `(batch, crops)`, which add up to 1.

    Args:
        how: `"mean"`, `"max"` or `"attention"`.
        units: for `"attention"`, the number of rows of V and of U.
        return_weights: return `(joined, weights)`; not with `"max"`, which has none.
        **kwargs: arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        ArgumentError: an unknown `how`, `return_weights` with `"max"`, inputs that are not one tensor or two, or
            negative weights, where their values are known.
        SizeError: `units` is not a positive whole number.
        ShapeError: predictions without an axis of crops, or weights of another shape; for `"attention"`, predictions of
            more axes, or of an unknown number of features.

    Example:

    >>> predictions = np.array([[[0.9, 0.1], [0.5, 0.5]]])  # of two crops of one image
    >>> kerascrop.CropPool()(predictions)
    [[0.7, 0.3]]
    >>> kerascrop.CropPool()([predictions, np.array([[3, 1]])])
    [[0.8, 0.2]]

    In a model, `TimeDistributed` takes a network to each crop:

    >>> images = keras.Input((64, 64, 3))
    >>> crops = kerascrop.MultiCrop(32, 32, "grid")(images)
    >>> predictions = keras.layers.TimeDistributed(network)(crops)
    >>> model = keras.Model(images, kerascrop.CropPool("max")(predictions))
    """

    input_names = ("predictions", "weights")

    def __init__(
        self, how: str = "mean", units: int = 32, return_weights: bool = False, **kwargs: Unpack[LayerOptions]
    ):
        super().__init__(**kwargs)
        self.how = checks.check_choice(how, "how", HOW)
        self.units = checks.check_count(units, "units")
        self.return_weights = checks.check_flag(return_weights, "return_weights")
        if self.return_weights and how == "max":
            raise checks.ArgumentError("`return_weights` goes with 'mean' and 'attention': a maximum has no weights.")

    def build(self, input_shape: Sequence):
        self._check_shapes(*self._parts(input_shape))
        if self.how == "attention":
            features = self._parts(input_shape)[0][-1]
            self.v = self.add_weight((features, self.units), name="v")
            self.u = self.add_weight((features, self.units), name="u")
            self.w = self.add_weight((self.units, 1), name="w")

    def call(self, inputs: Tensor | Sequence[Tensor]) -> Any:
        parts = [ops.convert_to_tensor(part) for part in self._parts(inputs)]
        self._check_dtypes(parts)
        self._check_shapes(*(part.shape for part in parts))
        dtype = dtypes.sum_dtype(self.compute_dtype)
        predictions, *weights = (ops.cast(part, dtype) for part in parts)
        weights = _or_equal(*weights) if weights else ops.ones(ops.shape(predictions)[:2], dtype)
        if self.how == "mean":
            weights = _shares(weights)
        elif self.how == "attention":
            weights = _shares(weights, self._scores(predictions))
        each = weights[(..., *(None,) * (len(predictions.shape) - 2))]
        if self.how == "max":
            largest = ops.max(ops.where(each == 0, -np.inf, predictions), axis=1, initial=-np.inf)
            batch, _, *rest = ops.shape(predictions)
            joined = ops.broadcast_to(largest, (batch, *rest))  # on PyTorch, that of an empty batch is one number
        else:
            joined = ops.sum(each * predictions, axis=1)
        joined = ops.cast(joined, self.compute_dtype)
        return (joined, ops.cast(weights, self.compute_dtype)) if self.return_weights else joined

    def compute_output_shape(self, input_shape: Sequence) -> tuple:
        self._check_shapes(*self._parts(input_shape))
        batch, crops, *rest = self._parts(input_shape)[0]
        return ((batch, *rest), (batch, crops)) if self.return_weights else (batch, *rest)

    def compute_output_spec(self, inputs):
        parts = self._parts(inputs)
        self._check_dtypes(parts)
        shape = self.compute_output_shape([part.shape for part in parts])
        if not self.return_weights:
            return keras.KerasTensor(shape, self.compute_dtype)
        return tuple(keras.KerasTensor(each, self.compute_dtype) for each in shape)

    def _scores(self, predictions):
        v, u, w = (ops.cast(weight, predictions.dtype) for weight in (self.v, self.u, self.w))
        hidden = ops.tanh(ops.matmul(predictions, v)) * ops.sigmoid(ops.matmul(predictions, u))
        return ops.squeeze(ops.matmul(hidden, w), -1)

    def _parts(self, inputs):
        """The inputs, or their shapes, as a list: predictions, and perhaps weights."""
        is_list = isinstance(inputs, (list, tuple))
        is_shape = is_list and all(isinstance(length, (int, type(None))) for length in inputs)
        parts = list(inputs) if is_list and not is_shape else [inputs]
        if isinstance(inputs, dict) or len(parts) > 2:
            raise checks.ArgumentError(
                f"`{self.name}` takes predictions, or a list of two: predictions and their weights. It got a "
                f"{type(inputs).__name__} of {len(inputs)}."
            )
        return parts

    def _check_dtypes(self, parts):
        for part, name in zip(parts, self.input_names):
            checks.check_real(keras.backend.standardize_dtype(part.dtype), name)

    def _check_shapes(self, predictions, weights=None):
        predictions = tuple(predictions)
        if len(predictions) < 3 or predictions[1] == 0:
            raise checks.ShapeError(
                f"`{self.name}` takes what a network says of each of several crops, (batch, crops, ...), not "
                f"{predictions}. It goes behind a layer that gives several crops of each image: `LearnableCrop` with "
                "`crops`, `MultiCrop`, or `BoxCrop` with boxes (batch, crops, 4)."
            )
        if self.how == "attention" and (len(predictions) > 3 or predictions[-1] is None):
            raise checks.ShapeError(
                f"`{self.name}` takes features for how='attention', (batch, crops, features), their number known, not "
                f"{predictions}. Flatten those of each crop, or take their mean, first."
            )
        if weights is not None and not (
            len(weights) == 2 and all(None in pair or pair[0] == pair[1] for pair in zip(weights, predictions))
        ):
            raise checks.ShapeError(
                f"`{self.name}` needs a weight for each crop: with predictions {predictions}, weights "
                f"{predictions[:2]}, not {tuple(weights)}."
            )


def _or_equal(weights):
    """The weights of crops, or equal ones for an image all of whose weights are 0."""
    numbers = checks.at_hand(weights)
    if numbers is not None and (numbers < 0).any():
        raise checks.ArgumentError(f"`weights` must not be negative: the smallest is {numbers.min():g}.")
    return ops.where(ops.all(weights == 0, axis=1, keepdims=True), 1.0, weights)


def _shares(weights, scores=0.0):
    """The softmax over crops of `log(weights) + scores`, which also has its gradient where a weight is 0."""
    counts = weights > 0
    logs = ops.where(counts, ops.log(ops.where(counts, weights, 1.0)) + scores, -np.inf)
    largest = ops.stop_gradient(ops.max(logs, axis=1, keepdims=True, initial=-np.inf))
    # Where weights are above 1e-34, only the score of a crop that does not count can be larger by more, to infinity.
    parts = weights * ops.exp(ops.minimum(scores - largest, 80.0))
    return parts / ops.sum(parts, axis=1, keepdims=True)
