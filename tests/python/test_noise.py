import os
import subprocess
import sys

import kerascrop

INFO = "I0000 00:00:1796029581.056525   16030 cudart_stub.cc:31] Could not find cuda drivers on your machine."
ERROR = "E0000 00:00:1796031632.588553   10302 cuda_platform.cc:52] failed call to cuInit: UNKNOWN ERROR (303)"
FATAL = "F0000 00:00:1796031632.588553   10302 cpu_feature_guard.cc:20] compiled to use AVX instructions."
BEFORE = "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR"
LINES = [BEFORE, INFO, ERROR, FATAL, "hi"]


def shown(level, code="", lines=LINES):
    """What of these lines is shown when they are logged, then the code is run, where a user has set this level."""
    source = os.path.join(os.path.dirname(kerascrop.__file__), "noise.py")
    script = f"""
import os, runpy
with runpy.run_path({source!r})["less_noise"]():
    for line in {lines!r}:
        os.write(2, (line + chr(10)).encode())
    {code}
os.write(2, b"after")
"""
    settings = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    settings |= {} if level is None else {"TF_CPP_MIN_LOG_LEVEL": level}
    done = subprocess.run([sys.executable, "-c", script], env=settings, stderr=subprocess.PIPE, text=True)
    return done.stderr.splitlines()


def test_what_the_level_hides_is_not_shown():
    assert shown("0") == [*LINES, "after"]
    assert shown("1") == shown("2") == [ERROR, FATAL, "hi", "after"]
    assert shown("3") == [FATAL, "hi", "after"]
    assert shown("none such") == [*LINES, "after"]
    assert INFO not in shown(None) and FATAL in shown(None)


def test_nothing_else_is_lost_when_the_import_crashes():
    assert shown("3", "os.abort()") == [FATAL, "hi"]
    assert "ValueError: no" in shown("3", "raise ValueError('no')")


def test_importing_kerascrop_first_is_silent(tmp_path):
    source = os.path.dirname(os.path.dirname(kerascrop.__file__))
    settings = {**os.environ, "PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    code = "import kerascrop; kerascrop.CenterCrop(2, 2)(kerascrop.cluttered_digits(1).x)"
    done = subprocess.run([sys.executable, "-c", code], env=settings, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
