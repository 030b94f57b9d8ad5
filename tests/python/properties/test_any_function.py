"""Any call of a function on arrays gives what the specification in `oracle.py` says."""

import numpy as np
from hypothesis import strategies as st

import kerascrop
import oracle
from cases import DTYPES, FORMATS, Config, boxes, cases, for_any, pixels, run
from sampling_cases import assert_samples, how, lengths, samplings

KINDS = ("inside", "beyond", "mirrored", "whole", "grid", "point", "far", "nan", "inf")


def sample_shapes(config):
    images, numbers = st.integers(0, 3), st.integers(0, 4)
    return st.fixed_dictionaries({"lengths": lengths(len(config["size"])), "batch": images, "boxes": numbers})


def make_sample(config):
    def sample(inputs):
        ours, _ = how(config)
        return kerascrop.sample(
            inputs["images"],
            inputs["boxes"],
            config["size"],
            fill_value=config["fill_value"],
            box_indices=inputs.get("box_indices"),
            **ours,
        )

    return sample


def sampling_inputs(case):
    rng, config = np.random.default_rng(case.seed), case.config
    batch, number = case.shape["batch"], case.shape["boxes"]
    images = pixels(rng, (batch, *case.shape["lengths"], config["channels"]), config["dtype"])
    indices = None
    if config["paired"] == "indices":
        number = number if batch else 0
        indices = rng.integers(0, max(batch, 1), number).astype("int32")
    lead = {"one": (batch,), "many": (batch, number), "indices": (number,)}[config["paired"]]
    return {
        "images": images,
        "boxes": boxes(rng, lead, case.shape["lengths"], config["size"], KINDS),
        "box_indices": indices,
    }


@for_any(cases(samplings(), sample_shapes), share=20)
def test_any_sample(case):
    inputs, config = sampling_inputs(case), case.config
    crops = run(case, make_sample, inputs)
    images, boxes_ = inputs["images"], inputs["boxes"]
    assert crops.shape == (*boxes_.shape[:-1], *config["size"], config["channels"])
    for place in np.ndindex(*boxes_.shape[:-1]):
        image = images[inputs["box_indices"][place[0]] if config["paired"] == "indices" else place[0]]
        assert_samples(crops[place], image, boxes_[place], config["fill_value"], how(config)[1], config["dtype"])


# Boxes


@st.composite
def conversions(draw):
    rank = draw(st.sampled_from((2, 2, 1, 3)))
    names = st.sampled_from(list(oracle.FORMATS))
    return Config(source=draw(names), target=draw(names), lengths=draw(lengths(rank, (0, 50, 50, 50))))


def number_of_boxes(config):
    return st.fixed_dictionaries({"lead": st.lists(st.integers(0, 3), max_size=3)})


def image_size(config):
    return dict(zip(("width", "height", "depth"), config["lengths"][::-1]))


def make_conversion(config):
    return lambda inputs: kerascrop.convert_boxes(
        inputs["boxes"], config["source"], config["target"], **image_size(config)
    )


FINITE = ("inside", "beyond", "mirrored", "grid", "point")


@for_any(cases(conversions(), number_of_boxes), share=4)
def test_any_conversion_of_boxes(case):
    config, lead = case.config, case.shape["lead"]
    rng, size = np.random.default_rng(case.seed), config["lengths"]
    given = boxes(rng, (*lead, 1), size, size, ("inside", "beyond", "grid", "point"))[..., 0, :]
    flat = [oracle.from_xyxy(box, config["source"], size) for box in given.reshape(-1, given.shape[-1])]
    given = np.reshape(flat, given.shape).astype("float32")
    found = run(case, make_conversion, {"boxes": given})
    for place in np.ndindex(*lead):
        expected = oracle.from_xyxy(oracle.to_xyxy(given[place], config["source"], size), config["target"], size)
        np.testing.assert_allclose(found[place], expected, rtol=1e-5, atol=2e-6 * max(size))


@st.composite
def overlaps(draw):
    return Config(lead=draw(st.sampled_from(("same", "all"))))


def make_iou(config):
    def iou(inputs):
        one, other = inputs["boxes"], inputs["others"]
        return kerascrop.box_iou(*((one, other) if config["lead"] == "same" else (one[:, None], other[None])))

    return iou


@for_any(cases(overlaps(), lambda config: st.fixed_dictionaries({"n": st.integers(0, 4)})), share=2)
def test_any_overlap_of_boxes(case):
    rng, n = np.random.default_rng(case.seed), case.shape["n"]
    one, other = (boxes(rng, (n,), (9, 12), (2, 3), FINITE) for _ in range(2))
    found = run(case, make_iou, {"boxes": one, "others": other})
    for place in np.ndindex(*found.shape):
        expected = oracle.iou(one[place[0]].astype("float64"), other[place[-1]].astype("float64"))
        np.testing.assert_allclose(found[place], expected, rtol=1e-4, atol=1e-5)


