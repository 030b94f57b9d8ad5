"""Ways to take a Keras model elsewhere: each exports it to a file, and runs that in the target's own runtime.

A target is a function of a model and a path without an extension, which returns a function from a list of arrays to
such a list, and the size of what it wrote, in bytes. Batches, and lengths that the model does not know, stay free.
"""

import pathlib

import keras
import numpy as np


def _size(path):
    path = pathlib.Path(path)
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())


def _arrays(results):
    return [keras.ops.convert_to_numpy(result) for result in keras.tree.flatten(results)]


def _only(parts):
    """What a model of one input takes is that, and a list for one of several."""
    return parts if len(parts) > 1 else parts[0]


def saved_model(model, path):
    import tensorflow as tf

    model.export(path, verbose=False)
    loaded = tf.saved_model.load(path)
    return lambda arrays: _arrays(loaded.serve(_only(arrays))), _size(path)


def onnx(model, path):
    model.export(f"{path}.onnx", format="onnx", verbose=False)
    return _in_onnxruntime(f"{path}.onnx")


def _in_onnxruntime(file):
    import onnxruntime

    session = onnxruntime.InferenceSession(file)
    names = [part.name for part in session.get_inputs()]
    return lambda arrays: session.run(None, dict(zip(names, arrays))), _size(file)


def litert(model, path, **options):
    """With the operations that every LiteRT runtime has, and no others."""
    runner = _litert_interpreter(model, f"{path}.tflite", **options).get_signature_runner()
    names = sorted(runner.get_input_details())
    return lambda arrays: _arrays(runner(**dict(zip(names, arrays)))), _size(f"{path}.tflite")


def _litert_interpreter(model, file, **options):
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    operations = [tf.lite.OpsSet.TFLITE_BUILTINS]
    model.export(file, format="litert", verbose=False, target_spec={"supported_ops": operations}, **options)
    return Interpreter(file)


def litert_8_bits(model, path):
    """With weights of 8 bits, and computed in float32."""
    import tensorflow as tf

    return litert(model, path, optimizations=[tf.lite.Optimize.DEFAULT])


def litert_int8(model, path):
    """With weights and results of 8 bits, on scales that a hundred examples set; inputs and outputs stay float32."""
    import tensorflow as tf

    rng, inputs = np.random.default_rng(2), model.inputs
    if len(inputs) > 1:  # the converter wants them in the order of the file, whose shapes tell it
        shapes = [tuple(part["shape"])[1:] for part in _litert_interpreter(model, f"{path}.tflite").get_input_details()]
        inputs = sorted(inputs, key=lambda given: shapes.index(tuple(given.shape[1:])))
    examples = [[_example(given, 1, rng) for given in inputs] for _ in range(100)]
    dataset = lambda: iter(examples)
    return litert(model, path, optimizations=[tf.lite.Optimize.DEFAULT], representative_dataset=dataset)


def _example(given, batch, rng):
    """Images with values from 0 to 1; and boxes, of some area, in images of 20 pixels."""
    shape = (batch, *(length or 24 for length in given.shape[1:]))
    if shape[1:] == (4,):
        return np.concatenate([rng.uniform(0, 8, (batch, 2)), rng.uniform(9, 20, (batch, 2))], axis=1).astype("float32")
    return rng.uniform(size=shape).astype("float32")


def openvino(model, path):
    """By way of a SavedModel: Keras's own export also returns what nothing uses."""
    import openvino as ov

    model.export(path, verbose=False)
    ov.save_model(ov.convert_model(path), f"{path}.xml", compress_to_fp16=False)
    # In float32, as processors that compute in bfloat16 do so otherwise.
    compiled = ov.Core().compile_model(f"{path}.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda arrays: list(compiled(arrays).values()), _size(f"{path}.xml") + _size(f"{path}.bin")


def jax_export(model, path):
    import jax
    from jax import export

    scope = export.SymbolicScope()

    def spec(given):
        lengths = [f"l{axis}" if length is None else str(length) for axis, length in enumerate(given.shape)]
        return jax.ShapeDtypeStruct(export.symbolic_shape(", ".join(lengths), scope=scope), given.dtype)

    call = jax.jit(lambda *arrays: model(_only(arrays), training=False))
    data = export.export(call)(*map(spec, model.inputs)).serialize()
    called = export.deserialize(bytearray(data)).call
    return lambda arrays: _arrays(called(*arrays)), len(data)


def torch_export(model, path):
    import torch

    torch.export.save(torch.export.export(*_for_torch(model), **_dynamic(model), strict=False), f"{path}.pt2")
    return _in_torch(torch.export.load(f"{path}.pt2").module(), f"{path}.pt2")


def torch_onnx(model, path):
    import torch

    torch.onnx.export(*_for_torch(model), f"{path}.onnx", **_dynamic(model), external_data=False, verbose=False)
    return _in_onnxruntime(f"{path}.onnx")


def torch_trace(model, path):
    import torch

    torch.jit.trace(*_for_torch(model), check_trace=False).save(f"{path}.pt")
    return _in_torch(torch.jit.load(f"{path}.pt"), f"{path}.pt")


def _for_torch(model):
    """The model at inference, and inputs to trace it with."""
    import torch

    rng = np.random.default_rng(2)
    return model.eval(), (_only([torch.from_numpy(_example(given, 2, rng)) for given in model.inputs]),)


def _dynamic(model):
    import torch

    free = torch.export.Dim.DYNAMIC
    axes = [{axis: free for axis, length in enumerate(given.shape) if length is None} for given in model.inputs]
    return {"dynamic_shapes": ((_only(axes),),)}


def _in_torch(module, file):
    import torch

    def run(arrays):
        with torch.no_grad():
            return _arrays(module(_only([torch.from_numpy(np.array(array)) for array in arrays])))

    return run, _size(file)


TARGETS = {
    "tensorflow": {
        "SavedModel": saved_model,
        "ONNX": onnx,
        "LiteRT": litert,
        "LiteRT, 8 bits": litert_8_bits,
        "LiteRT, int8": litert_int8,
        "OpenVINO": openvino,
    },
    "jax": {"jax.export": jax_export},
    "torch": {"torch.export": torch_export, "torch.onnx": torch_onnx, "torch.jit.trace": torch_trace},
}
