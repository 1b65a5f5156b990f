"""Damaged files: a slice of `make verify-fuzz`; a reader without one of its checks is caught."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common import errors
from common.errors import CommandError
from model import artifact, images, plain, recipe, spec
from model import format as formats
from model.data import tables, userdata
from model.format import require
from model.learning import learner
from model.qat import checkpoint
from model.stages import linear, output, softmax
from verify.fuzz import run
from verify.fuzz.run import REFUSED, TAKEN

# Inputs of each reader in the slice; other ones than the campaign's.
SLICE = {
    "network": 400,
    "recipe": 300,
    "table": 300,
    "arrays": 300,
    "image": 400,
    "checkpoint": 60,
    "learning": 300,
}
SEED = 2
# Inputs within which a lost check is to be found.
SOON = 5000


def nothing(*arguments: object, **keywords: object) -> None:
    """A check that checks nothing."""


@pytest.mark.parametrize("name", SLICE)
def test_slice_has_no_finding(name: str) -> None:
    verdicts, findings = run.fuzz(run.targets()[name], range(SLICE[name]), SEED)
    assert findings == []
    assert verdicts.total() == SLICE[name]
    assert verdicts[REFUSED] > SLICE[name] // 4 and verdicts[TAKEN] > 0


# Files that are rightly taken, and were found wrong by the fuzzer's own rules: a list of names left
# out, a name with a separator of files in it, an archive behind another byte, formats left out.
TAKEN_AFTER_ALL = [
    *(("network", number) for number in (2676, 7305, 5296)),
    *(("table", number) for number in (16481, 1918)),
    ("arrays", 761),
    *(("checkpoint", number) for number in (56, 3007)),
]


@pytest.mark.parametrize(("name", "number"), TAKEN_AFTER_ALL)
def test_a_file_that_says_what_was_read_is_no_finding(
    name: str, number: int, tmp_path: Path
) -> None:
    target = run.targets()[name]
    assert run.judge(target, run.made(target, number), tmp_path / f"file{target.suffix}") == TAKEN


def test_every_reader_has_its_part_of_more_than_100_000_inputs() -> None:
    assert set(run.targets()) == set(run.INPUTS) == set(SLICE)
    assert sum(run.INPUTS.values()) > 100_000
    work = list(run.blocks(1.0))
    assert sum(stop - start for _, start, stop in work) == sum(run.INPUTS.values())


def loads(text: str, **how: Any) -> Any:
    return json.loads(text)


class Anything:
    """A digest that equals every other."""

    def __ne__(self, other: object) -> bool:
        return False


def without_bool_check(owner: str, low: int, high: int, **values: Any) -> None:
    for key, value in values.items():
        require(isinstance(value, int) and low <= value <= high, f"{owner}: {key}")


def nothing_but_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def unguarded_arrays(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return dict(np.load(stream))


# Each of them checks a part of the shape.
SHAPES = (spec, linear, output, softmax)
DIVIDED = (spec, linear, output)

LOST_CHECKS: dict[str, tuple[str, object, str, object]] = {
    "digest": ("network", artifact, "digest", lambda content: Anything()),
    "key-twice": ("network", artifact, "_once", dict),
    "not-finite": ("network", artifact, "_no_number", float),
    "whole-numbers": ("network", artifact, "_are_integers", lambda plain: True),
    "keys-of-tables": ("network", artifact, "require_keys", nothing),
    "shapes": ("network", artifact, "_require_shape", nothing),
    "sums": ("network", artifact, "accumulator_width", lambda *integers: 1),
    "sums-beyond-64-bits": ("network", artifact, "MAX_BIAS", 2**63 - 1),
    "bool-for-int": ("network", (*SHAPES, formats), "require_integer", without_bool_check),
    "ranges": ("network", SHAPES, "require_integer", nothing),
    "divisors": ("network", DIVIDED, "require_divisor", nothing),
    "one-line": ("network", errors, "_in_one_line", lambda sentence, most: sentence),
    "toml-numbers": ("recipe", recipe, "_require_short_numbers", nothing),
    "decimals": ("recipe", recipe, "require_number", nothing),
    "keys-of-a-recipe": ("recipe", plain, "require", nothing),
    "decimal-cells": ("table", tables, "is_number", nothing_but_finite),
    "arrays": ("arrays", userdata, "read_arrays", unguarded_arrays),
    "hexadecimal": ("image", images, "HEXADECIMAL", frozenset("0123456789abcdefABCDEF_")),
    "parameters": ("checkpoint", checkpoint, "_fill", lambda module, owner, found: None),
    "plan-of-a-run": ("learning", learner, "build", lambda kind, owner, plain: kind(**plain)),
    "state-of-a-run": ("learning", learner, "check", nothing),
    "digest-of-a-run": ("learning", artifact, "digest", lambda content: Anything()),
    "formats": ("checkpoint", checkpoint, "build", lambda kind, owner, plain: kind(**plain)),
}


@pytest.mark.parametrize("name", LOST_CHECKS)
def test_lost_check_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    target, module, attribute, instead = LOST_CHECKS[name]
    reader = run.targets()[target]
    for owner in module if isinstance(module, tuple) else (module,):
        monkeypatch.setattr(owner, attribute, instead)
    for start in range(0, SOON, 100):
        _, findings = run.fuzz(reader, range(start, start + 100), SEED)
        if findings:
            return
    pytest.fail(f"no finding in {SOON} inputs")


def test_reader_that_takes_other_separators_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        images,
        "read_image",
        lambda path, words, width: [int(word, 16) for word in path.read_text().split()],
    )
    _, findings = run.fuzz(run.targets()["image"], range(200), SEED)
    assert {finding.complaint.split(":")[0] for finding in findings} >= {"raised ValueError"}


# The command


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign of a few images, that leaves its files elsewhere."""
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    monkeypatch.setattr(run, "INPUTS", {"image": 60})
    monkeypatch.setattr(run, "BLOCK", 20)
    monkeypatch.setattr(run.record, "record", lambda name, **facts: facts)
    return tmp_path


def test_campaign_is_taken_up_where_it_was_left(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = run.parser().parse_args(["--jobs", "1"])
    run.run(arguments)
    assert "image" in capsys.readouterr().out
    assert len(list(small.glob("blocks/image-*.json"))) == 3
    monkeypatch.setattr(run, "fuzz", nothing)
    run.run(arguments)


def test_finding_fails_the_campaign_and_is_kept(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "HEXADECIMAL", frozenset("0123456789abcdefABCDEF_"))
    monkeypatch.setattr(run, "INPUTS", {"image": 1000})
    with pytest.raises(CommandError, match=r"findings, the first of image, input \d+, kept as"):
        run.run(run.parser().parse_args(["--jobs", "1"]))
    (kept,) = small.glob("image-*")
    assert kept.read_bytes()
