"""Joint inputs: draw a blob, crop, find it there, and compare with where boxes, masks and key points say it is."""

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop
from kerascrop import geometry
from kerascrop.checks import ArgumentError, BoxError, ShapeError
from own_layers import PeakCrop

LENGTHS = {1: (17,), 2: (19, 23), 3: (11, 13, 17)}
BLOBS = {  # along each axis the first pixel of the blob and the first one after it
    1: ([(6, 10)], [(9, 11)]),
    2: ([(8, 12), (9, 12)], [(7, 11), (11, 14)]),
    3: ([(4, 7), (5, 8), (7, 10)], [(4, 6), (6, 9), (8, 10)]),
}
CROPS = {1: (12,), 2: (13, 16), 3: (7, 9, 12)}
BACKGROUND = 0.125


def layers(rank):
    """All layers of a rank, each with arguments that leave the blobs in sight."""
    suffix = {1: "1D", 2: "", 3: "3D"}[rank]
    size = CROPS[rank]
    large = tuple(length + 5 for length in LENGTHS[rank])

    def get(name):
        return getattr(kerascrop, name + suffix)

    table = {
        "center": lambda **kwargs: get("CenterCrop")(*size, **kwargs),
        "border": lambda **kwargs: get("BorderCrop")([(2, 3), (-1, 1), (0, -2)][:rank], **kwargs),
        "random": lambda **kwargs: get("RandomCrop")(*size, seed=1, focus="boxes", min_visible=1.0, **kwargs),
        "pad": lambda **kwargs: get("CenterCrop")(*large, if_smaller="pad", **{"fill_value": BACKGROUND, **kwargs}),
        "keep": lambda **kwargs: get("RandomCrop")(*large, if_smaller="keep", **kwargs),
        "resize": lambda **kwargs: get("CenterCrop")(
            *(2 * length for length in LENGTHS[rank]), if_smaller="resize", **kwargs
        ),
    }
    if rank == 2:
        table |= {
            "box": lambda **kwargs: kerascrop.BoxCrop(26, 38, **kwargs),
            "resized": lambda **kwargs: kerascrop.RandomResizedCrop(40, 40, scale=(0.9, 1), seed=3, **kwargs),
            "five": lambda **kwargs: kerascrop.MultiCrop(13, 16, **kwargs),
            "ten": lambda **kwargs: kerascrop.MultiCrop(13, 16, views="ten", **kwargs),
            "grid": lambda **kwargs: kerascrop.MultiCrop(13, 16, views="grid", stride=5, **kwargs),
            "learnable": lambda **kwargs: kerascrop.LearnableCrop(18, 20, **kwargs),
            "peak": lambda **kwargs: PeakCrop(13, 16, **kwargs),
        }
    return table


CASES = [(rank, name) for rank in (1, 2, 3) for name in layers(rank)]


def scenes(rank, data_format, box_format):
    """Two images with a blob each, and what belongs to them."""
    lengths = LENGTHS[rank]
    images = np.full((2, *lengths, 1), BACKGROUND, "float32")
    corners = np.array(BLOBS[rank], "float32")[:, ::-1]  # x first
    for image, blob in zip(images, BLOBS[rank]):
        image[tuple(slice(*side) for side in blob)] = 1.0
    masks = (images[..., 0] == 1).astype("int32") * 7
    boxes = np.concatenate([corners[..., 0], corners[..., 1]], axis=-1)[:, None]
    boxes = np.concatenate([boxes, np.zeros_like(boxes)], axis=1)  # and one that is only padding
    middle = corners.mean(-1)[:, None]
    boxes = geometry.from_corners(ops.convert_to_tensor(boxes), box_format, lengths[::-1])
    return {
        "images": images if data_format == "channels_last" else np.moveaxis(images, -1, 1),
        "segmentation_masks": masks,
        "bounding_boxes": {"boxes": ops.convert_to_numpy(boxes), "labels": np.array([[3, -1], [5, -1]], "int32")},
        "keypoints": middle,
        "labels": np.array([1, 2], "int64"),
    }


def found(bright):
    """The box, x first, around all that is bright."""
    lines = [np.flatnonzero(bright.any(axis=tuple(set(range(bright.ndim)) - {axis}))) for axis in range(bright.ndim)]
    return np.array([line[0] for line in lines[::-1]] + [line[-1] + 1 for line in lines[::-1]], "float64")


