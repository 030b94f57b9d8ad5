"""Any batch that a generator or a dataset makes is cropped at a place that the specification knows."""

import keras
import numpy as np
import pytest
from hypothesis import strategies as st

import kerascrop
import oracle
from cases import BACKEND, FORMATS, SEEDS, Case, Config, array, for_any


@st.composite
def pipelines(draw):
    size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    config = Config(
        size=size,
        mode=draw(st.sampled_from(("random", "center"))),
        data_format=draw(st.sampled_from(FORMATS)),
        dtype=draw(st.sampled_from(("int32", "float32", "int64") + ("uint16",) * (BACKEND != "torch"))),
        batched=draw(st.booleans()),
        labels=draw(st.booleans()),
        unknown=draw(st.booleans()),
    )
    batches = draw(st.lists(st.tuples(*[st.integers(n, n + 4) for n in size]), min_size=1, max_size=3))
    return Case("eager", config, {"batches": batches, "batch": draw(st.integers(1, 3))}, draw(SEEDS))


def batches_of(case):
    """Batches of images no two numbers of which are equal, so that a crop tells its place; each perhaps with labels."""
    config, batch = case.config, case.shape["batch"]
    for height, width in case.shape["batches"]:
        images = np.arange(batch * height * width).reshape(batch, height, width, 1).astype(config["dtype"])
        images = images if config["data_format"] == "channels_last" else np.moveaxis(images, -1, 1)
        yield (images, np.arange(batch)) if config["labels"] else images


def assert_cropped(crop, image, config):
    """Check a crop of an image, both with the channels last, and return its place."""
    height, width, _ = image.shape
    rows, columns = config["size"]
    first = int(crop[0, 0, 0]) - int(image[0, 0, 0])
    top, left = divmod(first, width)
    assert 0 <= top <= height - rows and 0 <= left <= width - columns
    np.testing.assert_array_equal(crop, oracle.window(image, (top, left), (rows, columns)))
    if config["mode"] == "center":
        assert (top, left) == (oracle.center(height, rows), oracle.center(width, columns))
    return top, left


def last(images, config):
    return images if config["data_format"] == "channels_last" else np.moveaxis(images, -3, -1)


def options(case):
    return dict(mode=case.config["mode"], seed=case.seed % 1000, data_format=case.config["data_format"])


def assert_batches(case, found):
    given = list(batches_of(case))
    assert len(found) == len(given)
    for batch, source in zip(found, given):
        if case.config["labels"]:
            np.testing.assert_array_equal(batch[1], source[1])
            batch, source = batch[0], source[0]
        assert batch.dtype == source.dtype and len(batch) == len(source)
        for crop, image in zip(last(array(batch), case.config), last(source, case.config)):
            assert_cropped(crop, image, case.config)


@for_any(pipelines(), share=3)
def test_any_generator(case):
    crop = lambda: list(kerascrop.crop_generator(batches_of(case), *case.config["size"], **options(case)))
    found = crop()
    assert_batches(case, found)
    for one, other in zip(keras.tree.flatten(found), keras.tree.flatten(crop()), strict=True):
        np.testing.assert_array_equal(one, other)


def dataset_of(case):
    import tensorflow as tf

    example = next(batches_of(case))
    images = example[0] if case.config["labels"] else example
    unknown = [None, None, None, 1] if case.config["data_format"] == "channels_last" else [None, 1, None, None]
    spec = tf.TensorSpec(unknown, images.dtype)
    spec = (spec, tf.TensorSpec([None], "int64")) if case.config["labels"] else spec
    dataset = tf.data.Dataset.from_generator(lambda: batches_of(case), output_signature=spec)
    return dataset if case.config["batched"] else dataset.unbatch()


def rebatched(case, elements):
    """The elements of a dataset as batches, as NumPy arrays."""
    elements = [keras.tree.map_structure(np.asarray, element) for element in elements]
    if case.config["batched"]:
        return elements
    batch = case.shape["batch"]
    groups = [elements[i : i + batch] for i in range(0, len(elements), batch)]
    return [keras.tree.map_structure(lambda *parts: np.stack(parts), *group) for group in groups]


@pytest.mark.tensorflow
@for_any(pipelines(), share=1)
def test_any_dataset(case):
    crop = lambda: kerascrop.crop_dataset(dataset_of(case), *case.config["size"], **options(case))
    dataset = crop()
    found = rebatched(case, dataset)
    assert_batches(case, found)
    for one, other in zip(keras.tree.flatten(found), keras.tree.flatten(rebatched(case, crop())), strict=True):
        np.testing.assert_array_equal(one, other)


@for_any(pipelines(), share=1)
def test_any_layer_in_a_dataset(case):
    config = case.config
    layer = kerascrop.RandomCrop(*config["size"], seed=1, data_format=config["data_format"])
    training = config["mode"] == "random"
    if config["labels"]:
        dataset = dataset_of(case).map(lambda images, labels: (layer(images, training=training), labels))
    else:
        dataset = dataset_of(case).map(lambda images: layer(images, training=training))
    assert_batches(case, rebatched(case, dataset))
