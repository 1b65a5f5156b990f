"""Did both simulators see the same, on every stream, in every cycle?

A cycle of a stream is its valid, its ready and, while valid is high, its payload: what lies on a
bus that nobody offers is anybody's guess, an X under Icarus and a random number under Verilator.
"""

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from common.errors import SimulationError
from common.jobs import Figures
from common.paths import BUILD
from tb.debug.waveform import Value, Waveform
from tb.modules.networks import FOLDS, MADE_UP
from tb.modules.registry import ON_BOTH_SIMULATORS
from tb.sim.run_network import EVERY_SAMPLE
from tb.sim.simulators import SIMULATORS
from tb.streams import PERIOD_NS
from verify.campaigns import campaign
from verify.campaigns.campaign import Campaign, Step


class Disagreement(SimulationError):
    """Simulators that saw different cycles; the message names the first stream and cycle."""


Cycle = tuple[Value, ...]


@dataclass(frozen=True)
class Agreement:
    """Counts of a comparison, never 0: streams, cycles of each, and the sha256 of all."""

    streams: int
    cycles: int
    digest: str


def cycles_of(path: Path) -> dict[str, list[Cycle]]:
    """``(valid, ready, payloads...)`` of each stream of a waveform in each cycle since reset.

    Raises `WaveformError` where there is no waveform.
    """
    waveform = Waveform(path)
    begin, rst = 0, f"{waveform.top}.rst"
    if rst in waveform.names:
        begin = waveform.at_edges(rst).index(1) + 1
    found = {}
    for stream in waveform.handshakes():
        wires = [f"{stream.name}valid", f"{stream.name}ready", *stream.payloads]
        samples = zip(*map(waveform.at_edges, wires), strict=True)
        cycles = [cycle if cycle[0] == 1 else cycle[:2] for cycle in samples]
        found[stream.name] = cycles[begin:]
    return found


def digest(cycles: list[Cycle]) -> str:
    """The sha256 of the cycles of one stream."""
    return hashlib.sha256(repr(cycles).encode()).hexdigest()


def compare(first: dict[str, list[Cycle]], second: dict[str, list[Cycle]]) -> Agreement:
    """Raise `Disagreement` unless both hold the same streams, and each the same cycles."""
    if first.keys() != second.keys():
        names = ", ".join(sorted(first.keys() ^ second.keys()))
        raise Disagreement(f"only one simulator has the streams {names}")
    digests = [{name: digest(cycles) for name, cycles in side.items()} for side in (first, second)]
    if digests[0] != digests[1]:
        raise Disagreement(_first_difference(first, second))
    length = len(next(iter(first.values()), []))
    if not length:
        raise Disagreement("nothing was compared: no stream, or no cycle of one")
    whole = hashlib.sha256("".join(f"{k} {v}\n" for k, v in digests[0].items()).encode())
    return Agreement(len(first), length, whole.hexdigest())


def _first_difference(first: dict[str, list[Cycle]], second: dict[str, list[Cycle]]) -> str:
    """The earliest cycle that differs, and the first stream on which it does."""
    where = []
    for name in first:
        pairs = itertools.zip_longest(first[name], second[name])
        where += [(cycle, name) for cycle, (a, b) in enumerate(pairs) if a != b][:1]
    cycle, name = min(where)
    sides = [
        f"{simulator} {cycles[cycle] if cycle < len(cycles) else 'ended'}"
        for simulator, cycles in zip(SIMULATORS, (first[name], second[name]), strict=True)
    ]
    return (
        f"{name}: cycle {cycle} after the first reset ({cycle * PERIOD_NS} ns): "
        f"{', '.join(sides)} as (valid, ready, payload)"
    )


def same_cycles(run: Callable[[str, Path], object], folder: Path) -> Agreement:
    """``run(simulator, waveform)`` under both simulators, and hold their waveforms together.

    Raises `Disagreement`, and whatever ``run`` raises.
    """
    sides = []
    for simulator in SIMULATORS:
        path = folder / f"{simulator}.fst"
        run(simulator, path)
        sides.append(cycles_of(path))
        path.unlink()
    return compare(*sides)


LABEL = "cycles"


# What a fold of the golden network can show in reasonable waveforms.
FLOWERS = {"serial": 5, "default": 50, "unrolled": 50}


def campaigns() -> list[Campaign]:
    """The one campaign."""
    return [
        Campaign(
            name="same-cycles",
            level=10,
            claim="valid, ready and valid payload of every stream are equal under Icarus and "
            "Verilator in every cycle, by sha256",
            command="make verify-simulator-agreement",
            steps=steps(),
            seed=1,
        )
    ]


def steps() -> dict[str, Step]:
    """Cases that run on both simulators, made-up networks, and the golden one at its folds."""
    here = "verify.campaigns.simulator_agreement"
    found = {
        case.name: campaign.step_of_case(case.name, f"{here}:case_agrees")
        for case in ON_BOTH_SIMULATORS
        if case.bench == "stream_bench"
    }
    made_up = {f"top-{name}": Step(f"{here}:made_up_agrees", {"name": name}) for name in MADE_UP}
    golden = {f"iris-{fold}": Step(f"{here}:golden_agrees", {"fold": fold}) for fold in FOLDS}
    return found | made_up | golden


def case_agrees(name: str) -> Figures:
    """One case."""
    return _agrees(partial(campaign.run_case, LABEL, name), name)


def made_up_agrees(name: str) -> Figures:
    """One made-up network."""
    return _agrees(partial(campaign.run_made_up, LABEL, name), f"top-{name}")


def golden_agrees(fold: str) -> Figures:
    """The golden network, without the resets of its bench: made-up networks have them."""

    def run(simulator: str, **how: Any) -> Figures:
        return campaign.run_golden(
            LABEL, fold, simulator, FLOWERS[fold], testcase=EVERY_SAMPLE, **how
        )

    return _agrees(run, f"iris-{fold}")


def _agrees(run: campaign.Simulation, name: str) -> Figures:
    """Run on both simulators, and compare."""

    def simulated(simulator: str, waves: Path) -> Figures:
        return run(simulator, seed=1, waves=waves)

    found = same_cycles(simulated, BUILD / "campaigns" / f"{LABEL}-waves-{name}")
    compared = found.streams * found.cycles
    return {"streams": found.streams, "cycles": found.cycles, "cycles of streams": compared}


if __name__ == "__main__":
    campaign.main(campaigns, "simulator_agreement", __doc__)
