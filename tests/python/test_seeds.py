import random

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop
from conftest import BACKEND
from kerascrop import seeds
from kerascrop.checks import ArgumentError


def test_a_seed_that_is_given_is_kept_and_another_is_drawn():
    assert seeds.given_or_drawn(7.0) == 7
    drawn = {seeds.given_or_drawn(None) for _ in range(20)}
    assert len(drawn) == 20 and all(0 <= seed < 2**31 for seed in drawn)
    random.seed(3)
    first = seeds.given_or_drawn(None)
    random.seed(3)
    assert seeds.given_or_drawn(None) == first
    with pytest.raises(ArgumentError, match="`seed` must be None or a whole number"):
        seeds.given_or_drawn(-1)


def test_in_the_main_process_they_are_keras_s():
    ours, theirs = seeds.Seeds(5), keras.random.SeedGenerator(5)
    for _ in range(3):
        np.testing.assert_array_equal(ops.convert_to_numpy(ours.next()), ops.convert_to_numpy(theirs.next()))


class Crops:
    """For a PyTorch `DataLoader`: one image, again and again, with a crop at random."""

    def __init__(self, image, crop):
        self.image, self.crop = image, crop

    def __len__(self):
        return 16

    def __getitem__(self, index):
        return self.crop(self.image)


@pytest.mark.skipif(BACKEND != "torch", reason="needs the PyTorch backend")
def test_workers_and_epochs_of_a_loader_draw_crops_of_their_own():
    import torch

    image = torch.arange(28.0 * 28).reshape(1, 28, 28)
    crop = kerascrop.RandomCrop(4, 4, seed=1, data_format="channels_first")
    crop.train()
    options = {"batch_size": 4, "num_workers": 2, "multiprocessing_context": "fork"}
    loader = torch.utils.data.DataLoader(Crops(image, crop), **options)

    def epochs():
        torch.manual_seed(3)
        return [torch.cat(list(loader))[:, 0, 0, 0].tolist() for _ in range(2)]

    first, second = epochs()
    assert len(set(first)) > 12 and len(set(first + second)) > 22  # of 625 places
    assert not set(first[:4]) == set(first[4:8])  # batches take turns between the workers
    assert epochs() == [first, second]
