"""Another clock for a server, by libfaketime: the environment for a start at an offset such as "+40d"."""

import glob
import subprocess

from support.server import GRAMME


def at(offset):
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not libraries:
        raise AssertionError("libfaketime is not installed")
    needed = subprocess.run(["ldd", GRAMME], capture_output=True, text=True, check=True).stdout
    # A sanitizer wants to be the first of all libraries.
    first = [line.split("=>")[1].split()[0] for line in needed.splitlines() if "libasan" in line]
    return {"LD_PRELOAD": ":".join(first + libraries), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_NO_CACHE": "1"}
