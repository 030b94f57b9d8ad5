import io
import os
import socket
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from kerascrop.pipelines import files

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def photo(height=21, width=30, mode="RGB"):
    """A smooth picture none of whose turns is like another."""
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 256, (4, 5, 4), "uint8"), "RGBA").resize((width, height), Image.BICUBIC)
    return image.convert("RGB").convert(mode) if mode not in ("RGBA", "LA") else image.convert(mode)


def encoded(image, name, **options):
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


def deep(dtype, most, name, **options):
    return encoded(Image.fromarray(np.linspace(0, most, 630).reshape(21, 30).astype(dtype)), name, **options)


def png(depth, colour, rows, size=(4, 2)):
    """A PNG made by hand, for what Pillow does not write."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def adobe_cmyk(transform):
    """A CMYK JPEG as Photoshop writes it: inverted, and with a marker that says so."""
    data = encoded(photo(mode="CMYK"), "JPEG")
    marker = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    return data[:2] + marker + data[2:]


def downwards_bmp():
    """A BMP whose first row is the upper one, as its negative height says."""
    data = encoded(photo(), "BMP")
    return data[:22] + struct.pack("<i", -21) + data[26:]


def clear_palette(name):
    image = photo(mode="P")
    return encoded(image, name, transparency=int(np.asarray(image)[3, 4]))


FILES = {
    "colour.jpg": encoded(photo(), "JPEG"),
    "coarse_colour.jpg": encoded(photo(), "JPEG", subsampling=2, quality=70),
    "progressive.jpg": encoded(photo(), "JPEG", progressive=True),
    "grey.jpg": encoded(photo(mode="L"), "JPEG"),
    "print.jpg": encoded(photo(mode="CMYK"), "JPEG"),
    "print_inverted.jpg": adobe_cmyk(0),
    "print_ycck.jpg": adobe_cmyk(2),
    "several.mpo": encoded(photo(), "MPO", save_all=True, append_images=[photo(9, 9)]),
    "colour.png": encoded(photo(), "PNG"),
    "clear.png": encoded(photo(mode="RGBA"), "PNG"),
    "clear_grey.png": encoded(photo(mode="LA"), "PNG"),
    "palette.png": encoded(photo(mode="P"), "PNG"),
    "clear_palette.png": clear_palette("PNG"),
    "one_bit.png": encoded(photo(mode="1"), "PNG"),
    "two_bits.png": png(2, 0, b"\0\x1b\0\xe4"),
    "four_bits.png": png(4, 0, b"\0\x01\x9f\0\xf8\x80"),
    "deep_colour.png": png(16, 2, b"".join(b"\0" + np.arange(12, dtype=">u2").tobytes() for _ in range(2))),
    "deep_grey.png": deep("uint16", 65535, "PNG"),
    "downwards.bmp": downwards_bmp(),
    "os2.bmp": b"BM" + struct.pack("<IHHIIHHHH", 26 + 24, 0, 0, 26, 12, 4, 2, 1, 24) + bytes(range(24)),
    "palette.bmp": encoded(photo(mode="P"), "BMP"),
    "one_bit.bmp": encoded(photo(mode="1"), "BMP"),
    "grey.bmp": encoded(photo(mode="L"), "BMP"),
    "colour.bmp": encoded(photo(), "BMP"),
    "clear.bmp": encoded(photo(mode="RGBA"), "BMP"),
    "palette.gif": encoded(photo(mode="P"), "GIF"),
    "clear.gif": clear_palette("GIF"),
    "film.gif": encoded(photo(mode="P"), "GIF", save_all=True, append_images=[photo(mode="P").rotate(180)]),
    "colour.webp": encoded(photo(), "WEBP"),
    "clear.webp": encoded(photo(mode="RGBA"), "WEBP", lossless=True),
    "film.webp": encoded(photo(), "WEBP", save_all=True, append_images=[photo().rotate(180)]),
    "colour.tif": encoded(photo(), "TIFF"),
    "packed.tif": encoded(photo(), "TIFF", compression="tiff_lzw"),
    "print.tif": encoded(photo(mode="CMYK"), "TIFF"),
    "palette.tif": encoded(photo(mode="P"), "TIFF"),
    "one_bit.tif": encoded(photo(mode="1"), "TIFF"),
    "deep.tif": deep("uint16", 65535, "TIFF"),
    "long.tif": deep("int32", 255, "TIFF"),
    "real.tif": deep("float32", 255, "TIFF"),
    "colour.ppm": encoded(photo(), "PPM"),
    "deep.pgm": deep("uint16", 65535, "PPM"),
    "colour.jp2": encoded(photo(), "JPEG2000"),
    "png_by_content.jpg": encoded(photo(), "PNG"),
    "jpeg_by_content.gif": encoded(photo(), "JPEG"),
}  # fmt: skip


def turned(name, number):
    exif = Image.Exif()
    exif[0x0112] = number
    return encoded(photo(), name, exif=exif, **({"lossless": True} if name == "WEBP" else {}))


TURNED = {
    f"turned_{number}{suffix}": turned(name, number)
    for name, suffix in (("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("TIFF", ".tif"))
    for number in range(1, 9)
}
XMP = b"http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta><rdf tiff:Orientation='6'/></x:xmpmeta>".replace(b"'", b'"')
MARKER = b"\xff\xe1" + struct.pack(">H", len(XMP) + 2) + XMP
TURNED["by_xmp.jpg"] = FILES["colour.jpg"][:2] + MARKER + FILES["colour.jpg"][2:]


def shown(data, channels):
    """What Pillow shows; where there are 16 bits, of which Pillow shows only numbers up to 255, the upper 8."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode in ("I", "I;16", "I;16B") and np.asarray(image).max() > 255:
        image = Image.fromarray((np.asarray(image) // 256).astype("uint8"))
    image = image.convert("RGB") if image.mode == "CMYK" else image
    return np.asarray(image.convert(MODES[channels])).reshape(image.height, image.width, channels)


@pytest.mark.parametrize("name", [*FILES, *TURNED])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_files_are_read_as_pillow_shows_them(tmp_path, name, channels):
    data = {**FILES, **TURNED}[name]
    (tmp_path / name).write_bytes(data)
    assert files.examined(tmp_path / name)[0] is None
    np.testing.assert_array_equal(files.pixels(tmp_path / name, channels), shown(data, channels))


@pytest.mark.parametrize("name", TURNED)
def test_files_are_left_as_they_are_stored(tmp_path, name):
    (tmp_path / name).write_bytes(TURNED[name])
    found = files.pixels(tmp_path / name, 3, orient=False)
    stored = FILES["colour.jpg"] if name.endswith(".jpg") else FILES["colour.png"]
    np.testing.assert_array_equal(found, shown(stored, 3))


def test_plain_jpegs_are_told_and_how_they_lie(tmp_path):
    def examined(data, **options):
        (tmp_path / "file").write_bytes(data)
        return files.examined(tmp_path / "file", **options)

    for number in range(1, 9):
        assert examined(TURNED[f"turned_{number}.jpg"]) == (None, number)
        assert examined(TURNED[f"turned_{number}.jpg"], orient=False) == (None, 1)
        assert examined(TURNED[f"turned_{number}.png"]) == (None, 0)
    assert examined(FILES["grey.jpg"]) == examined(FILES["several.mpo"]) == (None, 1)
    assert examined(FILES["print.jpg"]) == (None, 0)
    assert examined(turned("JPEG", 9)) == (None, 1)  # no such orientation


@pytest.mark.parametrize(
    "data, wrong",
    [
        (FILES["colour.jpg"] + bytes(1000), None),  # some cameras write more behind the image
        (b"", "(is empty)"),
        (b"no image", "(is not an image of a known format: JPEG, PNG,"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "(is not an image of a known format: JPEG, PNG,"),
        (FILES["colour.jpg"][: len(FILES["colour.jpg"]) // 2], "(cannot be decoded: "),
        (FILES["colour.png"][: len(FILES["colour.png"]) // 2], "(cannot be decoded: "),
        (b"BM" + FILES["colour.png"], "(cannot be decoded: "),
        (FILES["colour.jpg"].replace(b"\0\x15\0\x1e", b"\xff\xff\xff\xff"), "(has 65535 x 65535 pixels, more than"),
        (png(8, 2, b"", (30, 2**31 - 1)), "(has 30 x 2147483647 pixels, more than"),
        (FILES["palette.bmp"].replace(b"\x1e\0\0\0", b"\0\xff\xff\x0f"), "(has 268435200 x 21 pixels, more than"),
    ],
)
def test_defects_show_in_the_first_and_last_bytes(tmp_path, data, wrong):
    (tmp_path / "file").write_bytes(data)
    found, _ = files.examined(tmp_path / "file")
    assert found is None if wrong is None else found.startswith(wrong)


@pytest.mark.parametrize("dtype, most", [("float32", 1), ("float32", 4000), ("int32", 1e6)])
def test_numbers_that_are_no_bytes_are_not_made_black_or_white(tmp_path, dtype, most):
    (tmp_path / "file").write_bytes(deep(dtype, most, "TIFF"))
    with pytest.raises(files.Unreadable, match="has numbers from 0 to .*, not from 0 to 255"):
        files.pixels(tmp_path / "file", 3)


def test_only_regular_files_are_read(tmp_path):
    assert files.examined(tmp_path / "nothing.jpg") == ("(cannot be opened: No such file or directory)", 0)
    os.mkfifo(tmp_path / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.png"))
        for file in (tmp_path, tmp_path / "pipe.png", tmp_path / "socket.png", "/dev/zero"):
            assert files.examined(file) == ("(is not a regular file)", 0)


def test_max_pixels(tmp_path):
    (tmp_path / "file").write_bytes(FILES["palette.gif"])
    assert files.examined(tmp_path / "file", max_pixels=630)[0] is None
    assert files.examined(tmp_path / "file", max_pixels=None)[0] is None
    assert files.examined(tmp_path / "file", max_pixels=629)[0] == "(has 30 x 21 pixels, more than `max_pixels`, 629)"


def test_a_quick_look_at_a_jpeg_says_what_pillow_says_or_nothing(tmp_path):
    file, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[0x0112] = 6
    whole = encoded(photo(), "JPEG")
    quick = {
        whole: 21 * 30,
        encoded(photo(mode="L"), "JPEG", progressive=True, comment="grey"): 21 * 30,
        encoded(photo(), "JPEG", exif=exif): 0,
        adobe_cmyk(2): 0,
        encoded(photo(), "PNG"): 0,
        whole[:-40]: 0,
        b"": 0,
    }
    for data, pixels in quick.items():
        file.write_bytes(data)
        assert files.simple_jpeg_pixels(file) == pixels
    assert files.simple_jpeg_pixels(tmp_path) == files.simple_jpeg_pixels(tmp_path / "none") == 0
    rng, agreed = np.random.default_rng(1), 0
    for _ in range(200):  # a byte of the header is another one
        damaged = bytearray(whole)
        damaged[rng.integers(3, 700)] = rng.integers(256)
        file.write_bytes(damaged)
        if pixels := files.simple_jpeg_pixels(file):
            with Image.open(file) as image:
                assert image.width * image.height == pixels
            agreed += 1
    assert agreed > 50
