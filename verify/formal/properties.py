"""What each module with streams promises, proved by *_properties.v at sizes a solver can take.

Inputs, stalls and resets are free. Where a proof is unbounded it holds for all time; else for every
run of so many cycles, the first one a reset.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common import sources
from common.paths import BUILD, RTL
from model import images
from model.format import Format
from model.stage import PACK_CYCLES, REGISTER_CYCLES, UNPACK_CYCLES, Parameter
from model.stages.linear import FOLD_CYCLES, REQUANTIZE_CYCLES
from model.stages.softmax import EXP_IMAGE, RECIPROCAL_IMAGE, SoftmaxSpec
from syn.yosys import chosen
from tb.modules.rows import SOFTMAX_PARTS, linear_parameters, softmax_parameters
from tb.sim.made_up import made_up
from verify.formal.pdr import decide
from verify.formal.softmax_proofs import SECONDS, ProofError

FORMAL = Path(__file__).parent
CONTRACT = "stream_contract.v"
# Cycles of a bounded proof beyond latency and interval: a reset, a stall, and the cycle after it.
SLACK = 3

# The promises of verify/formal/stream_contract.v.
PROMISES = (
    "stable_while_stalled",
    "nothing_is_invented",
    "each_result_in_order",
    "nothing_is_lost",
    "nobody_waits_forever",
    "no_more_than_fits",
)
Files = Callable[[Path], dict[str, Parameter]]


@dataclass(frozen=True)
class Contract:
    """The promises of one module at one size.

    ``parameters`` name the size. Where that is not all, ``files`` writes the ROM images and gives
    every parameter.
    ``bound`` are the cycles of the runs that are looked at, None for all time.
    """

    module: str
    parameters: tuple[tuple[str, Parameter], ...]
    latency: int
    interval: int = 1
    bound: int | None = None
    files: Files = lambda folder: {}

    @property
    def name(self) -> str:
        """``requantize-9-4-3``."""
        values = [str(value) for _, value in self.parameters]
        return "-".join([self.module.removeprefix("mlp_"), *values])

    @property
    def size(self) -> str:
        """``ACC_W=9 OUT_W=4 SHIFT=3``."""
        return " ".join(f"{name}={value}" for name, value in self.parameters)

    @property
    def extent(self) -> str:
        """How far the proof reaches."""
        return f"{self.bound} cycles" if self.bound else "for all time"

    @property
    def solver(self) -> str:
        """Who proves it."""
        return "ABC bmc3" if self.bound else "ABC pdr"

    @property
    def promises(self) -> tuple[str, ...]:
        """What is asserted; gates alone keep no contract over time."""
        return ("equals_its_formula",) if self.module == "mlp_relu" else PROMISES

    def prove(
        self, rtl: Path = RTL, *, folder: Path | None = None, promise: str | None = None
    ) -> int:
        """Prove all promises, or this one; return the cycles that the solver looked at.

        Raises `ProofError` where a run breaks one, or the solver gives up.
        """
        folder = folder or BUILD / "formal" / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        top = f"{self.module.removeprefix('mlp_')}_properties"
        for source in (FORMAL / CONTRACT, FORMAL / f"{top}.v", *sources.verilog(rtl)):
            shutil.copy(source, folder)
        parameters = self.files(folder) or dict(self.parameters)
        if self.module != "mlp_relu":
            # As many vectors as cycles of latency, and what a register more may hold.
            parameters |= {"CAPACITY": self.latency + 2, "PATIENCE": self.latency + self.interval}
        named = " ".join(sorted(path.name for path in folder.glob("*.v")))
        design = [f"read_verilog -formal {named}", f"chparam {chosen(parameters)} {top}"]
        design.append(f"prep -top {top}")
        if promise:
            design.append(f"chformal -assert -remove t:$check c:*{promise} %d")
        verdict = decide(design, folder, seconds=SECONDS, bound=self.bound)
        if not verdict.holds:
            said = "undecided" if verdict.holds is None else "refuted"
            what = promise or "a promise"
            raise ProofError(
                f"{self.name}: {what} is {said} after {verdict.frames} cycles; see {folder}"
            )
        return verdict.frames


def contract(
    module: str, latency: int, interval: int = 1, bound: int | None = None, **parameters: int
) -> Contract:
    """A module without ROM images."""
    return Contract(module, tuple(parameters.items()), latency, interval, bound)


def of_linear(n_in: int, n_out: int, simd: int, pe: int) -> Contract:
    """`mlp_linear` with the weights of a made-up network of 2-bit values."""
    tiny = Format(2, 0)
    folds = [(simd, pe), (1, 1)]
    network = made_up([n_in, n_out, 2], folds=folds, formats=[tiny] * 3, weight_format=tiny)
    layer = network.spec.layers[0]

    def files(folder: Path) -> dict[str, Parameter]:
        images.write_images(network, folder)
        return linear_parameters(layer, "linear00")

    shown = (("N_IN", n_in), ("N_OUT", n_out), ("SIMD", simd), ("PE", pe))
    return Contract("mlp_linear", shown, layer.linear_cycles, layer.cycles, files=files)


def of_softmax_part(
    module: str, spec: SoftmaxSpec, latency: int, *, bounded: bool = False
) -> Contract:
    """A part of the softmax; its tables are those of the spec."""
    names = SOFTMAX_PARTS[module][0]
    bound = latency + spec.beats + SLACK if bounded else None

    def files(folder: Path) -> dict[str, Parameter]:
        tables = {"EXP": EXP_IMAGE, "RECIPROCAL": RECIPROCAL_IMAGE}
        values = softmax_parameters(spec, folder) | tables
        return {name: values[name] for name in names}

    shown = (("N", spec.n), ("LANES", spec.lanes), ("X_W", spec.x.width), ("FRAC", spec.x.frac))
    return Contract(module, shown, latency, spec.beats, bound, files)


def contracts() -> list[Contract]:
    """Every module with streams, at a few sizes."""
    requantize = [(9, 4, 3), (12, 8, 0), (16, 8, 8), (20, 8, 7), (24, 2, 12)]
    found = [
        contract("mlp_skid_buffer", REGISTER_CYCLES, W=3),
        contract("mlp_stream_pack", PACK_CYCLES, N=4, LANES=2, W=2),
        contract("mlp_stream_pack", PACK_CYCLES, N=3, LANES=1, W=1),
        contract("mlp_stream_pack", PACK_CYCLES, N=2, LANES=2, W=2),
        contract("mlp_stream_unpack", UNPACK_CYCLES, 3, N=3, LANES=1, W=2, TAG_W=1),
        contract("mlp_stream_unpack", UNPACK_CYCLES, 1, N=2, LANES=2, W=2, TAG_W=1),
        contract("mlp_fold", FOLD_CYCLES, 6, STEPS=3, GROUPS=2),
        contract("mlp_fold", FOLD_CYCLES, 1, STEPS=1, GROUPS=1),
        *(
            contract("mlp_requantize", REQUANTIZE_CYCLES, ACC_W=acc, OUT_W=out, SHIFT=shift)
            for acc, out, shift in requantize
        ),
        contract("mlp_relu", 0, LANES=2, W=8),
        of_linear(2, 2, 1, 1),
        of_linear(2, 1, 2, 1),
    ]
    for n, lanes in ((3, 1), (2, 2)):
        taylor2 = SoftmaxSpec(n, Format(2, 0), "taylor2", "reciprocal", lanes)
        exact = SoftmaxSpec(n, Format(2, 0), "taylor2", "restoring", lanes)
        exp = SoftmaxSpec(n, Format(2, 0), "exp", "restoring", lanes)
        found += [
            of_softmax_part("mlp_softmax_taylor2", taylor2, taylor2.score_cycles),
            of_softmax_part("mlp_softmax_max", exp, exp.max_cycles),
            of_softmax_part("mlp_softmax_exp", exp, exp.score_cycles, bounded=True),
            of_softmax_part("mlp_softmax_sum", taylor2, taylor2.sum_cycles),
            of_softmax_part("mlp_softmax_reciprocal", taylor2, taylor2.divide_cycles, bounded=True),
            of_softmax_part("mlp_softmax_restoring", exact, exact.divide_cycles, bounded=True),
            of_softmax_part(
                "mlp_softmax_remainder", taylor2, taylor2.remainder_cycles, bounded=True
            ),
        ]
    return found
