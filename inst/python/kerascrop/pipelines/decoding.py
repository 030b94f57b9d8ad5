"""Reading one image file: whether it is intact, and a window of it, resized to a crop.

The window is chosen from the size in the file's header. Then only its rows and columns are decoded. If the crop is
smaller than the window, the JPEG decoder reduces by 2, 4 or 8 while it decodes, which costs less than decoding in full.
"""

import os

from kerascrop.backend import tf
from kerascrop.engine.windows import center_window


def defect(file):
    """What is wrong with a file, judged by its first and last bytes; None if they are an image's."""
    try:
        with open(file, "rb") as stream:
            start = stream.read(8)
            stream.seek(max(os.path.getsize(file) - 64, 0))
            end = stream.read()
    except OSError as error:
        return f"(cannot be opened: {error.strerror})"
    if not start:
        return "(is empty)"
    if start.startswith((b"GIF8", b"BM")):
        return None
    if not start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return "(is not a JPEG, PNG, GIF or BMP image)"
    whole = (b"\xff\xd9" if start.startswith(b"\xff") else b"IEND") in end
    # Some cameras append data to the image, so a file that does not end as images do is tried by decoding it.
    return None if whole else decoding_error(file)


def decoding_error(file):
    """The decoder's complaint about a file, or None."""
    try:
        tf.io.decode_image(tf.io.read_file(file), expand_animations=False)
    except tf.errors.OpError as error:
        return f"(cannot be decoded: {error.message.split(' [')[0].split('}} ')[-1]})"
    return None


class Reader:
    """Reads one file: chooses a window of it, decodes that, and gives it the crop's size."""

    def __init__(self, size, mode, resize, channels, if_smaller, antialias):
        self.size, self.mode, self.resize = size, mode, resize
        self.channels, self.if_smaller, self.antialias = channels, if_smaller, antialias
        self.shape = (*size, channels)

    def __call__(self, path, seed):
        """The crop, uint8, and whether the image is too small for it. `seed` is two whole numbers."""
        contents = tf.io.read_file(path)

        def jpeg():
            lengths = tf.image.extract_jpeg_shape(contents)[:2]
            step = self.step(lengths)
            croppers = [self.jpeg_cropper(contents, lengths, step, ratio, seed) for ratio in (1, 2, 4, 8)]
            if self.resize is None:
                return croppers[0]()
            # The largest reduction that leaves as many pixels as the crop needs.
            return tf.switch_case(tf.reduce_sum(tf.cast(step >= (2, 4, 8), tf.int32)), croppers)

        def other():
            image = tf.cond(
                tf.strings.substr(contents, 0, 4) == b"\x89PNG",
                lambda: tf.io.decode_png(contents, self.channels),
                lambda: decode_other(contents, self.channels),
            )
            lengths = tf.shape(image)[:2]
            return self.crop(lengths, self.step(lengths), seed, lambda start, size: cut(image, start, size))

        crop, small = tf.cond(tf.io.is_jpeg(contents), jpeg, other)
        return tf.ensure_shape(crop, self.shape), small

    def step(self, lengths):
        """How many pixels of the file, in height and width, each pixel of the crop covers."""
        if self.resize is not None:
            return tf.cast(tf.reduce_min(lengths), tf.float32) / self.resize
        if self.if_smaller == "resize":
            return tf.minimum(1.0, tf.reduce_min(tf.cast(lengths, tf.float32) / self.size))
        return tf.constant(1.0)

    def jpeg_cropper(self, contents, lengths, step, ratio, seed):
        """A function that crops a JPEG, reduced by `ratio` while it is decoded."""
        reduced = (lengths + ratio - 1) // ratio
        return lambda: self.crop(
            reduced, step / ratio, seed,
            lambda start, size: decode_window(contents, reduced, start, size, ratio, self.channels),
        )

    def crop(self, lengths, step, seed, cut):
        """Choose a window of an image of these lengths, cut it out, and give it the crop's size."""
        window = tf.cast(tf.round(step * self.size), tf.int32)
        small = tf.reduce_any(window > lengths) if self.resize is None else False
        window = tf.clip_by_value(window, 1, lengths)
        if self.mode == "center":
            start, _ = center_window(lengths, window)
        else:
            # Real numbers below 1, times the number of places.
            place = tf.random.stateless_uniform((2,), seed, dtype=tf.float64)
            start = tf.cast(place * tf.cast(lengths - window + 1, tf.float64), tf.int32)
        crop = cut(start, window)
        if self.if_smaller == "pad" and self.resize is None:
            crop = tf.image.resize_with_crop_or_pad(crop, *self.size)
        elif self.if_smaller == "error" and self.resize is None:
            return tf.cond(small, lambda: (tf.zeros(self.shape, tf.uint8), True), lambda: (crop, False))
        else:
            crop = self.resized(crop, window)
        return crop, False

    def resized(self, crop, window):
        def resize():
            # Rounded: means of numbers up to 255 stay below 255.5.
            return tf.cast(tf.image.resize(crop, self.size, antialias=self.antialias) + 0.5, tf.uint8)

        return tf.cond(tf.reduce_all(window == self.size), lambda: crop, resize)


def cut(image, start, size):
    return tf.slice(image, tf.concat([start, [0]], 0), tf.concat([size, [-1]], 0))


def decode_other(contents, channels):
    """A GIF's first picture, or a BMP: TensorFlow decodes these to as many channels as the file has."""
    image = tf.io.decode_image(contents, expand_animations=False)
    image.set_shape((None, None, None))
    is_grey = tf.shape(image)[2] < 3
    image = tf.cond(is_grey, lambda: tf.repeat(image[..., :1], 3, axis=2), lambda: image[..., :3])
    if channels == 1:
        return tf.image.rgb_to_grayscale(image)
    return image if channels == 3 else _opaque(image)


def _opaque(image):
    """An image of bytes with a fourth channel added: full opacity."""
    return tf.pad(image, [[0, 0], [0, 0], [0, 1]], constant_values=255)


def decode_window(contents, lengths, start, size, ratio, channels):
    """A window of a JPEG, as a slice of the whole decoded image would be."""
    # A pixel's colour depends on its neighbours' if a JPEG stores colour at a lower resolution: decode these too.
    first = tf.maximum(start - 1, 0)
    stop = tf.minimum(start + size + 1, lengths)
    grown = tf.raw_ops.DecodeAndCropJpeg(
        contents=contents, crop_window=tf.concat([first, stop - first], 0), channels=min(channels, 3), ratio=ratio
    )
    image = cut(grown, start - first, size)
    return _opaque(image) if channels == 4 else image
