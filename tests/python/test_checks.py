import numpy as np
import pytest

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


def test_errors_keep_their_class_where_tensorflow_makes_them_again():
    for error in (checks.ArgumentError, checks.SizeError, checks.ShapeError, checks.BoxError):
        assert issubclass(error, ValueError) and error.__init__ is Exception.__init__  # what AutoGraph asks for


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


def test_all_errors_are_value_errors():
    for error in (checks.ArgumentError, checks.SizeError, checks.ShapeError, checks.BoxError):
        assert issubclass(error, ValueError)
