"""Predictions for several crops of an image, joined: the truth is NumPy's."""

import keras
import numpy as np
import pytest
from keras import ops

from conftest import BACKEND, gradient
from kerascrop import CropPool, MultiCrop
from kerascrop.checks import ArgumentError, ShapeError, SizeError

HOW = pytest.mark.parametrize("how", ["mean", "max", "attention"])


def run(layer, inputs):
    return keras.tree.map_structure(ops.convert_to_numpy, layer(inputs))


def some(rng, *rest):
    """Predictions for five crops of each of three images, and weights, one of which is 0."""
    predictions, weights = rng.normal(size=(3, 5, *(rest or (4,)))), rng.uniform(0.1, 2, size=(3, 5))
    weights[1, 2] = 0
    return predictions.astype("float32"), weights.astype("float32")


def scores(layer, predictions):
    """What equation 9 of Ilse et al. takes the softmax of."""
    v, u, w = (ops.convert_to_numpy(weight).astype("float64") for weight in (layer.v, layer.u, layer.w))
    return (np.tanh(predictions @ v) / (1 + np.exp(-predictions @ u)) @ w)[..., 0]


def expected(layer, predictions, weights=None):
    """What comes of the predictions, and the weights that are used, by their definitions."""
    predictions = predictions.astype("float64")
    weights = np.ones(predictions.shape[:2]) if weights is None else weights.astype("float64")
    if layer.how == "max":
        return np.stack([image[counts != 0].max(axis=0) for image, counts in zip(predictions, weights)]), weights
    if layer.how == "attention":
        weights = weights * np.exp(scores(layer, predictions))
    means = [np.average(image, axis=0, weights=its) for image, its in zip(predictions, weights)]
    return np.stack(means), weights / weights.sum(axis=1, keepdims=True)


@HOW
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("rest", [(4,), (6, 7, 2)])
def test_they_are_joined_as_numpy_does(how, weighted, rest, rng):
    if how == "attention" and len(rest) > 1:
        pytest.skip("takes features")
    parts = some(rng, *rest)[: 1 + weighted]
    layer = CropPool(how, units=8, return_weights=how != "max")
    found = run(layer, list(parts) if weighted else parts[0])
    found = found if layer.return_weights else (found,)
    for one, other in zip(found, expected(layer, *parts)):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    shapes = layer.compute_output_shape([part.shape for part in parts] if weighted else parts[0].shape)
    assert shapes == (found[0].shape if how == "max" else (found[0].shape, (3, 5)))


@HOW
def test_if_all_weights_of_an_image_are_0_it_is_as_if_there_were_none(how, rng):
    predictions, weights = some(rng)
    layer, weights[2] = CropPool(how), 0
    np.testing.assert_allclose(run(layer, [predictions, weights])[2], run(layer, predictions)[2], rtol=1e-6)


@HOW
@pytest.mark.parametrize("scale", [1e-30, 1e36])
def test_only_the_ratio_of_weights_counts(how, scale, rng):
    predictions, weights = some(rng)
    layer = CropPool(how)
    found = run(layer, [predictions, (weights * scale).astype("float32")])
    np.testing.assert_allclose(found, run(layer, [predictions, weights]), rtol=1e-4, atol=1e-5)


def test_scores_that_exp_does_not_hold():
    predictions = np.array([[[9, 1], [9, 2], [-9, 3]]], "float32")
    layer = CropPool("attention", units=1)
    layer.build(predictions.shape)
    layer.set_weights([np.array([[1], [0]]), np.array([[0], [0]]), np.array([[1000]])])  # scores about 500 and -500
    for weights, answer in (([1, 1, 1], [9, 1.5]), ([1, 0, 1], [9, 1]), ([0, 0, 1], [-9, 3])):
        parts = [predictions, np.array([weights], "float32")]
        np.testing.assert_allclose(run(layer, parts), [answer], rtol=1e-4)
        slope = gradient(lambda x: ops.sum(layer([predictions, x])), parts[1])
        assert np.isfinite(slope).all()


