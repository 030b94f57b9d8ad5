import numpy as np
import pytest
from keras import ops

from kerascrop import BoxCrop, BoxIoU, BoxLoss, BoxWarning, clip_boxes, geometry, sample
from kerascrop.checks import ArgumentError, BoxError, ShapeError, SizeError

tensor = ops.convert_to_tensor
BOX = np.array([[2.0, 1.0, 8.0, 4.0]], "float32")  # in an image of height 10 and width 20

# The same box, by the definition of each format.
FORMATS = {
    "xyxy": [2, 1, 8, 4],
    "yxyx": [1, 2, 4, 8],
    "xywh": [2, 1, 6, 3],
    "center_xywh": [5, 2.5, 6, 3],
    "center_yxhw": [2.5, 5, 3, 6],
    "rel_xyxy": [0.1, 0.1, 0.4, 0.4],
    "rel_yxyx": [0.1, 0.1, 0.4, 0.4],
    "rel_xywh": [0.1, 0.1, 0.3, 0.3],
    "rel_center_xywh": [0.25, 0.25, 0.3, 0.3],
    "grid": [-0.8, -0.8, -0.2, -0.2],
}


def test_every_format_is_covered():
    assert set(FORMATS) == set(geometry.BOX_FORMATS)


@pytest.mark.parametrize("box_format", FORMATS)
def test_formats_there_and_back(box_format):
    there = ops.convert_to_numpy(geometry.convert_boxes(ops.convert_to_tensor(BOX), "xyxy", box_format, 10, 20))
    np.testing.assert_allclose(there[0], FORMATS[box_format], atol=1e-6)
    back = geometry.convert_boxes(ops.convert_to_tensor(there), box_format, "xyxy", 10, 20)
    np.testing.assert_allclose(ops.convert_to_numpy(back), BOX, atol=1e-5)


def test_unknown_formats_are_errors():
    with pytest.raises(BoxError, match="`box_format` must be one of 'xyxy'.*not 'coco'"):
        geometry.convert_boxes(BOX, "coco", "xyxy")


@pytest.mark.parametrize("numbers, needed", [(2, "`width`"), (4, "`height` and `width`"), (6, "`depth`, `height`")])
def test_relative_formats_need_the_size_of_the_images(numbers, needed):
    sides = np.linspace(0, 1, numbers, dtype="float32")[None]
    with pytest.raises(BoxError, match=f"^{needed}.* of the images are needed .*'rel_xyxy' to 'xyxy'"):
        geometry.convert_boxes(sides, "rel_xyxy", "xyxy")
    with pytest.raises(BoxError, match="must have 4 numbers each .* not 5"):
        geometry.convert_boxes(np.zeros((1, 5)), "rel_xyxy", "grid")


def test_iou_counts_pixels(rng):
    corners = rng.integers(0, 12, size=(200, 2, 2, 2))
    first, second = np.concatenate([corners.min(-2), corners.max(-2) + 1], axis=-1).transpose(1, 0, 2)
    expected = []
    for a, b in zip(first, second):
        painted = np.zeros((2, 13, 13), bool)
        for canvas, (x1, y1, x2, y2) in zip(painted, (a, b)):
            canvas[y1:y2, x1:x2] = True
        expected.append((painted[0] & painted[1]).sum() / (painted[0] | painted[1]).sum())
    got = geometry.box_iou(first.astype("float32"), second.astype("float32"))
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected, atol=1e-6)


