"""Random calls of every public name of the module with nonsense: a value or one of its own errors, and nothing else.

    python tests/fuzz/calls.py --cases 2000 --seed 1

Each case starts from a call that works, and spoils an argument or two. A finding is an error of another class, a call
that takes longer than half a minute, a failure that has used up random numbers, or a layer that cannot be saved.
"""

import argparse
import collections
import datetime
import decimal
import fractions
import inspect
import os
import pathlib
import random
import signal
import sys
import tempfile
import traceback
import types
import warnings

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "inst" / "python"))

import keras  # noqa: E402
import numpy as np  # noqa: E402

import kerascrop  # noqa: E402
from kerascrop import checks  # noqa: E402

SEEN = []  # what a layer was called with last, for findings
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
SECONDS = 30  # that a call may take


class Unshowable:
    """An object that fails when it is printed, compared or counted."""

    def __repr__(self):
        raise RuntimeError("cannot be shown")

    __str__ = __eq__ = __bool__ = __len__ = __float__ = __array__ = lambda self, *_: self.__repr__()
    __hash__ = None


class Odd(str):
    """A string that is not one of the strings that it equals."""


NONSENSE = [
    lambda: None, lambda: True, lambda: np.bool_(False), lambda: 0, lambda: 1, lambda: -1, lambda: 2.5, lambda: -0.0,
    lambda: float("nan"), lambda: float("inf"), lambda: -float("inf"), lambda: 2**31 - 1, lambda: 2**31,
    lambda: 2**63, lambda: -(2**31), lambda: 10**400, lambda: 10**5000, lambda: 1e300, lambda: 1e-320,
    lambda: np.float16(3), lambda: np.int8(-3), lambda: np.uint64(2**63), lambda: np.float64("nan"),
    lambda: decimal.Decimal("NaN"), lambda: decimal.Decimal("3"), lambda: fractions.Fraction(7, 2), lambda: 3 + 0j,
    lambda: 2 + 1j, lambda: "", lambda: "pad", lambda: "channels_first", lambda: "mask", lambda: "ten",
    lambda: "a" * 100_000, lambda: "\ud800", lambda: "{}", lambda: "%s %d", lambda: "\x1b[1mbold\x1b[0m",
    lambda: Odd("error"), lambda: b"pad", lambda: bytearray(b"xyxy"), lambda: set(), lambda: {1, 2}, lambda: {},
    lambda: {"images": 1}, lambda: {"class_name": "Dense"}, lambda: {None: 1}, lambda: [], lambda: (), lambda: [[]],
    lambda: [None], lambda: (4, 5), lambda: [4, None], lambda: (2, 3, 4), lambda: [1, [2, 3]], lambda: ((1, 2), (3, 4)),
    lambda: [float("nan")] * 4, lambda: [10**400, 1], lambda: ["4", "5"], lambda: list(range(1000)),
    lambda: (i for i in range(3)), lambda: range(2), lambda: iter([]), lambda: map(abs, [1]),
    lambda: np.array(3), lambda: np.array(["pad"]), lambda: np.array([]), lambda: np.array([3]),
    lambda: np.array([1, 2]), lambda: np.zeros((0, 4)), lambda: np.zeros((0, 8, 9, 3)), lambda: np.zeros((2, 0, 9, 3)),
    lambda: np.zeros((2, 8, 9, 0)), lambda: np.zeros((8, 9)), lambda: np.zeros((8, 9, 3)), lambda: np.zeros((1,) * 9),
    lambda: np.full((2, 4), np.nan), lambda: np.array([[1, 2, 5, 6]] * 2), lambda: np.array([None, 1], dtype=object),
    lambda: np.array([[1, 2], None], dtype=object), lambda: np.array(["a", "b"], dtype=object),
    lambda: np.zeros((2, 8, 9, 3), "complex64"), lambda: np.zeros((2, 4), "datetime64[s]"),
    lambda: np.zeros((2, 4), [("x", "f4")]), lambda: np.ma.masked_array(np.zeros((2, 4)), True),
    lambda: np.zeros((2, 8, 9, 3), "uint8"), lambda: np.zeros((2, 3, 8, 9), "float16"), lambda: np.zeros(4, bool),
    lambda: np.float32, lambda: np.dtype("int32"), lambda: int, lambda: object(), lambda: NotImplemented,
    lambda: Ellipsis, lambda: slice(1, 3), lambda: len, lambda: lambda: None, lambda: lambda images, training: images,
    lambda: lambda images, training: None, lambda: types, lambda: kerascrop.CenterCrop, lambda: Unshowable(),
    lambda: ValueError("an error"), lambda: datetime.date(2024, 2, 29), lambda: pathlib.Path("."),
    lambda: keras.KerasTensor((None, 8, 9, 3)), lambda: keras.KerasTensor((2, 4)), lambda: keras.KerasTensor(()),
    lambda: keras.KerasTensor((None, None, None, None)), lambda: keras.ops.ones((2, 4)), lambda: keras.ops.ones(()),
    lambda: keras.ops.ones((2, 8, 9, 3), "int32"), lambda: keras.Variable(1.0), lambda: keras.layers.Dense(2),
    lambda: keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)]), lambda: kerascrop.CenterCrop(2, 2),
    lambda: keras.mixed_precision.DTypePolicy("mixed_float16"), lambda: keras.random.SeedGenerator(1),
    lambda: kerascrop.Windows((1, 1), (2, 2)), lambda: kerascrop.Samples(np.ones((1, 4)), (2, 2)), lambda: sys.stdin,
]
if ON_TENSORFLOW:
    import tensorflow as tf

    NONSENSE += [
        lambda: tf.constant("pad"), lambda: tf.ragged.constant([[1.0], [2.0, 3.0]]), lambda: tf.TensorSpec([2, 4]),
        lambda: tf.sparse.eye(3), lambda: tf.TensorShape([None, 8, 9, 3]), lambda: tf.TensorShape(None),
        lambda: tf.data.Dataset.range(3), lambda: tf.Variable([1.0]), lambda: tf.float32,
        lambda: tf.ragged.constant([[[[1.0]]], [[[1.0]], [[2.0]]]]),
    ]


