"""Files of boxes: what is written comes back, and what is none is an error. test-box-*.R has the same in R."""

import os

import numpy as np
import pytest
from PIL import Image

import kerascrop
from kerascrop import checks
from kerascrop.annotations import FORMATS

ROWS = [
    dict(file="b.jpg", x1=10, y1=20, x2=30, y2=50, label="cup", height=80, width=120),
    dict(file="b.jpg", x1=1 / 3, y1=0.1, x2=50, y2=40.1, label="007", height=80, width=120),
    dict(file="sub/café & <1>.png", x1=0, y1=0, x2=100, y2=80, label='"café" & <b>', height=100, width=100),
    dict(file="sub/none.png", x1=None, y1=None, x2=None, y2=None, label="", height=10, width=20),
]
PLACES = {"csv": "a.csv", "coco": "a.json", "voc": "voc", "yolo": "yolo"}


def columns(rows):
    return {name: [row[name] for row in rows] for name in rows[0]}


def assert_same(found, rows, atol=0.0):
    assert list(found) == ["file", "x1", "y1", "x2", "y2", "label", "height", "width"]
    for name, values in columns(rows).items():
        if name in ("file", "label"):
            assert found[name].tolist() == values
        else:
            np.testing.assert_allclose(found[name], np.array(values, "float64"), rtol=0, atol=atol)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("given", [ROWS, columns(ROWS)], ids=["rows", "columns"])
def test_boxes_come_back_as_they_were(format, given, tmp_path):
    path = tmp_path / PLACES[format]
    kerascrop.write_boxes(given, path, format)
    yolo = format == "yolo"
    assert_same(kerascrop.read_boxes(path, images=columns(ROWS) if yolo else None), ROWS, 1e-9 if yolo else 0)
    assert [each.name for each in tmp_path.iterdir()] == [PLACES[format]]  # nothing is left beside it


@pytest.mark.parametrize("format", ["csv", "coco", "voc"])
def test_all_numbers_survive(format, tmp_path):
    rng = np.random.default_rng(3)
    x, y = (np.sort(rng.uniform(0, 4000, (500, 2)), axis=1) for _ in "xy")
    boxes = dict(x1=x[:, 0], y1=y[:, 0], x2=x[:, 1], y2=y[:, 1], file=["a.png"] * 500, label=["a"] * 500)
    boxes |= {"height": np.full(500, 4000), "width": np.full(500, 4000)}
    path = tmp_path / PLACES[format]
    kerascrop.write_boxes(boxes, path, format)
    found = kerascrop.read_boxes(path)
    for name in boxes:
        assert np.array_equal(found[name], boxes[name])


def test_data_frames_go_in_and_come_out(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS)
    kerascrop.write_boxes(frame, tmp_path / "a.csv")
    assert pandas.DataFrame(kerascrop.read_boxes(tmp_path / "a.csv"))["x2"].tolist()[:3] == [30, 50, 100]


def test_classes_are_numbered_as_given_and_keep_their_numbers(tmp_path):
    one = ROWS[:1]
    kerascrop.write_boxes(one, tmp_path / "labels", "yolo", classes=["dog", "cup"])
    assert (tmp_path / "labels" / "b.txt").read_text()[:2] == "1 "
    more = [{**one[0], "file": "c.jpg", "label": "ant"}]
    kerascrop.write_boxes(more, tmp_path / "labels", "yolo")
    assert (tmp_path / "labels" / "classes.txt").read_text() == "dog\ncup\nant\n"
    found = kerascrop.read_boxes(tmp_path / "labels", images=columns(one + more))
    assert found["label"].tolist() == ["cup", "ant"]
    with pytest.raises(checks.ArgumentError, match="dog"):
        kerascrop.write_boxes(more, tmp_path / "labels", "yolo", classes=["ant"])
    with pytest.raises(checks.BoxError, match="ant"):
        kerascrop.write_boxes(more, tmp_path / "a.json", classes=["b"])


