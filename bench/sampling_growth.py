"""How time and memory of the differentiable crop grow, from crops of 32x32 to 1024x1024 and from 1 to 256 images.

    python bench/sampling_growth.py growth.png

Boxes are twice as large as the crops. The peak of the memory is that of a process of its own for each figure, above
what it held before the call: Linux only, as the kernel is asked to forget the former peak. With a path, both are drawn
over the numbers in all crops, on logarithmic axes, where linear growth has slope 1: larger crops with lines, more of
them with dots.
"""

import argparse
import concurrent.futures
import functools
import multiprocessing
import os
import re
from pathlib import Path

# Large arrays go back to the system when they are freed, so that the peak of a call is seen.
os.environ["MALLOC_MMAP_THRESHOLD_"] = "65536"
import sampling  # isort: skip  # before Keras
from _timing import medians  # isort: skip

import kerascrop  # noqa: E402

WAYS = {"plain": False, "antialiased": True}


def cases():
    """The shape of images and the size of their crops by a name."""
    for size in (2**i for i in range(5, 11)):
        yield f"4 crops of {size} x {size}", (4, 2 * size, 2 * size, 3), size
    for batch in (1, 4, 16, 64, 256):
        yield f"{batch} crops of 32 x 32", (batch, 64, 64, 3), 32


def functions(shape, size):
    """Forward, and with both gradients, of both ways, compiled."""
    case = sampling.random_case(shape, size, 2)
    for name, antialias in WAYS.items():
        sample = functools.partial(kerascrop.sample, size=(size, size), antialias=antialias)
        for (task, _), function in sampling.tensorflow_tasks(sample, case, ["XLA"]):
            if task != "box gradient":
                yield (name, task), function


def peak(shape, size, key):
    """Megabytes at the peak of a call, above those before it."""
    function = dict(functions(shape, size))[key]
    sampling.finish(function())  # compiles
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # from here VmHWM, the peak, is counted anew
    sampling.finish(function())
    return (status("VmHWM") - before) / 1024


def status(name):
    return int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1])


def measure(rounds):
    """For each case the numbers in its crops, milliseconds, and megabytes."""
    spawn = multiprocessing.get_context("spawn")
    for name, shape, size in cases():
        times = medians(dict(functions(shape, size)), rounds, sampling.finish)
        memory = {}
        for key in times:
            with concurrent.futures.ProcessPoolExecutor(1, spawn) as pool:
                memory[key] = pool.submit(peak, shape, size, key).result()
        yield name, shape[0] * size * size * shape[3], times, memory


def draw(rows, path):
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    panels = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")[1]
    by_size, by_number = rows[:6], rows[6:]
    for panel, title, column in zip(panels, ("milliseconds", "megabytes at the peak"), (2, 3)):
        for color, key in zip(("C0", "C1", "C2", "C3"), rows[0][2]):
            for part, style, label in ((by_size, "-", ", ".join(key)), (by_number, ":", None)):
                points = [(row[1], row[column][key]) for row in part]
                panel.loglog(*zip(*points), f"{color}{style}o", label=label)
        ends = [rows[0][1], by_size[-1][1]]
        slope = max(by_size[-1][column].values()) / ends[1]
        panel.loglog(ends, [slope * end for end in ends], "k--", label="linear")
        panel.set(xlabel="numbers in all crops", title=title)
    panels[1].set_ylim(bottom=0.1)  # less is lost between pages
    panels[0].legend(fontsize="small")
    plt.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plot", nargs="?", metavar="PNG", help="where to draw it; needs matplotlib")
    parser.add_argument("--rounds", type=int, default=7, help="how often each function is timed")
    arguments = parser.parse_args()
    rows = []
    for row in measure(arguments.rounds):
        rows.append(row)
        name, _, times, memory = row
        if len(rows) == 1:
            print("| ms, MB | " + " | ".join(", ".join(key) for key in times) + " |\n|" + "---|" * (len(times) + 1))
        cells = " | ".join(f"{times[key]:.2f}, {memory[key]:.1f}" for key in times)
        print(f"| {name} | {cells} |", flush=True)
    if arguments.plot:
        draw(rows, arguments.plot)
