import numpy as np
import pytest
from keras import ops

from kerascrop.localizers.grid import Grid, bell, blurred

ROWS, COLUMNS = 5, 8


@pytest.fixture
def grid():
    return Grid(ROWS, COLUMNS)


@pytest.fixture
def maps(rng):
    maps = rng.uniform(size=(3, ROWS, COLUMNS)).astype("float32")
    return maps / maps.sum(axis=(1, 2), keepdims=True)


def numpy(values):
    return ops.convert_to_numpy(values)


def test_a_softmax_is_over_all_cells_of_a_map(grid, rng):
    scores = rng.normal(size=(3, ROWS, COLUMNS)).astype("float32")
    expected = np.exp(scores) / np.exp(scores).sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(numpy(grid.softmax(scores)), expected, rtol=1e-5)
    np.testing.assert_allclose(numpy(grid.softmax(scores, ops.log_softmax)), np.log(expected), rtol=1e-4)


def test_the_centre_is_the_mean_of_the_cells_middles(grid, maps):
    y, x = (np.arange(ROWS) + 0.5) / ROWS, (np.arange(COLUMNS) + 0.5) / COLUMNS
    expected = np.stack([(maps * x).sum(axis=(1, 2)), (maps * y[:, None]).sum(axis=(1, 2))], axis=1)
    np.testing.assert_allclose(numpy(grid.centre(7 * maps)), expected, rtol=1e-5)
    np.testing.assert_allclose(numpy(grid.centre(0 * maps)), 0.5, rtol=1e-5)


def test_the_shares_of_a_place_are_of_at_most_four_cells_and_have_it_as_their_centre(grid, rng):
    y, x = (np.array([1, n - 1]) / 2 / n for n in (ROWS, COLUMNS))
    places = np.stack([rng.uniform(*x, size=20), rng.uniform(*y, size=20)], axis=1).astype("float32")
    down, across = map(numpy, grid.shares(ops.convert_to_tensor(places)))
    shares = down[:, :, None] * across[:, None]
    assert ((shares > 0).sum(axis=(1, 2)) <= 4).all()
    np.testing.assert_allclose(shares.sum(axis=(1, 2)), 1, rtol=1e-5)
    np.testing.assert_allclose(numpy(grid.centre(shares)), places, atol=1e-5)


def test_a_place_beyond_the_outermost_middles_is_in_the_outermost_cells(grid):
    down, across = map(numpy, grid.shares(ops.convert_to_tensor(np.array([[-0.1, 1.2]], "float32"))))
    assert down[0].tolist() == [0, 0, 0, 0, 1] and across[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_near_are_cells_whose_middle_is_closer_along_both_axes(grid, rng):
    places, apart = rng.uniform(size=(6, 2)).astype("float32"), np.array([0.2, 0.3], "float32")
    near = numpy(grid.near(places, apart))
    for place, found in zip(places, near):
        for row, column in np.ndindex(ROWS, COLUMNS):
            away = np.abs(np.array([(column + 0.5) / COLUMNS, (row + 0.5) / ROWS]) - place)
            assert found[row, column] == (away < apart).all()


def test_a_map_around_a_place_adds_up_to_1_and_is_highest_at_its_cell(grid):
    places, deviations = np.array([[0.3, 0.7]], "float32"), np.full((1, 2), 0.1, "float32")
    around = numpy(grid.around(places, deviations))[0]
    y, x = (np.arange(ROWS) + 0.5) / ROWS, (np.arange(COLUMNS) + 0.5) / COLUMNS
    expected = np.exp(-(((y - 0.7) ** 2)[:, None] + (x - 0.3) ** 2) / 2 / 0.01)
    np.testing.assert_allclose(around, expected / expected.sum(), rtol=1e-4)


def test_a_window_is_1_at_the_cell_around_which_a_box_holds_most(grid):
    """One high cell loses against three lower ones that are together, unless its luck is great."""
    heat = np.zeros((1, ROWS, COLUMNS), "float32")
    heat[0, 0, 7] = 1.0
    heat[0, 3, 1:4] = 0.6
    blurs = grid.blurs(ops.convert_to_tensor(np.array([1 / COLUMNS, 1 / ROWS], "float32")))
    window = numpy(grid.window(heat, blurs))[0]
    assert np.unravel_index(window.argmax(), window.shape) == (3, 2)
    assert window[3, 2] == 1 and window[3, 3] == pytest.approx(np.exp(-0.5))
    luck = np.ones_like(heat)
    luck[0, 0, 7] = 2
    window = numpy(grid.window(heat, blurs, luck))[0]
    assert np.unravel_index(window.argmax(), window.shape) == (0, 7)


def test_blurs_are_gaussians_of_the_distance_of_rows_and_of_columns(grid, maps):
    down, across = map(numpy, grid.blurs(ops.convert_to_tensor(np.array([0.25, 0.4], "float32"))))
    assert down[0, 2] == pytest.approx(np.exp(-0.5)) and across[1, 3] == pytest.approx(np.exp(-0.5))
    np.testing.assert_allclose(numpy(blurred(maps, down, across)), down @ maps @ across.T, rtol=1e-4)


def test_a_bell_is_1_at_its_middle():
    distances = np.array([0.0, 1.0, -2.0], "float32")
    np.testing.assert_allclose(numpy(bell(distances, np.float32(2))), np.exp([0, -1 / 8, -1 / 2]), rtol=1e-5)
