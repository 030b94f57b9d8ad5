"""Signs on photographs: what `bench/label_few.py` also trains and tests on.

Photographs come from packages of Debian, which are fetched and unpacked into `.cache/bench`, not installed:
`lomiri-wallpapers-16.04` (CC-BY-SA) to train on, `mate-backgrounds` (CC-BY-SA, GPL-2+) to test with. Digits are those
of the package. No photograph, and no digit, of a test picture is in one to train on.
"""

import functools
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from kerascrop.digits import Digits, cluttered_digits

CACHE = Path(__file__).parents[1] / ".cache" / "bench"
PHOTOGRAPHS = {"train": ("lomiri-wallpapers-16.04", "*.jpg"), "test": ("mate-backgrounds", "mate/nature/*.jpg")}
COLOURS = np.array([(235, 235, 230), (240, 210, 60), (60, 90, 190), (190, 50, 45)])
HEIGHT, WIDTH, DIGIT, APART = 28, 36, 15, 4  # of a sign and of a digit on it, and how far signs are apart, in pixels


def signs(n, split, seed, side=128, blanks=2):
    """A sign with two digits on a photograph, among blank ones: the class is the first digit."""
    rng = np.random.default_rng([seed, split == "test"])
    x, y, boxes = backgrounds(n, side, split, rng), np.zeros(n, "int32"), np.zeros((n, 4), "float32")
    bank = cluttered_digits(3000, DIGIT, DIGIT, distractors=0, split=split, seed=int(rng.integers(2**31)))
    for i, image in enumerate(x):
        corners = places(1 + blanks, side, rng)
        for number, (top, left) in enumerate(corners):
            ground = np.clip(COLOURS[rng.integers(4)] * rng.uniform(0.75, 1.05), 0, 255)
            ink = 20 if ground.mean() > 130 else 240
            sign = np.tile(ground, (HEIGHT, WIDTH, 1))
            sign[:1] = sign[-1:] = sign[:, :1] = sign[:, -1:] = ink
            for at in (2, WIDTH - 2 - DIGIT) if number == 0 else ():
                which, down = rng.integers(len(bank.y)), rng.integers(2, HEIGHT - DIGIT - 1)
                part = sign[down : down + DIGIT, at : at + DIGIT]
                part += bank.x[which] * (ink - part)
                y[i] = bank.y[which] if at == 2 else y[i]
            noisy = sign + rng.normal(0, 4, sign.shape)
            image[top : top + HEIGHT, left : left + WIDTH] = np.clip(noisy, 0, 255).round()
        top, left = corners[0]
        boxes[i] = left, top, left + WIDTH, top + HEIGHT
    return Digits(x, y, boxes)


def unpacked(package):
    """The folder of a Debian package's files."""
    folder = CACHE / package
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", package], cwd=CACHE, check=True)
        (archive,) = CACHE.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
        archive.unlink()
    return folder


@functools.cache
def photographs(split):
    """At most 1,000 pixels along the longer side."""
    package, pattern = PHOTOGRAPHS[split]
    found = []
    for path in sorted((unpacked(package) / "usr/share/backgrounds").glob(pattern)):
        photograph = Image.open(path)
        photograph.draft("RGB", (1000, 1000))
        photograph = photograph.convert("RGB")
        photograph.thumbnail((1000, 1000), Image.Resampling.BOX)
        found.append(photograph)
    return found


def backgrounds(n, side, split, rng):
    """Square pieces of the photographs, half to all of the shorter side, mirrored at random."""
    pieces = np.empty((n, side, side, 3), "uint8")
    for piece in pieces:
        photograph = photographs(split)[rng.integers(len(photographs(split)))]
        part = rng.uniform(0.5, 1) * min(photograph.size)
        left, top = (rng.uniform(0, length - part) for length in photograph.size)
        box = (left, top, left + part, top + part)
        pixels = np.asarray(photograph.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=2))
        piece[:] = pixels[:, :: rng.choice([1, -1])]
    return pieces


def places(count, side, rng):
    """Top left corners of signs that do not touch."""
    found = []
    while len(found) < count:
        top, left = rng.integers([side - HEIGHT + 1, side - WIDTH + 1])
        if all(abs(top - y) >= HEIGHT + APART or abs(left - x) >= WIDTH + APART for y, x in found):
            found.append((int(top), int(left)))
    return found
