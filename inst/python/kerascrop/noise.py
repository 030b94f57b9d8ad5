"""TensorFlow's log lines at every start, about what is not wrong: as few as its user asked for."""

import contextlib
import os
import shutil
import subprocess
import sys

DRIVERS = "/proc/driver/nvidia", "/dev/dxg"  # the second one is that of Linux in Windows


@contextlib.contextmanager
def less_noise():
    """A context to import TensorFlow in, where its log level also holds for what TensorFlow logs before it reads it.

    The level, `TF_CPP_MIN_LOG_LEVEL`, is the user's if there is one. Else it is 2, errors only; or 3 where there is no
    NVIDIA driver, as that it finds none is an error to TensorFlow. Lines that the level hides are taken out by a
    process of their own, so that all others appear at once, even if the import crashes.
    """
    grep, imported = shutil.which("grep"), "tensorflow" in sys.modules
    if not imported:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if any(map(os.path.exists, DRIVERS)) else "3")
    hidden = {"1": "I", "2": "IW", "3": "IWE"}.get(os.environ.get("TF_CPP_MIN_LOG_LEVEL"))
    try:
        stderr = None if imported or not (grep and hidden) else os.dup(2)
    except OSError:  # it is closed
        stderr = None
    if stderr is None:
        yield
        return
    before = "^WARNING: All log messages before absl::InitializeLog"
    lines = f"{before}|^[{hidden}][0-9]{{4}} [0-9:.]+ +[0-9]+ [a-z_]+[.]cc:"
    process = subprocess.Popen(
        [grep, "--line-buffered", "-vE", lines], stdin=subprocess.PIPE, stdout=stderr, start_new_session=True
    )
    os.dup2(process.stdin.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # where a process that the import started holds the pipe
            process.wait(1)
