import keras
import numpy as np
import pytest
from keras import ops

from kerascrop import BoxCrop, RandomResizedCrop
from kerascrop.checks import ArgumentError, SizeError

N = 4000


def boxes(layer, shape, training=True):
    _, found = layer(np.zeros(shape, "uint8"), training=training)
    return ops.convert_to_numpy(found).astype("float64")


def torchvision_rule(rng, n, height, width, scale, ratio):
    """Sizes and places as torchvision's RandomResizedCrop.get_params() draws them, here without its rounding."""
    drawn = np.full((n, 4), np.nan)
    for box in drawn:
        for _ in range(10):
            area = height * width * rng.uniform(*scale)
            aspect = np.exp(rng.uniform(*np.log(ratio)))
            w, h = np.sqrt(area * aspect), np.sqrt(area / aspect)
            if w <= width and h <= height:
                x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
                box[:] = x, y, x + w, y + h
                break
    return drawn[~np.isnan(drawn[:, 0])]


def features(found):
    """What is compared: area, aspect, and the place of the centre."""
    x1, y1, x2, y2 = found.T
    return {"area": (x2 - x1) * (y2 - y1), "aspect": (x2 - x1) / (y2 - y1), "x": x1 + x2, "y": y1 + y2}


def distance(first, second):
    """Kolmogorov and Smirnov's: how far two distribution functions are apart at most."""
    grid = np.concatenate([first, second])
    return np.abs(np.searchsorted(np.sort(first), grid, "right") / len(first)
                  - np.searchsorted(np.sort(second), grid, "right") / len(second)).max()


@pytest.mark.parametrize(
    "height, width, scale, ratio",
    [(60, 60, (0.08, 1.0), (3 / 4, 4 / 3)), (40, 90, (0.2, 0.6), (0.5, 2.0)), (90, 40, (0.05, 0.1), (1.0, 1.0))],
)
def test_boxes_are_drawn_as_torchvision_does(height, width, scale, ratio):
    found = boxes(RandomResizedCrop(8, 8, scale, ratio, seed=1, return_boxes=True), (N, height, width, 1))
    x1, y1, x2, y2 = found.T
    assert min(x1.min(), y1.min()) >= -1e-3 and x2.max() <= width + 1e-3 and y2.max() <= height + 1e-3
    got = features(found)
    assert got["area"].min() >= scale[0] * height * width - 0.1 and got["area"].max() <= scale[1] * height * width + 0.1
    assert got["aspect"].min() >= ratio[0] - 1e-3 and got["aspect"].max() <= ratio[1] + 1e-3
    wanted = features(torchvision_rule(np.random.default_rng(2), N, height, width, scale, ratio))
    for name in got:
        if np.ptp(wanted[name]) < 1e-6:
            continue
        sizes = len(got[name]), len(wanted[name])
        # 2.2 is beyond the 99.99 % quantile
        assert distance(got[name], wanted[name]) < 2.2 * np.sqrt(sum(sizes) / np.prod(sizes)), name


def test_where_no_box_fits_it_is_the_largest_of_the_crops_aspect():
    """All of the area and another aspect do not go together."""
    found = boxes(RandomResizedCrop(8, 16, (1.0, 1.0), (3.0, 3.0), seed=1, return_boxes=True), (50, 40, 40, 1))
    np.testing.assert_allclose(found[:, 2:] - found[:, :2], [[40, 20]] * 50, rtol=1e-5)
    assert len(set(found[:, 1])) > 10  # at a random place


@pytest.mark.parametrize(
    "size, expected",
    [
        ((8, 8), [20, 0, 70, 50]),
        ((5, 9), [0, 0, 90, 50]),
        ((8, 4), [32.5, 0, 57.5, 50]),
        ((4, 16), [0, 13.75, 90, 36.25]),
    ],
)
def test_inference_takes_the_largest_box_in_the_middle(size, expected):
    found = boxes(RandomResizedCrop(*size, return_boxes=True), (3, 50, 90, 1), training=False)
    np.testing.assert_allclose(found, [expected] * 3, atol=1e-4)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_crop_is_what_the_box_shows(images, data_format):
    x = images if data_format == "channels_last" else images.transpose(0, 3, 1, 2)
    for antialias in (True, False):
        arguments = {"antialias": antialias, "data_format": data_format, "return_boxes": True}
        crops, found = RandomResizedCrop(6, 5, seed=1, **arguments)(x, training=True)
        assert len(set(map(tuple, ops.convert_to_numpy(found)))) == 4
        expected, _ = BoxCrop(6, 5, **arguments)([x, found])
        np.testing.assert_allclose(ops.convert_to_numpy(crops), ops.convert_to_numpy(expected), rtol=1e-6)


