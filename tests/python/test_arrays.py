import tracemalloc

import numpy as np
import pytest
from keras import ops

from kerascrop import arrays
from kerascrop.checks import ArgumentError

# Small ones; matrices; few channels; few rows; no axis, or one, that is long; large enough for threads.
SHAPES = [
    (), (1,), (5,), (7, 3), (0, 4, 3), (20000,), (9, 2000), (2000, 9), (20000, 2), (6000, 2, 2), (1, 130, 130, 1),
    (70, 40, 17), (3, 130, 70, 3), (1, 90, 80, 4), (65, 9, 8, 33), (2, 3, 40, 5, 30), (2, 90000), (400, 410, 3),
    (40, 30, 50, 3, 5), (1030, 2050), (2,) * 19, (64, 100, 120, 3), (3, 5, 150000), (16, 130, 130, 8), (2100000,),
]  # fmt: skip


def back_to_r(x):
    """What `from_numpy()` does with a large array: into the memory of a new one, which R lets us write."""
    y = arrays.to_r(x, 0)
    out = np.zeros(y["shape"], {"double": "float64", "integer": "int32"}[y["type"]], order="F")
    out.flags.writeable = False
    arrays.fill(out, x)
    return out


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_number_stays_where_it_is(rng, monkeypatch, shape, threads):
    monkeypatch.setattr(arrays, "THREADS", threads)
    x = np.asfortranarray(rng.normal(size=shape))
    for dtype in ("float32", "float64", None):
        y = arrays.to_numpy(x, dtype)
        np.testing.assert_array_equal(y, x.astype(dtype or "float64"))
        assert y.flags.c_contiguous and y.dtype == np.dtype(dtype or "float64")
        back = back_to_r(y)
        np.testing.assert_array_equal(back, y)
        assert back.dtype == np.float64


@pytest.mark.parametrize("shape", [(9, 4), (400, 410, 3), (16, 70, 80, 30)], ids=str)
def test_whole_numbers_keep_their_value_or_are_refused(rng, shape):
    x = np.asfortranarray(rng.integers(0, 256, size=shape).astype("int32"))
    for dtype in ("uint8", "int16", "int64", "uint64", "float32", "float64"):
        y = arrays.to_numpy(x, dtype)
        np.testing.assert_array_equal(y, x)
        np.testing.assert_array_equal(back_to_r(y), x)
    np.testing.assert_array_equal(arrays.to_numpy(x.astype("float64"), "uint8"), x)
    last = tuple(length - 1 for length in shape)
    x[last] = -1
    with pytest.raises(ArgumentError, match="cannot hold"):
        arrays.to_numpy(x, "uint8")
    x[last] = arrays.MISSING
    y = arrays.to_numpy(x, "float32", missing=True)
    assert np.isnan(y[last]) and np.isnan(y).sum() == 1
    np.testing.assert_array_equal(y.ravel()[:-1], x.ravel()[:-1])


@pytest.mark.parametrize("shape", [(9, 4), (16, 70, 80, 30)], ids=str)
def test_arrays_in_other_orders_are_right_too(rng, shape):
    x = rng.normal(size=shape)
    for y in (x, x[::-1, ::2], x.swapaxes(0, 1)):
        np.testing.assert_array_equal(arrays.to_numpy(y, "float32"), y.astype("float32"))
        np.testing.assert_array_equal(back_to_r(y), y)


def test_bytes_have_their_shape_in_the_order_of_r():
    x = arrays.to_numpy(bytearray(range(6)), "float32", shape=[2, 3])
    np.testing.assert_array_equal(x, [[0, 2, 4], [1, 3, 5]])
    assert arrays.to_numpy(bytearray(), shape=[0, 3]).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "float64"])
@pytest.mark.parametrize("shape", [(16, 200, 200, 30), (3000, 6400), (6400000, 3), (19200000,)], ids=str)
def test_nothing_of_the_size_of_the_arrays_is_made_besides_them(shape, dtype):
    x = np.full(shape, 3.0, order="F")
    tracemalloc.start()  # NumPy tells it of its memory
    try:
        y = arrays.to_numpy(x, dtype)
        there = tracemalloc.get_traced_memory()[1] - y.nbytes
        tracemalloc.reset_peak()
        arrays.fill(x, y)
        back = tracemalloc.get_traced_memory()[1] - y.nbytes
    finally:
        tracemalloc.stop()
    assert max(there, back) < 8e6  # of the 154e6 bytes of x


@pytest.mark.parametrize(
    "dtype, expected",
    [
        *[("uint8", "int32"), ("int16", "int32"), ("int32", "int32"), ("uint32", "float64"), ("int64", "float64")],
        *[("float16", "float64"), ("bfloat16", "float64"), ("float32", "float64")],
    ],
)
def test_r_has_integers_and_doubles(dtype, expected):
    x = ops.cast(ops.ones((600, 500)), dtype) if dtype == "bfloat16" else np.ones((600, 500), dtype)
    assert back_to_r(x).dtype == np.dtype(expected)
    np.testing.assert_array_equal(back_to_r(x), np.ones((600, 500)))


def test_small_arrays_and_bools_are_left_to_reticulate():
    for x in (np.ones((2, 3)), np.ones((2000, 3), "bool")):
        assert arrays.to_r(x, 7) is x
    assert arrays.to_r(ops.ones((2, 3), "bfloat16"), 7).dtype == np.float32  # which NumPy has, and reticulate takes


def test_words_are_no_array_of_numbers():
    for x in (np.array(["a"]), np.array([1j]), np.array([None])):
        with pytest.raises(ArgumentError, match="array of numbers"):
            arrays.to_r(x, 7)


@pytest.mark.parametrize(
    "value, dtype",
    [(256, "uint8"), (-1, "uint8"), (1.5, "int32"), (np.nan, "int32"), (2, "bool"), (1e300, "float32")],
)
def test_a_number_that_the_type_cannot_hold_is_an_error(value, dtype):
    with pytest.raises(ArgumentError, match=f"`{dtype}` cannot hold"):
        arrays.to_numpy(np.array([[1.0, value]]), dtype)


def test_an_unknown_type_is_an_error():
    for dtype in ("floot", "S1", "object", "", "complex64"):
        with pytest.raises(ArgumentError, match=f"not '{dtype}'"):
            arrays.to_numpy(np.ones(2), dtype)
    assert arrays.to_numpy(np.array([np.inf, 1.0]), "float32")[0] == np.inf


def test_arrays_of_no_numbers_and_types_without_a_missing_value_are_errors():
    for x, dtype in (([1 + 2j], None), (["1"], None), ([1, "a"], object), (["2024-01-01"], "datetime64[D]")):
        with pytest.raises(ArgumentError, match="numbers"):
            arrays.to_numpy(np.array(x, dtype), "float32")
    x = np.array([1, arrays.MISSING], "int32")
    for dtype in (None, "int64", "bool"):
        with pytest.raises(ArgumentError, match="no missing value"):
            arrays.to_numpy(x, dtype, missing=True)
    np.testing.assert_array_equal(arrays.to_numpy(x, "float16", missing=True), [1, np.nan])
    np.testing.assert_array_equal(arrays.to_numpy(x[1], "float16", missing=True), np.nan)
