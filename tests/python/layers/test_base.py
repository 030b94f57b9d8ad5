"""What every crop layer keeps, whichever way it chooses: one table of layers, one test a promise."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop
from conftest import BACKEND
from own_layers import BrightCrop, PeakCrop

HEIGHT, WIDTH = 5, 6
BOXES = np.array([[0.5, 1.2, 7.1, 8.9]] * 4, "float32")

LAYERS = {
    "center": lambda **kwargs: kerascrop.CenterCrop(HEIGHT, WIDTH, **kwargs),
    "border": lambda **kwargs: kerascrop.BorderCrop(((1, 3), (-1, 7)), **kwargs),
    "window": lambda **kwargs: kerascrop.WindowCrop((2, 7), (-8, -2), **kwargs),
    "random": lambda **kwargs: kerascrop.RandomCrop(HEIGHT, WIDTH, seed=1, **kwargs),
    "pad": lambda **kwargs: kerascrop.RandomCrop(11, WIDTH, seed=1, if_smaller="pad", **kwargs),
    "five": lambda **kwargs: kerascrop.MultiCrop(HEIGHT, WIDTH, **kwargs),
    "ten": lambda **kwargs: kerascrop.MultiCrop(HEIGHT, WIDTH, views="ten", **kwargs),
    "grid": lambda **kwargs: kerascrop.MultiCrop(HEIGHT, WIDTH, views="grid", stride=(5, 4), **kwargs),
    "resized": lambda **kwargs: kerascrop.RandomResizedCrop(HEIGHT, WIDTH, seed=1, **kwargs),
    "box": lambda **kwargs: kerascrop.BoxCrop(HEIGHT, WIDTH, **kwargs),
    "learnable": lambda **kwargs: kerascrop.LearnableCrop(HEIGHT, WIDTH, size="free", **kwargs),
    "bright": lambda **kwargs: BrightCrop(HEIGHT, WIDTH, **kwargs),  # layers as users write them
    "peak": lambda **kwargs: PeakCrop(HEIGHT, WIDTH, **kwargs),
}
WHOLE_PIXELS = ("center", "border", "window", "random", "pad", "five", "ten", "grid", "peak")
VIEWS = {"five": (5,), "ten": (10,), "grid": (2 * 3,)}
layers = pytest.mark.parametrize("name", LAYERS)


def inputs(name, images):
    """What the layer takes: the images, for a BoxCrop with boxes."""
    if name != "box":
        return images
    return [images, BOXES if len(images.shape) == 4 else BOXES[0]]


def symbolic(name, shape, dtype="float32"):
    images = keras.Input(shape, dtype=dtype)
    return [images, keras.Input((4,))] if name == "box" else images


def crops_shape(name, batch):
    return (batch, *VIEWS.get(name, ()), 11 if name == "pad" else HEIGHT, WIDTH, 3)


def array(x):
    return ops.convert_to_numpy(x)


@layers
def test_both_data_formats_give_the_same_crops(name, images):
    last = LAYERS[name](data_format="channels_last")
    swapped = LAYERS[name](data_format="channels_first")
    crops = array(last(inputs(name, images)))
    swapped.build([s.shape for s in inputs(name, images)] if name == "box" else (4, 3, 9, 12))
    swapped.set_weights(last.get_weights())
    assert crops.shape == crops_shape(name, 4)
    got = array(swapped(inputs(name, images.transpose(0, 3, 1, 2))))
    np.testing.assert_allclose(np.moveaxis(got, -3, -1), crops, rtol=1e-5, atol=1e-3)


@layers
def test_keras_setting_of_the_data_format_is_the_default(name, images):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        layer = LAYERS[name]()
        assert layer.data_format == "channels_first"
        assert layer(inputs(name, images.transpose(0, 3, 1, 2))).shape[-3:] == (3, *crops_shape(name, 4)[-3:-1])
        assert LAYERS[name](data_format="channels_last")(inputs(name, images)).shape == crops_shape(name, 4)
    finally:
        keras.config.set_image_data_format(before)


@layers
def test_one_image_is_a_batch_of_one(name, images):
    layer = LAYERS[name](return_boxes=True)
    crops, boxes = layer(inputs(name, images))
    crop, box = layer(inputs(name, images[0]))
    np.testing.assert_allclose(array(crop), array(crops)[0], rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(array(box), array(boxes)[0], rtol=1e-5, atol=1e-4)


@layers
@pytest.mark.parametrize("shape", [(9, 12, 3), (None, None, 3)])
def test_the_symbolic_output_agrees_with_the_real_one(name, shape, images):
    for dtype in ("float32", "uint8"):
        layer = LAYERS[name](return_boxes=True)
        x = symbolic(name, shape, dtype)
        model = keras.Model(x, layer(x))
        for promised, got in zip(model.outputs, model(inputs(name, images.astype(dtype)), training=True)):
            assert promised.dtype == keras.backend.standardize_dtype(got.dtype)
            assert len(promised.shape) == len(got.shape)
            assert all(a in (None, b) for a, b in zip(promised.shape, got.shape))
        if shape[0] or name not in ("border", "grid"):
            assert model.outputs[0].shape == crops_shape(name, None)


@layers
def test_return_boxes_tells_what_was_cut(name, images):
    crops, boxes = LAYERS[name](return_boxes=True)(inputs(name, images))
    antialias = getattr(LAYERS[name](), "antialias", False)
    resampled = kerascrop.BoxCrop(*crops.shape[-3:-1], antialias=antialias)([images, array(boxes)])
    np.testing.assert_allclose(array(crops), array(resampled), rtol=1e-5, atol=2e-2)


@pytest.mark.parametrize("name", WHOLE_PIXELS)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool", "float16", "float32", "float64"])
def test_whole_pixels_keep_their_type(name, dtype, images):
    if BACKEND == "jax" and dtype == "float64":
        pytest.skip("JAX has float64 only when asked")
    layer = LAYERS[name]()
    x = ops.convert_to_tensor(images.astype(dtype))
    assert layer(x, training=True).dtype == x.dtype


@layers
def test_an_empty_batch_gives_an_empty_batch(name, images):
    x = inputs(name, images)
    x = [part[:0] for part in x] if name == "box" else x[:0]
    assert LAYERS[name]()(x).shape == crops_shape(name, 0)


@layers
def test_config_round_trip(name):
    layer = LAYERS[name](data_format="channels_first", return_boxes=True, name="crop")
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config


@layers
def test_mixed_precision(name, images):
    images = images / images.max()
    layer = LAYERS[name](dtype="mixed_float16", return_boxes=True)
    crops, boxes = layer(inputs(name, images))
    assert keras.backend.standardize_dtype(boxes.dtype) == "float32"
    keeps_dtype = name in (*WHOLE_PIXELS, "bright")
    assert keras.backend.standardize_dtype(crops.dtype) == ("float32" if keeps_dtype else "float16")
    antialias = getattr(LAYERS[name](), "antialias", False)
    exact = kerascrop.BoxCrop(*crops.shape[-3:-1], antialias=antialias)([images, array(boxes)])
    np.testing.assert_allclose(array(crops).astype("float32"), array(exact), atol=2e-3)


@pytest.mark.parametrize("name", ["box", "learnable", "resized"])
@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_resampled_crops_come_in_the_layers_type(name, dtype, images):
    crops = LAYERS[name](dtype=dtype)(inputs(name, images))
    assert keras.backend.standardize_dtype(crops.dtype) == dtype


# Compiled by XLA, which takes seconds, each once; of those that are not, one of whole pixels and one that is resampled.
@pytest.mark.parametrize(
    "name, jit_compile", [*((name, BACKEND != "torch") for name in LAYERS), ("random", False), ("box", False)]
)
def test_a_model_with_the_layer_trains_and_predicts(name, jit_compile, images):
    images = images / images.max()
    x = symbolic(name, (9, 12, 3))
    crops = LAYERS[name](name="crop")(x)
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.Flatten()(crops)))
    model.compile("sgd", "mse", jit_compile=jit_compile)
    history = model.fit(inputs(name, images), np.ones((4, 2)), epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert model.predict(inputs(name, images), verbose=0).shape == (4, 2)
    assert model.get_layer("crop").supports_jit


def test_save_and_load_in_a_process_that_has_only_imported_kerascrop(images, tmp_path):
    """All layers in one process, as each takes seconds to begin; users' own come last."""
    expected = {}
    for name in LAYERS:
        x = symbolic(name, (9, 12, 3))
        model = keras.Model(x, LAYERS[name]()(x))
        model.save(tmp_path / f"{name}.keras")
        expected[name] = array(model(inputs(name, images)))
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "boxes.npy", BOXES)
    code = f"""
import kerascrop, keras, numpy as np
images, boxes = np.load("images.npy"), np.load("boxes.npy")
for name in {list(LAYERS)}:
    if name == "bright":
        import own_layers
    model = keras.saving.load_model(name + ".keras", safe_mode=True)
    np.save(name + ".npy", keras.ops.convert_to_numpy(model([images, boxes] if name == "box" else images)))
"""
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=path, check=True)
    for name, crops in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), crops, rtol=1e-5, atol=1e-3, err_msg=name)


