"""Arrays on their way from R or to R: copies between the two memory layouts, at the speed of memory.

In R an array's first index varies fastest in memory (Fortran order), in NumPy and tensors the last (C order). A plain
copy from one to the other reads each number from a different cache line. That is as fast as any other way if these
lines stay in the cache until their next numbers are read. Otherwise an array is copied in tiles, through a buffer that
fits into the cache: into the buffer along the first axes, so that memory is read and written in order, and out of it
along the last ones. Threads share the tiles, as NumPy lets others run while it copies.
"""

import itertools
import math
import operator
import os
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from kerascrop.checks import ArgumentError, shown

# With fewer numbers than these, tiles, a buffer and threads cost more than they save.
SMALL, SMALL_FOR_BUFFER, SMALL_FOR_THREADS = 2**14, 2**18, 2**21
# The numbers in a tile, how many of them at least lie together in R, and the gap after these in the buffer: cache
# lines that are a power of two apart would share a place in the cache.
TILE, RUN, GAP = 2**17, 512, 16
# The numbers that stay in the cache without a buffer, those in a cache line, and the fewest that make a fast loop.
CACHED, LINE, THIN = 2**16, 8, 8
# More threads than this would wait for memory.
THREADS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
# How R stores a missing integer.
MISSING = -(2**31)


def to_numpy(x, dtype=None, missing=False, shape=None):
    """A C-order copy of an array in R's layout.

    Args:
        x: a NumPy array or a number; or bytes, with the `shape` of the array that they are.
        dtype: NumPy's name for the result's dtype; None keeps that of `x`.
        missing: whether `x` has R's missing integers, which become NaN.

    Raises:
        ArgumentError: `x` is not made of numbers; `dtype` is unknown, or cannot hold one of them.
    """
    x = np.asarray(x) if shape is None else np.frombuffer(x, "uint8").reshape(shape, order="F")
    _check_numbers(x)
    try:
        kind = np.dtype(x.dtype if dtype is None else dtype)
    except TypeError:
        kind = None
    if kind is None or kind.kind not in "biuf":
        raise ArgumentError(
            f"`dtype` must be a type of numbers that NumPy knows, such as 'float32', not {shown(dtype)}."
        )
    if missing and kind.kind != "f":
        raise ArgumentError(f"`{kind}` has no missing value. In floating-point numbers they become NaN.")
    y = np.empty(x.shape, kind)
    try:
        _move(x, y, exact=kind.kind != "f" and not np.can_cast(x.dtype, kind), missing=missing)
    except FloatingPointError:
        raise ArgumentError(f"`x` has values that `{kind}` cannot hold: too large, fractional or missing.") from None
    return y


def to_r(x, small):
    """An array for reticulate to convert, if it is boolean or has fewer than `small` numbers; otherwise the type and
    shape of an R array for `fill()`.

    Raises:
        ArgumentError: `x` is not an array of numbers.
    """
    x = _array(x)
    if x.size < small or x.dtype == "bool":
        return x
    return {"type": "integer" if np.can_cast(x.dtype, "int32") else "double", "shape": list(x.shape)}


def fill(out, x):
    """Write an array into the memory of a new R array, of the type and shape that `to_r()` gave.

    `out` is reticulate's view of that memory. It is read-only, since several R variables may share an array, but R has
    only just made this one.
    """
    interface = {**out.__array_interface__, "data": (out.ctypes.data, False)}
    memory = type("Memory", (), {"__array_interface__": interface})
    _move(_array(x).T, np.asarray(memory()).T)


def _array(x):
    if not isinstance(x, np.ndarray):
        try:
            x = keras.ops.convert_to_numpy(x)
        except Exception:  # each backend has errors of its own
            raise ArgumentError(f"`x` must be an array, or a tensor that has numbers, not {shown(x)}.") from None
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
        exact: whether a number that changes is an error.
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
    """A tile's length along each axis; and the axis that divides its axes into those contiguous in Fortran order and
    those contiguous in C order, or 0 if tiles are better copied without a buffer.
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
    """How much of the cache, in numbers, is taken by the lines that a C-order row is read from.

    A line also takes the gap after it, up to the largest power of two that divides their distance: lines that are a
    multiple of it apart share places.
    """
    return math.prod(shape[1:]) * max(LINE, shape[0] & -shape[0])


def _extents(lengths, most):
    """How much to take of each axis, whole axes first: at most `most` numbers in all, at least one of each axis."""
    extents = []
    for length in lengths:
        extents.append(max(1, min(length, most)))
        most = most // length if extents[-1] == length else 1
    return extents


def _buffer(shape, split, dtype):
    """An empty buffer in a tile's shape: the axes before `split` are in Fortran order, those from it on in C order."""
    lead, trail = shape[:split], shape[split:]
    numbers = math.prod(lead)
    room = np.empty((math.prod(trail), numbers + GAP), dtype)[:, :numbers].reshape(*trail, *reversed(lead))
    return room.transpose(*range(len(shape) - 1, len(trail) - 1, -1), *range(len(trail)))
