"""The layers in a `tf.data` pipeline, whatever Keras runs on."""

import sys

import keras
import numpy as np
import pytest

import kerascrop
from conftest import BACKEND
from kerascrop.checks import ArgumentError, SizeError
from kerascrop.layers import in_tensorflow
from kerascrop.pipelines import batches

tf = pytest.importorskip("tensorflow")

AUTOTUNE = tf.data.AUTOTUNE
MAPS = {  # forms of map, all of which give the crops alone
    "layer": lambda data, crop: data.map(crop),
    "training": lambda data, crop: data.map(lambda images: crop(images, training=False)),
    "keyword": lambda data, crop: data.map(lambda images: crop(inputs=images)),
    "parallel": lambda data, crop: data.map(crop, num_parallel_calls=AUTOTUNE, deterministic=True),
    "two": lambda data, crop: data.map(crop, num_parallel_calls=2),
    "tuple": lambda data, crop: data.map(lambda x: (x, 1)).map(lambda x, y: (crop(x), y)).map(lambda x, y: x),
    "dict": lambda data, crop: data.map(lambda x: {"images": x}).map(crop).map(lambda parts: parts["images"]),
    "boxes": lambda data, crop: data.map(type(crop).from_config({**crop.get_config(), "return_boxes": True})).map(
        lambda crops, boxes: crops
    ),
}


@pytest.mark.parametrize("form", MAPS)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("batch", [None, 3])
def test_every_form_of_map_gives_the_slice(form, known, batch, images):
    spec = tf.TensorSpec(images.shape[1:] if known else (None, None, 3))
    data = tf.data.Dataset.from_generator(lambda: iter(images), output_signature=spec)
    data = data if batch is None else data.batch(batch)
    crops = MAPS[form](data, kerascrop.CenterCrop(5, 6))
    assert crops.element_spec.shape == ((5, 6, 3) if batch is None else (None, 5, 6, 3))
    crops = list(crops) if batch is None else np.concatenate(list(crops))
    np.testing.assert_array_equal(crops, images[:, 2:7, 3:9])


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float64", "bool"])
def test_types_stay(dtype, images):
    data = tf.data.Dataset.from_tensor_slices(images.astype(dtype)).batch(2).map(kerascrop.CenterCrop(5, 6))
    np.testing.assert_array_equal(np.concatenate(list(data)), images.astype(dtype)[:, 2:7, 3:9])
    assert data.element_spec.dtype == dtype


def test_random_crops_are_new_in_each_epoch_and_are_slices(images):
    crop = kerascrop.RandomCrop(5, 6, seed=1, return_boxes=True)
    data = tf.data.Dataset.from_tensor_slices(images).batch(2).map(lambda x: crop(x, training=True))
    places = []
    for _ in range(2):
        crops, boxes = (np.concatenate(parts) for parts in zip(*data))
        for image, one, (x1, y1, x2, y2) in zip(images, crops, boxes.astype(int)):
            np.testing.assert_array_equal(one, image[y1:y2, x1:x2])
        places.append(boxes)
    assert not np.array_equal(*places)


def test_a_dict_is_cropped_alike_and_text_passes(images):
    data = {"images": images, "segmentation_masks": images[..., 0].astype("int64"), "file": np.array(list("abcd"))}
    crops = next(iter(tf.data.Dataset.from_tensor_slices(data).batch(4).map(kerascrop.CenterCrop(5, 6))))
    np.testing.assert_array_equal(crops["segmentation_masks"], data["segmentation_masks"][:, 2:7, 3:9])
    assert crops["segmentation_masks"].dtype == "int64"
    assert [file.decode() for file in crops["file"].numpy()] == list("abcd")


def test_an_image_that_is_too_small_is_an_error(images):
    with pytest.raises(SizeError, match="cannot cut height 40"):
        tf.data.Dataset.from_tensor_slices(images).map(kerascrop.CenterCrop(40, 6))
    data = tf.data.Dataset.from_generator(lambda: iter(images), output_signature=tf.TensorSpec((None, None, 3)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot cut height 40"):
        list(data.map(kerascrop.CenterCrop(40, 6)))


def test_the_image_and_the_crop_of_folders(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3)).astype("uint8")
    (tmp_path / "a").mkdir()
    keras.utils.save_img(tmp_path / "a" / "image.png", pixels, data_format="channels_last", scale=False)
    data = kerascrop.crops_from_directory(tmp_path, 5, 6, mode="center")
    crops, labels = next(iter(data))
    np.testing.assert_array_equal(crops, pixels[None, 2:7, 3:9])
    assert labels.numpy().tolist() == [0]


def test_outside_of_a_graph_nothing_is_foreign(images):
    assert not in_tensorflow.is_foreign(images) and not in_tensorflow.is_foreign(tf.constant(images))

    @tf.function
    def inside(x):
        return in_tensorflow.is_foreign({"images": [x]})

    assert inside(images) == (BACKEND != "tensorflow")


def test_without_tensorflow_the_generator_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ArgumentError, match="needs TensorFlow.*`crop_generator\\(\\)` works without"):
        batches.check_tensorflow("crop_dataset()")
