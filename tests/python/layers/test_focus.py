"""`RandomCrop(focus=...)`: training crops that show what there is to see."""

import itertools

import numpy as np
import pytest
from keras import ops

from kerascrop import RandomCrop, RandomCrop1D, RandomCrop3D
from kerascrop.checks import ArgumentError

HEIGHT, WIDTH = 4, 5  # of the crops
ROWS, COLUMNS = 9, 10  # of the images
PLACES = np.array(list(itertools.product(range(ROWS - HEIGHT + 1), range(COLUMNS - WIDTH + 1))))
N = 4000


def images(n=N):
    return np.zeros((n, ROWS, COLUMNS, 1), "uint8")


def starts(layer, data):
    """The first row and column of each crop."""
    _, boxes = layer(data, training=True)
    rank = layer.rank
    return ops.convert_to_numpy(boxes)[:, :rank][:, ::-1]


def with_boxes(*boxes, labels=None, n=N):
    boxes = np.repeat(np.array([boxes], "float32"), n, axis=0)
    labels = {} if labels is None else {"labels": np.repeat(np.array([labels]), n, axis=0)}
    return {"images": images(n), "bounding_boxes": {"boxes": boxes, **labels}}


def with_mask(mask, n=N):
    return {"images": images(n), "segmentation_masks": np.repeat(mask[None], n, axis=0)}


def shown(box):
    """How much of a box each place shows, counted in hundredths of pixels."""
    x1, y1, x2, y2 = box
    tall = [np.clip(np.minimum(y2, top + HEIGHT) - np.maximum(y1, top), 0, None) for top in PLACES[:, 0]]
    wide = [np.clip(np.minimum(x2, left + WIDTH) - np.maximum(x1, left), 0, None) for left in PLACES[:, 1]]
    return np.array(tall) * np.array(wide) / ((x2 - x1) * (y2 - y1))


def assert_drawn_as(found, chances):
    """Places drawn as often as their chances say: a chi-squared test at about the 99.99 % quantile."""
    counts = np.array([(found == place).all(axis=1).sum() for place in PLACES])
    assert counts.sum() == len(found)
    assert (counts[chances == 0] == 0).all() and (chances > 0).sum() > 1
    expected = chances[chances > 0] / chances.sum() * len(found)
    freedom = len(expected) - 1
    assert ((counts[chances > 0] - expected) ** 2 / expected).sum() < freedom + 4.5 * np.sqrt(2 * freedom)


def uniform(flags):
    return flags / flags.sum()


@pytest.mark.parametrize(
    "box, least",
    [
        ((3, 2, 7, 5), 0.5),
        ((3, 2, 7, 5), 1.0),
        ((0, 0, 2, 2), 0.0),
        ((2.5, 1.25, 8.5, 6.25), 0.4),
        ((-3, 2, 3, 5), 0.1),
    ],
)
def test_all_places_that_show_enough_of_a_box_are_equally_likely(box, least):
    layer = RandomCrop(HEIGHT, WIDTH, seed=1, focus="boxes", min_visible=least, return_boxes=True)
    share = shown(box)
    assert_drawn_as(starts(layer, with_boxes(box)), uniform((share > 0) & (share >= least - 1e-5)))


def test_where_no_place_shows_enough_those_that_show_most():
    box = (1.5, 0, 8, 9)
    layer = RandomCrop(HEIGHT, WIDTH, seed=1, focus="boxes", min_visible=0.9, return_boxes=True)
    share = shown(box)
    assert share.max() < 0.9
    assert_drawn_as(starts(layer, with_boxes(box)), uniform(share > share.max() - 1e-5))


def test_a_box_is_drawn_first_and_padding_never():
    first, second, padding = (0, 0, 3, 3), (6, 5, 9, 8), (4, 0, 9, 3)
    layer = RandomCrop(HEIGHT, WIDTH, seed=2, focus="boxes", min_visible=1.0, return_boxes=True)
    chances = (uniform(shown(first) > 0.999) + uniform(shown(second) > 0.999)) / 2
    assert_drawn_as(starts(layer, with_boxes(first, padding, second, labels=[1, -1, 0])), chances)
    assert_drawn_as(starts(layer, with_boxes(first, (4, 4, 4, 6), second, (0, 0, 0, 0))), chances)  # empty ones


