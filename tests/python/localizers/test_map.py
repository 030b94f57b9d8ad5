import numpy as np
import pytest
from keras import ops

from kerascrop.checks import SizeError
from kerascrop.localizers import Bounds, Glimpse, MapLocalizer
from kerascrop.localizers.view import look

CELL, LARGEST, MEMORY, SPREAD = MapLocalizer.CELL, Glimpse.LARGEST, MapLocalizer.MEMORY, MapLocalizer.SPREAD
MOVED, USUAL, WIDE, ZOOMED = MapLocalizer.MOVED, MapLocalizer.USUAL, MapLocalizer.WIDE, MapLocalizer.ZOOMED


def built(sizes, shape, view=256):
    localizer = MapLocalizer(view=view)
    localizer.serve(sizes)
    localizer.build(shape)
    return localizer


def first(localizer, images, limits):
    """The numbers of the first place of each image."""
    return ops.convert_to_numpy(localizer.locate(images, limits)[0])[:, 0]


def bounds(smallest=(0.2, 0.2), largest=None):
    """Width and height of the smallest and of the largest box, as fractions of the image."""
    return ops.convert_to_tensor(np.array([smallest, largest or smallest], "float32"))


WIDE_BOUNDS = bounds((0.2, 0.2), (0.8, 0.8))


@pytest.mark.parametrize(
    "shape, cells",
    [
        ((None, 64, 64, 1), (16, 16)),
        ((None, 28, 28, 1), (7, 7)),
        ((None, 30, 45, 3), (8, 11)),
        ((None, 512, 256, 4), (64, 32)),
        ((None, 3, 640, 3), (1, 64)),
        ((None, None, None, 3), (64, 64)),
    ],
)
def test_the_view_keeps_the_aspect_and_is_at_most_256_pixels(shape, cells):
    localizer = built(1, shape)
    assert localizer.grid.cells == cells
    images = np.ones((2, shape[1] or 50, shape[2] or 70, shape[3]), "float32")
    view = look(images, localizer.seen)
    assert view.shape == (2, CELL * cells[0], CELL * cells[1], shape[3])
    np.testing.assert_allclose(ops.convert_to_numpy(view), 1, rtol=1e-5)


def test_before_training_the_map_follows_what_is_rare(rng):
    """A grey square on a noisy ground is found to a cell's width, wherever it is, in whatever channel and units."""
    localizer = built(0, (None, 64, 48, 3))
    images = rng.normal(size=(12, 64, 48, 3)).astype("float32")
    corners = np.stack([rng.integers(0, 49, size=12), rng.integers(0, 33, size=12)], axis=1)
    for image, (row, column), channel in zip(images, corners, rng.integers(3, size=12)):
        image[row : row + 16, column : column + 16, channel] += 9
    for scaled in (images, 1000 * images + 300, -images):
        numbers = first(localizer, scaled.astype("float32"), bounds((0.3, 0.25)))
        assert numbers.shape == (12, 2)
        found = numbers[:, ::-1] * [64, 48]
        assert np.abs(found - corners - 8).max() < 6


def test_before_training_a_rare_colour_stands_out_more_than_a_bright_one(rng):
    """Half of the ground is far brighter than the other; a square of a colour of its own is between the two."""
    localizer = built(0, (None, 64, 64, 3))
    images = rng.normal(size=(12, 64, 64, 3)).astype("float32")
    images[:, :, 32:] += 30
    corners = rng.integers(0, 49, size=(12, 2))
    for image, (row, column) in zip(images, corners):
        image[row : row + 16, column : column + 16] = [30, 0, 15]
    found = 64 * first(localizer, images, bounds())[:, ::-1]
    assert np.abs(found - corners - 8).max() < 6


def test_of_two_squares_each_is_found_and_the_place_is_not_between_them(rng):
    """The one that stands out more is the place, the other the second candidate, with the smaller share."""
    localizer = built(0, (None, 64, 96, 1))
    images = rng.normal(size=(4, 64, 96, 1)).astype("float32")
    images[:2, 8:24, 12:28] += 9.3
    images[2:, 8:24, 12:28] += 8.7
    images[:, 40:56, 64:80] += 9
    found = localizer.find(images, bounds((0.17, 0.25)))
    places = ops.convert_to_numpy(ops.stack([found.predicted, found.second], axis=1)) * [96, 64]
    truth = np.array([[20, 16], [72, 48]])
    assert np.abs(places[:2] - truth).max() < 4 and np.abs(places[2:] - truth[::-1]).max() < 4
    mean, share = ops.convert_to_numpy(found.mean) * [96, 64], ops.convert_to_numpy(found.weight)
    assert (share > 0.5).all() and (share < 1).all()
    assert (mean[:, 0] > 22).all() and (mean[:, 0] < 70).all()


