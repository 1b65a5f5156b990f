"""Wide inputs in a memory: what the study compares, and what a memory must save."""

from pathlib import Path

import pytest

from studies import wide_inputs
from studies.unnamed import unnamed
from syn import synthesis
from syn.targets import target
from tb.sim.made_up import made_up


def test_networks_of_the_study_choose_a_memory() -> None:
    found = wide_inputs.networks()
    assert [len(network.spec.layers) for network in found.values()] == [4, 4]
    for network in found.values():
        assert network.spec.memory
        chosen = wide_inputs.design(network, memory=True).parameters
        assert chosen == network.spec.parameters(synthesis.IMAGES)
        others = wide_inputs.design(network, memory=False).parameters
        assert others == {**chosen, "MEMORY": 0}
    assert found["serial"].spec.area.multipliers == 4 + 1
    multipliers = sum(layer.multipliers for layer in found["200 multipliers"].spec.layers)
    assert 100 < multipliers <= 200


def test_memory_saves_what_registers_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "FOLDER", tmp_path)
    network = made_up([128, 2, 2])
    registers, memory = (
        synthesis.synthesize(wide_inputs.design(network, memory=kept), target("ecp5")).cells
        for kept in (False, True)
    )
    assert memory["FF"] < 0.4 * registers["FF"] and registers["FF"] > 2 * 128 * 8
    assert memory["LUT"] < 0.7 * registers["LUT"]
    assert memory["DSP"] == registers["DSP"]


def test_cells_without_names_are_as_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "FOLDER", tmp_path)
    design, family = wide_inputs.design(made_up([32, 2, 2]), memory=True), target("ecp5")
    named, counted = (synthesis.synthesize(design, of) for of in (family, unnamed(family)))
    assert counted.cells == named.cells and counted.cells["FF"] > 100
    assert len(counted.instances) < len(named.instances)
