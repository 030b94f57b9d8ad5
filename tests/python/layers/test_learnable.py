import keras
import numpy as np
import pytest
from conftest import gradient
from keras import layers, ops

from kerascrop import LearnableCrop
from kerascrop.checks import ArgumentError, ShapeError, SizeError
from kerascrop.data import cluttered_digits

MODES = pytest.mark.parametrize("size", ["fixed", "square", "free"])


def locate(layer, images):
    return ops.convert_to_numpy(layer.locate(images))


@pytest.fixture
def scenes(rng):
    return rng.uniform(size=(6, 40, 60, 3)).astype("float32")


@MODES
@pytest.mark.parametrize("localizer", [None, "global"])
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_boxes_lie_inside_for_any_weights(size, localizer, scale, scenes, rng):
    layer = LearnableCrop(16, 24, size=size, localizer=localizer)
    layer(scenes)
    for _ in range(5):
        for variable in layer.trainable_variables:
            variable.assign(rng.normal(size=variable.shape) * scale)
        x1, y1, x2, y2 = locate(layer, scenes).T
        assert min(x1.min(), y1.min()) >= -1e-4 and x2.max() <= 60 + 1e-4 and y2.max() <= 40 + 1e-4
        width, height = x2 - x1, y2 - y1
        if size == "fixed":
            np.testing.assert_allclose([width, height], [[24] * 6, [16] * 6], rtol=1e-5)
        elif size == "square":
            np.testing.assert_allclose(width, height, rtol=1e-4)
            assert width.min() >= 12 - 1e-3 and width.max() <= 40 + 1e-3
        else:
            assert width.min() >= 12 - 1e-3 and height.min() >= 8 - 1e-3


@pytest.mark.parametrize(
    "arguments, low, high",
    [
        ({}, 12, 40),
        ({"min_size": 10, "max_size": 30}, 10, 30),
        ({"min_size": 0.25, "max_size": 0.5}, 10, 20),
        ({"min_size": 20, "max_size": 1}, 20, 40),
        ({"min_size": 20, "max_size": 20}, 20, 20),
    ],
)
def test_bounds_in_pixels_and_as_fractions(arguments, low, high, scenes):
    layer = LearnableCrop(24, 24, size="square", localizer="global", **arguments)
    layer(scenes)
    for logit, expected in ((-50, low), (50, high), (0, np.sqrt(low * high))):
        layer.set_weights([np.array([0.0, 0.0, logit])])
        x1, _, x2, _ = locate(layer, scenes)[0]
        np.testing.assert_allclose(x2 - x1, expected, rtol=1e-4)


@MODES
@pytest.mark.parametrize("training", [False, True])
def test_gradients_reach_every_weight_of_the_localizer(size, training, scenes, rng):
    layer = LearnableCrop(16, 16, size=size)
    head = keras.Sequential([keras.Input((40, 60, 3)), layer, layers.Flatten(), layers.Dense(3)])
    head.compile(keras.optimizers.SGD(0.1), "mse")
    before = [w.copy() for w in layer.get_weights()]
    if not training:
        return
    head.fit(scenes, rng.normal(size=(6, 3)), epochs=1, verbose=0)
    trained = {id(v) for v in layer.trainable_variables}
    for variable, old in zip(layer.weights, before):
        if id(variable) in trained and not variable.path.endswith("bias"):
            assert np.isfinite(ops.convert_to_numpy(variable.value)).all()
            assert (ops.convert_to_numpy(variable.value) != old).any(), variable.path


def test_a_global_box_finds_a_target_from_its_pixels_alone():
    y, x = np.mgrid[:40, :60]
    blob = np.exp(-((x - 41.5) ** 2 + (y - 12.5) ** 2) / 200)[None, ..., None].astype("float32")
    target = blob[:, 3:23, 32:52]
    layer = LearnableCrop(20, 20, localizer="global")
    model = keras.Sequential([keras.Input((40, 60, 1)), layer])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    model.fit(np.repeat(blob, 8, 0), np.repeat(target, 8, 0), batch_size=1, epochs=40, verbose=0)
    np.testing.assert_allclose(locate(layer, blob)[0], [32, 3, 52, 23], atol=0.3)


