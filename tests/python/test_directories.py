import pathlib
import struct
import warnings
import zlib

import keras
import numpy as np
import pytest

from kerascrop.checks import ArgumentError, SizeError

pytestmark = pytest.mark.tensorflow
EXTDATA = pathlib.Path(__file__).parents[2] / "inst" / "extdata"

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    from kerascrop.directories import crops_from_directory


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
    return tf.io.decode_image(tf.io.read_file(str(file)), channels, expand_animations=False).numpy()


def place(image, crop):
    """Where a crop lies in an image: (top, left). Fails where it is no window of it."""
    windows = np.lib.stride_tricks.sliding_window_view(image, crop.shape)[:, :, 0]
    (found, *_) = np.argwhere((windows[:, :, 0, 0] == crop[0, 0]).all(-1) & (windows == crop).all((2, 3, 4)))
    return tuple(found)


@pytest.fixture
def folder(tmp_path, rng):
    """Three classes of four files, JPEG and PNG, of several sizes."""
    for i in range(12):
        name, suffix = f"class_{'abc'[i // 4]}", (".jpg", ".png", ".JPEG")[i % 3]
        write(tmp_path / name / f"{i:02}{suffix.lower() if i else suffix}", picture(rng, 40 + 3 * i, 70 - 2 * i))
    return tmp_path


def epoch(dataset):
    return [np.concatenate(parts) for parts in zip(*((x.numpy(), y.numpy()) for x, y in dataset))]


def broken_png(image):
    """A PNG with head and end, whose pixels cannot be decoded."""
    data = bytearray(tf.io.encode_png(image).numpy())
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    data[start : start + length] = bytes(length)
    data[start + length : start + length + 4] = struct.pack(">I", zlib.crc32(data[start - 4 : start + length]))
    return bytes(data)


def test_the_centre_of_each_file_is_a_slice_of_it(folder):
    dataset = crops_from_directory(folder, 24, 32, "center", batch_size=5)
    assert dataset.class_names == ["class_a", "class_b", "class_c"]
    assert dataset.file_paths == sorted(map(str, folder.rglob("*.*")))
    assert dataset.cardinality() == 3
    x, y = epoch(dataset)
    assert x.dtype == "uint8" and y.dtype == "int32" and x.shape == (12, 24, 32, 3)
    np.testing.assert_array_equal(y, np.repeat([0, 1, 2], 4))
    for file, crop in zip(dataset.file_paths, x, strict=True):
        image = decoded(file)
        top, left = (image.shape[0] - 24) // 2, (image.shape[1] - 32) // 2
        np.testing.assert_array_equal(crop, image[top : top + 24, left : left + 32])


def test_random_crops_are_slices_all_places_come_and_each_epoch_has_its_own(tmp_path, rng):
    # 4:2:0 JPEG: the colour of a pixel depends on its neighbours', also on those outside of the window.
    image = decoded(write(tmp_path / "a" / "1.jpg", picture(rng, 24, 36), chroma_downsampling=True))
    for i in range(2, 41):
        (tmp_path / "a" / f"{i}.jpg").write_bytes((tmp_path / "a" / "1.jpg").read_bytes())
    dataset = crops_from_directory(tmp_path, 20, 30, batch_size=8, seed=3)
    epochs = [[place(image, crop) for crop in epoch(dataset)[0]] for _ in range(5)]
    assert len(set(map(tuple, epochs))) == 5
    tops, lefts = np.array(epochs).reshape(-1, 2).T
    for values, n in ((tops, 5), (lefts, 7)):
        counts = np.bincount(values, minlength=n)
        assert len(counts) == n and np.all(np.abs(counts - 200 / n) < 5 * np.sqrt(200 / n))
    assert abs(np.corrcoef(tops, lefts)[0, 1]) < 0.3
    again = crops_from_directory(tmp_path, 20, 30, batch_size=8, seed=3)
    assert [[place(image, crop) for crop in epoch(again)[0]] for _ in range(2)] == epochs[:2]
    other = crops_from_directory(tmp_path, 20, 30, batch_size=8, seed=4)
    assert [place(image, crop) for crop in epoch(other)[0]] != epochs[0]


