import keras
import numpy as np
import pytest
from keras import layers, ops

from conftest import gradient
from kerascrop import BoxCrop, LearnableCrop
from kerascrop.checks import ArgumentError, ShapeError, SizeError
from kerascrop.digits import cluttered_digits

MODES = pytest.mark.parametrize("size", ["fixed", "square", "free"])


def locate(layer, images):
    return ops.convert_to_numpy(layer.locate(images))


@MODES
@pytest.mark.parametrize("localizer", [None, "global"])
@pytest.mark.parametrize("resize", [True, False])
def test_boxes_lie_inside_for_any_weights(size, localizer, resize, scenes, rng):
    layer = LearnableCrop(16, 24, size=size, localizer=localizer, resize=resize)
    layer(scenes)
    for scale in (1.0, 1.0, 100.0, 100.0, 1e4, 1e4):
        for variable in layer.trainable_variables:
            variable.assign(rng.normal(size=variable.shape) * scale)
        x1, y1, x2, y2 = locate(layer, scenes).T
        assert min(x1.min(), y1.min()) >= -1e-4 and x2.max() <= 60 + 1e-4 and y2.max() <= 40 + 1e-4
        width, height = x2 - x1, y2 - y1
        if size == "fixed":
            np.testing.assert_allclose([width, height], [[24] * 6, [16] * 6], rtol=1e-5)
        elif size == "square":
            np.testing.assert_allclose(width, height, rtol=1e-4)
            assert width.min() >= (12 if resize else 8) - 1e-3 and width.max() <= (40 if resize else 16) + 1e-3
        else:
            assert width.min() >= 12 - 1e-3 and height.min() >= 8 - 1e-3
            assert resize or (width.max() <= 24 + 1e-3 and height.max() <= 16 + 1e-3)


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
def test_training_moves_every_weight_of_the_localizer(size, scenes, rng):
    layer = LearnableCrop(16, 16, size=size)
    model = keras.Sequential([keras.Input((40, 60, 3)), layer, layers.Flatten(), layers.Dense(3)])
    model.compile(keras.optimizers.Adam(1e-3), "mse", run_eagerly=True)  # a graph takes longer
    before = [ops.convert_to_numpy(variable.value).copy() for variable in layer.trainable_variables]
    # The networks' last layers start at zero, so the first step moves these, the second all others.
    model.fit(scenes, rng.normal(size=(6, 3)), epochs=2, verbose=0)
    for variable, old in zip(layer.trainable_variables, before):
        new = ops.convert_to_numpy(variable.value)
        assert np.isfinite(new).all() and (new != old).any(), variable.path


def test_in_training_boxes_are_moved_as_far_to_one_side_as_to_the_other():
    """Also where a canvas lets no box be larger."""
    digits = cluttered_digits(200, seed=1)
    layer = LearnableCrop(16, 16, resize=False, return_boxes=True)
    boxes = ops.convert_to_numpy(layer(digits.x)[1])
    moved = ops.convert_to_numpy(layer(digits.x, training=True)[1])
    still = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = ((still > 12) & (still < 52)).all(axis=1)
    off = ((moved[:, :2] + moved[:, 2:]) / 2 - still)[inside]
    assert (np.abs(off.mean(axis=0)) < 0.2).all() and off.std() > 0.4
    assert (moved[:, 2:] - moved[:, :2]).max() <= 16 + 1e-4


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "localizer, arguments",  # a network's graph takes seconds, and the bounds are the same for each
    [
        (None, {}),
        (None, {"size": "square", "max_size": 0.5}),
        ("global", {}),
        ("global", {"size": "free", "min_size": 0.25}),
        ("global", {"size": "square", "max_size": 0.5}),
        ("global", {"size": "square"}),
        ("global", {"size": "free", "resize": False}),
        ("global", {"size": "square", "resize": False, "max_size": 0.3}),
    ],
)
def test_images_of_unknown_size_give_the_boxes_of_known_ones(scenes, localizer, arguments):
    import tensorflow as tf

    layer = LearnableCrop(16, 16, localizer=localizer, **arguments)
    unknown = tf.function(layer.locate, input_signature=[tf.TensorSpec((None, None, None, 3))])
    boxes = unknown(scenes).numpy()
    np.testing.assert_allclose(boxes, locate(layer, scenes), atol=1e-3)
    if not arguments:
        with pytest.raises(tf.errors.InvalidArgumentError, match="cannot cut height 16"):
            unknown(scenes[:, :10])
    if arguments.get("max_size") is None and "size" in arguments:
        layer = LearnableCrop(16, 16, localizer=localizer, size=arguments["size"], max_size=30)
        unknown = tf.function(layer.locate, input_signature=[tf.TensorSpec((None, None, None, 3))])
        assert unknown(scenes).shape == (6, 4)
        with pytest.raises(tf.errors.InvalidArgumentError, match="cannot cut height 30"):
            unknown(scenes[:, :20])


