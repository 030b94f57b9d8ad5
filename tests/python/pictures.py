"""Image files for the tests of what reads them, and what was read."""

import struct
import zlib

import keras
import numpy as np
import PIL.Image
import PIL.ImageOps

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


def picture(rng, height, width):
    """A smooth picture no small window of which comes twice."""
    small = rng.uniform(0, 255, (1, height // 8 + 2, width // 8 + 2, 3)).astype("float32")
    return np.asarray(tf.image.resize(small, (height, width), method="bicubic")[0]).clip(0, 255).astype("uint8")


def write(file, image, **options):
    file.parent.mkdir(parents=True, exist_ok=True)
    encode = tf.io.encode_png if file.suffix == ".png" else tf.io.encode_jpeg
    file.write_bytes(encode(image, **options).numpy())
    return file


def decoded(file, channels=3):
    """A file as Pillow shows it."""
    with PIL.Image.open(file) as image:
        shown = PIL.ImageOps.exif_transpose(image).convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])
    return np.asarray(shown).reshape(shown.height, shown.width, channels)


def broken_png(image):
    """A PNG with head and end, whose pixels cannot be decoded."""
    data = bytearray(tf.io.encode_png(image).numpy())
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    data[start : start + length] = bytes(length)
    data[start + length : start + length + 4] = struct.pack(">I", zlib.crc32(data[start - 4 : start + length]))
    return bytes(data)


def epoch(dataset):
    return [np.concatenate(parts) for parts in zip(*((x.numpy(), y.numpy()) for x, y in dataset))]
