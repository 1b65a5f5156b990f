"""Every parameter of every module of the core that learns, at both ends of its legal range.

Two plans have most of the ends: the least one, and one of sixteen layers. A core of each learns,
every value compared, and a part stands in it at the parameters that the plan gives it. What a plan
does not reach is driven at the part's own bench. Where the legal range is wider than that of all
plans, the ends are those of plans.
"""

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from common.paths import BUILD
from model.format import Format
from model.learning.backprop import CODE_W, MASTER, WEIGHT, Plan
from model.learning.core import MAX_LANES, Core
from model.stages.softmax import DIVIDERS, MAX_CLASSES, SCORES, SoftmaxSpec
from tb.modules import learning
from tb.modules.case import Case, Parameters, Setting, plain
from tb.modules.declared import defaults
from tb.modules.description import Module
from tb.modules.learning_error import WithSlopes
from tb.modules.learning_networks import Learning, random_samples
from tb.modules.learning_walks import OfPlan
from tb.modules.ranges import faults
from tb.modules.registry import MODULES
from tb.test_parameter_ends import WIDE, ends, undriven

LEAST = Plan(
    (1, 2),
    (0,),
    (False,),
    (0,),
    epochs=2,
    samples=2,
    eta=3,
    drops=(50,),
    input_frac=0,
    logit_frac=6,
)
DEEPEST = Plan(
    (256, *(1,) * 15, 2),
    tuple(range(16)),
    (False,) * 16,
    (14, *(0,) * 15),
    epochs=2,
    samples=2,
    score="taylor2",
    divider="restoring",
    eta=9,
    drops=(50,),
    input_frac=8,
    hidden_frac=8,
    logit_frac=0,
)
# As many classes as can be, scores of the widest.
MOST_CLASSES = Plan(
    (2, MAX_CLASSES), (0,), (False,), (1,), epochs=2, samples=3, score="taylor2", logit_frac=8
)
CORES = {
    "least": Core(LEAST, 1),
    "widest": Core(LEAST, MAX_LANES),
    "deepest": Core(DEEPEST, 5),
    "most-classes": Core(MOST_CLASSES, 5),
}
WHOLE = {
    name: Case(
        learning.TOP,
        Learning(f"end-{name}", core, partial(random_samples, core.plan, 1), count=3),
        MODULES[learning.TOP].bench,
        MODULES[learning.TOP].visible,
    )
    for name, core in CORES.items()
}

ROWS: dict[str, list[Setting]] = {
    "mlp_learn_backward": [plain(LANES=1, SUM_W=22)],
    "mlp_learn_bias": [
        plain(ROWS=9, DROP_MIN=1, DROP_MAX=1),
        plain(ROWS=9, DROP_MIN=16, DROP_MAX=16),
    ],
    "mlp_learn_dither": [plain(DROP_MIN=1, DROP_MAX=16), plain(DROP_MIN=1, DROP_MAX=1)],
    "mlp_learn_error": [WithSlopes(2, "taylor2"), WithSlopes(MAX_CLASSES, "taylor2")],
    "mlp_learn_forward": [
        plain(LANES=1, ACC_W=19, SHIFT_MIN=0, SHIFT_MAX=15),
        plain(LANES=2, ACC_W=20, SHIFT_MIN=0, SHIFT_MAX=0),
    ],
    "mlp_learn_input": [plain(N=4, CLASSES=MAX_CLASSES, LANES=1, ADDR_W=2)],
    "mlp_learn_lane": [plain(M_W=2, W_W=2, X_W=2, D_W=2, SUM_W=4, DROP_MIN=1, DROP_MAX=3)],
    "mlp_learn_mask": [plain(W=1)],
    "mlp_learn_operands": [plain(LANES=1, WORDS=1, DELTAS=1, ADDR_W=1)],
    "mlp_learn_phase": [plain(N_LAYERS=16, LAYER_W=4)],
    "mlp_learn_ram": [plain(WIDTH=1, PARTS=1, DEPTH=1)],
    "mlp_learn_update": [plain(M_W=2, P_W=5, DROP_MIN=1, DROP_MAX=4)],
    **{
        name: [
            OfPlan("least", LEAST, 1, tuple(MODULES[name].parameters)),
            OfPlan("widest", LEAST, MAX_LANES, tuple(MODULES[name].parameters)),
            OfPlan("deepest", DEEPEST, 5, tuple(MODULES[name].parameters)),
        ]
        for name in (
            *("mlp_learn_formats", "mlp_learn_layers", "mlp_learn_sequence"),
            *("mlp_learn_timing", "mlp_learn_walk"),
        )
    },
}
CASES = [
    Case(name, setting, MODULES[name].bench or getattr(MODULES[name].operator, "bench", ""))
    for name, settings in ROWS.items()
    for setting in settings
]


