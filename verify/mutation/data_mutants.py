"""Mutants of what export writes: a bit of a weight, a bias or a table's entry, a shift off by one.

The RTL stays as it is and works on wrong numbers; the reference has the right ones.
"""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.paths import GOLDEN_IRIS
from model import artifact, images
from model.artifact import Network
from model.images import MEM_DIR
from model.stages.softmax import EXP_IMAGE, RECIPROCAL_IMAGE
from tb.modules.registry import case_named
from tb.sim.made_up import waking_codes
from tb.sim.run_network import LONG_RUN, run_network
from tb.sim.runner import simulate

SAMPLES = 200
# The cases that read each table whole.
TABLES = {
    RECIPROCAL_IMAGE: "softmax_reciprocal-3by1-8.4",
    EXP_IMAGE: "softmax_exp-3by1-8.4",
}


@dataclass(frozen=True)
class Flip:
    """One bit of one word of an image of the golden network, or of a table of the softmax."""

    image: str
    word: int
    bit: int

    @property
    def name(self) -> str:
        """``linear00_weights-3.17``."""
        return f"{self.image.removesuffix('.mem')}-{self.word}.{self.bit}"

    @property
    def owner(self) -> str:
        """The image."""
        return self.image

    @property
    def sentence(self) -> str:
        """The fault in a sentence."""
        return f"bit {self.bit} of word {self.word} of {self.image}"

    def apply(self, folder: Path, words: int, width: int) -> None:
        """Flip the bit in the file."""
        path = folder / self.image
        values = images.read_image(path, words, width)
        values[self.word] ^= 1 << self.bit
        images.write_image(path, values, width)

    def run(self, folder: Path) -> None:
        """Run the bench that must fail: the network's, or that of the table's module."""
        if self.image in TABLES:
            self._run_case(folder)
            return
        network = artifact.load(GOLDEN_IRIS)
        images.write_images(network, folder / MEM_DIR)
        self.apply(folder / MEM_DIR, *images.image_shapes(network.spec)[self.image])
        _run(network, folder, self.name, "verilator", mem=folder / MEM_DIR)

    def _run_case(self, folder: Path) -> None:
        case = case_named(TABLES[self.image])
        parameters, options = case.prepare(folder)
        self.apply(folder, *_table_shape(self.image, parameters))
        simulate(
            case.module,
            parameters,
            simulator="icarus",
            bench=case.bench,
            options=options,
            name=f"mutants/{self.name}",
        )


@dataclass(frozen=True)
class Shift:
    """A layer of the golden network that drops one bit too many, or too few."""

    layer: int
    by: int

    @property
    def name(self) -> str:
        """``shift-2-plus``."""
        return f"shift-{self.layer}-{'plus' if self.by > 0 else 'minus'}"

    @property
    def owner(self) -> str:
        """No image: the fault lies in a parameter."""
        return "shifts"

    @property
    def sentence(self) -> str:
        """The fault in a sentence."""
        return f"shift of layer {self.layer} {self.by:+d}"

    def run(self, folder: Path) -> None:
        """Run the network's bench, which must fail."""
        network = artifact.load(GOLDEN_IRIS)
        shifts = [layer.shift for layer in network.spec.layers]
        shifts[self.layer] += self.by
        _run(network, folder, self.name, "icarus", changed={"SHIFT": tuple(shifts)})


DataMutant = Flip | Shift


def propose_data(count: int, seed: int) -> list[DataMutant]:
    """``count`` flips, as many of each image as its share of the words, and every wrong shift."""
    spec = artifact.load(GOLDEN_IRIS).spec
    shapes = {
        name: shape for name, shape in images.image_shapes(spec).items() if name not in TABLES
    }
    shapes |= {table: _table_shape(table, {"SCORE_W": 15}) for table in TABLES}
    rng = random.Random(seed)
    total = sum(words for words, _ in shapes.values())
    flips = [
        Flip(image, word, rng.randrange(width))
        for image, (words, width) in shapes.items()
        for word in rng.sample(range(words), max(2, count * words // total))
    ]
    return [*flips, *(Shift(layer, by) for layer in range(len(spec.layers)) for by in (-1, 1))]


def _table_shape(table: str, parameters: dict[str, Any]) -> tuple[int, int]:
    return (256, 16) if table == RECIPROCAL_IMAGE else (256, parameters["SCORE_W"])


def _run(network: Network, folder: Path, name: str, simulator: str, **how: Any) -> None:
    x = waking_codes(np.random.default_rng(1), network, SAMPLES)
    name = f"mutants/{name}"
    run_network(network, x, simulator, folder=folder, name=name, testcase=LONG_RUN, **how)
