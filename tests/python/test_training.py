import keras
import numpy as np
import pytest
from keras import layers, ops

from conftest import BACKEND, gradient, jitted
from kerascrop import BoxIoU, BoxLoss, CropMonitor, LearnableCrop
from kerascrop.checks import ArgumentError, BoxError

NONE = [-1.0, -1, -1, -1]
PRECISION = 1e-6 if BACKEND == "torch" else 1e-9  # Keras's `maximum()` is float32 there


def iou(a, b):
    both = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    return both / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - both)


def distance_iou_loss(a, b):
    """Zheng et al. 2020, equation 7, for two boxes."""
    apart = np.sum(((a[:2] + a[2:]) / 2 - (b[:2] + b[2:]) / 2) ** 2)
    diagonal = np.sum((np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])) ** 2)
    return 1 - iou(a, b) + apart / diagonal


@pytest.fixture
def pairs(rng):
    """Boxes that overlap, hold each other, or lie apart."""
    corner = rng.uniform(0, 40, (2, 12, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(3, 20, (2, 12, 2))], axis=-1)
    boxes[:, 0] = [[0, 0, 4, 4], [10, 1, 14, 5.5]]
    boxes[:, 1] = [[0, 0, 9, 9], [2, 3, 5, 6]]
    return boxes[0], boxes[1]


def test_the_metric_agrees_with_areas_counted_by_hand():
    truth = [[0, 0, 2, 2], [0, 0, 4, 4], [0, 0, 2, 2], NONE, [0, np.nan, 2, 2]]
    predicted = [[1, 0, 3, 2], [0, 0, 2, 2], [5, 5, 6, 6], [0, 0, 9, 9], [0, 0, 2, 2]]
    metric = BoxIoU()
    assert float(metric.result()) == 0
    metric.update_state(truth, predicted)
    np.testing.assert_allclose(float(metric.result()), (2 / 6 + 4 / 16 + 0) / 3, rtol=1e-6)
    metric.update_state(truth[:1], truth[:1])
    np.testing.assert_allclose(float(metric.result()), (2 / 6 + 4 / 16 + 0 + 1) / 4, rtol=1e-6)
    metric.reset_state()
    metric.update_state(truth, predicted, sample_weight=[[3.0], [1], [0], [9], [9]])
    np.testing.assert_allclose(float(metric.result()), (3 * 2 / 6 + 4 / 16) / 4, rtol=1e-6)


def test_the_loss_agrees_with_its_formula(pairs):
    truth, predicted = pairs
    expected = [distance_iou_loss(a, b) for a, b in zip(predicted, truth)]
    each = BoxLoss(reduction="none", dtype="float64")
    np.testing.assert_allclose(ops.convert_to_numpy(each(truth, predicted)), expected, rtol=PRECISION)
    np.testing.assert_allclose(float(BoxLoss()(truth, predicted)), np.mean(expected), rtol=1e-5)
    np.testing.assert_allclose(float(each(truth[:1], truth[:1])[0]), 0, atol=1e-12)
    assert 1 < float(each(truth[:1], predicted[:1])[0]) < 2  # they do not meet


@pytest.mark.parametrize("missing", [NONE, [np.nan] * 4, [3, 4, 3, 9], [0, 0, np.inf, 5], [5, 5, 2, 2]])
def test_missing_boxes_do_not_count(pairs, missing):
    truth, predicted = pairs
    truth = truth.copy()
    truth[3:] = missing
    weight = np.arange(1.0, 13)
    expected = np.array([distance_iou_loss(a, b) for a, b in zip(predicted[:3], truth[:3])])
    np.testing.assert_allclose(float(BoxLoss()(truth, predicted)), expected.mean(), rtol=1e-5)
    np.testing.assert_allclose(float(BoxLoss("sum")(truth, predicted)), expected.sum(), rtol=1e-5)
    np.testing.assert_allclose(float(BoxLoss("sum_over_batch_size")(truth, predicted)), expected.sum() / 12, rtol=1e-5)
    weighted = BoxLoss()(truth, predicted, sample_weight=weight)
    np.testing.assert_allclose(float(weighted), (expected * weight[:3]).sum() / 6, rtol=1e-5)
    slopes = gradient(lambda boxes: BoxLoss()(truth, boxes), predicted.astype("float32"))
    assert np.isfinite(slopes).all() and (slopes[:3] != 0).all() and (slopes[3:] == 0).all()
    nothing = np.array([missing] * 2)
    assert float(BoxLoss()(nothing, predicted[:2])) == 0
    assert (gradient(lambda boxes: BoxLoss()(nothing, boxes), predicted[:2].astype("float32")) == 0).all()