def frozen(*shape, dtype="float32", scale=1.0):
    """Numbers that a call must not write into."""
    array = (np.arange(np.prod(shape)) % 97 / 97 * scale).astype(dtype).reshape(shape)
    array.flags.writeable = False
    return array


BOX = lambda n=2: np.tile(np.array([[1.0, 2.0, 5.0, 7.0]], "float32"), (n, 1))
IMAGES = {
    1: lambda: frozen(2, 12, 3), 2: lambda: frozen(2, 12, 14, 3), 3: lambda: frozen(2, 6, 12, 14, 1),
}

# Values of constructors' arguments that work, by their names; the others have the defaults.
ARGUMENTS = {
    "height": 4, "width": 5, "depth": 3, "length": 4, "cropping": 1, "steps": (1, 5),
    "slices": (1, 3), "rows": (1, 5), "cols": (-7, -2), "seed": 3, "data_format": "channels_last",
    "name": "crop", "dtype": "float32", "trainable": True, "choose": lambda images, training: BOX(len(images)),
}
OF_KERAS = ("name", "dtype", "trainable")


def arguments(function, extra=()):
    """The arguments of a function by name, each with a value that works, or its default."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        found[name] = ARGUMENTS.get(name, parameter.default)
    return found | {name: ARGUMENTS[name] for name in extra}


def joint(rank, batch=2):
    """Images, and all that can go with them."""
    images = IMAGES[rank]()
    boxes = np.tile(np.array([1.0] * rank + [5.0] * rank, "float32"), (batch, 3, 1))
    return {
        "images": images, "segmentation_masks": frozen(*images.shape[:-1], dtype="int32", scale=5),
        "bounding_boxes": {"boxes": boxes, "labels": np.ones((batch, 3), "int32")},
        "keypoints": np.ones((batch, 2, rank), "float32"), "labels": np.ones(batch),
    }


class Case:
    """A call with arguments that work: a function, its arguments by name, and what is done with its result."""

    def __init__(self, function, arguments, then=()):
        self.function, self.arguments, self.then = function, arguments, then


def layer_cases(layer_class):
    """A layer is made; it is called, asked for shapes, and saved."""
    rank = getattr(layer_class, "rank", None)
    parameters = layer_class.__mro__[: layer_class.__mro__.index(keras.layers.Layer)]
    given = {}
    for ancestor in reversed(parameters):
        given = arguments(ancestor.__init__, OF_KERAS) | given
    own = arguments(layer_class.__init__, OF_KERAS)
    given = {
        name: value for name, value in (own | given).items()
        if value is not inspect.Parameter.empty and name not in ("sizes", "autocast")
    }
    if layer_class is kerascrop.Uncrop:
        inputs = lambda: [frozen(2, 4, 5, 3), BOX()]
        given = {"height": 12, "width": 14} | {name: given[name] for name in given if name in own} | {"name": "crop"}
        given |= {"height": 12, "width": 14}
    elif layer_class is kerascrop.CropPool:
        inputs = lambda: random.choice([frozen(2, 3, 4), [frozen(2, 3, 4), frozen(2, 3)]])
    elif layer_class is kerascrop.BoxCrop:
        inputs = lambda: random.choice([[IMAGES[2](), BOX()], joint(2) | {"boxes": BOX()}])
    elif issubclass(layer_class, kerascrop.CropLike):
        reference = lambda: {"reference": IMAGES[rank]()[..., 1:6, :]}
        inputs = lambda: random.choice([[IMAGES[rank](), *reference().values()], joint(rank) | reference()])
    else:
        inputs = lambda: random.choice([IMAGES[rank](), joint(rank)])
    return Case(lambda **given: layer_class(**given), given, [called_with(inputs), saved])


def called_with(inputs):
    def call(layer):
        data = inputs()
        spoilt = random.random() < 0.5
        if spoilt:
            data = spoil_part(data)
        SEEN[:] = [data]
        keywords = {"training": random.choice([True, False, None])} if isinstance(layer, kerascrop.Crop) else {}
        if spoilt and keywords and random.random() < 0.1:
            keywords["training"] = random.choice(NONSENSE)()
        others = [random.choice(NONSENSE)()] if spoilt and random.random() < 0.05 else []
        layer(data, *others, **keywords)
        if random.random() < 0.3:
            name_of = lambda dtype: keras.backend.standardize_dtype(getattr(dtype, "name", dtype))
            symbol = lambda x: None if x is None else keras.KerasTensor((None, *x.shape[1:]), name_of(x.dtype))
            layer(keras.tree.map_structure(symbol, data))

    return call


def spoil_part(data):
    """One of the parts of inputs, or all, replaced by nonsense."""
    value = random.choice(NONSENSE)()
    if isinstance(data, dict) and random.random() < 0.9:
        key = random.choice(list(data))
        return data | {key: spoil_part(data[key]) if isinstance(data[key], dict) else value}
    if isinstance(data, list) and random.random() < 0.9:
        i = random.randrange(len(data))
        return [*data[:i], value, *data[i + 1 :]]
    return value


def saved(layer):
    if isinstance(layer, kerascrop.CustomCrop) or type(layer) is kerascrop.Crop:
        return
    config = layer.get_config()
    again = type(layer).from_config(config)
    if not isinstance(config.get("localizer"), dict):
        assert str(again.get_config()) == str(config), "A layer that is loaded has other settings."
    keras.saving.serialize_keras_object(layer)
    import json

    json.dumps(keras.saving.serialize_keras_object(layer))
    repr(layer)


class Bright(kerascrop.Crop):
    def __init__(self, height, width, boxes=None, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width, self.given = height, width, boxes

    def choose(self, data, training):
        if self.given is not None:
            return self.given
        return kerascrop.Samples(kerascrop.boxes_from_masks(data["images"][..., 0] > 0.5), (self.height, self.width))


def folder(into):
    """A folder with two classes of small pictures."""
    for name in ("cat", "dog"):
        (into / name).mkdir()
        for i in range(2):
            keras.utils.save_img(into / name / f"{i}.png", frozen(12, 14, 3, dtype="uint8", scale=255))
    return str(into)


BOXES_OF_IMAGES = {
    "file": ["a.png", "b.png"], "x1": [1, 2], "y1": [0, 1], "x2": [5, 6], "y2": [4, 9], "label": ["a", "b"],
    "height": [12, 12], "width": [14, 14],
}


def annotations(where):
    path = str(where / "annotations.csv")
    kerascrop.write_boxes(BOXES_OF_IMAGES, path)
    return path


def in_folder(where, function):
    """The function, called in a folder that may be written into."""

    def call(**given):
        before = os.getcwd()
        os.chdir(where)
        try:
            return function(**given)
        finally:
            os.chdir(before)

    return call


def take(batches):
    return [batch for batch, _ in zip(batches, range(2))]


def looking():
    model = keras.Sequential([keras.Input((12, 14, 3)), kerascrop.LearnableCrop(4, 5), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2))
    return model


def watched(monitor):
    """A monitor in a training of one step."""
    model = keras.Sequential([keras.Input((12, 14, 3)), kerascrop.LearnableCrop(4, 5, localizer="global")])
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(1))
    model.compile("sgd", "mse", run_eagerly=True)
    monitor.set_model(model)
    monitor.on_train_begin()
    monitor.on_epoch_begin(0)
    monitor.on_epoch_end(0)


def cases(where):
    """A case for each public name."""
    size = {"height": 4, "width": 5}
    resampled = {"antialias": False, "fill_mode": "constant", "interpolation": "bilinear", "align_corners": False}
    sampled = resampled | {"fill_value": 0.0, "gradient_reach": None, "box_indices": None}
    image_size = {"height": 12, "width": 14, "depth": None}
    cut = lambda choice: choice.cut(spoil_part(IMAGES[2]()) if random.random() < 0.5 else IMAGES[2]())
    batches = lambda: [(IMAGES[2](), np.ones(2)), joint(2)]
    found = {
        "Crop": Case(
            lambda **given: Bright(4, 5, **given), arguments(kerascrop.Crop.__init__) | {"boxes": None},
            [called_with(lambda: joint(2))],
        ),
        "Samples": Case(
            kerascrop.Samples, {"boxes": BOX(), "size": (4, 5)} | {k: v for k, v in sampled.items()}, [cut]
        ),
        "Windows": Case(
            kerascrop.Windows, {"starts": (1, 2), "size": (4, 5), "fill_value": 0, "margins": None,
             "fill_mode": "mirror", "mask_fill_value": 0}, [cut]
        ),
        "sample": Case(kerascrop.sample, {"images": IMAGES[2](), "boxes": BOX(), "size": (4, 5)} | sampled),
        "paste": Case(
            kerascrop.paste, {"crops": frozen(2, 4, 5, 3), "boxes": BOX(), "size": (12, 14), "fill_value": 0.0}
        ),
        "adjoint": Case(
            kerascrop.adjoint, {"crops": frozen(2, 4, 5, 3), "boxes": BOX(), "size": (12, 14)} | resampled
        ),
        "box_iou": Case(kerascrop.box_iou, {"boxes": BOX(), "others": BOX()}),
        "boxes_from_masks": Case(kerascrop.boxes_from_masks, {"masks": frozen(2, 8, 9)}),
        "convert_boxes": Case(
            kerascrop.convert_boxes, {"boxes": BOX(), "source": "xyxy", "target": "rel_xywh"} | image_size
        ),
        "theta_from_boxes": Case(kerascrop.theta_from_boxes, {"boxes": BOX(), "box_format": "xyxy"} | image_size),
        "boxes_from_theta": Case(
            kerascrop.boxes_from_theta,
            {"theta": np.array([[[0.5, 0, 0.1], [0, 0.5, 0]]]), "box_format": "xyxy"} | image_size,
        ),
        "propose_boxes": Case(
            kerascrop.propose_boxes, {"model": looking(), "images": IMAGES[2](), "labels": None},
        ),
        "read_boxes": Case(
            in_folder(where, kerascrop.read_boxes),
            {"path": annotations(where), "format": None, "images": None, "first_pixel": None},
        ),
        "write_boxes": Case(
            in_folder(where, kerascrop.write_boxes),
            {
                "boxes": BOXES_OF_IMAGES, "path": "new.json", "format": None, "classes": None, "images": None,
                "first_pixel": 0,
            },
        ),
        "cluttered_digits": Case(
            kerascrop.cluttered_digits,
            {"n": 2, "canvas": 24, "digit": 10, "distractors": 2, "split": "train", "seed": 1},
        ),
        "crop_generator": Case(
            kerascrop.crop_generator,
            {"generator": batches(), **size, "mode": "random", "seed": 1, "if_smaller": "error", "focus": None}, [take],
        ),
        "BoxLoss": Case(
            kerascrop.BoxLoss, {"reduction": "sum", "name": "loss", "dtype": "float32"}, [compared],
        ),
        "BoxIoU": Case(
            kerascrop.BoxIoU, {"name": "iou", "dtype": "float32"}, [lambda metric: compared(metric.update_state)]
        ),
        "CropMonitor": Case(kerascrop.CropMonitor, {"images": IMAGES[2](), "boxes": BOX(), "layer": None}, [watched]),
    }
    if ON_TENSORFLOW:
        pictures = folder(where)
        found["crop_dataset"] = Case(
            kerascrop.crop_dataset,
            {
                "dataset": tf.data.Dataset.from_tensor_slices((IMAGES[2](), np.ones(2))).batch(2), **size,
                "mode": "random", "seed": 1, "num_parallel_calls": None, "if_smaller": "error", "fill_value": 0,
            }, [take],
        )
        given = arguments(kerascrop.crops_from_directory) | {"path": pictures, "batch_size": 2, "seed": 1}
        found["crops_from_directory"] = Case(kerascrop.crops_from_directory, given, [take])
    for name in set(kerascrop.__all__) - set(found) - {"__version__", "BoxWarning"}:
        public = getattr(kerascrop, name)
        if isinstance(public, type) and issubclass(public, keras.layers.Layer):
            found[name] = layer_cases(public)
        elif callable(public):
            given = {"boxes": BOX(), **size} if name == "clip_boxes" else {}
            found[name] = Case(public, arguments(public) | given)
    return found


def compared(compare):
    parts = {"y_true": BOX(), "y_pred": BOX() + 1, "sample_weight": None}
    if random.random() < 0.5:
        parts[random.choice(list(parts))] = random.choice(NONSENSE)()
    SEEN[:] = [parts]
    compare(**parts)


class Slow(BaseException):
    pass


def too_slow(*_):
    raise Slow


def run(name, case):
    """One random call. Returns how it went: "value", the class of an error of ours, or "finding", and a description."""
    spoilt = random.sample(list(case.arguments), min(random.choice([0, 1, 1, 1, 2]), len(case.arguments)))
    which = {argument: random.randrange(len(NONSENSE)) for argument in spoilt}
    given = case.arguments | {argument: NONSENSE[number]() for argument, number in which.items()}
    before = np.random.get_state()[1].copy()
    SEEN.clear()
    stage, error = name, None
    drawn = random.getstate()
    signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(SECONDS)
    try:
        result = case.function(**given)
        for then in case.then:
            stage = f"{name}, then {then.__name__}"
            then(result)
    except (checks.ArgumentError, checks.SizeError, checks.ShapeError, checks.BoxError) as problem:
        error = problem
    except Slow:
        return "finding", f"{stage}: took longer than {SECONDS} s, with {described(given, spoilt)}"
    except Exception as problem:
        where = [frame for frame in traceback.extract_tb(problem.__traceback__) if "fuzz" not in frame.filename]
        ours = [frame for frame in where if "kerascrop" in frame.filename] or where
        place = f"{pathlib.Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}" if ours else "?"
        return "finding", (
            f"{stage}: {type(problem).__name__} at {place}: {str(problem)[:200]!r}, with {described(given, spoilt)}"
        )
    finally:
        signal.alarm(0)
    if error is None:
        return "value", ""
    if stage == name and random.getstate() != drawn:
        return "finding", f"{stage}: a failed call drew random numbers, with {described(given, spoilt)}"
    if not np.array_equal(before, np.random.get_state()[1]):
        return "finding", f"{stage}: a failed call drew NumPy's random numbers, with {described(given, spoilt)}"
    text = str(error)
    if "\x1b[1m" in text.replace("\x1b[1mbold", "") or len(text) > 3000:
        return "finding", f"{stage}: a message with codes or without end, with {described(given, spoilt)}"
    return type(error).__name__, ""


def described(given, spoilt):
    def shown(value):
        try:
            return f"{type(value).__name__} {value!r}"[:120]
        except Exception:
            return type(value).__name__

    parts = [f"{name} = {shown(given[name])}" for name in spoilt]
    for data in SEEN:
        if isinstance(data, (dict, list)):
            named = dict(enumerate(data)) if isinstance(data, list) else data
            parts += [f"inputs[{key!r}]: {shown(part)}" for key, part in named.items()]
        else:
            parts.append(f"inputs: {shown(data)}")
    return "; ".join(parts) or "nothing spoilt"


def main(number, seed, only=None, verbose=True):
    """Runs cases and returns the findings, one of each kind."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    counts, findings = collections.Counter(), {}
    with tempfile.TemporaryDirectory() as where, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        all_cases = cases(pathlib.Path(where))
        names = sorted(set(all_cases) & set(only or all_cases))
        for i in range(number):
            name = names[i % len(names)]
            random.seed(f"{seed} {i}")
            outcome, text = run(name, all_cases[name])
            counts[outcome] += 1
            kind = text.split(", with ")[0]
            if outcome == "finding" and kind not in findings:
                findings[kind] = f"case {i}: {text}"
                if verbose:
                    print(findings[kind], flush=True)
    summary = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    return list(findings.values()), f"{number} calls of {len(names)} names, seed {seed}: {summary}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="public names; all if missing")
    given = parser.parse_args()
    found, summary = main(given.cases, given.seed, given.only)
    print(f"{summary} {len(found)} kinds of findings.")
    sys.exit(bool(found))
