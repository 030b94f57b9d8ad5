"""Set up what kerascrop needs: R and its packages, Python packages in .venv/, kerascrop itself in .rlib/.

    python3 tools/setup.py [--backends] [--browser] [R package ...]

What is there is left alone: a second run is quick, and a run after an interrupted one goes on where that stopped.
Only apt writes outside this folder; without root, its command is printed instead of run.
"""

import fcntl
import os
import shutil
import signal
import sys
from pathlib import Path

import r_packages
from system import install_from_debian, output, run, say

# Each is written when its step is done.
R_DONE, PYTHON_DONE, BACKENDS_DONE = Path(".rlib/.done"), Path(".venv/.done"), Path(".venv/.done-backends")

# What pip fetches, and how long that took where it was measured: two cores, TensorFlow 2.21.
AMOUNTS = {
    "requirements.txt": "650 MB to fetch (TensorFlow has 570 of them), 2.3 GB on disk; about 4 minutes",
    "tools/requirements-backends.txt": "JAX and PyTorch, some 300 MB to fetch; some minutes",
}

# Prints a Python's version, then the Debian packages it lacks: R needs its shared library, a .venv needs ensurepip.
INSPECT_PYTHON = """
import importlib.util, os, sys, sysconfig
name, library = "python%d.%d" % sys.version_info[:2], sysconfig.get_config_var("INSTSONAME") or ""
libdir, multiarch = sysconfig.get_config_var("LIBDIR") or "", sysconfig.get_config_var("MULTIARCH") or ""
folders = [libdir, os.path.join(libdir, multiarch), os.path.join(sys.base_prefix, "lib")]
shared = ".so" in library and any(os.path.exists(os.path.join(folder, library)) for folder in folders)
venv = importlib.util.find_spec("ensurepip")
print(sys.version_info[1], *([] if shared else ["lib" + name]), *([] if venv else [name + "-venv"]))
"""


def find_python():
    """The first Python that suits, and the Debian packages it lacks; one that lacks nothing comes first."""
    newest = 12 if needs_old_numpy() else 13
    found = []
    for name in ["python3", *(f"python3.{minor}" for minor in range(newest, 9, -1))]:
        minor, *lacking = output(name, "-c", INSPECT_PYTHON).split() or ["0"]
        path = shutil.which(name)
        if 10 <= int(minor) <= newest and (not lacking or path.startswith("/usr/bin/")):
            found.append((path, lacking))
    if not found:
        sys.exit(f"setup: no suitable Python found: it takes 3.10 to 3.{newest} with its shared library (libpython)")
    return min(found, key=lambda python: len(python[1]) > 0)


def needs_old_numpy():
    """reticulate before 1.38 cannot read NumPy 2 arrays."""
    return r_packages.version(r_packages.installed().get("reticulate", "1.38")) < [1, 38]


def older(done, *sources):
    """Whether `done` is missing, or older than one of the files and folders it depends on."""
    files = [file for source in map(Path, sources) for file in (source, *source.rglob("*")) if file.exists()]
    return not done.exists() or done.stat().st_mtime < max(
        file.stat().st_mtime for file in files if "__pycache__" not in file.parts
    )


def install_system_and_r(extra):
    _, lacking = find_python()
    r_packages.install(extra, [*lacking, *(tool for tool in ("pandoc", "qpdf") if not shutil.which(tool))])
    R_DONE.touch()


def install_python_packages(requirements, done):
    if not PYTHON_DONE.exists():
        python, lacking = find_python()
        install_from_debian(lacking)
        say(f"making .venv with {python}")
        run(python, "-m", "venv", "--clear", ".venv")
    PYTHON_DONE.unlink(missing_ok=True)
    say(f"installing the Python packages in {requirements}: {AMOUNTS[requirements]}. Details: .cache/setup.log")
    numpy = ["numpy<2"] if needs_old_numpy() else []
    pip = [".venv/bin/python", "-u", "-m", "pip", "install", "--progress-bar", "off", "--retries", "2"]
    run(*pip, "--requirement", requirements, *numpy)
    PYTHON_DONE.touch()
    done.touch()


def install_browser():
    """Chromium, for the tests of the editor; without root, and where Debian has none, these are skipped."""
    names = {"chromium": "chromium", "chromedriver": "chromium-driver"}
    lacking = [package for tool, package in names.items() if not shutil.which(tool)]
    if lacking and os.geteuid() == 0 and shutil.which("apt-get"):
        install_from_debian([], lacking)
    if not all(map(shutil.which, names)):
        say("no", " and no ".join(lacking), "here, which only root can install: the browser tests are skipped")


def install_kerascrop():
    say("installing kerascrop into .rlib")
    for lock in Path(".rlib").glob("00LOCK*"):  # left by an interrupted installation
        shutil.rmtree(lock)
    run("R", "CMD", "INSTALL", "--library=.rlib", ".")


def one_at_a_time(lock):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting for another set-up in this folder")
        fcntl.flock(lock, fcntl.LOCK_EX)


def main(arguments):
    extra = [name for name in arguments if not name.startswith("--")]
    if extra or older(R_DONE, "DESCRIPTION", "tools/setup.py", "tools/r_packages.py", "tools/system.py"):
        install_system_and_r(extra)
    if older(PYTHON_DONE, "requirements.txt"):
        install_python_packages("requirements.txt", PYTHON_DONE)
    if "--backends" in arguments and older(BACKENDS_DONE, "tools/requirements-backends.txt"):
        install_python_packages("tools/requirements-backends.txt", BACKENDS_DONE)
    if "--browser" in arguments:
        install_browser()
    if older(Path(".rlib/kerascrop/DESCRIPTION"), "DESCRIPTION", "NAMESPACE", "R", "inst", "man"):
        install_kerascrop()
    say("ready")


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    os.environ.update(
        R_LIBS=os.path.abspath(".rlib"), PIP_CACHE_DIR=os.path.abspath(".cache/pip"), DEBIAN_FRONTEND="noninteractive"
    )
    for folder in (".cache", ".rlib"):
        os.makedirs(folder, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with open(".cache/lock", "w") as lock:
            one_at_a_time(lock)
            main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nsetup: stopped; the next run goes on from here")