def test_the_gradient_agrees_with_finite_differences_of_the_formula(pairs):
    truth, predicted = pairs
    analytic, step = gradient(jitted(lambda boxes: BoxLoss("sum", dtype="float64")(truth, boxes)), predicted), 1e-5
    for i, k in np.ndindex(predicted.shape):
        move = step * np.eye(4)[k]
        ends = [distance_iou_loss(predicted[i] + sign * move, truth[i]) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(analytic[i, k], slope, rtol=100 * PRECISION, atol=PRECISION)


def test_boxes_apart_and_boxes_inside_are_pulled_to_the_true_one():
    truth = np.array([[10.0, 10, 20, 20]] * 2, "float32")
    loss = jitted(lambda boxes: BoxLoss("sum")(truth, boxes))
    boxes = np.array([[30.0, 12, 36, 18], [8.0, 6, 24, 24]], "float32")
    for _ in range(100):
        boxes = boxes - 20 * gradient(loss, boxes)
    assert min(map(iou, boxes, truth)) > 0.6


def test_several_boxes_of_an_image(pairs):
    truth, predicted = (boxes.reshape(3, 4, 4) for boxes in pairs)
    expected = np.array([distance_iou_loss(a, b) for a, b in zip(pairs[1], pairs[0])]).reshape(3, 4).mean(axis=1)
    np.testing.assert_allclose(float(BoxLoss()(truth, predicted)), expected.mean(), rtol=1e-5)
    weighted = BoxLoss()(truth, predicted, sample_weight=[1.0, 0, 3])
    np.testing.assert_allclose(float(weighted), (expected[0] + 3 * expected[2]) / 4, rtol=1e-5)


@pytest.mark.parametrize("compare", [BoxLoss(), BoxIoU().update_state])
@pytest.mark.parametrize("truth, predicted", [((8,), (8, 10)), ((8, 4), (8, 10)), ((8, 4), (8, 2, 4)), ((4,), (4,))])
def test_what_is_no_boxes_is_an_error(compare, truth, predicted):
    with pytest.raises(BoxError, match="compares boxes"):
        compare(np.zeros(truth), np.zeros(predicted))


def make_model(classes=3, **arguments):
    keras.utils.set_random_seed(1)
    images = keras.Input((32, 40, 1))
    layer = LearnableCrop(12, 12, return_boxes=True, name="crop", **arguments)
    crops, boxes = layer(layers.Rescaling(2.0)(images))
    return keras.Model(images, [layers.Dense(classes, name="label")(layers.Flatten()(crops)), boxes])


def small_localizer():
    pool, dense = layers.AveragePooling2D(8), layers.Dense(2, "sigmoid")
    return keras.Sequential([keras.Input((32, 40, 1)), pool, layers.Flatten(), dense])


@pytest.fixture
def data(rng):
    """Bright squares on a dark ground."""
    images = rng.uniform(0, 0.1, (24, 32, 40, 1)).astype("float32")
    corners = rng.integers(0, 20, (24, 2))
    for image, (x, y) in zip(images, corners):
        image[y : y + 12, x : x + 12] += 0.9
    boxes = np.concatenate([corners, corners + 12], axis=1).astype("float32")
    return images, rng.integers(3, size=24), boxes


LABELS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.mark.parametrize("policy, how", [("float32", {"run_eagerly": True}), ("mixed_float16", {"jit_compile": True})])
def test_loss_and_metric_train_a_model_beside_the_class_loss(data, policy, how, tmp_path):
    if BACKEND == "torch" and policy != "float32":
        pytest.skip("PyTorch on a CPU has no XLA, and no convolutions in float16")
    images, labels, boxes = data
    truth = boxes.copy()
    truth[::2] = np.nan
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = make_model(size="square", localizer="global")
    finally:
        keras.config.set_dtype_policy(before)
    model.compile("adam", [LABELS, BoxLoss()], metrics=[["accuracy"], [BoxIoU()]], **how)
    model.fit(images, [labels, truth], epochs=2, batch_size=8, verbose=0)
    got = model.evaluate(images, [labels, truth], batch_size=24, return_dict=True, verbose=0)
    predicted = ops.convert_to_numpy(model(images)[1])
    pairs = list(zip(predicted[1::2], truth[1::2]))
    np.testing.assert_allclose(got["crop_loss"], np.mean([distance_iou_loss(*pair) for pair in pairs]), rtol=1e-3)
    np.testing.assert_allclose(got["crop_box_iou"], np.mean([iou(*pair) for pair in pairs]), rtol=1e-3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    scores = again.evaluate(images, [labels, truth], batch_size=24, return_dict=True, verbose=0)
    assert scores == pytest.approx(got, rel=1e-3)


def test_true_boxes_alone_teach_the_localizer(data):
    images, labels, boxes = data
    model = make_model(size="square", min_size=4)
    rate = keras.optimizers.schedules.CosineDecay(0.003, 180)  # to its end: at a constant rate the boxes keep moving
    model.compile(keras.optimizers.Adam(rate), [None, BoxLoss()], metrics=[[], [BoxIoU()]], jit_compile=False)
    model.fit(images, [labels, boxes], epochs=60, batch_size=8, verbose=0)
    assert model.evaluate(images, [labels, boxes], return_dict=True, verbose=0)["crop_box_iou"] > 0.75


def test_boxes_in_any_order_are_paired_the_nearest_first(rng):
    truth = rng.uniform(0, 60, (6, 4, 2))
    truth = np.concatenate([truth, truth + rng.uniform(4, 20, truth.shape)], axis=-1)
    predicted = rng.permuted(truth + rng.normal(0, 3, truth.shape), axis=1)  # any corners: also boxes far from all
    predicted[..., 2:] = np.maximum(predicted[..., 2:], predicted[..., :2] + 1)
    truth[1, 2] = truth[4, :3] = np.nan
    losses, ious = [], []
    for trues, others in zip(truth, predicted):
        left = {(i, j) for i in range(4) for j in range(4) if np.isfinite(trues[i]).all()}
        while left:
            i, j = min(left, key=lambda pair: distance_iou_loss(others[pair[1]], trues[pair[0]]))
            losses.append(distance_iou_loss(others[j], trues[i]))
            ious.append(iou(others[j], trues[i]))
            left = {(a, b) for a, b in left if a != i and b != j}
    np.testing.assert_allclose(float(BoxLoss(match=True)(truth, predicted)), np.mean(losses), rtol=1e-5)
    metric = BoxIoU(match=True)
    metric.update_state(truth, predicted)
    np.testing.assert_allclose(float(metric.result()), np.mean(ious), rtol=1e-5)
    assert BoxLoss.from_config(BoxLoss(match=True).get_config()).match
    assert BoxIoU.from_config(metric.get_config()).match


def test_boxes_overrule_what_stands_out(rng):
    """Two dark squares stand out far more than the object; none of the gradients of a box leads from them to it."""
    images = rng.normal(size=(64, 64, 64, 1)).astype("float32")
    corners = rng.integers(0, 57, size=(64, 3, 2))
    for image, ((row, column), *decoys) in zip(images, corners):
        for y, x in decoys:
            image[y : y + 8, x : x + 8] -= 2
        image[row : row + 8, column : column + 8] += 1.5
    boxes = np.concatenate([corners[:, 0, ::-1], corners[:, 0, ::-1] + 8], axis=1).astype("float32")
    inputs = keras.Input((64, 64, 1))
    model = keras.Model(inputs, LearnableCrop(8, 8, return_boxes=True, seed=1)(inputs)[1])

    def found():
        predicted = ops.convert_to_numpy(model(images))
        return (np.abs(predicted - boxes).max(axis=1) < 4).mean()

    model.compile(keras.optimizers.Adam(3e-3), BoxLoss(), metrics=[BoxIoU()], jit_compile=False)
    assert found() < 0.2
    losses = model.fit(images, boxes, batch_size=16, epochs=20, verbose=0).history["loss"]
    assert found() > 0.9 and losses[-1] < 2  # the value is that of the boxes alone, not the map's cross-entropy


def test_the_monitor_tells_where_the_layer_looks(data):
    images, labels, boxes = data
    truth = boxes[:6].copy()
    truth[2] = np.nan
    model = make_model(localizer=small_localizer())
    model.compile("sgd", [LABELS, None], jit_compile=False)
    monitor = CropMonitor(images[:6], truth)
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(ops.convert_to_numpy(self.model(images[:6])[1]))

    seen.append(ops.convert_to_numpy(model(images[:6])[1]))
    model.fit(images, [labels, boxes], epochs=2, batch_size=8, verbose=0, callbacks=[Look(), monitor])
    np.testing.assert_allclose(monitor.seen, 2 * images[:6], atol=1e-6)  # as the layer gets them
    np.testing.assert_allclose(monitor.boxes, seen, atol=1e-3)
    for epoch, (record, found) in enumerate(zip(monitor.history, seen, strict=True)):
        centres = (found[:, :2] + found[:, 2:]) / 2 / [40, 32]
        expected = {
            "epoch": epoch,
            "spread": centres.std(axis=0).max(),
            "width": 12,
            "height": 12,
            "iou": np.mean([iou(found[i], truth[i]) for i in (0, 1, 3, 4, 5)]),
        }
        assert record == pytest.approx(expected, rel=1e-3)
    assert not monitor.remarks
    model.fit(images, [labels, boxes], epochs=4, initial_epoch=3, batch_size=8, verbose=0, callbacks=[monitor])
    assert [record["epoch"] for record in monitor.history] == [3, 4]


class Early(keras.Model):
    def __init__(self):
        super().__init__()
        self.make()

    def make(self):
        self.crop = LearnableCrop(4, 5)
        self.flat, self.head = keras.layers.Flatten(), keras.layers.Dense(1)

    def call(self, inputs):
        return self.head(self.flat(self.crop(inputs)))


class Late(Early):
    def __init__(self):
        keras.Model.__init__(self)

    def build(self, input_shape):
        self.make()
        self.built = True


@pytest.mark.parametrize("kind", [Early, Late, lambda: keras.Sequential([LearnableCrop(4, 5)])])
def test_the_monitor_takes_a_model_that_is_not_built_yet(kind, images):
    monitor = CropMonitor(images[:2])
    model = kind()
    model.compile("sgd", "mse")
    y = np.zeros((4, 4, 5, 3) if isinstance(model, keras.Sequential) else (4, 1))
    model.fit(images / 1000, y, verbose=0, callbacks=[monitor])
    np.testing.assert_array_equal(monitor.seen, images[:2])
    assert [record["epoch"] for record in monitor.history] == [0, 1]


def test_the_monitor_changes_nothing_in_training(data):
    images, labels, boxes = data
    weights = []
    for monitors in ([], [CropMonitor(images[:4])]):
        model = make_model()
        model.compile("adam", [LABELS, BoxLoss()], metrics=[["accuracy"], []], run_eagerly=True)
        history = model.fit(images, [labels, boxes], epochs=2, batch_size=12, verbose=0, callbacks=monitors).history
        weights.append((model.get_weights(), history))
    assert [weights[0][1][key] == pytest.approx(weights[1][1][key]) for key in weights[0][1]] == [True] * 4
    for without, with_monitor in zip(weights[0][0], weights[1][0], strict=True):
        np.testing.assert_allclose(with_monitor, without, rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "numbers, size, message",
    [
        ([[0.5, 0.5]] * 8, "fixed", "at the same place"),
        ([[0.0, y] for y in np.linspace(0.1, 0.9, 8)], "fixed", "image's edge"),
        ([[y, y, 0.0] for y in np.linspace(0.1, 0.9, 8)], "square", "smallest size. Is `min_size` right"),
        ([[y, 0.5, 1.0] for y in np.linspace(0.1, 0.9, 8)], "square", "largest size. Is `max_size` right"),
        ([[y, y, 0.5, 1.0] for y in np.linspace(0.1, 0.9, 8)], "free", "largest size"),
        ([[np.nan, 0.5]] * 8, "fixed", "not numbers any more"),
        ([[y, y] for y in np.linspace(0.1, 0.9, 8)], "fixed", None),
        ([[y, 1 - y, y] for y in np.linspace(0.1, 0.9, 8)], "square", None),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_monitor_warns_once_of_crops_that_collapse(numbers, size, message, data_format):
    """A model whose features are the place, so that it is known."""
    numbers = np.array(numbers, "float32")
    images = np.zeros((8, 30, 40, 3), "float32")
    images = images if data_format == "channels_last" else np.moveaxis(images, 3, 1)
    inputs = [keras.Input(images.shape[1:]), keras.Input(numbers.shape[1:])]
    localizer = keras.Sequential([keras.Input(numbers.shape[1:]), layers.Identity()])
    crops = LearnableCrop(10, 10, size=size, localizer=localizer, data_format=data_format)(inputs)
    model = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(crops)))
    model.compile("sgd", "mse", run_eagerly=True)
    monitor = CropMonitor([images, numbers], layer=model.layers[2].name)

    def train():
        model.fit([images, numbers], np.zeros((8, 1)), epochs=2, verbose=0, callbacks=[monitor])

    if message is None:
        return train()
    with pytest.warns(UserWarning, match=message) as caught:
        train()
    assert len(caught) == len(monitor.remarks) == 1 and monitor.seen.shape == (8, 30, 40, 3)


def test_a_monitor_that_does_not_fit_is_an_error(data):
    images, labels, boxes = data
    with pytest.raises(BoxError, match=r"one for each image, \(24, 4\), or.*not \(6, 4\)"):
        CropMonitor(images, boxes[:6])
    plain = keras.Sequential([keras.Input((32, 40, 1)), layers.Flatten(), layers.Dense(3)])
    plain.compile("sgd", LABELS)
    with pytest.raises(ArgumentError, match="must name one LearnableCrop of the model, which has none"):
        plain.fit(images, labels, verbose=0, callbacks=[CropMonitor(images)])
    model = make_model(localizer="global")
    model.compile("sgd", [LABELS, None])
    with pytest.raises(ArgumentError, match="which has 'crop'"):
        model.fit(images, [labels, boxes], verbose=0, callbacks=[CropMonitor(images, layer="crops")])