def test_it_finds_a_pattern_from_the_class_label_alone():
    """Stripes that run one way or the other, somewhere on a dark canvas with spots."""
    rng = np.random.default_rng(1)
    images, labels = np.zeros((1500, 32, 32, 1), "float32"), rng.integers(2, size=1500)
    corners = rng.integers(0, 21, size=(1500, 2))
    stripes = np.tile(np.array([1, 1, 0, 0], "float32"), 3) * np.ones((12, 1), "float32")
    for image, label, (row, column) in zip(images, labels, corners):
        for spot in rng.integers(0, 30, size=(4, 2)):
            image[spot[0] : spot[0] + 3, spot[1] : spot[1] + 3] = 1
        image[row : row + 12, column : column + 12, 0] = stripes if label else stripes.T
    keras.utils.set_random_seed(0)
    layer = LearnableCrop(12, 12)
    model = keras.Sequential(
        [keras.Input((32, 32, 1)), layer, layers.Conv2D(16, 3, activation="relu"), layers.Flatten(), layers.Dense(2)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"], jit_compile=False)
    model.fit(images[:1200], labels[:1200], batch_size=32, epochs=6, verbose=0)
    assert model.evaluate(images[1200:], labels[1200:], verbose=0)[1] > 0.9
    off = locate(layer, images[1200:])[:, 1::-1] - corners[1200:]
    assert np.hypot(*off.T).mean() < 4  # the centre of the canvas would be 11 off


def test_the_same_crops_in_training_once_the_map_is_sharp_but_for_the_jitter(monkeypatch):
    from kerascrop.layers import learnable

    monkeypatch.setattr(learnable, "SHIFT", 0.0)
    monkeypatch.setattr(learnable, "ZOOM", 0.0)
    digits = cluttered_digits(8, seed=1)
    layer = LearnableCrop(24, 24, return_boxes=True)
    layer(digits.x)
    layer.focus.assign(1e6)
    crops, boxes = layer(digits.x, training=True)
    exact = LearnableCrop(24, 24).sample(ops.convert_to_tensor(digits.x), boxes)
    np.testing.assert_allclose(ops.convert_to_numpy(crops), ops.convert_to_numpy(exact), atol=1e-5)


def test_turned_images_that_give_the_turned_place_cost_nothing():
    from kerascrop.layers.learnable import _disagreement

    centre, size = np.array([[0.2, 0.7]], "float32"), np.array([[0.3, 0.3]], "float32")
    assert float(_disagreement(centre, 1 - centre, size)) < 1e-6
    assert float(_disagreement(centre, centre, size)) > 0.3


def test_snap_gives_exact_slices_at_inference(scenes):
    layer = LearnableCrop(16, 24, snap=True, return_boxes=True)
    crops, boxes = (ops.convert_to_numpy(part) for part in layer(scenes))
    np.testing.assert_array_equal(boxes, np.round(boxes))
    for scene, crop, (x1, y1, x2, y2) in zip(scenes, crops, boxes.astype(int)):
        np.testing.assert_array_equal(crop, scene[y1:y2, x1:x2])


def test_a_localizer_of_ones_own_sees_the_images_or_the_features(scenes):
    def localizer(shape):
        return keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(2, "sigmoid")])

    boxes = locate(LearnableCrop(16, 24, localizer=localizer((40, 60, 3))), scenes)
    assert len(set(boxes[:, 0])) == 6
    features = np.zeros((6, 5), "float32")
    crops, boxes = LearnableCrop(16, 24, localizer=localizer((5,)), return_boxes=True)([scenes, features])
    assert crops.shape == (6, 16, 24, 3)
    np.testing.assert_allclose(ops.convert_to_numpy(boxes), [[18, 12, 42, 28]] * 6, atol=1e-4)


def test_a_localizer_of_ones_own_is_saved_with_the_layer(scenes, tmp_path):
    own = keras.Sequential([keras.Input((40, 60, 3)), layers.Flatten(), layers.Dense(3, "sigmoid")])
    model = keras.Sequential([keras.Input((40, 60, 3)), LearnableCrop(16, 16, size="square", localizer=own)])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(scenes, verbose=0), model.predict(scenes, verbose=0), atol=1e-6)


def test_the_gradient_to_a_localizers_numbers_agrees_with_finite_differences():
    y, x = np.mgrid[:40, :60]
    images = np.sin(x / 9 + y / 7)[None, ..., None].astype("float32")
    layer = LearnableCrop(5, 6, size="free", localizer=layers.Identity(), min_size=7)
    layer.built = True

    def loss(numbers):
        return ops.sum(layer.sample(ops.convert_to_tensor(images), layer.locate(images, numbers)) ** 2)

    numbers = np.array([[0.31, 0.62, 0.23, 0.41]], "float32")
    analytic = gradient(loss, numbers)
    for k in range(4):
        step = np.zeros((1, 4), "float32")
        step[0, k] = 1e-2
        ends = [float(loss(ops.convert_to_tensor(numbers + s))) for s in (step, -step)]
        np.testing.assert_allclose(analytic[0, k], (ends[0] - ends[1]) / 2e-2, rtol=0.02)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"size": "square", "min_size": 30, "max_size": 20}, "`min_size` must be at most `max_size`, but they are 30 and 20"),
        ({"size": "square", "max_size": 41}, "cannot cut (width|height) 41"),
        ({"size": "free", "max_size": 61}, "cannot cut (width|height) 61"),
        ({"height": 41}, "cannot cut height 41 out of images of height 40"),
    ],
)
def test_sizes_that_do_not_fit_are_errors_when_the_shape_is_known(arguments, message):
    layer = LearnableCrop(**{"height": 16, "width": 16, **arguments})
    with pytest.raises(SizeError, match=message):
        layer(keras.Input((40, 60, 3)))


def test_wrong_arguments_are_errors(scenes):
    with pytest.raises(ArgumentError, match="`size` must be one of 'fixed', 'square', 'free', not 'round'"):
        LearnableCrop(8, 8, size="round")
    with pytest.raises(SizeError, match="`min_size` must be a number of pixels"):
        LearnableCrop(8, 8, size="free", min_size=-1)
    with pytest.raises(ArgumentError, match="`localizer` must be None, 'global' or a Keras layer"):
        LearnableCrop(8, 8, localizer="local")
    with pytest.raises(ArgumentError, match="goes with a `localizer` of your own"):
        LearnableCrop(8, 8)([scenes, scenes])
    four = keras.Sequential([keras.Input((40, 60, 3)), layers.Flatten(), layers.Dense(4)])
    with pytest.raises(ShapeError, match="`localizer` must return 3 numbers for each image with size='square'"):
        LearnableCrop(8, 8, size="square", localizer=four)(scenes)
