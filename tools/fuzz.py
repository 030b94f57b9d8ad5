"""Draw cases at random and count what is wrong: the property tests on every backend, then the programs in tests/fuzz/.

    python3 tools/fuzz.py CASES SEED [part ...]

A part is a backend, or the name of a program without its ending; all of them run if none is named. It ends with one
line for all: N cases, N findings. The same numbers draw the same cases again.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

# Each backend's share of all cases, for the property tests, and each program's: 100,000 in an hour and a half on one
# core. PyTorch runs 45 cases a second, TensorFlow, which makes a graph of most of them, 8, and JAX, which compiles for
# each new size, 2: they have enough for their own ways of running, as cases are drawn alike for all backends.
BACKENDS = {"tensorflow": 0.12, "jax": 0.03, "torch": 0.72}
PROGRAM = 0.03
PYTHON = ".venv/bin/python"
SETTINGS = {"PYTHONPATH": os.path.abspath("inst/python"), "PYTHONDONTWRITEBYTECODE": "1"}


def parts(cases, seed):
    """Every part's command, and what it needs in its environment."""
    found = {}
    for backend, share in BACKENDS.items():
        settings = {"KERAS_BACKEND": backend, "CASES": str(round(cases * share)), "SEED": str(seed)}
        found[backend] = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/python/properties"], settings
    for program in sorted(Path("tests/fuzz").glob("*.*")):
        runner = {".py": PYTHON, ".R": "Rscript"}.get(program.suffix)
        if runner and not program.name.startswith("_"):
            number = ["--cases", str(max(1, round(cases * PROGRAM))), "--seed", str(seed)]
            found[program.stem] = [runner, str(program), *number], {}
    return found


def run(command, settings):
    """Run a part; gives its numbers of cases and of findings, as it says them in its last lines."""
    environment = {**os.environ, **SETTINGS, **settings}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    said = " ".join(lines[-20:])
    cases = re.findall(r"([\d,]+) (?:cases|calls)\b", said)
    findings = re.findall(r"([\d,]+) (?:kinds of )?findings?\b", said)
    number = lambda found: int(found[-1].replace(",", "")) if found else 0
    return number(cases), max(number(findings), process.returncode != 0)


def main(cases, seed, wanted):
    total, findings = 0, {}
    all_parts = parts(int(cases), int(seed))
    unknown = set(wanted) - set(all_parts)
    if unknown:
        sys.exit(f"fuzz: no such part: {', '.join(sorted(unknown))}; there are {', '.join(all_parts)}")
    for name in wanted or all_parts:
        print(f"\n== {name}", flush=True)
        number, found = run(*all_parts[name])
        total += number
        if found:
            findings[name] = found
    for name in findings:
        print(f"\nto repeat: make fuzz CASES={cases} SEED={seed} PARTS={name}")
    print(f"\n{total:,} cases, {sum(findings.values())} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    try:
        sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except KeyboardInterrupt:
        sys.exit("\nstopped")
