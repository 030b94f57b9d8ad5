import numpy as np
import pytest

from kerascrop.checks import ArgumentError, SizeError
from kerascrop.digits import _digits, cluttered_digits


def test_the_digit_is_where_its_box_says():
    digits = cluttered_digits(50, distractors=0, seed=1)
    assert digits.x.shape == (50, 64, 64, 1) and digits.x.dtype == np.float32
    assert digits.x.min() == 0 and 0.9 < digits.x.max() <= 1
    for image, (x1, y1, x2, y2) in zip(digits.x, digits.boxes.astype(int)):
        assert (x2 - x1, y2 - y1) == (20, 20)
        ink = np.count_nonzero(image)
        assert ink > 40 and np.count_nonzero(image[y1:y2, x1:x2]) == ink


def test_distractors_are_added_elsewhere_and_leave_the_digit_readable():
    plain = cluttered_digits(20, distractors=0, seed=1)
    cluttered = cluttered_digits(20, seed=1)
    np.testing.assert_array_equal(plain.y, cluttered.y)
    np.testing.assert_array_equal(plain.boxes, cluttered.boxes)
    assert (cluttered.x >= plain.x).all() and (cluttered.x > plain.x).any((1, 2, 3)).all()


def test_training_and_test_digits_are_never_mixed():
    train, test = (set(map(bytes, _digits(8, split)[0])) for split in ("train", "test"))
    assert len(_digits(8, "train")[1]) == 1400 and len(_digits(8, "test")[1]) == 397
    assert not train & test


def test_all_labels_come_and_a_seed_replays():
    digits = cluttered_digits(300, split="test", seed=3)
    assert set(digits.y) == set(range(10))
    np.testing.assert_array_equal(digits.x, cluttered_digits(300, split="test", seed=3).x)
    assert (digits.x != cluttered_digits(300, split="test", seed=4).x).any()


def test_wrong_arguments_are_errors():
    wrong = ({"n": 0}, "n"), ({"n": 1, "canvas": 10}, "digit"), ({"n": 1, "distractors": -1}, "distractors")
    for arguments, name in wrong:
        with pytest.raises(SizeError, match=f"`{name}`"):
            cluttered_digits(**arguments)
    with pytest.raises(ArgumentError, match="`split` must be one of 'train', 'test'"):
        cluttered_digits(1, split="val")
