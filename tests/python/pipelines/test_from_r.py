import threading
import warnings

import pytest

from kerascrop.pipelines import from_r


def test_batches_pass_and_errors_of_r_are_raised():
    batches = from_r.batches([("batch", (1, 2)), ("error", "Batch 2: the disk is gone"), ("batch", 3)])
    assert next(batches) == (1, 2)
    with pytest.raises(RuntimeError, match="^Batch 2: the disk is gone$"):
        next(batches)


def test_results_are_made_on_the_main_thread_one_ahead():
    made = []

    def function():
        assert threading.current_thread() is threading.main_thread()
        made.append(len(made))
        return made[-1] if len(made) < 4 else None

    results = from_r.Ahead(function)
    assert made == [0]
    assert next(results) == 0 and made == [0, 1]
    assert list(results) == [1, 2] and list(results) == [] and made == [0, 1, 2, 3]


def test_warnings_come_back_with_the_result():
    def function(x):
        warnings.warn("careful", stacklevel=1)
        return x + 1

    assert from_r.recorded(function, {"x": 1}) == (2, ["careful"])


def test_warnings_of_other_categories_stay_warnings():
    def function():
        warnings.warn("careful", FutureWarning, stacklevel=1)
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    with pytest.warns(DeprecationWarning, match="old"):
        assert from_r.recorded(function, {}, FutureWarning) == (None, ["careful"])
