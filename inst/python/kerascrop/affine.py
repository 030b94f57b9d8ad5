"""Boxes as the affine matrices of spatial transformers, and back."""

from keras import ops

from kerascrop.checks import BoxError, check_tensor, known
from kerascrop.geometry import convert_boxes, coordinates_dtype, split
from kerascrop.hints import Tensor


def theta_from_boxes(
    boxes: Tensor,
    box_format: str = "grid",
    height: float | None = None,
    width: float | None = None,
    depth: float | None = None,
) -> Tensor:
    """The affine matrices of boxes, as `torch.nn.functional.affine_grid()` takes them.

    Args:
        boxes: `(..., 4)`, or `(..., 6)` for volumes.
        box_format: see `convert_boxes()`; `"grid"`, the corners `x, y, x', y'` in `[-1, 1]`, needs no image size.
        height, width, depth: the images' size in pixels, for the other formats; `depth` is for volumes.

    Returns:
        `(..., 2, 3)`: `[[(x' - x) / 2, 0, (x' + x) / 2], [0, (y' - y) / 2, (y' + y) / 2]]`, Jaderberg et al. 2015,
        equation 1; for volumes `(..., 3, 4)`.

    Raises:
        BoxError: the format is unknown, or needs a size that is not given.
    """
    first, last = split(convert_boxes(boxes, box_format, "grid", height, width, depth))
    rank = first.shape[-1]
    scale = (last - first)[..., None] / 2 * ops.eye(rank, dtype=first.dtype)
    return ops.concatenate([scale, (last + first)[..., None] / 2], axis=-1)


def boxes_from_theta(
    theta: Tensor,
    box_format: str = "grid",
    height: float | None = None,
    width: float | None = None,
    depth: float | None = None,
) -> Tensor:
    """The boxes of affine matrices that neither rotate nor shear; undoes `theta_from_boxes()`.

    Args:
        theta: `(..., 2, 3)`, or `(..., 3, 4)` for volumes.
        box_format, height, width, depth: of the boxes, as in `theta_from_boxes()`.

    Returns:
        `(..., 4)`, or `(..., 6)`; where a matrix mirrors, a side runs backwards.

    Raises:
        BoxError: a matrix has another shape, or rotates or shears, which no box does. (Numbers that are known only
            when a model runs cannot be checked.)
    """
    theta = check_tensor(theta, "theta")
    if tuple(theta.shape[-2:]) not in ((1, 2), (2, 3), (3, 4)):
        raise BoxError(f"`theta` must have shape (..., 2, 3), not {tuple(theta.shape)}.")
    theta, rank = ops.cast(theta, coordinates_dtype(theta)), theta.shape[-2]
    scale, middle = theta[..., :-1], theta[..., -1]
    turned = scale * (1 - ops.eye(rank, dtype=theta.dtype))
    numbers = known(turned)
    if numbers is not None and numbers.any():
        raise BoxError("`theta` rotates or shears: its numbers off the diagonal must be 0, or it is not a box.")
    half = ops.sum(scale * ops.eye(rank, dtype=theta.dtype), axis=-1)
    boxes = ops.concatenate([middle - half, middle + half], axis=-1)
    return convert_boxes(boxes, "grid", box_format, height, width, depth)
