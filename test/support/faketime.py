"""Another clock for a server, by libfaketime: environments for a start."""

import glob
import subprocess

from support.server import GRAMME


def at(offset):
    """At an offset such as "+40d"."""
    return {"LD_PRELOAD": _preload(), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}


def fast(times):
    """From now on so many times as fast, all waits too."""
    return {"LD_PRELOAD": _preload(), "FAKETIME": f"+0 x{times}", "FAKETIME_NO_CACHE": "1"}


def _preload():
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not libraries:
        raise AssertionError("libfaketime is not installed")
    needed = subprocess.run(["ldd", GRAMME], capture_output=True, text=True, check=True).stdout
    # A sanitizer wants to be the first of all libraries.
    first = [line.split("=>")[1].split()[0] for line in needed.splitlines() if "libasan" in line]
    return ":".join(first + libraries)