def arrays(data):
    return keras.tree.map_structure(ops.convert_to_numpy, data)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rank, name", CASES)
def test_the_blob_is_where_boxes_masks_and_key_points_say(rank, name, data_format):
    formats = ["xyxy", "rel_xyxy"] if rank != 2 else geometry.BOX_FORMATS
    for box_format in formats:
        data = scenes(rank, data_format, box_format)
        if name == "box":
            cut = np.array([[3, 2, 22, 15], [1, 4, 20, 17]], "float32")
            cut = geometry.from_corners(ops.convert_to_tensor(cut), box_format, (23, 19))
            data["boxes"] = ops.convert_to_numpy(cut)
        layer = layers(rank)[name](data_format=data_format, box_format=box_format)
        crops = arrays(layer(data, training=name in ("random", "keep", "resized")))
        images = crops["images"] if data_format == "channels_last" else np.moveaxis(crops["images"], -rank - 1, -1)
        images = images[..., 0]
        views = images.ndim == rank + 2
        boxes = ops.convert_to_numpy(
            geometry.to_corners(crops["bounding_boxes"]["boxes"], box_format, images.shape[-1 : -rank - 1 : -1])
        )
        labels = crops["bounding_boxes"]["labels"]
        np.testing.assert_array_equal(crops["labels"], [1, 2])
        assert crops["segmentation_masks"].dtype == np.int32 and set(np.unique(crops["segmentation_masks"])) == {0, 7}
        assert (labels[..., 1] == -1).all()
        seen = 0
        for place in np.ndindex(images.shape[:2] if views else images.shape[:1]):
            bright, mask = images[place] > (1 + BACKGROUND) / 2, crops["segmentation_masks"][place] == 7
            if labels[place][0] == -1:
                assert not bright.any()
                continue
            seen += 1
            blob, box = found(bright), boxes[place][0]
            whole = name in ("center", "border", "random", "pad", "keep", "five", "ten", "grid", "peak")
            # A resampled blob's edge lies within a pixel of the box; bilinear edges are half as wide as the step.
            tolerance = 1e-4 if whole else 1.01
            np.testing.assert_allclose(blob, box, atol=tolerance)
            np.testing.assert_allclose(found(mask), box, atol=1e-4 if whole else 0.51)
            point = crops["keypoints"][place][0]
            if whole and (box[rank:] - box[:rank] < np.ptp(np.array(BLOBS[rank][place[0]])[::-1], axis=1)).any():
                continue  # a blob that is cut has another middle
            np.testing.assert_allclose(point, (blob[:rank] + blob[rank:]) / 2, atol=tolerance)
        assert seen >= (4 if views else 2)


@pytest.mark.parametrize("rank, name", CASES)
def test_one_image_is_a_batch_of_one_and_symbols_tell_the_shapes(rank, name):
    data = scenes(rank, "channels_last", "xyxy")
    if name == "box":
        data["boxes"] = np.array([[3, 2, 22, 15], [1, 4, 20, 17]], "float32")
    layer = layers(rank)[name](return_boxes=True)
    crops, boxes = layer(data)
    one, box = layer(keras.tree.map_structure(lambda x: x[0], data))
    for whole, part in zip(keras.tree.flatten((crops, boxes)), keras.tree.flatten((one, box))):
        np.testing.assert_allclose(arrays(whole)[0], arrays(part), atol=1e-5)
    symbols = keras.tree.map_structure(lambda x: keras.KerasTensor((None, *x.shape[1:]), x.dtype), data)
    for promised, got in zip(keras.tree.flatten(layer(symbols)), keras.tree.flatten((crops, boxes))):
        assert (None, *got.shape[1:]) == promised.shape
        assert promised.dtype == keras.backend.standardize_dtype(got.dtype)


