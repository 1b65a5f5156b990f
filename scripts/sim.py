"""Run a network's whole dataset through its RTL and compare every value of every stream."""

import argparse
import json

from rich.console import Console

from common import cli, files
from model import artifact, reference
from scripts.expected import FILE, read_expected
from tb.benches.probes import data_path
from tb.debug.views import views_of, write_views
from tb.sim.run_network import EVERY_SAMPLE, run_network
from tb.sim.simulators import SIMULATORS


def run(arguments: argparse.Namespace) -> None:
    """Write ``rtl-SIM.json`` into the build folder.

    With ``--waves`` also ``waves-SIM.fst``, and the views of it for GTKWave and Surfer.
    """
    build = arguments.build.resolve()
    simulator = arguments.sim
    network = artifact.load(build / "network.json")
    x = reference.encode(network, read_expected(build / FILE)["features"])
    recorded = build / f"waves-{simulator}.fst"
    # One of an earlier simulation would be taken for this one's.
    for path in (recorded, *views_of(recorded)):
        path.unlink(missing_ok=True)
    waves = recorded if arguments.waves else None
    with Console(stderr=True).status(f"{simulator} elaborates, then runs {len(x)} samples"):
        outcome, report = run_network(
            network,
            x,
            simulator,
            folder=build / f"run-{simulator}",
            mem=build / "mem",
            # Recipes of one name are built in folders of their own, and simulated in such too.
            name=f"{network.spec.name}-{files.digest(str(build))[:8]}",
            testcase=EVERY_SAMPLE,
            waves=waves,
        )
    if waves:
        write_views(waves, data_path(network.spec))
    report["seconds"] = {"build": outcome.build_seconds, "simulate": outcome.run_seconds}
    files.write_atomically(build / f"rtl-{simulator}.json", json.dumps(report) + "\n")
    streams = report["streams"].values()
    compared = sum(stream["compared"] for stream in streams)
    print(f"{arguments.build}: {compared:,} values of RTL and reference compared, all equal")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.sim", description=__doc__)
    cli.add_build(built)
    cli.add_sim(built, SIMULATORS)
    built.add_argument("--waves", action="store_true", help="record the waveform of every signal")
    return built


if __name__ == "__main__":
    cli.main(run, parser(), alone=True)
