"""Each format against files as its tools write them, and against what is broken."""

import json

import numpy as np
import pytest
from PIL import Image

import kerascrop
from kerascrop import checks

KNOWN = {"file": ["a.png"], "height": [40], "width": [50]}


def folder_of(tmp_path, texts):
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def sides(boxes):
    return np.stack([boxes[side] for side in ("x1", "y1", "x2", "y2")], axis=1).tolist()


# ---- CSV


def test_csv_files_of_others(tmp_path):
    text = '\ufefflabel,y1,x1,y2,x2,file,comment\r\n,1,2,3,4.5,a.png,"x,\ny"\r\nNA,NA,,NaN,,b.png,z'
    boxes = kerascrop.read_boxes(folder_of(tmp_path, {"a.csv": text}) / "a.csv")
    assert sides(boxes)[0] == [2, 1, 4.5, 3] and np.isnan(sides(boxes)[1]).all() and np.isnan(boxes["height"]).all()
    assert boxes["label"].tolist() == ["", "NA"]
    assert len(kerascrop.read_boxes(folder_of(tmp_path, {"b.csv": "file,x1,y1,x2,y2\n"}) / "b.csv")["file"]) == 0


@pytest.mark.parametrize(
    "line", ["a,3,0,1,5", "a,3,0,NA,5", "a,1,2,x,4", "a,1_0,2,30,4", ",1,2,3,4", "a,1,2,3", '"open']
)
def test_broken_csv_files(line, tmp_path):
    folder_of(tmp_path, {"a.csv": f"file,x1,y1,x2,y2\nb,1,2,3,4\n{line}\n"})
    with pytest.raises(checks.BoxError, match="row 2|end of data"):
        kerascrop.read_boxes(tmp_path / "a.csv")


def test_what_is_no_text(tmp_path):
    for content in (b"file,x1,y1,x2,y2\ncaf\xe9,1,2,3,4\n", b"\xff\xfe\0"):
        (tmp_path / "a.csv").write_bytes(content)
        with pytest.raises(checks.BoxError, match="UTF-8"):
            kerascrop.read_boxes(tmp_path / "a.csv")


# ---- COCO


def coco(images=None, annotations=None, categories=None):
    image, box = {"id": 7, "file_name": "a.png", "height": 40, "width": 50}, {"image_id": 7, "category_id": 90}
    return {
        "images": images or [image],
        "annotations": [box | each for each in annotations or [{"bbox": [1, 2, 3.5, 4]}]],
        "categories": categories or [{"id": 90, "name": "cat"}],
    }


def read_coco(parts, tmp_path):
    (tmp_path / "a.json").write_text(parts if isinstance(parts, str) else json.dumps(parts))
    return kerascrop.read_boxes(tmp_path / "a.json", "coco")


def test_coco_is_joined_by_numbers_which_may_be_any(tmp_path):
    assert sides(read_coco(coco(), tmp_path)) == [[1, 2, 4.5, 6]]
    images = [{"id": 7, "file_name": "a.png"}, {"id": "b", "file_name": "b/ü.png"}, {"id": 8, "file_name": "c"}]
    annotations = [
        {"image_id": "b", "bbox": [1, 2, 3, 4], "iscrowd": 1},
        {"image_id": "b", "category_id": 5, "bbox": [0, 0, 9, 9], "xyxy": [0, 0, 8, 8]},
        {"bbox": [1, 2, 3, 4]},
    ]
    boxes = read_coco(coco(images, annotations, [{"id": 90, "name": "cat"}, {"id": 5, "name": "1"}]), tmp_path)
    assert boxes["file"].tolist() == ["a.png", "b/ü.png", "c"] and boxes["label"].tolist() == ["cat", "1", ""]
    assert boxes["x2"].tolist()[:2] == [4, 9]  # what is stored beside, and contradicts, does not count


