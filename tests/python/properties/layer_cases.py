"""How the property tests draw layers, and what these are called with."""

import numpy as np
from hypothesis import strategies as st
from keras import ops

import kerascrop
import oracle
from cases import DTYPES, FORMATS, Config, boxes, pixels
from sampling_cases import FILL_MODES

RANKS = st.sampled_from((2, 2, 2, 1, 3))
SUFFIX = {1: "1D", 2: "", 3: "3D"}
LINES = {1: ("steps",), 2: ("rows", "cols"), 3: ("slices", "rows", "cols")}
MOST = {1: 12, 2: 9, 3: 5}
WINDOWS = ("center", "random", "border", "window", "five", "ten", "grid")
VALUES = (0, 1, 7)


def some_lines():
    """Rows or columns as slices have them: from either end, or from both."""
    number = st.integers(0, 3)
    return st.tuples(number, number, st.sampled_from(("first", "last", "middle"))).map(
        lambda drawn: {
            "first": (drawn[0], drawn[0] + drawn[1] + 1),
            "last": (-drawn[0] - drawn[1] - 1, -drawn[0] or None),
            "middle": (drawn[0], -drawn[1] or None),
        }[drawn[2]]
    )


def lines_of(kwargs):
    return [kwargs[name] for name in LINES[3] + LINES[1] if name in kwargs]


def lines_in(lines, length):
    """Start and stop in an image of this length, or beyond it."""
    start, stop = lines
    stop = length if stop is None else stop
    return (start if start >= 0 else length + start), (stop if stop >= 0 else length + stop)


def fits(lines, length, if_smaller):
    start, stop = lines_in(lines, length)
    return start < stop and (0 <= start and stop <= length if if_smaller == "error" else start < length and stop > 0)


def a_size(rank, most=6):
    return st.tuples(*[st.integers(1, min(most, MOST[rank]))] * rank)


@st.composite
def arguments(draw, kind, rank):
    """A layer's own arguments."""
    if kind == "border":
        cropping = draw(st.tuples(*[st.tuples(st.integers(-2, 2), st.integers(-2, 2))] * rank))
        return {"cropping": cropping, "fill_value": draw(st.sampled_from((0, 1)))}
    if kind == "window":
        lines = dict(zip(LINES[rank], draw(st.tuples(*[some_lines()] * rank))))
        if_smaller, fill_value = draw(st.sampled_from(("error", "pad", "keep"))), draw(st.sampled_from((0, 1)))
        return lines | {"if_smaller": if_smaller, "fill_value": fill_value}
    size = draw(a_size(rank))
    kwargs = dict(zip({1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}[rank], size))
    if kind in WINDOWS:
        kwargs["if_smaller"] = draw(st.sampled_from(("error", "resize", "pad", "keep")))
        kwargs["fill_value"] = draw(st.sampled_from((0, 1)))
    if kind == "grid":
        kwargs["stride"] = draw(st.none() | st.tuples(*[st.integers(1, n) for n in size]))
    if kind in ("five", "ten", "grid"):
        kwargs["views"] = kind
    if kind in ("random", "resized"):
        kwargs["per_image"] = draw(st.booleans())
    if kind == "resized":
        low = draw(st.sampled_from((0.08, 0.3, 1.0)))
        kwargs["scale"] = (low, draw(st.sampled_from((low, 1.0))))
        kwargs["ratio"] = draw(st.sampled_from(((3 / 4, 4 / 3), (1.0, 1.0), (0.2, 6.0))))
    if kind in ("resized", "custom"):
        kwargs["antialias"] = draw(st.booleans())
    if kind == "box":
        kwargs["interpolation"] = draw(st.sampled_from(("bilinear", "nearest", "bicubic")))
        kwargs["antialias"] = kwargs["interpolation"] == "bilinear" and draw(st.booleans())
        kwargs["fill_mode"] = draw(st.sampled_from(FILL_MODES))
        kwargs["fill_value"] = draw(st.sampled_from(VALUES))
        kwargs["align_corners"] = draw(st.booleans())
    return kwargs


@st.composite
def layers(draw):
    kind = draw(st.sampled_from((*WINDOWS, "resized", "box", "custom")))
    rank = 2 if kind in ("five", "ten", "grid", "resized", "box", "custom") else draw(RANKS)
    sampled = kind not in WINDOWS
    form = draw(st.sampled_from(("batch", "batch", "single") if sampled else ("batch", "batch", "single", "clip")))
    parts = draw(st.sets(st.sampled_from(("masks", "sides", "points"))))
    return Config(
        kind=kind,
        rank=rank,
        arguments=draw(arguments(kind, rank)),
        data_format=draw(st.sampled_from(FORMATS)),
        dtype=draw(st.sampled_from(DTYPES)),
        compute=draw(st.sampled_from(("float32", "float32", "mixed_float16", "float64", "bfloat16"))),
        channels=draw(st.integers(1, 3)),
        form=form,
        parts=tuple(sorted(parts)),
        mask=draw(st.tuples(st.sampled_from(("uint8", "int32", "bool", "float32")), st.booleans())),
        several=kind == "box" and draw(st.booleans()),
        box_format=draw(st.sampled_from([name for name in oracle.FORMATS if rank == 2 or name != "center_yxhw"])),
        min_visible=draw(st.sampled_from((0.0, 0.25, 0.5, 1.0))),
        training=draw(st.booleans()),
    )


