import itertools
import pickle

import keras
import numpy as np
import pytest

from kerascrop.checks import ArgumentError, ShapeError, SizeError
from kerascrop.pipelines import batches as data


def places(x, crops):
    """Where each crop lies in its image, whose numbers are all different: (top, left). Fails where it is no window."""
    found = []
    for image, crop in zip(x, crops):
        top, left = np.argwhere(image[..., 0] == crop[0, 0, 0])[0]
        np.testing.assert_array_equal(image[top : top + crop.shape[0], left : left + crop.shape[1]], crop)
        found.append((top, left))
    return found


def batches(images, n):
    return ((images + i, np.arange(4) + i) for i in range(n))


class Batches(keras.utils.PyDataset):
    def __init__(self, images, n=3, **kwargs):
        super().__init__(**kwargs)
        self.images, self.n, self.epochs = images, n, 0

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return self.images + index, np.arange(4, dtype="float32")

    def on_epoch_end(self):
        self.epochs += 1


def model():
    model = keras.Sequential([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_the_centre_is_a_slice_and_labels_pass_untouched(images):
    results = list(data.crop_generator(batches(images, 3), 5, 6, mode="center"))
    assert len(results) == 3
    for i, (x, y) in enumerate(results):
        assert isinstance(x, np.ndarray)
        np.testing.assert_array_equal(x, images[:, 2:7, 3:9] + i)
        np.testing.assert_array_equal(y, np.arange(4) + i)


def test_random_places_differ_from_image_to_image_and_batch_to_batch(images):
    results = list(data.crop_generator(itertools.repeat((images, None), 100), 5, 6, seed=1))
    found = [places(images, x) for x, _ in results]
    assert len({tuple(batch) for batch in found}) > 90
    tops, lefts = np.array(found).reshape(-1, 2).T
    # Every place comes, all about equally often, and rows tell nothing of columns.
    for values, n in ((tops, 5), (lefts, 7)):
        counts = np.bincount(values, minlength=n)
        assert len(counts) == n and np.all(np.abs(counts - 400 / n) < 5 * np.sqrt(400 / n))
    assert abs(np.corrcoef(tops, lefts)[0, 1]) < 0.2
    # Nor does a batch tell anything of the next.
    assert abs(np.corrcoef(lefts[:-4], tops[4:])[0, 1]) < 0.2


def test_a_seed_replays(images):
    def run(seed):
        return np.stack([x for x, _ in data.crop_generator(batches(images, 5), 5, 6, seed=seed)])

    np.testing.assert_array_equal(run(1), run(1))
    assert (run(1) != run(2)).any() and (run(None) != run(None)).any()


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float16", "float32"])
def test_the_dtype_stays(dtype):
    (x,) = data.crop_generator([np.ones((2, 5, 5, 1), dtype)], 3, 3)
    assert x.dtype == dtype and x.shape == (2, 3, 3, 1)


def test_batches_may_be_x_alone_have_weights_be_lists_and_be_tensors(images):
    weights = np.ones(4)
    tensor = keras.ops.convert_to_tensor(images)
    for batch in (images, (images,), [images, "y"], (images, ["any"], weights), (tensor, 1)):
        (result,) = data.crop_generator([batch], 5, 6, mode="center")
        if batch is images:
            result = (result,)
        assert isinstance(result, tuple) and isinstance(result[0], np.ndarray)
        np.testing.assert_array_equal(result[0], images[:, 2:7, 3:9])
        if isinstance(batch, (tuple, list)):
            assert all(part is given for part, given in zip(result[1:], batch[1:], strict=True))


def test_channels_first_and_clips(rng):
    x = rng.random((2, 3, 9, 12)).astype("float32")
    (crops,) = data.crop_generator([x], 5, 6, mode="center", data_format="channels_first")
    np.testing.assert_array_equal(crops, x[:, :, 2:7, 3:9])
    clip = rng.random((2, 4, 9, 12, 3)).astype("float32")
    (crops,) = data.crop_generator([clip], 5, 6, mode="center")
    np.testing.assert_array_equal(crops, clip[:, :, 2:7, 3:9])


def test_an_infinite_generator_is_read_only_as_far_as_asked(images):
    read = []
    source = (read.append(i) or images for i in itertools.count())
    list(itertools.islice(data.crop_generator(source, 5, 6), 3))
    assert read == [0, 1, 2]


def test_an_exhausted_generator_ends_and_errors_of_the_source_pass(images):
    assert list(data.crop_generator(iter(()), 5, 6)) == []

    def source():
        yield images
        raise OSError("the disk is gone")

    cropped = data.crop_generator(source(), 5, 6)
    assert next(cropped).shape == (4, 5, 6, 3)
    with pytest.raises(OSError, match="the disk is gone"):
        next(cropped)


def test_a_shape_error_names_the_batch(images):
    small = data.crop_generator([images, images[:, :4]], 5, 6)
    next(small)
    with pytest.raises(SizeError, match="^Batch 2: .* cannot cut height 5 out of images of height 4.* or 'keep'.$"):
        next(small)
    grey = np.zeros((32, 28, 28))
    for batch in (grey, (grey, 1), "images", (), (images, 1, 2, 3), {"images": grey}, [[1, 2], 3]):
        with pytest.raises(ShapeError, match="^Batch 1: "):
            next(data.crop_generator([batch], 5, 6))


REST = {  # what passes uncropped only if it is named, and how it is named
    "y": np.zeros((4, 9, 12), "int32"),
    "y/boxes": {"boxes": np.zeros((4, 2, 4)), "classes": np.zeros((4, 2))},
}


@pytest.mark.parametrize("name, rest", REST.items())
def test_labels_that_look_like_masks_or_boxes_pass_only_if_that_is_said(name, rest, images):
    for crops in (
        lambda **options: data.crop_generator([(images, rest)], 5, 6, **options),
        lambda **options: data.crop_dataset(tf_dataset((images, rest)).batch(2), 5, 6, **options),
        lambda **options: data.crop_dataset(tf_dataset((images, rest)), 5, 6, **options),
    ):
        with pytest.raises(ArgumentError, match=f"name '{name}' in `pass_through`"):
            next(iter(crops()))
        x, y = next(iter(crops(pass_through=[name])))
        assert x.shape[-3:] == (5, 6, 3)
        assert keras.tree.flatten(y)[0].shape[-2:] == keras.tree.flatten(rest)[0].shape[-2:]
    next(iter(data.crop_generator([(images, np.zeros((4, 9)), np.ones(4))], 5, 6)))


def tf_dataset(data):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(data)


def test_wrong_arguments_are_errors_at_once(images):
    for generator in (None, 3, images, "folder", keras.Input((8, 9, 3))):
        with pytest.raises(ArgumentError, match="`generator`"):
            data.crop_generator(generator, 5, 6)
    for arguments, error in (
        ({"height": 0}, SizeError), ({"width": 1.5}, SizeError), ({"mode": "centre"}, ArgumentError),
        ({"seed": -1}, ArgumentError), ({"data_format": "last"}, ArgumentError),
    ):
        with pytest.raises(error, match=f"`{next(iter(arguments))}`"):
            data.crop_generator([images], **{"height": 5, "width": 6, **arguments})


def test_fit_takes_a_cropped_generator(images):
    net, source = model(), ((images, np.ones((4, 1))) for _ in itertools.count())
    net.fit(data.crop_generator(source, 5, 6), steps_per_epoch=3, shuffle=False, verbose=0)
    assert net.optimizer.iterations == 3
    assert net.predict(data.crop_generator(((images,) for _ in range(2)), 5, 6), steps=2, verbose=0).shape == (8, 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_fit_knows_the_length_of_a_cropped_dataset_and_each_epoch_goes_on(images, workers):
    source, bare = (Batches(images, workers=workers) for _ in range(2))
    model().fit(bare, epochs=2, verbose=0)
    cropped = data.crop_generator(source, 5, 6, seed=1)
    assert isinstance(cropped, keras.utils.PyDataset) and len(cropped) == cropped.num_batches == 3
    first = [cropped[i][0] for i in range(3)]
    net = model()
    net.fit(cropped, epochs=2, verbose=0)
    assert net.optimizer.iterations == 6 and source.epochs == bare.epochs >= 2
    second = [cropped[i][0] for i in range(3)]
    for i in range(3):
        places(images + i, first[i])
        assert (first[i] != second[i]).any()


def test_a_cropped_dataset_replays_in_any_order(images):
    one, other = (data.crop_generator(Batches(images), 5, 6, seed=1) for _ in range(2))
    forwards = [one[i][0] for i in range(3)]
    backwards = [other[i][0] for i in (2, 1, 0)][::-1]
    np.testing.assert_array_equal(forwards, backwards)
    loops = [[x for x, _ in one] for _ in range(2)]
    assert len(loops[0]) == 3 and (np.array(loops[0]) != loops[1]).any()


def test_a_dataset_of_unknown_length_stays_so(images):
    class Endless(Batches):
        num_batches = None

    cropped = data.crop_generator(Endless(images), 5, 6)
    assert cropped.num_batches is None
    net = model()
    net.fit(cropped, steps_per_epoch=4, shuffle=False, verbose=0)
    assert net.optimizer.iterations == 4


def test_a_cropped_dataset_leaves_processes_to_its_source_and_can_be_pickled(images):
    cropped = data.crop_generator(Batches(images, workers=2, use_multiprocessing=True), 5, 6, mode="center")
    assert cropped.workers == 2 and not cropped.use_multiprocessing
    copy = pickle.loads(pickle.dumps(cropped))
    np.testing.assert_array_equal(copy[1][0], cropped[1][0])
    with pytest.raises(AttributeError, match="no_such"):
        _ = cropped.no_such


@pytest.mark.tensorflow
def test_image_data_generator_flows(images):
    import tensorflow as tf

    generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=2)
    flow = generator.flow(images, np.arange(4), batch_size=3, shuffle=False)
    cropped = data.crop_generator(flow, 5, 6, seed=1)
    assert len(cropped) == 2 and cropped.n == 4 and cropped.batch_size == 3
    x, y = cropped[1]
    np.testing.assert_array_equal(y, [3])
    places(2 * images[3:], x)
    for i, (x, y) in enumerate(itertools.islice(cropped, 5)):
        places(2 * images[y], x)
        assert len(y) == (3, 1)[i % 2]
    assert next(cropped)[0].shape[1:] == (5, 6, 3)
    net = model()
    net.fit(cropped, epochs=2, verbose=0)
    assert net.optimizer.iterations == 4
    flow.reset()
    centre = data.crop_generator(flow, 5, 6, mode="center")
    np.testing.assert_array_equal(centre[0][0], 2 * images[:3, 2:7, 3:9])
    assert model().predict(centre, verbose=0).shape == (4, 1)


def crops_of(dataset):
    return [keras.tree.map_structure(keras.ops.convert_to_numpy, element) for element in dataset]


def test_a_dataset_is_cropped_to_the_centre(images):
    import tensorflow as tf

    x = images.astype("uint8")
    dataset = tf.data.Dataset.from_tensor_slices((x, np.arange(4), np.ones(4, "float64")))
    for batched in (dataset, dataset.batch(3)):
        cropped = data.crop_dataset(batched, 5, 6, mode="center")
        assert cropped.cardinality() == batched.cardinality()
        for spec, given in zip(cropped.element_spec, batched.element_spec):
            assert spec.dtype == given.dtype and spec.shape.rank == given.shape.rank
        crops, labels, _ = (np.concatenate(parts) if batched is not dataset else np.stack(parts)
                            for parts in zip(*crops_of(cropped)))
        np.testing.assert_array_equal(crops, x[:, 2:7, 3:9])
        np.testing.assert_array_equal(labels, np.arange(4))


@pytest.mark.parametrize("batch_size", [None, 4])
def test_random_places_of_a_dataset_replay_with_a_seed_and_change_in_each_epoch(images, batch_size):
    import tensorflow as tf

    many = np.concatenate([images] * 16)
    dataset = tf.data.Dataset.from_tensor_slices(many)
    dataset = dataset if batch_size is None else dataset.batch(batch_size)

    def epochs(seed):
        cropped = data.crop_dataset(dataset, 5, 6, seed=seed, num_parallel_calls=4)
        return [np.reshape(crops_of(cropped), (64, 5, 6, 3)) for _ in range(2)]

    one, other = epochs(1), epochs(1)
    np.testing.assert_array_equal(one, other)
    first, second = (places(many, epoch) for epoch in one)
    assert first != second and first != places(many, epochs(2)[0])
    tops, lefts = np.array(first + second).T
    assert set(tops) == set(range(5)) and set(lefts) == set(range(7))
    assert abs(np.corrcoef(tops, lefts)[0, 1]) < 0.35
    repeated = data.crop_dataset(dataset, 5, 6, seed=1).repeat(2)
    halves = np.reshape(crops_of(repeated), (2, 64, 5, 6, 3))
    assert places(many, halves[0]) != places(many, halves[1])


def test_a_dataset_of_unknown_sizes_is_cropped_and_small_images_stop_it(rng):
    import tensorflow as tf

    given = [rng.integers(256, size=(h, w, 3), dtype="uint8") for h, w in ((9, 12), (6, 5), (5, 6), (4, 8))]
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(given), output_signature=tf.TensorSpec((None, None, 3), "uint8")
    )
    cropped = data.crop_dataset(dataset, 5, 5, mode="center")
    assert cropped.element_spec.shape == (5, 5, 3)
    results = crops_of(cropped.take(3))
    for x, crop in zip(given, results, strict=False):
        top, left = (x.shape[0] - 5) // 2, (x.shape[1] - 5) // 2
        np.testing.assert_array_equal(crop, x[top : top + 5, left : left + 5])
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot cut height 5"):
        crops_of(cropped)


def test_dataset_errors_come_at_once_in_plain_words(images):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(images)
    with pytest.raises(SizeError, match="^`[a-z_0-9]*` cannot cut height 10 out of images of height 9.* or 'keep'.$"):
        data.crop_dataset(dataset, 10, 6)
    with pytest.raises(ShapeError, match="Grey images"):
        data.crop_dataset(dataset.map(lambda x: x[..., 0]), 5, 6)
    labelled = tf.data.Dataset.from_tensor_slices((images[..., 0], [0, 1, 0, 1])).batch(4, drop_remainder=True)
    with pytest.raises(ShapeError, match="they are batches"):  # of four sequences
        data.crop_dataset(labelled.map(lambda x, y: (x[..., :3], y)), 2, 2)
    sizes = tf.data.Dataset.from_generator(lambda: iter(images), output_signature=tf.TensorSpec((None, None, 3)))
    with pytest.raises(ShapeError, match="before they are batched"):
        data.crop_dataset(sizes.ragged_batch(2), 5, 6)
    with pytest.raises(ShapeError, match="number of axes"):
        data.crop_dataset(dataset.map(lambda x: tf.numpy_function(lambda x: x, [x], tf.float32)), 5, 6)
    with pytest.raises(ArgumentError, match="`dataset` must be a tf.data.Dataset.*crop_generator"):
        data.crop_dataset([images], 5, 6)
    with pytest.raises(SizeError, match="`num_parallel_calls`"):
        data.crop_dataset(dataset, 5, 6, num_parallel_calls=0)
    with pytest.raises(ArgumentError, match="`mode`"):
        data.crop_dataset(dataset, 5, 6, mode="middle")


def test_fit_takes_a_cropped_dataset(images):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices((images, np.ones((4, 1)))).batch(2)
    net = model()
    net.fit(data.crop_dataset(dataset, 5, 6), epochs=2, shuffle=False, verbose=0)
    assert net.optimizer.iterations == 4
