"""Damaged image files, read alone and in folders: pixels as Pillow shows them, or an error that names the file.

    python tests/fuzz/files.py --cases 2000 --seed 1

Each case spoils a small file: bytes that change, go, come twice or from another file, and sizes of gigapixels. A
finding is any other error, a file that Pillow reads and we do not or differently, one that is neither read nor named,
more memory than the largest image that is allowed takes, or a minute without an end.
"""

import argparse
import collections
import faulthandler
import io
import os
import pathlib
import random
import re
import resource
import sys
import tempfile
import warnings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = pathlib.Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "inst" / "python"), str(ROOT / "tests" / "python" / "pipelines")]

import numpy as np  # noqa: E402
from PIL import Image, ImageOps  # noqa: E402
from test_files import FILES, TURNED  # noqa: E402

import kerascrop  # noqa: E402
from kerascrop.checks import ArgumentError  # noqa: E402
from kerascrop.pipelines import files  # noqa: E402

MAX_PIXELS = 10**6
MEMORY = 300 * 2**20  # bytes beyond what the first files took
SEEDS = {**FILES, **TURNED}
SIZES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF]


def spoilt(data, draw):
    """A file with a fault or several, many of them near its start, where its sizes are."""
    data = bytearray(data)
    for _ in range(draw.choice([1, 1, 1, 2, 4])):
        at = draw.randrange(min(len(data), draw.choice([32, 128, 10**6]))) if data else 0
        fault = draw.randrange(8)
        if fault == 0:
            data[at : at + 1] = bytes([draw.randrange(256)])
        elif fault == 1:
            data[at : at + 1] = bytes([(data[at] if data else 0) ^ 1 << draw.randrange(8)])
        elif fault == 2:
            del data[at + draw.choice([0, 1, 4, 50]) :]
        elif fault == 3:
            del data[at : at + draw.choice([1, 2, 8, 64])]
        elif fault == 4:
            data[at:at] = data[at : at + draw.choice([1, 4, 64])]
        elif fault == 5:
            other = draw.choice(list(SEEDS.values()))
            data[at:] = other[draw.randrange(len(other)) :]
        elif fault == 6:
            length, order = draw.choice([2, 4]), draw.choice(["big", "little"])
            data[at : at + length] = (draw.choice(SIZES) % 256**length).to_bytes(length, order)
        else:
            data[at : at + 64] = bytes(len(data[at : at + 64]))
    return bytes(data)


def shown(data):
    """What Pillow shows of a file, or None where it reads none, or none of ours."""
    try:
        with Image.open(io.BytesIO(data), formats=files.FORMATS) as image:
            if image.width * image.height > MAX_PIXELS or image.mode in ("I", "F") or "16" in image.mode:
                return None
            image = ImageOps.exif_transpose(image)
        return np.asarray(image.convert("RGB"))
    except Exception:
        return None


def alone(file, truth):
    """What is wrong with how a file is read by itself; None if nothing is. `truth` is what Pillow shows, or None."""
    reason, _ = files.examined(file, max_pixels=MAX_PIXELS)
    try:
        found = files.pixels(file, 3, max_pixels=MAX_PIXELS)
    except files.Unreadable as error:
        return f"Pillow reads it, but not we: {error}" if truth is not None else None
    if truth is not None and (found.shape != truth.shape or (found != truth).any()):
        return "other pixels than Pillow's"
    if reason and truth is not None:
        return f"Pillow reads it, but we say {reason}"
    return None


def together(folder, truths):
    """What is wrong with how the files of a folder are read, in the order of their names; None if nothing is."""
    names = sorted(truths)
    options = {"mode": "center", "batch_size": None, "labels": range(len(names)), "if_smaller": "pad"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            dataset = kerascrop.crops_from_directory(folder, 8, 8, errors="skip", max_pixels=MAX_PIXELS, **options)
            read = {names[number]: crop.numpy() for crop, number in dataset}
        except ArgumentError as error:
            return None if "No image is left" in str(error) else f"an error although broken files are skipped: {error}"
    told = [str(warning.message) for warning in caught]
    left = sum(int(number) for text in told for number in re.findall(r"^(\d+) of \d+ image files cannot", text))
    left += sum(text.endswith(". It is left out.") for text in told)
    if len(read) + left != len(names):
        return f"{len(read)} read and {left} left out of {len(names)}: {told}"
    for name, truth in truths.items():
        if truth is None or min(truth.shape[:2]) < 8:
            continue
        if name not in read:
            return f"{name} is left out, although Pillow reads it: {[text for text in told if name in text]}"
        top, left = ((length - 8) // 2 for length in truth.shape[:2])
        if (read[name] != truth[top : top + 8, left : left + 8]).any():
            return f"{name} has other pixels than Pillow's"
    return None


def named(file):
    """What is wrong with the error about a file that is alone in its folder; None if nothing is."""
    try:
        list(kerascrop.crops_from_directory(
            file.parent, 8, 8, labels=None, if_smaller="pad", max_pixels=MAX_PIXELS, batch_size=None
        ))  # fmt: skip
    except Exception as error:
        if file.name not in str(error) or "cannot be read" in str(error) and not isinstance(error, ArgumentError):
            return f"an error that does not name the file: {type(error).__name__}: {str(error)[:300]}"
    return None


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(number, seed, verbose=True, batch=100):
    """Runs cases and returns the findings, one of each kind."""
    findings, counts, start = {}, collections.Counter(), None
    names = list(SEEDS)

    def note(kind, where):
        if kind and kind not in findings:
            findings[kind] = f"{where}: {kind}"
            if verbose:
                print(findings[kind], flush=True)

    with tempfile.TemporaryDirectory() as root, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for first in range(0, number, batch):
            folder = pathlib.Path(root) / str(first)
            folder.mkdir()
            truths = {}
            for i in range(first, min(first + batch, number)):
                faulthandler.dump_traceback_later(60, exit=True)
                draw = random.Random(f"{seed} {i}")
                name = draw.choice(names)
                data = spoilt(SEEDS[name], draw)
                file = folder / f"{i}_{name}"
                file.write_bytes(data)
                truths[file.name] = shown(data)
                try:
                    note(alone(file, truths[file.name]), f"case {i}, {name}")
                except Exception as error:
                    note(f"{type(error).__name__}: {error}", f"case {i}, {name}")
                counts["read" if files.examined(file, max_pixels=MAX_PIXELS)[0] is None else "refused"] += 1
            faulthandler.dump_traceback_later(120, exit=True)
            note(together(folder, truths), f"cases from {first}")
            own = pathlib.Path(root) / f"{first}_alone"
            own.mkdir()
            (own / file.name).write_bytes(data)
            note(named(own / file.name), f"case {i}, {name}")
            start = start or peak()
            if peak() - start > MEMORY:
                note("too much memory", f"cases from {first}: {(peak() - start) / 2**20:.0f} MiB")
        faulthandler.cancel_dump_traceback_later()
    kinds = ", ".join(f"{count:,} {kind} at first sight" for kind, count in sorted(counts.items()))
    return list(findings.values()), f"{number:,} cases of {len(names)} files, seed {seed}: {kinds}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found, summary = main(given.cases, given.seed)
    print(f"{summary} {len(found)} findings.")
    sys.exit(bool(found))
