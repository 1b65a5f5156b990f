"""A fold drawn for each layer of IrisNet; `make verify-every-fold` simulates every legal one."""

import dataclasses
from pathlib import Path

import pytest

from common.paths import GOLDEN_IRIS
from model import artifact
from model.folding import divisors
from tb.modules.rows import Prepared, Row
from tb.sim.runner import SimulationFailed
from verify.campaigns.every_fold import fold_rows, sampled

IRIS = artifact.load(GOLDEN_IRIS)
ROWS = sampled(IRIS)


def test_every_pair_of_divisors_has_its_row() -> None:
    names = [row.name for row in fold_rows(IRIS)]
    counts = [len(divisors(x.n_in)) * len(divisors(x.n_out)) for x in IRIS.spec.layers]
    assert counts == [24, 64, 64, 16]
    assert len(set(names)) == len(names) == sum(counts)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_layer_equals_its_reference_at_a_drawn_fold(row: Row) -> None:
    assert row.run("icarus").passed > 0


def test_weights_in_the_order_of_another_fold_are_noticed() -> None:
    row = ROWS[0]

    def prepare(folder: Path) -> Prepared:
        parameters, options = row.prepare(folder)
        image = Path(str(parameters["WEIGHTS"]))
        first, second, *others = image.read_text().split()
        image.write_text("\n".join([second, first, *others, ""]))
        return parameters, options

    swapped = dataclasses.replace(row, name="swapped", prepare=prepare)
    with pytest.raises(SimulationFailed, match="expected"):
        swapped.run("icarus")
