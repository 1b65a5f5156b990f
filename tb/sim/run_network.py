"""One network through `mlp_top`: what the bench needs is written, run, and read back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from model import artifact, images
from model.artifact import Network
from model.format import Int
from model.images import MEM_DIR
from model.spec import TOP
from model.stage import Parameter
from tb.sim.runner import Outcome, simulate

# The test of tb/benches/top_bench.py that runs every sample and writes a report.
EVERY_SAMPLE = "computes_every_value$"
# The one for thousands of samples.
LONG_RUN = "computes_every_value_in_long_runs$"


def run_network(
    network: Network,
    x: Int,
    simulator: str,
    *,
    folder: Path,
    name: str,
    mem: Path | None = None,
    testcase: str | None = None,
    waves: Path | None = None,
    functional: Path | None = None,
    options: Mapping[str, Any] | None = None,
    changed: Mapping[str, Parameter] | None = None,
    core: Network | None = None,
    **how: Any,
) -> tuple[Outcome, dict[str, Any]]:
    """Run the bench of `mlp_top` on input codes ``x [samples, n_in]``.

    Writes into ``folder``; ``options`` go to the bench beside its own; ``mem`` is a folder of ROM
    images that stand already, else they are written too; ``functional`` is the file to leave of the
    situations that its samples brought; ``changed`` are parameters in which the design is wrong on
    purpose. Where there is a ``core``, its images are simulated, and ``network``, at the same spec,
    is loaded into it before anything is sent. Returns the outcome and the bench's report, where its
    test writes one: values compared per stream, cycles, classes and probabilities. Raises as
    `simulate` does, and `ArtifactError` on a bad image.
    """
    artifact.save(network, folder / "network.json")
    if mem is None:
        mem = folder / "mem"
        images.write_images(core or network, mem)
    images.check_images(network.spec, mem)
    inputs, report = folder / "inputs.npy", folder / f"report-{simulator}.json"
    np.save(inputs, x)
    report.unlink(missing_ok=True)
    outcome = simulate(
        TOP,
        network.spec.parameters(MEM_DIR) | dict(changed or {}),
        simulator=simulator,
        bench="top_bench",
        options={
            "network": str(folder / "network.json"),
            "inputs": str(inputs),
            "report": str(report),
            "functional": str(functional) if functional else None,
            "load": core is not None,
            **(options or {}),
        },
        name=name,
        testcase=testcase,
        waves=waves,
        links={MEM_DIR: mem},
        visible=network.spec.hosts,
        optimize=testcase == LONG_RUN,
        **how,
    )
    return outcome, json.loads(report.read_text()) if report.exists() else {}