def test_images_without_boxes_are_cropped_anywhere():
    layer = RandomCrop(HEIGHT, WIDTH, seed=3, focus="boxes", min_visible=1.0, return_boxes=True)
    everywhere = uniform(np.ones(len(PLACES)))
    for data in (with_boxes((1, 1, 3, 3), labels=[-1]), with_boxes((2, 2, 2, 2)), with_boxes()):
        if data["bounding_boxes"]["boxes"].ndim == 2:
            data["bounding_boxes"]["boxes"] = np.zeros((N, 0, 4), "float32")
        assert_drawn_as(starts(layer, data), everywhere)


@pytest.mark.parametrize("pixel", [(4, 5), (0, 9), (8, 3)])
@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_crops_around_a_pixel_of_the_mask_are_as_many_as_asked_for(pixel, fraction):
    mask = np.zeros((ROWS, COLUMNS), "int32")
    mask[pixel] = 5
    layer = RandomCrop(3, 3, seed=1, focus="mask", positive_fraction=fraction, return_boxes=True)
    found = starts(layer, with_mask(mask))
    # A window of 3 around each pixel, moved inside: what every pixel gives, and how often.
    def window(row, column):
        return min(max(row - 1, 0), ROWS - 3), min(max(column - 1, 0), COLUMNS - 3)

    zeros = [window(*place) for place in np.ndindex(mask.shape) if place != pixel]
    expected = {place: (1 - fraction) * zeros.count(place) / len(zeros) for place in zeros}
    expected[window(*pixel)] = expected.get(window(*pixel), 0) + fraction
    counts = {place: (found == place).all(axis=1).sum() for place in expected}
    assert sum(counts.values()) == N
    for place, chance in expected.items():
        assert abs(counts[place] - N * chance) <= 4.5 * np.sqrt(N * chance * (1 - chance)) + 1e-6


@pytest.mark.parametrize("shape", [(N, ROWS, COLUMNS), (N, ROWS, COLUMNS, 2)])
def test_empty_masks_say_nothing(shape):
    data = {"images": images(), "segmentation_masks": np.zeros(shape, bool)}
    for focus in ("mask", "foreground"):
        found = starts(RandomCrop(HEIGHT, WIDTH, seed=1, focus=focus, return_boxes=True), data)
        if focus == "foreground":
            assert_drawn_as(found, uniform(np.ones(len(PLACES))))
        else:  # around any pixel: more often at the edges, but everywhere
            assert set(map(tuple, found)) == set(map(tuple, PLACES))


def blobs(rng, shape, largest):
    """Masks with a blob each, of any size up to the largest; and where each starts and stops, along all axes."""
    masks, edges = np.zeros(shape, "int32"), []
    for mask in masks:
        size = rng.integers(1, np.array(largest) + 1)
        start = rng.integers(0, np.array(shape[1:]) - size + 1)
        mask[tuple(slice(*edge) for edge in zip(start, start + size))] = 3
        edges.append((start, start + size))
    return masks, np.array(edges)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (lambda **kwargs: RandomCrop1D(7, **kwargs), (20,)),
        (lambda **kwargs: RandomCrop(7, 6, **kwargs), (15, 11)),
        (lambda **kwargs: RandomCrop3D(4, 7, 6, **kwargs), (9, 8, 10)),
    ],
)
def test_the_whole_foreground_or_box_is_inside_whenever_it_fits(layer, shape, rng):
    largest = {1: (7,), 2: (7, 6), 3: (4, 7, 6)}[len(shape)]
    masks, edges = blobs(rng, (200, *shape), largest)
    x = np.zeros((200, *shape, 1), "float32")
    sides = np.concatenate([edges[:, 0, ::-1], edges[:, 1, ::-1]], axis=1)[:, None].astype("float32")
    for focus, data in (
        ("foreground", {"segmentation_masks": masks}),
        ("boxes", {"bounding_boxes": {"boxes": sides, "labels": np.ones((200, 1), "int32")}}),
    ):
        crop = layer(seed=1, focus=focus, min_visible=1.0, return_boxes=True)
        found = starts(crop, {"images": x, **data})
        assert (found <= edges[:, 0]).all() and (found + largest >= edges[:, 1]).all()
        assert (found >= 0).all() and (found + largest <= shape).all()
        assert len(set(map(tuple, found))) > 5


