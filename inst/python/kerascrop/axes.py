"""Where the spatial axes of an image tensor are.

Axes are counted from the end, so that one rule serves single images, batches
and clips: `(..., height, width, channels)` in `"channels_last"` format,
`(..., channels, height, width)` in `"channels_first"`.
"""

AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def spatial_axes(rank, data_format):
    """Negative indices of the `rank` spatial axes, outermost first."""
    last = -1 if data_format == "channels_last" else 0
    return tuple(range(last - rank, last))


def channels_axis(rank, data_format):
    """The negative index of the channels."""
    return -1 if data_format == "channels_last" else -rank - 1


def spatial_shape(shape, rank, data_format):
    """Lengths of the spatial axes; None where one is not known."""
    return tuple(shape[axis] for axis in spatial_axes(rank, data_format))


def replace_lengths(shape, rank, data_format, lengths):
    """The same shape with other lengths along the spatial axes."""
    shape = list(shape)
    for axis, length in zip(spatial_axes(rank, data_format), lengths):
        shape[axis] = length
    return tuple(shape)


def to_channels_last(ndim, rank, data_format):
    """The permutation that moves the channels to the end, or None if they are there."""
    if data_format == "channels_last":
        return None
    order = list(range(ndim))
    order.append(order.pop(-rank - 1))
    return tuple(order)


def from_channels_last(ndim, rank, data_format):
    """The permutation that undoes `to_channels_last()`, or None."""
    if data_format == "channels_last":
        return None
    order = list(range(ndim))
    order.insert(ndim - rank - 1, order.pop())
    return tuple(order)
