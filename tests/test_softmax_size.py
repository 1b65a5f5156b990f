"""What the softmax may cost in an iCE40, by the synthesis that writes docs/softmax_size.md."""

import pytest

from model.spec import Format, SoftmaxSpec
from scripts import softmax_size
from scripts.softmax_size import TARGETS, SynthesisError, Target, cells

LIMIT = 600


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setattr(softmax_size, "FOLDER", tmp_path)


@pytest.mark.parametrize(("divider", "target"), [("divider", TARGETS[0]), ("lut", TARGETS[1])])
def test_taylor2_stays_below_its_limit(divider, target):
    luts, _, flip_flops, multipliers, memories = cells(spec(divider), target)
    assert 0 < luts < LIMIT
    assert flip_flops > 0
    assert (multipliers, memories) == ((0, 0) if divider == "divider" else (2, 1))


def test_failed_synthesis_is_an_error():
    with pytest.raises(SynthesisError, match="no_such_command"):
        cells(spec("lut"), Target("none", "no_such_command", TARGETS[0].cells))


def spec(divider):
    return SoftmaxSpec(3, Format(8, 4), "taylor2", divider, lanes=1)
