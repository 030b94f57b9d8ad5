"""The R packages that DESCRIPTION names: which are missing, and where to get them."""

import email
import os
import re
import subprocess
import sys
from pathlib import Path

from system import install_from_debian, output, run, say

CRAN = os.environ.get("CRAN", "https://cloud.r-project.org")
PART_OF_R = {
    *"R base compiler datasets graphics grDevices grid methods parallel splines stats stats4 tcltk tools utils".split()
}
NOT_IN_DEBIAN = {"keras3"}  # for a machine where apt cannot be asked yet
CHECK_NEEDS = ["codetools"]  # R CMD check uses it, and Debian's r-base-core leaves it out


def version(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def named(*fields):
    """The packages in these fields of DESCRIPTION: {name: lowest version}."""
    description = email.message_from_string(Path("DESCRIPTION").read_text(encoding="utf-8"))
    entries = ",".join(description.get(field, "") for field in fields)
    packages = re.findall(r"([A-Za-z][\w.]+)\s*(?:\(>=\s*([\d.-]+)\))?", entries)
    return {name: lowest for name, lowest in packages if name not in PART_OF_R}


def installed():
    """{name: version} of what R has; empty where there is no R, or half of one."""
    code = """
x <- installed.packages()
cat(sprintf("%s %s\\n", x[, "Package"], x[, "Version"])[!duplicated(x[, "Package"])])
"""
    return dict(line.split() for line in output("Rscript", "--no-init-file", "-e", code).splitlines())


def missing(packages):
    have = installed()
    return [name for name, lowest in packages.items() if name not in have or version(have[name]) < version(lowest)]


def debian_names(packages):
    return [f"r-cran-{name.lower()}" for name in packages if name not in NOT_IN_DEBIAN]


def cran_answers():
    """Whether CRAN can be reached, found out within 5 seconds."""
    question = f"import urllib.request; urllib.request.urlopen('{CRAN}/src/contrib/PACKAGES.gz')"
    try:
        return subprocess.run([sys.executable, "-c", question], stderr=subprocess.DEVNULL, timeout=5).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def install_from_cran(packages):
    say(f"installing {len(packages)} R packages from CRAN, and what they need: compiling takes 5 to 20 minutes.")
    say("details: .cache/setup.log;", *packages)
    code = 'install.packages(commandArgs(TRUE), lib = ".rlib", repos = "%s", Ncpus = parallel::detectCores())' % CRAN
    run("Rscript", "-e", code, *packages, check=False)


def install(extra, system_packages):
    """Install what is missing: from CRAN where it answers, else from Debian; the system packages in the same go."""
    required = named("Imports")
    wanted = {**named("Imports", "Suggests"), **dict.fromkeys([*CHECK_NEEDS, *extra], "")}
    use_cran = bool(missing(wanted)) and cran_answers()
    if not installed():
        system_packages = [*system_packages, "r-base-dev" if use_cran else "r-base-core"]
    if use_cran:
        install_from_debian(system_packages)
        install_from_cran(missing(wanted))
        install_from_debian([], debian_names(missing(wanted)))
    else:
        install_from_debian(system_packages, debian_names(missing(wanted)))
    left = missing(wanted)
    if set(left) & {*required, *extra}:
        sys.exit(f"setup: neither CRAN ({CRAN}) nor Debian gave these R packages: {', '.join(left)}")
    for name in left:
        say(f"neither CRAN nor Debian gave {name}: the tests that need it are skipped")
