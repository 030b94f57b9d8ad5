"""A few of the random calls of tests/fuzz/calls.py, which make many."""

import importlib.util
import pathlib

import kerascrop

PATH = pathlib.Path(__file__).parents[1] / "fuzz" / "calls.py"


def test_nonsense_is_a_value_or_an_error_of_ours():
    spec = importlib.util.spec_from_file_location("calls", PATH)
    calls = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(calls)
    names = set(kerascrop.__all__) - {"__version__", "BoxWarning"}
    findings, summary = calls.main(100, seed=1, only=names, verbose=False)
    assert not findings, summary
    assert f"of {len(names)} names" in summary
