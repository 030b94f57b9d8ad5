"""Crops of the batches that generators and tf.data datasets make.

The seed and a batch's number fix where the batch is cropped. So a seed gives the same crops in whatever order threads
ask for batches, and each epoch goes on to new places.
"""

import importlib
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from kerascrop import checks
from kerascrop.backend import tensorflow as tf
from kerascrop.hints import PipelineOptions, Unpack, with_arguments_of
from kerascrop.layers import in_tensorflow, joint
from kerascrop.layers.random_crop import RandomCrop

MODES = ("random", "center")


@with_arguments_of(RandomCrop)
def crop_generator(
    generator: Iterable | keras.utils.PyDataset,
    height: int,
    width: int,
    mode: str = "random",
    seed: int | None = None,
    **options: Unpack[PipelineOptions],
) -> Iterator | keras.utils.PyDataset:
    """Crop the images of every batch that a generator makes.

    Args:
        generator: the source of batches: a Python generator or any other iterable, or a `keras.utils.PyDataset`, such
            as the flows of `ImageDataGenerator`. A batch is `x`, `(x, y)` or `(x, y, sample_weight)`; `x` are images
            `(batch, height, width, channels)`, or a dict of images, masks, boxes and key points as the crop layers
            take it. The rest passes untouched; a `y` that looks like boxes, a mask or points of the images is an error
            unless `pass_through` has `"y"`.
        height, width: size of the crops, in pixels.
        mode: `"random"`, for training: a new place for each image in each batch. `"center"`, for prediction.
        seed: a whole number, for the same places in every run; None draws one. Places are counted from the first batch
            on: a training that is resumed in a new process needs another seed, so as not to repeat them.
        **options: as in `RandomCrop`: `data_format`, `per_image`, `if_smaller`, `fill_value`, `fill_mode`,
            `mask_fill_value`, `pad_position`, `random_pad`, `focus`, `positive_fraction`, `return_boxes`, `box_format`,
            `min_visible`, `pass_through`, `name`, `dtype`, `trainable`.

    Returns:
        Batches of the same structure, with crops as NumPy arrays: for a `PyDataset` another `PyDataset`, so that
        `fit()` knows its length; else a Python generator, which ends when its source does.

    Raises:
        SizeError, ArgumentError: wrong arguments, at once; images smaller than the crop, when their batch comes.
        ShapeError: a batch of anything but images. These later errors name the batch, counted from 1.

    Example:

    >>> batches = ((np.zeros((2, 8, 8, 3)), np.ones(2)) for _ in range(3))
    >>> [x.shape for x, y in kerascrop.crop_generator(batches, 4, 4)]
    [(2, 4, 4, 3), (2, 4, 4, 3), (2, 4, 4, 3)]
    """
    crop = Cropper(height, width, mode, seed, options)
    if isinstance(generator, keras.utils.PyDataset):
        return CroppedBatches(generator, crop)
    no_batches = str, bytes, dict, np.ndarray, keras.KerasTensor
    if not hasattr(generator, "__iter__") or isinstance(generator, no_batches):
        raise checks.ArgumentError(
            "`generator` must be a generator, a keras.utils.PyDataset or another iterable of batches, "
            f"not an object of type {type(generator).__name__}."
        )
    # `fit()` takes true generators, but no other iterators.
    return (crop.batch(batch, number, (number,)) for number, batch in enumerate(generator))


