"""Crops from labelled folders of image files: the list of files, and a dataset of crops of them."""

import math
import multiprocessing.pool
import os
import pathlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerascrop import checks, seeds
from kerascrop.backend import tensorflow as tf
from kerascrop.pipelines.batches import MODES, check_tensorflow, random_numbers
from kerascrop.pipelines.decoding import Reader, decoding_error
from kerascrop.pipelines.files import MAX_PIXELS, examined, suffixes
from kerascrop.pipelines.labels import check_class_names, check_labels, encode_labels, given_labels

CHANNELS = {"rgb": 3, "grayscale": 1, "rgba": 4}
LABEL_MODES = ("int", "categorical", "binary", None)


def crops_from_directory(
    path: str | os.PathLike,
    height: int,
    width: int,
    mode: str = "random",
    batch_size: int | None = 32,
    resize: int | None = None,
    labels: str | Sequence | np.ndarray | None = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    shuffle: bool | None = None,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    if_smaller: str = "error",
    antialias: bool = False,
    errors: str = "raise",
    orient: bool = True,
    max_pixels: int | None = MAX_PIXELS,
) -> Any:
    """Crops of the images in labelled folders, as a `tf.data.Dataset`.

    Arguments that `keras.utils.image_dataset_from_directory()` also has mean the same here. Files are read as Pillow
    shows them: JPEG, PNG, GIF, BMP, WebP, TIFF, PPM, JPEG 2000 and AVIF, the first picture of those that have several,
    whatever their names end in. Where the colours are those of print, CMYK, they become red, green and blue; of 16 bits
    the upper 8 are kept. Folders and files may be links. Hidden ones are not read, nor are files whose names do not end
    as those of images do: a warning says which, and how many.

    Args:
        path: a folder with one folder of images for each class.
        height, width: size of the crops, in pixels.
        mode: `"random"`, for training: a new place for each image in each epoch. `"center"`, for prediction.
        batch_size: images in a batch; None gives single images.
        resize: None cuts `height` by `width` pixels of the file. With a number of pixels, crops are as if the image's
            shorter side had been resized to that number first: with `resize=256`, a 224 by 224 crop is 7/8 as high and
            wide as the shorter side. It must be at least `height` and `width`.
        labels: `"inferred"`, from the folders; None, for images without labels; or a list or array with a label for
            each file, in the order of their sorted paths: whole numbers, names, or True and False.
        label_mode: `"int"`, `"categorical"` (one-hot), `"binary"` (0 or 1, float32) or None, for images without
            labels.
        class_names: the folders to read, or the names in `labels`, in the order of the labels, which count from 0;
            None takes all, sorted.
        color_mode: `"rgb"`, `"grayscale"` (of colours the weighted sum of ITU-R 601) or `"rgba"`. The first two
            leave opacity out.
        shuffle: whether each epoch has an order of its own; else files come sorted. None is True for random crops.
        seed: a whole number, for the same order and places in every run; None draws one.
        validation_split, subset: the fraction of files kept for validation, and `"training"` or `"validation"`. `seed`
            fixes which files are in which, whatever `shuffle` is.
        if_smaller: what to do, without `resize`, with an image smaller than the crop: `"error"`, which names
            the file; `"resize"`, which enlarges it until the crop fits; `"pad"`, with black, on all sides.
        antialias: average all of the file's pixels that a pixel of a reduced crop covers. Without it, crops are
            bilinear, though from a JPEG that is already reduced to less than twice their size.
        errors: what to do with files that are empty, truncated or not images: `"raise"`, an error that names them;
            `"skip"`, a warning that names them. Most are found at once; a file whose defect shows only when it is
            decoded stops the dataset, or is left out, then.
        orient: turn photographs upright, as EXIF says that they lie; False leaves them as they are stored.
        max_pixels: files that say they have more are broken; None takes any.

    Returns:
        A dataset of `(images, labels)`, or of images alone: uint8 `(batch, height, width, channels)` and int32
        `(batch,)`, or float32 `(batch, classes)` or `(batch, 1)`. It has the attributes `class_names` and `file_paths`.

    Raises:
        ArgumentError, SizeError: wrong arguments; no such folder, no folders or images in it, no image of a class;
            broken files.

    Example:

    >>> train = kerascrop.crops_from_directory("photos", 224, 224, resize=256)
    >>> test = kerascrop.crops_from_directory("photos_test", 224, 224, "center", resize=256)
    """
    check_tensorflow("crops_from_directory()")
    size = checks.check_size(height, "height"), checks.check_size(width, "width")
    if resize is not None and checks.check_size(resize, "resize") < max(size):
        raise checks.SizeError(f"`resize` must be at least as large as the crop, {max(size)} pixels, not {resize}.")
    for value, name, choices in (
        (mode, "mode", MODES),
        (label_mode, "label_mode", LABEL_MODES),
        (color_mode, "color_mode", tuple(CHANNELS)),
        (if_smaller, "if_smaller", ("error", "resize", "pad")),
        (errors, "errors", ("raise", "skip")),
    ):
        checks.check_choice(value, name, choices)
    if batch_size is not None:
        batch_size = checks.check_count(batch_size, "batch_size")
    shuffle = mode == "random" if shuffle is None else checks.check_flag(shuffle, "shuffle")
    antialias = checks.check_flag(antialias, "antialias")
    orient = checks.check_flag(orient, "orient")
    if max_pixels is not None:
        max_pixels = checks.check_count(max_pixels, "max_pixels")
    check_split(validation_split, subset, seed)
    seed = seeds.given_or_drawn(seed)

    files, numbers, class_names, folders = list_files(path, labels if label_mode else None, class_names)
    check_labels(numbers, class_names, label_mode)
    files, numbers = split_files(files, numbers, validation_split, subset, seed)
    files, numbers, turns = sound_files(files, numbers, folders, errors, orient, max_pixels)
    encoded = encode_labels(numbers, class_names, label_mode)
    reader = Reader(size, mode, resize, CHANNELS[color_mode], if_smaller, antialias, orient, max_pixels)

    @tf.autograph.experimental.do_not_convert  # what is mapped is graph code already
    def pipeline():
        images = read_files(files, turns, reader, shuffle, seed, errors, batch_size or 1)
        dataset = images.map(lambda crops, i: crops if encoded is None else (crops, tf.gather(encoded, i)))
        return dataset if batch_size else dataset.unbatch()

    dataset = pipeline()
    if errors == "raise":
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(math.ceil(len(files) / (batch_size or 1))))
    dataset = dataset.prefetch(tf.data.AUTOTUNE)
    dataset.class_names, dataset.file_paths = class_names, files
    return dataset


