"""Running commands in plain sight, and Debian's packages."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

LOG = Path(".cache/setup.log")


def say(*words):
    print("setup:", *words, flush=True)


def run(*command, check=True):
    """Run a command with its output in the log, and tell how far it is. If it fails, show the end of that and stop."""
    with LOG.open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            code = wait_for(process)
        except KeyboardInterrupt:
            say("stopping", command[0])
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
    if check and code:
        last_lines = "\n".join(LOG.read_text(errors="replace").splitlines()[-20:])
        sys.exit(f"{last_lines}\nsetup: this failed, see above: {' '.join(command)}")


def wait_for(process):
    """The exit status of a process; until then, the time and the log's last line: all the time, or twice a minute."""
    on_terminal, began = sys.stdout.isatty(), time.monotonic()
    first, last = ("\r\x1b[K", "") if on_terminal else ("", "\n")  # on a terminal one line is written again and again
    while True:
        try:
            code = process.wait(1 if on_terminal else 30)
            break
        except subprocess.TimeoutExpired:
            lines = LOG.read_text(errors="replace").split("\n")
            words = f"{time.monotonic() - began:.0f} s: {lines[-2] if len(lines) > 1 else ''}"
            print(first + f"setup: {words}"[: shutil.get_terminal_size().columns - 1], end=last, flush=True)
    print(first, end="", flush=True)
    return code


def output(*command):
    """What a command prints; nothing if it is missing or fails."""
    found = shutil.which(command[0])
    return subprocess.run([found, *command[1:]], capture_output=True, text=True).stdout if found else ""


def install_from_debian(packages, optional=()):
    """Install these Debian packages, and those of the optional ones that Debian has."""
    if not (packages or optional):
        return
    if not shutil.which("apt-get"):
        sys.exit(f"setup: please install these yourself, under your system's names: {' '.join([*packages, *optional])}")
    is_root = os.geteuid() == 0
    if is_root:
        say("asking Debian which packages it has")
        run("dpkg", "--configure", "-a", check=False)  # an interrupted installation is finished first
        run("apt-get", "update", check=False)
    packages = sorted({*packages, *known_to_debian(optional)} - installed_by_debian())
    if not packages:
        return
    install = ["apt-get", "install", "--no-install-recommends", *packages]
    if not is_root:
        sys.exit(
            "setup: some packages must be installed as root. Please run\n\n"
            f"  sudo apt-get update && sudo {' '.join(install)} -y\n\nand then what you ran just now, again."
        )
    say(f"installing {len(packages)} packages from Debian, and what they need: {amount(install)}. Details: {LOG}")
    say(*packages)
    run(*install, "-y", "-o", "DPkg::Lock::Timeout=600")


def amount(install):
    """What an apt command would fetch, in the words of apt 2 or 3."""
    answer = output("env", "LC_ALL=C", *install, "--assume-no")
    fetched = re.search(r"(?:Need to get|Download size:) ([^/\n]*?[kMG]?B\b)", answer)
    return f"{fetched[1]} to fetch; some minutes" if fetched else "some minutes"


def known_to_debian(packages):
    """Those of the packages that Debian has; all of them before the first `apt-get update`, when apt knows none."""
    known = output("apt-cache", "pkgnames").split()
    return set(packages) & set(known) if "r-base-core" in known else set(packages)


def installed_by_debian():
    lines = output("dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n").splitlines()
    return {package for status, package in map(str.split, lines) if status == "installed"}