@pytest.mark.parametrize("sizes", [0, 1])
def test_the_network_is_taught_the_place_that_is_found(sizes, rng):
    """Its loss is the divergence of its own map, at first the same everywhere, from a Gaussian at the place."""
    localizer, limits = built(sizes, (None, 64, 96, 1)), bounds((0.25, 0.375))  # 24 pixels
    images = rng.normal(size=(2, 64, 96, 1)).astype("float32")
    images[0, 20:44, 10:34] += 9
    images[1, 5:29, 60:84] += 9
    found = localizer.find(images, limits)
    x, y = ops.convert_to_numpy(found.predicted)[:, :2].T * [[96], [64]]
    columns, rows = 4 * np.arange(24) + 2, 4 * np.arange(16) + 2
    far = np.square(columns - x[:, None])[:, None] + np.square(rows - y[:, None])[:, :, None]
    taught = np.exp(-far / 2 / np.square(SPREAD * 24))
    taught /= taught.sum(axis=(1, 2), keepdims=True)
    expected = np.log(16 * 24) + (taught * np.log(taught + 1e-30)).sum(axis=(1, 2))
    np.testing.assert_allclose(ops.convert_to_numpy(found.divergence), expected, rtol=1e-4)


@pytest.mark.parametrize("sizes", [1, 2])
def test_before_training_larger_objects_get_larger_boxes(sizes, rng):
    localizer = built(sizes, (None, 96, 96, 1))
    images, sides = rng.normal(size=(4, 96, 96, 1)).astype("float32"), [16, 24, 32, 48]
    for image, side in zip(images, sides):
        image[40 - side // 2 : 40 + side // 2, 50 - side // 2 : 50 + side // 2] += 5
    shares = first(localizer, images, bounds((0.125, 0.125), (1, 1)))[:, 2:]
    found = 96 * 0.125 ** (1 - shares)
    assert (np.diff(found, axis=0) > 2).all() and (np.abs(np.log(found.T / sides)) < 0.5).all()


def test_sizes_start_near_those_that_were_found_before(rng):
    """Squares, the middle one of which is as large as those before."""
    localizer, limits = built(2, (None, 96, 96, 1)), bounds((0.125, 0.125), (1, 1))
    images = rng.normal(size=(3, 96, 96, 1)).astype("float32")
    for image, side in zip(images, (12, 24, 48)):
        image[48 - side // 2 : 48 + side // 2, 48 - side // 2 : 48 + side // 2] += 5
    free = ops.convert_to_numpy(localizer.find(images, limits).predicted)
    assert (np.diff(free[:, 2:], axis=0) > 0.1).all()
    localizer.size_mean.assign(free[1, 2:])
    localizer.size_variance.assign([0.0016, 0.01])
    reach = USUAL * np.array([0.04, 0.1], "float32")
    numbers = ops.convert_to_numpy(localizer.find(images, limits).predicted)
    np.testing.assert_allclose(numbers[:, 2:], free[1, 2:] + [[-1], [0], [1]] * reach, atol=0.02)
    assert np.abs(numbers[:, 2:] - free[1, 2:]).max(axis=0) == pytest.approx(reach)


def test_sizes_that_were_found_are_remembered_unless_the_layer_is_frozen(rng):
    localizer, mean, variance = built(2, (None, 96, 96, 1)), np.full(2, 0.5), np.ones(2)
    for sizes in rng.uniform(0, 1, size=(5, 8, 2)).astype("float32"):
        variance = MEMORY * variance + (1 - MEMORY) * np.square(sizes - mean).mean(axis=0)
        mean = MEMORY * mean + (1 - MEMORY) * sizes.mean(axis=0)
        localizer.remember(ops.convert_to_tensor(sizes))
    np.testing.assert_allclose(ops.convert_to_numpy(localizer.size_mean), mean, rtol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(localizer.size_variance), variance, rtol=1e-5)
    localizer.trainable = False
    localizer.remember(ops.ones((8, 2)))
    np.testing.assert_allclose(ops.convert_to_numpy(localizer.size_mean), mean, rtol=1e-5)


def test_an_image_that_is_all_the_same_gives_its_middle_to_a_cell():
    same = np.full((2, 40, 60, 3), 7.0, "float32")
    numbers = first(built(1, (None, 40, 60, 3)), same, WIDE_BOUNDS)
    assert (np.abs(numbers[:, :2] - 0.5) * [60, 40] <= CELL).all()
    assert np.isfinite(numbers).all()


def test_a_nan_stays_in_its_image(rng):
    localizer = built(1, (None, 40, 60, 3))
    images = rng.normal(size=(3, 40, 60, 3)).astype("float32")
    expected = first(localizer, images, WIDE_BOUNDS)
    images[1, 3, 4, 2] = np.nan
    numbers = first(localizer, images, WIDE_BOUNDS)
    assert np.isnan(numbers[1]).all()
    np.testing.assert_allclose(numbers[::2], expected[::2], atol=1e-5)


def test_turned_images_give_the_turned_place_before_training(rng):
    localizer = built(0, (None, 32, 48, 1))
    images = rng.normal(size=(4, 32, 48, 1)).astype("float32")
    there, back = (first(localizer, x, WIDE_BOUNDS) for x in (images, images[:, ::-1, ::-1].copy()))
    np.testing.assert_allclose(there + back, 1, atol=5e-4)


@pytest.mark.parametrize("scale", [1, 1e4])
@pytest.mark.parametrize("sizes", [0, 1, 2])
def test_all_numbers_lie_between_0_and_1_for_any_weights(sizes, scale, rng):
    localizer = built(sizes, (None, 32, 48, 2))
    images = rng.normal(size=(5, 32, 48, 2)).astype("float32")
    for variable in localizer.trainable_variables:
        variable.assign(scale * rng.normal(size=variable.shape))
    numbers = first(localizer, images, WIDE_BOUNDS)
    assert numbers.shape == (5, 2 + sizes) and (numbers >= 0).all() and (numbers <= 1).all()


def test_it_is_small():
    assert built(2, (None, 512, 512, 3)).count_params() < 30_000
    assert built(0, (None, 256, 256, 3)).count_params() < 10_000


def with_weights(layer, rng):
    """A built layer with random weights, so that what starts at zero says something."""
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape) / 4)
    return layer