def test_sizes_are_read_from_the_images_as_viewers_show_them(tmp_path):
    turned = Image.new("RGB", (50, 40))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=exif)
    rows = [dict(file="a.jpg", x1=1, y1=2, x2=3, y2=45, label="cup")]
    with pytest.raises(checks.BoxError, match="a.jpg.*images"):
        kerascrop.write_boxes(rows, tmp_path / "a.json")
    kerascrop.write_boxes(rows, tmp_path / "a.json", images=tmp_path)
    found = kerascrop.read_boxes(tmp_path / "a.json")
    assert (found["height"][0], found["width"][0]) == (50, 40)
    kerascrop.write_boxes(found, tmp_path / "labels", "yolo")
    assert_same(kerascrop.read_boxes(tmp_path / "labels", images=tmp_path), [{**rows[0], "height": 50, "width": 40}])


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "change",
    [
        {"x1": None}, {"x1": 30}, {"y2": 20}, {"x2": float("inf")}, {"x1": 500, "x2": 600}, {"height": 81},
        {"height": 0.5}, {"width": None}, {"label": 1.5}, {"file": ""}, {"file": None}, {"x1": "a"},
        {"label": "\ud800"},
    ],
    ids=str,
)
def test_boxes_that_are_none_are_errors_before_anything_is_written(format, change, tmp_path):
    rows = [ROWS[1], {**ROWS[0], **change}, *ROWS[2:]]
    with pytest.raises(checks.BoxError, match="row 2"):
        kerascrop.write_boxes(rows, tmp_path / PLACES[format], format)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["voc", "yolo"])
@pytest.mark.parametrize("file", ["../a.png", "/tmp/a.png", "a/../../b.png", "C:\\a.png", "..\\a.png"])
def test_names_do_not_lead_out_of_a_folder(format, file, tmp_path):
    with pytest.raises(checks.BoxError, match="folder"):
        kerascrop.write_boxes([{**ROWS[0], "file": file}], tmp_path / "x", format)
    with pytest.raises(checks.BoxError, match="a.png"):
        kerascrop.write_boxes([{**ROWS[0], "file": name} for name in ("a.jpg", "a.png")], tmp_path / "x", format)
    assert list(tmp_path.iterdir()) == []


def test_the_format_is_told_by_what_is_there(tmp_path):
    for format, name in PLACES.items():
        kerascrop.write_boxes(ROWS, tmp_path / name, format)
    for format in ("csv", "coco", "voc"):
        os.rename(tmp_path / PLACES[format], tmp_path / f"renamed-{format}")
        assert_same(kerascrop.read_boxes(tmp_path / f"renamed-{format}"), ROWS)
    kerascrop.write_boxes(ROWS, tmp_path / "renamed-voc", "yolo")
    with pytest.raises(checks.ArgumentError, match="both"):
        kerascrop.read_boxes(tmp_path / "renamed-voc")
    with pytest.raises(checks.ArgumentError, match="format"):
        kerascrop.write_boxes(ROWS, tmp_path / "new")


@pytest.mark.parametrize("format", FORMATS)
def test_where_files_cannot_be_nothing_is_half_written(format, tmp_path):
    (tmp_path / "file").touch()
    folder = format in ("voc", "yolo")
    for path in (tmp_path / "no" / "such", tmp_path / "file" if folder else tmp_path):
        with pytest.raises(checks.ArgumentError, match="path"):
            kerascrop.write_boxes(ROWS, path, format)
    with pytest.raises(checks.ArgumentError):
        kerascrop.read_boxes(tmp_path, format)
    (tmp_path / "sub").touch()  # where a folder of boxes should be
    if folder:
        with pytest.raises(checks.ArgumentError, match="cannot be written"):
            kerascrop.write_boxes(ROWS[2:], tmp_path, format)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "sub"]
    if os.geteuid() == 0:
        return  # root writes everywhere
    tmp_path.chmod(0o500)
    with pytest.raises(checks.ArgumentError, match="path"):
        kerascrop.write_boxes(ROWS, tmp_path / PLACES[format], format)
    tmp_path.chmod(0o700)