def test_a_localizer_that_leaves_its_range_stays_inside(scenes):
    layer = LearnableCrop(16, 24, localizer=layers.Identity(), return_boxes=True)
    layer.built = True
    boxes = ops.convert_to_numpy(layer.locate(scenes[:2], np.array([[3.0, -2.0], [-1.0, 9.0]], "float32")))
    np.testing.assert_allclose(boxes, [[36, 0, 60, 16], [0, 24, 24, 40]])


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


@MODES
def test_training_moves_and_scales_the_boxes_by_a_few_per_cent(size):
    digits = cluttered_digits(300, seed=1)
    layer = LearnableCrop(24, 24, size=size, return_boxes=True)
    still = ops.convert_to_numpy(layer(digits.x)[1])
    moved = ops.convert_to_numpy(layer(digits.x, training=True)[1])
    assert (moved >= -1e-4).all() and (moved <= 64 + 1e-4).all()
    side = still[:, 2] - still[:, 0]
    zoom = np.log((moved[:, 2] - moved[:, 0]) / side)
    # Sizes that are learned are made wrong, and not corrected yet.
    most, off = (0.151, 0.081) if size == "fixed" else (0.551, 0.081 * np.exp(0.4) + 0.1)
    assert np.abs(zoom).max() <= most and zoom.min() < -0.6 * most and zoom.max() > 0.6 * most
    shift = (moved[:, :2] + moved[:, 2:] - still[:, :2] - still[:, 2:]) / 2 / side[:, None]
    # Training uses the batch's own statistics; the network's part of the map is still zero.
    assert np.abs(shift).max() <= off + most / 2  # the place, and what a larger box is pushed inside by


@pytest.mark.tensorflow
def test_noise_on_places_does_not_tell_sizes_to_shrink(scenes, monkeypatch):
    """It is in boxes, but a place has no gradient that would make it less."""
    layer, images = LearnableCrop(16, 16, size="square"), ops.convert_to_tensor(scenes)
    layer(scenes)

    def doubled_middles(numbers):
        monkeypatch.setattr(layer.localizer, "correct_twice", lambda *_: (numbers, ops.zeros(6)))
        boxes = layer.choose({"images": images}, training=True).boxes
        return ops.sum(boxes[:, :2] + boxes[:, 2:])

    found = gradient(doubled_middles, np.array([[0.5, 0.5, 0.2]] * 6, "float32"))
    np.testing.assert_allclose(found, [[2 * 60, 2 * 40, 0]] * 6, atol=1e-4)


def test_in_training_a_crop_is_the_mean_of_two_by_their_shares(scenes):
    layer = LearnableCrop(16, 16, size="square")
    layer(scenes)
    choice = layer.choose({"images": ops.convert_to_tensor(scenes)}, training=True)
    crops = ops.convert_to_numpy(choice.cut(ops.convert_to_tensor(scenes)))
    boxes, shares = (ops.convert_to_numpy(part) for part in (choice.candidates.boxes, choice.weights))
    assert ((0 < shares) & (shares < 1)).all() and (np.abs(boxes[:, 0] - boxes[:, 1]).max(axis=1) > 1).any()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    first, second = (ops.convert_to_numpy(BoxCrop(16, 16, antialias=True)([scenes, boxes[:, k]])) for k in (0, 1))
    first_share, second_share = shares.T[..., None, None, None]
    np.testing.assert_allclose(crops, first_share * first + second_share * second, atol=1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(choice.boxes), boxes[:, 0])


def test_turned_images_cost_when_they_do_not_give_the_turned_place(scenes):
    layer = LearnableCrop(16, 16)
    layer(scenes, training=True)
    before, alone = layer.losses
    assert 0 <= float(before) < 1e-4
    # No cell of 10 by 15 is preferred; a Gaussian of 0.2 boxes, 0.8 cells, is taught: its entropy, but for the edges.
    np.testing.assert_allclose(float(alone), np.log(150) - np.log(2 * np.pi * np.e * 0.8**2), rtol=3e-2)
    kernel = np.random.default_rng(0).normal(size=layer.localizer.score.kernel.shape)
    layer.localizer.score.kernel.assign(kernel)
    layer(scenes, training=True)
    after, _ = layer.losses
    assert 0.01 < float(after) < 1
    layer(scenes)
    assert not layer.losses