def test_a_glimpse_along_a_box_that_runs_backwards_is_one_at_the_turned_image(scenes, rng):
    height, width = scenes.shape[1:3]
    glimpse, corners = Glimpse(4), rng.uniform(0, 20, size=(6, 3, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(10, 30, size=(6, 3, 2))], axis=2).astype("float32")
    glimpse(scenes, boxes)
    with_weights(glimpse, rng)
    backwards = np.array([width, height] * 2, "float32") - boxes
    changes = ops.convert_to_numpy(glimpse(scenes, boxes))
    assert changes.shape == (6, 3, 4) and 0.01 < np.abs(changes).max() <= LARGEST
    turned = glimpse(scenes[:, ::-1, ::-1].copy(), backwards)
    np.testing.assert_allclose(ops.convert_to_numpy(turned), changes, atol=1e-4)


def test_a_correction_sees_a_box_and_as_much_around_it(scenes, rng):
    localizer, sizes = built(1, scenes.shape), bounds((0.2, 0.3), (0.4, 0.6))  # 12 to 24 pixels each way
    with_weights(localizer.glimpse, rng)
    numbers = ops.convert_to_tensor([[[0.5, 0.5, 0.0]]] * 6)
    reach = int(WIDE / 2 * 12) + 1
    seen = np.s_[:, 20 - reach : 20 + reach, 30 - reach : 30 + reach]
    others = rng.uniform(size=scenes.shape).astype("float32")
    different = ops.convert_to_numpy(localizer.correct(others, numbers, sizes))
    others[seen] = scenes[seen]
    corrected, same = (ops.convert_to_numpy(localizer.correct(x, numbers, sizes)) for x in (scenes, others))
    np.testing.assert_allclose(same, corrected, atol=1e-5)
    assert np.abs(corrected - ops.convert_to_numpy(numbers)).min() > 0 and np.abs(different - corrected).max() > 1e-3


def test_before_training_two_tries_are_as_far_apart_as_noise_put_them(scenes, rng):
    localizer, sizes = built(2, scenes.shape), bounds((0.1, 0.2), (0.8, 0.8))
    numbers = np.array([[0.5, 0.4, 0.3, 0.7]] * 6, "float32")
    noise = rng.uniform(-1, 1, size=(6, 2, 4)).astype("float32")
    tries = localizer.correct_twice(scenes, ops.convert_to_tensor(numbers), sizes, noise)
    first, apart = (ops.convert_to_numpy(part) for part in tries)
    sides = [0.1 * 8**0.3, 0.2 * 4**0.7]
    moved, scaled = MOVED * noise[..., :2], ZOOMED * noise[..., 2:]
    np.testing.assert_allclose(first[:, :2], numbers[:, :2] + sides * moved[:, 0], atol=1e-5)
    np.testing.assert_allclose(first[:, 2:], numbers[:, 2:] + scaled[:, 0] / np.log([8, 4]), atol=1e-5)
    both = np.concatenate([moved, scaled], axis=2)
    np.testing.assert_allclose(apart, np.square(both[:, 0] - both[:, 1]).sum(axis=1), rtol=1e-3)


