"""A campaign goes on where it was, counts what it did, and leaves evidence only of success."""

import json
from pathlib import Path

import pytest

from common.errors import CommandError
from common.jobs import Figures
from tb.sim.runner import Outcome
from verify import record
from verify.campaigns import campaign
from verify.campaigns.campaign import Campaign, Step


def step(folder: str, name: str) -> Figures:
    """A step that leaves a mark each time it runs, and fails while ``broken`` is there."""
    with Path(folder, f"{name}.runs").open("a") as marks:
        marks.write("x")
    if Path(folder, name).exists():
        raise CommandError(f"{name} is broken")
    return {"simulations": 1, "values compared": 10}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    monkeypatch.setattr(campaign, "BUILD", tmp_path / "build")
    monkeypatch.setattr(record, "FOLDER", tmp_path / "evidence")
    steps = {
        name: Step("tests.verify.test_campaign:step", {"folder": str(tmp_path), "name": name})
        for name in ("one", "two")
    }
    return Campaign("tried", 6, "it holds", "make tried", steps, seed=1)


def test_campaign_goes_on_where_it_was(made: Campaign, tmp_path: Path) -> None:
    (tmp_path / "two").touch()
    with pytest.raises(CommandError, match="two is broken"):
        made.run(1)
    assert not (tmp_path / "evidence").exists()
    (tmp_path / "two").unlink()
    assert made.run(1) == {"steps": 2, "simulations": 2, "values compared": 20}
    assert made.run(1)["simulations"] == 2
    runs = {name: len((tmp_path / f"{name}.runs").read_text()) for name in ("one", "two")}
    assert runs == {"one": 1, "two": 2}
    found = json.loads((tmp_path / "evidence/tried.json").read_text())
    assert (found["level"], found["figures"]["values compared"], found["seed"]) == (6, 20, 1)


def test_simulation_that_compared_nothing_is_no_step() -> None:
    assert campaign.figures_of(Outcome(2, 0.0, 0.0, 5))["values compared"] == 5
    with pytest.raises(CommandError, match="compared nothing"):
        campaign.figures_of(Outcome(2, 0.0, 0.0, 0))
