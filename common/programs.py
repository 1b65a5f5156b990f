"""Programs that the project runs, and what they say when they fail."""

import errno
import os
import subprocess

from common.errors import SimulationError

# In the environment of a worker beside others, where a build keeps to one core.
BESIDE_OTHERS = "VERBATIM_WORKER"
# What the system says, and programs repeat, when no space is left: whatever else fails fails of it.
DISK_FULL = os.strerror(errno.ENOSPC)
# Characters of a program's last words that an error repeats.
_LAST_WORDS = 300


class SimulatorError(SimulationError):
    """A simulator that is missing or too old, or a design that does not elaborate."""


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The line in which a program says what is wrong."""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    full = [line for line in lines if DISK_FULL in line]
    errors = [line.partition("ERROR:")[2].strip() for line in lines if "ERROR:" in line]
    silent = f"status {done.returncode}, without a word"
    return [*full, *errors, *lines[-1:], silent][0][:_LAST_WORDS]
