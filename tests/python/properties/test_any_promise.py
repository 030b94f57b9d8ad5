"""What any crop layer promises beside its crops: shapes, saving, seeds, errors, and boxes that lie in the image."""

import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from keras.backend import standardize_dtype

import kerascrop
from cases import BACKEND, Case, Config, array, cases, for_any, pixels, run, tensor
from kerascrop.checks import SizeError
from layer_cases import inputs_of, layers, make_layer, nested, shapes, size_of, to_format
from sampling_cases import assert_samples

EAGER = {"eager": 1}


@for_any(cases(layers(), shapes, EAGER), share=4)
def test_any_output_has_the_promised_shape_and_type(case):
    config = case.config
    inputs = inputs_of(case)
    inputs["images"] = to_format(inputs["images"], config)
    if "masks" in inputs:
        inputs["masks"] = to_format(inputs["masks"], config, config["mask"][1])
    tensors = {name: tensor(value) for name, value in inputs.items()}
    layer = make_layer(config)
    got = layer(nested(tensors, config), training=config["training"])
    shape_of = keras.tree.map_structure(lambda x: tuple(x.shape), got)
    promised = layer.compute_output_shape(nested({name: tuple(x.shape) for name, x in tensors.items()}, config))
    keras.tree.assert_same_paths(promised, shape_of)
    assert keras.tree.flatten(promised) == keras.tree.flatten(shape_of)
    if config["form"] == "single":
        return  # in a model there is a batch axis
    symbols = {name: keras.KerasTensor(tuple(x.shape), standardize_dtype(x.dtype)) for name, x in tensors.items()}
    spec = layer(nested(symbols, config))
    for promise, result in zip(keras.tree.flatten(spec), keras.tree.flatten(got), strict=True):
        assert promise.shape == tuple(result.shape)
        assert promise.dtype == standardize_dtype(result.dtype)


@for_any(layers().map(lambda config: Case("eager", config, {}, 0)), share=1)
def test_any_layer_is_saved_with_all_its_arguments(case):
    layer = make_layer(case.config)
    if case.config["kind"] == "custom":
        return  # a function is not saved
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    kept = {**case.config["arguments"], "data_format": case.config["data_format"]}
    for name, value in kept.items():
        assert np.array_equal(getattr(again, name), value) or getattr(again, name) == value


random_layers = layers().filter(lambda config: config["kind"] in ("random", "resized") and config["form"] == "batch")


@for_any(cases(random_layers, shapes, EAGER), share=1)
def test_any_seed_gives_the_same_places_again(case):
    inputs = inputs_of(case)
    images = tensor(to_format(inputs["images"], case.config))
    one, other = make_layer(case.config), make_layer(case.config)
    for _ in range(3):
        np.testing.assert_array_equal(*[array(layer(images, training=True)[1]) for layer in (one, other)])


@st.composite
def too_small(draw):
    kinds = ("center", "random", "five", "ten", "grid", "border")
    config = draw(layers().filter(lambda config: config["kind"] in kinds))
    if config["kind"] != "border":
        config = Config({**config, "arguments": {**config["arguments"], "if_smaller": "error"}})
    elif max(before + after for before, after in config["arguments"]["cropping"]) < 1:
        config = Config({**config, "arguments": {"cropping": ((1, 1),) * config["rank"]}})
    return config


def small_shapes(config):
    if config["kind"] == "border":
        least = [max(1, before + after + 1) for before, after in config["arguments"]["cropping"]]
    else:
        least = size_of(config["arguments"])

    def shrink(axis):
        return [max(1, n - 1) if i == axis else n + 1 for i, n in enumerate(least)]

    able = [axis for axis, n in enumerate(least) if n > 1]
    if not able:
        return st.nothing()
    return st.sampled_from(able).map(lambda axis: {"lengths": shrink(axis)})


@for_any(
    too_small()
    .filter(lambda config: not small_shapes(config).is_empty)
    .flatmap(lambda config: small_shapes(config).map(lambda shape: Case("eager", config, shape, 0))),
    share=2,
)
def test_any_image_that_is_too_small_is_an_error(case):
    config, layer = case.config, make_layer(case.config)
    images = to_format(np.zeros((2, *case.shape["lengths"], config["channels"]), "float32"), config)
    for use in (layer, lambda x: layer.compute_output_shape(x.shape)):
        with pytest.raises(SizeError):
            use(images)


# Learnable crops


@st.composite
def learnables(draw):
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    kind = draw(st.sampled_from(("fixed", "square", "free")))
    return Config(
        size=size,
        learned=kind,
        min_size=None if kind == "fixed" else draw(st.sampled_from((None, 2, 0.25))),
        localizer=draw(st.sampled_from((None, "global"))),
        antialias=draw(st.booleans()),
        snap=draw(st.booleans()),
        data_format=draw(st.sampled_from(("channels_last", "channels_first"))),
        training=draw(st.booleans()),
    )


def make_learnable(config):
    layer = kerascrop.LearnableCrop(
        *config["size"],
        size=config["learned"],
        min_size=config["min_size"],
        localizer=config["localizer"],
        antialias=config["antialias"],
        snap=config["snap"],
        data_format=config["data_format"],
        return_boxes=True,
        seed=1,
    )
    shape = (None, None, None, 2) if config["data_format"] == "channels_last" else (None, 2, None, None)
    layer.build(shape)

    def call(inputs):
        with keras.StatelessScope(state_mapping=[(v, v.value) for v in layer.variables]):
            return layer(inputs["images"], training=config["training"])

    return call


def learnable_shapes(config):
    least = max(config["size"]) if config["learned"] == "square" else 1
    least = [max(n, least, config["min_size"] or 1) for n in config["size"]]
    return st.fixed_dictionaries(
        {"lengths": st.tuples(*[st.integers(int(n), int(n) + 9) for n in least]), "batch": st.integers(0, 3)}
    )


LEARNABLE_WAYS = {"tensorflow": {"graph": 1}, "jax": {"static": 1}, "torch": {"eager": 1}}[BACKEND]


@for_any(cases(learnables(), learnable_shapes, LEARNABLE_WAYS), share=2)
def test_any_learnable_crop_is_that_of_a_box_inside_the_image(case):
    config, lengths = case.config, case.shape["lengths"]
    last = config["data_format"] == "channels_last"
    images = pixels(np.random.default_rng(case.seed), (case.shape["batch"], *lengths, 2), "float32")
    moved = images if last else np.moveaxis(images, -1, 1)
    crops, found = run(case, make_learnable, {"images": moved}, channels=-1 if last else -3)
    crops = crops if last else np.moveaxis(crops, 1, -1)
    assert crops.shape == (len(images), *config["size"], 2)
    if not config["training"]:  # in training, a crop is a mean of two
        assert (found >= -1e-4).all() and (found[:, 2:] <= np.array(lengths[::-1]) * (1 + 1e-5)).all()
        how = {"interpolation": "antialias" if config["antialias"] else "bilinear"}
        for image, crop, box in zip(images, crops, found.astype("float64")):
            assert_samples(crop, image, box, 0, how, "float32")
            if config["learned"] == "fixed":
                np.testing.assert_allclose(box[2:] - box[:2], config["size"][::-1], rtol=1e-4)
            if config["learned"] == "square":
                np.testing.assert_allclose(*(box[2:] - box[:2]), rtol=1e-4)
            if config["learned"] == "fixed" and config["snap"]:
                np.testing.assert_array_equal(box, np.round(box))
