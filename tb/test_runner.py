"""A simulation passes only when a test ran and passed, on the design that was asked for."""

from pathlib import Path

import pytest

from common.programs import SimulatorError
from tb.modules.named_mutants import Mutant, mutated
from tb.sim.runner import SimulationFailed, _judge, simulate

CASE = '<testcase name="t" classname="c">{}</testcase>'


@pytest.mark.parametrize(
    "inside, reason",
    [
        ("", "the bench holds no test"),
        (CASE.format('<failure message="it broke"/>'), "t: it broke"),
        (CASE.format("<error/>"), "t: error"),
        (CASE.format("<skipped/>"), "t: skipped"),
        (CASE.format("") + CASE.format("<skipped/>"), "t: skipped"),
    ],
)
def test_results_without_a_pass_are_failures(inside: str, reason: str, tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    results.write_text(f"<testsuites><testsuite>{inside}</testsuite></testsuites>")
    with pytest.raises(SimulationFailed, match=reason):
        _judge("mlp_relu", results, tmp_path / "simulation.log")


def test_a_simulation_without_results_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(SimulationFailed, match="ended without results"):
        _judge("mlp_relu", tmp_path / "results.xml", tmp_path / "simulation.log")


def test_a_design_that_does_not_compile_is_named(tmp_path: Path) -> None:
    rtl = mutated(Mutant("", "mlp_relu", "endmodule", "endmodul", ""), tmp_path / "rtl")
    with pytest.raises(SimulatorError, match=r"mlp_relu: icarus cannot build it: .*mlp_relu\.v"):
        simulate("mlp_relu", {"W": 8}, simulator="icarus", bench="idle_bench", rtl=rtl)


# A design that does not let LANES be set: simulators only warn of that.
DEAF = """
module mlp_relu #(parameter W = 8) (
    input wire in_valid, output wire in_ready, input wire in_last, input wire [W-1:0] in_x,
    output wire out_valid, input wire out_ready, output wire out_last, output wire [W-1:0] out_y
);
    localparam LANES = 1;
    assign {out_valid, in_ready, out_last} = {in_valid, out_ready, in_last};
    assign out_y = in_x & {W{!in_x[W-1]}};
endmodule
"""


def test_a_bench_notices_a_design_of_other_parameters(tmp_path: Path) -> None:
    (tmp_path / "mlp_relu.v").write_text(DEAF)
    with pytest.raises(SimulationFailed, match="LANES was elaborated as 1, the bench believes 3"):
        simulate(
            "mlp_relu",
            {"LANES": 3, "W": 8},
            simulator="icarus",
            bench="stream_bench",
            rtl=tmp_path,
            name="other-parameters",
        )
