"""The benchmark's images: handwritten digits on cluttered canvases."""

import functools
import pathlib
from typing import NamedTuple

import numpy as np
from keras import ops

from kerascrop import checks
from kerascrop.engine.sampling import sample

# Digits before this one are for training, the others for testing: no digit is in both.
TRAINING_DIGITS = 1400


class Digits(NamedTuple):
    """Images `(n, canvas, canvas, 1)` in [0, 1], labels `(n,)` and boxes `(n, 4)`, `x1, y1, x2, y2` in pixels."""

    x: np.ndarray
    y: np.ndarray
    boxes: np.ndarray


def cluttered_digits(
    n: int,
    canvas: int = 64,
    digit: int = 20,
    distractors: int = 6,
    split: str = "train",
    seed: int | None = None,
) -> Digits:
    """Handwritten digits, each at a random place on a canvas with pieces of other digits.

    The digits are real: 1,797 of 8x8 pixels from the UCI repository (Alpaydin and Kaynak 1998,
    doi:10.24432/C50P49, CC BY 4.0). Training draws from 1,400 of them, testing from the other 397.
    The task is that of Mnih et al. 2014, "Recurrent Models of Visual Attention", and Jaderberg et al. 2015.

    Args:
        n: how many images.
        canvas: height and width of an image, in pixels.
        digit: height and width of the digit, in pixels.
        distractors: how many pieces of other digits, of 2/5 the digit's size, are strewn over each canvas.
        split: `"train"` or `"test"`.
        seed: a whole number, for the same images in every run; None draws one.

    Returns:
        `Digits(x, y, boxes)`, in float32, int32 and float32.

    Raises:
        SizeError: a number is not a positive whole number, or the digit is larger than the canvas.
        ArgumentError: an unknown `split`, or a `seed` that is not a whole number.
    """
    canvas, digit = checks.check_size(canvas, "canvas"), checks.check_size(digit, "digit")
    n, distractors = checks.check_count(n, "n"), checks.check_count(distractors, "distractors", least=0)
    if digit > canvas:
        raise checks.SizeError(f"`digit` must be at most `canvas`, {canvas} pixels, not {digit}.")
    checks.check_memory((n, canvas, canvas), "cluttered_digits()", "images", "float32")
    images, labels = _digits(digit, checks.check_choice(split, "split", ("train", "test")))
    rng = np.random.default_rng(checks.check_seed(seed))
    piece = max(1, digit * 2 // 5)
    x = np.zeros((n, canvas, canvas, 1), "float32")
    chosen = rng.integers(len(images), size=n)
    corners = rng.integers(canvas - digit + 1, size=(n, 2))
    for image, number, (top, left) in zip(x, chosen, corners):
        for _ in range(distractors):
            row, column = rng.integers(digit - piece + 1, size=2)
            source = images[rng.integers(len(images)), row : row + piece, column : column + piece]
            row, column = rng.integers(canvas - piece + 1, size=2)
            target = image[row : row + piece, column : column + piece]
            np.minimum(target + source, 1, out=target)
        target = image[top : top + digit, left : left + digit]
        np.maximum(target, images[number], out=target)
    boxes = np.concatenate([corners[:, ::-1], corners[:, ::-1] + digit], axis=1).astype("float32")
    return Digits(x, labels[chosen], boxes)


@functools.cache
def _digits(size, split):
    """The digits of a split, enlarged: images `(m, size, size, 1)` in [0, 1], and labels."""
    with np.load(pathlib.Path(__file__).with_name("digits.npz")) as file:
        images, labels = file["images"], file["labels"].astype("int32")
    part = slice(TRAINING_DIGITS) if split == "train" else slice(TRAINING_DIGITS, None)
    images = images[part, ..., None].astype("float32") / 16
    whole = np.tile(np.array([[0, 0, *images.shape[1:3]]], "float32"), (len(images), 1))
    return ops.convert_to_numpy(sample(images, whole, (size, size), fill_mode="nearest")), labels[part]