def test_per_batch_all_images_share_a_box_and_a_seed_replays():
    layer = RandomResizedCrop(8, 8, per_image=False, seed=3, return_boxes=True)
    first, second = (boxes(layer, (10, 30, 30, 1)) for _ in range(2))
    assert len(set(map(tuple, first))) == 1 and (first != second).any()
    for original in (RandomResizedCrop(8, 8, seed=3, return_boxes=True), RandomResizedCrop(8, 8, return_boxes=True)):
        copy = RandomResizedCrop.from_config(original.get_config())
        for _ in range(2):
            np.testing.assert_array_equal(boxes(original, (10, 30, 30, 1)), boxes(copy, (10, 30, 30, 1)))


def test_masks_stay_labels_and_lie_where_the_image_does(rng):
    masks = rng.choice([0, 3, 250], size=(6, 40, 40)).repeat(4, 1)[:, :40].repeat(4, 2)[..., :40].astype("uint8")
    data = {"images": masks[..., None].astype("float32"), "segmentation_masks": masks}
    crops = RandomResizedCrop(64, 64, (0.2, 0.4), seed=1, antialias=False)(data, training=True)
    seen = ops.convert_to_numpy(crops["segmentation_masks"])
    image = ops.convert_to_numpy(crops["images"])[..., 0]
    assert seen.dtype == np.uint8 and set(np.unique(seen)) <= {0, 3, 250}
    inside = np.isin(image, [0, 3, 250])  # where all neighbours are alike, image and mask show the same
    assert inside.mean() > 0.4
    np.testing.assert_array_equal(seen[inside], image[inside])


@pytest.mark.tensorflow
def test_unknown_sizes_and_xla():
    import tensorflow as tf

    x = np.zeros((200, 50, 90, 1), "float32")
    for kind in ({"input_signature": [tf.TensorSpec((None, None, None, 1))]}, {"jit_compile": True}):
        layer = RandomResizedCrop(8, 8, (0.1, 0.5), seed=1, return_boxes=True)
        graph = tf.function(lambda images: layer(images, training=True)[1], **kind)
        first, second = graph(x).numpy(), graph(x).numpy()
        assert (first != second).any() and (first >= -1e-3).all() and (first <= [90, 50, 90, 50]).all()
        area = features(first)["area"]
        assert area.min() >= 450 - 1 and area.max() <= 2250 + 1 and np.ptp(area) > 1000


def test_fit_draws_and_predict_does_not(images):
    x = keras.Input((9, 12, 3))
    model = keras.Model(x, RandomResizedCrop(4, 5, seed=1)(x))
    np.testing.assert_array_equal(model.predict(images, verbose=0), model.predict(images, verbose=0))
    draws = [ops.convert_to_numpy(model(images, training=True)) for _ in range(2)]
    assert (draws[0] != draws[1]).any()


def test_wrong_arguments_are_errors():
    for name in ("scale", "ratio"):
        for value in ((0.9, 0.5), (0, 0.5), (-1, 1), 0.5, (0.1, 0.2, 0.3)):
            with pytest.raises(ArgumentError, match=f"`{name}` must be two positive numbers, the smaller one first"):
                RandomResizedCrop(8, 8, **{name: value})
    with pytest.raises(ArgumentError, match="at most 1"):
        RandomResizedCrop(8, 8, scale=(0.5, 1.5))
    with pytest.raises(SizeError, match="`width`"):
        RandomResizedCrop(8, 0)
    with pytest.raises(ArgumentError, match="`seed`"):
        RandomResizedCrop(8, 8, seed=-1)