def test_iou_broadcasts_and_empty_boxes_agree_with_nothing():
    others = np.array([[2, 1, 8, 4], [0, 0, 1, 1], [3, 3, 3, 3]], "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(geometry.box_iou(BOX, others)), [1, 0, 0])
    empty = np.zeros((1, 4), "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(geometry.box_iou(empty, empty)), [0])


def test_boxes_inside_lie_inside_for_any_position_and_size(rng):
    position = rng.choice([0.0, 0.3, 1.0], size=(500, 2)).astype("float32")
    size = (rng.uniform(0.01, 1, size=(500, 2)) * [20, 10]).astype("float32")
    x1, y1, x2, y2 = ops.convert_to_numpy(geometry.boxes_inside(tensor(position), tensor(size), tensor([20.0, 10.0]))).T
    assert x1.min() >= 0 and y1.min() >= 0 and x2.max() <= 20 + 1e-5 and y2.max() <= 10 + 1e-5
    np.testing.assert_allclose(np.stack([x2 - x1, y2 - y1], 1), size, atol=1e-5)
    np.testing.assert_array_equal(x1[position[:, 0] == 0], 0)
    np.testing.assert_allclose(y2[position[:, 1] == 1], 10, atol=1e-5)


def test_boxes_around_are_centred_where_there_is_room_and_inside_everywhere(rng):
    centre = (rng.uniform(-0.2, 1.2, size=(500, 2)) * [20, 10]).astype("float32")
    size = (rng.uniform(0.01, 1.5, size=(500, 2)) * [20, 10]).astype("float32")
    x1, y1, x2, y2 = ops.convert_to_numpy(geometry.boxes_around(tensor(centre), tensor(size), tensor([20.0, 10.0]))).T
    assert x1.min() >= -1e-5 and y1.min() >= -1e-5 and x2.max() <= 20 + 1e-5 and y2.max() <= 10 + 1e-5
    np.testing.assert_allclose(np.stack([x2 - x1, y2 - y1], 1), np.minimum(size, [20, 10]), atol=1e-5)
    roomy = (np.abs(centre - [10, 5]) + size / 2 < [10, 5]).all(1)
    assert roomy.sum() > 20
    np.testing.assert_allclose(np.stack([x1 + x2, y1 + y2], 1)[roomy] / 2, centre[roomy], atol=1e-5)


@pytest.mark.parametrize("shape", [(30,), (12, 9), (5, 8, 7)])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32"])
def test_boxes_from_masks_are_around_all_that_is_not_zero(shape, dtype, rng):
    masks = rng.uniform(size=(20, *shape)) < 0.01 * np.array([1, 5] * 10).reshape(-1, *(1,) * len(shape))
    masks[3] = False
    masks[4] = True
    got = ops.convert_to_numpy(geometry.boxes_from_masks((masks * 3).astype(dtype)))
    assert got.dtype == np.float32
    for mask, box in zip(masks, got):
        places = np.argwhere(mask) if mask.any() else np.array([np.zeros(len(shape)), np.array(shape) - 1])
        np.testing.assert_array_equal(box, [*places.min(0)[::-1], *(places.max(0)[::-1] + 1)])


def test_boxes_from_masks_of_another_shape_are_an_error():
    for shape in ((3,), (1, 2, 3, 4, 5)):
        with pytest.raises(ShapeError, match="`masks` must have shape"):
            geometry.boxes_from_masks(np.zeros(shape))


@pytest.mark.parametrize("dtype", ["float16", "int8", "uint8", "int32", "int64", "float32", "float64"])
def test_iou_of_boxes_of_any_type_is_that_of_python(dtype):
    large = 100 if dtype.endswith("int8") else 300
    boxes, others = [[0, 0, large, large], [1, 2, 4, 6]], [[large // 2, 0, large, large], [2, 2, 5, 4]]
    for other_type in (dtype, "float32"):
        found = geometry.box_iou(np.array(boxes, dtype), np.array(others, other_type))
        np.testing.assert_allclose(ops.convert_to_numpy(found), [0.5, 4 / 14], rtol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(geometry.box_iou([[0, 0, 2, 2.0]], [[1, 0, 3, 2]])), [1 / 3])


def test_iou_in_bfloat16():
    box = ops.cast(tensor([[0.0, 0, 300, 300]]), "bfloat16")
    np.testing.assert_allclose(ops.convert_to_numpy(geometry.box_iou(box, box)), [1])


WRONG = {
    "iou, counts": (BoxError, lambda: geometry.box_iou(np.zeros((2, 4)), np.zeros((3, 4)))),
    "iou, numbers": (BoxError, lambda: geometry.box_iou(np.zeros((2, 5)), np.zeros((2, 4)))),
    "iou, one number": (BoxError, lambda: geometry.box_iou(1.0, np.zeros((2, 4)))),
    "iou, text": (ArgumentError, lambda: geometry.box_iou("boxes", np.zeros((2, 4)))),
    "iou, complex": (ArgumentError, lambda: geometry.box_iou(np.zeros((2, 4), "complex64"), np.zeros((2, 4)))),
    "loss, counts": (BoxError, lambda: BoxLoss()(np.zeros((2, 4), "float32"), np.zeros((3, 4), "float32"))),
    "loss, several": (BoxError, lambda: BoxLoss()(np.zeros((2, 5, 4), "float32"), np.zeros((2, 3, 4), "float32"))),
    "metric, counts": (BoxError, lambda: BoxIoU()(np.zeros((1, 4), "float32"), np.zeros((3, 4), "float32"))),
    "masks, no pixels": (ShapeError, lambda: geometry.boxes_from_masks(np.zeros((2, 0, 4)))),
    "masks, nothing": (ShapeError, lambda: geometry.boxes_from_masks([])),
    "masks, None": (ArgumentError, lambda: geometry.boxes_from_masks(None)),
    "convert, a number": (BoxError, lambda: geometry.convert_boxes(3.0, "xyxy", "xywh")),
    "convert, None": (ArgumentError, lambda: geometry.convert_boxes(None, "xyxy", "xywh")),
    "clip, format": (BoxError, lambda: clip_boxes(BOX, 10, 20, "coco")),
    "clip, depth": (BoxError, lambda: clip_boxes(np.zeros((1, 6)), 10, 20)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_are_no_boxes_is_an_error_of_its_class(name):
    error, call = WRONG[name]
    with pytest.raises(error):
        call()


@pytest.mark.parametrize("size", [0, -4, float("nan"), float("inf"), "9", True])
def test_images_of_such_a_size_are_errors(size):
    for sizes in ({"height": size, "width": 20}, {"height": 10, "width": size}):
        with pytest.raises(SizeError, match="must be a number of pixels above 0"):
            geometry.convert_boxes(BOX, "xyxy", "rel_xyxy", **sizes)
        with pytest.raises(SizeError, match="must be a number of pixels above 0"):
            clip_boxes(BOX, **sizes)


@pytest.mark.parametrize("box_format", FORMATS)
def test_clipped_boxes_are_those_of_numpy_in_every_format(rng, box_format):
    corners = rng.uniform(0, 30, size=(40, 2, 2)).cumsum(axis=1).reshape(40, 4) - 10
    boxes = ops.convert_to_numpy(geometry.convert_boxes(corners, "xyxy", box_format, 10, 20))
    boxes[3] = -1  # missing
    with pytest.warns(BoxWarning, match="clip_boxes.*wholly outside of images of 10 x 20"):
        clipped = clip_boxes(boxes, 10, 20, box_format)
    expected = np.clip(corners, 0, [20, 10, 20, 10])
    back = ops.convert_to_numpy(geometry.convert_boxes(clipped, box_format, "xyxy", 10, 20))
    np.testing.assert_allclose(np.delete(back, 3, 0), np.delete(expected, 3, 0), atol=1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(clipped)[3], -1)


def test_clipping_sequences_volumes_and_what_is_no_number():
    assert ops.convert_to_numpy(clip_boxes([[-1.0, 7]], 1, 5)).tolist() == [[0, 5]]
    volume = ops.convert_to_numpy(clip_boxes([[-1.0, 1, 1, 9, 9, 9]], 4, 5, depth=3))
    assert volume.tolist() == [[0, 1, 1, 5, 4, 3]]
    partly = ops.convert_to_numpy(clip_boxes([[np.nan, -2, 30, 4]], 10, 20))
    np.testing.assert_array_equal(partly, [[np.nan, 0, 20, 4]])
    inside = np.array([[0.4, 0.5, 0.3, 0.7]], "float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(clip_boxes(inside, 7, 13, "rel_center_xywh")), inside)


def test_a_box_wholly_outside_is_a_warning_where_it_is_known(recwarn):
    x = np.zeros((2, 9, 12, 1), "float32")
    inside, padding = np.array([[0, 0, 5, 5], [-3, -3, 1, 1]]), np.array([[0, 0, 5, 5], [-1, -1, -1, -1]])
    for boxes in (inside, padding, np.array([[np.nan] * 4] * 2)):
        BoxCrop(2, 2)([x, boxes.astype("float32")])
        sample(x, boxes.astype("float32"), (2, 2))
    BoxCrop(2, 2, box_format="xywh")([x, padding.astype("float32")])
    assert not [warning for warning in recwarn if issubclass(warning.category, BoxWarning)]
    for box in ([12, 0, 15, 3], [-5, 0, 0, 3], [0, 9, 3, 12], [3, -1, 0, -2]):
        outside = np.array([[0, 0, 5, 5], box], "float32")
        for call in (lambda: BoxCrop(2, 2)([x, outside]), lambda: sample(x, outside, (2, 2))):
            with pytest.warns(BoxWarning, match="1 box lies wholly outside of images of 9 x 12"):
                call()
