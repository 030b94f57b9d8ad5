"""Any crops go back to images as the specification in `oracle.py` says."""

import numpy as np
from hypothesis import strategies as st

import kerascrop
import oracle
from cases import FORMATS, Config, boxes, cases, for_any, pixels, run
from sampling_cases import EPS, how, lengths, samplings

BOXES = ("inside", "beyond", "mirrored", "whole", "grid", "point")
DTYPES = ("float32", "float32", "uint8", "int32", "float16", "bfloat16", "float64")


def shapes(config):
    size = st.tuples(*[st.integers(1, 6)] * len(config["lengths"]))
    return st.fixed_dictionaries({"size": size, "batch": st.integers(0, 3), "boxes": st.integers(1, 4)})


def crops_of(case, kinds):
    rng, config, shape = np.random.default_rng(case.seed), case.config, case.shape
    lead = (shape["batch"], shape["boxes"])[: 1 + config["many"]]
    crops = pixels(rng, (*lead, *shape["size"], config["channels"]), config["dtype"])
    return {"crops": crops, "boxes": boxes(rng, lead, config["lengths"], shape["size"], kinds)}


# The transpose of sampling


def adjoints(config):
    config = {**config, "many": config["paired"] == "many", "lengths": config["size"]}
    return Config({key: config[key] for key in config if key not in ("size", "paired", "fill_value")})


def make_adjoint(config):
    options, _ = how(config)
    return lambda inputs: kerascrop.adjoint(inputs["crops"], inputs["boxes"], config["lengths"], **options)


@for_any(cases(samplings().map(adjoints), shapes), share=6)
def test_any_adjoint(case):
    inputs, config, size = crops_of(case, (*BOXES, "far")), case.config, case.shape["size"]
    crops, boxes_ = inputs["crops"], inputs["boxes"]
    options = how(config)[1]
    for place in np.ndindex(boxes_.shape[:-1]):  # a rounding must not decide
        slack = 4e-7 * (np.abs(boxes_[place]).max() + max(config["lengths"]))
        if slack > 1e-3 and config["fill_mode"] != "constant":
            boxes_[place] = 0  # so far away, float32 cannot tell the pixels
        crops[place][oracle.undecided(boxes_[place], size, config["lengths"], slack, **options)] = 0
    found = run(case, make_adjoint, inputs)
    for b, image in enumerate(found):
        several = (crops[b], boxes_[b]) if config["many"] else (crops[b : b + 1], boxes_[b : b + 1])
        expected = sum(oracle.adjoint(crop, box, config["lengths"], **options) for crop, box in zip(*several))
        total = max(1.0, sum(np.abs(crop.astype("float64")).max(initial=0) for crop in several[0]))
        close = (1e-4 + 64 * EPS.get(config["dtype"], 2.0**-23)) * total * np.prod(size)
        np.testing.assert_allclose(image, expected, rtol=0, atol=close)


# Pasting


@st.composite
def pastings(draw):
    rank = draw(st.sampled_from((2, 2, 2, 1, 3)))
    return Config(
        lengths=draw(lengths(rank)),
        dtype=draw(st.sampled_from(DTYPES)),
        channels=draw(st.integers(1, 3)),
        many=draw(st.booleans()),
        fill_value=draw(st.sampled_from((0, 1, 7))),
        whole=draw(st.booleans()),
    )


def make_paste(config):
    return lambda inputs: kerascrop.paste(inputs["crops"], inputs["boxes"], config["lengths"], config["fill_value"])


def assert_pasted(image, crops, boxes_, config, rounded=False):
    expected = oracle.paste(crops, boxes_, config["lengths"], config["fill_value"])
    most = max(np.abs(crops.astype("float64")).max(initial=0), config["fill_value"])
    close = (2e-5 * len(crops) + 8 * EPS.get(config["dtype"], 2.0**-23)) * max(most, 1.0)
    np.testing.assert_allclose(image, expected, rtol=0, atol=close + 0.5 * rounded)


@for_any(cases(pastings(), shapes), share=8)
def test_any_paste(case):
    config = case.config
    inputs = crops_of(case, ("whole",) if config["whole"] else BOXES)
    for b, image in enumerate(run(case, make_paste, inputs)):
        one = slice(b, b + 1) if not config["many"] else b
        assert_pasted(image, inputs["crops"][one], inputs["boxes"][one], config)


@st.composite
def uncrops(draw):
    return Config(
        draw(pastings().filter(lambda config: len(config["lengths"]) == 2)),
        data_format=draw(st.sampled_from(FORMATS)),
        box_format=draw(st.sampled_from(list(oracle.FORMATS))),
    )


def make_uncrop(config):
    options = {key: config[key] for key in ("data_format", "box_format", "fill_value")}
    layer = kerascrop.Uncrop(*config["lengths"], **options)
    return lambda inputs: layer([inputs["crops"], inputs["boxes"]])


@for_any(cases(uncrops(), shapes), share=5)
def test_any_uncrop(case):
    config = case.config
    inputs = crops_of(case, ("whole",) if config["whole"] else BOXES)
    first = config["data_format"] == "channels_first"
    moved = [oracle.from_xyxy(box, config["box_format"], config["lengths"]) for box in inputs["boxes"].reshape(-1, 4)]
    moved = np.array(moved).reshape(inputs["boxes"].shape).astype("float32")
    crops = np.moveaxis(inputs["crops"], -1, -3) if first else inputs["crops"]
    images = run(case, make_uncrop, {"crops": crops, "boxes": moved}, channels=-3 if first else -1)
    images = np.moveaxis(images, 1, -1) if first else images
    assert str(images.dtype) == config["dtype"].replace("bfloat16", "float32")
    for b, image in enumerate(images):
        one = slice(b, b + 1) if not config["many"] else b
        given = np.array([oracle.to_xyxy(box, config["box_format"], config["lengths"]) for box in moved[one]])
        assert_pasted(image, inputs["crops"][one], given, config, rounded="int" in config["dtype"])


# What was cut goes back


@st.composite
def round_trips(draw):
    size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    return Config(
        size=size,
        stride=draw(st.tuples(*[st.integers(1, n) for n in size])),
        lengths=tuple(n + draw(st.integers(0, 5)) for n in size),
        data_format=draw(st.sampled_from(FORMATS)),
        dtype=draw(st.sampled_from(("uint8", "int32", "float32", "float64"))),
    )


def make_round_trip(config):
    grid = kerascrop.MultiCrop(
        *config["size"], views="grid", stride=config["stride"], data_format=config["data_format"], return_boxes=True
    )
    back = kerascrop.Uncrop(*config["lengths"], data_format=config["data_format"])
    return lambda inputs: back(list(grid(inputs["images"])))


@for_any(cases(round_trips(), lambda config: st.fixed_dictionaries({"batch": st.integers(0, 3)})), share=2)
def test_any_grid_of_crops_goes_back_to_the_image(case):
    config = case.config
    shape = (*config["lengths"], 2) if config["data_format"] == "channels_last" else (2, *config["lengths"])
    images = pixels(np.random.default_rng(case.seed), (case.shape["batch"], *shape), config["dtype"])
    channels = -1 if config["data_format"] == "channels_last" else -3
    found = run(case, make_round_trip, {"images": images}, channels)
    np.testing.assert_allclose(found, images, rtol=1e-6, atol=1e-6)
