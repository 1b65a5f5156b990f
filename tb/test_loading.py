"""New weights while a core runs: every value of each network, under both simulators."""

import numpy as np
import pytest

from common.paths import BUILD
from model import artifact, images, loading
from model.artifact import Network
from model.images import MEM_DIR
from model.spec import TOP
from tb.modules.networks import MADE_UP
from tb.modules.situations import directed
from tb.sim.made_up import codes, made_up
from tb.sim.run_network import EVERY_SAMPLE, run_network
from tb.sim.runner import SimulationFailed, simulate
from tb.sim.simulators import SIMULATORS

CORE = MADE_UP["loadable"]


def loaded(core: Network, seed: int) -> Network:
    """Another network of the core's shape, at the core's spec."""
    sizes = [core.spec.n_in, *(layer.n_out for layer in core.spec.layers)]
    return loading.fitted(core.spec, made_up(sizes, seed=seed))


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_core_equals_the_reference_while_weights_are_replaced(simulator: str) -> None:
    folder = BUILD / "cases" / "loading"
    networks = [CORE, loaded(CORE, 7), loaded(CORE, 8)]
    paths = [folder / f"{n}.network.json" for n in range(len(networks))]
    for network, path in zip(networks, paths, strict=True):
        artifact.save(network, path)
    images.write_images(CORE, folder / "mem")
    x = codes(np.random.default_rng(3), CORE, 11)
    np.save(folder / "inputs.npy", x)
    outcome = simulate(
        TOP,
        CORE.spec.parameters(MEM_DIR),
        simulator=simulator,
        bench="load_bench",
        options={"networks": list(map(str, paths)), "inputs": str(folder / "inputs.npy")},
        name="loading",
        links={MEM_DIR: folder / "mem"},
    )
    assert outcome.passed == 10 and outcome.compared > 1000


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_every_stream_is_the_loaded_networks(simulator: str) -> None:
    network = loaded(CORE, 7)
    folder = BUILD / "cases" / "loaded"
    how = {"folder": folder, "name": "loaded", "core": CORE}
    outcome, report = run_network(network, directed(network, 40), simulator, **how)
    assert outcome.passed > 0
    assert all(stream["differing"] == 0 for stream in report["streams"].values())


def test_a_load_that_is_left_out_is_noticed() -> None:
    network, folder = loaded(CORE, 7), BUILD / "cases" / "left-out"
    images.write_images(CORE, folder / "images")
    with pytest.raises(SimulationFailed):
        run_network(
            network,
            directed(network, 40),
            "icarus",
            folder=folder,
            name="left-out",
            mem=folder / "images",
            testcase=EVERY_SAMPLE,
        )
