"""Every flip-flop of a core, upset in one cycle of a sample."""

import functools
from collections import Counter

from common import files
from common.jobs import Figures
from model import artifact
from model.data import datasets
from model.format import Int
from model.reference import quantize
from verify.census import upsets
from verify.census.upsets import NOTICED, OUTCOMES, Core

# Rows of the Iris data: the sample that meets the upset, and the next one, of another class.
ROWS = (0, 75)


@functools.cache
def loaded(network: str, index_w: int = 0) -> Core:
    """Return the core of a network's file, read once."""
    return upsets.core(artifact.load(files.found(network)), index_w)


def piece(network: str, at: int, index_w: int = 0) -> Figures:
    """Upset every flip-flop in one cycle: counts by ``module outcome outcome outcome outcome``.

    A ``!`` stands behind an outcome of which the core has said that its block is lost.
    """
    core = loaded(network, index_w)
    return counted(core, samples(core), at)


def samples(core: Core) -> Int:
    """Return codes ``[2, n_in]`` of the two samples of IrisNet."""
    return quantize(datasets.load("iris").features[list(ROWS)], core.network.spec.x)


def counted(core: Core, codes: Int, at: int) -> Figures:
    """Upset every flip-flop of a core in one cycle of the first of two samples."""
    outcomes = upsets.upset(core, codes, range(len(core.names)), at)
    rows = zip(core.modules, outcomes, strict=True)
    return dict(Counter(" ".join([module, *map(_word, row.tolist())]) for module, row in rows))


def _word(code: int) -> str:
    """The name of an outcome, and whether it was noticed."""
    return OUTCOMES[code % NOTICED] + ("!" if code >= NOTICED else "")