def test_files_are_shuffled_anew_in_each_epoch_with_their_labels(folder):
    dataset = crops_from_directory(folder, 24, 32, seed=1, batch_size=None)
    images = [decoded(file) for file in dataset.file_paths]
    orders = []
    for _ in range(2):
        order = []
        for crop, label in dataset:
            (number,) = (i for i, image in enumerate(images) if fits(image, crop.numpy()))
            assert label == number // 4
            order.append(number)
        assert sorted(order) == list(range(12))
        orders.append(order)
    assert orders[0] != orders[1] != list(range(12))
    kept = crops_from_directory(folder, 24, 32, shuffle=False)
    np.testing.assert_array_equal(epoch(kept)[1], np.repeat([0, 1, 2], 4))


def fits(image, crop):
    try:
        place(image, crop)
    except ValueError:
        return False
    return True


def decibels(exact, crop):
    """How near a crop is to what it should be: the peak signal-to-noise ratio."""
    error = np.mean((np.asarray(exact, "float64") - np.asarray(crop, "float64")) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


@pytest.mark.parametrize("antialias", [False, True])
def test_resize_crops_as_if_the_shorter_side_were_resized(tmp_path, rng, antialias):
    # With four pixels of the file for one of the crop, both ways cut at whole pixels.
    image = decoded(write(tmp_path / "a" / "1.png", picture(rng, 400, 480)))
    resized = tf.image.resize(image, (100, 120), antialias=antialias).numpy()
    ((crop, _),) = crops_from_directory(tmp_path, 60, 40, "center", resize=100, antialias=antialias)
    # The kernel of antialiasing ends with the window.
    edge = 2 * antialias
    inside = np.s_[edge : 60 - edge, edge : 40 - edge]
    np.testing.assert_allclose(crop[0][inside], resized[20:80, 40:80][inside], atol=0.51)


@pytest.mark.parametrize("name", ["chelsea", "coffee"])
@pytest.mark.parametrize("resize, size", [(256, 224), (60, 48)])
def test_a_resized_crop_is_the_window_resized(tmp_path, name, resize, size):
    (tmp_path / "a").mkdir()
    data = (EXTDATA / f"{name}.jpg").read_bytes()
    image = tf.io.decode_jpeg(data).numpy()
    window = round(min(image.shape[:2]) * size / resize)
    top, left = ((length - window) // 2 for length in image.shape[:2])
    image = image[top : top + window, left : left + window]
    exact, plain = (tf.image.resize(image, (size, size), antialias=way).numpy() for way in (True, False))
    (tmp_path / "a" / "photo.png").write_bytes(tf.io.encode_png(tf.io.decode_jpeg(data)).numpy())
    ((crop, _),) = crops_from_directory(tmp_path, size, size, "center", resize=resize)
    np.testing.assert_allclose(crop[0], plain, atol=0.51)
    (tmp_path / "a" / "photo.png").rename(tmp_path / "a" / "photo.bak")
    (tmp_path / "a" / "photo.jpg").write_bytes(data)
    for antialias in (False, True):
        ((crop, _),) = crops_from_directory(tmp_path, size, size, "center", resize=resize, antialias=antialias)
        # Reduced 5 times or more, it is nearer than a plain resize; else the same, or a match.
        least = decibels(exact, plain) + 2 if resize == 60 else 50 if antialias else decibels(exact, plain) - 0.5
        assert decibels(exact, crop[0]) > least


def test_a_reduced_photo_is_truer_than_without_antialias(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "photo.jpg").write_bytes((EXTDATA / "coffee.jpg").read_bytes())
    image = decoded(tmp_path / "a" / "photo.jpg")[:400, 100:500]
    write(tmp_path / "a" / "photo.jpg", image, quality=100)
    exact, plain = (tf.image.resize(image, (100, 100), antialias=way).numpy() for way in (True, False))
    errors = [np.mean((exact - plain) ** 2)]
    for antialias in (False, True):
        ((crop, _),) = crops_from_directory(tmp_path, 100, 100, "center", resize=100, antialias=antialias)
        errors.append(np.mean((exact - crop[0].numpy().astype("float32")) ** 2))
    assert errors[1] < errors[0] / 3 and errors[2] < errors[0] / 3


def test_labels_of_all_modes(folder):
    def labels(**arguments):
        return epoch(crops_from_directory(folder, 24, 32, "center", **arguments))[1]

    numbers = np.repeat([0, 1, 2], 4)
    np.testing.assert_array_equal(labels(label_mode="categorical"), np.eye(3, dtype="float32")[numbers])
    binary = labels(label_mode="binary", class_names=["class_c", "class_a"])
    assert binary.dtype == "float32"
    np.testing.assert_array_equal(binary, np.repeat([[0], [1]], 4, axis=0))
    given = list(range(12, 0, -1))
    np.testing.assert_array_equal(labels(labels=given), given)
    for arguments in ({"labels": None}, {"label_mode": None}):
        dataset = crops_from_directory(folder, 24, 32, **arguments)
        assert dataset.element_spec.shape.as_list() == [None, 24, 32, 3] and dataset.class_names is None
        assert sum(len(x) for x in dataset) == 12


@pytest.mark.parametrize("color_mode, channels", [("grayscale", 1), ("rgba", 4)])
def test_colour_modes(folder, color_mode, channels):
    dataset = crops_from_directory(folder, 24, 32, "center", color_mode=color_mode)
    x, _ = epoch(dataset)
    for file, crop in zip(dataset.file_paths, x):
        image = decoded(file, channels if file.endswith("png") else min(channels, 3))
        top, left = (image.shape[0] - 24) // 2, (image.shape[1] - 32) // 2
        np.testing.assert_array_equal(crop[..., : image.shape[2]], image[top : top + 24, left : left + 32])
        assert channels != 4 or (crop[..., 3] == 255).all()


def test_grey_files_become_colour_and_gif_and_bmp_are_read(tmp_path, rng):
    write(tmp_path / "a" / "1.jpg", picture(rng, 20, 20)[..., :1])
    write(tmp_path / "a" / "2.png", picture(rng, 20, 20)[..., :1])
    # An uncompressed BMP of 4 x 4 red pixels, and a GIF of one.
    pixels = bytes([0, 0, 255] * 4) * 4
    (tmp_path / "a" / "3.bmp").write_bytes(
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54 + len(pixels), 0, 0, 54, 40, 4, 4, 1, 24, 0, len(pixels), 0, 0, 0, 0)
        + pixels
    )
    (tmp_path / "a" / "4.gif").write_bytes(
        b"GIF89a\x01\0\x01\0\x80\0\0\xff\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
    )
    x, _ = epoch(crops_from_directory(tmp_path, 4, 4, "center", if_smaller="resize"))
    for i, file in enumerate(("1.jpg", "2.png")):
        np.testing.assert_array_equal(x[i], decoded(tmp_path / "a" / file)[8:12, 8:12])
        assert (x[i][..., :1] == x[i]).all()
    for crop in x[2:]:
        np.testing.assert_array_equal(crop, np.broadcast_to([255, 0, 0], (4, 4, 3)))


def test_images_smaller_than_the_crop(tmp_path, rng):
    file = write(tmp_path / "a" / "small.png", picture(rng, 10, 30))
    image = decoded(file)
    with pytest.raises(tf.errors.InvalidArgumentError, match="small.png' is smaller than the crop, 20 x 20 pixels"):
        epoch(crops_from_directory(tmp_path, 20, 20))
    ((x, _),) = crops_from_directory(tmp_path, 20, 20, "center", if_smaller="pad")
    np.testing.assert_array_equal(x[0], np.pad(image[:, 5:25], ((5, 5), (0, 0), (0, 0))))
    ((x, _),) = crops_from_directory(tmp_path, 20, 20, "center", if_smaller="resize")
    enlarged = tf.image.resize(image[:, 10:20], (20, 20)).numpy()
    np.testing.assert_allclose(x[0], enlarged, atol=0.51)


def test_validation_and_training_files_are_keras_s_and_never_mixed(folder):
    def both(shuffle, mode):
        return [
            crops_from_directory(
                folder, 24, 32, mode, seed=7, validation_split=0.25, subset=subset, shuffle=shuffle
            ).file_paths
            for subset in ("training", "validation")
        ]

    training, validation = both(None, "random")
    assert len(training) == 9 and len(validation) == 3 and not set(training) & set(validation)
    assert both(False, "center") == [training, validation]
    for subset, files in (("training", training), ("validation", validation)):
        dataset = keras.utils.image_dataset_from_directory(
            folder, seed=7, validation_split=0.25, subset=subset, verbose=False
        )
        assert sorted(dataset.file_paths) == files


def test_broken_files_are_named_at_once_or_left_out(folder, rng):
    whole = write(folder / "whole.jpg", picture(rng, 40, 40)).read_bytes()
    (folder / "whole.jpg").unlink()
    (folder / "class_a" / "empty.jpg").write_bytes(b"")
    (folder / "class_b" / "text.png").write_bytes(b"no image")
    (folder / "class_c" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "class_c" / "more.jpg").write_bytes(whole + bytes(1000))  # some cameras do that
    (folder / "class_c" / ".hidden.jpg").write_bytes(b"")
    names = "3 of 16 .*empty.jpg' .is empty.*text.png' .is no JPEG.*cut.jpg' .cannot be decoded"
    with pytest.raises(ArgumentError, match=f"{names}.*errors='skip'"):
        crops_from_directory(folder, 24, 32)
    with pytest.warns(UserWarning, match=names) as caught:
        dataset = crops_from_directory(folder, 24, 32, errors="skip")
    assert len(caught) == 1 and len(dataset.file_paths) == 13
    assert sorted(epoch(dataset)[1]) == [0] * 4 + [1] * 4 + [2] * 5
    for file in dataset.file_paths:
        pathlib.Path(file).write_bytes(b"")
    with pytest.raises(ArgumentError, match="No image is left"):
        crops_from_directory(folder, 24, 32, errors="skip")


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("wrecks", [["00.png"], ["90.png", "91.png"], ["04.png", "05.png", "95.png"]])
def test_files_that_break_while_they_are_decoded_are_named_too(folder, rng, shuffle, wrecks):
    for name in wrecks:
        (folder / "class_b" / name).write_bytes(broken_png(picture(rng, 40, 40)))
    n = len(crops_from_directory(folder, 24, 32, "center").file_paths)
    named = "|".join(wrecks)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"class_b/({named})' .cannot be decoded"):
        epoch(crops_from_directory(folder, 24, 32, "center", shuffle=shuffle))
    dataset = crops_from_directory(folder, 24, 32, "center", shuffle=shuffle, errors="skip")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            assert len(epoch(dataset)[1]) == n - len(wrecks)
    assert len(caught) == len(wrecks)
    for name in wrecks:
        assert sum(f"{name}' (cannot be decoded" in str(warning.message) for warning in caught) == 1


