"""How fast the differentiable crop is, against its peers, in one run on 2 cores.

    make bench
    python bench/sampling.py

Each image has one box. A cotangent is fixed, and the crops are returned together with the gradients, so that no
compiler leaves a part out. Every candidate runs once in each round, in a new order; figures are medians. PyTorch's
threads suffer more than others from a busy machine, which would flatter kerascrop: run this on a quiet one.
"""

import argparse
import functools
import os

os.environ["CUDA_VISIBLE_DEVICES"] = ""
from _timing import CORES, medians  # noqa: E402  # isort: skip  # before Keras

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import ops  # noqa: E402

import kerascrop  # noqa: E402

tf.get_logger().setLevel("ERROR")  # graphs traced in a loop are meant here
# Images `(batch, height, width, channels)` and the size of their crops.
SHAPES = (((8, 64, 64, 3), 32), ((64, 60, 60, 1), 24), ((16, 224, 224, 3), 112), ((4, 512, 512, 16), 256))
TASKS = ("forward", "box gradient", "both gradients")
REACH = {"forward": 1.5, "box gradient": 1.2, "both gradients": 1.5}  # times as fast as PyTorch


def random_case(shape, size, scale=None):
    """Images, boxes inside of them (of all sizes from a half on, or `scale` times the crop), and a cotangent."""
    rng = np.random.default_rng(0)
    batch, height, width, channels = shape
    lengths = np.array([width, height])
    sides = rng.uniform(0.5, 1, (batch, 2)) * lengths if scale is None else np.full((batch, 2), scale * size)
    corners = rng.uniform(0, 1, (batch, 2)) * (lengths - sides)
    boxes = np.concatenate([corners, corners + sides], axis=1)
    arrays = rng.normal(size=shape), boxes, rng.normal(size=(batch, size, size, channels))
    return [array.astype("float32") for array in arrays]


def tensorflow_tasks(sample, case, modes=("graph", "XLA")):
    images, boxes, cotangent = map(tf.constant, case)

    def run(*sources):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            crops = sample(images, boxes)
        return crops, tape.gradient(crops, sources, cotangent) if sources else ()

    for task, sources in zip(TASKS, ((), (boxes,), (images, boxes))):
        for mode in modes:
            function = tf.function(functools.partial(run, *sources), jit_compile=mode == "XLA")
            yield (task, mode), function


