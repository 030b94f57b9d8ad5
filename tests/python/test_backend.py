import os
import subprocess
import sys

import pytest

import kerascrop


def error_without(missing, backend, tmp_path):
    """What `import kerascrop` ends with where modules are missing: its last line, and how many lines there are."""
    source = os.path.dirname(os.path.dirname(kerascrop.__file__))
    code = f"import sys; sys.modules.update(dict.fromkeys({missing})); import kerascrop"
    settings = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=settings, cwd=tmp_path, capture_output=True, text=True)
    return done.stderr.strip().splitlines()


@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_without_a_backend_the_error_names_the_extras(backend, tmp_path):
    lines = error_without(["tensorflow", "torch", "jax"], backend, tmp_path)
    assert lines[-1].startswith(f"ImportError: No module named '{backend}', which Keras is set to run on.")
    for extra in ("tensorflow", "torch", "jax"):
        assert f"'kerascrop[{extra}]'" in lines[-1]
    assert not any("keras/src" in line for line in lines)  # none of Keras's own traceback


def test_without_keras_the_error_is_pythons(tmp_path):
    assert error_without(["keras"], "tensorflow", tmp_path)[-1].startswith("ModuleNotFoundError")
