"""Where the spatial axes of an image tensor are.

Axes are counted from the end, so that one rule serves single images, batches
and clips: `(..., height, width, channels)` in `"channels_last"` format,
`(..., channels, height, width)` in `"channels_first"`.
"""

import functools

AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
LINE_NAMES = {1: ("steps",), 2: ("rows", "cols"), 3: ("slices", "rows", "cols")}  # what lies along each axis


@functools.cache
def spatial_axes(rank, data_format):
    """Negative indices of the `rank` spatial axes, outermost first."""
    last = -1 if data_format == "channels_last" else 0
    return tuple(range(last - rank, last))


@functools.cache
def channels_axis(rank, data_format):
    """The negative index of the channels axis."""
    return -1 if data_format == "channels_last" else -rank - 1


@functools.cache
def to_channels_last(ndim, rank, data_format):
    """The permutation that moves the channels to the end, or None if they are there already."""
    if data_format == "channels_last":
        return None
    order = list(range(ndim))
    order.append(order.pop(-rank - 1))
    return tuple(order)


@functools.cache
def from_channels_last(ndim, rank, data_format):
    """The permutation that undoes `to_channels_last()`, or None."""
    if data_format == "channels_last":
        return None
    order = list(range(ndim))
    order.insert(ndim - rank - 1, order.pop())
    return tuple(order)
