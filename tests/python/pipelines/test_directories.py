import importlib.util
import os
import pathlib
import warnings

import keras
import numpy as np
import pytest
from pictures import broken_png, decoded, epoch, picture, write
from test_files import FILES, TURNED, shown

from kerascrop.checks import ArgumentError, SizeError

pytestmark = pytest.mark.tensorflow

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    from kerascrop.pipelines.directories import crops_from_directory


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
        image = decoded(file, channels)
        top, left = (image.shape[0] - 24) // 2, (image.shape[1] - 32) // 2
        np.testing.assert_array_equal(crop, image[top : top + 24, left : left + 32])


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
    names = "3 of 16 .*empty.jpg' .is empty.*text.png' .is not an image.*cut.jpg' .cannot be decoded"
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


def labels_of(dataset):
    return [label for x, y in dataset for label in np.asarray(y).tolist()]


def test_labels_that_are_given(folder):
    given = {"mode": "center", "height": 24, "width": 32}
    assert labels_of(crops_from_directory(folder, labels=np.arange(12), **given)) == list(range(12))
    assert labels_of(crops_from_directory(folder, labels=tf.range(12), **given)) == list(range(12))
    names = crops_from_directory(folder, labels=["cup", "cat"] * 6, label_mode="binary", **given)
    assert names.class_names == ["cat", "cup"] and labels_of(names) == [[1], [0]] * 6
    flags = crops_from_directory(folder, labels=[True, False] * 6, label_mode="categorical", **given)
    assert labels_of(flags) == [[0, 1], [1, 0]] * 6
    for labels in ([1, 2] * 6, [-1, 0] * 6):
        with pytest.raises(ArgumentError, match="label_mode='binary'` needs `labels` 0 and 1"):
            crops_from_directory(folder, labels=labels, label_mode="binary", **given)


def names_of(dataset, folder):
    return [str(pathlib.Path(file).relative_to(folder)) for file in dataset.file_paths]


def test_linked_folders_and_files_are_read_once_and_hidden_ones_are_not(tmp_path, rng):
    root = tmp_path / "root"
    write(root / "a" / "deep" / "1.png", picture(rng, 24, 32))
    write(root / "a" / ".hidden" / "2.png", picture(rng, 24, 32))
    write(root / ".hidden" / "3.png", picture(rng, 24, 32))
    write(tmp_path / "elsewhere" / "4.png", picture(rng, 24, 32))
    (root / "a" / "again").symlink_to(root / "a" / "deep")
    (root / "a" / "loop").symlink_to(root)
    (root / "a" / "5.PNG").symlink_to(tmp_path / "elsewhere" / "4.png")
    (root / "b").symlink_to(tmp_path / "elsewhere")
    dataset = crops_from_directory(root, 24, 32, "center", class_names=["a", "b"])
    assert set(names_of(dataset, root)) == {"a/deep/1.png", "a/5.PNG", "b/4.png"}
    dataset = crops_from_directory(root, 24, 32, "center", labels=None)
    assert names_of(dataset, root) == ["a/5.PNG", "a/deep/1.png", "b/4.png"]
    for file, crop in zip(dataset.file_paths, dataset.unbatch(), strict=True):
        np.testing.assert_array_equal(crop, decoded(file))