def shapes(config):
    """Sizes of images that the layer takes."""
    rank, kwargs = config["rank"], config["arguments"]
    low, high = [1] * rank, [MOST[rank]] * rank
    if config["kind"] == "border":
        low = [max(1, before + after + 1) for before, after in kwargs["cropping"]]
    elif config["kind"] == "window":
        low = [next(n for n in range(1, 20) if fits(line, n, kwargs["if_smaller"])) for line in lines_of(kwargs)]
    elif kwargs.get("if_smaller") == "error":
        low = list(size_of(kwargs))
    return st.fixed_dictionaries(
        {
            "lengths": st.tuples(*[st.integers(a, max(a, b)) for a, b in zip(low, high)]),
            "batch": st.integers(0, 3),
            "time": st.integers(1, 2),
            "sides": st.integers(0, 3),
            "points": st.integers(0, 3),
            "boxes": st.integers(1, 3),
        }
    )


def size_of(kwargs):
    return tuple(kwargs[name] for name in ("depth", "length", "height", "width") if name in kwargs)


CLASSES = {"five": "Multi", "ten": "Multi", "grid": "Multi", "resized": "RandomResized"}


def make_layer(config):
    kind = config["kind"]
    layer_class = getattr(kerascrop, CLASSES.get(kind, kind.title()) + "Crop" + SUFFIX[config["rank"]])
    kwargs = {key: config[key] for key in ("data_format", "box_format", "min_visible")}
    if kind in ("random", "resized"):
        kwargs["seed"] = 1
    if kind == "custom":
        kwargs["choose"] = custom_boxes
    return layer_class(return_boxes=True, dtype=config["compute"], **config["arguments"], **kwargs)


def custom_boxes(images, training):
    """A box that depends on the images' size alone."""
    batch, height, width = (ops.cast(n, "float32") for n in ops.shape(images)[:3])
    box = ops.stack([width * 0.1, height * 0.2, width * 0.8, height * (0.9 if training else 0.7)])
    return ops.broadcast_to(box, (ops.shape(images)[0], 4))


def inputs_of(case):
    """A flat dict of arrays, with the channels last, and the images' type."""
    rng, config, shape = np.random.default_rng(case.seed), case.config, case.shape
    lengths, rank = shape["lengths"], config["rank"]
    lead = {"single": (), "batch": (shape["batch"],), "clip": (shape["batch"], shape["time"])}[config["form"]]
    copied = config["kind"] in WINDOWS and config["arguments"].get("if_smaller") != "resize"
    inputs = {"images": pixels(rng, (*lead, *lengths, config["channels"]), config["dtype"], extremes=copied)}
    if "masks" in config["parts"]:
        dtype, has_channels = config["mask"]
        inputs["masks"] = pixels(rng, (*lead, *lengths, *(1,) * has_channels), dtype)
    kinds = ("inside", "beyond", "grid")
    if "sides" in config["parts"]:
        sides = boxes(rng, (*lead, shape["sides"]), lengths, lengths, kinds)
        sides = np.array([oracle.from_xyxy(box, config["box_format"], lengths) for box in sides.reshape(-1, 2 * rank)])
        inputs["sides"] = sides.reshape(*lead, shape["sides"], 2 * rank).astype("float32")
        inputs["labels"] = rng.integers(-1, 3, (*lead, shape["sides"])).astype("int32")
    if "points" in config["parts"]:
        points = rng.uniform(-0.2, 1.2, (*lead, shape["points"], rank + 1)) * (*lengths[::-1], 1)
        inputs["points"] = points.astype("float32")
    if config["kind"] == "box":
        many = (shape["boxes"],) if config["several"] else ()
        size = size_of(config["arguments"])
        given = boxes(rng, (*lead, *many), lengths, size, ("inside", "beyond", "mirrored", "whole", "grid"))
        given = [oracle.from_xyxy(box, config["box_format"], lengths) for box in given.reshape(-1, 4)]
        inputs["boxes"] = np.array(given).reshape(*lead, *many, 4).astype("float32")
    if config["kind"] in ("random", "resized"):
        inputs["state"] = rng.integers(0, 2**31, 2).astype("int32")
    return inputs


def to_format(values, config, has_channels=True):
    if config["data_format"] == "channels_last" or not has_channels:
        return values
    return np.moveaxis(values, -1, -1 - config["rank"])


def nested(flat, config):
    """What the layer takes, of a flat dict of arrays, shapes or symbols."""
    data = {"images": flat["images"]}
    if "boxes" in flat:
        data["boxes"] = flat["boxes"]
    if "masks" in flat:
        data["segmentation_masks"] = flat["masks"]
    if "sides" in flat:
        data["bounding_boxes"] = {"boxes": flat["sides"], "labels": flat["labels"]}
    if "points" in flat:
        data["keypoints"] = flat["points"]
    if config["parts"]:
        return data
    return [data["images"], data["boxes"]] if "boxes" in data else data["images"]