@layers
def test_inside_tf_data(name, images):
    import tensorflow as tf

    layer = LAYERS[name]()
    images = images / images.max()
    expected = array(layer(inputs(name, images)))
    x = (images, BOXES) if name == "box" else images
    pack = (lambda *parts: layer(list(parts))) if name == "box" else layer
    for dataset in (
        tf.data.Dataset.from_tensor_slices(x).batch(2).map(pack),
        tf.data.Dataset.from_tensor_slices(x).map(pack).batch(2),
    ):
        assert dataset.element_spec.dtype == tf.float32
        # The localizer inverts a matrix, which multiplies roundings.
        np.testing.assert_allclose(np.concatenate(list(dataset)), expected, atol=1e-3 if name == "learnable" else 1e-5)


@layers
@pytest.mark.parametrize("shape", [(9, 12), (None, 28, 28), (6000, 28, 28), (2, 3, 4, 9, 12, 3)])
def test_a_wrong_rank_is_an_error_that_shows_the_shape(name, shape):
    layer = LAYERS[name]()
    with pytest.raises(kerascrop.checks.ShapeError, match=r"takes a batch of images"):
        layer.compute_output_shape([shape, (4, 4)] if name == "box" else shape)


class Subclassed(keras.Model):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, inputs):
        return self.layer(inputs)


