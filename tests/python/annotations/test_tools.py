"""Files that annotation tools write are read, and they read ours: with the tools' own code, where it is installed.

`pip install pycocotools ultralytics` and `pip install --no-deps labelImg lxml`, which reads files without its windows.
"""

import json
import os

import numpy as np
import pytest
from PIL import Image

import kerascrop

ROWS = [
    dict(file="b.jpg", x1=10, y1=20, x2=30, y2=50, label="cup", height=80, width=120),
    dict(file="b.jpg", x1=7.25, y1=1, x2=50.5, y2=40, label="Zürich 7", height=80, width=120),
    dict(file="sub/a.png", x1=1, y1=2, x2=100, y2=80, label="007", height=100, width=101),
    dict(file="sub/none.png", x1=None, y1=None, x2=None, y2=None, label="", height=10, width=20),
]
IMAGES = {name: [row[name] for row in ROWS] for name in ("file", "height", "width")}


def boxes_of(file):
    rows = [row for row in ROWS if row["file"] == file and row["label"]]
    return [tuple(row[key] for key in ("x1", "y1", "x2", "y2", "label")) for row in rows]


def found_in(boxes, file):
    rows = zip(*(boxes[key].tolist() for key in ("file", "x1", "y1", "x2", "y2", "label")))
    return [tuple(row) for name, *row in rows if name == file and row[-1]]


def stem(file):
    return os.path.splitext(file)[0]


def test_pycocotools(tmp_path):
    tool = pytest.importorskip("pycocotools.coco")
    path = str(tmp_path / "a.json")
    kerascrop.write_boxes(ROWS, path)
    coco = tool.COCO(path)
    for image in coco.imgs.values():
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        expected = boxes_of(image["file_name"])
        assert [coco.cats[each["category_id"]]["name"] for each in annotations] == [label for *_, label in expected]
        assert [each["bbox"] for each in annotations] == [[a, b, c - a, d - b] for a, b, c, d, _ in expected]
    with open(path, "w") as file:
        json.dump(coco.dataset, file)
    for file in set(IMAGES["file"]):
        assert found_in(kerascrop.read_boxes(path), file) == boxes_of(file)


def test_labelimg_with_voc(tmp_path):
    tool = pytest.importorskip("libs.pascal_voc_io", reason="labelImg is not installed")
    kerascrop.write_boxes(ROWS, tmp_path / "ours", "voc")
    for file, height, width in {*zip(*IMAGES.values())}:
        reader = tool.PascalVocReader(str(tmp_path / "ours" / f"{stem(file)}.xml"))
        shapes = [(*points[0], *points[2], label) for label, points, *_ in reader.get_shapes()]
        assert shapes == [(*map(int, sides), label) for *sides, label in boxes_of(file)]
        writer = tool.PascalVocWriter("photos", os.path.basename(file), (height, width, 3), local_img_path=f"/x/{file}")
        for *sides, label in shapes:
            writer.add_bnd_box(*sides, label, 0)
        theirs = tmp_path / "theirs" / f"{stem(file)}.xml"
        theirs.parent.mkdir(parents=True, exist_ok=True)
        writer.save(str(theirs))
        assert found_in(kerascrop.read_boxes(tmp_path / "theirs"), file) == shapes


def test_labelimg_with_yolo(tmp_path, monkeypatch):
    tool = pytest.importorskip("libs.yolo_io", reason="labelImg is not installed")
    monkeypatch.setattr(tool, "open", lambda *args: open(*args, encoding="utf-8"), raising=False)
    kerascrop.write_boxes(ROWS, tmp_path / "ours", "yolo")
    classes = []  # labelImg's, which grows
    for file, height, width in {*zip(*IMAGES.values())}:

        class Picture:
            def __getattr__(self, name, answers={"height": height, "width": width, "isGrayscale": False}):  # noqa: B006
                return lambda: answers[name]

        shapes = tool.YoloReader(str(tmp_path / "ours" / f"{stem(file)}.txt"), Picture()).get_shapes()
        shapes = [(*points[0], *points[2], label) for label, points, *_ in shapes]
        assert shapes == [(*map(round, sides), label) for *sides, label in boxes_of(file)]
        writer = tool.YOLOWriter("photos", os.path.basename(file), (height, width, 3))
        for *sides, label in shapes:
            writer.add_bnd_box(*sides, label, 0)
        theirs = tmp_path / "theirs" / f"{stem(file)}.txt"
        theirs.parent.mkdir(parents=True, exist_ok=True)
        writer.save(class_list=classes, target_file=str(theirs))
        found = found_in(kerascrop.read_boxes(tmp_path / "theirs", images=IMAGES), file)
        assert [label for *_, label in found] == [label for *_, label in shapes]
        np.testing.assert_allclose([row[:4] for row in found], [row[:4] for row in shapes], atol=1e-3)  # six decimals


def test_ultralytics(tmp_path):
    tool = pytest.importorskip("ultralytics.data.utils")
    for file, height, width in {*zip(*IMAGES.values())}:
        (tmp_path / "images" / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, height)).save(tmp_path / "images" / file)
    kerascrop.write_boxes(ROWS, tmp_path / "labels", "yolo")
    classes = (tmp_path / "labels" / "classes.txt").read_text(encoding="utf-8").splitlines()
    for file, height, width in {*zip(*IMAGES.values())}:
        image = str(tmp_path / "images" / file)
        (label,) = tool.img2label_paths([image])
        given = (image, label, "", False, len(classes), 0, 0, False)
        _, rows, shape, *_, wrong, message = tool.verify_image_label(given)
        expected = [
            [classes.index(name), (a + c) / 2 / width, (b + d) / 2 / height, (c - a) / width, (d - b) / height]
            for a, b, c, d, name in boxes_of(file)
        ]
        np.testing.assert_allclose(rows, np.reshape(expected, (-1, 5)), atol=1e-6)
        assert not wrong and shape == (height, width), message
    assert kerascrop.read_boxes(tmp_path / "labels")["width"].tolist() == [120, 120, 101, 20]
