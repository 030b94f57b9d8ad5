"""What exports need no further package for. All layers in all runtimes: `make test-export`."""

import keras
import numpy as np
import pytest
from keras import ops

import kerascrop


def on_images(layer, height=24, width=32):
    images = keras.Input((height, width, 3))
    return keras.Model(images, layer(images))


def uncrop():
    crops, boxes = keras.Input((6, 8, 3)), keras.Input((4,))
    return keras.Model([crops, boxes], kerascrop.Uncrop(24, 32, fill_value=2)([crops, boxes]))


MODELS = {
    "center": lambda: on_images(kerascrop.CenterCrop(6, 8)),
    "center, any size": lambda: on_images(kerascrop.CenterCrop(6, 8), None, None),
    "grid": lambda: on_images(kerascrop.MultiCrop(6, 8, "grid", return_boxes=True)),
    "learnable": lambda: on_images(kerascrop.LearnableCrop(6, 8, "square", min_size=4, return_boxes=True)),
    "uncrop": uncrop,
}
SOME_SIZES = [name for name in MODELS if "any size" not in name]


def inputs(model, rng, batch):
    arrays = [rng.uniform(size=(batch, *(n or 30 for n in x.shape[1:]))).astype("float32") for x in model.inputs]
    if model.inputs[-1].shape[1:] == (4,):
        arrays[1] = arrays[1] * [8, 6, 9, 7] + [0, 0, 12, 9]
    return arrays


def check(model, run, rng):
    """What `run(arrays)` gives is what the model does, for batches of several sizes."""
    for batch in (2, 1, 3):
        arrays = inputs(model, rng, batch)
        expected = keras.tree.flatten(model(arrays if len(arrays) > 1 else arrays[0], training=False))
        got = sorted(keras.tree.flatten(run([array.astype("float32") for array in arrays])), key=lambda x: len(x.shape))
        for a, b in zip(got, sorted(expected, key=lambda x: len(x.shape)), strict=True):
            np.testing.assert_allclose(ops.convert_to_numpy(a), ops.convert_to_numpy(b), atol=1e-4)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_gives_the_same(name, rng, tmp_path):
    import tensorflow as tf

    model = MODELS[name]()
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "model")
    check(model, lambda arrays: loaded.serve(arrays if len(arrays) > 1 else arrays[0]), rng)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", SOME_SIZES)
def test_litert_needs_its_own_operations_alone(name):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(MODELS[name]())
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    assert len(converter.convert()) > 500


@pytest.mark.jax
@pytest.mark.parametrize("name", SOME_SIZES)
def test_jax_exports_a_batch_of_any_size(name, rng):
    import jax

    model, (batch,) = MODELS[name](), jax.export.symbolic_shape("batch")
    specs = [jax.ShapeDtypeStruct((batch, *x.shape[1:]), "float32") for x in model.inputs]
    call = jax.jit(lambda *arrays: model(arrays if len(arrays) > 1 else arrays[0], training=False))
    run = jax.export.deserialize(bytearray(jax.export.export(call)(*specs).serialize())).call
    check(model, lambda arrays: run(*arrays), rng)


@pytest.mark.jax
@pytest.mark.parametrize("layer", [kerascrop.CenterCrop(6, 8), kerascrop.LearnableCrop(6, 8)], ids=repr)
def test_what_jax_cannot_export_is_said_before(layer):
    import jax

    model, sides = on_images(layer, None, None), jax.export.symbolic_shape("height, width")
    spec = jax.ShapeDtypeStruct((1, *sides, 3), "float32")
    with pytest.raises(kerascrop.errors.ShapeError, match="jax.export with images of unknown size. Make the model on"):
        jax.export.export(jax.jit(lambda images: model(images, training=False)))(spec)


def torch_program(model, rng, open_axes=(0,)):
    import torch

    arrays = [torch.tensor(array, dtype=torch.float32) for array in inputs(model, rng, 2)]
    free = {axis: torch.export.Dim.DYNAMIC for axis in open_axes}
    arrays, spec = (arrays, [free] * len(arrays)) if len(arrays) > 1 else (arrays[0], free)
    return torch.export.export(model.eval(), (arrays,), dynamic_shapes=((spec,),), strict=False).module()


@pytest.mark.torch
@pytest.mark.parametrize("name", SOME_SIZES)
def test_torch_exports_a_batch_of_any_size(name, rng):
    import torch

    model = MODELS[name]()
    program = torch_program(model, rng)
    tensors = lambda arrays: [torch.from_numpy(array) for array in arrays]
    check(model, lambda arrays: program(tensors(arrays) if len(arrays) > 1 else tensors(arrays)[0]), rng)


@pytest.mark.torch
def test_a_traced_uncrop_takes_other_boxes_than_it_was_traced_with(rng):
    import torch

    model = uncrop().eval()
    whole = torch.tensor([[1.0, 1, 9, 7]])
    traced = torch.jit.trace(model, ([torch.rand(1, 6, 8, 3), whole],), check_trace=False)
    crops, boxes = torch.rand(1, 6, 8, 3), whole + 0.5
    np.testing.assert_allclose(traced([crops, boxes]), model([crops, boxes]), atol=1e-5)


@pytest.mark.torch
@pytest.mark.parametrize("layer", [kerascrop.CenterCrop(6, 8), kerascrop.LearnableCrop(6, 8)], ids=repr)
def test_what_torch_cannot_export_is_said_before(layer, rng):
    import torch

    model = on_images(layer, None, None)
    with pytest.raises(kerascrop.errors.ShapeError, match="torch.export with images of unknown size. Make the"):
        torch_program(model, rng, (0, 1, 2))
    if isinstance(layer, kerascrop.LearnableCrop):
        with pytest.raises(kerascrop.errors.ShapeError, match="torch.jit.trace with images of unknown size"):
            torch.jit.trace(model, torch.rand(1, 30, 30, 3), check_trace=False)
