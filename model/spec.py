"""The shape of a network: a tuple of stages between two AXI4-Streams, and what follows from it.

Every width, shift, cycle count, latency and RTL parameter is derived from the stages, once. Nothing
here knows a weight's value.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from model.format import Format, require, require_boolean, require_divisor, require_integer
from model.plain import build
from model.stage import (
    PACK_CYCLES,
    UNPACK_CYCLES,
    Area,
    Output,
    Parameter,
    Stage,
    Stream,
    index_width,
    ram_area,
    user_width,
)
from model.stages.linear import LayerSpec
from model.stages.output import ArgmaxSpec, LogitsSpec, SigmoidSpec
from model.stages.softmax import SoftmaxSpec
from model.words import Field

# The module that the parameters are of.
TOP = "mlp_top"

MAX_STAGES = 100

# What takes new weights, beside the memories: a byte, its CRC-32, the vectors under way.
LOAD_AREA = Area(0, 130, 63, 0)

# Each kind of stage by its name in a network's file.
OUTPUTS: Mapping[str, type[Output]] = {
    kind.kind: kind for kind in (SoftmaxSpec, LogitsSpec, ArgmaxSpec, SigmoidSpec)
}
KINDS: Mapping[str, type[Stage]] = {LayerSpec.kind: LayerSpec, **OUTPUTS}


@dataclass(frozen=True)
class NetworkSpec:
    """A chain of stages between two AXI4-Streams.

    ``in_lanes`` features enter and ``out_lanes`` values leave in one beat. Where ``loadable``, its
    weights and biases can be replaced while the core runs (`model.loading`). Raises `SpecError`
    where the stages do not fit together.
    """

    name: str
    stages: tuple[Stage, ...]
    in_lanes: int
    out_lanes: int
    loadable: bool = False

    def __post_init__(self) -> None:
        owner = f"network {self.name}"
        require(
            isinstance(self.name, str) and self.name.isidentifier(),
            f"network: name must be an identifier, got {self.name!r}",
        )
        require_integer(owner, 1, MAX_STAGES, **{"number of stages": len(self.stages)})
        names = [stage.name for stage in self.stages]
        require(len(set(names)) == len(names), f"{owner}: stage names repeat: {', '.join(names)}")
        require(bool(self.layers), f"{owner}: there must be a linear layer, found none")
        for first, second in zip(self.stages, self.stages[1:], strict=False):
            require(
                (first.n_out, first.y) == (second.n_in, second.x),
                f"{owner}: {first.name} gives {first.n_out} x {first.y}, "
                f"{second.name} takes {second.n_in} x {second.x}",
            )
        ends = [stage.name for stage in self.stages if hasattr(stage, "classes")]
        require(
            ends == names[-1:],
            f"{owner}: the last stage, and no other, must be an output ({', '.join(OUTPUTS)}), "
            f"got {', '.join(stage.kind for stage in self.stages)}",
        )
        require_boolean(owner, loadable=self.loadable)
        planned = [layer.name for layer in self.layers if layer.plan]
        require(
            not (self.loadable and planned),
            f"{owner}: loadable must be false where layers share sums, which are those of their "
            f"weights ({', '.join(planned)}), got true",
        )
        require_divisor(owner, "number of inputs", self.n_in, in_lanes=self.in_lanes)
        require_divisor(owner, "number of outputs", self.n_out, out_lanes=self.out_lanes)

    @property
    def layers(self) -> tuple[LayerSpec, ...]:
        """The stages that have weights."""
        return tuple(stage for stage in self.stages if isinstance(stage, LayerSpec))

    @property
    def output(self) -> Output:
        """The last stage."""
        return cast(Output, self.stages[-1])

    @property
    def tdata(self) -> Field:
        """A beat that leaves: values in whole bytes, signed where they are codes."""
        output = self.output
        return Field("data", output.out_width, self.out_lanes, signed=output.y is not None)

    @property
    def tuser(self) -> Field:
        """The class beside each beat that leaves; 0 where the output has none."""
        return Field("user", user_width(self.output.n_in))

    @property
    def softmax(self) -> SoftmaxSpec:
        """The last stage, where it is a softmax."""
        assert isinstance(self.output, SoftmaxSpec)
        return self.output

    @property
    def hosts(self) -> tuple[str, ...]:
        """Modules of rtl/ that hold the signals of the streams, each once."""
        return tuple(dict.fromkeys(host for stage in self.stages for host in stage.hosts))

    @property
    def n_in(self) -> int:
        """Features of one sample."""
        return self.stages[0].n_in

    @property
    def n_out(self) -> int:
        """Values of one result, such as a probability for each class."""
        return self.output.n_out

    @property
    def n_names(self) -> int:
        """Names that can be given to what leaves: of classes, or of values where it has none."""
        return self.output.classes or self.output.n_in

    @property
    def x(self) -> Format:
        """Format of the features."""
        return self.stages[0].x

    @property
    def logits_key(self) -> str:
        """Key in a trace of what the last layer with weights gives."""
        return self.layers[-1].key

    @property
    def memory(self) -> bool:
        """Tell if the first layer keeps the features of a sample in a memory, as they come.

        It does not where weights are replaced: that waits for vectors, which enter as one beat.
        """
        return not self.loadable and self.layers[0].in_memory(self.in_lanes)

    @property
    def never_waits(self) -> bool:
        """Tell if all layers have plans: no register waits, and results are kept behind them."""
        return all(layer.plan for layer in self.layers)

    @property
    def places(self) -> int:
        """Vectors that ``mlp_credits`` lets into layers that never wait, for a result a cycle."""
        return sum(layer.latency for layer in self.layers) + 1

    @property
    def streams(self) -> tuple[tuple[Stream, ...], ...]:
        """The streams of each stage; beats on their way into a memory are those of ``s_axis``."""
        first, *others = (stage.streams(index) for index, stage in enumerate(self.stages))
        return (first[1:] if self.memory else first, *others)

    @property
    def latency(self) -> int:
        """Cycles from the last beat of a sample to the first beat of its result."""
        return PACK_CYCLES + sum(stage.latency for stage in self.stages) + UNPACK_CYCLES

    @property
    def interval(self) -> int:
        """Cycles per sample in steady state: those of the slowest part."""
        ends = [self.n_in // self.in_lanes, self.n_out // self.out_lanes]
        return max([*ends, *(stage.cycles for stage in self.stages)])

    @property
    def area(self) -> Area:
        """Estimated FPGA resources of ``mlp_top``: the stages, and the registers at both ends."""
        return self.area_with(memory=self.memory)

    def area_with(self, *, memory: bool) -> Area:
        """Estimate it where the features of a sample are in a memory, or are not."""
        gathered = 0 if memory else self.n_in * self.x.width
        ends = gathered + self.n_out * self.output.out_width
        first, *others = self.stages
        assert isinstance(first, LayerSpec)
        area = Area(0, ends // 2, ends, 0) + first.body_area
        area += first.memory_area if memory else first.register_area
        for stage in others:
            area += stage.area
        if self.never_waits:
            area += self.credits_area
        if self.loadable:
            area += LOAD_AREA
            for layer in self.layers:
                area += layer.bank_area
        return area

    @property
    def credits_area(self) -> Area:
        """``mlp_credits`` in the place of the spares of all layers."""
        width = self.layers[-1].n_out * self.layers[-1].y.width
        address = index_width(self.places)
        area = ram_area(width, 1 << address) + Area(
            0, width + 6 * address, 2 * width + 3 * address, 0
        )
        for layer in self.layers:
            area -= layer.spare_area
        return area

    def parameters(self, mem_dir: str) -> dict[str, Parameter]:
        """Parameters of ``mlp_top``; a tuple has one entry a layer, the first layer first."""
        found: dict[str, Parameter] = {
            "N_LAYERS": len(self.layers),
            "N": (self.n_in,),
            "X_W": (self.x.width,),
        }
        for stage in self.stages:
            for key, value in stage.parameters().items():
                known = found.get(key, ())
                joined = isinstance(known, tuple) and isinstance(value, tuple)
                found[key] = known + value if joined else value  # type: ignore[operator]
        plans = [layer.plan.words if layer.plan else () for layer in self.layers]
        if any(plans):
            found["PLAN_AT"] = tuple(itertools.accumulate(map(len, plans), initial=0))
            found["PLANS"] = (*itertools.chain(*plans), 0)
        return found | {
            "IN_LANES": self.in_lanes,
            "MEMORY": int(self.memory),
            "OUT_LANES": self.out_lanes,
            "LOADABLE": int(self.loadable),
            "MEM_DIR": mem_dir,
        }

    def folded(
        self,
        folds: Mapping[str, tuple[int, int]],
        *,
        in_lanes: int | None = None,
        lanes: int | None = None,
        out_lanes: int | None = None,
    ) -> "NetworkSpec":
        """The same network at other ``(simd, pe)`` by layer name, and other lanes where given.

        ``lanes`` are those of stages without weights, such as the softmax.
        """
        unknown = set(folds) - {layer.name for layer in self.layers}
        require(not unknown, f"network {self.name}: fold of unknown layer {', '.join(unknown)}")
        stages = tuple(stage.refolded(folds.get(stage.name), lanes) for stage in self.stages)
        return dataclasses.replace(
            self,
            stages=stages,
            in_lanes=in_lanes or self.in_lanes,
            out_lanes=out_lanes or self.out_lanes,
        )

    def with_layers(self, layers: Sequence[LayerSpec]) -> "NetworkSpec":
        """The same network with other linear stages in the places of its own, in order."""
        others = iter(layers)
        stages = (next(others) if isinstance(s, LayerSpec) else s for s in self.stages)
        return dataclasses.replace(self, stages=tuple(stages))

    def with_output(self, output: Output) -> "NetworkSpec":
        """The same network with another last stage."""
        return dataclasses.replace(self, stages=(*self.stages[:-1], output))

    def unrolled(self) -> "NetworkSpec":
        """The same network with a multiplier for each weight: one sample per cycle."""
        folds = {layer.name: (layer.n_in, layer.n_out) for layer in self.layers}
        return self.folded(folds, in_lanes=self.n_in, lanes=self.output.n_in, out_lanes=self.n_out)

    def at_each_fold(self) -> "dict[str, NetworkSpec]":
        """The ends of the range of folds, and the network's own between them."""
        return {"serial": self.serial(), "default": self, "unrolled": self.unrolled()}

    def serial(self) -> "NetworkSpec":
        """The same network with one multiplier a layer and one value a beat."""
        folds = {layer.name: (1, 1) for layer in self.layers}
        return self.folded(folds, in_lanes=1, lanes=1, out_lanes=1)


