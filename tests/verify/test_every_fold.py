"""A fold drawn for each layer of IrisNet; `make verify-every-fold` simulates every legal one."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.paths import GOLDEN_IRIS
from model import artifact
from model.folding import divisors
from tb.modules.case import Case, Parameters, Prepared, Setting
from tb.sim.runner import SimulationFailed
from verify.campaigns.every_fold import fold_cases, sampled

IRIS = artifact.load(GOLDEN_IRIS)
CASES = sampled(IRIS)


def test_every_pair_of_divisors_has_its_case() -> None:
    names = [case.name for case in fold_cases(IRIS)]
    counts = [len(divisors(x.n_in)) * len(divisors(x.n_out)) for x in IRIS.spec.layers]
    assert counts == [24, 64, 64, 16]
    assert len(set(names)) == len(names) == sum(counts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_layer_equals_its_reference_at_a_drawn_fold(case: Case) -> None:
    assert case.run("icarus").passed > 0


@dataclass(frozen=True)
class Swapped:
    """A setting with the first two words of its weights swapped."""

    setting: Setting
    name: str = "swapped"

    @property
    def shown(self) -> Parameters:
        return self.setting.shown

    def prepare(self, folder: Path) -> Prepared:
        parameters, options = self.setting.prepare(folder)
        image = Path(str(parameters["WEIGHTS"]))
        first, second, *others = image.read_text().split()
        image.write_text("\n".join([second, first, *others, ""]))
        return parameters, options


def test_weights_in_the_order_of_another_fold_are_noticed() -> None:
    swapped = dataclasses.replace(CASES[0], setting=Swapped(CASES[0].setting))
    with pytest.raises(SimulationFailed, match="expected"):
        swapped.run("icarus")
