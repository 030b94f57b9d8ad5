"""Run the test suites named (python, r, browser), and end with one line for all: N passed, N failed, N skipped."""

import csv
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

TAGS = {"failure": "failed", "error": "failed", "skipped": "skipped"}


def python_tests(folder, tests="tests/python"):
    """Run pytest on a folder of tests. Gives the exit status and the outcome of each test: (status, name, reason)."""
    report = os.path.join(folder, "pytest.xml")
    options = ["-q", "-rN", "-p", "no:cacheprovider", "-p", "by_file", "-o", "console_output_style=classic"]
    options += ["--continue-on-collection-errors", "--junitxml", report]
    # The modules come from the source; bytecode written there would look like a change to tools/setup.py.
    folders = os.pathsep.join(map(os.path.abspath, ("inst/python", "tools")))
    settings = {"PYTHONPATH": folders, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [".venv/bin/python", "-m", "pytest", *options, tests]
    code = subprocess.run(command, env={**os.environ, **settings}).returncode
    cases = xml.parse(report).iter("testcase") if os.path.exists(report) else []
    outcomes = []
    for case in cases:
        marks = [mark for mark in case if mark.tag in TAGS]
        status, reason = (TAGS[marks[0].tag], marks[0].get("message", "")) if marks else ("passed", "")
        outcomes.append((status, ".".join(filter(None, [case.get("classname"), case.get("name")])), reason))
    return code, outcomes


def r_tests(folder):
    """Run testthat. Gives the exit status and the outcome of each test_that() block: (status, name, reason)."""
    report = os.path.join(folder, "testthat.csv")
    code = subprocess.run(["Rscript", "tools/testthat.R", report], env={**os.environ, "NOT_CRAN": "true"}).returncode
    if not os.path.exists(report):
        return code, []
    with open(report, newline="") as lines:
        return code, [(row["status"], row["name"], row["reason"]) for row in csv.DictReader(lines)]


def browser_tests(folder):
    """Run the tests of the editor in Chromium, as python_tests() does."""
    return python_tests(folder, "tests/browser")


SUITES = {"python": python_tests, "r": r_tests, "browser": browser_tests}


def run(suite):
    """Run one suite; one that crashed or ran no test counts as a failure."""
    print(f"\n== {suite} tests", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        code, outcomes = SUITES[suite](folder)
    failed = any(status == "failed" for status, _, _ in outcomes)
    if not outcomes or (code != 0 and not failed):
        outcomes.append(("failed", f"{suite} tests", f"ended early, with exit status {code}"))
    return outcomes


def main(suites):
    outcomes = [outcome for suite in suites for outcome in run(suite)]
    print()
    for status, name, reason in outcomes:
        if status != "passed":
            reason = re.sub(r"#x1B\[[0-9;]*m", "", reason)  # colours, as pytest writes them into XML
            print(f"{status}: {name}: {' '.join(reason.split())[:200]}")
    count = {wanted: sum(status == wanted for status, _, _ in outcomes) for wanted in ("passed", "failed", "skipped")}
    print(", ".join(f"{number} {status}" for status, number in count.items()))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nstopped")
