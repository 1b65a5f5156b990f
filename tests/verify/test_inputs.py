"""A slice of what `make verify-inputs` runs whole, and that it would notice."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from common.errors import CommandError
from common.jobs import Figures
from common.paths import BUILD, GOLDEN, GOLDEN_IRIS
from model import artifact, images, reference
from model.artifact import Network
from tb.modules.mutant import mutated
from tb.modules.registry import mutant_named
from tb.sim import native
from verify import record
from verify.campaigns import inputs
from verify.campaigns.inputs import INPUTS, InputError, check

NETWORK = artifact.load(GOLDEN_IRIS)
# Both ends, both sides of where a feature becomes negative, and numbers that were drawn.
STARTS = (
    0,
    INPUTS - 500,
    0x7FFFFF00,
    0x007FFF80,
    *np.random.default_rng(7).integers(INPUTS, size=4),
)


def drawn(seed: int) -> Network:
    """IrisNet with other weights and biases: its sums saturate at both ends, and tie."""
    rng = np.random.default_rng(seed)
    weights = {k: rng.integers(-128, 128, w.shape) >> seed for k, w in NETWORK.weights.items()}
    layers = [dataclasses.replace(layer, acc_w=32) for layer in NETWORK.spec.layers]
    spec = NETWORK.spec.with_layers(tuple(layers))
    biases = {k: rng.integers(-50_000, 50_000, b.shape) for k, b in NETWORK.biases.items()}
    return dataclasses.replace(NETWORK, spec=spec, weights=weights, biases=biases)


@pytest.mark.parametrize("network", [NETWORK, drawn(0), drawn(1)])
def test_program_is_the_reference(network: Network) -> None:
    for start in STARTS:
        first = min(int(start), INPUTS - 1500)
        want = reference.result(network, reference.trace(network, inputs.codes(first, 1500)))
        for have, expected in zip(inputs.predicted(network, first, 1500), want, strict=True):
            assert have.tolist() == expected.tolist()


def test_networks_that_were_drawn_saturate_and_tie() -> None:
    everywhere = np.random.default_rng(8).integers(-128, 128, (2000, 4))
    values = reference.trace(drawn(0), everywhere)
    for layer in drawn(0).spec.layers:
        y, dropped = values[f"{layer.name}.y"], values[f"{layer.name}.acc"] % (1 << layer.shift)
        ends = {layer.y.q_min, layer.y.q_max} & {*y.ravel().tolist()}
        assert len(ends) == (1 if layer.name == "fc3" else 2)
        assert (dropped == 1 << (layer.shift - 1)).any()


def test_rtl_gives_what_the_program_gives() -> None:
    for start in STARTS:
        figures = check(NETWORK, int(start), 500, optimize=False)
        assert figures["compared"] == 500 * 4
        assert sum(count for name, count in figures.items() if name.startswith("class ")) == 500


def test_the_core_of_the_campaign_gives_what_the_program_gives() -> None:
    core = native.fast(NETWORK, INPUTS)
    assert core.spec.interval == 1 and core.weights is NETWORK.weights
    assert all(layer.plan for layer in core.spec.layers)
    for start in STARTS:
        assert check(core, int(start), 500, optimize=False)["compared"] == 500 * 4


def test_a_flipped_weight_is_named(tmp_path: Path) -> None:
    images.write_images(NETWORK, tmp_path)
    image = tmp_path / "linear00_weights.mem"
    words, width = images.image_shapes(NETWORK.spec)[image.name]
    values = images.read_image(image, words, width)
    images.write_image(image, [values[0] ^ 1 << 6, *values[1:]], width)
    with pytest.raises(
        InputError, match=r"input \d+, codes \[.*\]: class and probabilities must be \["
    ):
        check(NETWORK, 0x10304050, 1000, mem=tmp_path, optimize=False)


def test_a_mutant_of_the_rtl_is_noticed() -> None:
    rtl = mutated(mutant_named("rounds-half-up"), BUILD / "mutants" / "inputs")
    with pytest.raises(InputError, match=r"must be \[\d, .*\], got \[\d, "):
        check(NETWORK, 0x10304050, 1000, rtl=rtl, optimize=False)


def test_network_that_the_program_does_not_hold_is_refused() -> None:
    wine = artifact.load(GOLDEN / "wine.network.json")
    with pytest.raises(CommandError, match=r"network wine: must have 4 inputs of 8 bits"):
        inputs.predicted(wine, 0, 1)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The campaign with pieces that count and simulate nothing, and the folder of its evidence."""

    def piece(network: str, first: int) -> Figures:
        assert network == "tb/golden/iris.network.json" and first % inputs.PIECE == 0
        classes = {"class 0": inputs.PIECE - 3, "class 1": 2, "class 2": 1}
        return {"compared": 4 * inputs.PIECE, **classes}

    monkeypatch.setattr(inputs, "piece", piece)
    monkeypatch.setattr(inputs, "FOLDER", tmp_path / "inputs")
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    return tmp_path


def test_part_is_claimed_as_a_part_and_goes_on(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for first in (3, 1):
        inputs.run(inputs.parser().parse_args(["--first", str(first), "--jobs", "1"]))
        assert "inputs 50,331,648 of 4,294,967,296, 201,326,592 values" in capsys.readouterr().out
        found = json.loads((small / "inputs.json").read_text())
        assert found["claim"].startswith("3 of 256 parts of the inputs")
        assert found["figures"]["inputs"] == 3 << 24 and found["figures"]["of"] == 1 << 32
        assert {"verify/campaigns/inputs.cpp", "verify/side_by_side.h"} <= set(found["sources"])


def test_whole_has_the_counts_that_are_known(small: Path) -> None:
    with pytest.raises(
        CommandError, match=r"inputs of each class must be .2906043895, 399826063, 9"
    ):
        inputs.run(inputs.parser().parse_args(["--jobs", "1"]))
    assert not (small / "inputs.json").exists()
    counts = {f"class {k}": count for k, count in enumerate(inputs.COUNTS)}
    said = inputs.summary({"compared": 4 * INPUTS, **counts}, inputs.PIECES)
    assert said.endswith("classes 2,906,043,895 / 399,826,063 / 989,097,338")
    assert inputs.claim(inputs.PIECES).startswith("every input that four bytes can be")


def test_figures_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(CommandError, match=r"67,108,864 values of 16,777,216 inputs must be"):
        inputs.summary({"compared": 4 * inputs.PIECE, "class 0": 5, "class 1": 0, "class 2": 1}, 1)


@pytest.mark.parametrize("first", [0, 257])
def test_number_of_pieces_is_refused(first: int) -> None:
    with pytest.raises(CommandError, match=f"first must be an integer from 1 to 256, got {first}"):
        inputs.run(inputs.parser().parse_args(["--first", str(first)]))
