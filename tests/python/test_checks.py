import keras
import numpy as np
import pytest

import kerascrop
from kerascrop import checks


@pytest.mark.parametrize("value", [1, 24, 24.0, np.int64(24), np.float32(24)])
def test_sizes_are_whole_numbers_of_any_type(value):
    size = checks.check_size(value, "height")
    assert size == value and type(size) is int


@pytest.mark.parametrize("value", [0, -1, 20.7, float("nan"), float("inf"), 2**40, "24", None, [24], (24, 24), True])
def test_other_sizes_are_errors_that_name_the_argument_and_the_value(value):
    with pytest.raises(checks.SizeError, match="`height` must be a whole number") as error:
        checks.check_size(value, "height")
    assert repr(value) in str(error.value)


def test_counts_are_whole_numbers_from_a_least_one():
    assert checks.check_count(3.0, "n") == 3 and checks.check_count(0, "n", least=0) == 0
    for value in (0, 1.5, None, "2", False):
        with pytest.raises(checks.SizeError, match=f"`n` must be a whole number, at least 1, not {value!r}"):
            checks.check_count(value, "n")


@pytest.mark.parametrize(
    "cropping, expected",
    [
        (4, ((4, 4), (4, 4))),
        ((1, 2), ((1, 1), (2, 2))),
        (((1, 2), (3, 4)), ((1, 2), (3, 4))),
        ([[1, -2], 3.0], ((1, -2), (3, 3))),
    ],
)
def test_margins(cropping, expected):
    assert checks.check_margins(cropping, 2) == expected


@pytest.mark.parametrize("cropping", [1.5, None, "4", (1, 2, 3), ((1, 2, 3), (1, 2)), ((1, None), 2), [], np.nan])
def test_other_margins_are_errors(cropping):
    with pytest.raises(checks.SizeError, match="`cropping`"):
        checks.check_margins(cropping, 2)


@pytest.mark.parametrize("value", [1, "yes", None, [True]])
def test_flags_are_only_true_and_false(value):
    with pytest.raises(checks.ArgumentError, match="`snap` must be True or False"):
        checks.check_flag(value, "snap")


def test_choices_and_numbers_and_seeds():
    assert checks.check_choice("a", "kind", ("a", "b")) == "a"
    with pytest.raises(checks.ArgumentError, match="one of 'a', 'b', not 'c'"):
        checks.check_choice("c", "kind", ("a", "b"))
    assert checks.check_number(2, "fill_value") == 2.0
    for value in ("2", float("nan"), None, True):
        with pytest.raises(checks.ArgumentError, match="`fill_value`"):
            checks.check_number(value, "fill_value")
    assert checks.check_seed(None) is None and checks.check_seed(3.0) == 3
    for value in (-1, 1.5, "1"):
        with pytest.raises(checks.ArgumentError, match="`seed`"):
            checks.check_seed(value)


@pytest.mark.parametrize("shape", [(9,), (9, 12), (2, 3, 4, 9, 12, 3), (None, 28, 28), (None, 28, 64)])
def test_shapes_that_are_no_images(shape):
    with pytest.raises(checks.ShapeError, match="`crop` takes a batch of images"):
        checks.check_images_shape(shape, 2, "crop", clips=True)


@pytest.mark.parametrize("shape", [(9, 12, 3), (None, None, 3), (9, None, 4), (4, 9, 12, 30), (None, None, None, 3)])
def test_shapes_that_are_images(shape):
    checks.check_images_shape(shape, 2, "crop")


@pytest.mark.parametrize(
    "rank, data_format, image, batch",
    [
        (1, "channels_last", (784, 4), (6000, 784)), (1, "channels_first", (4, 784), (6000, 784)),
        (2, "channels_last", (28, 28, 4), (6000, 28, 28)), (2, "channels_first", (4, 28, 28), (6000, 28, 28)),
        (2, "channels_last", (None, None, 3), (None, 28, 3)), (2, "channels_last", (28, None, 3), (None, 28, None)),
        (2, "channels_first", (None, None, None), (None, 28, 3)),
        (3, "channels_last", (9, 9, 9, 1), (60, 9, 9, 9)), (3, "channels_first", (1, 9, 9, 9), (60, 9, 9, 9)),
        (3, "channels_last", (None, None, None, 1), (None, 28, 28, 3)),
    ],
)  # fmt: skip
def test_a_batch_that_lacks_its_channels_is_no_image(rank, data_format, image, batch):
    checks.check_images_shape(image, rank, "crop", data_format)
    with pytest.raises(checks.ShapeError, match=r"one image, .*`x\[None\]`"):
        checks.check_images_shape(batch, rank, "crop", data_format)
    for shape in (image, batch):  # a model's input has a batch axis
        with pytest.raises(checks.ShapeError, match="in a model"):
            checks.check_images_shape(shape, rank, "crop", data_format, in_model=True)


@pytest.mark.parametrize(
    "shape, leads, fine",
    [
        ((3, 4), [(3,)], True), ((None, 4), [(3,)], True), ((3, 4), [(None,)], True), ((5, 4), [(3,)], False),
        ((3, 7, 4), [(3,), (3, None)], True), ((3, 7, 4), [(3,)], False), ((4,), [()], True), ((), [()], False),
        ((3, 5), [(3,)], False), ((3, None), [(3,)], False),
    ],
)  # fmt: skip
def test_shapes_of_boxes(shape, leads, fine):
    assert checks.are_boxes(shape, 2, *leads) == fine


