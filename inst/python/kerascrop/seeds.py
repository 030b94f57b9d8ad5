"""Seeds of random crops: each layer has a state of its own, so that a seed gives the same crops in every run."""

import random

import keras

from kerascrop import checks


def given_or_drawn(seed):
    """The seed, checked, or one drawn for None, which is kept like a given one: saved layers repeat their crops."""
    seed = checks.check_seed(seed)
    return random.randrange(2**31) if seed is None else seed


class Seeds(keras.random.SeedGenerator):
    """Keras's seed generator, whose seeds also differ between a PyTorch `DataLoader`'s workers, and its epochs.

    Each worker, in each epoch, starts with a copy of the layer as it is in the main process: with Keras's seeds alone
    all workers would draw the same crops, epoch after epoch. PyTorch seeds its workers from `torch.manual_seed()`.
    """

    if keras.backend.backend() == "torch":

        def next(self, ordered=True):
            import torch

            seed, worker = super().next(ordered), torch.utils.data.get_worker_info()
            if worker is None:
                return seed
            # Workers have consecutive seeds, and so do the draws of one worker: far apart, the two do not overlap.
            return seed + torch.tensor([random.Random(worker.seed).getrandbits(31), 0], dtype=seed.dtype)