@pytest.mark.parametrize("name", layers(2))
def test_masks_and_labels_keep_their_type_in_tf_data(name):
    import tensorflow as tf

    data = scenes(2, "channels_last", "xyxy")
    data["images"] = (data["images"] * 255).astype("uint8")
    data["segmentation_masks"] = data["segmentation_masks"].astype("uint8")
    if name == "box":
        data["boxes"] = np.array([[3, 2, 22, 15], [1, 4, 20, 17]], "float32")
    layer = layers(2)[name](**({"fill_value": 31} if name == "pad" else {}))
    expected = arrays(layer(data))
    unknown = {
        **keras.tree.map_structure(lambda x: tf.TensorSpec((None, *x.shape[1:]), x.dtype), data),
        "images": tf.TensorSpec((None, None, None, 1), "uint8"),
        "segmentation_masks": tf.TensorSpec((None, None, None), "uint8"),
    }
    known = tf.data.Dataset.from_tensors(data)
    for dataset in (known, tf.data.Dataset.from_generator(lambda: iter([data]), output_signature=unknown)):
        (crops,) = dataset.map(lambda data: layer(data, training=False))
        for a, b in zip(keras.tree.flatten(expected), keras.tree.flatten(arrays(crops))):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, atol=1e-2 if name == "learnable" else 1e-4)  # of 255
        assert crops["segmentation_masks"].dtype == tf.uint8 and crops["labels"].dtype == tf.int64


def test_boxes_that_are_hardly_seen_are_dropped():
    # A crop of columns 4 to 7 shows all, half and a quarter of these boxes.
    boxes = np.array([[[4, 3, 8, 7], [2, 3, 6, 7], [1, 3, 5, 7], [0, 3, 4, 7]]], "float32")
    bounding_boxes = {"boxes": boxes, "labels": np.array([[1, 2, 3, 4]])}
    data = {"images": np.zeros((1, 12, 12, 1), "float32"), "bounding_boxes": bounding_boxes}
    for least, number in ((0, 3), (0.25, 3), (0.3, 2), (0.5, 2), (1, 1)):
        kept = [1, 2, 3][:number] + [-1] * (4 - number)
        crops = arrays(kerascrop.CenterCrop(12, 4, min_visible=least)(data))["bounding_boxes"]
        np.testing.assert_array_equal(crops["labels"], [kept])
        assert (crops["boxes"][crops["labels"] == -1] == 0).all()
    cropped = arrays(kerascrop.CenterCrop(12, 4)(data))
    np.testing.assert_array_equal(cropped["bounding_boxes"]["boxes"][0, 1], [0, 3, 2, 7])
    without = {**data, "bounding_boxes": {"boxes": boxes}}
    assert list(kerascrop.CenterCrop(12, 4)(without)["bounding_boxes"]) == ["boxes"]


def test_labels_of_other_kinds_are_dropped_alike():
    boxes = np.array([[[0, 0, 4, 4], [8, 8, 12, 12]]], "float32")
    images = np.zeros((1, 12, 12, 1), "float32")
    for labels, dropped in (
        (np.array([[1, 2]], "float32"), [[-1, -1]]),
        (np.array([[[0, 1], [1, 0]]]), [[[-1, -1], [-1, -1]]]),
        (np.array([[1, 2]], "uint8"), [[-1, -1]]),
    ):
        crops = kerascrop.CenterCrop(4, 4)({"images": images, "bounding_boxes": {"boxes": boxes, "labels": labels}})
        np.testing.assert_array_equal(arrays(crops)["bounding_boxes"]["labels"], dropped)


def test_key_points_outside_stay_outside_and_keep_further_numbers():
    points = np.array([[[1, 2, 1], [7, 6, 0]]], "float32")  # x, y, and whether it was visible
    crops = kerascrop.CenterCrop(4, 4)({"images": np.zeros((1, 12, 12, 1), "float32"), "keypoints": points})
    np.testing.assert_array_equal(arrays(crops)["keypoints"], [[[-3, -2, 1], [3, 2, 0]]])


@pytest.mark.parametrize("dtype, kept", [("float64", "float64"), ("float32", "float32"), ("int32", "float32")])
def test_key_points_keep_their_digits(dtype, kept):
    data = {"images": np.zeros((1, 12, 12, 1), "float32"), "keypoints": np.array([[[5.25, 6.75]]], dtype)}
    crop = kerascrop.CenterCrop(4, 4)
    assert keras.backend.standardize_dtype(crop(data)["keypoints"].dtype) == kept
    spec = crop.compute_output_spec({name: keras.KerasTensor(x.shape, str(x.dtype)) for name, x in data.items()})
    assert spec["keypoints"].dtype == kept