@layers
def test_in_a_model_there_is_a_batch_axis(name):
    sequences = np.zeros((5, 28, 3), "float32")  # through a layer for images
    boxes = np.array([[0, 0, 2, 2]] * 5, "float32")
    x = [sequences, boxes] if name == "box" else sequences
    symbols = [keras.Input(batch_shape=(5, 28, 3)), keras.Input(batch_shape=(5, 4))]
    calls = {
        "functional": lambda: LAYERS[name]()(symbols if name == "box" else symbols[0]),
        "Sequential": lambda: keras.Sequential([LAYERS[name]()])(x),
        "subclassed": lambda: Subclassed(LAYERS[name]())(x),
        "predict": lambda: Subclassed(LAYERS[name]()).predict(x, verbose=0),
    }
    for call in calls.values():
        with pytest.raises(kerascrop.checks.ShapeError, match="in a model takes a batch of images"):
            call()


def test_errors_keep_their_class_in_a_lambda_of_a_dataset():
    import tensorflow as tf

    crop = kerascrop.RandomCrop(40, 5)
    dataset = tf.data.Dataset.from_tensor_slices(np.zeros((2, 9, 12, 3)))
    with pytest.raises(kerascrop.checks.SizeError, match="cannot cut height 40"):
        dataset.map(lambda images: crop(images, training=True))
    with pytest.raises(kerascrop.checks.ShapeError, match="takes a batch of images"):
        dataset.batch(2).map(lambda images: crop(images[..., 0], training=True))


@layers
def test_arguments_are_checked(name):
    for arguments, message in (
        ({"data_format": "NHWC"}, "`data_format` must be one of"),
        ({"return_boxes": 1}, "`return_boxes` must be True or False"),
        ({"nme": "a"}, "Unrecognized keyword arguments .*nme"),
    ):
        with pytest.raises(kerascrop.checks.ArgumentError, match=message):
            LAYERS[name](**arguments)


def test_a_call_takes_one_argument_beside_those_that_are_named(images):
    for name, other in (("center", True), ("random", images), ("box", BOXES), ("learnable", None), ("bright", "pad")):
        with pytest.raises(kerascrop.checks.ArgumentError, match="takes its inputs as one argument, .* a list"):
            LAYERS[name]()(images, other)


LINES = {1: (12,), 3: (6, 8, 9)}
OTHER_DIMENSIONS = {
    (1, "center"): lambda: kerascrop.CenterCrop1D(5),
    (1, "border"): lambda: kerascrop.BorderCrop1D((-1, 3)),
    (1, "window"): lambda: kerascrop.WindowCrop1D((-5, -1)),
    (1, "random"): lambda: kerascrop.RandomCrop1D(5, seed=1),
    (3, "center"): lambda: kerascrop.CenterCrop3D(3, 5, 9),
    (3, "border"): lambda: kerascrop.BorderCrop3D(((1, 2), (-1, 0), (3, 3))),
    (3, "window"): lambda: kerascrop.WindowCrop3D((1, 4), (2, None), -1),
    (3, "random"): lambda: kerascrop.RandomCrop3D(3, 5, 9, seed=1),
}