def softmax_widths() -> dict[str, tuple[int, int]]:
    """Ends of the widths of scores and totals, by the corners of what a plan gives a softmax."""
    corners = itertools.product((2, MAX_CLASSES), (0, 8), SCORES, DIVIDERS)
    specs = [SoftmaxSpec(n, Format(CODE_W, f), s, d, lanes=1) for n, f, s, d in corners]
    scores, totals = [spec.score_w for spec in specs], [spec.total_w for spec in specs]
    return {"SCORE_W": (min(scores), max(scores)), "TOTAL_W": (min(totals), max(totals))}


# Ends that plans have where a range is wider: 2 classes or more, 1 to 4 drops of the rate.
OF_PLANS: dict[str, tuple[int, ...]] = {
    **{"N_DROPS": (1, 4), "DROP_MIN": (1, 15), "DROP_MAX": (2, 16), "ADDR_W": (2,)},
    **{"WORDS": (2,), "ROWS": (2,), "DELTAS": (2,), "ACC_W": (17,), "SUM_W": (25,)},
    **softmax_widths(),
}
OWN: dict[str, tuple[str, ...]] = {
    "mlp_learn_backward": ("SUM_W",),
    "mlp_learn_bias": ("DROP_MIN", "DROP_MAX"),
    "mlp_learn_clamps": ("ACC_W",),
    "mlp_learn_dither": ("DROP_MIN", "DROP_MAX"),
    "mlp_learn_input": ("ADDR_W",),
    "mlp_learn_lane": ("SUM_W",),
    "mlp_learn_operands": ("ADDR_W", "WORDS", "DELTAS"),
    "mlp_learn_update": ("DROP_MIN", "DROP_MAX"),
}
# Inputs of a lane are bytes; all of those of 16 bits are too many for a bench that drives each.
BYTES = {"mlp_learn_lane": {"X_W": (2, CODE_W)}}


def part_of(core: Core, module: Module) -> Parameters:
    """Parameters of a part in a core, those that it takes over from the top or from the plan."""
    plan, top = core.plan, core.parameters("")
    classes: Parameters = {"N": plan.sizes[-1], "LOGIT_FRAC": plan.x(plan.layers).frac}
    special: dict[str, Parameters] = {
        "mlp_learn_answer": classes,
        "mlp_learn_error": classes,
        "mlp_learn_input": {"N": plan.sizes[0], "CLASSES": plan.sizes[-1]},
        "mlp_learn_lane": {"M_W": MASTER.width, "W_W": WEIGHT.width, "X_W": CODE_W},
        "mlp_learn_operands": {"WORDS": top["X_WORDS"]},
    }
    found = {**top, **special.get(module.name, {})}
    return {name: value for name, value in found.items() if name in module.parameters}


def rows_of(module: Module, cases: Sequence[Case], folder: Path) -> Iterator[Parameters]:
    """Every set of parameters at which a module is simulated by itself, or within a core."""
    for case in cases:
        if case.module == module.name:
            yield defaults(module) | case.prepare(folder / case.name)[0]
    cores = [case.setting.core for case in MODULES[learning.TOP].cases_for_mutants]  # type: ignore[attr-defined]
    for core in (*cores, *CORES.values()):
        yield defaults(module) | part_of(core, module)


def wanted(module: Module, name: str) -> list[str]:
    """Ends of a parameter, as formulas or words."""
    if name in BYTES.get(module.name, {}):
        return [str(end) for end in BYTES[module.name][name]]
    if name in OF_PLANS and name not in OWN.get(module.name, ()):
        return [str(end) for end in OF_PLANS[name]]
    return ends(module, name)


def holes(module: Module, cases: Sequence[Case], folder: Path) -> list[str]:
    """Ends that neither these cases nor a core drive."""
    return undriven(module, list(rows_of(module, cases, folder)), wanted)


@pytest.mark.parametrize("module", learning.MODULES, ids=lambda module: module.name)
def test_both_ends_of_every_parameter_are_driven(module: Module, tmp_path: Path) -> None:
    assert holes(module, [*module.cases, *CASES], tmp_path) == []


def test_a_hole_is_found(tmp_path: Path) -> None:
    assert "W 1" in holes(MODULES["mlp_learn_mask"], [], tmp_path)
    assert holes(MODULES["mlp_learn_phase"], [], tmp_path) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_part_equals_its_function_at_the_ends(case: Case) -> None:
    folder = BUILD / "cases" / f"end-{case.name}"
    module = MODULES[case.module]
    assert faults(module.parameters, defaults(module) | case.prepare(folder)[0]) == []
    # Of vectors with many values, some tests alone.
    few = WIDE if case.prepare(folder)[0].get("N") == MAX_CLASSES else None
    assert case.run("icarus", folder=folder, testcase=few).passed > 0


@pytest.mark.parametrize("name", WHOLE)
def test_core_learns_every_value_at_the_ends(name: str) -> None:
    folder = BUILD / "cases" / f"end-learn-{name}"
    found = WHOLE[name].run("icarus", folder=folder, testcase="learns_every_value$")
    assert found.passed == 1