@pytest.mark.parametrize("channels", [(), (1,), (2,)])
def test_masks_of_clips_and_with_channels_are_cropped_like_the_images(channels, rng):
    clips = rng.normal(size=(2, 3, 9, 12, 4)).astype("float32")
    masks = rng.integers(5, size=(2, 3, 9, 12, *channels)).astype("uint8")
    boxes = np.tile(np.array([3, 2, 8, 7], "float32"), (2, 3, 1, 1))
    data = {"images": clips, "segmentation_masks": masks, "bounding_boxes": {"boxes": boxes}}
    if len(channels) == 0:
        data["keypoints"] = np.full((2, 3, 5, 2), 5.0, "float32")
    crops = arrays(kerascrop.CenterCrop(5, 6)(data))
    np.testing.assert_array_equal(crops["segmentation_masks"], masks[:, :, 2:7, 3:9])
    np.testing.assert_array_equal(crops["images"], clips[:, :, 2:7, 3:9])
    np.testing.assert_array_equal(crops["bounding_boxes"]["boxes"], boxes - [3, 2, 3, 2])


IMAGES = np.zeros((2, 9, 12, 3), "float32")


@pytest.mark.parametrize(
    "data, error, message",
    [
        ({"photos": IMAGES}, ArgumentError, r"a dict with `images`, not one of \['photos'\]"),
        ({"images": IMAGES, "segmentation_masks": np.zeros((2, 9, 11))}, ShapeError, r"the images' size \(2, 9, 12\)"),
        ({"images": IMAGES, "segmentation_masks": np.zeros((3, 9, 12, 1))}, ShapeError, r"not \(3, 9, 12, 1\)"),
        ({"images": IMAGES, "bounding_boxes": np.zeros((2, 1, 4))}, ArgumentError, "`bounding_boxes` as a dict"),
        ({"images": IMAGES, "bounding_boxes": {"labels": np.zeros((2, 1))}}, ArgumentError, "boxes` as a dict"),
        ({"images": IMAGES, "bounding_boxes": {"boxes": np.zeros((2, 1, 5))}}, BoxError, r"\(2, boxes, 4\)"),
        ({"images": IMAGES, "bounding_boxes": {"boxes": np.zeros((2, 4))}}, BoxError, r"\(2, boxes, 4\)"),
        (
            {"images": IMAGES, "bounding_boxes": {"boxes": np.zeros((2, 3, 4)), "labels": np.zeros((2, 2))}},
            BoxError,
            r"a label for each bounding box: there are boxes of shape \(2, 3, 4\), but labels of shape \(2, 2\)",
        ),
        ({"images": IMAGES, "keypoints": np.zeros((2, 3, 1))}, ShapeError, r"key points of shape \(2, points, 2\)"),
        ({"images": IMAGES, "keypoints": np.zeros((3, 3, 2))}, ShapeError, r"not \(3, 3, 2\)"),
    ],
)
def test_what_does_not_fit_is_an_error_that_names_it(data, error, message):
    with pytest.raises(error, match=message):
        kerascrop.CenterCrop(4, 4)(data)


KEYS = {  # what looks like a part under another name, and which
    "images": ["image", "Images"],
    "segmentation_masks": ["mask", "masks", "segmentation_mask", "SegmentationMasks", "segmentation", "gt_seg"],
    "bounding_boxes": ["boxes", "bboxes", "bounding_box", "boundingboxes", "bbox", "gt_boxes", "trueBoxes", "rois"],
    "keypoints": ["keypoint", "key_points", "landmarks", "face_landmark", "kpts", "polygons"],
}
KEYS = [(key, part) for part, keys in KEYS.items() for key in keys]


@pytest.mark.parametrize("key, meant", KEYS)
def test_a_key_that_looks_like_a_part_is_an_error_that_tells_the_name(key, meant):
    data = {key: IMAGES} if meant == "images" else {"images": IMAGES, key: np.zeros((2, 5, 4))}
    for layer in (kerascrop.CenterCrop(4, 4), kerascrop.RandomCrop(4, 4), kerascrop.LearnableCrop(4, 4)):
        with pytest.raises(ArgumentError, match=f"{key!r}: did you mean {meant!r}.*`pass_through`"):
            layer(data)
        with pytest.raises(ArgumentError, match=f"did you mean {meant!r}"):
            layer.compute_output_shape({name: part.shape for name, part in data.items()})


