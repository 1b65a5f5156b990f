"""The RTL as backends of `model.Network.predict`: named in `model.backends`, loaded from there."""

import tempfile
from pathlib import Path

import numpy as np

from common.paths import BUILD
from model.artifact import Network
from model.format import Int
from tb.sim import native as library
from tb.sim.run_network import LONG_RUN, run_network

Results = tuple[Int, Int]


def icarus(network: Network, codes: Int) -> Results:
    """Through the RTL under Icarus, every stream compared with the reference on the way."""
    return _simulated(network, codes, "icarus")


def verilator(network: Network, codes: Int) -> Results:
    """Through the RTL under Verilator, every stream compared with the reference on the way."""
    return _simulated(network, codes, "verilator")


def native(network: Network, codes: Int) -> Results:
    """Through the RTL as a library, at the fold that simulates fastest: values know no fold."""
    found = library.stream(network.refolded(library.fast_fold(network.spec)), codes)
    return found.classes.astype(np.int64), found.results.astype(np.int64)


def _simulated(network: Network, codes: Int, simulator: str) -> Results:
    # The bench measures the distance of results, so it wants two of them.
    asked = codes if len(codes) > 1 else np.repeat(codes, 2, axis=0)
    (BUILD / "predict").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD / "predict") as folder:
        _, report = run_network(
            network,
            asked,
            simulator,
            folder=Path(folder),
            name=f"predict-{Path(folder).name}",
            testcase=LONG_RUN,
        )
    classes, results = np.array(report["classes"]), np.array(report["results"])
    return classes[: len(codes)], results[: len(codes)]
