"""Where random crops come from: a state of each layer's own, so that a seed replays."""

import random

import keras

from kerascrop import checks


def given_or_drawn(seed):
    """The seed, checked; one that is drawn is kept like one that was given, so that a saved layer replays."""
    seed = checks.check_seed(seed)
    return random.randrange(2**31) if seed is None else seed


class Seeds(keras.random.SeedGenerator):
    """Keras's seeds, which also differ between the workers of a PyTorch `DataLoader`, and between its epochs.

    Each worker, in each epoch, starts with a copy of the layer as it is in the main process: with Keras's seeds alone
    all workers would draw the same crops, epoch after epoch. PyTorch seeds its workers from `torch.manual_seed()`.
    """

    if keras.backend.backend() == "torch":

        def next(self, ordered=True):
            import torch

            seed, worker = super().next(ordered), torch.utils.data.get_worker_info()
            if worker is None:
                return seed
            # Workers have consecutive seeds, as the draws of one worker have: far apart, they do not meet.
            return seed + torch.tensor([random.Random(worker.seed).getrandbits(31), 0], dtype=seed.dtype)
