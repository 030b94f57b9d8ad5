"""Files of text, read in UTF-8, and written as a whole or not at all."""

import contextlib
import os
import shutil
import stat
import uuid

from kerascrop import checks


def bytes_of_file(path):
    """What is in a file."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # to open a pipe would wait for what never comes
            raise checks.ArgumentError(f"{path!r} is not a regular file.")
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise checks.ArgumentError(f"{path!r} cannot be read: {error.strerror}.") from None


def text_of_file(path):
    """The text in a file, without a byte order mark."""
    try:
        return bytes_of_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise checks.BoxError(f"{path!r} is not text in UTF-8: {error.reason} at byte {error.start}.") from None


def files_in(folder, is_one):
    """The names of files, from a folder on, sorted; hidden ones are left out."""
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.relpath(os.path.join(where, name), folder) for name in names if not name.startswith(".")]
    return sorted(filter(is_one, found))


def check_inside(file):
    """Stop at a file's name that leads out of a folder."""
    parts = file.replace("\\", "/").split("/")
    if os.path.isabs(file) or ".." in parts or not parts[-1] or ":" in parts[0]:
        raise checks.BoxError(
            f"A file for each image goes into the folder, so the images must have names from there on, not {file!r}."
        )


def write_files(path, texts):
    """Write the files `{name: text}` into a folder; or one file, whose name is "", to the path itself.

    All are written beside their places first, and moved there when no more can go wrong.
    """
    path = os.path.realpath(path)
    is_folder = "" not in texts
    folder = path if is_folder and os.path.isdir(path) else os.path.dirname(path)
    beside = os.path.join(folder, f".kerascrop-{uuid.uuid4().hex}")
    try:
        os.mkdir(beside)
        for name, text in texts.items():
            place = os.path.join(beside, name or "file")
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        if is_folder and folder != path:
            os.rename(beside, path)
            return
        for name in texts:
            place = os.path.join(path, name) if name else path
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if os.path.exists(place):
                place = os.path.realpath(place)
                shutil.copymode(place, os.path.join(beside, name or "file"))
            os.replace(os.path.join(beside, name or "file"), place)
    except OSError as error:
        raise checks.ArgumentError(f"`path` cannot be written: {path!r}: {error.strerror}.") from None
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(beside)
