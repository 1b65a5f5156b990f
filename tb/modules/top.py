"""The whole core, seen from outside."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model import artifact
from model.artifact import Network
from model.images import write_images
from tb.modules.case import Parameters, Prepared
from tb.modules.chain import OF_LAYERS
from tb.modules.description import Module
from tb.sim.made_up import made_up, waking_codes


@dataclass(frozen=True, eq=False)
class OfNetwork:
    """A network's parameters, its ROM images built in, and random samples of it."""

    name: str
    network: Network
    samples: int

    @property
    def shown(self) -> Parameters:
        """Number of layers."""
        return {"N_LAYERS": len(self.network.spec.layers)}

    def prepare(self, folder: Path) -> Prepared:
        """Write network, images and inputs; return the parameters and where these files are."""
        files = {option: folder / option for option in ("network", "inputs.npy", "report", "mem")}
        artifact.save(self.network, files["network"])
        write_images(self.network, files["mem"])
        codes = waking_codes(np.random.default_rng(1), self.network, self.samples)
        np.save(files["inputs.npy"], codes)
        options: dict[str, Any] = {key.split(".")[0]: str(path) for key, path in files.items()}
        options |= {"functional": None, "sealed": True}
        return self.network.spec.parameters(str(files["mem"])), options


MODULES = (
    Module(
        "mlp_top",
        None,
        {
            **OF_LAYERS,
            "OUTPUT": '"softmax" or "logits" or "argmax" or "sigmoid"',
            "LOGIT_FRAC": "-16 .. 31",
            "SCORE": '"taylor2" or "exp"',
            "DIVIDER": '"reciprocal" or "restoring"',
            "SCORE_W": "1 or more",
            "TOTAL_W": "SCORE_W or more",
            "SOFTMAX_LANES": "divides N[N_LAYERS]",
            "ARGMAX": "0 .. 1",
            "IN_LANES": "divides N[0]",
            "MEMORY": "0 .. 1",
            "OUT_LANES": "divides N[N_LAYERS]",
            "LOADABLE": "0 .. 1",
            "PLAN_AT": "each 0 or more",
            "PLANS": "each 0 or more",
            "MEM_DIR": "image",
        },
        # tb/test_top.py runs the networks that the regression runs.
        for_mutants=(
            OfNetwork("4x6x3", made_up([4, 6, 3], folds=[(2, 3), (3, 1)], in_lanes=2), 100),
        ),
        mutated=("4x6x3",),
        bench="top_bench",
    ),
)