@st.composite
def maskings(draw):
    return Config(rank=draw(st.integers(1, 3)), dtype=draw(st.sampled_from(("bool", "uint8", "int32", "float32"))))


def make_mask_boxes(config):
    return lambda inputs: kerascrop.boxes_from_masks(inputs["images"])


def mask_shapes(config):
    rank = config["rank"]
    return st.fixed_dictionaries(
        {"lengths": lengths(rank), "batch": st.integers(0, 3), "share": st.sampled_from((0.0, 0.05, 0.3))}
    )


@for_any(cases(maskings(), mask_shapes), share=2)
def test_any_box_around_a_mask(case):
    rng, shape = np.random.default_rng(case.seed), case.shape
    masks = rng.random((shape["batch"], *shape["lengths"])) < shape["share"]
    found = run(case, make_mask_boxes, {"images": masks.astype(case.config["dtype"])}, channels=None)
    expected = np.reshape([oracle.mask_box(mask) for mask in masks], (-1, 2 * len(shape["lengths"])))
    np.testing.assert_array_equal(found, expected)


def make_theta(config):
    def there_and_back(inputs):
        theta = kerascrop.theta_from_boxes(inputs["boxes"], config["source"], **image_size(config))
        return theta, kerascrop.boxes_from_theta(theta, config["target"], **image_size(config))

    return there_and_back


@for_any(cases(conversions(), number_of_boxes), share=2)
def test_any_affine_matrix_of_a_box(case):
    config, lead = case.config, case.shape["lead"]
    rng, size, rank = np.random.default_rng(case.seed), config["lengths"], len(config["lengths"])
    given = boxes(rng, (*lead, 1), size, size, ("inside", "beyond", "grid"))[..., 0, :]
    flat = [oracle.from_xyxy(box, config["source"], size) for box in given.reshape(-1, 2 * rank)]
    given = np.reshape(flat, given.shape).astype("float32")
    thetas, back = run(case, make_theta, {"boxes": given})
    for place in np.ndindex(*lead):
        box = oracle.to_xyxy(given[place], config["source"], size)
        # The matrix takes -1 and 1, the sides of the crop, to the sides of the box, in coordinates from -1 to 1.
        theta = thetas[place].astype("float64")
        for end, corner in ((-1, box[:rank]), (1, box[rank:])):
            moved = theta[:, :-1] @ np.full(rank, end) + theta[:, -1]
            np.testing.assert_allclose((moved + 1) / 2 * size[::-1], corner, rtol=1e-4, atol=1e-5 * max(size))
        expected = oracle.from_xyxy(box, config["target"], size)
        np.testing.assert_allclose(back[place], expected, rtol=1e-4, atol=1e-5 * max(size))


# Windows anywhere


@st.composite
def anywhere(draw):
    rank = draw(st.sampled_from((2, 2, 1, 3)))
    return Config(
        size=draw(st.tuples(*[st.integers(1, 5)] * rank)),
        dtype=draw(st.sampled_from(DTYPES)),
        data_format=draw(st.sampled_from(FORMATS)),
        fill_value=draw(st.sampled_from((0, 1))),
    )


def make_windows(config):
    def cut(inputs):
        starts = [inputs[f"start{axis}"][:, 0] for axis in range(len(config["size"]))]
        choice = kerascrop.Windows(starts, config["size"], config["fill_value"])
        return choice.cut(inputs["images"], data_format=config["data_format"])

    return cut


def window_shapes(config):
    return st.fixed_dictionaries({"lengths": lengths(len(config["size"])), "batch": st.integers(0, 3)})


@for_any(cases(anywhere(), window_shapes), share=4)
def test_any_windows(case):
    rng, config, shape = np.random.default_rng(case.seed), case.config, case.shape
    rank, first = len(config["size"]), config["data_format"] == "channels_first"
    images = pixels(rng, (shape["batch"], *shape["lengths"], 2), config["dtype"], extremes=True)
    starts = rng.integers(-7, 12, (shape["batch"], rank)).astype("int32")
    inputs = {f"start{axis}": starts[:, axis : axis + 1] for axis in range(rank)}
    inputs["images"] = np.moveaxis(images, -1, 1) if first else images
    found = run(case, make_windows, inputs, channels=1 - rank - 2 if first else -1)
    found = np.moveaxis(found, 1, -1) if first else found
    for image, start, crop in zip(images, starts, found):
        expected = oracle.window(image, start, config["size"], config["fill_value"])
        np.testing.assert_array_equal(crop, expected.astype(crop.dtype))
