"""A few of the random calls of tests/fuzz/calls.py, which make many."""

import importlib.util
import pathlib

import kerascrop

PATH = pathlib.Path(__file__).parents[1] / "fuzz" / "calls.py"


def test_nonsense_is_a_value_or_an_error_of_ours():
    spec = importlib.util.spec_from_file_location("calls", PATH)
    calls = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(calls)
    findings, summary = calls.main(150, seed=1, verbose=False)
    assert not findings, summary
    assert f"of {len(kerascrop.__all__) - 1} names" in summary  # all but the version