def test_files_that_are_left_are_told_and_counted(folder):
    for name in ("class_a/photo.heic", "class_b/deep/notes.txt", "class_a/.hidden.txt", "beside.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    with pytest.warns(UserWarning, match="not read: 3.*class_a/photo.heic, .*deep/notes.txt, .*beside.png") as caught:
        crops_from_directory(folder, 24, 32)
    assert len(caught) == 1


@pytest.mark.parametrize("errors", ["raise", "skip"])
def test_a_class_without_an_image_is_an_error(folder, errors):
    (folder / "class_d").mkdir()
    with pytest.raises(ArgumentError, match="Each class must have an image, but there is none in class_d"):
        crops_from_directory(folder, 24, 32, errors=errors)
    (folder / "class_d" / "photo.heic").write_bytes(b"")
    with pytest.raises(ArgumentError, match="none in class_d. Files that are not read: 1.*photo.heic"):
        crops_from_directory(folder, 24, 32, errors=errors)
    (folder / "class_d" / "photo.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="heic"), pytest.raises(ArgumentError, match="photo.png' .is empty"):
        crops_from_directory(folder, 24, 32, errors=errors)
    names = [f"class_{letter}" for letter in "abc"]
    assert len(crops_from_directory(folder, 24, 32, class_names=names, errors=errors).file_paths) == 12


def test_pipes_are_not_waited_for_and_huge_images_not_decoded(folder, rng):
    os.mkfifo(folder / "class_a" / "pipe.png")
    (folder / "class_a" / "nothing.png").symlink_to(folder / "nothing")
    write(folder / "class_a" / "large.png", picture(rng, 70, 80))
    told = "3 of 15 .*large.png' .has 80 x 70 pixels.*nothing.png' .cannot be opened.*pipe.png' .is not a regular file"
    with pytest.raises(ArgumentError, match=told):
        crops_from_directory(folder, 24, 32, max_pixels=5599)
    with pytest.warns(UserWarning, match=told):
        assert len(crops_from_directory(folder, 24, 32, max_pixels=5599, errors="skip").file_paths) == 12


def test_damaged_files_are_read_as_pillow_reads_them_or_named():
    program = pathlib.Path(__file__).parents[2] / "fuzz" / "files.py"
    spec = importlib.util.spec_from_file_location("damaged_files", program)
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    findings, _ = fuzz.main(100, 7, verbose=False)
    assert not findings


def test_all_kinds_of_files_are_read_as_pillow_shows_them(tmp_path):
    (tmp_path / "a").mkdir()
    for name, data in {**FILES, **TURNED}.items():
        (tmp_path / "a" / name.upper()).write_bytes(data)
    for color_mode, channels in (("grayscale", 1), ("rgb", 3), ("rgba", 4)):
        options = {"labels": None, "batch_size": None, "if_smaller": "pad", "color_mode": color_mode}
        dataset = crops_from_directory(tmp_path, 31, 31, "center", **options)
        for file, crop in zip(dataset.file_paths, dataset, strict=True):
            image = shown(pathlib.Path(file).read_bytes(), channels)
            truth = tf.image.resize_with_crop_or_pad(image, 31, 31)
            np.testing.assert_array_equal(crop, truth, err_msg=file)


def test_folders_that_hold_no_images_are_errors_at_once(tmp_path):
    with pytest.raises(ArgumentError, match="`path` must be a folder, but there is no folder .*nowhere"):
        crops_from_directory(tmp_path / "nowhere", 24, 32)
    for path in (3, None, b"folder", ["folder"]):
        with pytest.raises(ArgumentError, match="`path` must be a folder, not"):
            crops_from_directory(path, 24, 32)
    with pytest.raises(ArgumentError, match="has no folders in it.*labels=None"):
        crops_from_directory(tmp_path, 24, 32)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("no image")
    with pytest.raises(ArgumentError, match="There are no images.*not read: 1.*notes.txt"):
        crops_from_directory(tmp_path, 24, 32)


@pytest.mark.parametrize(
    "arguments, error",
    [
        ({"height": 0}, SizeError), ({"width": "32"}, SizeError), ({"resize": 20}, SizeError),
        ({"batch_size": 0}, SizeError), ({"mode": "corner"}, ArgumentError), ({"label_mode": "text"}, ArgumentError),
        ({"label_mode": "binary"}, ArgumentError), ({"color_mode": "cmyk"}, ArgumentError),
        ({"shuffle": 1}, ArgumentError), ({"seed": -1}, ArgumentError), ({"if_smaller": "keep"}, ArgumentError),
        ({"antialias": None}, ArgumentError), ({"errors": "ignore"}, ArgumentError),
        ({"orient": 1}, ArgumentError), ({"max_pixels": 0}, SizeError),
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
