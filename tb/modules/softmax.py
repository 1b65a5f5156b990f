"""The softmax: scores, their sum, dividers, the remainder, and the whole."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.format import Format
from model.images import write_softmax_images
from model.stages.softmax import COMBINATIONS, EXP_IMAGE, RECIPROCAL_IMAGE, SoftmaxSpec
from tb.modules.case import Contract, Parameters, Prepared
from tb.modules.description import Illegal, Module
from tb.modules.mutant import mistake
from tb.modules.softmax_operators import (
    Divide,
    Max,
    Normalize,
    OfLogits,
    Remainder,
    Score,
    Softmax,
    Sum,
)

Q2, Q3, Q6, Q8, Q16 = Format(2, 0), Format(3, 1), Format(6, 2), Format(8, 4), Format(16, 12)

SIZES = {"N": "2 .. 64", "LANES": "divides N"}
LOGITS = {"X_W": "2 .. 16"}
SCORES = {"SCORE_W": "1 or more"}
TOTALS = {"TOTAL_W": "SCORE_W or more"}


@dataclass(frozen=True)
class OfSoftmax:
    """The parameters ``names`` of the softmax, or of a part of it, at one shape."""

    spec: SoftmaxSpec
    names: tuple[str, ...]
    suffix: str = ""

    @property
    def name(self) -> str:
        """``3by1-8.4``."""
        spec = self.spec
        return f"{spec.n}by{spec.lanes}-{spec.x.width}.{spec.x.frac}{self.suffix}"

    @property
    def shown(self) -> Parameters:
        """Shape and format of the logits."""
        x = self.spec.x
        return {"N": self.spec.n, "LANES": self.spec.lanes, "X_W": x.width, "FRAC": x.frac}

    def prepare(self, folder: Path) -> Prepared:
        """Write the tables; return the parameters, and the shape as an option."""
        values = softmax_parameters(self.spec, folder)
        return {name: values[name] for name in self.names}, {
            "softmax": dataclasses.asdict(self.spec)
        }


def softmax_parameters(spec: SoftmaxSpec, folder: Path) -> Parameters:
    """Write the tables into ``folder``; return all parameters of `mlp_softmax` and its parts."""
    write_softmax_images(spec, folder)
    return {
        "N": spec.n,
        "LANES": spec.lanes,
        "X_W": spec.x.width,
        "FRAC": spec.x.frac,
        "SCORE": spec.score,
        "DIVIDER": spec.divider,
        "SCORE_W": spec.score_w,
        "TOTAL_W": spec.total_w,
        "EXP": str(folder / EXP_IMAGE),
        "RECIPROCAL": str(folder / RECIPROCAL_IMAGE),
    }


def _part(
    name: str,
    operator: type[OfLogits],
    parameters: Mapping[str, str],
    *,
    choice: tuple[str, str] = ("taylor2", "reciprocal"),
    bounded: bool = False,
    quick: bool = True,
    refuted: tuple[tuple[int, int], str],
    **rest: Any,
) -> Module:
    """A part of the softmax, at the shapes that every part runs and is proved at.

    ``choice`` are score and divider that it belongs to. The proof of (2, 2) is ``quick``, that of
    ``refuted`` fails on the mistake of this name.
    """

    def at(n: int, lanes: int, fmt: Format) -> OfSoftmax:
        return OfSoftmax(SoftmaxSpec(n, fmt, *choice, lanes=lanes), tuple(parameters))

    def contract(n: int, lanes: int) -> Contract:
        setting = at(n, lanes, Q2)
        return Contract(
            setting,
            operator.cycles(setting.spec),
            setting.spec.beats,
            bounded=bounded,
            quick=quick and (n, lanes) == (2, 2),
            mistake=refuted[1] if refuted[0] == (n, lanes) else None,
        )

    return Module(
        name,
        operator,
        parameters,
        on_both=(at(3, 1, Q8), at(3, 3, Q8)),
        more=(at(10, 5, Q6),),
        mutated=("3by1-8.4", "3by3-8.4"),
        contracts=(contract(3, 1), contract(2, 2)),
        **rest,
    )


NORMALIZE = (
    SIZES | SCORES | TOTALS | {"DIVIDER": '"reciprocal" or "restoring"', "RECIPROCAL": "image"}
)
WHOLE = {
    **SIZES,
    **LOGITS,
    "FRAC": "0 .. 16",
    "SCORE": '"taylor2" or "exp"',
    "DIVIDER": '"reciprocal" or "restoring"',
    **SCORES,
    **TOTALS,
    "EXP": "image",
    "RECIPROCAL": "image",
}


def _normalize(n: int, lanes: int, fmt: Format, score: str, divider: str) -> OfSoftmax:
    """The part behind the scores, with one of the dividers."""
    return OfSoftmax(
        SoftmaxSpec(n, fmt, score, divider, lanes=lanes), tuple(NORMALIZE), f"-{divider}"
    )


def _whole(n: int, lanes: int, fmt: Format, *choices: tuple[str, str]) -> list[OfSoftmax]:
    """The softmax with each of the chosen scores and dividers."""
    return [
        OfSoftmax(
            SoftmaxSpec(n, fmt, score, divider, lanes=lanes), tuple(WHOLE), f"-{score}-{divider}"
        )
        for score, divider in choices
    ]


# The pairs in which each score and each divider stands once.
TWO = (("taylor2", "reciprocal"), ("exp", "restoring"))

MODULES = (
    _part(
        "mlp_softmax_taylor2",
        Score,
        {
            **SIZES,
            **LOGITS,
            "FRAC": "0 .. 16",
            "SCORE_W": "bits((2**(X_W - 1) - 1 + 2**FRAC)**2 + 4**FRAC) or more",
        },
        refuted=((2, 2), "polynomial-without-its-half"),
        illegal=(
            Illegal({"X_W": 1}),
            Illegal({"X_W": 17, "SCORE_W": 40}),
            Illegal({"FRAC": -1}),
            Illegal({"FRAC": 17, "SCORE_W": 40}),
            Illegal({"FRAC": 17, "SCORE_W": 36}, "FRAC=17", together=False),
            Illegal({"SCORE_W": 12}, "SCORE_W=12"),
        ),
        mistakes=(
            mistake(
                "polynomial-without-its-half",
                "3by1-8.4",
                "square[SCORE_W-1:0] + HALF",
                "square[SCORE_W-1:0]",
            ),
        ),
    ),
    _part(
        "mlp_softmax_max",
        Max,
        {**SIZES, **LOGITS},
        choice=("exp", "restoring"),
        refuted=((2, 2), "largest-of-too-few-lanes"),
        mistakes=(
            mistake(
                "largest-of-too-few-lanes",
                "10by5-6.2",
                "mlp_argmax_tree #(.N(LANES), .W(X_W), .INDEX_W(INDEX_W)) u_max",
                "mlp_argmax_tree #(.N(LANES > 1 ? LANES - 1 : 1), .W(X_W), "
                ".INDEX_W(INDEX_W)) u_max",
            ),
            mistake(
                "largest-of-unsigned-logits",
                "3by3-8.4",
                "{!lanes[k*X_W+X_W-1], lanes[k*X_W +: X_W-1]}",
                "{lanes[k*X_W+X_W-1], lanes[k*X_W +: X_W-1]}",
            ),
            mistake(
                "keeps-the-largest-of-the-vector-before",
                "3by1-8.4",
                "first || largest > best",
                "largest > best",
            ),
            mistake(
                "forgets-that-a-vector-was-begun",
                "3by1-8.4",
                "if (rst)\n            first <= 1'b1;",
                "if (rst && first)\n            first <= 1'b1;",
            ),
        ),
    ),
    _part(
        "mlp_softmax_exp",
        Score,
        {**SIZES, **LOGITS, **SCORES, "EXP": "image"},
        choice=("exp", "restoring"),
        bounded=True,
        refuted=((2, 2), "reads-the-next-entry-of-the-exponential"),
        illegal=(Illegal({"X_W": 17}),),
        mistakes=(
            mistake(
                "reads-the-next-entry-of-the-exponential",
                "3by1-8.4",
                "distance <= max - logits[k*X_W +: X_W];",
                "distance <= max - logits[k*X_W +: X_W] + 1'b1;",
            ),
            mistake(
                "distance-to-the-next-vectors-largest",
                "3by3-8.4",
                "distance <= max - logits",
                "distance <= x_max - logits",
            ),
        ),
    ),
    _part(
        "mlp_softmax_sum",
        Sum,
        SIZES | SCORES | TOTALS,
        refuted=((3, 1), "tie-goes-to-the-later-beat"),
        illegal=(
            Illegal({"N": 65, "LANES": 1}, "N=65"),
            Illegal({"N": 5, "LANES": 2}),
        ),
        mistakes=(mistake("tie-goes-to-the-later-beat", "3by1-8.4", "max > best", "max >= best"),),
    ),
    _part(
        "mlp_softmax_reciprocal",
        Divide,
        {**SIZES, **SCORES, "TOTAL_W": "9 .. 48", "RECIPROCAL": "image"},
        bounded=True,
        quick=False,
        refuted=((3, 1), "quotient-shifted-by-one"),
        illegal=(
            Illegal({"TOTAL_W": 8}, "TOTAL_W=8", warning="SELRANGE"),
            Illegal({"TOTAL_W": 49}),
        ),
        mistakes=(
            mistake(
                "quotient-shifted-by-one",
                "3by1-8.4",
                "TOTAL_W - 1 + ADDR_W",
                "TOTAL_W + ADDR_W",
            ),
            mistake(
                "total-without-its-lowest-bit",
                "3by1-8.4",
                ".in_x(in_total)",
                ".in_x({in_total[TOTAL_W-1:1], 1'b0})",
            ),
        ),
        assumed=("!in_valid || in_total != 0",),
    ),
    _part(
        "mlp_softmax_restoring",
        Divide,
        SIZES | SCORES | TOTALS,
        choice=("taylor2", "restoring"),
        bounded=True,
        quick=False,
        refuted=((2, 2), "times-256"),
        mistakes=(
            mistake(
                "does-not-restore",
                "3by1-8.4",
                "fits ? less[TOTAL_W-1:0] : taken[TOTAL_W-1:0]",
                "less[TOTAL_W-1:0]",
            ),
            mistake(
                "divides-in-one-bit-less",
                "3by3-8.4",
                "assign out_quotients[k*8 +: 8] = rest[BITS];",
                "assign out_quotients[k*8 +: 8] = {rest[BITS][7:1], 1'b0};",
            ),
            mistake(
                "subtracts-only-from-more",
                "10by5-6.2",
                "!less[TOTAL_W];",
                "!less[TOTAL_W] && less != {(TOTAL_W+1){1'b0}};",
            ),
            mistake("times-256", "3by1-8.4", "{score, 8'd0} - {8'd0, score}", "{score, 8'd0}"),
            mistake(
                "divides-by-another-vectors-total",
                "3by3-8.4",
                "{1'b0, divisor[i+1]}",
                "{1'b0, divisor[i]}",
            ),
        ),
    ),
    _part(
        "mlp_softmax_remainder",
        Remainder,
        SIZES,
        bounded=True,
        refuted=((2, 2), "remainder-starts-at-256"),
        mistakes=(
            mistake(
                "remainder-starts-at-256", "3by1-8.4", "8'd255 : remainder", "8'd0 : remainder"
            ),
            mistake("winner-counts-as-loser", "3by3-8.4", "{8{!wins}}", "{8{1'b1}}"),
        ),
        # A vector of one beat is its last.
        assumed=("!in_valid || in_last || {LANES} != {N}",),
    ),
    Module(
        "mlp_softmax_normalize",
        Normalize,
        NORMALIZE,
        on_both=(_normalize(3, 3, Q8, "exp", "restoring"),),
        more=(
            _normalize(3, 1, Q8, "taylor2", "reciprocal"),
            _normalize(10, 5, Q6, "exp", "reciprocal"),
            _normalize(10, 2, Q6, "taylor2", "restoring"),
        ),
        mutated=("3by1-8.4-reciprocal", "3by3-8.4-restoring"),
        illegal=(Illegal({"DIVIDER": "srt"}, "srt"),),
    ),
    Module(
        "mlp_softmax",
        Softmax,
        WHOLE,
        on_both=tuple(_whole(3, 1, Q8, *COMBINATIONS)),
        more=(
            *_whole(10, 5, Q6, *COMBINATIONS),
            *_whole(2, 1, Q2, *COMBINATIONS),
            *_whole(3, 1, Q3, *COMBINATIONS),  # all 512 vectors of logits
            *_whole(3, 3, Q8, *TWO),
            *_whole(64, 4, Q16, *TWO),
        ),
        mutated=("3by1-8.4-taylor2-reciprocal", "3by1-8.4-exp-restoring"),
        illegal=(Illegal({"SCORE": "sigmoid"}, "sigmoid"),),
    ),
)