def to_plain(spec: NetworkSpec) -> dict[str, Any]:
    """The spec as dicts, lists and scalars, for JSON; each stage says its kind."""
    stages = [{"kind": stage.kind, **_given(dataclasses.asdict(stage))} for stage in spec.stages]  # type: ignore[call-overload]
    return {
        "name": spec.name,
        "stages": stages,
        "in_lanes": spec.in_lanes,
        "out_lanes": spec.out_lanes,
        **({"loadable": True} if spec.loadable else {}),
    }


def _given(plain: dict[str, Any]) -> dict[str, Any]:
    """A table without what is None: files keep the keys that they had before there were more."""
    return {key: value for key, value in plain.items() if value is not None}


def from_plain(plain: object, version: int = 2) -> NetworkSpec:
    """The inverse of `to_plain`; unknown, missing and illegal entries raise `SpecError`.

    Version 1 has ``layers`` and a ``softmax`` in the place of ``stages``.
    """
    require(isinstance(plain, Mapping), f"spec: must be a table of keys, found {plain!r}")
    assert isinstance(plain, Mapping)
    if version == 1:
        plain = _from_version_1(plain)
    stages = plain.get("stages")
    _require_list("stages", stages)
    assert isinstance(stages, Sequence)
    built = tuple(_stage(f"spec.stages[{index}]", stage) for index, stage in enumerate(stages))
    spec: NetworkSpec = build(NetworkSpec, "spec", {**plain, "stages": built})
    return spec


