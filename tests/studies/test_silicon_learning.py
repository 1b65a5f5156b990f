"""The study of the silicon of the core that learns: its page, and the rates for the bench."""

import json
from argparse import Namespace
from pathlib import Path

import pytest

from scripts import bench_learning
from studies import silicon_learning
from studies.silicon_learning import Build, Found
from syn.synthesis import Netlist, Placement
from syn.targets import KINDS

CELLS = dict.fromkeys(KINDS, 7)


def found(build: Build, *megahertz: float) -> Found:
    """A result of the tools, a placement for each clock."""
    netlist = Netlist(Path(), CELLS, {}, {"mlp_learn_top": CELLS}, (), 1.0)
    placements = [
        Placement(seed, clock, CELLS, CELLS, (), 1.0) for seed, clock in enumerate(megahertz, 1)
    ]
    return Found(netlist, tuple(placements))


def test_bench_reads_the_rates_of_the_study(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rates = tmp_path / "rates.json"
    assert bench_learning.placed(rates) == {}
    monkeypatch.setattr(silicon_learning, "RATES", rates)
    monkeypatch.setattr(
        silicon_learning, "measure", lambda build, *_: found(build, 99.0, 101.0, 90.0)
    )
    silicon_learning.run(Namespace(seeds="1,2,3", docs=tmp_path))
    page = (tmp_path / "silicon-learning.md").read_text()
    made = bench_learning.placed(rates)
    assert made == json.loads(rates.read_text()) and len(made) == 2
    for build in silicon_learning.builds():
        # The median of the seeds.
        rate = round(99e6 / build.core.cycles)
        assert made[f"{build.name}, L = {build.core.lanes}"] == rate
        assert f"| {rate:,} |" in page
