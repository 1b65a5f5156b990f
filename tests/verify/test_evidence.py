"""What a claim is recorded to rest on: no less than its steps did."""

import json
from pathlib import Path

import pytest

from common import imports
from verify import ledger, record


def test_claim_rests_on_the_files_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "FOLDER", tmp_path / "evidence")
    network = tmp_path / "network.json"
    network.write_text("one")
    path = record.record(
        "tried",
        level=3,
        claim="it holds",
        command="make tried",
        figures={"vectors": 1},
        seconds=1.0,
        modules=["model.words"],
        tops=[],
        files=[network],
    )
    entry = json.loads(path.read_text())
    assert ledger.changes(entry) == []
    network.write_text("other")
    assert ledger.changes(entry) == [str(tmp_path)]


def test_one_step_on_all_of_the_rtl_makes_the_claim_rest_on_all() -> None:
    assert record.tops_of(["mlp_top", "mlp_rom", "mlp_top"]) == ["mlp_rom", "mlp_top"]
    assert record.tops_of(["mlp_rom", None]) is None
    named = record.rests_on(record.basis(["model.words"], ["mlp_rom"], []))["sources"]
    every = record.rests_on(record.basis(["model.words"], None, []))["sources"]
    rtl = {f"rtl/{path.name}" for path in imports.below()}
    assert rtl <= set(every) and rtl & set(named) == {"rtl/mlp_rom.v"}
