"""What the benches of TensorFlow functions share: two cores, the module from its source, and how they time.

Import it before Keras and TensorFlow, which read their settings when they are imported.
"""

import os
import random
import statistics
import sys
import time
from pathlib import Path

CORES = 2
os.environ.update(
    KERAS_BACKEND="tensorflow",
    TF_CPP_MIN_LOG_LEVEL="3",
    OMP_NUM_THREADS=str(CORES),
    OMP_WAIT_POLICY="PASSIVE",  # PyTorch's threads shall not keep the cores busy while others are timed
)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
sys.path.insert(0, str(Path(__file__).parents[1] / "inst" / "python"))


def medians(functions, rounds, finish):
    """Medians in milliseconds; every function runs once in each round, in a new order, two rounds untimed.

    `finish(result)` waits until a function's result is there, and gives the number of batches that it counts for.
    """
    times = {name: [] for name in functions}
    for number in range(rounds + 2):
        for name, function in random.sample(list(functions.items()), len(functions)):
            start = time.perf_counter()
            batches = finish(function())
            if number >= 2:
                times[name].append(1000 * (time.perf_counter() - start) / batches)
    return {name: statistics.median(values) for name, values in times.items()}