@pytest.mark.parametrize("size", [(16, 24), (15, 25)])
@pytest.mark.parametrize("localizer", [None, "global"])
def test_snap_gives_exact_slices_at_inference(scenes, size, localizer):
    layer = LearnableCrop(*size, localizer=localizer, snap=True, return_boxes=True)
    crops, boxes = (ops.convert_to_numpy(part) for part in layer(scenes))
    np.testing.assert_array_equal(boxes, np.round(boxes))
    np.testing.assert_array_equal(locate(layer, scenes), boxes)
    for scene, crop, (x1, y1, x2, y2) in zip(scenes, crops, boxes.astype(int)):
        np.testing.assert_array_equal(crop, scene[y1:y2, x1:x2])


def test_snap_leaves_training_its_gradient(scenes):
    layer = LearnableCrop(16, 24, localizer="global", snap=True)
    model = keras.Sequential([keras.Input((40, 60, 3)), layer])
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    model.fit(scenes, np.zeros((6, 16, 24, 3)), verbose=0)
    assert (ops.convert_to_numpy(layer.localizer.logits.value) != 0).all()


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
    np.testing.assert_allclose(ops.convert_to_numpy(again(scenes)), ops.convert_to_numpy(model(scenes)), atol=1e-6)


@pytest.mark.parametrize("resize", [True, False])
def test_the_gradient_to_a_localizers_numbers_agrees_with_finite_differences(rng, resize):
    y, x = np.mgrid[:40, :60] / 60
    images = (x + 3 * y)[None, ..., None].astype("float32")  # a ramp: bilinear sampling of it has no kinks
    crop = (5, 6) if resize else (32, 32)  # of 18.3 by 14.6 pixels
    weights = rng.normal(size=(1, *crop, 1)).astype("float32")
    layer = LearnableCrop(
        *crop, size="free", localizer=layers.Identity(), min_size=7, max_size=32, antialias=False, resize=resize
    )
    layer.built = True

    def loss(numbers):
        choice = layer.choose({"images": images, "features": numbers}, training=False)
        crops = choice.cut(ops.convert_to_tensor(images))
        return ops.sum(crops * ops.convert_to_tensor(weights))

    numbers = np.array([[0.31, 0.62, 0.23, 0.41]], "float32")
    analytic = gradient(loss, numbers)
    for k in range(4):
        step = np.zeros((1, 4), "float32")
        step[0, k] = 1e-3
        ends = [float(loss(ops.convert_to_tensor(numbers + s))) for s in (step, -step)]
        np.testing.assert_allclose(analytic[0, k], (ends[0] - ends[1]) / 2e-3, rtol=0.01, atol=0.02)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("resize", [True, False])
def test_mixed_precision_is_accurate_to_the_half_precision(scenes, policy, resize):
    arguments = {"size": "free", "localizer": "global", "resize": resize, "return_boxes": True}
    exact, boxes = LearnableCrop(16, 16, **arguments)(scenes)
    crops, same = LearnableCrop(16, 16, dtype=policy, **arguments)(scenes)
    assert keras.backend.standardize_dtype(crops.dtype) == policy[6:]
    np.testing.assert_allclose(ops.convert_to_numpy(same), ops.convert_to_numpy(boxes), atol=1e-3)
    crops = ops.convert_to_numpy(ops.cast(crops, "float32"))
    np.testing.assert_allclose(crops, ops.convert_to_numpy(exact), atol=0.02)


@pytest.mark.tensorflow
@pytest.mark.parametrize("localizer, resize", [(None, True), ("global", False)])
def test_xla_gives_the_same_crops(scenes, localizer, resize):
    import tensorflow as tf

    layer = LearnableCrop(16, 16, size="free", localizer=localizer, resize=resize, return_boxes=True)
    plain = [ops.convert_to_numpy(part) for part in layer(scenes)]
    for got, expected in zip(tf.function(layer, jit_compile=True)(scenes), plain):
        np.testing.assert_allclose(got.numpy(), expected, atol=5e-3)


