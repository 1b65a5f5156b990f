"""Modules that break one promise of a stream each: the bench says which, in its own words.

A register of one beat stands in for `mlp_stream_unpack` of one value. Most of its broken forms give
every value in its turn, so that no scoreboard notices: one check of the bench stands alone.
"""

from pathlib import Path

import pytest

from common.paths import RTL
from tb.modules.mutant import Mutant, mutated
from tb.modules.registry import case_named
from tb.sim.runner import MAX_FAILURES, Outcome, SimulationFailed, simulate

GOOD = """\
module mlp_stream_unpack #(
    parameter N = 1, parameter LANES = 1, parameter W = 8, parameter TAG_W = 1
) (
    input wire clk, input wire rst,
    input wire in_valid, output wire in_ready,
    input wire [W-1:0] in_x, input wire [TAG_W-1:0] in_tag,
    output wire out_valid, input wire out_ready, output wire out_last,
    output wire [W-1:0] out_lanes, output wire [TAG_W-1:0] out_tag
);
    reg             full;
    reg [W-1:0]     x;
    reg [TAG_W-1:0] tag;
    // The cycle before was a stalled one; cycles without a beat since the last one; beats taken.
    reg             stalled;
    reg [3:0]       idle;
    reg [3:0]       count;

    wire takes = in_valid && in_ready;
    wire gives = out_valid && out_ready;

    assign in_ready  = !full || gives;
    assign out_valid = full;
    assign out_last  = 1'b1;
    assign out_lanes = x;
    assign out_tag   = tag;

    always @(posedge clk) begin
        if (rst)
            full <= 1'b0;
        else
            full <= takes || (full && !gives);
    end

    always @(posedge clk) begin
        if (takes) begin
            x   <= in_x;
            tag <= in_tag;
        end
        stalled <= !rst && out_valid && !out_ready;
        idle    <= rst ? 4'd15 : full ? 4'd0 : idle == 4'd15 ? idle : idle + 4'd1;
        count   <= rst ? 4'd0 : count + {3'd0, takes};
    end
endmodule
"""
PARAMETERS = {"N": 1, "LANES": 1, "W": 8, "TAG_W": 1}
AT_RANDOM = "equals_reference_at_random"
AT_CORNERS = "equals_reference_at_corners"
CYCLES = "takes_as_many_cycles_as_its_formulas"
RESETS = "survives_reset_at_every_cycle"


class Broken:
    """The test of the bench that fails, its complaint, and texts that become others."""

    def __init__(self, testcase: str, complaint: str, *changes: tuple[str, str]) -> None:
        self.testcase, self.complaint, self.changes = testcase, complaint, changes

    @property
    def verilog(self) -> str:
        """The broken module."""
        text = GOOD
        for before, after in self.changes:
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        return text


