"""Export every layer and mode to every target, compare what comes out with Keras's own output, and write a table.

    make test-export

Each backend runs in a process of its own. The batches are of other sizes than the one that was traced. The table goes
into `vignette("taking-a-model-elsewhere")`; the status says whether every export is right, or refused by its layer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

FOLDER = Path(__file__).parents[2]
TABLE = FOLDER / "vignettes" / "exports.md"
# Pixels have values from 0 to 1, and sides of boxes are up to 20. With 8 bits a localizer rounds its numbers too, and
# in int8 a box may be anywhere: the table tells how far off it is.
ALLOWED = {"LiteRT, 8 bits": 0.5, "LiteRT, int8": 20}
REFUSED = "refused: "
# ONNX Runtime does not take what PyTorch makes of `keras.ops.take()`; LiteRT divides by what int8 rounds to zero.
KNOWN = {("multi_grid", "torch.onnx"), ("learnable_square, any size", "LiteRT, int8")}


def models():
    """The models of `tests/python/saved/`, and some that do not know the size of their images."""
    import keras
    import make

    import kerascrop

    def unknown(layer):
        images = keras.Input((None, None, 2))
        return keras.Model(images, layer(images)), make.inputs(14, 20, 2)

    layers = {
        "center": lambda: kerascrop.CenterCrop(5, 6),
        "border": lambda: kerascrop.BorderCrop(((1, 3), (-1, 7))),
        "multi_ten": lambda: kerascrop.MultiCrop(5, 6, views="ten"),
        "random_resized": lambda: kerascrop.RandomResizedCrop(5, 6),
        "learnable_fixed": lambda: kerascrop.LearnableCrop(6, 8, view=24),
        "learnable_square": lambda: kerascrop.LearnableCrop(6, 8, size="square", min_size=0.3, view=24),
    }
    return make.MODELS | {f"{name}, any size": lambda layer=layer: unknown(layer()) for name, layer in layers.items()}


def compare(name, build, export):
    """The largest difference of any output, and the size of the exported file in bytes; or the error, and 0."""
    import keras
    import numpy as np

    import kerascrop

    keras.utils.set_random_seed(0)
    model, inputs = build()
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:  # what starts at zero would say nothing
        variable.assign(rng.normal(size=variable.shape) / 4)
    inputs = inputs if isinstance(inputs, list) else [inputs]
    results = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    expected = [keras.ops.convert_to_numpy(result) for result in keras.tree.flatten(results)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            run, size = export(model, os.path.join(folder, name.split(",")[0]))
            return max(difference(run([x[:n] for x in inputs]), [x[:n] for x in expected]) for n in (3, 1, 2)), size
    except Exception as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        while error and not (isinstance(error, kerascrop.errors.CropError) and "cannot go through" in str(error)):
            error = error.__cause__ or error.__context__  # exporters wrap what a layer says
        return f"{REFUSED}{error}" if error else told, 0


def difference(got, expected):
    """The largest difference; runtimes return several outputs in an order of their own, but all have other shapes."""
    import numpy as np

    if sorted(x.shape for x in got) != sorted(x.shape for x in expected):
        raise ValueError(f"outputs of shapes {[x.shape for x in got]}, not {[x.shape for x in expected]}")
    pairs = zip(*(sorted(arrays, key=lambda x: x.shape) for arrays in (got, expected)))
    return max(float(np.abs(a.astype("float64") - b).max()) for a, b in pairs)


def run_backend(backend, only):
    """Print a line of JSON for each model and target."""
    warnings.simplefilter("ignore")
    from targets import TARGETS

    for name, build in models().items():
        for target, export in TARGETS[backend].items():
            if only in f"{name} {target}":
                print("#", json.dumps([name, target, *compare(name, build, export)]), flush=True)


def collect(only):
    """The lines of all backends, as a dict by model and target."""
    paths = [FOLDER / part for part in ("inst/python", "tests/python/saved", "tests/export")]
    found = {}
    for backend in ("tensorflow", "jax", "torch"):
        env = os.environ | {
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        command = [sys.executable, __file__, "--backend", backend, "--only", only]
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as lines:
            for line in lines.stdout:
                if line.startswith("# "):
                    name, target, result, size = json.loads(line[2:])
                    found[name, target] = result, size
                    print(f"{name:28} {target:16} {result if isinstance(result, str) else f'{result:.1e}'}", flush=True)
    return found


def cell(result, size):
    if isinstance(result, str):
        return "refused" if result.startswith(REFUSED) else "fails"
    return f"{result:.0e}, {size / 1000:.0f} kB"


def write_table(found):
    targets = list(dict.fromkeys(target for _, target in found))
    rows = [["", *targets], ["---"] * (len(targets) + 1)]
    for name in dict.fromkeys(name for name, _ in found):
        cells = [cell(*found[name, target]) if (name, target) in found else "" for target in targets]
        rows.append([name.replace("_", " "), *cells])
    TABLE.write_text("".join(f"| {' | '.join(row)} |\n" for row in rows))


def is_wrong(key, result):
    if isinstance(result, str):
        return not result.startswith(REFUSED) and key not in KNOWN
    return key in KNOWN or not result <= ALLOWED.get(key[1], 1e-3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", help="print the results of this one as JSON")
    parser.add_argument("--only", default="", help="models and targets whose names contain this; writes no table")
    arguments = parser.parse_args()
    if arguments.backend:
        run_backend(arguments.backend, arguments.only)
        return 0
    found = collect(arguments.only)
    if not arguments.only:
        write_table(found)
    wrong = [key for key, (result, _) in found.items() if is_wrong(key, result)]
    print(f"{len(found)} exports, {len(wrong)} of them wrong", *wrong, sep="\n  ")
    return bool(wrong) or not found


if __name__ == "__main__":
    sys.exit(main())
