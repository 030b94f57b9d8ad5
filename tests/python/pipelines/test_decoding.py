import pathlib
import struct

import keras
import numpy as np
import PIL.Image
import pytest
from pictures import broken_png, decoded, epoch, picture, write

pytestmark = pytest.mark.tensorflow
EXTDATA = pathlib.Path(__file__).parents[3] / "inst" / "extdata"

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    from kerascrop.pipelines.decoding import Reader, decode_turned, decode_window, decoding_error
    from kerascrop.pipelines.directories import crops_from_directory
    from kerascrop.pipelines.files import examined


def test_files_whose_pixels_are_broken(tmp_path, rng):
    (tmp_path / "broken.png").write_bytes(broken_png(picture(rng, 20, 20)))
    assert examined(tmp_path / "broken.png")[0] is None  # only decoding tells
    assert decoding_error(str(tmp_path / "broken.png")).startswith("(cannot be decoded: ")
    for name in ("fine.png", "fine.jpg"):
        assert decoding_error(str(write(tmp_path / name, picture(rng, 20, 20)))) is None


@pytest.mark.parametrize("ratio", [1, 2, 4, 8])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_window_of_a_jpeg_is_the_slice_of_the_whole(tmp_path, rng, ratio, channels):
    # 4:2:0 JPEG: the colour of a pixel depends on its neighbours', also on those outside of the window.
    file = write(tmp_path / "photo.jpg", picture(rng, 90, 120), chroma_downsampling=True)
    with PIL.Image.open(file) as image:
        image.draft("RGB", (120 // ratio, 90 // ratio))
        whole = np.asarray(image.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels]))
    whole = whole.reshape(*whole.shape[:2], channels)
    height, width = lengths = whole.shape[:2]
    corner = (height - 3, width - 2, height, width)
    for top, left, bottom, right in [(0, 0, 1, 1), (0, 0, height, width), corner, (1, 2, height - 1, 9), (3, 5, 8, 12)]:
        start, size = tf.constant([top, left]), tf.constant([bottom - top, right - left])
        window = decode_window(file.read_bytes(), lengths, start, size, ratio, channels).numpy()
        np.testing.assert_array_equal(window, whole[top:bottom, left:right])


@pytest.mark.parametrize("number", range(1, 9))
def test_a_window_of_a_photo_that_lies_on_its_side_is_that_of_the_upright_one(tmp_path, rng, number):
    exif = PIL.Image.Exif()
    exif[0x0112] = number
    file = tmp_path / "photo.jpg"
    PIL.Image.fromarray(picture(rng, 41, 62)).save(file, exif=exif)  # 4:2:0
    shown = decoded(file)
    lengths = tf.constant(shown.shape[:2])
    for top, left, height, width in [(0, 0, 5, 7), (*shown.shape[:2] - np.array([5, 7]), 5, 7), (11, 9, 21, 14)]:
        window = decode_turned(file.read_bytes(), lengths, tf.constant([top, left]), (height, width), number, 1, 3)
        np.testing.assert_array_equal(window, shown[top : top + height, left : left + width])


@pytest.mark.parametrize("mode", ["center", "random"])
def test_crops_are_upright_whatever_the_size_and_whether_the_window_is_decoded_alone(tmp_path, rng, mode):
    exif = PIL.Image.Exif()
    for number in range(1, 9):
        exif[0x0112] = number
        file = tmp_path / "jpg" / "a" / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(picture(rng, 41, 62)).save(file, exif=exif)
        write(tmp_path / "png" / "a" / f"{number}.png", decoded(file))
    for size in ({"height": 11, "width": 8}, {"height": 50, "width": 45, "if_smaller": "pad"}):
        options = {"mode": mode, "seed": 5, "shuffle": False, **size}
        found, truth = (epoch(crops_from_directory(tmp_path / kind, **options))[0] for kind in ("jpg", "png"))
        np.testing.assert_array_equal(found, truth)
    options = {"height": 20, "width": 30, "mode": "center", "labels": None, "batch_size": None}
    for resize in (None, 31):
        crops = list(crops_from_directory(tmp_path / "jpg", **options, orient=False, resize=resize))
        files = sorted((tmp_path / "jpg" / "a").iterdir())
        for file, crop in zip(files, crops, strict=True):
            with PIL.Image.open(file) as image:
                PIL.Image.fromarray(np.asarray(image)).save(tmp_path / "stored.png")
            whole = decoded(tmp_path / "stored.png")
            size = np.array([20, 30]) if resize is None else np.round([20 * 41 / 31, 30 * 41 / 31]).astype(int)
            top, left = (np.array([41, 62]) - size) // 2
            window = tf.image.resize(whole[top : top + size[0], left : left + size[1]], (20, 30))
            np.testing.assert_allclose(crop, window, atol=0.51)


def test_a_reader_tells_whether_the_image_is_too_small(tmp_path, rng):
    file = str(write(tmp_path / "1.png", picture(rng, 10, 30)))
    for size, small in (((10, 30), False), ((11, 5), True), ((5, 31), True)):
        crop, told = Reader(size, "center", None, 3, "error", False)(file, 0, (0.5, 0.5))
        assert bool(told) == small and crop.shape == (*size, 3)


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
    image = decoded(EXTDATA / f"{name}.jpg")
    window = round(min(image.shape[:2]) * size / resize)
    top, left = ((length - window) // 2 for length in image.shape[:2])
    image = image[top : top + window, left : left + window]
    exact, plain = (tf.image.resize(image, (size, size), antialias=way).numpy() for way in (True, False))
    write(tmp_path / "a" / "photo.png", decoded(EXTDATA / f"{name}.jpg"))
    ((crop, _),) = crops_from_directory(tmp_path, size, size, "center", resize=resize)
    np.testing.assert_allclose(crop[0], plain, atol=0.51)
    (tmp_path / "a" / "photo.png").unlink()
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
    for color_mode, red in (("grayscale", [76]), ("rgba", [255, 0, 0, 255])):
        x, _ = epoch(crops_from_directory(tmp_path, 4, 4, "center", if_smaller="resize", color_mode=color_mode))
        for crop in x[2:]:
            np.testing.assert_array_equal(crop, np.broadcast_to(red, (4, 4, len(red))))


def test_images_smaller_than_the_crop(tmp_path, rng):
    file = write(tmp_path / "a" / "small.png", picture(rng, 10, 30))
    image = decoded(file)
    with pytest.raises(tf.errors.InvalidArgumentError, match="small.png' is smaller than the crop, 20 x 20 pixels"):
        epoch(crops_from_directory(tmp_path, 20, 20))
    ((x, _),) = crops_from_directory(tmp_path, 20, 20, "center", if_smaller="pad")
    np.testing.assert_array_equal(x[0], np.pad(image[:, 5:25], ((5, 5), (0, 0), (0, 0))))
    resized = {"mode": "center", "resize": 25}
    x, y = (epoch(crops_from_directory(tmp_path, 20, 20, **resized, if_smaller=how))[0] for how in ("pad", "error"))
    np.testing.assert_array_equal(x, y)  # what is resized is never smaller
    ((x, _),) = crops_from_directory(tmp_path, 20, 20, "center", if_smaller="resize")
    enlarged = tf.image.resize(image[:, 10:20], (20, 20)).numpy()
    np.testing.assert_allclose(x[0], enlarged, atol=0.51)
