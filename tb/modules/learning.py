"""The core that learns: its modules, most of which the whole core's bench looks into."""

from model.learning.backprop import Plan
from model.stage import Parameter
from tb.modules.case import Contract, Setting, plain
from tb.modules.description import Illegal, Module
from tb.modules.learning_error import LogitDeltas, WithSlopes
from tb.modules.learning_mutants import MISTAKES
from tb.modules.learning_networks import HARD, of_dataset, of_hard, of_random
from tb.modules.learning_walks import OfPlan
from tb.modules.operator import Operator

TOP = "mlp_learn_top"
# A lane whose inputs are few enough for all of them.
NARROW = plain(M_W=4, W_W=3, X_W=3, D_W=4, SUM_W=8, DROP_MIN=1, DROP_MAX=3)

# Legal values where a module's own are not narrower.
RANGES = {
    "N_LAYERS": "1 .. 16",
    "N": "each 1 .. 256",
    "SET": "each 0 .. 15",
    "RELU": "each 0 .. 1",
    "FRAC": "each 0 .. 8",
    "RANGE": "each 0 .. 14",
    "N_DROPS": "1 .. 7",
    "LANES": "1 .. 256",
    "LAYER_W": "1 .. 4",
    "ADDR_W": "1 or more",
    "WORDS": "1 or more",
    "ROWS": "1 or more",
    "X_WORDS": "1 or more",
    "DELTAS": "1 or more",
    "FRAC_MIN": "0 .. 8",
    "SHIFT_MIN": "0 .. SHIFT_MAX",
    "SHIFT_MAX": "0 or more",
    "DROP_MIN": "1 .. DROP_MAX",
    "DROP_MAX": "1 .. 16",
    "ACC_W": "16 or more",
    "SUM_W": "22 or more",
    "M_W": "2 .. 16",
    "W_W": "2 .. M_W",
    "X_W": "2 .. 16",
    "SCORE": '"taylor2" or "exp"',
    "DIVIDER": '"reciprocal" or "restoring"',
    "SCORE_W": "1 or more",
    "TOTAL_W": "SCORE_W or more",
    "MEM_DIR": "image",
    "SLOPES": "image",
    "LOGIT_FRAC": "0 .. 8",
    "CLASSES": "2 .. 64",
    "WIDTH": "1 or more",
    "PARTS": "1 or more",
    "DEPTH": "1 or more",
}


# Layers of fewer words than their update has cycles, and of as many.
BRIEF = Plan((2, 2, 2, 2), (0, 0, 1), (True, False, False), (0, 0), epochs=1, samples=1)
LONG = Plan((3, 3, 2), (0, 1), (True, False), (0, 0), epochs=1, samples=1)


def _formula(
    setting: Setting,
    mistake: str | None = None,
    *,
    latency: int = 0,
    bounded: bool = False,
    quick: bool = False,
) -> Contract:
    """A proof that asserts something else than a contract of streams."""
    return Contract(setting, latency, gates=True, bounded=bounded, quick=quick, mistake=mistake)


def _of_hard(lanes: int, parameters: str) -> OfPlan:
    """A part of the hard core."""
    return OfPlan(f"hard-{lanes}", HARD, lanes, tuple(parameters.split()))


def _module(
    name: str,
    parameters: str,
    *,
    operator: type[Operator] | None = None,
    own: tuple[Setting, ...] = (),
    more: tuple[Setting, ...] = (),
    illegal: tuple[tuple[dict[str, Parameter], str, str], ...] = (),
    contracts: tuple[Contract, ...] = (),
    **ranges: str,
) -> Module:
    """A part of `mlp_learn_top`; ``own`` and ``more`` are settings of a bench of its own."""
    return Module(
        name,
        operator,
        {key: ranges.get(key, RANGES.get(key, "")) for key in parameters.split()},
        on_both=own,
        more=more,
        illegal=tuple(Illegal(wrong, named, warning=w) for wrong, named, w in illegal),
        mistakes=MISTAKES.get(name, ()),
        contracts=contracts,
        bench="" if operator else "parts_bench",
        within=TOP,
    )


