"""The layers as `torch.nn.Module`s, under Keras's torch backend."""

import copy
import importlib.util
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import kerascrop
from conftest import BACKEND

torch = pytest.importorskip("torch", reason="needs PyTorch")
EXAMPLE = pathlib.Path(__file__).parents[2] / "inst" / "examples" / "pytorch.py"
on_torch = pytest.mark.skipif(BACKEND != "torch", reason="needs the PyTorch backend")
FIRST = {"data_format": "channels_first"}


@pytest.fixture
def batch(rng):
    return torch.tensor(rng.normal(size=(6, 1, 28, 28)).astype("float32"))


def test_the_example_runs_in_a_process_of_its_own(tmp_path):
    settings = {"KERAS_BACKEND": "torch", "PYTHONPATH": os.pathsep.join(sys.path), "MPLBACKEND": "agg"}
    command = [sys.executable, str(EXAMPLE)]
    run = subprocess.run(command, cwd=tmp_path, env={**os.environ, **settings}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    title, *picture = run.stdout.splitlines()
    assert title == "before: (8, 1, 28, 28), after: (8, 1, 20, 20)"
    if importlib.util.find_spec("matplotlib"):
        assert (tmp_path / "pytorch.png").read_bytes().startswith(b"\x89PNG")
    else:  # two letters a pixel; beside the image is what is in its middle
        before, after = [line[:56] for line in picture], [line[61:] for line in picture]
        assert len(picture) == 28 and after[:20] == [line[8:48] for line in before[4:24]]
        assert "++" in "".join(before)


@on_torch
def test_four_borders_in_a_sequential_of_pytorch(batch):
    model = torch.nn.Sequential(*(kerascrop.BorderCrop(1, **FIRST) for _ in range(4)))
    images = torch.utils.data.TensorDataset(batch)
    for start, (before,) in zip(range(0, 6, 4), torch.utils.data.DataLoader(images, batch_size=4)):
        after = model(before)
        assert isinstance(after, torch.Tensor) and after.shape == (len(before), 1, 20, 20)
        torch.testing.assert_close(after, batch[start : start + 4, :, 4:24, 4:24], rtol=0, atol=0)
    assert not list(model.parameters()) and not model.state_dict()
    assert model.to("cpu") is model and isinstance(model[0], torch.nn.Module)


@on_torch
def test_gradients_reach_boxes_images_and_the_layers_before(batch):
    """An optimizer of PyTorch moves a box until its crop is the target: its gradient has to be right."""
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    image = torch.exp(-((x - 16) ** 2 + (y - 11) ** 2) / 100)[None, None].requires_grad_()
    target = image[:, :, 5:17, 10:22].detach()
    box = torch.nn.Parameter(torch.tensor([[7.0, 8.0, 19.0, 20.0]]))
    crop = kerascrop.BoxCrop(12, 12, **FIRST)
    optimizer = torch.optim.Adam([box], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(crop([image, box]), target).backward()
        optimizer.step()
    torch.testing.assert_close(box.detach(), torch.tensor([[10.0, 5.0, 22.0, 17.0]]), rtol=0, atol=0.2)
    assert image.grad.abs().sum() > 0


@on_torch
def test_a_learnable_crop_trains_with_an_optimizer_of_pytorch(batch):
    crop = kerascrop.LearnableCrop(12, 12, size="square", name="crop", **FIRST)
    crop(batch)  # a first call makes the weights, as with PyTorch's lazy modules
    model = torch.nn.Sequential(crop, torch.nn.Flatten(), torch.nn.Linear(144, 1))
    model.train()
    trainable = [parameter for parameter in crop.parameters() if parameter.requires_grad]
    assert len(trainable) == len(crop.trainable_weights) > 0
    before = [parameter.detach().clone() for parameter in trainable]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):  # the network's last layer starts at zero: the first step moves that one, the second all others
        optimizer.zero_grad()
        (model(batch).square().mean() + sum(crop.losses)).backward()
        optimizer.step()
    assert all((old != new).any() for old, new in zip(before, trainable))


def places(model, batch, times=8):
    """Which pixels the crops begin with, call after call."""
    return [tuple(model(batch)[:, 0, 0, 0].tolist()) for _ in range(times)]


class Net(torch.nn.Module):
    def __init__(self, crop):
        super().__init__()
        self.augment = torch.nn.ModuleDict({"crop": crop})

    def forward(self, images):
        return self.augment["crop"](images)


@on_torch
@pytest.mark.parametrize("holder", [torch.nn.Sequential, Net])
def test_train_and_eval_decide_whether_crops_are_random(holder, batch):
    model = holder(kerascrop.RandomCrop(8, 8, seed=1, **FIRST))
    centre = tuple(batch[:, 0, 10, 10].tolist())
    assert set(places(model, batch)) == {centre}  # until PyTorch says more, Keras's rule
    model.train()
    assert len(set(places(model, batch))) == 8
    model.eval()
    assert set(places(model, batch)) == {centre}
    crop = next(module for module in model.modules() if isinstance(module, kerascrop.RandomCrop))
    assert tuple(crop(batch, training=True)[:, 0, 0, 0].tolist()) != centre  # what is said in the call comes first


@on_torch
def test_keras_own_training_leaves_its_rules_as_they_are(batch):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.crop = kerascrop.RandomCrop(8, 8, seed=1, **FIRST)
            self.score = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])

        def call(self, images):
            return self.score(self.crop(images))

    images = batch.numpy()
    model = Model()
    model.compile("sgd", "mse")
    model.fit(images, np.zeros((6, 1)), verbose=0)
    expected = model.score(batch[:, :, 10:18, 10:18]).detach().numpy()
    for _ in range(3):
        np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-5)
        np.testing.assert_allclose(model(batch).detach().numpy(), expected, rtol=1e-5)
        model.train()
    assert (model(batch, training=True).detach().numpy() != expected).any()


@on_torch
@pytest.mark.parametrize("layer", [kerascrop.RandomCrop, kerascrop.LearnableCrop])
def test_the_state_is_loaded_by_name_and_copied(layer, batch):
    model, other = (torch.nn.Sequential(layer(8, 8, name="crop", **FIRST)) for _ in range(2))
    model(batch), other(batch)
    model.train(), other.train()
    places(model, batch, 2)
    assert model.state_dict() and other.load_state_dict(model.state_dict()).missing_keys == []
    for copied in (other, copy.deepcopy(other)):
        copied.train()
    torch.testing.assert_close(model.eval()(batch), other.eval()(batch))
    assert set(places(model.train(), batch)) & set(places(other.train(), batch))


@on_torch
@pytest.mark.parametrize("layer", [kerascrop.BorderCrop, kerascrop.RandomCrop])
def test_compiled_by_pytorch(layer, batch):
    crop = layer(**({"cropping": 1} if layer is kerascrop.BorderCrop else {"height": 8, "width": 8}), **FIRST)
    compiled = torch.compile(torch.nn.Sequential(crop), backend="eager")
    torch.testing.assert_close(compiled(batch), crop(batch))