class Cropper:
    """Crops images in a given mode, at random places that whole numbers fix."""

    def __init__(self, height, width, mode, seed, options):
        self.random = checks.check_choice(mode, "mode", MODES) == "random"
        self.layer = RandomCrop(height, width, seed=seed, **options)

    def __call__(self, images, state):
        """The crops, with random places drawn from `state`, two whole numbers, not from the layer's own state."""
        if in_tensorflow.is_foreign(images):
            return self.layer.call_in_tensorflow(images, self, state)
        own = self.layer.seed_generator.state
        with keras.StatelessScope(state_mapping=[(own, ops.cast(state, own.dtype))]):
            return self.layer(images, training=self.random)

    def check_rest(self, parts):
        """Stop if `y` or `sample_weight`, which pass uncropped, look like boxes, masks or key points of `x`."""
        images = _images(parts[0])
        rest = {"images": images, **dict(zip(("y", "sample_weight"), parts[1:]))}
        shapes = keras.tree.map_structure(joint.shape_of, joint.check_keys(rest, self.layer))
        joint.check_passed_shapes(shapes, self.layer)

    def batch(self, batch, number, key):
        """Crop a batch `x`, `(x, y)` or `(x, y, sample_weight)`.

        Args:
            number: the batch's number, from 0, for errors.
            key: whole numbers. Seed and key fix the places.
        """
        parts = batch if isinstance(batch, (tuple, list)) else (batch,)
        # A hash: neighbouring keys must not give neighbouring states.
        state = np.random.SeedSequence([self.layer.seed, *key]).generate_state(2) >> 1
        try:
            _check_batch(parts)
            crops = keras.tree.map_structure(ops.convert_to_numpy, self(parts[0], state))
            self.check_rest(parts)
        except Exception as error:
            kind = type(error) if isinstance(error, ValueError) else checks.ShapeError
            raise kind(f"Batch {number + 1}: {_message(error)}") from error
        return (crops, *parts[1:]) if isinstance(batch, (tuple, list)) else crops


class CroppedBatches(keras.utils.PyDataset):
    """A `PyDataset` with its images cropped; it has the attributes of its source, such as `class_indices`."""

    def __init__(self, source, crop):
        # Crops are tensor operations, which cannot run in a forked process: threads do the work.
        super().__init__(workers=source.workers, max_queue_size=source.max_queue_size)
        self.source = source
        self.crop = crop
        self.epoch = 0
        self.drawn = itertools.count()

    @property
    def num_batches(self):
        return self.source.num_batches

    def __len__(self):
        return len(self.source)

    def __getitem__(self, index):
        return self.crop.batch(self.source[index], index, (self.epoch, index))

    def __iter__(self):
        source = self.source
        if not hasattr(source, "__iter__"):  # in older Keras only flows, which never end, have it
            source = map(source.__getitem__, range(len(source)))
        return (self.crop.batch(batch, number, (next(self.drawn),)) for number, batch in enumerate(source))

    def __next__(self):
        number = next(self.drawn)
        return self.crop.batch(next(self.source), number, (number,))

    def on_epoch_begin(self):
        self.source.on_epoch_begin()

    def on_epoch_end(self):
        self.source.on_epoch_end()
        self.epoch += 1

    def __getattr__(self, name):
        if name == "source":
            raise AttributeError(name)
        return getattr(self.source, name)


@with_arguments_of(RandomCrop)
def crop_dataset(
    dataset: Any,
    height: int,
    width: int,
    mode: str = "random",
    seed: int | None = None,
    num_parallel_calls: int | None = None,
    **options: Unpack[PipelineOptions],
) -> Any:
    """Crop the images of a `tf.data.Dataset`.

    Args:
        dataset: a dataset of `x`, `(x, y)` or `(x, y, sample_weight)`, batched or not; image sizes may be unknown. `x`
            are images, `(batch, height, width, channels)` or a single one, or a dict of images, masks, boxes and key
            points as the crop layers take it. The rest passes untouched; a `y` that looks like boxes, a mask or points
            of the images is an error unless `pass_through` has `"y"`.
        height, width: size of the crops, in pixels.
        mode: `"random"`, for training: a new place for each image in each epoch. `"center"`, for prediction.
        seed: a whole number, for the same places in every run, with parallel calls too; None draws one.
        num_parallel_calls: how many elements are cropped at the same time; None lets TensorFlow decide. The order
            stays the same.
        **options: as in `RandomCrop`: `data_format`, `per_image`, `if_smaller`, `fill_value`, `fill_mode`,
            `mask_fill_value`, `pad_position`, `random_pad`, `focus`, `positive_fraction`, `return_boxes`, `box_format`,
            `min_visible`, `pass_through`, `name`, `dtype`, `trainable`.

    Returns:
        A `tf.data.Dataset` of the same structure and dtypes. It keeps the `class_names` and `file_paths` that Keras's
        own loaders add.

    Raises:
        SizeError, ArgumentError, ShapeError: wrong arguments or elements, or TensorFlow is not installed. Images
            of unknown size that turn out smaller than the crop stop the dataset when they come.

    Example:

    >>> dataset = tf.data.Dataset.from_tensor_slices(np.zeros((6, 8, 8, 3), "uint8")).batch(2)
    >>> kerascrop.crop_dataset(dataset, 4, 4).element_spec
    TensorSpec(shape=(None, 4, 4, 3), dtype=tf.uint8, name=None)
    """
    check_tensorflow("crop_dataset()")
    if not isinstance(dataset, tf.data.Dataset):
        raise checks.ArgumentError(
            f"`dataset` must be a tf.data.Dataset, not an object of type {type(dataset).__name__}. "
            "`crop_generator()` takes generators and other iterables."
        )
    crop = Cropper(height, width, mode, seed, options)
    if num_parallel_calls is not None:
        num_parallel_calls = checks.check_count(num_parallel_calls, "num_parallel_calls")

    @tf.autograph.experimental.do_not_convert
    def crop_element(number, element):
        parts = element if isinstance(element, tuple) else (element,)
        try:
            _check_rank(parts)
            crops = crop(parts[0], tf.stack([number, tf.zeros_like(number)]))
            crop.check_rest(parts)
        except ValueError as error:
            raise type(error)(_message(error)) from error
        return (crops, *parts[1:]) if isinstance(element, tuple) else crops

    cropped = tf.data.Dataset.zip((random_numbers(crop.layer.seed), dataset)).map(
        crop_element, num_parallel_calls=num_parallel_calls or tf.data.AUTOTUNE, deterministic=True
    )
    for name in ("class_names", "file_paths"):
        if hasattr(dataset, name):
            setattr(cropped, name, getattr(dataset, name))
    return cropped


