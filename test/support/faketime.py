"""Another clock for a server, by libfaketime: environments for a start."""

import glob
import os
import subprocess

from support.server import GRAMME

# Its "fix" of waits on the monotonic clock reckons with a faked one: with a real one each ends at once.
REAL_WAITS = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}


def at(offset):
    """At an offset such as "+40d"."""
    return _environment(FAKETIME=offset, **REAL_WAITS)


def fast(times):
    """From now on so many times as fast, all waits too."""
    return _environment(FAKETIME=f"+0 x{times}")


class Clock:
    """A clock that a running server follows, and that stands still where it is set."""

    def __init__(self, path):
        self.path = path
        self.environment = _environment(FAKETIME_TIMESTAMP_FILE=str(path), FAKETIME_FMT="%s", **REAL_WAITS)

    def set(self, micros):
        """Since 1970. The half: what is read from text is cut, not rounded."""
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(f"{micros // 1000000}.{micros % 1000000:06}5")
        unfinished.rename(self.path)


def _environment(**settings):
    # The sanitizer's allocator asks for the time while it holds a lock, and at the first question libfaketime enlarges
    # the environment by that allocator: with as many variables as make its size the one that is locked, it hangs.
    quiet = "allocator_release_to_os_interval_ms=-1"
    return {"LD_PRELOAD": _preload(), "FAKETIME_NO_CACHE": "1", **settings,
            "ASAN_OPTIONS": ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), quiet]))}


def _preload():
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not libraries:
        raise AssertionError("libfaketime is not installed")
    needed = subprocess.run(["ldd", GRAMME], capture_output=True, text=True, check=True).stdout
    # A sanitizer wants to be the first of all libraries.
    first = [line.split("=>")[1].split()[0] for line in needed.splitlines() if "libasan" in line]
    return ":".join(first + libraries)
