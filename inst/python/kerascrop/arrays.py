"""Arrays that come from R, or go there: the change of layout at the speed of memory.

R keeps an array's first index together in memory (Fortran order), NumPy and tensors the last (C order). A plain copy
of one into the other reads each number from another line of memory. It is as good as any where these lines stay in
the cache until their next numbers are read. Elsewhere an array goes in tiles, through a buffer that fits into the
cache: into it along the first axes, where both are read and written in order, and out of it along the last ones.
Threads share the tiles: NumPy lets others run while it copies.
"""

import itertools
import math
import operator
import os
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from kerascrop.checks import ArgumentError

# Below these many numbers tiles, a buffer, and threads cost more than they save.
SMALL, SMALL_FOR_BUFFER, SMALL_FOR_THREADS = 2**14, 2**18, 2**21
# The numbers in a tile, those of it at least that lie together in R, and a gap after them in the buffer: lines of
# memory that are a power of two apart would share a place in the cache.
TILE, RUN, GAP = 2**17, 512, 16
# Lines of so many numbers together stay in the cache by themselves; loops over fewer numbers than these are slow.
CACHED, LINE, THIN = 2**16, 8, 8
# More threads than these would wait for the memory.
THREADS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
# How R writes a missing integer.
MISSING = -(2**31)


def to_numpy(x, dtype=None, missing=False, shape=None):
    """A C-order copy of an array in R's layout.

    Args:
        x: a NumPy array, or a number; or bytes, and their shape as an array.
        dtype: NumPy's name of the result's type; None keeps the array's.
        missing: whether some are R's missing integers. They become NaN.

    Raises:
        ArgumentError: `x` has no numbers; the type is unknown, or cannot hold one of them.
    """
    x = np.asarray(x) if shape is None else np.frombuffer(x, "uint8").reshape(shape, order="F")
    _check_numbers(x)
    try:
        kind = np.dtype(x.dtype if dtype is None else dtype)
    except TypeError:
        kind = None
    if kind is None or kind.kind not in "biuf":
        raise ArgumentError(f"`dtype` must be a type of numbers that NumPy knows, such as 'float32', not {dtype!r}.")
    if missing and kind.kind != "f":
        raise ArgumentError(f"`{kind}` has no missing value. In floating-point numbers they become NaN.")
    y = np.empty(x.shape, kind)
    try:
        _move(x, y, exact=kind.kind != "f" and not np.can_cast(x.dtype, kind), missing=missing)
    except FloatingPointError:
        raise ArgumentError(f"`x` has values that `{kind}` cannot hold: too large, fractional or missing.") from None
    return y


def to_r(x, small):
    """An array of fewer than `small` numbers, or of bools, for reticulate to turn over itself. Of another one, the type
    and shape of the R array for `fill()`.

    Raises:
        ArgumentError: it is not an array of numbers.
    """
    x = _array(x)
    if x.size < small or x.dtype == "bool":
        return x
    return {"type": "integer" if np.can_cast(x.dtype, "int32") else "double", "shape": list(x.shape)}


def fill(out, x):
    """Write an array into the memory of a new R array, of the type and shape that `to_r()` gave.

    `out` is reticulate's view of that memory. It is read-only, since other variables of R may have the same array;
    not so when R has just made it.
    """
    interface = {**out.__array_interface__, "data": (out.ctypes.data, False)}
    memory = type("Memory", (), {"__array_interface__": interface})
    _move(_array(x).T, np.asarray(memory()).T)


def _array(x):
    if not isinstance(x, np.ndarray):
        x = keras.ops.convert_to_numpy(x)
    if x.dtype.name == "bfloat16":
        x = x.astype("float32")
    _check_numbers(x)
    return x


def _check_numbers(x):
    if x.dtype.kind not in "biuf" and x.dtype.name != "bfloat16":
        raise ArgumentError(f"`x` must be an array of numbers, not of type {x.dtype}.")


def _move(x, y, exact=False, missing=False):
    """Copy `x`, in Fortran order, to `y`, in C order.

    Args:
        exact: whether numbers that change are an error.
        missing: whether R's missing integers become NaN.

    Raises:
        FloatingPointError: the type of `y` cannot hold a number.
    """
    between_dtype = y.dtype if exact or missing or y.itemsize < x.itemsize else x.dtype

    def move(source, target, split=0):
        between = _buffer(source.shape, split, between_dtype) if split else target
        with np.errstate(invalid="ignore", over="raise"):
            if missing:
                known = source != MISSING
                np.copyto(between, source, "unsafe", where=known)
                between[~known] = np.nan
            else:
                between[...] = source
            if exact and not np.array_equal(source, between):
                raise FloatingPointError
            if split:
                target[...] = between

    x, y = x.squeeze(), y.squeeze()
    extents, split = _tile(x.shape, plain=x.size < SMALL or x.flags.c_contiguous)
    corners = itertools.product(*[range(0, length, extent or 1) for length, extent in zip(x.shape, extents)])
    tiles = ((*map(slice, corner, map(operator.add, corner, extents)), ...) for corner in corners)
    if THREADS > 1 and x.size >= SMALL_FOR_THREADS:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda tile: move(x[tile], y[tile], split), tiles))
    else:
        for tile in tiles:
            move(x[tile], y[tile], split)


def _tile(shape, plain):
    """How far a tile reaches along each axis; and the axis that divides its axes into those that lie together in
    Fortran order and those that do in C order, or 0 when it is copied better without a buffer.
    """
    lines = max(1, math.prod(shape[1:]))
    small = math.prod(shape) < SMALL_FOR_BUFFER
    if plain or lines >= THIN and shape[-1] >= THIN and (small or _room(shape) <= CACHED):
        return [max(1, 16 * TILE // lines), *shape[1:]], 0
    if lines < THIN:
        return [TILE // lines] + [1] * len(shape[1:]), 0
    if shape[-1] < THIN and small:
        return [*shape[:-1], 1], 0
    lead = _extents(shape[:-1], RUN)
    split = max(axis + 1 for axis, extent in enumerate(lead) if extent > 1)
    trail = _extents(reversed(shape[split:]), TILE // math.prod(lead))[::-1]
    lead = _extents(shape[:split], TILE // math.prod(trail))
    return lead + trail, split if math.prod(lead) >= 8 * THIN else 0


def _room(shape):
    """How much of a cache the lines take that a row of C order is read from: all that lies between them, up to a power
    of two, since lines share places with those that are a multiple of it apart.
    """
    return math.prod(shape[1:]) * max(LINE, shape[0] & -shape[0])


def _extents(lengths, most):
    """How many to take of each axis, whole ones first, for at most so many numbers, but at least one."""
    extents = []
    for length in lengths:
        extents.append(max(1, min(length, most)))
        most = most // length if extents[-1] == length else 1
    return extents


def _buffer(shape, split, dtype):
    """Room for a tile, as a view of its shape: the axes before `split` in Fortran order, those after it in C order."""
    lead, trail = shape[:split], shape[split:]
    numbers = math.prod(lead)
    room = np.empty((math.prod(trail), numbers + GAP), dtype)[:, :numbers].reshape(*trail, *reversed(lead))
    return room.transpose(*range(len(shape) - 1, len(trail) - 1, -1), *range(len(trail)))
