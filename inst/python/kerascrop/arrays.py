"""Arrays that come from R, or go there: the change of layout at the speed of memory.

R keeps an array's first index together in memory (Fortran order), NumPy and tensors the last (C order).
Copying one into the other straight through reads or writes each number from another cache line. Copying in
blocks, small enough that the lines of both stay in the cache, is several times faster.
"""

import itertools

import keras
import numpy as np

from kerascrop.checks import ArgumentError

# Below this many numbers the block loop costs more than it saves.
SMALL = 2**14


def to_numpy(x, dtype=None):
    """A C-order copy of an array in R's layout.

    Args:
        x: a NumPy array, or a number.
        dtype: NumPy's name of the result's type; None keeps the array's.

    Raises:
        ArgumentError: the type is unknown, or cannot hold one of the numbers.
    """
    x = np.asarray(x)
    try:
        kind = np.dtype(x.dtype if dtype is None else dtype)
    except TypeError:
        kind = None
    if kind is None or kind.kind not in "biuf":
        raise ArgumentError(f"`dtype` must be a type of numbers that NumPy knows, such as 'float32', not {dtype!r}.")
    try:
        with np.errstate(invalid="ignore", over="raise"):
            y = _copy(x, kind, "C")
        holds = kind.kind == "f" or kind == x.dtype or np.array_equal(x, y)
    except FloatingPointError:
        holds = False
    if not holds:
        raise ArgumentError(f"`x` has values that `{kind}` cannot hold: too large, fractional or missing.")
    return y


def to_r(x):
    """An array in R's layout and in a type that R has: float64, int32 or bool."""
    x = keras.ops.convert_to_numpy(x)
    if x.dtype.kind == "b" or x.dtype == np.int32:
        dtype = x.dtype
    elif x.dtype.kind in "iu" and x.dtype.itemsize <= 2:
        dtype = np.dtype("int32")
    else:
        dtype = np.dtype("float64")
    return _copy(x, dtype, "F")


def _copy(x, dtype, order):
    y = np.empty(x.shape, dtype, order)
    if x.size < SMALL or x.ndim < 3:
        y[...] = x
        return y
    # Some of the first axes, which lie together in R, by some of the last, which lie together in C. Few channels
    # are copied one by one: NumPy's inner loop needs an axis that is long enough.
    blocks = [64 if x.shape[0] > 1 else 1, 8 if x.shape[0] > 1 else 512] + [1] * (x.ndim - 2)
    blocks[-1 if x.shape[-1] >= 16 else 2] = 64
    ranges = [range(0, length, block) for length, block in zip(x.shape, blocks)]
    for corner in itertools.product(*reversed(ranges)):
        block = tuple(slice(i, i + n) for i, n in zip(reversed(corner), blocks))
        y[block] = x[block]
    return y