@pytest.mark.parametrize("how", ["mean", "attention"])
@pytest.mark.parametrize("part", [0, 1])
def test_gradients_are_those_of_numpys_finite_differences(how, part, rng):
    parts = [array.astype("float64") for array in some(rng)]
    layer = CropPool(how, units=6, dtype="float64")
    layer.build([array.shape for array in parts])
    factors = rng.normal(size=(3, 4))

    def with_part(x):
        return [x if i == part else array for i, array in enumerate(parts)]

    analytic = gradient(lambda x: ops.sum(layer(with_part(x)) * ops.convert_to_tensor(factors)), parts[part])
    numeric = np.zeros_like(parts[part])
    for index in np.ndindex(numeric.shape):
        step = np.zeros_like(numeric)
        step[index] = 1e-5  # a weight of 0 becomes negative, which is no error in NumPy
        ends = [(expected(layer, *with_part(parts[part] + s))[0] * factors).sum() for s in (step, -step)]
        numeric[index] = (ends[0] - ends[1]) / 2e-5
    np.testing.assert_allclose(analytic, numeric, rtol=1e-5, atol=1e-8)


def test_labels_alone_teach_which_crop_shows_the_object():
    predictions = ops.convert_to_tensor(np.array([[[0.5, 0.5], [0.1, 0.9], [0.5, 0.5]]], "float32"))
    logits = np.zeros((1, 3), "float32")

    def loss(x):
        return -ops.log(CropPool()([predictions, ops.softmax(x)])[0, 1])

    for _ in range(20):
        logits -= gradient(loss, logits)
    assert ops.convert_to_numpy(ops.softmax(logits))[0, 1] > 0.8  # it was 1 / 3


@HOW
@pytest.mark.parametrize("dtype", ["float16", "mixed_float16", "bfloat16"])
def test_half_precision_is_added_up_in_single(how, dtype):
    weights = np.linspace(1, 2, 3000, dtype="float32")[None]
    predictions = np.full((1, 3000, 2), 60, "float32")
    layer = CropPool(how, dtype=dtype)
    half = ops.cast(ops.convert_to_tensor(predictions), layer.compute_dtype)
    for inputs in (half, [half, weights], [predictions, ops.cast(weights, "float16")]):
        found = layer(inputs)
        assert keras.backend.standardize_dtype(found.dtype) == layer.compute_dtype
        np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(found, "float32")), 60, rtol=1e-3)


def test_whole_numbers_come_as_the_layers_type():
    votes = np.array([[[3], [4]]], "uint8")
    for how, answer in (("mean", 3.5), ("max", 4)):
        found = run(CropPool(how), [votes, np.array([[True, True]])])
        assert found.dtype == np.float32 and found.tolist() == [[answer]]


@HOW
@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_a_compiled_model_that_is_saved(how, jit_compile, rng, tmp_path):
    if BACKEND == "torch" and jit_compile:
        pytest.skip("PyTorch is not compiled here")
    parts = list(some(rng))
    symbols = [keras.Input((None, 4)), keras.Input((None,))]  # any number of crops
    layer = CropPool(how, units=6, return_weights=how != "max")
    outputs = keras.tree.flatten(layer(symbols))
    assert [each.shape for each in outputs] == [(None, 4), (None, None)][: len(outputs)]
    model = keras.Model(symbols, outputs)
    model.compile("sgd", "mse", jit_compile=jit_compile)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, again):
        for one, other in zip(keras.tree.flatten(each.predict(parts, verbose=0)), expected(layer, *parts)):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_config_round_trip_and_name():
    layer = CropPool("attention", 7, True, name="joined")
    assert CropPool.from_config(layer.get_config()).get_config() == layer.get_config()
    assert {"how": "attention", "units": 7, "return_weights": True}.items() <= layer.get_config().items()
    assert "data_format" not in layer.get_config()
    assert CropPool().name.startswith("kerascrop_crop_pool")


