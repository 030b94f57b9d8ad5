"""What editors and type checkers see of the public names."""

import importlib.resources
import inspect
import typing

import pytest

import kerascrop

PUBLIC = {name: getattr(kerascrop, name) for name in kerascrop.__all__}
PUBLIC = {
    name: each
    for name, each in PUBLIC.items()
    if callable(each) and not (isinstance(each, type) and issubclass(each, Exception))
}
CROPS = {name: each for name, each in PUBLIC.items() if isinstance(each, type) and issubclass(each, kerascrop.Crop)}


def code_of(public):
    return public.__init__ if isinstance(public, type) else public


@pytest.mark.parametrize("name", PUBLIC)
def test_every_argument_and_result_has_a_type(name):
    signature = inspect.signature(PUBLIC[name])
    typed = typing.get_type_hints(code_of(PUBLIC[name]))
    assert isinstance(PUBLIC[name], type) or "return" in typed
    for each in signature.parameters.values():
        assert each.annotation is not each.empty or each.name in typed


@pytest.mark.parametrize("name", PUBLIC)
def test_no_argument_is_hidden(name):
    parameters = inspect.signature(PUBLIC[name]).parameters
    more = [each.name for each in parameters.values() if each.kind is each.VAR_KEYWORD]
    if more:  # type checkers read what `**kwargs` may be from a dict: the same as `inspect` shows
        (options,) = typing.get_args(typing.get_type_hints(code_of(PUBLIC[name]))[more[0]])
        keywords = {each.name for each in parameters.values() if each.kind is each.KEYWORD_ONLY}
        code = code_of(PUBLIC[name]).__code__
        own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        assert set(options.__annotations__) - {"input_shape"} == keywords - set(own)
    text = inspect.getdoc(PUBLIC[name])
    if "else is as" not in text.replace("\n", " "):
        assert [each for each in parameters if each not in text] == []


@pytest.mark.parametrize("name", CROPS)
def test_layers_name_what_their_bases_take(name):
    parameters = inspect.signature(CROPS[name]).parameters
    defaults = dict(return_boxes=False, box_format="xyxy", min_visible=0.0, name=None, dtype=None, trainable=True)
    assert {argument: parameters[argument].default for argument in defaults} == defaults
    assert {parameters[argument].kind for argument in ("return_boxes", "min_visible", "dtype")} == {
        inspect.Parameter.KEYWORD_ONLY
    }


def test_a_layer_of_ones_own_shows_all_arguments_too():
    class Own(kerascrop.CenterCrop):
        def __init__(self, height, width, colour="red", **kwargs):
            super().__init__(height, width, **kwargs)

    class Closed(kerascrop.CenterCrop):
        def __init__(self, height):
            super().__init__(height, height)

    assert [*inspect.signature(Own).parameters][:6] == [
        "height", "width", "colour", "data_format", "if_smaller", "fill_value",
    ]  # fmt: skip
    assert "return_boxes" in inspect.signature(Own).parameters
    assert [*inspect.signature(Closed).parameters] == ["height"]
    assert "colour" not in inspect.signature(Own(2, 2)).parameters  # a layer shows what it is called with


def test_type_checkers_are_told_that_there_are_hints():
    assert importlib.resources.files("kerascrop").joinpath("py.typed").is_file()


CLIENT = """
import kerascrop

crop = kerascrop.RandomCrop(32, 32, return_boxes=True, focus="boxes", name="crop")
boxes = kerascrop.convert_boxes([[0, 0, 1, 1]], "xyxy", "rel_xyxy", height=4, width=4)
digits: kerascrop.digits.Digits = kerascrop.cluttered_digits(4, seed=1)
"""


def test_mypy_checks_a_client(tmp_path, monkeypatch):
    api = pytest.importorskip("mypy.api")
    monkeypatch.setenv("MYPYPATH", str(importlib.resources.files("kerascrop").parent))

    def problems(text):
        (tmp_path / "client.py").write_text(text)
        options = ("--ignore-missing-imports", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"))
        return api.run([str(tmp_path / "client.py"), *options])[0]

    assert "no issues found" in problems(CLIENT)
    wrong = problems('import kerascrop\nkerascrop.RandomCrop(32, 32, return_boxes="yes")\nkerascrop.CenterCrop(3)\n')
    assert 'return_boxes" to "RandomCrop" has incompatible type "str"' in wrong
    assert 'Missing positional argument "width" in call to "CenterCrop"' in wrong