BROKEN = {
    "{": "no COCO file", "[1, 2]": "images", "null": "images", '{"images": 3}': "images", "[" * 100_000: "no COCO file",
    json.dumps(coco([{"id": 7}])): "file_name",
    json.dumps(coco([{"id": 7, "file_name": "a"}, {"id": 7, "file_name": "b"}])): r"images\[1\]",
    json.dumps(coco([{"id": 7, "file_name": "a"}, {"id": 8, "file_name": "a"}])): "same name, 'a'",
    json.dumps(coco(categories=[{"id": 1, "name": "cat"}])): r"annotations\[0\].*category_id 90",
    json.dumps(coco(annotations=[{"image_id": 8}])): r"annotations\[0\].*image_id 8",
    json.dumps(coco(annotations=[{"category_id": [1]}])): "category_id",
    json.dumps(coco(annotations=[{"bbox": [1, 2, 3]}])): "bbox",
    json.dumps(coco(annotations=[{"bbox": [1, 2, "3", 4]}])): "bbox",
    json.dumps(coco(annotations=[{"bbox": [1, 2, -3, 4]}])): r"annotations\[0\].*a.png",
    json.dumps(coco(annotations=[{"bbox": [100, 2, 3, 4]}])): "outside",
}


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: BROKEN[text])
def test_broken_coco_files(text, tmp_path):
    with pytest.raises(checks.BoxError, match=BROKEN[text]):
        read_coco(text, tmp_path)


# ---- Pascal VOC


def voc(source="Unknown", file="a.png", name="<name>cat</name>", xmin="11"):
    return f"""<annotation>
\t<folder>photos</folder><filename>{file}</filename><source><database>{source}</database></source>
\t<size><width>50</width><height>40</height><depth>3</depth></size>
\t<object>{name}<pose>Unspecified</pose><difficult>0</difficult>
\t\t<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>
\t\t<bndbox><xmax>20</xmax><xmin> {xmin} </xmin><ymax>40</ymax><ymin>1</ymin></bndbox>
\t</object>
</annotation>"""


def test_numbers_of_labelimg_are_edges_and_those_of_the_challenge_pixels_from_1_on(tmp_path):
    folder_of(tmp_path, {"edges/a.xml": voc(), "pixels/a.xml": voc("The VOC2007 Database")})
    edges, pixels = [[11, 1, 20, 40]], [[10, 0, 20, 40]]
    assert sides(kerascrop.read_boxes(tmp_path / "edges")) == edges
    assert sides(kerascrop.read_boxes(tmp_path / "pixels")) == pixels
    assert sides(kerascrop.read_boxes(tmp_path / "edges", first_pixel=1)) == pixels
    assert sides(kerascrop.read_boxes(tmp_path / "pixels", first_pixel=0)) == edges
    kerascrop.write_boxes(kerascrop.read_boxes(tmp_path / "pixels"), tmp_path / "new", "voc", first_pixel=1)
    assert "<xmin>11</xmin><ymin>1</ymin><xmax>20</xmax>" in (tmp_path / "new" / "a.xml").read_text()


def test_folders_of_voc_files(tmp_path):
    folder_of(tmp_path, {"x/a.xml": voc(), "x/b.xml": voc(file="y/b.png"), "c.XML": voc(file="c &amp; d")})
    assert kerascrop.read_boxes(tmp_path)["file"].tolist() == ["c & d", "x/a.png", "y/b.png"]
    assert kerascrop.read_boxes(tmp_path / "x" / "a.xml")["file"].tolist() == ["a.png"]


ENTITIES = "".join(f'<!ENTITY x{i} "{f"&x{i - 1};" * 10 if i else "ha" * 100}">' for i in range(10))
BOMB = f"<!DOCTYPE a [{ENTITIES}]>{voc(name='<name>&x9;</name>')}"
STRANGER = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>{voc(name="<name>&x;</name>")}'


@pytest.mark.parametrize(
    "text",
    [
        "<annotation>", "", "<b/>", "<annotation/>", voc(file=""), voc(name=""), voc(xmin="left"), voc(xmin="1e999"),
        voc(xmin="30"), voc(xmin="20"), BOMB, STRANGER, voc(name="<name>&x;</name>"),
        voc().replace("<ymax>40", "<ymax>-3"),
    ],
    ids=lambda text: text[:12],
)
def test_broken_voc_files(text, tmp_path):
    with pytest.raises(checks.BoxError, match="bad.xml"):
        kerascrop.read_boxes(folder_of(tmp_path, {"bad.xml": text}))


def test_two_voc_files_of_an_image(tmp_path):
    with pytest.raises(checks.BoxError, match="b.xml.*a.png.*a.xml"):
        kerascrop.read_boxes(folder_of(tmp_path, {"a.xml": voc(), "b.xml": voc()}))
    with pytest.raises(checks.BoxError, match="XML"):
        row = dict(file="a.png", x1=1, y1=2, x2=3, y2=4, label="a\1", height=9, width=9)
        kerascrop.write_boxes([row], tmp_path / "new", "voc")


