"""What is in the wheel, and in the R package's folder of Python."""

import email
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

SOURCE = pathlib.Path(__file__).parents[2]
MODULE = SOURCE / "inst" / "python"
LEFT_OVER = ("build/lib/kerascrop/old.py", "kerascrop.egg-info/PKG-INFO", "kerascrop/__pycache__/old.pyc")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, as setuptools leaves files beside the source."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(MODULE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder]
    subprocess.run([*command, folder / "source"], check=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_it_has_all_of_the_module_and_nothing_else(wheel):
    source = {path.relative_to(MODULE) for path in (MODULE / "kerascrop").rglob("*") if path.is_file()}
    source = {path.as_posix() for path in source if "__pycache__" not in path.parts}
    assert {"kerascrop/py.typed", "kerascrop/digits.npz"} <= source
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == source


def test_it_has_its_licence_and_that_of_the_data(wheel):
    texts = {pathlib.Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if "licenses/" in name}
    assert texts["LICENSE.md"] == (SOURCE / "LICENSE.md").read_text(encoding="utf-8")
    for notice in (texts["NOTICE.md"], (SOURCE / "inst/extdata/README.md").read_text(encoding="utf-8")):
        assert "digits.npz" in notice and "CC BY 4.0" in notice and "10.24432/C50P49" in notice


def test_its_metadata_is_that_of_the_r_package(wheel):
    metadata = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    data = email.message_from_string(wheel.read(metadata).decode())
    description = email.message_from_string((SOURCE / "DESCRIPTION").read_text(encoding="utf-8"))
    assert data["Version"] == description["Version"]
    assert data["License-Expression"] == "MIT" and description["License"].startswith("MIT")
    name, address = data["Author-email"].rstrip(">").split(" <")
    assert name in description["Authors@R"] and address in description["Authors@R"]
    assert data.get_payload() == (MODULE / "README.md").read_text(encoding="utf-8")
    assert data["Description-Content-Type"] == "text/markdown"
    assert set(data.get_all("Provides-Extra")) == {"tensorflow", "torch", "jax"}
    assert "Typing :: Typed" in data.get_all("Classifier")


@pytest.mark.skipif(not shutil.which("R"), reason="R is not there")
def test_r_installs_and_builds_nothing_that_setuptools_or_python_left(tmp_path):
    package = tmp_path / "tiny"
    for name in LEFT_OVER:
        (package / "inst/python" / name).parent.mkdir(parents=True, exist_ok=True)
        (package / "inst/python" / name).write_text("old")
    (package / "inst/python/kerascrop/new.py").write_text("new")
    (package / "DESCRIPTION").write_text(
        "Package: tiny\nVersion: 1.0\nTitle: T\nDescription: D.\nLicense: GPL\nAuthor: A\nMaintainer: A <a@b.org>\n"
    )
    (package / "NAMESPACE").touch()
    for name in (".Rbuildignore", ".Rinstignore"):
        shutil.copy(SOURCE / name, package / name)

    def files(folder):
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    def run(*command):
        subprocess.run(["R", "CMD", *command], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "library").mkdir()
    run("INSTALL", "--library=library", "--no-test-load", "tiny")
    assert files(tmp_path / "library/tiny/python") == {"kerascrop/new.py"}
    run("build", "tiny")
    shutil.unpack_archive(tmp_path / "tiny_1.0.tar.gz", tmp_path / "built")
    assert files(tmp_path / "built/tiny/inst") == {"python/kerascrop/new.py"}