def test_weights_that_are_no_numbers_give_boxes_that_are_none(scenes):
    layer = LearnableCrop(16, 16, return_boxes=True)
    layer(scenes)
    for variable in layer.trainable_variables:
        variable.assign(np.full(variable.shape, np.nan))
    crops, boxes = layer(scenes)
    assert np.isnan(ops.convert_to_numpy(boxes)).all() and np.isnan(ops.convert_to_numpy(crops)).all()


def test_a_localizer_beyond_its_range_is_warned_of_once(scenes):
    layer = LearnableCrop(8, 8, localizer=layers.Identity())
    layer.built = True
    with pytest.warns(UserWarning, match="numbers from 0 to 1, but it returns numbers from -3 to 0.5") as caught:
        for _ in range(2):
            layer([scenes[:2], np.array([[0.5, -3], [0, 0]], "float32")])
    assert len(caught) == 1


@pytest.mark.filterwarnings("error")
def test_any_kind_of_model_is_a_localizer(scenes):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten, self.dense = layers.Flatten(), layers.Dense(2, "sigmoid")

        def call(self, images):
            return self.dense(self.flatten(images))

    boxes = locate(LearnableCrop(16, 24, localizer=Own()), scenes)
    assert len(set(boxes[:, 0])) == 6
    lazy = keras.Sequential([layers.Flatten(), layers.Dense(3, "sigmoid")])
    with pytest.raises(ShapeError, match="`localizer` must return 2 numbers"):
        LearnableCrop(16, 24, localizer=lazy)(scenes)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"size": "square", "min_size": 30, "max_size": 20},
            "`min_size` must be at most `max_size`, but in .* they are 30 and 20 pixels",
        ),
        ({"size": "square", "max_size": 41}, "cannot cut (width|height) 41"),
        ({"size": "free", "max_size": 61}, "cannot cut (width|height) 61"),
        ({"height": 41}, "cannot cut height 41 out of images of height 40"),
        ({"size": "free", "min_size": 50}, "in images of height 40 they are 50 and 40 pixels|width"),
        ({"size": "square", "max_size": 20, "resize": False}, "cannot put crops of .* 20 on a canvas of .* 16"),
        ({"size": "free", "max_size": 0.5, "resize": False}, "crops of (width 30|height 20) on .* smaller `max_size`"),
        ({"size": "free", "min_size": 18, "resize": False}, "in images of .* they are 18 and 16 pixels"),
    ],
)
def test_sizes_that_do_not_fit_are_errors_when_the_shape_is_known(arguments, message):
    layer = LearnableCrop(**{"height": 16, "width": 16, **arguments})
    with pytest.raises(SizeError, match=message):
        layer(keras.Input((40, 60, 3)))


def test_sizes_that_never_fit_are_errors_for_images_of_unknown_size():
    with pytest.raises(SizeError, match="in any images they are 30 and 20 pixels"):
        LearnableCrop(8, 8, size="free", min_size=30, max_size=20)(keras.Input((None, None, 3)))
    with pytest.raises(SizeError, match="cannot put crops of (width|height) 20 on a canvas"):
        LearnableCrop(8, 8, size="free", max_size=20, resize=False)(keras.Input((None, None, 3)))


def test_wrong_arguments_are_errors(scenes):
    with pytest.raises(ArgumentError, match="`resize` must be True or False, not 1"):
        LearnableCrop(8, 8, resize=1)
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


def test_sizes_come_to_fit_their_objects_with_no_labels_at_all():
    """Squares of 12 to 40 pixels. At first sizes are guessed; then all that is asked is that corrections agree."""
    rng = np.random.default_rng(0)
    images, sides = rng.normal(size=(640, 64, 64, 1)).astype("float32"), rng.integers(12, 41, size=640)
    for image, side in zip(images, sides):
        row, column = rng.integers(65 - side, size=2)
        image[row : row + side, column : column + side] += 4
    keras.utils.set_random_seed(0)
    layer = LearnableCrop(24, 24, size="square", return_boxes=True)
    layer(images[:1])

    def disagreement():
        x1, _, x2, _ = locate(layer, images[512:]).T
        return np.log((x2 - x1) / sides[512:]).std()

    before = disagreement()
    model = keras.Sequential([keras.Input((64, 64, 1)), layer, layers.Lambda(lambda both: 0 * both[0])])
    rate = keras.optimizers.schedules.CosineDecay(2e-3, 256)
    model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
    model.fit(images[:512], np.zeros((512, 24, 24, 1)), batch_size=32, epochs=16, verbose=0)
    assert disagreement() < 0.6 * before  # 0.3 to 0.52 for eight seeds
