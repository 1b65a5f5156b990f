"""The RTL as backends of `model.Network.predict`: named in `model.backends`, loaded from there."""

import functools
import tempfile
from pathlib import Path

import numpy as np

from common.paths import BUILD
from model import loading
from model.artifact import Network
from model.backends import Backend
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
    found = library.stream(library.fast(network, len(codes)), codes)
    return found.classes.astype(np.int64), found.results.astype(np.int64)


def icarus_loaded(core: Network, network: Network) -> Backend:
    """As `icarus`, the weights loaded into a core that begins with others."""
    return functools.partial(_loaded, core, "icarus")


def verilator_loaded(core: Network, network: Network) -> Backend:
    """As `verilator`, the weights loaded into a core that begins with others."""
    return functools.partial(_loaded, core, "verilator")


def native_loaded(core: Network, network: Network) -> Backend:
    """As `native`, the weights loaded into a core that begins with others."""
    fast = core.refolded(library.fast_fold(core.spec))

    def run(network: Network, codes: Int) -> Results:
        found = library.stream(fast, codes, frame=loading.frame(fast.spec, network))
        return found.classes.astype(np.int64), found.results.astype(np.int64)

    return run


def _loaded(core: Network, simulator: str, network: Network, codes: Int) -> Results:
    return _simulated(loading.fitted(core.spec, network), codes, simulator, core)


def _simulated(
    network: Network, codes: Int, simulator: str, core: Network | None = None
) -> Results:
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
            core=core,
        )
    classes, results = np.array(report["classes"]), np.array(report["results"])
    return classes[: len(codes)], results[: len(codes)]