BROKEN = {
    "drops_valid_while_stalled": Broken(
        AT_RANDOM,
        "valid fell while stalled",
        ("out_valid = full;", "out_valid = full && !stalled;"),
    ),
    # The value is the correct one whenever it is taken.
    "moves_its_payload": Broken(
        AT_RANDOM,
        "payload moved while stalled",
        ("out_lanes = x;", "out_lanes = out_ready ? x : ~x;"),
    ),
    "moves_its_tag_alone": Broken(
        AT_RANDOM,
        "payload moved while stalled",
        ("out_tag   = tag;", "out_tag   = out_ready ? tag : ~tag;"),
    ),
    "waits_for_ready_before_valid": Broken(
        "offers_a_result_before_anybody_is_ready",
        "out_: nothing is offered while nobody is ready",
        ("out_valid = full;", "out_valid = full && out_ready;"),
    ),
    "invents_a_beat_after_the_last": Broken(
        CYCLES, "out_: a beat out of nowhere", ("= full;", "= full || idle == 4'd3;")
    ),
    # The sink waits for it until the test's time is over.
    "swallows_a_beat": Broken(
        AT_RANDOM, f"{AT_RANDOM}.*: failure", ("full <= takes", "full <= (takes && count != 4'd5)")
    ),
    "gives_a_beat_twice": Broken(
        AT_RANDOM,
        "out_: a beat out of nowhere",
        ("(full && !gives)", "(full && (!gives || count == 4'd5))"),
    ),
    "takes_a_cycle_more": Broken(
        CYCLES,
        "latency 2, the formula says 1",
        (
            "wire gives = out_valid && out_ready;",
            "reg late; reg [W-1:0] late_x; reg [TAG_W-1:0] late_tag;\n"
            "    wire gives = full && (!late || out_ready);\n"
            "    always @(posedge clk) begin\n"
            "        late <= !rst && (gives || (late && !out_ready));\n"
            "        if (gives) {late_x, late_tag} <= {x, tag};\n"
            "    end",
        ),
        ("out_valid = full;", "out_valid = late;"),
        ("out_lanes = x;", "out_lanes = late_x;"),
        ("out_tag   = tag;", "out_tag   = late_tag;"),
    ),
    "rests_after_four_beats": Broken(
        CYCLES,
        r"intervals \[1 1 1 2 1 1 1 2\], the formula says 1",
        (
            "assign in_ready  = !full || gives;",
            "reg rests;\n"
            "    always @(posedge clk) rests <= !rst && takes && count[1:0] == 2'd3;\n"
            "    assign in_ready = (!full || gives) && !rests;",
        ),
    ),
    "is_wrong_at_a_corner": Broken(
        AT_CORNERS,
        "expected -128, got 127",
        ("x   <= in_x;", "x   <= in_x == 8'h80 ? 8'h7f : in_x;"),
    ),
    "is_wrong_at_one_value_of_sixteen": Broken(
        AT_RANDOM,
        r"lanes: sample \d+, element 0: expected -?\d+, got -?\d+",
        ("x   <= in_x;", "x   <= in_x[3:0] == 4'd5 ? ~in_x : in_x;"),
    ),
    "gives_a_wrong_tag": Broken(
        AT_RANDOM,
        r"tag: sample \d+, element 0: expected [01], got [01]",
        ("tag <= in_tag;", "tag <= in_tag ^ (in_x[3:0] == 4'd5);"),
    ),
    # An X that is read as 0 is what was expected.
    "is_x_where_0_is_expected": Broken(
        AT_CORNERS,
        "LogicArray|Cannot convert",
        ("out_lanes = x;", "out_lanes = x == 8'h00 ? 8'hxx : x;"),
    ),
    "keeps_a_beat_over_a_reset": Broken(
        RESETS,
        "out_: a beat out of nowhere",
        ("if (rst)\n            full <= 1'b0;", "if (rst)\n            full <= full === 1'b1;"),
    ),
    "keeps_a_late_beat_over_a_reset": Broken(
        RESETS,
        "out_: a beat out of nowhere",
        (
            "if (rst)\n            full <= 1'b0;",
            "if (rst)\n            full <= full === 1'b1 && count > 4'd2;",
        ),
    ),
    "takes_what_is_offered_in_reset": Broken(
        RESETS, "out_: a beat out of nowhere", ("if (rst)\n", "if (rst && !in_valid)\n")
    ),
    # Nothing is offered in the cycle in which it looks at the bus once more. The last of 60 beats
    # is left out, so that it must be one between them.
    "reads_the_bus_while_nothing_is_offered": Broken(
        AT_RANDOM,
        "payload moved while stalled",
        (
            "stalled <=",
            "if (stalled && !in_valid && count != 4'd12) x <= in_x;\n        stalled <=",
        ),
    ),
}


def run(text: str, name: str, folder: Path, testcase: str | None = None) -> Outcome:
    """Run the bench of streams on the text of a module."""
    (folder / "mlp_stream_unpack.v").write_text(text)
    return simulate(
        "mlp_stream_unpack",
        PARAMETERS,
        simulator="icarus",
        bench="stream_bench",
        rtl=folder,
        name=f"broken-{name}",
        testcase=testcase,
    )


def test_good_register_passes(tmp_path: Path) -> None:
    """Lanes, last and tag of 60 random vectors and 16 corners, in nine ways; 9 timed, 10 reset."""
    outcome = run(GOOD, "none", tmp_path)
    assert outcome.passed == 21 and outcome.compared == 3 * (9 * (60 + 16) + 9 + 10)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_promise_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MAX_FAILURES, "1")
    broken = BROKEN[name]
    with pytest.raises(SimulationFailed, match=broken.complaint):
        run(broken.verilog, name, tmp_path, broken.testcase)


def test_change_of_the_source_is_built_anew(tmp_path: Path) -> None:
    """A build that is kept is one of these very sources."""
    assert run(GOOD, "rebuilt", tmp_path, CYCLES).passed == 1
    broken = BROKEN["takes_a_cycle_more"]
    with pytest.raises(SimulationFailed, match=broken.complaint):
        run(broken.verilog, "rebuilt", tmp_path, CYCLES)


def test_values_of_every_test_are_counted(tmp_path: Path) -> None:
    """Lanes, last and tag of 60 vectors, under each of nine pairs of stalls."""
    assert run(GOOD, "counted", tmp_path, AT_RANDOM).compared == 9 * 3 * 60


# Parts without a stream

PARTS = {
    "moves-while-disabled": ("else if (en)", "else"),
    "ignores-its-reset": ("if (rst)", "if (rst && !rst)"),
    "is-a-cycle-late": (
        "assign out_data = g_stage[CYCLES].value;",
        "reg [W-1:0] late;\n"
        "    always @(posedge clk) if (rst) late <= {W{1'b0}}; else if (en)\n"
        "        late <= g_stage[CYCLES].value;\n"
        "    assign out_data = late;",
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_broken_part_is_noticed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_named("delay-8-4")
    mutant = Mutant(name, "mlp_delay", *PARTS[name])
    rtl = mutated(mutant, tmp_path / "rtl", RTL)
    monkeypatch.setenv(MAX_FAILURES, "1")
    sentence = r"out_data: sample \d+, element 0: expected -?\d+, got -?\d+"
    with pytest.raises(SimulationFailed, match=sentence):
        case.run("icarus", rtl=rtl, name=f"broken-{name}")