def test_boxes_of_another_shape_are_errors_that_say_which_would_do():
    checks.check_boxes((3, 6), 3, (3,))
    with pytest.raises(checks.BoxError, match=r"`boxes` must have shape \(3, 2\) or \(3, n, 2\), not \(3, 4\)"):
        checks.check_boxes((3, 4), 1, (3,), (3, None))


@pytest.mark.parametrize("value, dtype", [(300, "uint8"), (-1, "uint8"), (0.5, "int32"), (2, "bool")])
def test_a_number_that_a_type_cannot_hold(value, dtype):
    with pytest.raises(checks.ArgumentError, match=f"`fill_value` must be .* for images of type {dtype}"):
        checks.check_holds(value, "fill_value", dtype)
    checks.check_holds(value, "fill_value", "float32")


def test_more_numbers_than_an_index_counts():
    assert checks.check_memory((None, 4, 5), "crop") == (None, 4, 5)
    with pytest.raises(checks.SizeError, match="Use smaller sizes"):
        checks.check_memory((2, 40_000, 40_000, 3), "crop")


@pytest.mark.parametrize(
    "shape, dtype, fine",
    [
        ((2**30,), "float64", True), ((2**30 + 1,), "float64", False), ((2**31 - 1,), "float32", True),
        ((2**31 - 1,), "uint8", True), ((2**31,), "uint8", False), ((2**30, None), "float64", True),
        ((2**31 - 1,), "bfloat16", True), ((2**31 - 1,), "bool", True),
    ],
)  # fmt: skip
def test_more_bytes_than_8_gib(shape, dtype, fine):
    if fine:
        assert checks.check_memory(shape, "crop", dtype=dtype) == shape
    else:
        with pytest.raises(checks.SizeError, match="GiB. Use smaller sizes"):
            checks.check_memory(shape, "crop", dtype=dtype)


class Unshowable:
    def __repr__(self):
        raise RuntimeError

    __bool__ = __eq__ = __len__ = __repr__
    __hash__ = None


ANYTHING = [
    np.array(["a"]), np.array([1, 2]), np.zeros((0, 2)), [["a"]], {"a": 1}, {1}, (i for i in "a"), 10**400, 10**5000,
    b"a", 3 + 1j, float("nan"), np.array([None, 1], dtype=object), "x" * 10**6, Unshowable(), len, int, object(),
    keras.KerasTensor((2, 2)), keras.ops.ones((2, 2)), [list(range(10**5))],
]


@pytest.mark.parametrize(
    "check",
    [
        checks.check_size, checks.check_count, checks.check_side, checks.check_range, checks.check_fraction,
        checks.check_flag, checks.check_number, lambda x, name: checks.check_sizes([x], [name]),
        lambda x, name: checks.check_choice(x, name, ("a", "b", None)), lambda x, _: checks.check_data_format(x),
        lambda x, _: checks.check_name(x), lambda x, _: checks.check_dtype(x), lambda x, _: checks.check_seed(x),
        lambda x, _: checks.check_margins(x, 1), lambda x, _: checks.check_size_of_crops(x), checks.check_tensor,
        checks.check_inputs, lambda x, name: checks.check_inputs({"images": x}, name),
    ],
)
def test_whatever_is_no_value_of_an_argument_is_an_error_of_ours_in_a_few_words(check):
    for value in ANYTHING:
        try:
            check(value, "it")
        except checks.CropError as error:
            assert len(str(error)) < 500


@pytest.mark.parametrize("value", [2**31 - 1, 0, 7.0, np.uint64(3)])
def test_seeds_are_whole_numbers_of_31_bits(value):
    assert checks.check_seed(value) == value


@pytest.mark.parametrize("value", [2**31, -1, 10**400, float("inf"), 0.5, True, "1", [1], np.array([1])])
def test_other_seeds_are_errors_that_say_the_range(value):
    with pytest.raises(checks.ArgumentError, match="from 0 to 2147483647"):
        checks.check_seed(value)


def test_a_choice_is_a_plain_string_that_can_be_saved():
    assert type(checks.check_choice(np.str_("a"), "it", ("a", None))) is str
    assert checks.check_choice(None, "it", ("a", None)) is None


def test_a_fill_value_must_not_become_infinite():
    checks.check_holds(60000.0, "fill_value", "float16")
    for value, dtype in ((70000.0, "float16"), (1e39, "bfloat16"), (1e39, "float32")):
        with pytest.raises(checks.ArgumentError, match=dtype):
            checks.check_holds(value, "fill_value", dtype)


@pytest.mark.parametrize(
    "value", [None, 3, "photo.jpg", np.array([None]), [1, 2], {"images": None, "labels": "a"}, len]
)
def test_what_is_no_tensor_is_an_error_of_ours_before_keras_sees_it(value):
    with pytest.raises(checks.ArgumentError, match="crop"):
        kerascrop.CenterCrop(2, 2, name="crop")(value)


@pytest.mark.parametrize(
    "name, value", [("name", 3), ("name", ["a"]), ("name", "a/b"), ("dtype", 3), ("trainable", "yes")]
)
def test_arguments_of_keras_are_checked(name, value):
    with pytest.raises(checks.ArgumentError, match=f"`{name}` must"):
        kerascrop.CenterCrop(2, 2, **{name: value})
