"""Running commands in plain sight, and Debian's packages."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

LOG = Path(".cache/setup.log")


def say(*words):
    print("setup:", *words, flush=True)


def run(*command, check=True):
    """Run a command with its output in the log. If it fails, show the end of that and stop."""
    with LOG.open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            say("stopping", command[0])
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
    if check and code:
        last_lines = "\n".join(LOG.read_text(errors="replace").splitlines()[-20:])
        sys.exit(f"{last_lines}\nsetup: this failed, see above: {' '.join(command)}")


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
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not is_root:
        sys.exit(
            "setup: some packages must be installed as root. Please run\n\n"
            f"  sudo apt-get update && sudo {' '.join(install)}\n\nand then what you ran just now, again."
        )
    say(f"installing from Debian (some minutes; see {LOG}):", *packages)
    run(*install, "-o", "DPkg::Lock::Timeout=600")


def known_to_debian(packages):
    """Those of the packages that Debian has; all of them before the first `apt-get update`, when apt knows none."""
    known = output("apt-cache", "pkgnames").split()
    return set(packages) & set(known) if "r-base-core" in known else set(packages)


def installed_by_debian():
    lines = output("dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\n").splitlines()
    return {package for status, package in map(str.split, lines) if status == "installed"}
