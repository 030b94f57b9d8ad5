"""Seeds of random crops: each layer has a state of its own, so that a seed gives the same crops in every run.

The state is saved with the weights: a training that is resumed goes on to new places, as if it had not been stopped.
"""

import random

import keras
import numpy as np

from kerascrop import checks


def given_or_drawn(seed):
    """The seed, checked, or one drawn for None, which is kept like a given one: saved layers repeat their crops."""
    seed = checks.check_seed(seed)
    return random.randrange(2**31) if seed is None else seed


class Seeds(keras.random.SeedGenerator):
    """Keras's seed generator, whose seeds also differ between a PyTorch `DataLoader`'s workers, and its epochs.

    Each worker, in each epoch, starts with a copy of the layer as it is in the main process: with Keras's seeds alone
    all workers would draw the same crops, epoch after epoch. PyTorch seeds its workers from `torch.manual_seed()`.

    Attributes:
        seed: the seed that was given, or the one drawn for None.
    """

    def __init__(self, seed=None, name=None):
        self.given, self.seed = seed, given_or_drawn(seed)
        super().__init__(self.seed, name=name)

    def get_config(self):
        return {**super().get_config(), "seed": self.given}

    if keras.backend.backend() == "torch":

        def next(self, ordered=True):
            import torch

            seed, worker = super().next(ordered), torch.utils.data.get_worker_info()
            if worker is None:
                return seed
            # Workers have consecutive seeds, and so do the draws of one worker: far apart, the two do not overlap.
            return seed + torch.tensor([random.Random(worker.seed).getrandbits(31), 0], dtype=seed.dtype)


class SavedSeeds:
    """Mixin for layers that draw: the states of their seed generators are saved with their weights.

    They are no weights: `get_weights()` is the same with and without them, and files without them can be loaded.
    """

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for name, generator in self._seed_generators_by_name().items():
            store[name] = keras.ops.convert_to_numpy(generator.state)

    def load_own_variables(self, store):
        generators = self._seed_generators_by_name()
        super().load_own_variables({name: store[name] for name in store.keys() if name not in generators})
        for name in generators.keys() & store.keys():
            # A layer that was given another seed than the one that was saved is to draw by that.
            seed, state = generators[name].get_config()["seed"], np.asarray(store[name])
            if seed in (None, int(state[0])):
                generators[name].state.assign(state)

    def _seed_generators_by_name(self):
        return {name: value for name, value in vars(self).items() if isinstance(value, keras.random.SeedGenerator)}
