"""A network is what its stages say: an output that nobody knew before needs no change elsewhere."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from common.paths import GOLDEN, GOLDEN_IRIS
from model import artifact, images, recipe, reference, spec
from model.format import Format, Int, SpecError
from model.spec import NetworkSpec
from model.stage import Area, Parameter, Payload, Stream
from model.stages.softmax import SoftmaxSpec
from model.words import Field
from tb.benches.probes import data_path
from tb.sim.made_up import codes, made_up

NETWORK = made_up([4, 6, 3])


@dataclass(frozen=True)
class Codes:
    """A toy output: the codes of the last layer, as they are, after a cycle."""

    kind: ClassVar[str] = "codes"
    hosts: ClassVar[tuple[str, ...]] = ("mlp_codes",)
    name: ClassVar[str] = "codes"
    key: ClassVar[str] = "codes.y"
    title: ClassVar[str] = "codes"
    detail: ClassVar[str] = "as they are"
    fold: ClassVar[str] = "all"
    formula: ClassVar[str] = "1"
    cycles: ClassVar[int] = 1
    latency: ClassVar[int] = 1
    multipliers: ClassVar[int] = 0
    classes: ClassVar[int] = 0

    n: int
    x: Format

    @property
    def n_in(self) -> int:
        return self.n

    @property
    def n_out(self) -> int:
        return self.n

    @property
    def y(self) -> Format:
        return self.x

    @property
    def out_width(self) -> int:
        return self.x.byte_width

    @property
    def formats(self) -> tuple[str, str, str, int]:
        return str(self.x), "", str(self.x), self.x.width

    @property
    def area(self) -> Area:
        return Area(0, 0, self.n * self.x.width, 0)

    def refolded(self, fold: tuple[int, int] | None, lanes: int | None) -> Self:
        return self

    def streams(self, index: int) -> tuple[Stream, ...]:
        field = Field("y", self.x.width, self.n, signed=True)
        return (Stream("u_codes", "out_", (Payload(self.key, field, "out_y"),)),)

    def parameters(self) -> dict[str, Parameter]:
        return {"OUTPUT": self.kind}

    def image_shapes(self, index: int) -> dict[str, tuple[int, int]]:
        return {}

    def images(
        self, index: int, weights: Mapping[str, Int], biases: Mapping[str, Int]
    ) -> dict[str, list[int]]:
        return {}


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> NetworkSpec:
    """A network that ends in codes, whose kind has been entered where kinds are."""

    def step(stage: Codes, network: artifact.Network, x: Int) -> dict[str, Int]:
        return {stage.key: x}

    monkeypatch.setattr(spec, "KINDS", {**spec.KINDS, Codes.kind: Codes})
    monkeypatch.setattr(reference, "STAGES", {**reference.STAGES, Codes.kind: step})
    return NETWORK.spec.with_output(Codes(3, NETWORK.spec.output.x))


# Features, SIMD, features a beat: a memory needs 16 words or more, of whole beats.
IN_MEMORY = {(16, 1, 1), (784, 1, 1), (784, 28, 4), (51, 3, 3), (64, 4, 2)}
IN_REGISTERS = {(15, 1, 1), (30, 2, 1), (784, 56, 1), (64, 4, 8), (64, 2, 4), (64, 4, 64)}


@pytest.mark.parametrize("shape", sorted(IN_MEMORY | IN_REGISTERS))
def test_memory_keeps_the_features_where_simd_is_far_below_them(
    shape: tuple[int, int, int],
) -> None:
    n_in, simd, lanes = shape
    found = made_up([n_in, 2], folds=[(simd, 1)], in_lanes=lanes).spec
    assert found.memory == (shape in IN_MEMORY)
    assert found.parameters("")["MEMORY"] == int(found.memory)
    # Vectors between layers are one beat.
    assert "fc1.acc" in {payload.channel for s in found.streams[0] for payload in s.payloads}
    assert (found.streams[0][0].payloads[0].channel == "fc1.x") != found.memory


def test_memory_costs_less_and_no_cycle() -> None:
    wide = made_up([64, 8, 2]).spec
    registers = dataclasses.replace(wide, in_lanes=64)
    assert wide.memory and not registers.memory
    assert wide.latency == registers.latency
    assert wide.area.luts < registers.area.luts - 400
    assert wide.area.flip_flops < registers.area.flip_flops - 2 * 64 * 8 + 64


def test_features_of_a_loadable_network_are_in_registers() -> None:
    wide = made_up([64, 8, 2])
    loadable = made_up([64, 8, 2], loadable=True)
    assert wide.spec.memory and not loadable.spec.memory
    assert loadable.spec.parameters("")["MEMORY"] == 0
    assert loadable.spec.streams[0][0].payloads[0].channel == "fc1.x"


def test_no_golden_network_has_a_memory() -> None:
    for path in GOLDEN.glob("*.network.json"):
        assert not artifact.load(path).spec.memory, path.name


def test_new_output_is_in_every_sum(known: NetworkSpec) -> None:
    layers = known.layers
    assert known.latency == 1 + sum(layer.latency for layer in layers) + 1 + 1
    assert known.interval == max(layer.cycles for layer in layers)
    assert known.unrolled().interval == 1
    assert known.area.multipliers == sum(layer.multipliers for layer in layers)
    assert set(images.image_shapes(known)) == {
        f"linear{index:02d}_{what}.mem" for index in (0, 1) for what in ("weights", "biases")
    }
    assert known.parameters("")["OUTPUT"] == "codes"
    assert known.hosts == ("mlp_layers", "mlp_layer", "mlp_codes")
    assert "SCORE" not in known.parameters("")
    assert [stream.part for stream in data_path(known)][-2:] == ["codes", "m_axis"]
    assert data_path(known)[-1].payloads[0].field.width == 8


def test_new_output_is_traced_written_and_read(known: NetworkSpec) -> None:
    network = NETWORK.refolded(known)
    x = codes(np.random.default_rng(1), NETWORK, 20)
    traced, expected = reference.trace(network, x), reference.trace(NETWORK, x)
    assert (traced["codes.y"] == expected[NETWORK.spec.logits_key]).all()
    assert not any(key.startswith("softmax") for key in traced)
    assert spec.from_plain(json.loads(json.dumps(spec.to_plain(known)))) == known


def test_unknown_kind_is_refused(known: NetworkSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = spec.to_plain(known)
    monkeypatch.undo()
    with pytest.raises(
        SpecError, match=r"stages\[2\]: kind must be one of linear, softmax, .*, got 'c"
    ):
        spec.from_plain(plain)


def test_stages_that_do_not_fit_are_refused() -> None:
    softmax = dataclasses.replace(NETWORK.spec.softmax, n=4, lanes=1)
    with pytest.raises(SpecError, match=r"fc2 gives 3 x 8/\d, softmax takes 4 x 8/\d"):
        NETWORK.spec.with_output(softmax)
    with pytest.raises(SpecError, match="there must be a linear layer, found none"):
        NetworkSpec("alone", (NETWORK.spec.softmax,), 1, 1)


@pytest.mark.parametrize("divider", [["lut"], {"lut": 1}, 7, None, "srt"])
@pytest.mark.parametrize("kind", [SoftmaxSpec, recipe.Softmax])
def test_divider_of_any_type_is_refused_in_a_sentence(kind: Any, divider: Any) -> None:
    shape = {"n": 3, "x": Format(8, 4)} if kind is SoftmaxSpec else {}
    with pytest.raises(SpecError, match="divider must be one of reciprocal, restoring, got"):
        kind(**shape, score="exp", divider=divider, lanes=1)


def test_file_of_version_1_is_read_as_ever(tmp_path: Any) -> None:
    content = json.loads(GOLDEN_IRIS.read_text())
    stages = [dict(stage) for stage in content["spec"].pop("stages")]
    assert [stage.pop("kind") for stage in stages] == [*4 * ["linear"], "softmax"]
    content["spec"] |= {"layers": stages[:-1], "softmax": stages[-1] | {"divider": "lut"}}
    del content["sha256"]
    content["version"] = 1
    content["sha256"] = artifact.digest(content)
    (tmp_path / "old.json").write_text(json.dumps(content))
    assert artifact.load(tmp_path / "old.json").spec == artifact.load(GOLDEN_IRIS).spec
