"""Programs that the project runs, and what they say when they fail."""

import subprocess

from common.errors import SimulationError

# In the environment of a worker beside others, where a build keeps to one core.
BESIDE_OTHERS = "VERBATIM_WORKER"
# Characters of a program's last words that an error repeats.
_LAST_WORDS = 300


class SimulatorError(SimulationError):
    """A simulator that is missing or too old, or a design that does not elaborate."""


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The line in which a program says what is wrong."""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    errors = [line.partition("ERROR:")[2].strip() for line in lines if "ERROR:" in line]
    silent = f"status {done.returncode}, without a word"
    return [*errors, *lines[-1:], silent][0][:_LAST_WORDS]
