"""A slice of `make verify-canonical`: all agree, and a value or a cycle that is wrong is seen."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from common.errors import SimulationError
from common.paths import BUILD
from model.artifact import Network
from model.compare import DifferenceError
from model.format import Int
from model.networks.canonical import data
from model.qat import quantize
from tb.sim import native
from tb.sim.made_up import codes, made_up
from verify.campaigns import canonical
from verify.campaigns.canonical import in_software, through_library, through_streams, work

# Samples through the RTL: the three that are wide take minutes there.
SIMULATED = {"jet_tagging": 4, "control_policy": 4, "regression": 20, "leaky": 20}
# Layers by their sizes, and the output, as the field knows these networks.
SHAPES = {
    "jet_tagging": ([16, 64, 32, 32, 5], "softmax"),
    "mnist_tfc": ([784, 64, 64, 64, 10], "softmax"),
    "unsw_nb15": ([593, 64, 64, 64, 1], "sigmoid"),
    "anomaly_autoencoder": ([640, *[128] * 4, 8, *[128] * 4, 640], "logits"),
    "control_policy": ([8, 64, 64, 4], "logits"),
    "regression": ([13, 32, 1], "logits"),
    "leaky": ([12, 32, 16, 3], "softmax"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_implementations_agree(name: str) -> None:
    folder = BUILD / "canonical" / f"slice-{name}"
    count = SIMULATED.get(name, 10)
    network, x, figures = in_software(name, folder, count)
    layers = network.spec.layers
    sizes, output = SHAPES[name]
    assert ([network.spec.n_in, *(layer.n_out for layer in layers)], network.spec.output.kind) == (
        sizes,
        output,
    )
    assert len(x) == count and figures["PyTorch"] > count * sum(sizes)
    assert figures["ONNX Runtime"] >= figures["PyTorch"]
    if name in SIMULATED:
        assert through_streams(network, x, "icarus", folder) > count * sum(sizes)
    if name == "unsw_nb15":
        assert {layer.w.width for layer in layers} == {2}


def test_every_network_is_run() -> None:
    assert list(SHAPES) == list(data.MAKERS) == [job.name for job in work(100)]


def test_a_weight_that_changes_in_the_export_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = quantize.export

    def changed(*arguments: object) -> Network:
        network = export(*arguments)  # type: ignore[arg-type]
        network.weights["fc1"][0, 0] ^= 1
        return network

    monkeypatch.setattr(quantize, "export", changed)
    with pytest.raises(DifferenceError, match="PyTorch gives"):
        in_software("regression", tmp_path, 20)


@pytest.mark.parametrize("fault", ["value", "cycle", "none"])
def test_a_wrong_value_or_cycle_of_the_library_is_seen(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = made_up([4, 6, 3], folds=[(2, 3), (3, 1)])
    x = codes(np.random.default_rng(4), network, 20)
    stream = native.stream

    def faulty(core: Network, x: Int, **how: bool) -> native.Streamed:
        found = stream(core, x, **how)
        results = found.results.copy()
        results[7, 0] ^= fault == "value"
        return dataclasses.replace(found, results=results, cycles=found.cycles + (fault == "cycle"))

    monkeypatch.setattr(canonical.native, "stream", faulty)
    if fault == "none":
        assert through_library(network, x) == 20 * 4
        return
    with pytest.raises(
        (DifferenceError, SimulationError), match=r"sample 7, neuron 0|must take \d+ cycles"
    ):
        through_library(network, x)