def test_a_foreground_that_does_not_fit_is_shown_as_far_as_it_can_be():
    mask = np.zeros((ROWS, COLUMNS), "uint8")
    mask[1:8, 4:6] = 1  # seven rows, of which four fit
    layer = RandomCrop(HEIGHT, WIDTH, seed=1, focus="foreground", return_boxes=True)
    assert_drawn_as(starts(layer, with_mask(mask)), uniform(shown((4, 1, 6, 8)) > 8 / 14 - 1e-6))


@pytest.mark.parametrize("if_smaller", ["pad", "resize", "keep"])
@pytest.mark.parametrize("focus", ["boxes", "foreground", "mask"])
def test_images_that_are_too_small_show_it_too(if_smaller, focus):
    x = np.zeros((60, 6, 30, 1), "float32")
    x[:, 2:4, 21:24] = 1
    data = {
        "images": x,
        "segmentation_masks": (x[..., 0] > 0).astype("int32"),
        "bounding_boxes": {"boxes": np.array([[[21, 2, 24, 4]]] * 60, "float32")},
    }
    layer = RandomCrop(9, 9, seed=1, focus=focus, min_visible=1.0, if_smaller=if_smaller, return_boxes=True)
    crops, boxes = layer(data, training=True)
    x1, y1, x2, y2 = ops.convert_to_numpy(boxes).T
    if focus == "mask":  # around one of the pixels
        assert (x1 <= 23).all() and (x2 >= 22).all() and (y1 <= 3).all() and (y2 >= 3).all()
    else:
        assert (x1 <= 21 + 1e-4).all() and (x2 >= 24 - 1e-4).all() and (y1 <= 2 + 1e-4).all() and (y2 >= 4 - 1e-4).all()
    assert (x1 >= -1e-4).all() and (x2 <= 30 + 1e-4).all() and len(set(x1)) > 1
    assert (ops.convert_to_numpy(crops["images"]).max(axis=(1, 2, 3)) > 0.9).all()


def test_a_clip_has_one_place_that_shows_a_box_of_a_frame(rng):
    clips = np.zeros((300, 2, ROWS, COLUMNS, 1), "float32")
    boxes = np.array([[[[0, 0, 3, 3]], [[6, 5, 9, 8]]]] * 300, "float32")  # one box a frame
    layer = RandomCrop(HEIGHT, WIDTH, seed=1, focus="boxes", min_visible=1.0, return_boxes=True)
    labels = np.ones((300, 2, 1), "int32")
    found = starts(layer, {"images": clips, "bounding_boxes": {"boxes": boxes, "labels": labels}})
    first = (found <= 0).all(axis=1)
    second = ((found >= (8 - HEIGHT, 9 - WIDTH)) & (found <= (5, 6))).all(axis=1)
    assert (first | second).all() and 100 < first.sum() < 200
    masks = np.zeros((300, 2, ROWS, COLUMNS), "uint8")
    masks[:, 1, 7, 8] = 1
    layer = RandomCrop(HEIGHT, WIDTH, focus="foreground", return_boxes=True)
    found = starts(layer, {"images": clips, "segmentation_masks": masks})
    assert (found <= (7, 8)).all() and (found + (HEIGHT, WIDTH) > (7, 8)).all()


