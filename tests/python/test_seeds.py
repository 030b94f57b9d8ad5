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


MASKS = np.random.default_rng(0).integers(0, 2, (8, 40, 60))
BOXES = np.tile(np.array([[[9, 8, 20, 21], [30, 4, 50, 19]]], "float32"), (8, 1, 1))
DRAWING = {
    "random": lambda **kwargs: kerascrop.RandomCrop(5, 6, **kwargs),
    "batch": lambda **kwargs: kerascrop.RandomCrop(5, 6, per_image=False, **kwargs),
    "boxes": lambda **kwargs: kerascrop.RandomCrop(5, 6, focus="boxes", **kwargs),
    "mask": lambda **kwargs: kerascrop.RandomCrop(5, 6, focus="mask", **kwargs),
    "resized": lambda **kwargs: kerascrop.RandomResizedCrop(5, 6, **kwargs),
    "learnable": lambda **kwargs: kerascrop.LearnableCrop(16, 16, size="free", **kwargs),
}


def scene():
    images = np.random.default_rng(1).uniform(size=(8, 40, 60, 3)).astype("float32")
    return {"images": images, "segmentation_masks": MASKS, "bounding_boxes": {"boxes": BOXES}}


def drawing_model(name, seed):
    data = scene()
    for parts in (data, data["bounding_boxes"]):
        for key, part in parts.items():
            if not isinstance(part, dict):
                parts[key] = keras.Input(part.shape[1:], dtype=part.dtype.name, name=key)
    return keras.Model(data, DRAWING[name](seed=seed, return_boxes=True, name="crop")(data)[1])


def draws(model, number):
    return [ops.convert_to_numpy(model(scene(), training=True)) for _ in range(number)]


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("name", DRAWING)
def test_what_is_saved_goes_on_to_draw_where_it_was(name, seed, tmp_path):
    model, again = drawing_model(name, seed), drawing_model(name, seed)
    weights = model.get_weights()
    draws(model, 2)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again.load_weights(tmp_path / "model.weights.h5")
    expected = draws(model, 2)
    assert not np.array_equal(*expected)
    for resumed in (loaded, again):
        np.testing.assert_allclose(draws(resumed, 2), expected, atol=1e-3)
        assert len(resumed.get_weights()) == len(weights)  # what is drawn is no weight


def test_a_layer_that_is_given_another_seed_draws_by_that(tmp_path):
    model, other, expected = (drawing_model("random", seed) for seed in (7, 8, 8))
    draws(model, 1)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(draws(other, 1), draws(expected, 1))
    clone = keras.models.clone_model(model)  # a copy starts again
    np.testing.assert_array_equal(draws(clone, 1), draws(drawing_model("random", 7), 1))


def test_weights_pass_between_models_with_and_without_random_crops(tmp_path):
    def model(*crops):
        keras.utils.clear_session()  # the same names
        return keras.Sequential([keras.Input((9, 12, 3)), *crops, keras.layers.Conv2D(2, 3)])

    kinds = [lambda: model(kerascrop.RandomCrop(5, 6)), lambda: model(keras.layers.CenterCrop(5, 6)), model]
    for number, source in enumerate(kinds):
        saved = source()
        saved.save_weights(tmp_path / f"{number}.weights.h5")
        for target in kinds:
            got = target()
            got.set_weights(saved.get_weights())
            if len(got.layers) == len(saved.layers):
                got.load_weights(tmp_path / f"{number}.weights.h5")
            for one, other in zip(got.get_weights(), saved.get_weights(), strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.tensorflow
def test_a_training_that_was_interrupted_goes_on_to_new_places(tmp_path):
    x, y = scene()["images"], np.zeros((8, 1))

    def places(*callbacks, epochs=3):
        seen = []
        crop = kerascrop.RandomCrop(5, 6, seed=1)
        model = keras.Sequential([crop, keras.layers.Flatten(), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        model.build(x.shape)
        crop.listeners = (lambda data, choice: seen.append(ops.convert_to_numpy(choice.boxes)),)
        try:
            model.fit(x, y, 4, epochs, shuffle=False, verbose=0, callbacks=callbacks)
        except KeyboardInterrupt:
            pass
        return np.array(seen)

    def stop(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    backup = [keras.callbacks.BackupAndRestore(tmp_path / "backup") for _ in range(2)]
    whole = places()
    first = places(backup[0], keras.callbacks.LambdaCallback(on_epoch_begin=stop))
    second = places(backup[1])
    assert len(first) == 4 and len(second) == 2
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)


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
