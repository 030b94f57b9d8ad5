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
TURN = 0.005  # seconds
sys.path.insert(0, str(Path(__file__).parents[1] / "inst" / "python"))


def medians(functions, rounds, finish):
    """Medians in milliseconds; every function runs once in each round, in a new order, two rounds untimed.

    What takes less than `TURN` seconds is called again and again for as long, and the mean of these calls counts: a
    single short call would be timed with the caches full of another function's numbers. `finish(result)` waits until
    a function's result is there, and gives the number of batches that it counts for.
    """
    times = {name: [] for name in functions}
    calls = dict.fromkeys(functions, 1)
    for number in range(rounds + 2):
        for name, function in random.sample(list(functions.items()), len(functions)):
            start = time.perf_counter()
            batches = sum(finish(function()) for _ in range(calls[name]))
            seconds = time.perf_counter() - start
            if number >= 2:
                times[name].append(1000 * seconds / batches)
            elif number == 1:  # the first round compiles
                calls[name] = max(1, round(TURN / seconds))
    return {name: statistics.median(values) for name, values in times.items()}
