"""The code in the READMEs runs as it stands there, with Python alone; R's is in tests/testthat/test-readme.R."""

import pathlib
import re

import pytest

SOURCE = pathlib.Path(__file__).parents[2]
SNIPPETS = [
    pytest.param(code, id=f"{name}-{number}")
    for name in ("README.md", "inst/python/README.md")
    for number, code in enumerate(
        re.findall(r"^```python\n(.*?)^```", (SOURCE / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    )
]


@pytest.mark.parametrize("code", SNIPPETS)
def test_the_python_in_the_readmes_runs(code, capsys):
    exec(code, {})
