"""Every type through all that computes: the right number, or the nearest that the type holds, never a wrapped one."""

import keras
import numpy as np
import pytest
from keras import ops

from conftest import BACKEND
from kerascrop import BoxCrop, CenterCrop, LearnableCrop, Samples, Uncrop, adjoint, paste, sample
from kerascrop.checks import ArgumentError
from kerascrop.engine import dtypes
from kerascrop.engine.samples import Blend

INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"]
if BACKEND != "torch":
    INTEGERS.append("uint64")
HALVES = ["float16", "bfloat16"]
# The largest number, where half precision is concerned; otherwise one whose sum over all crops is a number, too.
LARGEST = {"float16": 65504, "bfloat16": 1e36, "float32": 1e36, "float64": 1e306}
BOX, WHOLE = np.array([[0.3, 0.2, 2.9, 2.7]], "float32"), np.array([[0, 0, 3, 3]], "float32")

# Each maps an image (1, 3, 3, 1) of one number everywhere to another such image.
OPERATIONS = {
    "cut": lambda x: Samples(BOX, (3, 3)).cut(x),
    "cut, bicubic": lambda x: Samples(BOX, (3, 3), interpolation="bicubic").cut(x),
    "cut, antialiased": lambda x: Samples(BOX, (2, 1), antialias=True).cut(x),
    "blend": lambda x: Blend(Samples(np.stack([BOX, WHOLE], 1), (3, 3)), np.array([[0.3, 0.7]], "float32")).cut(x),
    "enlarge": lambda x: CenterCrop(5, 5, if_smaller="resize")(x),
    "paste": lambda x: Uncrop(2, 2)([ops.stack([x] * 66, axis=1), WHOLE.repeat(66, 0)[None]]),
    "paste, resized": lambda x: Uncrop(2, 2)([ops.stack([x] * 66, axis=1), (WHOLE * 1.3).repeat(66, 0)[None]]),
}


def tensor(values, dtype):
    if dtype in HALVES:
        return ops.cast(ops.convert_to_tensor(values, "float32"), dtype)
    return ops.convert_to_tensor(np.asarray(values).astype(dtype))


def values(x):
    """As Python's numbers, which have all digits."""
    x = ops.cast(x, "float32") if "bfloat16" in str(x.dtype) else x
    return ops.convert_to_numpy(x).ravel().tolist()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dtype", INTEGERS + [*LARGEST] if BACKEND != "jax" else ["uint8", "int32", "int64", "float16"])