def test_sizes_that_are_given_are_not_made_wrong(scenes, rng):
    localizer, sizes = built(2, scenes.shape), bounds((0.3, 0.2), (0.3, 0.8))  # one width
    noise = np.concatenate([np.zeros((6, 2, 2)), rng.uniform(-1, 1, size=(6, 2, 2))], axis=2).astype("float32")
    numbers = np.full((6, 4), 0.5, "float32")
    tries = localizer.correct_twice(scenes, ops.convert_to_tensor(numbers), sizes, noise)
    first, apart = (ops.convert_to_numpy(part) for part in tries)
    np.testing.assert_allclose(first[:, 2], 0.5)
    np.testing.assert_allclose(apart, np.square(ZOOMED * (noise[:, 0, 3] - noise[:, 1, 3])), rtol=1e-3)


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.31, 0.77), (0.0, 1.0), (0.97, 0.02)])
def test_true_places_are_missed_by_the_cross_entropy_of_the_map(place, rng):
    """Shared by the cells around it, with the place as their centre of mass, unless it is beyond the outermost ones."""
    localizer = built(0, (None, 64, 96, 1))
    scores = rng.normal(size=(1, 16, 24)).astype("float32")
    rows, columns = (np.arange(16) + 0.5) / 16, (np.arange(24) + 0.5) / 24
    x, y = np.clip(place[0], columns[0], columns[-1]), np.clip(place[1], rows[0], rows[-1])
    shares = np.zeros((16, 24))
    top, left = (min(int(n * where - 0.5), n - 2) for n, where in ((16, y), (24, x)))
    down, across = 16 * y - 0.5 - top, 24 * x - 0.5 - left
    shares[top : top + 2, left : left + 2] = np.outer([1 - down, down], [1 - across, across])
    np.testing.assert_allclose([shares.sum(0) @ columns, shares.sum(1) @ rows], [x, y], rtol=1e-6)
    expected = -(shares * (scores[0] - np.log(np.exp(scores[0]).sum()))).sum()
    places = np.array([place], "float32")
    found = localizer.missed(ops.convert_to_tensor(scores), ops.convert_to_tensor(places))
    np.testing.assert_allclose(ops.convert_to_numpy(found), [expected], rtol=1e-5)
    both = np.stack([places, 1 - places], axis=1)  # two places of one image
    found = localizer.missed(ops.convert_to_tensor(scores), ops.convert_to_tensor(both))
    np.testing.assert_allclose(ops.convert_to_numpy(found)[0, 0], expected, rtol=1e-5)


def test_what_boxes_teach_does_not_depend_on_how_images_were_mirrored(rng):
    """Each of the four ways to mirror an image is drawn; a map that follows contrast alone is mirrored with it."""
    localizer, box = built(0, (None, 64, 96, 1)), np.array([[30, 10, 50, 30]], "float32")
    images = rng.normal(size=(1, 64, 96, 1)).astype("float32")
    images[:, 20:36, 70:86] += 5
    limits = Bounds(*(ops.convert_to_tensor(np.array(pair, "float32")) for pair in ((20, 20), (20, 20), (96, 64))))
    missed = []
    for _ in range(12):
        found = localizer.candidates(ops.convert_to_tensor(images), limits, training=True)
        missed.append(float(found.missed(ops.convert_to_tensor(box))[0]))
        middle = ops.convert_to_numpy(found.boxes)[0, 0, :2]
        assert np.abs(middle - [78, 28]).max() < 4  # moved by up to 8 per cent of 20 pixels
    np.testing.assert_allclose(missed, missed[0], rtol=1e-4)


def test_a_larger_view_has_more_cells(rng):
    localizer = built(0, (None, 300, 1000, 3), view=512)
    assert localizer.grid.cells == (38, 128) and localizer.get_config()["view"] == 512
    with pytest.raises(SizeError, match="`view` must be at least a cell of 4 pixels, not 3"):
        MapLocalizer(view=3)
