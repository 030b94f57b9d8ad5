import numpy as np
import pytest
from keras import ops

from kerascrop.localizers import CELL, GlobalLocalizer, MapLocalizer


def built(sizes, shape, **kwargs):
    localizer = MapLocalizer(sizes, **kwargs)
    localizer.build(shape)
    return localizer


@pytest.mark.parametrize(
    "shape, cells",
    [
        ((None, 64, 64, 1), (16, 16)),
        ((None, 28, 28, 1), (7, 7)),
        ((None, 30, 45, 3), (8, 11)),
        ((None, 512, 256, 4), (16, 8)),
        ((None, 3, 640, 3), (1, 16)),
        ((None, None, None, 3), (16, 16)),
    ],
)
def test_the_view_keeps_the_aspect_and_is_at_most_64_pixels(shape, cells):
    localizer = built(1, shape)
    assert localizer.cells == cells
    images = np.ones((2, shape[1] or 50, shape[2] or 70, shape[3]), "float32")
    view = localizer.look(images)
    assert view.shape == (2, CELL * cells[0], CELL * cells[1], shape[3])
    np.testing.assert_allclose(ops.convert_to_numpy(view), 1, rtol=1e-5)


def test_the_map_adds_up_to_one_and_its_mean_and_variance_are_those_of_numpy(rng):
    localizer = built(2, (None, 40, 60, 3))
    found = localizer(rng.normal(size=(5, 40, 60, 3)).astype("float32"), training=True)
    heat = ops.convert_to_numpy(found.heat)
    assert heat.shape == (5, 11, 16) or heat.shape == (5, 10, 15)
    np.testing.assert_allclose(heat.sum((1, 2)), 1, rtol=1e-5)
    rows, columns = heat.shape[1:]
    y, x = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
    for axis, place in enumerate((x, y)):
        mean = (heat * place).sum((1, 2))
        np.testing.assert_allclose(ops.convert_to_numpy(found.centre)[:, axis], mean, rtol=1e-4)
        variance = (heat * (place - mean[:, None, None]) ** 2).sum((1, 2))
        np.testing.assert_allclose(ops.convert_to_numpy(found.variance)[:, axis], variance, atol=1e-5)
    size = ops.convert_to_numpy(found.size)
    assert size.shape == (5, 2) and (size > 0).all() and (size < 1).all()


def test_the_expected_view_of_a_sure_map_is_the_view_around_that_cell(rng):
    localizer = built(0, (None, 40, 48, 2))
    view = rng.normal(size=(3, 40, 48, 2)).astype("float32")
    cells = [(0, 0), (4, 7), (9, 11)]
    heat = np.zeros((3, 10, 12), "float32")
    for image, cell in zip(heat, cells):
        image[cell] = 1
    expected = ops.convert_to_numpy(localizer.expected_view(view, heat, (2, 1)))
    padded = np.pad(view, ((0, 0), (8, 8), (4, 4), (0, 0)))
    for image, got, (row, column) in zip(padded, expected, cells):
        np.testing.assert_allclose(got, image[4 * row : 4 * row + 20, 4 * column : 4 * column + 12], atol=1e-6)


def test_the_expected_view_is_linear_in_the_map(rng):
    localizer = built(0, (None, 32, 32, 1))
    view = rng.normal(size=(2, 32, 32, 1)).astype("float32")
    heats = rng.dirichlet(np.ones(64), size=(2, 2)).reshape(2, 2, 8, 8).astype("float32")
    first, second = (ops.convert_to_numpy(localizer.expected_view(view, heat, (3, 3))) for heat in heats)
    both = ops.convert_to_numpy(localizer.expected_view(view, heats.mean(0), (3, 3)))
    np.testing.assert_allclose(both, (first + second) / 2, atol=1e-5)


def test_it_is_small():
    assert built(2, (None, 64, 64, 3)).count_params() <= 60_000


def test_global_is_one_box_for_all_images():
    localizer = GlobalLocalizer(3)
    numbers = ops.convert_to_numpy(localizer(np.zeros((4, 9, 12, 3))))
    np.testing.assert_array_equal(numbers, np.full((4, 3), 0.5))
    assert localizer.count_params() == 3
