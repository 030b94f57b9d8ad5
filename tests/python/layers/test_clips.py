"""Clips `(batch, time, height, width, channels)`: one box for all frames, so each frame is cropped as an image is."""

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop
from conftest import BACKEND, gradient

BOXES = np.array([[0.5, 1.2, 7.1, 8.9], [2, 1, 11, 7]], "float32")
MANY = np.stack([BOXES, BOXES[::-1]], axis=1)
LAYERS = {
    "resized": lambda **kwargs: kerascrop.RandomResizedCrop(5, 6, seed=1, **kwargs),
    "box": lambda **kwargs: kerascrop.BoxCrop(5, 6, antialias=True, **kwargs),
    "boxes": lambda **kwargs: kerascrop.BoxCrop(5, 6, **kwargs),
    "custom": lambda **kwargs: kerascrop.CustomCrop(5, 6, lambda x, training: BOXES, **kwargs),
    "learnable": lambda **kwargs: kerascrop.LearnableCrop(5, 6, size="free", **kwargs),
    "canvas": lambda **kwargs: kerascrop.LearnableCrop(5, 6, size="free", resize=False, localizer="global", **kwargs),
    "center": lambda **kwargs: kerascrop.CenterCrop(5, 6, **kwargs),
    "enlarged": lambda **kwargs: kerascrop.CenterCrop(11, 6, if_smaller="resize", **kwargs),
    "five": lambda **kwargs: kerascrop.MultiCrop(5, 6, **kwargs),
}
layers = pytest.mark.parametrize("name", LAYERS)


@pytest.fixture
def clips(rng):
    return rng.uniform(size=(2, 3, 9, 12, 2)).astype("float32")


def inputs(name, x):
    boxes = {"box": BOXES, "boxes": MANY}.get(name)
    return x if boxes is None else [x, boxes]


def arrays(outputs):
    return [ops.convert_to_numpy(part) for part in keras.tree.flatten(outputs)]


@layers
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_every_frame_is_cropped_by_the_box_of_the_clip(name, data_format, clips):
    x = clips if data_format == "channels_last" else np.moveaxis(clips, -1, 2)
    layer = LAYERS[name](return_boxes=True, data_format=data_format)
    crops, boxes = arrays(layer(inputs(name, x), training=name == "resized"))
    crops = crops if data_format == "channels_last" else np.moveaxis(crops, -3, -1)
    several = boxes.ndim == 3
    assert crops.shape[: 2 + several] == (2, *((boxes.shape[1],) if several else ()), 3)
    if name == "canvas":
        return  # not of the crops' size
    boxes = np.broadcast_to(boxes, (2, *boxes.shape[1:]))
    antialias = name in ("box", "resized", "learnable")
    fill_mode = "nearest" if name == "enlarged" else "constant"
    for frame in range(3):
        box_crop = kerascrop.BoxCrop(*crops.shape[-3:-1], antialias=antialias, fill_mode=fill_mode)
        truth = ops.convert_to_numpy(box_crop([clips[:, frame], boxes]))
        np.testing.assert_allclose(crops[:, :, frame] if several else crops[:, frame], truth, atol=1e-5)
    shapes = layer.compute_output_shape([x.shape, inputs(name, x)[1].shape] if name.startswith("box") else x.shape)
    assert shapes[1] == (2, *boxes.shape[1:]) and sorted(shapes[0]) == sorted(crops.shape)


@layers
def test_masks_of_clips_and_models_of_them(name, clips):
    symbols = keras.Input((3, 9, 12, 2))
    given = [symbols, keras.Input(inputs(name, clips)[1].shape[1:])] if name.startswith("box") else symbols
    layer = LAYERS[name](return_boxes=True)
    model = keras.Model(given, layer(given))
    for promised, got in zip(model.outputs, arrays(model(inputs(name, clips)))):
        assert promised.shape[1:] == got.shape[1:]
    data = {"images": clips, "segmentation_masks": (clips[..., 0] > 0.5).astype("uint8")}
    if name.startswith("box"):
        data["boxes"] = inputs(name, clips)[1]
    crops, _ = layer(data)
    nearest = ops.convert_to_numpy(crops["segmentation_masks"])
    assert nearest.shape == crops["images"].shape[:-1] and set(np.unique(nearest)) <= {0, 1} and nearest.any()


def test_a_still_clip_has_the_learned_box_of_its_image(clips):
    still = np.repeat(clips[:, :1], 3, axis=1)
    layer = kerascrop.LearnableCrop(5, 6, size="square", return_boxes=True)
    _, boxes = arrays(layer(still[:, 0]))
    np.testing.assert_allclose(arrays(layer(still))[1], boxes, atol=1e-4)


def test_all_frames_give_their_box_a_gradient(clips):
    layer, clips = kerascrop.BoxCrop(4, 5, dtype="float64"), clips.astype("float64")

    def loss(boxes):
        return ops.sum(layer([ops.convert_to_tensor(clips), boxes]) ** 2)

    slopes = gradient(loss, BOXES.astype("float64"))
    step = np.zeros((2, 4))
    step[0, 2] = 1e-5
    ends = [float(ops.convert_to_numpy(loss(ops.convert_to_tensor(BOXES + sign * step)))) for sign in (1, -1)]
    np.testing.assert_allclose(slopes[0, 2], (ends[0] - ends[1]) / 2e-5, rtol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="needs the TensorFlow backend")
@layers
def test_clips_in_a_dataset(name, clips):
    import tensorflow as tf

    layer, x = LAYERS[name](), inputs(name, clips)
    if name == "resized":
        x = np.ones_like(clips)
    expected = layer(x)
    parts = tuple(x) if isinstance(x, list) else (x,)
    shapes = [(None,) * (part.ndim - 1) + part.shape[-1:] for part in parts]
    signature = tuple(map(tf.TensorSpec, shapes))
    dataset = tf.data.Dataset.from_generator(lambda: [parts], output_signature=signature)
    found = next(iter(dataset.map(lambda *parts: layer(list(parts) if len(parts) > 1 else parts[0]))))
    np.testing.assert_allclose(found, expected, atol=1e-4)