def _from_version_1(plain: Mapping[str, Any]) -> dict[str, Any]:
    for key in ("layers", "softmax"):
        require(key in plain, f"spec: key {key!r} is missing")
    require("stages" not in plain, "spec: unknown key 'stages' in a file of version 1")
    layers = plain["layers"]
    _require_list("layers", layers)
    ends = {"linear": layers, "softmax": [plain["softmax"]]}
    stages = [
        {"kind": kind, **entry} if isinstance(entry, Mapping) else entry
        for kind, entries in ends.items()
        for entry in entries
    ]
    kept = {key: value for key, value in plain.items() if key not in ("layers", "softmax")}
    return {**kept, "stages": stages}


def _require_list(key: str, value: object) -> None:
    legal = isinstance(value, Sequence) and not isinstance(value, str)
    require(legal, f"spec: {key} must be a list, found {value!r}")


def _stage(owner: str, plain: object) -> Stage:
    require(isinstance(plain, Mapping), f"{owner}: must be a table of keys, found {plain!r}")
    assert isinstance(plain, Mapping)
    kind = plain.get("kind")
    require(
        isinstance(kind, str) and kind in KINDS,
        f"{owner}: kind must be one of {', '.join(KINDS)}, got {kind!r}",
    )
    assert isinstance(kind, str)
    fields = {key: value for key, value in plain.items() if key != "kind"}
    stage: Stage = build(KINDS[kind], owner, fields)
    return stage
