"""Images whose size only the graph knows: every layer, in every way to get there, as with known sizes."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop

pytestmark = pytest.mark.tensorflow

BOXES = np.array([[0.5, 1.2, 7.1, 8.9], [-3, 2, 6, 12]], "float32")
SIZED = {
    "center": kerascrop.CenterCrop,
    "random": functools.partial(kerascrop.RandomCrop, seed=1),
    "five": kerascrop.MultiCrop,
    "ten": functools.partial(kerascrop.MultiCrop, views="ten"),
    "grid": functools.partial(kerascrop.MultiCrop, views="grid"),
    "strided": functools.partial(kerascrop.MultiCrop, views="grid", stride=(4, 5)),
}
LAYERS = {
    **{
        f"{name}, {if_smaller}": functools.partial(layer, height, 6, if_smaller=if_smaller, return_boxes=True)
        for name, layer in SIZED.items()
        for if_smaller, height in (("error", 5), ("resize", 11), ("pad", 11), ("keep", 11))
    },
    "border": lambda: kerascrop.BorderCrop(((1, 3), (-1, 7)), return_boxes=True),
    "window": lambda: kerascrop.WindowCrop((2, 7), (-8, -1), return_boxes=True),
    "window, pad": lambda: kerascrop.WindowCrop((2, 17), (-18, -1), if_smaller="pad", return_boxes=True),
    "window, keep": lambda: kerascrop.WindowCrop((2, 17), (-18, -1), if_smaller="keep", return_boxes=True),
    "resized": lambda: kerascrop.RandomResizedCrop(5, 6, return_boxes=True),
    "box": lambda: kerascrop.BoxCrop(5, 6, return_boxes=True),
    "box, relative": lambda: kerascrop.BoxCrop(5, 6, box_format="rel_xyxy", align_corners=True, antialias=True),
    "custom": lambda: kerascrop.CustomCrop(5, 6, lambda x, training: kerascrop.boxes_from_masks(x[..., 0] > 300)),
    "learnable": lambda: kerascrop.LearnableCrop(5, 6, size="free", return_boxes=True),
    "global": lambda: kerascrop.LearnableCrop(5, 6, resize=False, size="square", localizer="global"),
    "uncrop": lambda: kerascrop.Uncrop(11, 13, fill_value=2),
    "uncrop, adjoint": lambda: kerascrop.Uncrop(11, 13, adjoint=True),
}


def ways(layer, x, shapes):
    """The layer's outputs for arrays, with sizes that are unknown in each of the ways there are."""
    import tensorflow as tf

    def call(*parts):
        return layer(list(parts) if len(parts) > 1 else parts[0])

    yield "graph", lambda: tf.function(call, input_signature=[tf.TensorSpec(shape) for shape in shapes])(*x)
    dataset = tf.data.Dataset.from_generator(lambda: [tuple(x)], output_signature=tuple(map(tf.TensorSpec, shapes)))
    yield "dataset", lambda: next(iter(dataset.map(call)))
    symbols = [keras.Input(batch_shape=shape) for shape in shapes]
    yield "model", lambda: keras.Model(symbols, call(*symbols))(list(x))


@pytest.mark.parametrize("name", LAYERS)
def test_as_with_known_sizes(name, images):
    layer, x = LAYERS[name](), [images[:2]]
    if name.startswith(("box", "uncrop")):
        x.append(BOXES / 12 if "relative" in name else BOXES)
    if "random" in name:
        x = [np.ones_like(images[:2])]  # the place does not matter
    expected = keras.tree.flatten(layer(x if len(x) > 1 else x[0]))
    shapes = [(None, None, None, 3), (None, 4)][: len(x)]
    for way, run in ways(layer, x, shapes):
        found = keras.tree.flatten(run())
        assert len(found) == len(expected), way
        for one, other in zip(found, expected):
            np.testing.assert_allclose(ops.convert_to_numpy(one), ops.convert_to_numpy(other), rtol=1e-4, atol=1e-3)


PLACES = {
    rank: (
        np.random.default_rng(0).uniform(0, 6, size=(2, 2 * rank)).astype("float32"),
        np.repeat([[1, 2, 1][:rank] + [5, 7, 4][:rank]], 2, 0).astype("float32"),  # whole pixels
    )
    for rank in (1, 3)
}
FUNCTIONS = {
    "sample": lambda x, b, **how: kerascrop.sample(x, b, (4, 1, 6)[: len(x.shape) - 2], **how),
    "paste": lambda x, b: kerascrop.paste(x, b, (9, 8, 7)[: len(x.shape) - 2]),
    "adjoint": lambda x, b, **how: kerascrop.adjoint(x, b, (9, 8, 7)[: len(x.shape) - 2], **how),
}


HOW = [(1, {}), (1, {"antialias": True}), (3, {"align_corners": True}), (3, {"interpolation": "nearest"})]


@pytest.mark.parametrize(
    "name, rank, how",
    [("paste", 1, {}), ("paste", 3, {}), *[(name, *how) for name in ("sample", "adjoint") for how in HOW]],
)
def test_functions_on_crops_of_unknown_size(name, rank, how, rng):
    import tensorflow as tf

    crops = rng.normal(size=(2, *(4, 5, 3)[:rank], 2)).astype("float32")
    signature = [tf.TensorSpec((None, *[None] * rank, 2)), tf.TensorSpec((None, 2 * rank))]
    function = functools.partial(FUNCTIONS[name], **how)
    graph = tf.function(function, input_signature=signature)
    for places in PLACES[rank]:
        np.testing.assert_allclose(graph(crops, places), function(crops, places), rtol=1e-4, atol=1e-5)
