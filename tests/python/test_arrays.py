import numpy as np
import pytest
from keras import ops

from kerascrop import arrays
from kerascrop.checks import ArgumentError

SHAPES = [(5,), (7, 3), (64, 9, 3), (70, 40, 17), (3, 130, 70, 3), (1, 90, 80, 4), (65, 9, 8, 33), (2, 3, 40, 5, 30)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", None])
def test_every_number_stays_where_it_is(rng, shape, dtype):
    x = np.asfortranarray(rng.normal(size=shape))
    y = arrays.to_numpy(x, dtype)
    np.testing.assert_array_equal(y, x.astype(dtype or "float64"))
    assert y.flags.c_contiguous and y.dtype == np.dtype(dtype or "float64")
    back = arrays.to_r(y)
    np.testing.assert_array_equal(back, y)
    assert back.flags.f_contiguous and back.dtype == np.float64


@pytest.mark.parametrize(
    "dtype, expected",
    [("bool", "bool"), ("uint8", "int32"), ("int16", "int32"), ("int32", "int32"), ("int64", "float64"), ("float16", "float64")],
)
def test_r_has_three_types(dtype, expected):
    y = arrays.to_r(ops.convert_to_tensor(np.ones((2, 3)), dtype) if dtype != "int64" else np.ones((2, 3), "int64"))
    assert y.dtype == np.dtype(expected)


@pytest.mark.parametrize("value, dtype", [(256, "uint8"), (-1, "uint8"), (1.5, "int32"), (np.nan, "int32"), (2, "bool"), (1e300, "float32")])
def test_a_number_that_the_type_cannot_hold_is_an_error(value, dtype):
    with pytest.raises(ArgumentError, match=f"`{dtype}` cannot hold"):
        arrays.to_numpy(np.array([[1.0, value]]), dtype)


def test_an_unknown_type_is_an_error():
    for dtype in ("floot", "S1", "object", "", "complex64"):
        with pytest.raises(ArgumentError, match=f"not '{dtype}'"):
            arrays.to_numpy(np.ones(2), dtype)
    assert arrays.to_numpy(np.array([np.inf, 1.0]), "float32")[0] == np.inf