def torch_tasks(case):
    """`affine_grid` and `grid_sample`, in both layouts."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(CORES)
    functional = torch.nn.functional
    images, boxes, cotangent = map(torch.from_numpy, case)
    lengths = torch.tensor(images.shape[2:0:-1])

    def sample(images, boxes):
        first, last = 2 * boxes[:, :2] / lengths - 1, 2 * boxes[:, 2:] / lengths - 1
        theta = torch.cat([torch.diag_embed((last - first) / 2), ((first + last) / 2)[..., None]], dim=-1)
        size = (*images.shape[:2], *cotangent.shape[1:3])
        grid = functional.affine_grid(theta, size, align_corners=False)
        return functional.grid_sample(images, grid, align_corners=False)

    def run(images, boxes, cotangent):
        crops = sample(images, boxes)
        sources = [source for source in (images, boxes) if source.requires_grad]
        return crops, torch.autograd.grad(crops, sources, cotangent) if sources else ()

    for layout in (torch.contiguous_format, torch.channels_last):
        planes, slopes = (x.permute(0, 3, 1, 2).contiguous(memory_format=layout) for x in (images, cotangent))
        for task in TASKS:
            pixels = planes.detach().requires_grad_(task == "both gradients")
            sides = boxes.detach().requires_grad_(task != "forward")
            yield (task, str(layout).removeprefix("torch.")), functools.partial(run, pixels, sides, slopes)


def crop_and_resize(images, boxes, size):
    """The same crops by `tf.image.crop_and_resize()`: its first and last sample lie half a step inside of ours."""
    lengths = tf.constant([images.shape[2], images.shape[1]], "float32")
    first, last = boxes[:, :2], boxes[:, 2:]
    half = (last - first) / (2 * size)
    corners = [(place - 0.5) / (lengths - 1) for place in (first + half, last - half)]
    corners = tf.concat([corner[:, ::-1] for corner in corners], axis=1)
    return tf.image.crop_and_resize(images, corners, tf.range(len(images)), (size, size))


def map_coordinates(images, boxes, size):
    """The same crops by `keras.ops.image.map_coordinates()`."""
    batch, channels = images.shape[0], images.shape[-1]
    steps = (tf.range(size, dtype="float32") + 0.5) / size
    x, y = (boxes[:, i, None] + steps * (boxes[:, i + 2] - boxes[:, i])[:, None] - 0.5 for i in (0, 1))
    axes = (
        tf.range(batch, dtype="float32")[:, None, None, None],
        y[:, :, None, None],
        x[:, None, :, None],
        tf.range(channels, dtype="float32"),
    )
    places = tf.stack([tf.broadcast_to(axis, (batch, size, size, channels)) for axis in axes])
    return ops.image.map_coordinates(images, places, order=1)


def named(name, tasks):
    return {(name, *key): function for key, function in tasks}


def own_candidates(case):
    plain = functools.partial(kerascrop.sample, size=case[2].shape[1:3])
    return {
        **named("kerascrop", tensorflow_tasks(plain, case)),
        **named("kerascrop antialiased", tensorflow_tasks(functools.partial(plain, antialias=True), case)),
    }


def candidates(case):
    size = case[2].shape[1]
    peer = functools.partial(crop_and_resize, size=size)
    slow = functools.partial(map_coordinates, size=size)
    return {
        **named("PyTorch", torch_tasks(case)),
        **named("crop_and_resize", tensorflow_tasks(peer, case, ["graph"])),
        **named("map_coordinates", list(tensorflow_tasks(slow, case, ["graph"]))[:1]),
        **own_candidates(case),
    }


def finish(result):
    """Waits until all tensors are there."""
    for tensor in tf.nest.flatten(result):
        tensor.detach().numpy() if hasattr(tensor, "detach") else tensor.numpy()
    return 1


def best(times, name, task):
    """The fastest way of a candidate to do a task: milliseconds, and which way."""
    return min((value, key[2]) for key, value in times.items() if key[:2] == (name, task))


def print_ratios(times):
    """What the package promises. A promise about speed is printed, never asserted: machines differ."""
    names = {key[0] for key in times}
    for task in TASKS:
        ours, mode = best(times, "kerascrop", task)
        if "PyTorch" in names:
            ratio = best(times, "PyTorch", task)[0] / ours
            print(f"{task}: {ratio:.2f} times as fast as PyTorch, by {mode} (aim: {REACH[task]})")
        peer, graph = times["crop_and_resize", task, "graph"], times["kerascrop", task, "graph"]
        ratios = f"{peer / ours:.2f} times as fast as crop_and_resize, by {mode}; {peer / graph:.2f} by graph"
        print(f"{task}: {ratios} (aim: 1)")
    ratio = times["map_coordinates", "forward", "graph"] / best(times, "kerascrop", "forward")[0]
    print(f"forward: {ratio:.0f} times as fast as map_coordinates (aim: 20)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21, help="how often each candidate runs")
    arguments = parser.parse_args()
    for shape, size in SHAPES:
        print(f"\n{' x '.join(map(str, shape))} to {size} x {size}\n\n| ms | {' | '.join(TASKS)} |\n|---|---|---|---|")
        times = medians(candidates(random_case(shape, size)), arguments.rounds, finish)
        for name, mode in dict.fromkeys((key[0], key[2]) for key in times):
            cells = [f"{times[name, task, mode]:.2f}" if (name, task, mode) in times else "" for task in TASKS]
            print(f"| {name}, {mode} | {' | '.join(cells)} |")
        print()
        print_ratios(times)
        times = medians(own_candidates(random_case(shape, size, scale=2)), arguments.rounds, finish)
        for task in TASKS:
            (slow, mode), (plain, _) = (best(times, name, task) for name in ("kerascrop antialiased", "kerascrop"))
            print(f"{task} at scale 2: antialias takes {slow / plain:.2f} times as long, by {mode} (aim: 2)")
