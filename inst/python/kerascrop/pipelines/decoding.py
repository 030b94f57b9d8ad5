"""Reading a window of one image file, resized to a crop.

The window is chosen from the size in the file's header. Of a plain JPEG only its rows and columns are decoded. If the
crop is smaller than the window, the JPEG decoder reduces by 2, 4 or 8 while it decodes, which costs less than decoding
in full. All other files are decoded whole, by Pillow.
"""

import numpy as np

from kerascrop.backend import tensorflow as tf
from kerascrop.engine.windows import center_window
from kerascrop.pipelines import files

RATIOS = (1, 2, 4, 8)  # by which the decoder of JPEGs can reduce


def decoding_error(file, max_pixels=files.MAX_PIXELS):
    """The decoders' complaint about a file, or None."""
    try:
        with files.opened(file, max_pixels) as image:
            if files.is_plain_jpeg(image):
                tf.io.decode_jpeg(tf.io.read_file(file))
        files.pixels(file, 3, max_pixels=max_pixels)
    except files.Unreadable as error:
        return f"({error})"
    except tf.errors.OpError as error:
        return f"(cannot be decoded: {error.message.split(' [')[0].split('}} ')[-1]})"
    return None


class Reader:
    """Reads one file: chooses a window of it, decodes that, and gives it the crop's size."""

    def __init__(self, size, mode, resize, channels, if_smaller, antialias, orient=True, max_pixels=files.MAX_PIXELS):
        self.size, self.mode, self.resize = size, mode, resize
        self.channels, self.if_smaller, self.antialias = channels, if_smaller, antialias
        self.orient, self.max_pixels = orient, max_pixels
        self.shape = (*size, channels)

    def __call__(self, path, turn, where):
        """The crop, uint8, and whether the image is too small for it.

        `turn` is how a plain JPEG lies in its file, 1 to 8 as in EXIF; 0 is for all else. It may be a tensor. `where`
        are two random numbers, from 0 to 1, for height and width.
        """

        def jpeg():
            contents = tf.io.read_file(path)
            lengths = exchanged(tf.image.extract_jpeg_shape(contents)[:2], turn)
            step, ratio = self.step(lengths), 1
            if self.resize is not None:
                # The largest reduction that leaves as many pixels as the crop needs.
                ratio = 2 ** tf.reduce_sum(tf.cast(step >= RATIOS[1:], tf.int32))
                lengths, step = (lengths + ratio - 1) // ratio, step / tf.cast(ratio, tf.float32)

            def cut(start, size):
                return decode_turned(contents, lengths, start, size, turn, ratio, self.channels)

            return self.crop(lengths, step, where, cut)

        def other():
            image = tf.numpy_function(self.pixels, [path], tf.uint8)
            lengths = tf.shape(image)[:2]
            return self.crop(lengths, self.step(lengths), where, lambda start, size: cut(image, start, size))

        if isinstance(turn, int):
            crop, small = jpeg() if turn else other()
        else:
            crop, small = tf.cond(turn > 0, jpeg, other)
        return tf.ensure_shape(crop, self.shape), small

    def pixels(self, path):
        return files.pixels(np.asarray(path).item(), self.channels, self.orient, self.max_pixels)

    def step(self, lengths):
        """How many pixels of the file, in height and width, each pixel of the crop covers."""
        if self.resize is not None:
            return tf.cast(tf.reduce_min(lengths), tf.float32) / self.resize
        if self.if_smaller == "resize":
            return tf.minimum(1.0, tf.reduce_min(tf.cast(lengths, tf.float32) / self.size))
        return tf.constant(1.0)

    def crop(self, lengths, step, where, cut):
        """Choose a window of an image of these lengths, cut it out, and give it the crop's size."""
        window = tf.cast(tf.round(step * self.size), tf.int32)
        small = tf.reduce_any(window > lengths) if self.resize is None else False
        window = tf.clip_by_value(window, 1, lengths)
        if self.mode == "center":
            start, _ = center_window(lengths, window)
        else:
            start = tf.cast(where * tf.cast(lengths - window + 1, tf.float64), tf.int32)
        crop = tf.ensure_shape(cut(start, window), (None, None, self.channels))
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


def exchanged(pair, turn):
    """Height and width as the viewer sees them, or of the file again: EXIF's numbers from 5 on exchange the two."""
    if isinstance(turn, int):
        return pair[::-1] if turn > 4 else pair
    return tf.where(turn > 4, pair[::-1], pair)


def decode_turned(contents, lengths, start, size, turn, ratio, channels):
    """A window of a JPEG as the viewer sees it: of `lengths`, which in the file lie as EXIF's number `turn` says.

    The window is found in the file, decoded there, and turned: rows and columns are exchanged, then reversed.
    """
    if isinstance(turn, int) and turn == 1:
        return decode_window(contents, lengths, start, size, ratio, channels)
    number = (turn - 1) % 4
    backwards = tf.stack([number >= 2, (number == 1) | (number == 2)])
    start = tf.where(backwards, lengths - start - size, start)
    there = [exchanged(pair, turn) for pair in (lengths, start, size)]
    image = decode_window(contents, *there, ratio, channels)
    image = tf.cond(turn > 4, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    steps = tf.where(backwards, -1, 1)
    return image[:: steps[0], :: steps[1]]


def decode_window(contents, lengths, start, size, ratio, channels):
    """A window of a JPEG, as a slice of the whole decoded image, `ratio` times smaller, would be."""

    def decode(ratio):
        return tf.raw_ops.DecodeAndCropJpeg(
            contents=contents, crop_window=tf.concat([first, stop - first], 0), channels=3, ratio=ratio,
            dct_method="INTEGER_ACCURATE",  # Pillow's
        )

    # A pixel's colour depends on its neighbours' if a JPEG stores colour at a lower resolution: decode these too.
    first = tf.maximum(start - 1, 0)
    stop = tf.minimum(start + size + 1, lengths)
    if isinstance(ratio, int):
        grown = decode(ratio)
    else:
        number = tf.reduce_sum(tf.cast(ratio >= RATIOS[1:], tf.int32))
        grown = tf.switch_case(number, [lambda each=each: decode(each) for each in RATIOS])
    image = cut(grown, start - first, size)
    if channels == 1:  # Pillow's numbers for ITU-R 601
        grey = tf.reduce_sum(tf.cast(image, tf.int32) * (19595, 38470, 7471), 2, keepdims=True)
        return tf.cast((grey + 2**15) // 2**16, tf.uint8)
    return tf.pad(image, [[0, 0], [0, 0], [0, 1]], constant_values=255) if channels == 4 else image