@pytest.mark.tensorflow
@HOW
def test_sizes_that_are_known_only_when_a_graph_runs(how, rng):
    import tensorflow as tf

    parts, layer = some(rng), CropPool(how)
    graph = tf.function(
        lambda *parts: layer(list(parts)), [tf.TensorSpec((None, None, 4)), tf.TensorSpec((None, None))]
    )
    np.testing.assert_allclose(graph(*parts), expected(layer, *parts)[0], rtol=1e-4, atol=1e-6)
    graph = tf.function(layer, [tf.TensorSpec((None, None, 4))])
    np.testing.assert_allclose(graph(parts[0]), expected(layer, parts[0])[0], rtol=1e-4, atol=1e-6)


@HOW
def test_inside_tf_data(how, rng):
    tf = pytest.importorskip("tensorflow")
    parts, layer = some(rng), CropPool(how, return_weights=how != "max")
    run(layer, list(parts))
    data = tf.data.Dataset.from_tensor_slices(parts).batch(2).map(lambda *parts: layer(list(parts)))
    batches = [keras.tree.flatten(batch) for batch in data]
    for found, answer in zip(zip(*batches), expected(layer, *parts)):
        np.testing.assert_allclose(np.concatenate(found), answer, rtol=1e-4, atol=1e-6)


@HOW
def test_a_network_on_the_crops_of_a_grid_trains(how, images):
    x = keras.Input((9, 12, 3))
    network = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2, "tanh")])
    crops = MultiCrop(3, 4, "grid")(x)
    model = keras.Model(x, CropPool(how, units=3)(keras.layers.TimeDistributed(network)(crops)))
    assert model.output_shape == (None, 2)
    model.compile("sgd", "mse", jit_compile=BACKEND != "torch")
    before = model.get_weights()
    model.fit(images / images.max(), np.ones((4, 2)), verbose=0)
    assert all(np.isfinite(now).all() and (now != old).any() for now, old in zip(model.get_weights(), before))


def test_an_empty_batch_gives_an_empty_batch():
    for how in ("mean", "max", "attention"):
        assert CropPool(how)(np.zeros((0, 5, 4), "float32")).shape == (0, 4)


def test_wrong_arguments_are_errors():
    with pytest.raises(ArgumentError, match="`how` must be one of 'mean', 'max', 'attention', not 'median'"):
        CropPool("median")
    for units in (0, 1.5, "8"):
        with pytest.raises(SizeError, match="`units` must be a whole number, at least 1"):
            CropPool("attention", units)
    with pytest.raises(ArgumentError, match="`return_weights` must be True or False"):
        CropPool(return_weights=1)
    with pytest.raises(ArgumentError, match="`return_weights` goes with .* a maximum has no weights"):
        CropPool("max", return_weights=True)


@HOW
def test_wrong_inputs_are_errors(how, rng):
    layer, (predictions, weights) = CropPool(how, name="pool"), some(rng)
    for single in (predictions[:, 0], keras.Input((4,)), predictions[:, :0]):
        with pytest.raises(ShapeError, match=r"of each of several crops.*`LearnableCrop` with `crops`, `MultiCrop`"):
            layer(single)
    for wrong in (weights[:, 1:], weights[:2], weights[0], weights[..., None]):
        with pytest.raises(ShapeError, match=r"with predictions \(3, 5, 4\), weights \(3, 5\), not \("):
            layer([predictions, wrong])
    for wrong in ([predictions, weights, weights], {"predictions": predictions}):
        with pytest.raises(ArgumentError, match=r"takes predictions, or a list of two.* got a (list of 3|dict of 1)"):
            layer(wrong)
    with pytest.raises(ArgumentError, match="takes arrays and tensors; for predictions it got 'yes'"):
        layer("yes")
    with pytest.raises(ArgumentError, match="`weights` must not be negative: the smallest is -0.5"):
        layer([predictions, np.where(weights == 0, np.float32(-0.5), weights)])
    for complex_one in (predictions.astype("complex64"), keras.Input((5, 4), dtype="complex64")):
        with pytest.raises(ArgumentError, match="`predictions` must be real numbers, not complex64"):
            layer(complex_one)


def test_attention_takes_features():
    for shape in ((5, 6, 6, 2), (5, None)):
        with pytest.raises(ShapeError, match=r"takes features for how='attention'.* Flatten those of each crop"):
            CropPool("attention")(keras.Input(shape))
    assert CropPool("attention")(keras.Input((None, 3))).shape == (None, 3)