def test_the_largest_and_the_smallest_number_stay(operation, dtype):
    limits = np.iinfo(dtype) if dtype in INTEGERS else None
    for number in (limits.min, limits.max) if limits else (-LARGEST[dtype], LARGEST[dtype]):
        full = np.full((1, 3, 3, 1), number, dtype if limits else "float64")
        found = values(OPERATIONS[operation](tensor(full, dtype)))
        if limits:
            # 64 bits are limited to float64's digits.
            assert all(limits.min <= n <= limits.max and abs(n - number) <= abs(number) // 2**48 for n in found)
        else:
            np.testing.assert_allclose(found, number, rtol=1e-2 if dtype == "bfloat16" else 1e-3)


@pytest.mark.parametrize("dtype, bits", [("int16", 15), ("int32", 31), ("uint32", 32), ("int64", 53)])
def test_all_digits_of_a_whole_pixel_stay(dtype, bits, rng):
    x = rng.integers(2 ** (bits - 1), 2**bits, size=(1, 3, 4, 2)).astype(dtype)
    box, whole = np.array([[1, 0, 3, 2]], "float32"), np.array([[0, 0, 4, 3]], "float32")
    expected = x[:, :2, 1:3].ravel().tolist()
    assert values(Samples(box, (2, 2)).cut(tensor(x, dtype))) == expected
    assert values(sample(tensor(x, dtype), box, (2, 2))) == expected
    assert values(sample(tensor(x, dtype), box, (2, 2), antialias=True)) == expected
    assert values(Uncrop(3, 4)([tensor(x, dtype), whole])) == x.ravel().tolist()
    assert values(paste(tensor(x, dtype), whole, (3, 4))) == x.ravel().tolist()
    assert values(adjoint(tensor(x, dtype), whole, (3, 4))) == x.ravel().tolist()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_means_are_those_of_python_rounded_half_to_even(dtype, rng):
    limits = np.iinfo(dtype)
    numbers = [int(n) for n in rng.integers(max(limits.min, -(2**50)), min(limits.max, 2**50), size=6, endpoint=True)]
    line, x = tensor(np.array(numbers).reshape(1, 1, 6, 1), dtype), np.array([[0.5, 0, 5.5, 1]], "float32")
    between = [round((one + other) / 2) for one, other in zip(numbers, numbers[1:])]
    assert values(Samples(x, (1, 5)).cut(line)) == between
    crops = tensor(np.array(numbers).reshape(1, 6, 1, 1, 1), dtype)
    mean = values(Uncrop(1, 1)([crops, np.array([[[0, 0, 1, 1]] * 6], "float32")]))
    assert abs(mean[0] - sum(numbers) / 6) <= 0.5 + 2**-3


def test_overshooting_integers_are_limited():
    x = np.array([0, 0, 0, 255, 255, 255], "uint8").reshape(1, 1, 6, 1)
    crop = values(Samples(np.array([[0, 0, 6, 1]], "float32"), (1, 24), interpolation="bicubic").cut(x))
    assert max(crop[:12]) < 128 <= min(crop[12:])


@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_is_added_up_in_single(dtype):
    crops = tensor(np.full((1, 66, 2, 2, 1), 1000), dtype)
    for box in ([0, 0, 2, 2], [0.25, 0, 2, 1.5]):
        boxes = np.array([[box] * 66], "float32")
        np.testing.assert_allclose(values(Uncrop(2, 2)([crops, boxes]))[-1:], 1000, rtol=1e-2)
    many = tensor(np.full((1, 3000, 1, 1, 1), 1), dtype)
    added = values(adjoint(many, np.array([[[0, 0, 1, 1]] * 3000], "float32"), (1, 1)))
    np.testing.assert_allclose(added, 3000, rtol=1e-2)


def test_a_nan_box_gives_integers_the_fill_value():
    boxes = np.array([[np.nan, 0, 1, 1], [0, 0, np.inf, 1]], "float32")
    for dtype in ("uint8", "int32", "int64", "bool"):
        x = tensor(np.ones((2, 3, 3, 1)), dtype)
        assert set(values(Samples(boxes, (2, 2), fill_value=1).cut(x))) == {1}
        assert set(values(Samples(boxes, (2, 2), fill_value=1).cut(x, True))) == {0}


@pytest.mark.parametrize("dtype", ["uint8", "bool"])
def test_a_fill_value_that_the_images_cannot_hold_is_an_error(dtype):
    x = tensor(np.ones((1, 3, 3, 1)), dtype)
    for fill_value in (300, 0.5, -1):
        with pytest.raises(ArgumentError, match="`fill_value` must be"):
            Samples(BOX, (2, 2), fill_value=fill_value).cut(x)
        with pytest.raises(ArgumentError, match="`fill_value` must be"):
            sample(x, BOX, (2, 2), interpolation="nearest", fill_value=fill_value)


def test_complex_images_are_errors_where_numbers_are_computed():
    x = np.ones((1, 9, 9, 1), "complex64")
    computed = {
        "sample": lambda: sample(x, BOX, (2, 2)),
        "paste": lambda: paste(x, BOX, (9, 9)),
        "Samples": lambda: Samples(BOX, (2, 2)).cut(x),
        "BoxCrop": lambda: BoxCrop(2, 2)([x, BOX]),
        "BoxCrop, symbolic": lambda: BoxCrop(2, 2)([keras.Input((9, 9, 1), dtype="complex64"), keras.Input((4,))]),
        "LearnableCrop": lambda: LearnableCrop(2, 2)(x),
        "Uncrop": lambda: Uncrop(9, 9)([x, BOX]),
        "enlarge": lambda: CenterCrop(10, 10, if_smaller="resize")(x),
    }
    for call in computed.values():
        with pytest.raises(ArgumentError, match="real numbers"):
            call()
    if BACKEND != "torch":  # Keras has no complex tensors there
        assert values(CenterCrop(3, 3)(x * 1j)) == [1j] * 9  # copied


def test_which_types_numbers_are_computed_in():
    assert [dtypes.result_dtype(dtype) for dtype in ("uint8", "bool", "uint16", "int8")] == ["float32"] * 4
    assert [dtypes.result_dtype(dtype) for dtype in (*HALVES, "float32")] == [*HALVES, "float32"]
    assert [dtypes.result_dtype(dtype) for dtype in ("int32", "uint32", "int64", "float64")] == ["float64"] * 4
    assert [dtypes.sum_dtype(dtype) for dtype in (*HALVES, "float32", "uint8")] == ["float32"] * 4
