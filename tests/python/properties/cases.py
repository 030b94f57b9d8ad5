"""How the property tests draw cases, how many, and the ways in which a case is run.

`CASES` and `SEED` in the environment set how many cases there are in all and which; without them the tests take a few
that are always the same. A case is a named tuple of plain values, which a failure prints: run that test again with it.
"""

import functools
import math
import os
from typing import NamedTuple

import keras
import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from keras import ops

from conftest import BACKEND

CASES, SEED = (int(os.environ.get(name, 0)) for name in ("CASES", "SEED"))
SHARES = 100  # what the shares of all tests add up to, at least

# How often each way of running is drawn: "graph" knows no sizes before it runs, "static" is compiled for each size.
WAYS = {
    "tensorflow": {"eager": 6, "graph": 12, "static": 1, "xla": 1},
    "jax": {"eager": 1, "static": 60},
    "torch": {"eager": 1},
}[BACKEND]
# Ways that compile draw from a few arguments, or arguments and sizes, again and again.
FEW = (12 if BACKEND == "jax" else 40) if CASES else 4

DTYPES = ("uint8", "int32", "int64", "uint32", "float16", "bfloat16", "float32", "float64", "bool")
FORMATS = ("channels_last", "channels_first")
SEEDS = st.integers(0, 2**32 - 1)

tally = {"cases": 0}


class Config(dict):
    """What is fixed when a layer or a function is made; hashable, as functions are compiled for it."""

    def __hash__(self):
        return hash(repr(self))


class Case(NamedTuple):
    way: str
    config: Config
    shape: dict  # the sizes of what it is called with
    seed: int  # of the numbers


def options(number, name):
    """Settings of Hypothesis for a number of cases, the same ones for each run with the same seed."""
    chosen = settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: seed(f"{SEED} {name}")(chosen(test))


def for_any(strategy, share=1):
    """A decorator: a test of one argument becomes one of many cases, `share` hundredths of all."""
    number = math.ceil(CASES * share / SHARES) if CASES else 3 * share

    def decorate(test):
        @functools.wraps(test)
        def counted(case):
            tally["cases"] += 1
            test(case)

        return options(number, test.__name__)(given(case=strategy)(counted))

    return decorate


def pool(strategy, number=None):
    """A few values of a strategy, to be drawn again and again."""
    found = []

    @options(number or FEW, "pool")
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return st.sampled_from(found)


def cases(configs, shapes, ways=WAYS):
    """Cases of a strategy for configurations, and a function of one of them that gives a strategy for sizes."""
    few_configs = pool(configs)
    mostly_known = st.one_of(configs, *[pool(configs, 10 * FEW)] * 3)  # a new one takes as long as all the rest
    few = pool(configs.flatmap(lambda config: st.tuples(st.just(config), shapes(config))))
    weighted = [way for way in ways for _ in range(ways[way])]

    @st.composite
    def draw_case(draw):
        way = draw(st.sampled_from(weighted))
        if way in ("static", "xla") or BACKEND == "jax":
            config, shape = draw(few)
        else:
            config = draw(few_configs if way == "graph" else mostly_known)
            shape = draw(shapes(config))
        return Case(way, config, shape, draw(SEEDS))

    return draw_case()


@functools.lru_cache(maxsize=400)
def compiled(way, make, config, signature):
    """The function that `make(config)` gives, as the way runs it."""
    function = make(config)
    if way == "eager":
        return function
    if BACKEND == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    spec = {name: tf.TensorSpec(shape, dtype) for name, shape, dtype in signature}
    return tf.function(function, [spec], jit_compile=way == "xla", autograph=False)


def run(case, make, inputs, channels=-1):
    """The outputs of the function `make(config)` of a dict of arrays, as NumPy arrays, run in the case's way.

    Args:
        make: a function that makes the function, called once for each configuration.
        inputs: a dict of NumPy arrays, or None for what is not there.
        channels: the axis of channels in images and crops; of all else the last axis is known.
    """
    inputs = {name: tensor(value) for name, value in inputs.items() if value is not None}
    signature = []
    for name, value in inputs.items() if case.way != "eager" else ():
        shape = tuple(value.shape)
        if case.way == "graph":
            known = channels if name in ("images", "crops") else -1
            shape = tuple(n if axis - len(shape) == known else None for axis, n in enumerate(shape))
        signature.append((name, shape, keras.backend.standardize_dtype(value.dtype)))
    function = compiled(case.way, make, case.config, tuple(signature))
    return keras.tree.map_structure(array, function(inputs))


def tensor(value):
    value = np.asarray(value)
    if value.dtype.name == "bfloat16":
        return ops.convert_to_tensor(value.astype("float32"), "bfloat16")
    return ops.convert_to_tensor(value)


def array(value):
    value = ops.convert_to_numpy(value)
    return value.astype("float32") if value.dtype.name == "bfloat16" else value


def pixels(rng, shape, dtype, extremes=False):
    """Numbers of a type for images; with `extremes` among them the type's largest ones, NaN and infinity."""
    kind = np.dtype("float32" if dtype == "bfloat16" else dtype)
    if kind.kind == "b":
        return rng.random(shape) < 0.5
    if kind.kind in "iu":
        info = np.iinfo(kind)
        values = rng.integers(max(info.min, -1000), min(info.max, 1000), shape, kind, endpoint=True)
        special = [info.min, info.max]
    else:
        values = rng.uniform(-1, 1, shape).astype(kind)
        special = [np.nan, np.inf, -np.inf, -0.0]
    if extremes:
        values = np.where(rng.random(shape) < 0.2, rng.choice(np.array(special, kind), shape), values)
    return values.astype("bfloat16") if dtype == "bfloat16" else values


def boxes(rng, shape, lengths, size, kinds):
    """Boxes `(*shape, 2 * rank)` of random kinds, in float32.

    "inside" the image, "beyond" its edges in part or wholly, "mirrored", "whole" pixels of the crop's size, on a "grid"
    of quarter pixels, "point"s, "far" away, "nan" and "inf".
    """
    lengths, size = np.array(lengths[::-1], "float64"), np.array(size[::-1])
    rank = len(lengths)
    result = np.zeros((*shape, 2, rank))
    for place in np.ndindex(*shape):
        kind = kinds[rng.integers(len(kinds))]
        ends = np.sort(rng.uniform(0, 1, (2, rank)), axis=0) * lengths
        if kind == "beyond":
            ends = np.sort(rng.uniform(-0.7, 1.7, (2, rank)), axis=0) * lengths
        elif kind == "mirrored":
            ends = rng.uniform(-0.3, 1.3, (2, rank)) * lengths
        elif kind == "whole":
            start = rng.integers(-size - 1, lengths + 2)
            ends = np.stack([start, start + size])
        elif kind == "grid":
            ends = np.stack([rng.integers(-8, 4 * lengths), rng.integers(4, 4 * lengths + 16)]) / 4
            ends[1] = np.maximum(ends[1], ends[0] + 0.25)
        elif kind == "point":
            ends[1] = ends[0]
        elif kind == "far":
            ends = rng.uniform(-1, 1, (2, rank)) * 10.0 ** rng.integers(2, 30)
        elif kind in ("nan", "inf"):
            ends[rng.integers(2), rng.integers(rank)] = float(kind)
        result[place] = ends
    return result.reshape(*shape, 2 * rank).astype("float32")
