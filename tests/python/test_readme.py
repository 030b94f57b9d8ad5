"""The Python in the READMEs runs as it stands there (R's: tests/testthat/test-readme.R), and code fits on its page."""

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


@pytest.mark.parametrize("path", sorted(SOURCE.glob("vignettes/*.Rmd")), ids=lambda path: path.stem)
def test_code_that_vignettes_show_fits_on_the_page(path):
    text = path.read_text(encoding="utf-8")
    for options, code in re.findall(r"^```\{(.*?)\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if "include = FALSE" not in options and "echo = FALSE" not in options:
            assert [line for line in code.splitlines() if len(line) > 80] == []