def test_folders_that_hold_no_images_are_errors_at_once(tmp_path):
    with pytest.raises(ArgumentError, match="`path` must be a folder, but there is no folder .*nowhere"):
        crops_from_directory(tmp_path / "nowhere", 24, 32)
    with pytest.raises(ArgumentError, match="has no folders in it.*labels=None"):
        crops_from_directory(tmp_path, 24, 32)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("no image")
    with pytest.raises(ArgumentError, match="There are no images"):
        crops_from_directory(tmp_path, 24, 32)


@pytest.mark.parametrize(
    "arguments, error",
    [
        ({"height": 0}, SizeError), ({"width": "32"}, SizeError), ({"resize": 20}, SizeError),
        ({"batch_size": 0}, SizeError), ({"mode": "corner"}, ArgumentError), ({"label_mode": "text"}, ArgumentError),
        ({"label_mode": "binary"}, ArgumentError), ({"color_mode": "cmyk"}, ArgumentError),
        ({"shuffle": 1}, ArgumentError), ({"seed": -1}, ArgumentError), ({"if_smaller": "keep"}, ArgumentError),
        ({"antialias": None}, ArgumentError), ({"errors": "ignore"}, ArgumentError),
        ({"labels": [1, 2]}, ArgumentError), ({"labels": "folders"}, ArgumentError),
        ({"class_names": ["class_z"]}, ArgumentError),
        ({"class_names": ["class_a"], "labels": None}, ArgumentError), ({"subset": "training"}, ArgumentError),
        ({"validation_split": 0.2}, ArgumentError), ({"validation_split": 2, "subset": "training"}, ArgumentError),
        ({"validation_split": 0.2, "subset": "training"}, ArgumentError),
        ({"validation_split": 0.01, "subset": "validation", "seed": 1}, ArgumentError),
    ],
)  # fmt: skip
def test_wrong_arguments_are_errors_that_name_them(folder, arguments, error):
    with pytest.raises(error, match=f"`{next(iter(arguments))}[`=]"):
        crops_from_directory(folder, **{"height": 24, "width": 32, **arguments})


def test_fit_takes_the_dataset(folder):
    net = keras.Sequential([keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(3)])
    net.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    net.fit(crops_from_directory(folder, 24, 32, batch_size=4), epochs=2, verbose=0)
    assert net.optimizer.iterations == 6
    assert net.predict(crops_from_directory(folder, 24, 32, "center", labels=None), verbose=0).shape == (12, 3)
