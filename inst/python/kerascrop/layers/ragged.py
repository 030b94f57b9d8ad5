"""Batches of images of several sizes: each image is cropped by itself, and the crops, of one size, are a batch."""

import keras
from keras import ops

from kerascrop import checks
from kerascrop.backend import tf


def are_ragged(inputs):
    """Whether any part of a batch is a ragged tensor."""
    return tf is not None and any(isinstance(part, tf.RaggedTensor) for part in keras.tree.flatten(inputs))


def are_several_sizes(inputs, rank):
    """Whether inputs are a list of single images whose shapes differ."""
    if not isinstance(inputs, (list, tuple)):
        return False
    shapes = {tuple(getattr(image, "shape", ())) for image in inputs}
    return len(shapes) > 1 and all(len(shape) == rank + 1 for shape in shapes)


def crop_list(crop, images, layer):
    """What `crop()`, which calls the layer on a batch, gives for a list of images."""
    crops = [crop(image[None]) for image in images]
    shapes = {tuple(tuple(part.shape) for part in keras.tree.flatten(each)) for each in crops}
    if len(shapes) > 1 or not layer.takes_several_sizes:
        raise _not_one_size(layer)
    return keras.tree.map_structure(lambda *parts: ops.concatenate(parts), *crops)


def crop_batch(crop, inputs, spec, layer):
    """The same for a batch of ragged tensors; `spec` are `KerasTensor`s in the form of the result."""
    crops = spec[0] if layer.return_boxes else spec
    crops = crops["images"] if isinstance(crops, dict) else crops
    if isinstance(inputs, dict):
        others = {key: part for key, part in inputs.items() if key not in ("images", "segmentation_masks")}
    else:
        others = inputs[1:] if isinstance(inputs, (list, tuple)) else ()
    if None in crops.shape[1:] or are_ragged(others) or not layer.takes_several_sizes:
        raise _not_one_size(layer)

    def crop_one(parts):
        parts = keras.tree.map_structure(lambda x: x.to_tensor() if isinstance(x, tf.RaggedTensor) else x, parts)
        return keras.tree.map_structure(lambda x: x[0], crop(keras.tree.map_structure(lambda x: x[None], parts)))

    signature = keras.tree.map_structure(lambda each: tf.TensorSpec(each.shape[1:], each.dtype), spec)
    return tf.map_fn(crop_one, inputs, fn_output_signature=signature)


def _not_one_size(layer):
    return checks.ShapeError(
        f"`{layer.name}` makes no batch of images of several sizes: its crops, or the boxes that go with them, have "
        "several sizes, or it learns. Crop each image before they are batched, or fill them up to one size, "
        "`images.to_tensor()`."
    )
