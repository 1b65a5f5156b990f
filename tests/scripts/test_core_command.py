"""The command that writes a core: whole or not at all, and never over somebody else's work."""

import contextlib
import dataclasses
import io
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common import cli
from common.errors import CommandError
from common.paths import ROOT
from model import artifact
from scripts import core as command
from scripts.expected import KEYS
from syn.package import content, folder
from tb.sim.made_up import made_up
from tests.builds import build_of
from tests.cores import SMALL, features_of, run

TEXTS = {"README.md": "a\n", "rtl/x.v": "b\n"}


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "small").mkdir()
    return build_of(SMALL, tmp_path / "small")


def core(build: Path, *arguments: str | Path) -> tuple[int, str, str]:
    """Status, output and errors of the command, in this process."""
    words = ["scripts.core", "--build", str(build), *map(str, arguments)]
    output, errors, status = io.StringIO(), io.StringIO(), 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(errors),
    ):
        patch.setattr(sys, "argv", words)
        try:
            cli.main(command.run, command.parser(), alone=True)
        except SystemExit as ending:
            assert isinstance(ending.code, int)
            status = ending.code
    return status, output.getvalue(), errors.getvalue()


def everything(path: Path) -> dict[str, bytes]:
    """Each file below a folder, hidden ones included."""
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


def test_command_writes_the_core_and_says_what_it_is(build: Path) -> None:
    status, said, errors = core(build)
    assert (status, errors) == (0, "")
    assert said.splitlines() == [
        f"{build}/core: made_up_core, written",
        "fold fc1 1x1, fc2 1x1; 6 cycles per sample, latency 42",
        f"109 golden results; {build}/core/README.md says how to use it",
    ]
    listed = json.loads((build / "core/core.json").read_text())["files"]
    assert set(everything(build / "core")) == {*listed, "core.json"}
    before = everything(build)
    status, said, _ = core(build)
    assert status == 0 and "made_up_core, is up to date" in said
    assert everything(build) == before


def test_command_is_a_process_with_a_status(build: Path) -> None:
    for fold, status in (("serial", 0), ("odd", 2)):
        words = ("--build", build, "--fold", fold)
        done = run("python", "-m", "scripts.core", *words, cwd=ROOT)
        assert done.returncode == status
        assert (done.stdout == "") == (status == 2) and done.stderr.count("\n") == status // 2


def test_another_fold_is_another_core_in_the_same_place(build: Path) -> None:
    core(build)
    (build / "core/obj_dir").mkdir()
    (build / "core/obj_dir/mine").write_text("kept")
    status, said, _ = core(build, "--fold", "unrolled")
    assert status == 0 and "fold fc1 2x3, fc2 3x2; 1 cycle per sample" in said
    assert ".PE({\n            32'd2,      // fc2" in (build / "core/made_up_core.v").read_text()
    assert (build / "core/obj_dir/mine").read_text() == "kept"
    assert {path.name for path in build.iterdir()} == {
        *("core", "expected.npz", "network.json", "rtl-icarus.json", "seconds")
    }


def test_network_without_classes_is_a_core_too(build: Path) -> None:
    artifact.save(made_up([2, 3, 2], output="logits"), build / "network.json")
    status, said, errors = core(build)
    assert (status, errors) == (0, "") and "made_up_core, written" in said
    lines = (build / "core/host/samples.csv").read_text().splitlines()
    assert len(lines) == 40 and all(line.count(",") == 3 for line in lines)


def test_another_folder_may_be_named(build: Path, tmp_path: Path) -> None:
    status, _, _ = core(build, "--output", tmp_path / "there/it is")
    assert status == 0 and (tmp_path / "there/it is/made_up_core.v").exists()
    assert not (build / "core").exists()


def mine(build: Path) -> str:
    (build / "core").mkdir()
    (build / "core/thesis.txt").write_text("mine")
    return f"{build}/core: must be a folder that make core wrote, or not exist: move it away"


def mine_and_a_file(build: Path) -> str:
    (build / "core").write_text("mine")
    return f"{build}/core: must be a folder that make core wrote, or not exist: move it away"


def changed(build: Path) -> str:
    core(build)
    path = build / "core/made_up_core.v"
    path.write_text(path.read_text() + "// mine\n")
    return f"{path}: was changed since make core wrote it: move the folder away"


def lost(build: Path) -> str:
    core(build)
    (build / "core/LICENSE").unlink()
    return (
        f"{build}/core/LICENSE: must be as make core wrote it: no such file or directory; "
        "move the folder away"
    )


