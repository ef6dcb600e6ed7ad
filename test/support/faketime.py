"""Another clock for a server, by libfaketime: environments for a start."""

import glob
import os
import subprocess

from support.server import GRAMME


def at(offset):
    """At an offset such as "+40d"."""
    return _environment(offset) | {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def fast(times):
    """From now on so many times as fast, all waits too."""
    return _environment(f"+0 x{times}")


def _environment(when):
    # The sanitizer's allocator asks for the time while it holds a lock, and at the first question libfaketime enlarges
    # the environment by that allocator: with as many variables as make its size the one that is locked, it hangs.
    quiet = "allocator_release_to_os_interval_ms=-1"
    return {"LD_PRELOAD": _preload(), "FAKETIME": when, "FAKETIME_NO_CACHE": "1",
            "ASAN_OPTIONS": ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), quiet]))}


def _preload():
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not libraries:
        raise AssertionError("libfaketime is not installed")
    needed = subprocess.run(["ldd", GRAMME], capture_output=True, text=True, check=True).stdout
    # A sanitizer wants to be the first of all libraries.
    first = [line.split("=>")[1].split()[0] for line in needed.splitlines() if "libasan" in line]
    return ":".join(first + libraries)
