"""Open a waveform in GTKWave or Surfer, its signals in the order in which data passes them."""

import argparse
import difflib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from common import cli
from common.errors import CommandError
from common.paths import BUILD, ROOT
from model.artifact import load
from tb.benches.probes import data_path
from tb.debug.failures import FOLDER as FAILURES
from tb.debug.views import streams_of, write_views
from tb.debug.waveform import Waveform
from tb.job import Job
from tb.modules.registry import CASES, case_named
from tb.sim.simulators import SIMULATORS

# The test that stands for what make sim left.
OF_SIM = "sim"
# Variables that say where a window may open.
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
# Viewers, the first one preferred, and the option that gives each its view.
VIEWERS = {"gtkwave": (".gtkw", []), "surfer": (".sucl", ["--command-file"])}


def run(arguments: argparse.Namespace) -> None:
    """Write the views of the waveform, and open the one whose viewer is there."""
    waveform = find(arguments.test, (ROOT / arguments.build).resolve(), arguments.sim)
    for viewer, (suffix, options) in VIEWERS.items():
        if shutil.which(viewer):
            view = waveform.with_suffix(suffix)
            # GTKWave then prints its options, and ends as if all were well.
            if sys.platform == "linux" and not any(map(os.environ.get, SCREENS)):
                raise CommandError(
                    f"{viewer} needs a screen, and neither {' nor '.join(SCREENS)} is set; "
                    f"{view} is written"
                )
            subprocess.run([viewer, *options, view], check=False)
            return
    raise CommandError(
        f"neither {' nor '.join(VIEWERS)} is on PATH, which would show "
        f"{waveform.with_suffix('.gtkw')} and {waveform.with_suffix('.sucl')}"
    )


def find(test: str, build: Path, simulator: str) -> Path:
    """The waveform of a case, of a failure, or of ``make sim``, with its views beside it."""
    if test == OF_SIM:
        return of_network(build, simulator)
    failed = FAILURES / test / "waves.vcd"
    if failed.exists():
        return failed
    names = [case.name for case in CASES]
    if test not in names:
        known = [*names, *(path.parent.name for path in FAILURES.glob("*/waves.vcd"))]
        near = ", ".join(difflib.get_close_matches(test, known, cutoff=0.3)) or "none like it"
        raise CommandError(
            f"TEST={test} is neither {OF_SIM}, a case of tb/modules nor a folder of "
            f"build/failures; "
            f"near are: {near}"
        )
    return of_case(test, simulator)


def of_network(build: Path, simulator: str) -> Path:
    """Find the waveform of ``make sim``."""
    waveform = build / f"waves-{simulator}.fst"
    if not waveform.exists():
        raise CommandError(f"{waveform} is missing, make sim SIM={simulator} WAVES=1 leaves it")
    write_views(waveform, data_path(load(build / "network.json").spec))
    return waveform


def of_case(name: str, simulator: str) -> Path:
    """The waveform of a case of the regression, simulated now."""
    case = case_named(name)
    folder = BUILD / "waves" / name
    waveform = folder / f"{simulator}.fst"
    case.run(simulator, folder=folder, name=f"waves-{name}", waves=waveform)
    parameters, options = case.prepare(folder)
    write_views(waveform, streams_of(Job(case.module, parameters, options), Waveform(waveform)))
    return waveform


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.waves", description=__doc__)
    built.add_argument(
        "--test",
        default=OF_SIM,
        help="sim, a case of tb/modules, or a folder of build/failures (default: %(default)s)",
    )
    cli.add_build(built)
    cli.add_sim(built, SIMULATORS)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