def list_files(path, labels, class_names):
    """The image files below a folder, sorted, their labels (a list, or None), the names of the classes, and the folders
    that the labels are taken from, or None.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise checks.ArgumentError(f"`path` must be a folder, not {checks.shown(path)}.")
    root = pathlib.Path(path).expanduser()
    if not root.is_dir():
        raise checks.ArgumentError(f"`path` must be a folder, but there is no folder {str(root)!r}.")
    class_names, folders = check_class_names(class_names), None
    if isinstance(labels, str) and labels == "inferred":
        class_names = folders = list_folders(root, class_names)
        found = [images_below(root / name) for name in folders]
        files = [file for images, _ in found for file in images]
        labels = [number for number, (images, _) in enumerate(found) for _ in images]
        left = [file for _, others in found for file in others]
        left += [str(root / name) for name in sorted(os.listdir(root)) if is_image(name) and not (root / name).is_dir()]
    else:
        files, left = images_below(root)
        if files and labels is not None:
            labels, class_names = given_labels(labels, len(files), class_names)
        elif class_names is not None:
            raise checks.ArgumentError("`class_names` are folders to take labels from: they need `labels='inferred'`.")
    ends = ", ".join(suffixes())
    told = (
        f"Files that are not read: {len(left)}. Their names do not end as those of images do ({ends}), or they are in "
        f"no class's folder: {some(left)}."
    )
    if not files:
        raise checks.ArgumentError(f"There are no images ({ends}) in {str(root)!r}.{' ' + told if left else ''}")
    if folders:
        check_classes(labels, range(len(folders)), folders, told if left else "`class_names` says which to read.")
    if left:
        warnings.warn(told, stacklevel=3)
    return files, labels, class_names, folders


def list_folders(root, class_names):
    """The names of the folders to read: all, sorted, or those that are named."""
    folders = sorted(name for name in os.listdir(root) if (root / name).is_dir() and not name.startswith("."))
    if not folders:
        raise checks.ArgumentError(
            f"{str(root)!r} has no folders in it: labels are taken from one folder for each class. "
            "For images without labels, use `labels=None`."
        )
    missing = set(class_names or ()) - set(folders)
    if missing:
        raise checks.ArgumentError(f"`class_names` has {sorted(missing)}, but the folders are {folders}.")
    return class_names or folders


def check_classes(labels, numbers, folders, why):
    """Stop where the folder of one of the classes `numbers` has no image."""
    empty = [folders[number] for number in sorted(set(numbers) - set(labels))]
    if empty:
        raise checks.ArgumentError(f"Each class must have an image, but there is none in {some(empty)}. {why}")


def is_image(name):
    return name.lower().endswith(suffixes()) and not name.startswith(".")


def images_below(folder):
    """Paths of the image files in a folder and the folders in it, sorted by these, and of the files that are none.

    Folders may be links; each is read once, and not those that it is in. Hidden files and folders do not count.
    """
    seen = {os.path.realpath(outer) for outer in pathlib.Path(os.path.abspath(folder)).parents}
    found, folders = [], [folder]
    while folders:  # those that are links come last, so that the others keep their names
        links = []
        for where, inside, names in os.walk(folders.pop(0), onerror=stop_walking):
            if os.path.realpath(where) in seen:
                inside.clear()
                continue
            seen.add(os.path.realpath(where))
            inside[:] = sorted(name for name in inside if not name.startswith("."))
            links += [os.path.join(where, name) for name in inside if os.path.islink(os.path.join(where, name))]
            found.append((where, sorted(name for name in names if not name.startswith("."))))
        folders += links
    files = [os.path.join(where, name) for where, names in sorted(found) for name in names]
    images = [file for file in files if is_image(os.path.basename(file))]
    return images, sorted(set(files) - set(images))


def stop_walking(error):
    raise checks.ArgumentError(f"The folder {error.filename!r} cannot be read: {error.strerror}.")


def some(things):
    """The first few of many, as text."""
    return ", ".join(map(str, things[:3])) + (", ..." if len(things) > 3 else "")


def check_split(validation_split, subset, seed):
    """Stop unless both arguments are given, with a seed, or neither: without a seed the subsets would overlap."""
    if validation_split is None and subset is None:
        return
    if validation_split is None or subset is None:
        raise checks.ArgumentError("`validation_split` and `subset` go together: give both, or neither.")
    checks.check_choice(subset, "subset", ("training", "validation"))
    if not 0 < checks.check_number(validation_split, "validation_split") < 1:
        raise checks.ArgumentError(f"`validation_split` must be between 0 and 1, not {validation_split!r}.")
    if seed is None:
        raise checks.ArgumentError("`validation_split` needs a `seed`, the same for both subsets: else they overlap.")


def split_files(files, labels, validation_split, subset, seed):
    """The files of a subset, and their labels."""
    if subset is None:
        return files, labels
    # Drawn as in Keras, so that its loader gives the same subsets.
    drawn = np.random.RandomState(seed).permutation(len(files))
    held_out = int(validation_split * len(files))
    chosen = drawn[: len(files) - held_out] if subset == "training" else drawn[len(files) - held_out :]
    if not len(chosen):
        raise checks.ArgumentError(
            f"`validation_split={validation_split}` leaves no images for {subset}: there are {len(files)} in all."
        )
    return take(files, labels, sorted(chosen))


def take(files, labels, chosen):
    return [files[i] for i in chosen], None if labels is None else [labels[i] for i in chosen]


def sound_files(files, labels, folders, errors, orient, max_pixels):
    """The files whose first and last bytes are those of an image, their labels, and how plain JPEGs lie in them."""
    with multiprocessing.pool.ThreadPool(8) as pool:
        defects, turns = zip(*pool.map(lambda file: examined(file, orient, max_pixels), files))
    broken = [f"{file!r} {reason}" for file, reason in zip(files, defects) if reason]
    if not broken:
        return files, labels, turns
    count = f"{len(broken)} of {len(files)} image files cannot be read: {some(broken)}."
    if errors == "raise":
        raise checks.ArgumentError(f"{count} With `errors='skip'` they are left out.")
    if len(broken) == len(files):
        raise checks.ArgumentError(f"{count} No image is left.")
    warnings.warn(f"{count} They are left out.", stacklevel=3)
    sound = [i for i, reason in enumerate(defects) if not reason]
    if folders:
        check_classes([labels[i] for i in sound], labels, folders, count)
    return *take(files, labels, sound), [turns[i] for i in sound]


def read_files(files, turns, reader, shuffle, seed, errors, batch_size):
    """A dataset of batches of crops and of the numbers of their files, in a new order in each epoch or as they come.

    An operation that fails loses its element, and its error does not name the file. So elements are counted, batch by
    batch: a gap in the count tells which files are lost.
    """
    n = len(files)
    paths = tf.constant([os.fsencode(file) for file in files])
    same_turn = turns[0] if len(set(turns)) == 1 else None
    turns = tf.constant(turns, tf.int32)
    tell = Complaints(files, reader, errors)

    def epoch(key):
        order = tf.range(n, dtype=tf.int64)
        if shuffle:
            order = tf.random.experimental.stateless_shuffle(order, tf.stack([key, n]))
        where = tf.random.stateless_uniform((n, 2), tf.stack([key, n + 1]), dtype=tf.float64)

        def read(place):
            number = order[place]
            turn = turns[number] if same_turn is None else same_turn
            crop, small = reader(paths[number], turn, where[place])
            return place, crop, small

        def check(expected, found):
            places, crops, small = found
            after = places[-1] + 1
            fine = (after - expected == tf.size(places, tf.int64)) & ~tf.reduce_any(small)
            told = tf.cond(
                fine, lambda: True, lambda: tf.numpy_function(tell, [order, expected, places, small], tf.bool)
            )
            with tf.control_dependencies([told]):
                kept = tf.size(places) - tf.cast(after > n, tf.int32)
                return after, (crops[:kept], tf.gather(order, places[:kept]))

        end = tf.data.Dataset.from_tensors((np.int64(n), np.zeros(reader.shape, "uint8"), False))
        crops = tf.data.Dataset.range(n).map(read, num_parallel_calls=tf.data.AUTOTUNE).ignore_errors()
        crops = crops.concatenate(end).batch(batch_size).scan(np.int64(0), check)
        return crops.filter(lambda crops, numbers: tf.size(numbers) > 0)

    return random_numbers(seed).take(1).flat_map(epoch)


class Complaints:
    """Errors or warnings about files that could not be read while the dataset runs."""

    def __init__(self, files, reader, errors):
        self.files, self.size, self.max_pixels, self.errors = files, reader.size, reader.max_pixels, errors
        self.told = set()

    def __call__(self, order, expected, places, small):
        """Report the files that are lost between the places `expected` and the last of a batch, or are too `small`."""
        lost = np.setdiff1d(np.arange(expected, min(places[-1] + 1, len(order))), places)
        files = [self.files[number] for number in order[lost]]
        self.broken([file for file in files if file not in self.told])
        for number in order[places[small]]:
            raise checks.SizeError(
                f"{self.files[number]!r} is smaller than the crop, {self.size[0]} x {self.size[1]} pixels. "
                "Use a smaller crop, `resize`, or `if_smaller='resize'` or 'pad'."
            )
        return np.bool_(True)

    def broken(self, files):
        self.told.update(files)
        for file in files:
            problem = f"{file!r} {decoding_error(file, self.max_pixels) or '(cannot be read)'}"
            if self.errors == "raise":
                raise checks.ArgumentError(f"{problem}. With `errors='skip'` it is left out.")
            warnings.warn(f"{problem}. It is left out.", stacklevel=1)
