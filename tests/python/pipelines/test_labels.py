import keras
import numpy as np
import pytest

from kerascrop.checks import ArgumentError
from kerascrop.pipelines.labels import check_class_names, check_labels, encode_labels, given_labels


class Series:
    """Like one of pandas: an array of its own kind."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


@pytest.mark.parametrize(
    "labels",
    [
        [3, 1, 3], (3, 1, 3), np.array([3, 1, 3]), np.array([3, 1, 3], "uint8"), np.array([3.0, 1.0, 3.0]),
        np.array([3, 1, 3], object), Series([3, 1, 3]), keras.ops.convert_to_tensor([3, 1, 3]),
        list(keras.ops.convert_to_tensor([3, 1, 3])), list(np.array([3, 1, 3])),
    ],
)  # fmt: skip
def test_whole_numbers_of_any_kind_stay_as_they_are(labels):
    assert given_labels(labels, 3, None) == ([3, 1, 3], ["1", "3"])


def test_ranges_names_and_flags():
    assert given_labels(range(3), 3, None) == ([0, 1, 2], ["0", "1", "2"])
    for names in (["cup", "cat", "cup"], np.array(["cup", "cat", "cup"]), Series([b"cup", b"cat", b"cup"])):
        assert given_labels(names, 3, None) == ([1, 0, 1], ["cat", "cup"])
        assert given_labels(names, 3, ["cup", "dog", "cat"]) == ([0, 2, 0], ["cup", "dog", "cat"])
    for flags in ([True, True], np.array([True, True]), list(np.array([True, True]))):
        assert given_labels(flags, 2, None) == ([1, 1], ["False", "True"])


@pytest.mark.parametrize(
    "labels, told",
    [
        ([1, 2], "3, not 2"), ("inferre", "'inferre'"), ({1: 2}, "not {1: 2}"), (3, "not 3"), ({1, 2, 3}, "not {1"),
        ([1, 2, None], "not None"), ([1, 2, np.nan], "not nan"), ([1, 2, 0.5], "not 0.5"),
        ([1, 2, 10**12], "not 10000"),
        ([1, "a", "b"], "mixture"), ([True, 1, 0], "mixture"), ([[1], [2], [3]], r"not \[1\]"),
        (np.eye(3), r"shape \(3, 3\)"), (np.array(2), r"shape \(\)"), ([1j, 1, 1], "not 1j"),
    ],
)  # fmt: skip
def test_other_labels_are_errors_that_name_them(labels, told):
    with pytest.raises(ArgumentError, match=f"`labels` .*{told}"):
        given_labels(labels, 3, None)


def test_class_names():
    assert check_class_names(np.array(["b", "a"])) == ["b", "a"]
    for wrong, told in (("ab", "not 'ab'"), (["a", "a"], "'a' is there twice"), ([1, 2], "not 1"), ([], "empty"),
                        (3, "not 3"), (["a", None], "not None")):  # fmt: skip
        with pytest.raises(ArgumentError, match=f"`class_names` .*{told}"):
            check_class_names(wrong)
    with pytest.raises(ArgumentError, match=r"`labels` has \['c'\], but `class_names` are \['a', 'b'\]"):
        given_labels(["a", "c"], 2, ["a", "b"])
    with pytest.raises(ArgumentError, match="`class_names` are folders"):
        given_labels([0, 1], 2, ["a", "b"])


def test_modes_of_labels():
    for numbers, names in (([1, 2], ["1", "2"]), ([-1, 0], ["-1", "0"]), ([0, 2], ["0", "2"])):
        check_labels(numbers, names, "int")
        with pytest.raises(ArgumentError, match=rf"label_mode='binary'` needs `labels` 0 and 1, not \[{numbers[0]}, "):
            check_labels(numbers, names, "binary")
        with pytest.raises(ArgumentError, match=rf"label_mode='categorical'` .*from 0, not \[{numbers[0]}, "):
            check_labels(numbers, names, "categorical")
    with pytest.raises(ArgumentError, match="needs two classes, not 3"):
        check_labels([0, 1, 2], list("abc"), "binary")
    for mode in ("int", "binary", "categorical"):
        check_labels([0, 1, 0], ["0", "1"], mode)
    np.testing.assert_array_equal(encode_labels([0, 1, 1], ["a", "b"], "binary"), [[0], [1], [1]])
    np.testing.assert_array_equal(encode_labels([0, 2], list("abc"), "categorical"), [[1, 0, 0], [0, 0, 1]])
    assert encode_labels(None, None, "int") is None