# ---- YOLO


def test_lines_of_yolo_files(tmp_path):
    lines = "1 0.5 0.5 0.2 0.5\n0 0.1 0.25 0.2 0.5 0.93\n\n1 0 0 0.2 0.1 0.1 0.5\n"
    folder_of(tmp_path, {"a.txt": lines, "classes.txt": "cat\ndog\n"})
    boxes = kerascrop.read_boxes(tmp_path, images=KNOWN)
    assert sides(boxes) == [[20, 10, 30, 30], [0, 0, 10, 20], [0, 0, 10, 20]]
    assert boxes["label"].tolist() == ["dog", "cat", "dog"]
    (tmp_path / "classes.txt").unlink()
    assert kerascrop.read_boxes(tmp_path, images=KNOWN)["label"].tolist() == ["1", "0", "1"]


@pytest.mark.parametrize(
    "names",
    [
        "names:\n  0: cat # a comment\n  1: 007\n", "names: [cat, '007']", "nc: 2\nnames: ['cat',\n  \"007\"]\n",
        "path: .\nnames:\n- cat\n- \"007\"\ntrain: images\n", "names: {1: 007, 0: cat}",
        "names: # two\n\n  0: 'cat'\n  1: 007",
    ],
)
def test_names_of_classes(names, tmp_path):
    folder_of(tmp_path, {"labels/train/a.txt": "1 0.5 0.5 0.2 0.5", "data.yaml": names})
    assert kerascrop.read_boxes(tmp_path / "labels" / "train", images=KNOWN)["label"].tolist() == ["007"]


@pytest.mark.parametrize(
    "names", ["names: 3", "nc: 2", "names: {0: a, 2: b}", "names: [a", "names: []", "names: [a b: 'c]"]
)
def test_names_that_are_none(names, tmp_path):
    folder_of(tmp_path, {"a.txt": "0 0.5 0.5 0.2 0.5", "data.yaml": names})
    with pytest.raises(checks.BoxError, match="data.yaml"):
        kerascrop.read_boxes(tmp_path, images=KNOWN)


@pytest.mark.parametrize(
    "label, image", [("a.txt", "a.png"), ("labels/a.txt", "images/a.png"), ("labels/v/a.txt", "images/v/a.png")]
)
def test_places_of_images(label, image, tmp_path):
    folder_of(tmp_path, {label: "0 0.5 0.5 0.2 0.5", image: ""})
    Image.new("L", (50, 40)).save(tmp_path / image)
    boxes = kerascrop.read_boxes((tmp_path / label).parent)
    assert sides(boxes) == [[20, 10, 30, 30]] and boxes["file"].tolist() == ["a.png"]
    if "labels" in label:
        assert kerascrop.read_boxes(tmp_path, "yolo")["file"].tolist() == [image]
    Image.new("L", (50, 40)).save((tmp_path / image).with_suffix(".bmp"))
    with pytest.raises(checks.BoxError, match="there are 2"):
        kerascrop.read_boxes((tmp_path / label).parent)


@pytest.mark.parametrize(
    "line",
    [
        "0", "0 0.5 0.5 0.2", "0 0.5 0.5 0.2 x", "cat 0.5 0.5 0.2 0.2", "0 25 20 10 20", "2 0.5 0.5 0.2 0.2",
        "-1 0.5 0.5 0.2 0.2", "0.5 0.5 0.5 0.2 0.2", "0 0.5 0.5 0 0.2", "0 0.5 0.5 -0.1 0.2", "0 1 2 3 4 5 6 7",
    ],
)
def test_broken_yolo_files(line, tmp_path):
    folder_of(tmp_path, {"a.txt": f"0 0.5 0.5 0.2 0.5\n{line}\n", "classes.txt": "cat\ndog\n"})
    with pytest.raises(checks.BoxError, match="line 2"):
        kerascrop.read_boxes(tmp_path, images=KNOWN)


def test_what_fractions_cannot_say(tmp_path):
    row = dict(file="a.png", x1=-40, y1=2, x2=30, y2=4, label="a", height=40, width=50)
    for wrong in (row, row | {"x1": 1, "label": "two\nlines"}):
        with pytest.raises(checks.BoxError):
            kerascrop.write_boxes([wrong], tmp_path / "new", "yolo")
