import numpy as np
import pytest

from kerascrop.checks import SizeError
from kerascrop.engine import places

LINES = [places.Lines(*ends) for ends in ((0, 3), (2, 5), (0, None), (3, None), (1, -1), (2, -3), (-4, -1), (-3, None))]


@pytest.mark.parametrize("lines", LINES)
def test_lines_are_pythons_slices(lines):
    for length in range(1, 9):
        numbers = np.arange(length)[slice(*lines)]
        whole = length >= lines.least
        if whole:
            start, size = lines.of(length)
            np.testing.assert_array_equal(numbers, np.arange(start, start + size))
        assert (length >= lines.least_for_any) == (len(numbers) > 0)
        assert not whole or len(numbers) > 0


@pytest.mark.parametrize("lines", LINES)
def test_what_depends_on_an_unknown_length_is_none(lines):
    for one, other, unknown in zip(lines.of(10), lines.of(11), lines.of(None)):
        assert unknown == (one if one == other else None)


@pytest.mark.parametrize(
    "if_smaller, starts, sizes, margins",
    [("pad", (1, 0), (4, 5), ((0, 2), (1, 0))), ("keep", (1, 0), (2, 4), ((0, 0), (0, 0)))],
)
def test_what_images_lack_is_added_at_that_end_or_left_out(if_smaller, starts, sizes, margins):
    found, fit = places.fit((places.Lines(1, 5), places.Lines(-6, -1)), (3, 5), if_smaller, "window")
    assert (tuple(found), fit.sizes, fit.margins) == (starts, sizes, margins)


def test_all_that_is_missing_is_an_error_that_says_how_much_it_takes():
    with pytest.raises(SizeError, match="`window` cannot cut its cols out of images of width 5: it takes 6 at least"):
        places.fit((places.Lines(1, 3), places.Lines(-6, -1)), (3, 5), "error", "window")
    with pytest.raises(SizeError, match="rows out of images of height 3: it takes 4 at least.$"):
        places.fit((places.Lines(3, 4), places.Lines(0, None)), (3, 5), "keep", "window")