MORE, DROPS = "1 or more", "DROP_MIN DROP_MAX"
LAYERS = "N_LAYERS N SET LANES LAYER_W ADDR_W"
SEQUENCE = (*LAYERS.split(), "WORDS")
FORMATS = "N_LAYERS N RELU FRAC LANES LAYER_W FRAC_MIN SHIFT_MAX"
TIMING = f"N_LAYERS N RELU FRAC LANES FRAC_MIN SHIFT_MAX {DROPS} LAYER_W"
NETWORK = (
    f"N_LAYERS N SET RELU FRAC LANES LAYER_W ADDR_W WORDS ROWS X_WORDS DELTAS FRAC_MIN SHIFT_MIN "
    f"SHIFT_MAX {DROPS} ACC_W SUM_W SCORE DIVIDER SCORE_W TOTAL_W MEM_DIR"
)
MODULES = (
    _module(
        "mlp_lfsr",
        "",
        own=(plain(),),
        contracts=(_formula(plain(), "another-tap", quick=True),),
    ),
    _module(
        "mlp_learn_answer",
        "N LOGIT_FRAC SCORE DIVIDER SCORE_W TOTAL_W MEM_DIR",
        N="2 .. 64",
    ),
    _module("mlp_learn_backward", "LANES SUM_W", own=(plain(LANES=3, SUM_W=26),), LANES=MORE),
    _module("mlp_learn_bias", f"ROWS {DROPS}", own=(plain(ROWS=9, DROP_MIN=3, DROP_MAX=6),)),
    _module(
        "mlp_learn_clamps",
        "ACC_W OUT_W SHIFT",
        own=(plain(ACC_W=20, OUT_W=8, SHIFT=7),),
        more=(
            plain(ACC_W=28, OUT_W=16, SHIFT=6),
            plain(ACC_W=5, OUT_W=4, SHIFT=1),
            plain(ACC_W=9, OUT_W=2, SHIFT=0),
        ),
        contracts=(_formula(plain(ACC_W=20, OUT_W=8, SHIFT=7), "counts-what-rounds-to-the-most"),),
        illegal=(
            ({"ACC_W": 14}, "ACC_W=14", ""),
            ({"OUT_W": 1}, "", ""),
            ({"SHIFT": -1}, "", ""),
        ),
        ACC_W="OUT_W + SHIFT or more",
        OUT_W="2 or more",
        SHIFT="0 or more",
    ),
    _module(
        "mlp_learn_control",
        "",
        contracts=(_formula(plain(), "network-of-a-short-load", quick=True),),
    ),
    _module(
        "mlp_learn_counts",
        "LANES COUNT_W",
        own=(plain(LANES=3, COUNT_W=6),),
        more=(plain(LANES=1, COUNT_W=3), plain(LANES=30, COUNT_W=32)),
        LANES=MORE,
        COUNT_W="log2(LANES + 2) + 1 or more",
    ),
    _module(
        "mlp_learn_dither",
        DROPS,
        own=(plain(DROP_MIN=6, DROP_MAX=11),),
        contracts=(_formula(plain(DROP_MIN=6, DROP_MAX=11), "dither-with-a-bit-too-many"),),
        illegal=(
            ({"DROP_MAX": 17}, "DROP_MAX=17", "SELRANGE"),
            ({"DROP_MIN": 0}, "", ""),
            ({"DROP_MAX": 5}, "", ""),
        ),
        DROP_MIN=MORE,
        DROP_MAX="DROP_MIN .. 16",
    ),
    _module(
        "mlp_learn_engine",
        f"N_LAYERS N RELU FRAC LANES FRAC_MIN SHIFT_MIN SHIFT_MAX {DROPS} ACC_W SUM_W WORDS ROWS "
        "X_WORDS DELTAS LAYER_W ADDR_W",
        LANES=MORE,
    ),
    _module(
        "mlp_learn_error",
        "N SCORE SLOPES",
        operator=LogitDeltas,
        own=(WithSlopes(3, "exp"), WithSlopes(3, "taylor2")),
        illegal=(({"SCORE": "sigmoid"}, "sigmoid", ""),),
        contracts=(Contract(WithSlopes(2, "exp"), 1, 2, mistake="error-against-256"),),
        N="2 .. 64",
    ),
    _module("mlp_learn_formats", FORMATS, own=(_of_hard(4, FORMATS),)),
    _module(
        "mlp_learn_forward",
        "LANES ACC_W SHIFT_MIN SHIFT_MAX",
        own=(plain(LANES=3, ACC_W=20, SHIFT_MIN=6, SHIFT_MAX=8),),
        more=(plain(LANES=1, ACC_W=19, SHIFT_MIN=0, SHIFT_MAX=7),),
        illegal=(
            ({"ACC_W": 15}, "ACC_W=15", ""),
            ({"LANES": 0}, "", ""),
            ({"SHIFT_MIN": -1}, "", ""),
            ({"SHIFT_MIN": 9}, "", ""),
            ({"SHIFT_MAX": 22}, "", ""),
        ),
        LANES=MORE,
        SHIFT_MAX="0 .. SHIFT_MIN + 15",
    ),
    _module("mlp_learn_host", "N_LAYERS N SET RANGE N_DROPS LANES LAYER_W ADDR_W"),
    _module(
        "mlp_learn_input",
        "N CLASSES LANES ADDR_W",
        own=(plain(N=5, CLASSES=3, LANES=2, ADDR_W=3),),
        more=(plain(N=1, CLASSES=2, LANES=4, ADDR_W=2), plain(N=4, CLASSES=3, LANES=1, ADDR_W=2)),
        contracts=(
            Contract(
                plain(N=3, CLASSES=3, LANES=2, ADDR_W=2), 1, mistake="learns-a-label-of-no-class"
            ),
        ),
        illegal=(
            ({"ADDR_W": 1}, "ADDR_W=1", "SELRANGE"),
            ({"N": 257, "ADDR_W": 9}, "N=257", ""),
            ({"CLASSES": 1}, "", ""),
            ({"CLASSES": 65}, "", ""),
        ),
        N="1 .. 256",
        LANES=MORE,
        ADDR_W="2 or more",
    ),
    _module(
        "mlp_learn_lane",
        f"M_W W_W X_W D_W SUM_W {DROPS}",
        own=(NARROW,),
        contracts=(_formula(NARROW, "backward-without-deltas"),),
        illegal=(
            ({"W_W": 17, "SUM_W": 40}, "W_W=17", ""),
            ({"SUM_W": 23}, "SUM_W=23", ""),
            ({"W_W": 1}, "", ""),
            ({"X_W": 1}, "", ""),
            ({"X_W": 17, "SUM_W": 40}, "", ""),
            ({"D_W": 7}, "", ""),
        ),
        D_W="W_W or more",
        SUM_W="D_W + W_W or more",
    ),
    _module("mlp_learn_lanes", f"LANES WORDS SUM_W {DROPS}", LANES=MORE),
    _module(
        "mlp_learn_layers",
        LAYERS,
        own=(_of_hard(2, LAYERS),),
        illegal=(
            ({"LANES": 257}, "LANES=257", ""),
            ({"LANES": 0}, "", ""),
            ({"N_LAYERS": 0}, "", ""),
            ({"N_LAYERS": 17, "N": (1,) * 18, "SET": (0,) * 17, "LAYER_W": 5}, "", ""),
            ({"N": (0, 6, 3)}, "", ""),
            ({"N": (4, 257, 3), "ADDR_W": 16}, "N=30000010100000004", ""),
        ),
    ),
    _module(
        "mlp_learn_mask",
        "W",
        own=(plain(W=3),),
        contracts=(_formula(plain(W=16), "no-mask", quick=True),),
        W=MORE,
    ),
    _module("mlp_learn_network", NETWORK),
    _module(
        "mlp_learn_operands",
        "LANES WORDS DELTAS ADDR_W",
        own=(plain(LANES=2, WORDS=7, DELTAS=9, ADDR_W=4),),
        LANES=MORE,
    ),
    _module(
        "mlp_learn_order",
        "",
        own=(plain(),),
        contracts=(_formula(plain(MOST=4), "order-with-an-even-step"),),
    ),
    _module("mlp_learn_pack", "LANES", own=(plain(LANES=3),), more=(plain(LANES=1),), LANES=MORE),
    _module(
        "mlp_learn_phase",
        "N_LAYERS LAYER_W",
        own=(plain(N_LAYERS=3, LAYER_W=2), plain(N_LAYERS=1, LAYER_W=1)),
    ),
    _module("mlp_learn_ram", "WIDTH PARTS DEPTH", own=(plain(WIDTH=3, PARTS=3, DEPTH=5),)),
    _module("mlp_learn_random", "", own=(plain(),)),
    _module(
        "mlp_learn_rate",
        "N_DROPS",
        own=(plain(N_DROPS=4),),
        contracts=(_formula(plain(N_DROPS=4), "rate-an-epoch-late", quick=True),),
        illegal=(({"N_DROPS": 8}, "N_DROPS=8", ""), ({"N_DROPS": 0}, "", "")),
    ),
    _module(
        "mlp_learn_sequence",
        LAYERS,
        own=(_of_hard(2, LAYERS),),
        more=(_of_hard(5, LAYERS),),
        contracts=(
            _formula(OfPlan("brief", BRIEF, 2, SEQUENCE), "gap-too-short", quick=True),
            _formula(OfPlan("long", LONG, 1, SEQUENCE)),
        ),
    ),
    _module("mlp_learn_start", "", own=(plain(),)),
    _module(
        "mlp_learn_timing",
        TIMING,
        own=(_of_hard(4, TIMING),),
    ),
    _module(
        "mlp_learn_update",
        f"M_W P_W {DROPS}",
        own=(plain(M_W=16, P_W=24, DROP_MIN=6, DROP_MAX=11),),
        more=(plain(M_W=16, P_W=18, DROP_MIN=4, DROP_MAX=4),),
        contracts=(
            # Nothing is left of an input after two cycles: a bounded proof is one for all time.
            _formula(
                plain(M_W=16, P_W=24, DROP_MIN=6, DROP_MAX=11),
                "master-that-wraps",
                latency=2,
                bounded=True,
                quick=True,
            ),
        ),
        illegal=(
            ({"DROP_MIN": 0}, "DROP_MIN=0", ""),
            ({"DROP_MAX": 5}, "DROP_MAX=5", ""),
            ({"M_W": 17}, "M_W=17", ""),
            ({"M_W": 1}, "", ""),
            ({"DROP_MAX": 24}, "", ""),
        ),
        P_W="DROP_MAX + 1 or more",
        DROP_MIN=MORE,
        DROP_MAX="DROP_MIN .. P_W - 1",
    ),
    _module("mlp_learn_walk", LAYERS, own=(_of_hard(2, LAYERS),), more=(_of_hard(5, LAYERS),)),
    Module(
        TOP,
        None,
        {
            key: RANGES[key]
            for key in (
                "N_LAYERS N SET RELU FRAC RANGE N_DROPS LANES LAYER_W ADDR_W WORDS ROWS X_WORDS "
                f"DELTAS FRAC_MIN SHIFT_MIN SHIFT_MAX {DROPS} ACC_W SUM_W SCORE DIVIDER SCORE_W "
                "TOTAL_W MEM_DIR"
            ).split()
        },
        # tb/test_learning.py runs these.
        for_mutants=(
            of_hard(),
            of_hard("taylor2"),
            of_hard("taylor2", 5),
            of_hard(lanes=5),
            of_random(2),
            of_random(8),
            of_dataset("iris", 6),
            of_dataset("iris", 30),
        ),
        bench="learning_bench",
        visible=("mlp_learn_network", "mlp_learn_ram"),
    ),
)
