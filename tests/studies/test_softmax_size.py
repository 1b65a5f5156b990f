"""Limits of the softmax in an iCE40, by the synthesis that fills docs/softmax.md."""

import dataclasses

import pytest

from model.format import Format
from model.stages.softmax import SoftmaxSpec
from studies import softmax_size
from studies.softmax_size import FAMILIES, ICE40
from syn import synthesis
from syn.targets import SynthesisError

LIMIT = 600


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setattr(softmax_size, "FOLDER", tmp_path)
    monkeypatch.setattr(synthesis, "FOLDER", tmp_path)


@pytest.mark.parametrize(
    ("divider", "family"), [("restoring", "iCE40"), ("reciprocal", "iCE40, DSP")]
)
def test_taylor2_stays_below_its_limit(divider, family):
    design = softmax_size.design(spec(divider))
    found = synthesis.synthesize(design, *FAMILIES[family]).cells
    assert 0 < found["LUT"] < LIMIT
    assert found["FF"] > 0
    assert (found["DSP"], found["BRAM"]) == ((0, 0) if divider == "restoring" else (2, 1))


def test_failed_synthesis_is_an_error():
    with pytest.raises(SynthesisError, match="no_such_command"):
        design = softmax_size.design(spec("reciprocal"))
        synthesis.synthesize(design, dataclasses.replace(ICE40, command="no_such_command"), None)


def spec(divider):
    return SoftmaxSpec(3, Format(8, 4), "taylor2", divider, lanes=1)
