"""How the property tests draw ways of sampling, and compare crops with the specification."""

import numpy as np
from hypothesis import strategies as st

import oracle
from cases import Config

FILL_MODES = ("constant", "nearest", "reflect")
EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float64": 1e-7}  # all others 2 ** -23; boxes are float32


def lengths(rank, most=(0, 12, 9, 5)):
    return st.tuples(*[st.integers(1, most[rank])] * rank)


@st.composite
def samplings(draw):
    rank = draw(st.sampled_from((2, 2, 2, 1, 3)))
    interpolation = draw(st.sampled_from(("bilinear", "bilinear", "antialias", "bicubic", "nearest")))
    dtypes = ("float32", "float32", "uint8", "int32", "int64", "uint32", "float16", "bfloat16", "float64", "bool")
    dtype = draw(st.sampled_from(dtypes))
    return Config(
        size=draw(st.tuples(*[st.integers(1, 6)] * rank)),
        dtype=dtype,
        channels=draw(st.integers(1, 3)),
        interpolation=interpolation,
        fill_mode=draw(st.sampled_from(FILL_MODES)),
        fill_value=draw(st.sampled_from((0, 1) if dtype == "bool" else (0, 1, 7))),
        align_corners=draw(st.booleans()),
        paired=draw(st.sampled_from(("one", "many", "indices"))),
    )


def how(config):
    """Options of the package, and of the specification."""
    interpolation = config["interpolation"]
    theirs = {key: config[key] for key in ("fill_mode", "align_corners")}
    ours = {**theirs, "antialias": interpolation == "antialias"}
    ours["interpolation"] = "bilinear" if interpolation == "antialias" else interpolation
    return ours, {**theirs, "interpolation": interpolation}


def assert_samples(crop, image, box, fill_value, options, dtype, slack_of=1.0):
    """Compare one crop with the specification, but for samples that a rounding may move over an edge."""
    size, image_lengths = crop.shape[:-1], image.shape[:-1]
    expected = oracle.sample(image, box, size, fill_value, **options)
    if not np.isfinite(box).all():
        holds_nan = crop.dtype.kind == "f"
        np.testing.assert_array_equal(crop, expected if holds_nan else np.full_like(expected, fill_value))
        return
    image = image.astype("float64")
    slack = slack_of * 4e-7 * (np.abs(box).max() + max(image_lengths))
    spread = max(np.ptp(image), 1e-30) * (2 if options["interpolation"] == "bicubic" else 1)
    size_of = max(np.abs(image).max(), abs(fill_value))
    error = 2 * len(size) * spread * min(slack, 1.0) + 16 * EPS.get(dtype, 2.0**-23) * size_of
    unsure = oracle.undecided(box, size, image_lengths, slack, **options)
    np.testing.assert_allclose(crop[~unsure], expected[~unsure], rtol=0, atol=error)
