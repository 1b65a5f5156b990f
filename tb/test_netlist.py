"""The benches pass on Yosys' netlists, and fail where one cell of them is another."""

import json
import re
import shutil
from pathlib import Path

import pytest

from common.paths import BUILD, GOLDEN, RTL
from common.programs import SimulatorError
from syn.netlist import KINDS, kind_in_environment, netlist
from tb.modules.networks import at, flowers, run_made_up
from tb.modules.registry import case_named
from tb.sim.run_network import EVERY_SAMPLE, LONG_RUN, run_network
from tb.sim.runner import SimulationFailed, simulate

SLICE = (
    "requantize-1-20-8-7",
    "stream_pack-6-1-8",
    "rom-70-12",
    "softmax_sum-3by1-8.4",
    "sigmoid-1by1-2.-3",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SLICE)
def test_netlist_equals_reference(name: str, kind: str) -> None:
    outcome = case_named(name).run("icarus", netlist=kind, name=f"netlist-{kind}-{name}")
    assert outcome.passed > 0 and outcome.compared > 500


def test_every_flower_is_golden_on_the_netlist() -> None:
    name = "netlist-iris"
    _, report = run_network(
        at("serial"),
        flowers(),
        "verilator",
        folder=BUILD / "cases" / name,
        name=name,
        testcase=LONG_RUN,
        netlist="generic",
    )
    golden = json.loads((GOLDEN / "iris.outputs.json").read_text())
    assert report["classes"] == golden["class"]
    assert report["results"] == golden["probabilities"]
    compared = {name: stream["compared"] for name, stream in report["streams"].items()}
    assert compared == {"m_axis.tdata": 450, "m_axis.tuser": 450}


def test_network_of_ice40_cells_equals_reference() -> None:
    name = "netlist-ice40-one-layer"
    outcome = run_made_up("one-layer", "icarus", netlist="ice40", name=name, testcase=EVERY_SAMPLE)
    assert outcome.compared == 40 * (2 + 2)


def test_no_x_stays_in_the_gates_of_the_core_that_learns() -> None:
    """Gates may keep the X of a register that is not reset where the RTL's `case` drops it."""
    name = "netlist-learn-random"
    outcome = case_named("learn_top-random-2").run(
        "icarus",
        netlist="generic",
        name=name,
        testcase="predicts_with_weights_written_at_run_time$",
    )
    assert outcome.compared > 50


REQUANTIZE = case_named("requantize-1-20-8-7")
# The first cell of each kind that stands in the netlist, and another one.
ANOTHER_CELL = {"generic": (r" & ", " | "), "ice40": (r"\.LUT_INIT\(16'h\w\w", ".LUT_INIT(16'h00")}


@pytest.mark.parametrize("kind", KINDS)
def test_one_other_cell_is_caught(kind: str, tmp_path: Path) -> None:
    made = netlist(REQUANTIZE.module, REQUANTIZE.prepare(tmp_path)[0], kind, RTL)
    changed = tmp_path / "cells"
    shutil.copytree(made, changed)
    cells = changed / "cells.v"
    text, count = re.subn(*ANOTHER_CELL[kind], cells.read_text(), count=1)
    assert count == 1 and text != cells.read_text()
    assert REQUANTIZE.run("icarus", rtl=made, name=f"cell-right-{kind}").passed
    cells.write_text(text)
    with pytest.raises(SimulationFailed):
        REQUANTIZE.run("icarus", rtl=changed, name=f"cell-wrong-{kind}")


def test_netlist_is_asked_for_its_own_parameters(tmp_path: Path) -> None:
    module, parameters = REQUANTIZE.module, REQUANTIZE.prepare(tmp_path)[0]
    made = netlist(module, parameters, "generic", RTL)
    others = parameters | {"SHIFT": 6}
    with pytest.raises(SimulationFailed, match=r"need the parameters of this netlist, .*SHIFT=7"):
        simulate(module, others, simulator="icarus", bench="idle_bench", rtl=made, name="other")


@pytest.mark.parametrize("name", ["output-sigmoid-1by1-8.4", "rom-70-12"])
def test_images_are_found_where_yosys_does_not_look(name: str, tmp_path: Path) -> None:
    """Yosys' sandbox has a /tmp of its own; a parameter names an image, or the folder of some."""
    case = case_named(name)
    made = netlist(case.module, case.prepare(tmp_path)[0], "generic", RTL)
    assert list(made.rglob("*.mem"))


def test_design_that_yosys_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlp_relu.v").write_text("module mlp_relu(input a; endmodule\n")
    with pytest.raises(SimulatorError, match="mlp_relu: Yosys cannot synthesize it: "):
        netlist("mlp_relu", {}, "generic", tmp_path)


@pytest.mark.parametrize(
    "asked, kind", [("", None), ("0", None), ("1", "generic"), ("ice40", "ice40")]
)
def test_environment_asks_for_a_kind(
    asked: str, kind: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETLIST", asked)
    assert kind_in_environment() == kind


def test_unknown_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETLIST", "ecp5")
    with pytest.raises(
        SimulatorError, match=r"NETLIST must be one of 0, 1, generic, .*, got 'ecp5'"
    ):
        simulate("mlp_relu", {"W": 8}, simulator="icarus", bench="idle_bench")
