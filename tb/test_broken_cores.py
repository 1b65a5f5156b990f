"""Cores that break one promise each: the bench of whole networks says which; nothing is left out.

Where a broken core gives the correct values, one check of the bench stands alone.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tb.modules.mutant import Mutant, mutated
from tb.sim.run_network import EVERY_SAMPLE, LONG_RUN, run_network
from tb.sim.runner import MAX_FAILURES, SimulationFailed
from tb.test_divergence import NETWORK, X

WRONG_LENGTH = "drops_samples_of_wrong_length"
DIFFERS = r"\w+\.\w+: (sample \d+, element \d+: expected|a beat beyond)"
# The valid of the last module, and the core's own, which takes its place.
VALID = ".out_valid(m_axis_tvalid), "
GIVEN = ".out_valid(given), "
TUSER = "assign m_axis_tuser ="


@dataclass(frozen=True)
class Broken:
    """Texts of a module that become others, the test of the bench that fails, its complaint."""

    module: str
    changes: tuple[tuple[str, str], ...]
    testcase: str
    complaint: str


def inverted(port: str) -> tuple[tuple[str, str], ...]:
    """Changes of `mlp_top` by which an output is what an instance's ``.port(output)`` is not."""
    output = port[port.index("(") + 1 : -1]
    inverse = f"wire not_{output};\n    assign {output} = !not_{output};\n    {TUSER}"
    return (port, port.replace(f"({output})", f"(not_{output})")), (TUSER, inverse)


BROKEN = {
    "ends_every_beat": Broken(
        "mlp_top",
        (
            (".out_last(m_axis_tlast)", ".out_last(given_last)"),
            (TUSER, f"wire given_last;\n    assign m_axis_tlast = 1'b1;\n    {TUSER}"),
        ),
        LONG_RUN,
        "m_axis: tlast stands elsewhere",
    ),
    "invents_a_result_after_the_last": Broken(
        "mlp_top",
        (
            (VALID, GIVEN),
            (
                TUSER,
                "wire given;\n"
                "    reg [4:0] idle;\n"
                "    always @(posedge clk) idle <= rst ? 5'd31 : given ? 5'd0\n"
                "        : idle == 5'd31 ? idle : idle + 5'd1;\n"
                "    assign m_axis_tvalid = given || idle == 5'd10;\n"
                f"    {TUSER}",
            ),
        ),
        EVERY_SAMPLE,
        "m_axis: a beat out of nowhere",
    ),
    "waits_for_ready_before_valid": Broken(
        "mlp_top",
        (
            (VALID, GIVEN),
            (
                TUSER,
                f"wire given;\n    assign m_axis_tvalid = given && m_axis_tready;\n    {TUSER}",
            ),
        ),
        "holds_every_value_until_it_is_taken",
        "m_axis: no beat waits",
    ),
    "says_that_weights_were_loaded": Broken(
        "mlp_top", inverted(".done(load_done)"), EVERY_SAMPLE, "a verdict out of nowhere"
    ),
    "says_that_weights_were_refused": Broken(
        "mlp_top", inverted(".refused(load_refused)"), EVERY_SAMPLE, "a verdict out of nowhere"
    ),
    "takes_weights_without_a_memory": Broken(
        "mlp_top",
        inverted(".s_load_tready(s_load_tready)"),
        EVERY_SAMPLE,
        "s_load: ready for what it cannot take",
    ),
    "takes_samples_that_are_too_long": Broken(
        "mlp_stream_pack",
        (("in_last && complete", "in_last && (complete || too_long)"),),
        WRONG_LENGTH,
        DIFFERS,
    ),
    # The first of them is only in part there: the rest is an X.
    "takes_samples_that_are_too_short": Broken(
        "mlp_stream_pack",
        (("in_last && complete", "in_last && !too_long"),),
        WRONG_LENGTH,
        f"{DIFFERS}|non-0/1 values",
    ),
    "computes_on_over_a_reset": Broken(
        "mlp_fold",
        (
            (
                "if (rst)\n            out_valid <= 1'b0;",
                "if (rst)\n            out_valid <= out_valid === 1'b1;",
            ),
        ),
        "survives_reset_at_every_cycle",
        DIFFERS,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_core_is_noticed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MAX_FAILURES, "1")
    broken, rtl = BROKEN[name], None
    for number, (text, instead) in enumerate(broken.changes):
        mutant = Mutant(name, broken.module, text, instead)
        folder = tmp_path / f"rtl{number}"
        rtl = mutated(mutant, folder, rtl) if rtl else mutated(mutant, folder)
    assert rtl
    with pytest.raises(SimulationFailed, match=broken.complaint):
        run_network(
            NETWORK,
            X,
            "icarus",
            folder=tmp_path,
            name=f"broken-{name}",
            rtl=rtl,
            testcase=broken.testcase,
        )


def test_every_stream_of_the_core_is_compared_whole(tmp_path: Path) -> None:
    """4 inputs, 6 neurons, 3 classes: each stream by its name, each of its values."""
    outcome, report = run_network(
        NETWORK, X, "icarus", folder=tmp_path, name="broken-none", testcase=EVERY_SAMPLE
    )
    expected = {
        **{"fc1.x": 4, "fc1.acc": 6, "fc1.y": 6, "fc1.relu": 6, "fc2.x": 6, "fc2.acc": 3},
        **{"fc2.y": 3, "softmax.x": 3, "softmax.scores": 3, "softmax.totals": 1},
        **{"softmax.quotients": 3, "softmax.probabilities": 3, "softmax.class": 1},
        **{"m_axis.tdata": 3, "m_axis.tuser": 3},
    }
    found = {name: stream["compared"] for name, stream in report["streams"].items()}
    assert found == {name: count * len(X) for name, count in expected.items()}
    assert outcome.compared == sum(found.values())
    assert not any(stream["differing"] for stream in report["streams"].values())