def random_numbers(seed):
    """An endless dataset of random whole numbers that a seed fixes, different ones in each epoch."""
    return tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)


def check_tensorflow(caller):
    """Stop unless TensorFlow is there: its `tf.data` runs the pipeline, whatever Keras runs on."""
    try:
        importlib.import_module("tensorflow")
    except ImportError:
        raise checks.ArgumentError(
            f"{caller} makes a tf.data.Dataset: it needs TensorFlow, also where Keras runs on another backend, as it "
            f"does here, on {keras.config.backend()}. `pip install tensorflow` installs it; `crop_generator()` works "
            "without."
        ) from None


def _check_batch(parts):
    if not 1 <= len(parts) <= 3:
        raise checks.ShapeError(f"a batch must be x, (x, y) or (x, y, sample_weight); this one has {len(parts)} parts.")
    images = _images(parts[0])
    shape = getattr(images, "shape", None)
    if shape is None:
        raise checks.ShapeError(f"images must be an array or a tensor, not an object of type {type(images).__name__}.")
    if len(shape) < 4:
        raise checks.ShapeError(
            f"images must have 4 axes, (batch, height, width, channels); these have shape {tuple(shape)}. "
            "Grey images need an axis of one channel."
        )


def _check_rank(parts):
    images = _images(parts[0])
    if getattr(getattr(images, "shape", None), "rank", None) is None:
        raise checks.ShapeError(
            "The images of the dataset must be tensors with a known number of axes. "
            "`images.set_shape([None, None, 3])` in an earlier `map()` sets it."
        )
    if isinstance(images, tf.RaggedTensor):
        raise checks.ShapeError("Images of several sizes are cropped before they are batched, not after.")
    labels = parts[1] if len(parts) > 1 and isinstance(parts[1], tf.Tensor) else None
    if images.shape.rank == 3 and labels is not None and labels.dtype.is_integer and labels.shape.rank == 1:
        if images.shape[0] == labels.shape[0] is not None:
            raise checks.ShapeError(
                f"The dataset's elements, of shape {tuple(images.shape)}, have {labels.shape[0]} labels each: they are "
                "batches, and batches of images have 4 axes. Grey images need an axis of one channel."
            )


def _images(x):
    return x.get("images") if isinstance(x, dict) else x


def _message(error):
    """An error's message without what Keras wraps around it: a line on the layer and a list of arguments."""
    text = str(error)
    bold = re.search(r"\x1b\[1m(.*?)\x1b\[0m", text, re.DOTALL)
    return bold.group(1) if bold else text
