"""Image files as Pillow shows them: what each holds, what is wrong with it, and its pixels.

A file's content decides what it is, not its name. Nothing here knows of TensorFlow.
"""

import contextlib
import functools
import os
import stat
import struct

import numpy as np

from kerascrop import checks

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "JPEG2000", "AVIF")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
# Beyond this Pillow takes a file for an attack, and TensorFlow's JPEG decoder stops: 2**29 bytes of three channels.
MAX_PIXELS = 2**29 // 3
ORIENTATION = 0x0112  # EXIF's tag


class Unreadable(Exception):
    """A file that cannot be read; its text says why."""


def pillow():
    """Pillow's module `Image`, with all formats that it reads."""
    try:
        from PIL import Image
    except ImportError:
        raise checks.ArgumentError(
            "`crops_from_directory()` needs the package pillow to read images: `pip install pillow`."
        ) from None
    Image.init()
    return Image


@functools.cache
def suffixes():
    """The ends of the names of image files, in lower case, sorted."""
    known = pillow().registered_extensions()
    return tuple(sorted(suffix for suffix, name in known.items() if name in FORMATS or name == "MPO"))


@contextlib.contextmanager
def opened(file, max_pixels=MAX_PIXELS):
    """An image whose header has been read, and whose pixels have not. What goes wrong with it becomes `Unreadable`."""
    try:
        # Opening a pipe or a device would wait for what never comes.
        if not stat.S_ISREG(os.stat(file).st_mode):
            raise Unreadable("is not a regular file")
        with open(file, "rb") as stream:
            image = identified(stream)
            if max_pixels is not None and image.width * image.height > max_pixels:
                raise Unreadable(f"has {image.width} x {image.height} pixels, more than `max_pixels`, {max_pixels}")
            yield image
    except Unreadable:
        raise
    except OSError as error:
        what = f"cannot be opened: {error.strerror}" if error.strerror else f"cannot be decoded: {error}"
        raise Unreadable(what) from None
    except Exception as error:  # damaged files raise errors of all kinds in Pillow
        raise Unreadable(f"cannot be decoded: {error or type(error).__name__}") from None


def identified(stream):
    """As `PIL.Image.open()`, but for the one limit of pixels there, which is everybody's, and `max_pixels` here."""
    image_module = pillow()
    start = stream.read(16)
    if not start:
        raise Unreadable("is empty")
    for name in FORMATS:
        factory, accept = image_module.OPEN.get(name, (None, None))
        if factory and accept(start) is True:
            stream.seek(0)
            return factory(stream, None)
    raise Unreadable(f"is not an image of a known format: {', '.join(FORMATS)}")


def orientation(image):
    """EXIF's number, 1 to 8, of how an image lies in its file; 1 is upright."""
    number = image.getexif().get(ORIENTATION, 1)
    return number if number in range(1, 9) else 1


def is_plain_jpeg(image):
    """Whether TensorFlow decodes it as Pillow does: not where the colours are those of print."""
    return image.format in ("JPEG", "MPO") and image.mode in ("L", "RGB") and image.width * image.height <= MAX_PIXELS


def examined(file, orient=True, max_pixels=MAX_PIXELS):
    """What is wrong with a file, or None, judged by its first and last bytes; and how a plain JPEG lies, 1 to 8.

    The second is 0 for what is no plain JPEG.
    """
    simple = simple_jpeg_pixels(file)
    if 0 < simple <= min(MAX_PIXELS, max_pixels or MAX_PIXELS):
        return None, 1
    try:
        with opened(file, max_pixels) as image:
            plain = is_plain_jpeg(image)
            turn = orientation(image) if plain and orient else int(plain)
            last = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}.get(image.format)
            # Some cameras append data to the image, so a file that does not end as images do is tried by decoding it.
            if last and last not in end_of(file):
                image.load()
    except Unreadable as error:
        return f"({error})", 0
    return None, turn


def simple_jpeg_pixels(file):
    """How many pixels a JPEG has that ends as it should, has three colours or one, and no EXIF or the like; else 0.

    Most files of data sets are such, and Pillow takes several times as long to say so.
    """
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            return 0
        with open(file, "rb", buffering=0) as stream:
            start = stream.read(2048)
            stream.seek(-min(64, len(start)), os.SEEK_END)
            end = stream.read(64)
    except OSError:
        return 0
    at, pixels = 2 if start.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in end else len(start), 0
    while at + 10 <= len(start) and start[at] == 0xFF:
        marker, length, bits, height, width, channels = struct.unpack_from(">xBHBHHB", start, at)
        if marker == 0xDA:
            return pixels
        if marker in (0xC0, 0xC1, 0xC2) and bits == 8 and channels in (1, 3) and length == 8 + 3 * channels:
            pixels = height * width
        elif marker not in (0xE0, 0xC4, 0xDD, 0xFE) and not (marker == 0xDB and length % 65 == 2 and bits < 4):
            return 0  # neither JFIF, tables nor comments
        at += 2 + length
    return 0


def end_of(file):
    with open(file, "rb") as stream:
        stream.seek(max(os.path.getsize(file) - 64, 0))
        return stream.read()


def pixels(file, channels, orient=True, max_pixels=MAX_PIXELS):
    """The first picture of a file, `(height, width, channels)`, uint8.

    As Pillow converts it: opacity is dropped, grey is ITU-R 601's, and of 16 bits the upper 8 are kept.
    """
    with opened(file, max_pixels) as image:
        stored = orientation(image) if image.format == "TIFF" else 1
        image.load()
        if orient:
            turn = orientation(image)
        else:  # Pillow turns TIFF files itself
            turn = {6: 8, 8: 6}.get(stored, stored) if orientation(image) == 1 else 1
        return upright(converted(image, channels), turn)


def converted(image, channels):
    """An image's pixels as bytes `(height, width, channels)`."""
    if image.mode.startswith("I;16"):
        deep = np.asarray(image)
        image = pillow().fromarray((deep >> 8).astype("uint8"))
    elif image.mode in ("I", "F"):
        low, high = image.getextrema()
        # Pillow makes 255 of all that is more: of 16 bits that would be nearly everything.
        if image.mode == "I" and 255 < high <= 65535 and low >= 0:
            image = pillow().fromarray((np.asarray(image) >> 8).astype("uint8"))
        elif not 0 <= low <= high <= 255 or (image.mode == "F" and 0 < high <= 1):
            raise Unreadable(f"has numbers from {low:g} to {high:g}, not from 0 to 255: save it with 8 or 16 bits")
    if image.mode == "CMYK" and channels == 4:
        image = image.convert("RGB")
    return np.asarray(image.convert(MODES[channels])).reshape(image.height, image.width, channels)


def upright(image, turn):
    """Rows and columns as the viewer sees them, of an image that lies in its file as EXIF's number says."""
    rows_turn, columns_turn = (turn - 1) % 4 in (2, 3), (turn - 1) % 4 in (1, 2)
    image = image.swapaxes(0, 1) if turn > 4 else image
    return np.ascontiguousarray(image[:: -1 if rows_turn else 1, :: -1 if columns_turn else 1])
