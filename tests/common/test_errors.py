"""Errors that are raised on purpose end a command with one sentence; bugs do not."""

import argparse
import importlib
import sys

import numpy as np
import pytest

from common import cli
from common.errors import VerbatimError
from common.paths import GOLDEN_IRIS, ROOT
from common.programs import SimulatorError
from model import artifact, reference

PACKAGES = ("boards", "common", "model", "scripts", "studies", "syn", "tb", "verify")

# Run by a simulator, or in an environment of their own.
ELSEWHERE = ("tb/benches/", *(f"studies/peers/{name}_" for name in ("alkaid", "hls4ml", "nngen")))


def own_errors():
    """Every exception class that a module of these packages defines, by its full name."""
    for path in sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py")):
        relative = path.relative_to(ROOT)
        if str(relative).startswith(ELSEWHERE) or path.name.startswith(("test_", "conftest")):
            continue
        module = importlib.import_module(".".join(relative.with_suffix("").parts))
        for name, found in vars(module).items():
            if getattr(found, "__module__", "") == module.__name__ and name.endswith("Error"):
                yield f"{module.__name__}.{name}", found


def test_every_error_of_the_project_has_the_one_base_class():
    found = dict(own_errors())
    known = {"model.format.SpecError", "model.recipe.RecipeError", "syn.yosys.YosysError"}
    assert known <= set(found)
    assert [name for name, error in found.items() if not issubclass(error, VerbatimError)] == []


@pytest.mark.parametrize(
    ("features", "sentence"),
    [
        (np.array([[5.1, np.nan, 1.4, 0.2]]), r"feature \[0, 1\] must be a finite number, got nan"),
        (np.ones((2, 3)), r"features must have shape \(samples, 4\), got \(2, 3\)"),
    ],
)
def test_bad_features_are_refused_by_the_projects_own_error(features, sentence):
    with pytest.raises(VerbatimError, match=sentence):
        reference.predict(artifact.load(GOLDEN_IRIS), features)


@pytest.mark.parametrize("error", [*dict(own_errors()).values(), SimulatorError])
def test_a_command_ends_each_of_them_with_one_sentence_and_status_2(monkeypatch, capsys, error):
    def run(arguments):
        raise error("what must be, got something else")

    monkeypatch.setattr(sys, "argv", ["command"])
    with pytest.raises(SystemExit) as ended:
        cli.main(run, argparse.ArgumentParser(prog="command"))
    assert ended.value.code == 2
    assert capsys.readouterr().err == "command: what must be, got something else\n"
