"""A pytest plugin: a line for each file of tests, when it is done, instead of a letter for each test."""

import collections
import time

import pytest


class ByFile:
    def __init__(self, terminal):
        self.terminal, self.file = terminal, None

    def pytest_report_teststatus(self, report):
        outcome = report.outcome if report.when == "call" or report.outcome != "passed" else ""
        if outcome:
            self.counts[outcome] += 1
        return outcome if report.when == "call" or outcome != "failed" else "error", "", ""

    def pytest_runtest_logstart(self, nodeid):
        file = nodeid.split("::")[0]
        if file != self.file:
            self.finish()
            self.file, self.counts, self.began = file, collections.Counter(), time.monotonic()

    def finish(self):
        if self.file:
            counts = ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))
            self.terminal.write_line(f"{self.file:50} {counts}, {time.monotonic() - self.began:.1f} s", flush=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self):
        self.finish()


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    config.pluginmanager.register(ByFile(terminal))