@pytest.mark.parametrize("rank, name", OTHER_DIMENSIONS)
def test_sequences_and_volumes_train_predict_and_are_saved(rank, name, rng, tmp_path):
    x = rng.normal(size=(4, *LINES[rank], 2)).astype("float32")
    expected = array(OTHER_DIMENSIONS[rank, name]()(x))
    symbol = keras.Input(x.shape[1:])
    crops = OTHER_DIMENSIONS[rank, name]()(symbol)
    model = keras.Model(symbol, [crops, keras.layers.Dense(1)(keras.layers.Flatten()(crops))])
    model.compile("sgd", [None, "mse"], jit_compile=BACKEND != "torch")
    assert np.isfinite(model.fit(x, [expected, np.ones((4, 1))], verbose=0).history["loss"]).all()
    np.testing.assert_array_equal(model.predict(x, verbose=0)[0], expected)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0)[0], expected)
    config = model.layers[1].get_config()
    assert type(model.layers[1]).from_config(config).get_config() == config
    assert array(OTHER_DIMENSIONS[rank, name]()(x[:0])).shape == (0, *expected.shape[1:])
    bytes_ = ops.convert_to_tensor((x * 9).astype("int32"))
    assert OTHER_DIMENSIONS[rank, name]()(bytes_, training=True).dtype == bytes_.dtype


@pytest.mark.tensorflow
@pytest.mark.parametrize("rank, name", OTHER_DIMENSIONS)
def test_sequences_and_volumes_of_unknown_size(rank, name, rng):
    import tensorflow as tf

    x = rng.normal(size=(4, *LINES[rank], 2)).astype("float32")
    layer = OTHER_DIMENSIONS[rank, name]()
    unknown = tf.TensorSpec((None, *(None,) * rank, 2))
    np.testing.assert_array_equal(tf.function(layer, input_signature=[unknown])(x), array(layer(x)))
    drawn = tf.function(lambda images: layer(images, training=True), input_signature=[unknown])(x)
    assert drawn.shape == layer(x).shape


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", [name for name in WHOLE_PIXELS if name not in ("pad", "peak")])
def test_images_of_unknown_size_that_are_too_small_are_an_error_under_xla_too(name, jit_compile):
    import tensorflow as tf

    layer = LAYERS[name]()
    crop = tf.function(
        lambda x: layer(x, training=True), [tf.TensorSpec((None, None, None, 3))], jit_compile=jit_compile
    )
    assert crop(np.zeros((2, 9, 12, 3), "float32")).shape == crops_shape(name, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot.(cut|remove)"):
        crop(np.zeros((2, 4, 12, 3), "float32"))


@pytest.mark.parametrize("shape", [(9, 12, 3), (4, 9, 12, 3), (4, 7, 9, 12, 3)])
def test_lengths_of_images_batches_and_clips(shape):
    layer = kerascrop.CenterCrop(2, 2, data_format="channels_last")
    assert layer.lengths(shape) == (9, 12)
    assert layer.with_lengths(shape, (5, 6)) == (*shape[:-3], 5, 6, 3)


def test_lengths_that_are_not_known_stay_none():
    layer = kerascrop.CenterCrop(2, 2, data_format="channels_first")
    assert layer.lengths((None, 3, None, 12)) == (None, 12)
    assert layer.with_lengths((None, 3, None, 12), (None, 6)) == (None, 3, None, 6)


BOX = np.zeros((1, 4), "float32")
LARGE = {
    "five": lambda x: kerascrop.MultiCrop(20_000, 20_000, if_smaller="pad")(x),
    "larger": lambda x: kerascrop.BorderCrop(-17_000)(x),
    "pad": lambda x: kerascrop.CenterCrop(34_000, 34_000, if_smaller="pad")(x),
    "enlarge": lambda x: kerascrop.CenterCrop(34_000, 34_000, if_smaller="resize")(x),
    "boxes": lambda x: kerascrop.BoxCrop(20_000, 20_000, dtype="float64")([x, BOX[:, None].repeat(4, 1)]),
    "Windows": lambda x: kerascrop.Windows((-5, -5), (34_000, 34_000)).cut(x),
    "Samples": lambda x: kerascrop.Samples(BOX[:, None].repeat(4, 1), (20_000, 20_000)).cut(x),
    "sample": lambda x: kerascrop.sample(x, BOX, (34_000, 34_000)),
    "paste": lambda x: kerascrop.paste(x, BOX, (34_000, 34_000)),
    "adjoint": lambda x: kerascrop.adjoint(x, BOX, (34_000, 34_000)),
    "uncrop": lambda x: kerascrop.Uncrop(34_000, 34_000)([x, BOX]),
    "symbolic": lambda x: kerascrop.BorderCrop(-17_000)(keras.Input(batch_shape=x.shape, dtype="float64")),
}


@pytest.mark.parametrize("name", LARGE)
def test_more_than_8_gib_is_an_error_before_anything_is_made(name):
    x = np.zeros((1, 10, 10, 1), "float64")
    with pytest.raises(kerascrop.checks.SizeError, match="GiB"):
        LARGE[name](x)
