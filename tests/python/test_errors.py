import numpy as np
import pytest

import kerascrop
from kerascrop import errors

ERRORS = (errors.ArgumentError, errors.SizeError, errors.ShapeError, errors.BoxError)


def test_errors_are_value_errors_and_keep_their_class_where_tensorflow_makes_them_again():
    for error in ERRORS:
        assert issubclass(error, ValueError) and error.__init__ is Exception.__init__  # what AutoGraph asks for


def test_keras_does_not_wrap_our_messages():
    with pytest.raises(errors.SizeError) as failure:
        kerascrop.CenterCrop(20, 2, name="crop")(np.zeros((1, 9, 9, 1)))
    assert "\x1b" not in str(failure.value) and str(failure.value).startswith("`crop` cannot cut")
