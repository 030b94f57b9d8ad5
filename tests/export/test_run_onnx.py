"""The script inst/examples/run_onnx.py, in a Python that finds no kerascrop."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
from PIL import Image

import kerascrop

SCRIPT = pathlib.Path(__file__).parents[2] / "inst" / "examples" / "run_onnx.py"


def test_the_script_gives_what_the_model_gives(tmp_path):
    images = keras.Input((24, 32, 3))
    crops, boxes = kerascrop.LearnableCrop(6, 8, view=24, return_boxes=True)(images)
    model = keras.Model(images, [crops, boxes])
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), "uint8")
    expected = [np.asarray(part).reshape(-1)[:10] for part in model(pixels[None].astype("float32") / 255)]
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, SCRIPT, tmp_path / "model.onnx", tmp_path / "photo.png"]
    told = subprocess.run(command, env=env, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    for line, numbers in zip(told.splitlines(), expected, strict=True):
        np.testing.assert_allclose(eval(line[line.index("[") :]), numbers, atol=2e-3)