BOX = np.arange(8.0).reshape(2, 1, 4)
LOOKALIKES = {  # what passes if it is named in `pass_through`, and how
    "bbox": {"bbox": BOX},
    "objects/bbox": {"objects/bbox": BOX},  # a key of TensorFlow Datasets
    "objects": {"objects": {"bbox": BOX, "label": np.ones((2, 1))}},
    "target/objects/bbox": {"target": {"objects": {"bbox": BOX}}},
    "depth": {"depth": np.zeros((2, 9, 12))},
    "labels": {"labels": np.zeros((2, 9, 12, 1), "int32")},
    "instances": {"instances": np.zeros((2, 7, 9, 12), "bool")},
    "pair": {"pair": [np.zeros(2), np.zeros((2, 9, 12, 3))]},
    "extra/other": {"extra": {"id": np.arange(2), "other": np.zeros((2, 9, 12, 3))}},
}


@pytest.mark.parametrize("name, extra", LOOKALIKES.items())
@pytest.mark.parametrize("batched", [True, False])
def test_what_looks_like_a_part_passes_only_if_that_is_said(name, extra, batched):
    data = {"images": IMAGES, "segmentation_masks": np.zeros((2, 9, 12)), **extra}
    data = data if batched else keras.tree.map_structure(lambda part: part[0], data)
    with pytest.raises(ArgumentError, match="did you mean '(bounding_boxes|segmentation_masks)'"):
        kerascrop.CenterCrop(4, 4)(data)
    layer = kerascrop.CenterCrop(4, 4, pass_through=name)
    crops = kerascrop.CenterCrop.from_config(layer.get_config())(data)
    assert crops["images"].shape[-3:] == (4, 4, 3)
    for key in extra:
        for one, other in zip(keras.tree.flatten(crops[key]), keras.tree.flatten(data[key]), strict=True):
            np.testing.assert_array_equal(arrays(one), other)


@pytest.mark.parametrize("value", [1, [1], {"a": 1}])
def test_pass_through_is_names(value):
    with pytest.raises(ArgumentError, match="`pass_through` must be a string, or several"):
        kerascrop.RandomCrop(4, 4, pass_through=value)


@pytest.mark.parametrize(
    "key",
    ["label", "labels", "ids", "id", "image_id", "image_ids", "image_2", "image_path", "weights", "filename"]
    + ["num_boxes", "mask_ratio", "has_keypoints"],  # one number for each image
)
def test_other_keys_pass(key):
    part = np.arange(2)
    assert np.array_equal(arrays(kerascrop.CenterCrop(4, 4)({"images": IMAGES, key: part})[key]), part)
    shapes = kerascrop.CenterCrop(4, 4).compute_output_shape({"images": IMAGES.shape, key: (2,)})
    assert shapes == {"images": (2, 4, 4, 3), key: (2,)}


def test_a_key_like_that_of_a_part_that_is_there_passes():
    part = np.arange(2)
    crops = kerascrop.CenterCrop(4, 4)({"images": IMAGES, "image": part, "masks": None})
    assert np.array_equal(arrays(crops["image"]), part) and crops["images"].shape == (2, 4, 4, 3)


def test_what_only_some_layers_take_is_near_for_the_others_alone():
    boxes = np.array([[1, 2, 5, 6], [0, 0, 4, 4]], "float32")
    assert kerascrop.BoxCrop(4, 4)({"images": IMAGES, "boxes": boxes})["images"].shape == (2, 4, 4, 3)
    with pytest.raises(ArgumentError, match="'bounding_box': did you mean 'bounding_boxes'"):
        kerascrop.BoxCrop(4, 4)({"images": IMAGES, "boxes": boxes, "bounding_box": boxes[:, None]})
    with pytest.raises(ArgumentError, match="'feature': did you mean 'features'"):
        kerascrop.LearnableCrop(4, 4)({"images": IMAGES, "feature": np.zeros((2, 3))})
