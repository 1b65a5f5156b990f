"""Mistakes that a designer could make, by name: each in one place, each caught by a row."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from common.paths import RTL


@dataclass(frozen=True)
class Mutant:
    """``right`` stands once in ``module``'s file and becomes ``wrong``; ``row`` must fail."""

    name: str
    module: str
    right: str
    wrong: str
    row: str


MUTANTS = [
    Mutant(
        "rounds-half-up",
        "mlp_requantize",
        "(padded[DROPPED:0] != {(DROPPED+1){1'b0}} || kept[0])",
        "1'b1",
        "requantize-1-20-8-7",
    ),
    Mutant(
        "truncates",
        "mlp_requantize",
        "+ {{KEPT_W{1'b0}}, round_up}",
        "+ {{KEPT_W{1'b0}}, round_up && 1'b0}",
        "requantize-1-20-8-7",
    ),
    Mutant(
        "wraps-instead-of-saturating",
        "mlp_requantize",
        "value[ROUNDED_W-1] ? Y_MIN : Y_MAX",
        "value[OUT_W-1:0]",
        "requantize-1-20-8-7",
    ),
    Mutant(
        "saturates-to-the-wrong-side",
        "mlp_requantize",
        "value[ROUNDED_W-1] ? Y_MIN : Y_MAX",
        "value[ROUNDED_W-1] ? Y_MAX : Y_MIN",
        "requantize-3-9-8-1",
    ),
    Mutant("no-relu", "mlp_relu", "& {W{!x[k*W+W-1]}}", "| {W{1'b0}}", "relu-1-8"),
    Mutant("relu-of-lane-0-only", "mlp_relu", "x[k*W+W-1]", "x[W-1]", "relu-3-2"),
    Mutant(
        "one-step-too-few",
        "mlp_fold",
        "STEPS[STEP_W-1:0] - 1'b1",
        "STEPS[STEP_W-1:0] - 2'd2",
        "fold-3-4",
    ),
    Mutant(
        "stale-bias",
        "mlp_linear",
        ".CYCLES(STAGES-1)",
        ".CYCLES(STAGES)",
        "linear-6x4-by-3x2",
    ),
    Mutant(
        "no-bias",
        "mlp_linear",
        "sum_first ? bias : out_acc",
        "sum_first ? {(PE*ACC_W){1'b0}} : out_acc",
        "linear-5x4-unrolled",
    ),
    Mutant(
        "unsigned-weights",
        "mlp_dot",
        "wire signed [W_W-1:0]     w ",
        "wire [W_W-1:0] w ",
        "dot-4-8-8-20",
    ),
    Mutant(
        "does-not-turn",
        "mlp_linear",
        "x <= (x >> (SIMD*X_W)) | (x << ((N_IN-SIMD)*X_W));",
        "x <= x;",
        "linear-6x4-by-3x2",
    ),
    Mutant(
        "ignores-backpressure",
        "mlp_linear",
        "wire move = !out_valid || out_ready;",
        "wire move = !out_valid || out_ready || busy;",
        "linear-6x4-by-3x2",
    ),
    Mutant(
        "bubble-between-vectors",
        "mlp_fold",
        "!out_valid || (out_ready && last_beat)",
        "!out_valid",
        "fold-3-4",
    ),
    Mutant(
        "adder-tree-drops-a-lane",
        "mlp_adder_tree",
        "if (i >= LEAVES + N) begin : g_zero",
        "if (i >= LEAVES + N - 1) begin : g_zero",
        "adder_tree-5-12",
    ),
    Mutant(
        "tie-goes-to-the-higher-index",
        "mlp_argmax_tree",
        "node[2*i+1] > node[2*i]",
        "node[2*i+1] >= node[2*i]",
        "argmax_tree-3-2-2",
    ),
    Mutant(
        "tie-goes-to-the-later-beat",
        "mlp_softmax_sum",
        "max > best",
        "max >= best",
        "softmax_sum-3by1-8.4",
    ),
    Mutant(
        "polynomial-without-its-half",
        "mlp_softmax_taylor2",
        "square[SCORE_W-1:0] + HALF",
        "square[SCORE_W-1:0]",
        "softmax_taylor2-3by1-8.4",
    ),
    Mutant(
        "quotient-shifted-by-one",
        "mlp_softmax_reciprocal",
        "TOTAL_W - 1 + ADDR_W",
        "TOTAL_W + ADDR_W",
        "softmax_reciprocal-3by1-8.4",
    ),
    Mutant(
        "reads-the-next-entry-of-the-exponential",
        "mlp_softmax_exp",
        "distance <= max - logits[k*X_W +: X_W];",
        "distance <= max - logits[k*X_W +: X_W] + 1'b1;",
        "softmax_exp-3by1-8.4",
    ),
    Mutant(
        "distance-to-the-next-vectors-largest",
        "mlp_softmax_exp",
        "distance <= max - logits",
        "distance <= x_max - logits",
        "softmax_exp-3by3-8.4",
    ),
    Mutant(
        "largest-of-too-few-lanes",
        "mlp_softmax_max",
        "mlp_argmax_tree #(.N(LANES), .W(X_W), .INDEX_W(INDEX_W)) u_max",
        "mlp_argmax_tree #(.N(LANES > 1 ? LANES - 1 : 1), .W(X_W), .INDEX_W(INDEX_W)) u_max",
        "softmax_max-10by5-6.2",
    ),
    Mutant(
        "largest-of-unsigned-logits",
        "mlp_softmax_max",
        "{!lanes[k*X_W+X_W-1], lanes[k*X_W +: X_W-1]}",
        "{lanes[k*X_W+X_W-1], lanes[k*X_W +: X_W-1]}",
        "softmax_max-3by3-8.4",
    ),
    Mutant(
        "keeps-the-largest-of-the-vector-before",
        "mlp_softmax_max",
        "first || largest > best",
        "largest > best",
        "softmax_max-3by1-8.4",
    ),
    Mutant(
        "forgets-that-a-vector-was-begun",
        "mlp_softmax_max",
        "if (rst)\n            first <= 1'b1;",
        "if (rst && first)\n            first <= 1'b1;",
        "softmax_max-3by1-8.4",
    ),
    Mutant(
        "does-not-restore",
        "mlp_softmax_restoring",
        "fits ? less[TOTAL_W-1:0] : taken[TOTAL_W-1:0]",
        "less[TOTAL_W-1:0]",
        "softmax_restoring-3by1-8.4",
    ),
    Mutant(
        "divides-in-one-bit-less",
        "mlp_softmax_restoring",
        "assign out_quotients[k*8 +: 8] = rest[BITS];",
        "assign out_quotients[k*8 +: 8] = {rest[BITS][7:1], 1'b0};",
        "softmax_restoring-3by3-8.4",
    ),
    Mutant(
        "subtracts-only-from-more",
        "mlp_softmax_restoring",
        "!less[TOTAL_W];",
        "!less[TOTAL_W] && less != {(TOTAL_W+1){1'b0}};",
        "softmax_restoring-10by5-6.2",
    ),
    Mutant(
        "times-256",
        "mlp_softmax_restoring",
        "{score, 8'd0} - {8'd0, score}",
        "{score, 8'd0}",
        "softmax_restoring-3by1-8.4",
    ),
    Mutant(
        "divides-by-another-vectors-total",
        "mlp_softmax_restoring",
        "{1'b0, divisor[i+1]}",
        "{1'b0, divisor[i]}",
        "softmax_restoring-3by3-8.4",
    ),
    Mutant(
        "leading-one-not-counted",
        "mlp_leading_one",
        "level_in << STEP",
        "level_in << (STEP - 1)",
        "leading_one-17",
    ),
    Mutant(
        "counts-a-level-wrongly",
        "mlp_leading_one",
        "moved[LEVELS-1-i]",
        "moved[i]",
        "leading_one-16",
    ),
    Mutant(
        "remainder-starts-at-256",
        "mlp_softmax_remainder",
        "8'd255 : remainder",
        "8'd0 : remainder",
        "softmax_remainder-3by1-8.4",
    ),
    Mutant(
        "winner-counts-as-loser",
        "mlp_softmax_remainder",
        "{8{!wins}}",
        "{8{1'b1}}",
        "softmax_remainder-3by3-8.4",
    ),
    Mutant(
        "loses-the-spare",
        "mlp_skid_buffer",
        "out_valid = in_valid || spare_valid;",
        "out_valid = in_valid;",
        "skid_buffer-24",
    ),
    Mutant(
        "keeps-a-short-vector",
        "mlp_stream_pack",
        "in_valid && in_last && complete",
        "in_valid && in_last",
        "stream_pack-6-1-8",
    ),
    Mutant(
        "payload-moves-while-stalled",
        "mlp_stream_unpack",
        "else if (out_ready)\n            x <= x >> (LANES*W);",
        "else\n            x <= x >> (LANES*W);",
        "stream_unpack-6-1-8-2",
    ),
    Mutant(
        "forgets-reset",
        "mlp_stream_pack",
        "if (rst)\n            count <=",
        "if (rst && in_last)\n            count <=",
        "stream_pack-6-1-8",
    ),
    Mutant(
        "rom-ignores-enable",
        "mlp_rom",
        "if (en)",
        "if (en || !en)",
        "rom-70-12",
    ),
]


def mutated(mutant: Mutant, folder: Path, rtl: Path = RTL) -> Path:
    """A copy of ``rtl`` with the mutant in it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(rtl, folder)
    source = folder / f"{mutant.module}.v"
    text = source.read_text()
    assert text.count(mutant.right) == 1, f"{mutant.name}: {mutant.right!r} does not stand once"
    source.write_text(text.replace(mutant.right, mutant.wrong))
    return folder