@pytest.mark.parametrize("focus", ["boxes", "mask", "foreground"])
def test_a_seed_replays_and_inference_takes_the_centre(focus):
    mask = np.zeros((ROWS, COLUMNS), "int32")
    mask[1:3, 1:4] = 1
    data = {**with_boxes((1, 1, 4, 3), n=50), **with_mask(mask, n=50)}
    layer = RandomCrop(HEIGHT, WIDTH, seed=4, focus=focus, positive_fraction=0.5, return_boxes=True)
    copy = RandomCrop.from_config(layer.get_config())
    draws = [starts(layer, data) for _ in range(2)]
    np.testing.assert_array_equal(draws, [starts(copy, data) for _ in range(2)])
    assert (draws[0] != draws[1]).any()
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(data)[1])[:, :2], [[2, 2]] * 50)


@pytest.mark.tensorflow
@pytest.mark.parametrize("focus", ["boxes", "mask", "foreground"])
@pytest.mark.parametrize("if_smaller", ["error", "pad", "keep", "resize"])
def test_in_graphs_of_unknown_size_and_under_xla(focus, if_smaller):
    import tensorflow as tf

    mask = np.zeros((ROWS, COLUMNS), "int32")
    mask[1:3, 1:4] = 1
    data = {**with_boxes((1, 1, 4, 3), n=50), **with_mask(mask, n=50)}

    def layer():
        return RandomCrop(HEIGHT, WIDTH, seed=4, focus=focus, if_smaller=if_smaller, min_visible=1.0, return_boxes=True)

    unknown = {
        "images": tf.TensorSpec((None, None, None, 1), "uint8"),
        "segmentation_masks": tf.TensorSpec((None, None, None), "int32"),
        "bounding_boxes": {"boxes": tf.TensorSpec((None, None, 4))},
    }
    expected = starts(layer(), data)
    for kind in ({"input_signature": [unknown]}, {"jit_compile": True}):
        crop = layer()
        graph = tf.function(lambda data: crop(data, training=True), **kind)
        first = graph(data)[1].numpy()[:, 1::-1]
        if "jit_compile" not in kind:  # XLA has random numbers of its own
            np.testing.assert_array_equal(first, expected)
        places = graph(data)[1].numpy()[:, 1::-1]
        assert (places != first).any()
        assert (places <= (2, 3)).all() and (places + (HEIGHT, WIDTH) > (1, 1)).all()


def test_what_it_needs_and_lacks_is_named():
    with pytest.raises(ArgumentError, match="needs `bounding_boxes` beside the images when `focus` is 'boxes'"):
        RandomCrop(2, 2, focus="boxes")(images(2), training=True)
    for focus in ("mask", "foreground"):
        with pytest.raises(ArgumentError, match=f"needs `segmentation_masks` beside .* `focus` is '{focus}'"):
            RandomCrop(2, 2, focus=focus)({"images": images(2)}, training=True)
        with pytest.raises(ArgumentError, match="`per_image` must be True"):
            RandomCrop(2, 2, focus=focus, per_image=False)
    with pytest.raises(ArgumentError, match="`focus` must be one of"):
        RandomCrop(2, 2, focus="faces")
    with pytest.raises(ArgumentError, match="`positive_fraction` must be a number from 0 to 1"):
        RandomCrop(2, 2, focus="mask", positive_fraction=2)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "int64"])
@pytest.mark.parametrize("if_smaller", ["error", "resize"])
def test_boxes_of_any_type_are_shown(dtype, if_smaller):
    boxes = np.array([[[2, 3, 4, 5]], [[6, 1, 9, 3]]], dtype)
    data = {
        "images": np.zeros((2, 9, 12, 1), "float32"),
        "bounding_boxes": {"boxes": boxes, "labels": np.ones((2, 1), "int64")},
        "keypoints": boxes[..., :2],
    }
    layer = RandomCrop(5, 6, focus="boxes", min_visible=1.0, seed=1, if_smaller=if_smaller)
    crops = layer(data, training=True)
    kept = ops.convert_to_numpy(crops["bounding_boxes"]["labels"])
    np.testing.assert_array_equal(kept, 1)  # seen wholly
