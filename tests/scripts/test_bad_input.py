"""Bad files and missing tools end with one sentence, a status not 0, and nothing half-made."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from common import files
from common.errors import VerbatimError
from common.paths import GOLDEN_IRIS
from common.programs import SimulatorError
from model import artifact, images
from model.artifact import ArtifactError
from model.format import Format, SpecError
from model.reference import predict
from scripts.expected import KEYS
from tb.sim.runner import simulate

NETWORK = artifact.load(GOLDEN_IRIS)
WORDS = NETWORK.spec.layers[0].cycles


def edited(change: Callable[[dict], None], *, signed: bool = True) -> str:
    """The golden file with a change in it, under a fresh digest or the old one."""
    content = json.loads(GOLDEN_IRIS.read_text())
    digest = content.pop("sha256")
    change(content)
    return json.dumps(content | {"sha256": files.digest(content) if signed else digest})


def setting(*path: str | int, to: object) -> Callable[[dict], None]:
    """A change of one entry."""

    def change(content: dict) -> None:
        *parents, last = path
        for key in parents:
            content = content[key]
        content[last] = to

    return change


BAD_FILES = {
    "empty": ("", "truncated or not JSON"),
    "truncated": (GOLDEN_IRIS.read_text()[:-200], "truncated or not JSON"),
    "not-a-network": ("[1, 2]", "must be a network"),
    "edited": (edited(setting("weights", "fc1", 0, 0, to=1), signed=False), "was edited"),
    "newer": (edited(setting("version", to=3)), "version must be 1 or 2, got 3"),
    "unknown-key": (edited(setting("colour", to="red")), "keys must be .*, got .*colour"),
    "unknown-spec-key": (edited(setting("spec", "clock", to=1)), "unknown key 'clock'"),
    "illegal-width": (
        edited(setting("spec", "stages", 0, "w", "width", to=17)),
        "width must be .*, got 17",
    ),
    "illegal-fold": (
        edited(setting("spec", "stages", 1, "simd", to=7)),
        r"simd must be a divisor of n_in = 30 \(1, 2, .*\), got 7",
    ),
    "illegal-shift": (
        edited(setting("spec", "stages", 3, "y", "frac", to=30)),
        "frac must be at most .*, got 30",
    ),
    "narrow-sums": (edited(setting("spec", "stages", 1, "acc_w", to=16)), "need 1[0-9] bits"),
    "weight-too-large": (
        edited(setting("weights", "fc1", 0, 0, to=128)),
        "codes must be -128 .. 127, got .* 128",
    ),
    "fractional-weight": (edited(setting("weights", "fc1", 0, 0, to=0.5)), "must be integers"),
    "ragged-weights": (edited(setting("weights", "fc1", 0, to=[1])), "rows must have equal length"),
    "true-weight": (edited(setting("weights", "fc1", 0, 0, to=True)), "must be integers"),
    "version-that-is-no-integer": (
        edited(setting("version", to=1.0)),
        "version must be 1 or 2, got 1.0",
    ),
    "true-version": (edited(setting("version", to=True)), "version must be 1 or 2, got True"),
    "provenance-list": (edited(setting("provenance", to=[])), "provenance must be an object, got"),
    "not-finite": (
        edited(setting("provenance", "x", to=float("nan"))),
        "numbers must be finite, got NaN",
    ),
    "sum-beyond-64-bits": (
        edited(setting("biases", "fc1", 0, to=2**63 - 1)),
        "biases.fc1: must be .*, got",
    ),
    "key-twice": (
        edited(lambda content: None).replace('"version": 2,', '"version": 7, "version": 2,'),
        "key 'version' is repeated",
    ),
    "nested-digest": (
        edited(lambda content: None).replace('"version": 2', f'"version": {"[" * 985 + "]" * 985}'),
        "nested too deeply|truncated or not JSON|version must",
    ),
    "key-of-two-lines": (edited(setting("a\nb", to=1)), r"keys must be .*, got a\\nb"),
    "names-of-another-number": (
        edited(setting("names", to={"features": ["a", "b"], "classes": [], "ignored": []})),
        "names: features must be 4 names, got 2",
    ),
    "names-twice": (
        edited(setting("names", to={"classes": ["a", "b", "a"]})),
        "names: classes must be a list of names, each once",
    ),
    "names-that-are-numbers": (
        edited(setting("names", to={"classes": [1, 2, 3]})),
        "names: classes must be a list of names",
    ),
    "feature-and-label": (
        edited(setting("names", to={"features": list("abcd"), "ignored": ["a"]})),
        "names: a must not be in both features and ignored",
    ),
    "missing-row": (edited(setting("biases", "fc3", to=[1, 2])), "shape"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_network_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    text, reason = BAD_FILES[name]
    path = tmp_path / "network.json"
    path.write_text(text)
    with pytest.raises(ArtifactError, match=f"network.json: .*{reason}"):
        artifact.load(path)


def test_a_good_copy_is_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text(edited(lambda content: None))
    assert artifact.load(path).spec == NETWORK.spec


def test_a_missing_or_binary_network_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    with pytest.raises(ArtifactError, match=r"network.json: cannot be read"):
        artifact.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArtifactError, match=r"network.json: cannot be read"):
        artifact.load(path)


@pytest.mark.parametrize(
    "damage, reason",
    [
        (lambda lines: lines[:-1], f"must have {WORDS} words, got {WORDS - 1}"),
        (lambda lines: [*lines, lines[0]], f"must have {WORDS} words, got {WORDS + 1}"),
        (lambda lines: ["xyz", *lines[1:]], "word 1 must be .*, got 'xyz'"),
        (lambda lines: [*lines[:-1], "f" + lines[-1]], f"word {WORDS} must be"),
    ],
)
def test_an_image_of_wrong_shape_is_refused_by_name(
    damage: Callable[[list[str]], list[str]], reason: str, tmp_path: Path
) -> None:
    images.write_images(NETWORK, tmp_path)
    images.check_images(NETWORK.spec, tmp_path)
    image = tmp_path / "linear00_weights.mem"
    image.write_text("\n".join(damage(image.read_text().split())) + "\n")
    with pytest.raises(ArtifactError, match=f"linear00_weights.mem: {reason}"):
        images.check_images(NETWORK.spec, tmp_path)


@pytest.mark.parametrize("between", [" ", "\t", "\r\n", "\f", "\x1c", "\u00a0", "\n\n"])
def test_an_image_whose_words_are_not_lines_is_refused(between: str, tmp_path: Path) -> None:
    path = tmp_path / "words.mem"
    images.write_image(path, [1, 2, 3], 8)
    assert images.read_image(path, 3, 8) == [1, 2, 3]
    path.write_bytes(f"01\n02{between}03\n".encode())
    with pytest.raises(ArtifactError, match=r"words.mem: (must have \d words|word \d must|cannot)"):
        images.read_image(path, 3, 8)
    path.write_text("01\n02\n03")
    with pytest.raises(ArtifactError, match=r"words.mem: must end with a newline, got '03'"):
        images.read_image(path, 3, 8)


def test_a_sentence_that_quotes_much_stays_one_line_that_one_reads() -> None:
    sentence = str(VerbatimError(f"key is {'x' * 3000}\ngot\u2028 another"))
    assert len(sentence) < 420 and len(sentence.splitlines()) == 1
    assert sentence.startswith("key is xxx") and sentence.endswith("got\\u2028 another")


def test_a_missing_image_is_refused_by_name(tmp_path: Path) -> None:
    images.write_images(NETWORK, tmp_path)
    (tmp_path / "linear02_biases.mem").unlink()
    with pytest.raises(ArtifactError, match=r"linear02_biases.mem: cannot be read"):
        images.check_images(NETWORK.spec, tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_feature_that_is_no_number_is_refused_by_place(value: float) -> None:
    features = np.full((3, 4), 1.0)
    features[2, 1] = value
    with pytest.raises(VerbatimError, match=r"feature \[2, 1\] must be .*, got (nan|inf|-inf)"):
        predict(NETWORK, features)


def test_features_of_wrong_shape_are_refused() -> None:
    with pytest.raises(VerbatimError, match=r"shape \(samples, 4\), got \(3, 5\)"):
        predict(NETWORK, np.zeros((3, 5)))


@pytest.mark.parametrize("width, frac", [(1, 0), (17, 0), (8, 32), (8, -17), (True, 0), (8.0, 0)])
def test_an_illegal_format_is_refused(width: int, frac: int) -> None:
    with pytest.raises(SpecError, match=r"(width|frac) must be an integer from .*, got "):
        Format(width, frac)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        files.write_atomically(path, 3)  # type: ignore[arg-type]
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("network.json", "old")]


def tool(folder: Path, name: str, script: str) -> None:
    """A stand-in for a program."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    "simulator, banner, reason",
    [
        ("icarus", None, "Icarus Verilog 11 or newer must be on PATH, found no iverilog"),
        (
            "icarus",
            "Icarus Verilog version 10.3 (stable)",
            "must be version 11 or newer, got version 10",
        ),
        ("icarus", "something else", "must be version 11 or newer, got no version"),
        ("verilator", None, "g[+][+] is not found, Verilator needs it"),
        ("modelsim", None, "simulator must be one of icarus, verilator, got 'modelsim'"),
    ],
)
def test_a_simulator_that_is_missing_or_old_is_named(
    simulator: str,
    banner: str | None,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if banner is not None:
        tool(tmp_path, "iverilog", f"echo '{banner}'")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulatorError, match=reason):
        simulate("mlp_relu", {"W": 8}, simulator=simulator, bench="idle_bench")


def sim(build: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m scripts.sim` on a build folder."""
    return subprocess.run(
        [sys.executable, "-m", "scripts.sim", "--build", str(build), "--sim", "icarus"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_command_says_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text(BAD_FILES["truncated"][0])
    done = sim(tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "network.json: is truncated or not JSON" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["network.json"]


def test_the_command_names_samples_that_are_missing(tmp_path: Path) -> None:
    artifact.save(NETWORK, tmp_path / "network.json")
    done = sim(tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "expected.npz: " in done.stderr


def test_the_command_names_an_image_that_is_too_short(tmp_path: Path) -> None:
    artifact.save(NETWORK, tmp_path / "network.json")
    images.write_images(NETWORK, tmp_path / "mem")
    (tmp_path / "mem" / "reciprocal.mem").write_text("0000\n")
    np.savez(tmp_path / "expected.npz", **dict.fromkeys({*KEYS, "float.class"}, np.ones((2, 4))))
    done = sim(tmp_path)
    assert done.returncode == 2
    assert "reciprocal.mem: must have 256 words, got 1" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("rtl-*.json"))