def in_the_way(build: Path) -> str:
    core(build)
    manifest = build / "core/core.json"
    content = json.loads(manifest.read_text())
    del content["files"]["README.md"]
    manifest.write_text(json.dumps(content))
    return f"{build}/core/README.md: was not written by make core: move it away"


def of_another_kind(build: Path) -> str:
    core(build)
    (build / "core/core.json").write_text('{"format": "other", "files": {}}')
    return f"{build}/core: core.json must have format 'verbatim-core', got 'other'"


def bad_fold(_: Path) -> str:
    return (
        "fold must be serial, default, unrolled, shared, or SIMDxPE of each of the 2 layers with "
        "commas between them, got 'unrolled,'"
    )


def without_samples(build: Path) -> str:
    np.savez(build / "expected.npz", others=np.zeros(3))
    return f"{build}/expected.npz: has no features, input, labels, test, train, float.class, run "


def without_expected(build: Path) -> str:
    (build / "expected.npz").unlink()
    return f"{build}/expected.npz: cannot be read: no such file or directory; run python -m "


def of_other_shape(build: Path) -> str:
    others = dict.fromkeys({*KEYS, "float.class"} - {"features"}, np.zeros(3))
    np.savez(build / "expected.npz", features=np.zeros((3, 5)), **others)
    return "features must have shape (samples, 2), got (3, 5)"


def unicode_name(build: Path) -> str:
    spec = dataclasses.replace(SMALL.spec, name="né")
    artifact.save(SMALL.refolded(spec), build / "network.json")
    return "name of the network must be ASCII letters, digits and _ for a core, got 'né'"


@pytest.mark.parametrize(
    "spoil",
    [
        *(mine, mine_and_a_file, changed, lost, in_the_way, of_another_kind, bad_fold),
        *(without_samples, without_expected, of_other_shape, unicode_name),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_changes_nothing(build: Path, spoil: Any) -> None:
    sentence = spoil(build)
    before = everything(build)
    status, said, errors = core(build, "--fold", "unrolled," if spoil is bad_fold else "unrolled")
    assert (status, said, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"python -m scripts.core: {sentence}")
    assert everything(build) == before


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk that is full when the second file is written."""
    write, count = Path.write_text, [0]

    def full(self: Path, *arguments: Any, **keywords: Any) -> int:
        count[0] += 1
        if count[0] == 2:
            raise OSError(28, "No space left on device")
        return write(self, *arguments, **keywords)

    monkeypatch.setattr(Path, "write_text", full)
    yield
    monkeypatch.undo()


def test_full_disk_leaves_the_former_core(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made = tmp_path / "core"
    assert folder.write(made, {"n": 1}, TEXTS)
    before = everything(tmp_path)
    request.getfixturevalue("no_room")
    with pytest.raises(OSError, match="No space left"):
        folder.write(made, {"n": 2}, TEXTS)
    assert everything(tmp_path) == before and {p.name for p in tmp_path.iterdir()} == {"core"}


def test_failed_swap_brings_the_former_core_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "core"
    folder.write(made, {"n": 1}, TEXTS)
    before, rename, count = everything(tmp_path), Path.rename, [0]

    def once(self: Path, target: Path) -> Path:
        count[0] += 1
        if count[0] == 2:
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(OSError, match="Input/output"):
        folder.write(made, {"n": 2}, TEXTS)
    assert everything(tmp_path) == before


def test_core_rests_on_nothing_but_network_fold_and_samples(tmp_path: Path) -> None:
    """Written twice, it is the same to the byte."""
    twice = []
    for name in ("one", "two"):
        made = content.Core.of(SMALL, features_of(SMALL))
        folder.write(tmp_path / name, made.facts, content.texts(made))
        twice.append(everything(tmp_path / name))
        shutil.rmtree(tmp_path / name)
    assert twice[0] == twice[1]


def test_manifest_of_a_folder_is_no_command(tmp_path: Path) -> None:
    """A list that names a file outside of the folder reads nothing there."""
    (tmp_path / "secret").write_text("x")
    (tmp_path / "core").mkdir()
    listed = {"format": folder.FORMAT, "files": {"../secret": folder.sha256("x")}}
    (tmp_path / "core/core.json").write_text(json.dumps(listed))
    with pytest.raises(CommandError, match="must be a folder that make core wrote"):
        folder.write(tmp_path / "core", {}, TEXTS)
    assert (tmp_path / "secret").read_text() == "x"
