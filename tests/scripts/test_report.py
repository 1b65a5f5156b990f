"""The table that `make sim` ends with: what it says, and that it cannot say it wrongly."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from common import tables
from common.errors import CommandError
from common.paths import GOLDEN, GOLDEN_IRIS, ROOT
from model import artifact, reference
from model.data import datasets
from model.format import Format
from model.stage import PROBABILITY_ONE
from model.stages.softmax import COMBINATIONS, SoftmaxSpec
from scripts.report import facts as summary
from scripts.report import pictures, pipeline, terminal
from scripts.report.facts import RTL_KEYS, read, streams, summarize
from studies import published
from tb.sim.made_up import made_up
from tests.builds import HARDWARE_ONLY, SIMULATOR, build_of, golden_build


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A build folder as train, export and sim leave it."""
    return golden_build(tmp_path)


def doctor(folder: Path, change: Any) -> None:
    """Rewrite the RTL's report after ``change`` has been at it."""
    path = folder / f"rtl-{SIMULATOR}.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def doctor_pytorch(folder: Path, tensor: str) -> None:
    """Add 1 to the first value of one of PyTorch's tensors."""
    path = folder / "expected.npz"
    arrays = dict(np.load(path))
    arrays[tensor].flat[0] += 1
    np.savez(path, **arrays)


def facts_of(folder: Path) -> dict[str, Any]:
    return summarize(read(folder, SIMULATOR))


def command(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "scripts.report.terminal",
            "--build",
            str(folder),
            "--sim",
            SIMULATOR,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_equal_implementations_give_tables_pictures_and_status_0(folder: Path) -> None:
    done = command(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= tables.COLUMNS
    facts = json.loads((folder / "report.json").read_text())
    for name in ("float PyTorch", "quantized PyTorch", "NumPy reference", "RTL (icarus)"):
        assert name in done.stdout
    for row in facts["streams"]:
        assert row["stream"] in done.stdout
    for name in ("confusion.png", "softmax_error.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_every_tensor_of_the_reference_is_compared_once_with_pytorch(folder: Path) -> None:
    network = artifact.load(GOLDEN_IRIS)
    iris = datasets.load("iris")
    traced = reference.trace(network, reference.quantize(iris.features, network.spec.x))
    first = [tensor for tensor, _, is_first in streams(network.spec) if is_first]
    assert sorted(first) == sorted(traced)
    sizes = [tensor.size for key, tensor in traced.items() if key not in HARDWARE_ONLY]
    assert facts_of(folder)["totals"]["pytorch"]["compared"] == sum(sizes)


def test_classes_of_the_rtl_are_its_own(folder: Path) -> None:
    doctor(folder, lambda content: content.update(classes=[0] * content["samples"]))
    rtl = facts_of(folder)["implementations"][-1]
    assert (rtl["train"]["correct"], rtl["test"]["correct"]) == (40, 10)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda c: c["streams"]["fc2.acc"].update(differing=3),
            "fc2.acc: 3 of 4500 values of the RTL differ from the reference",
        ),
        (
            lambda c: c["streams"]["fc3.y"].update(compared=0),
            "fc3.y: no value of the RTL was compared",
        ),
        (lambda c: c["streams"].pop("fc1.x"), "fc1.x: no value of the RTL was compared"),
        (lambda c: c["streams"].clear(), "fc1.x: no value of the RTL was compared"),
        (
            lambda c: c["streams"]["fc3.y"].update(compared=449),
            "fc3.y: 449 of 450 values of the RTL were compared",
        ),
        (
            lambda c: c["streams"].update(fc9={"compared": 1, "differing": 0}),
            "fc9: is not a stream of network iris",
        ),
        (
            lambda c: c["classes"].__setitem__(0, 2 - c["classes"][0]),
            "1 of 150 classes that the RTL gave differ from the reference",
        ),
        (
            lambda c: c["results"][0].reverse(),
            "of 450 probabilities that the RTL gave differ from the reference",
        ),
        (
            lambda c: c["latency"].update(measured=c["latency"]["formula"] + 1),
            "cycles measured, the formula says",
        ),
        (lambda c: c["interval"].update(measured=1), "interval: 1 cycles measured"),
    ],
)
def test_doctored_rtl_report_fails(folder: Path, change: Any, sentence: str) -> None:
    assert summary.complaint(facts_of(folder)) is None
    doctor(folder, change)
    assert sentence in str(summary.complaint(facts_of(folder)))


@pytest.mark.parametrize("tensor", ["input", "fc1.acc", "fc2_2.relu", "softmax.totals"])
def test_pytorch_that_differs_fails(folder: Path, tensor: str) -> None:
    doctor_pytorch(folder, tensor)
    stream = "fc1.x" if tensor == "input" else tensor
    complaint = str(summary.complaint(facts_of(folder)))
    assert complaint.startswith(f"{stream}: 1 of ")
    assert "values of the quantized PyTorch network differ from the reference" in complaint


def test_disagreement_ends_the_command_with_one_sentence_behind_the_tables(folder: Path) -> None:
    doctor(folder, lambda content: content["streams"]["fc1.y"].update(differing=1))
    done = command(folder)
    assert done.returncode == 2
    assert done.stderr == (
        "python -m scripts.report.terminal: fc1.y: 1 of 4500 values of the RTL differ from "
        "the reference\n"
    )
    assert "fc1.y" in done.stdout
    assert (folder / "report.json").exists()


@pytest.mark.parametrize(
    "name", ["network.json", "expected.npz", f"rtl-{SIMULATOR}.json", "seconds/train.json"]
)
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"{")])
def test_missing_or_damaged_file_is_named(folder: Path, name: str, damage: Any) -> None:
    damage(folder / name)
    with pytest.raises(ValueError if name == "network.json" else CommandError, match=name):
        read(folder, SIMULATOR)


def test_missing_file_gives_one_sentence_and_status_2(folder: Path) -> None:
    (folder / f"rtl-{SIMULATOR}.json").unlink()
    done = command(folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"rtl-{SIMULATOR}.json: cannot be read, run python -m scripts.sim" in done.stderr
    assert not (folder / "report.json").exists()


@pytest.mark.parametrize("key", sorted(RTL_KEYS))
def test_rtl_report_without_a_key_is_refused(folder: Path, key: str) -> None:
    doctor(folder, lambda content: content.pop(key))
    with pytest.raises(CommandError, match=f"has no {key}"):
        read(folder, SIMULATOR)


def test_rtl_report_of_fewer_samples_is_refused(folder: Path) -> None:
    doctor(folder, lambda content: content["classes"].pop())
    with pytest.raises(CommandError, match=r"must hold 150 classes .*, got 149 and 150"):
        read(folder, SIMULATOR)


def test_expected_values_without_a_tensor_are_refused(folder: Path) -> None:
    path = folder / "expected.npz"
    arrays = dict(np.load(path))
    del arrays["labels"]
    np.savez(path, **arrays)
    assert zipfile.is_zipfile(path)
    with pytest.raises(CommandError, match="has no labels"):
        read(folder, SIMULATOR)


def test_latencies_of_the_parts_add_up(folder: Path) -> None:
    cycles = facts_of(folder)["cycles"]
    assert sum(part["latency"] for part in cycles["parts"]) == cycles["latency"]["formula"]
    assert max(part["cycles"] for part in cycles["parts"]) == cycles["interval"]["formula"]


def test_published_figures_decode_to_one_confusion_matrix(folder: Path) -> None:
    (decoded,) = facts_of(folder)["published"]["decoded"]
    assert (decoded["correct"], decoded["samples"]) == (118, 120)
    assert sorted(decoded["recalls"]) == [(38, 38), (39, 41), (41, 41)]
    text = terminal.decoded(facts_of(folder))
    assert "118 correct of 120, one class 39 of 41" in str(text)
    assert "measured on the training split" in str(text)


def test_figures_that_no_counts_give_decode_to_nothing() -> None:
    impossible = published.Published(0.9833333333333333, 0.98, 0.99, "nowhere")
    assert published.decode(impossible, classes=3, most=50) == []


def test_network_without_published_figures_has_a_table_too(folder: Path) -> None:
    facts = facts_of(folder) | {"published": None, "files": {"report": "x", "waves": None}}
    console = tables.console()
    with console.capture() as printed:
        console.print(terminal.show(facts))
    assert "published" not in printed.get().lower()
    assert "WAVES=1" in printed.get()


@pytest.mark.parametrize("width", [120, 100, 80, 60, 40])
def test_no_cell_is_cut(folder: Path, width: int) -> None:
    facts = facts_of(folder)
    for section in (terminal.quality(facts), terminal.agreement(facts), terminal.timing(facts)):
        console = Console(width=width)
        with console.capture() as printed:
            console.print(section)
        text = printed.get()
        assert max(map(len, text.splitlines())) <= width
        for column in section.table.columns:
            for cell in (str(column.header), *map(str, column.cells)):
                assert all(line in text for line in cell.splitlines()), f"{cell!r} is cut"


def test_streams_and_cycles_of_irisnet_fit_a_terminal(folder: Path) -> None:
    facts = facts_of(folder)
    for section in (terminal.agreement(facts), terminal.timing(facts)):
        console = Console(width=80)
        with console.capture() as printed:
            console.print(section)
        first = str(section.table.columns[0].header)
        heads = [line for line in printed.get().splitlines() if line.split()[:1] == [first]]
        assert len(heads) == 1


def test_two_classes_are_ranked_by_their_probability(tmp_path: Path) -> None:
    network = artifact.load(GOLDEN / "breast_cancer.network.json")
    folder = build_of(network, tmp_path)
    labels = np.load(folder / "expected.npz")["labels"]
    assert set(labels[:30]) == {0, 1}
    facts = facts_of(folder)
    areas = {row["name"]: row["train"]["auc"] for row in facts["implementations"]}
    assert areas == {
        "float PyTorch": None,
        "quantized PyTorch": None,
        "NumPy reference": 1.0,
        f"RTL ({SIMULATOR})": 1.0,
    }
    section = terminal.ranking(facts)
    assert section is not None and section.table.row_count == 4
    # One sample of class 1 falls below all of class 0, in the RTL alone.
    worst = int(np.flatnonzero(labels[:30] == 1)[0])

    def fall(content: dict[str, Any]) -> None:
        content["results"][worst] = [255, -1]

    doctor(folder, fall)
    rtl = facts_of(folder)["implementations"][-1]
    ones = int(labels[:30].sum())
    assert rtl["train"]["auc"] == pytest.approx(1 - 1 / ones)


def test_three_classes_have_no_ranking(folder: Path) -> None:
    assert terminal.ranking(facts_of(folder)) is None


@pytest.mark.parametrize(
    ("output", "result", "last"),
    [
        ("softmax", "probabilities", "of 1/255"),
        ("sigmoid", "probabilities", "of 1/255"),
        ("logits", "values", "frac 4"),
        ("ranked", "values", "frac 4"),
        ("argmax", "class", "class"),
    ],
)
def test_picture_of_the_pipeline_tells_what_leaves(output: str, result: str, last: str) -> None:
    spec = made_up([4, 5, 3], output=output).spec
    drawn = pipeline.svg(spec)
    assert f"its {result} {spec.latency} cycles after it" in drawn
    below = [box.stream[1] for box in pipeline.stages(spec)]
    assert below == ["frac 4", "frac 4", last]
    assert f"and its output, {spec.output.kind}</title>" in drawn


@pytest.mark.parametrize(("score", "divider"), COMBINATIONS)
def test_softmax_errors_are_those_of_the_networks_own_score_and_divider(
    score: str, divider: str
) -> None:
    spec = SoftmaxSpec(4, Format(8, 4), score, divider, lanes=1)
    errors = pictures.softmax_errors(spec)
    assert errors.losers.size == 3 * errors.winners.size == 3 * pictures.SAMPLES
    # An exact division loses less than 1; a table of exponentials is rounded itself.
    least = -1 if divider == "restoring" else -2
    slack = 0.05 if score == "exp" else 0
    assert least - slack < errors.losers.min() and errors.losers.max() <= slack
    assert -slack <= errors.winners.min() and errors.winners.max() < -3 * (least - slack)
    if divider == "reciprocal":
        assert errors.losers.min() < -1.2
    assert (errors.facts["score"], errors.facts["divider"]) == (score, divider)


def test_samples_of_a_softmax_of_many_classes_fit_the_memory() -> None:
    errors = pictures.softmax_errors(SoftmaxSpec(64, Format(8, 4), "exp", "restoring", lanes=1))
    assert errors.losers.size + errors.winners.size <= pictures.MOST_VALUES
    assert errors.facts["samples"] == errors.winners.size


@pytest.mark.parametrize(("score", "divider"), COMBINATIONS)
def test_softmax_picture_draws_the_networks_own_curve(score: str, divider: str) -> None:
    spec = SoftmaxSpec(3, Format(6, 2), score, divider, lanes=1)
    figure = pictures.softmax(pictures.softmax_errors(spec))
    histogram, curves = figure.axes
    assert f"({score}, {divider})" in figure.get_suptitle()
    assert pictures.EXACT[score] in histogram.get_title()
    logits = np.zeros((64, 3), dtype=np.int64)
    logits[:, 0] = np.arange(-32, 32)
    wanted = reference.softmax(logits, spec)["probabilities"][:, 0]
    drawn = np.asarray(curves.get_lines()[0].get_ydata()) * PROBABILITY_ONE
    assert np.rint(drawn).astype(int).tolist() == wanted.tolist()
    legend = curves.get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels[0] == f"hardware ({score}, {divider}, bytes)"
    assert any("score falls" in label for label in labels) == (score == "taylor2")
    assert any("taylor2" in label for label in labels) == (score == "taylor2")


def test_report_tells_the_softmax_of_its_network(tmp_path: Path) -> None:
    network = made_up([4, 5, 3], softmax=("exp", "restoring"))
    terminal.run(
        terminal.parser().parse_args(
            ["--build", str(build_of(network, tmp_path)), "--sim", "icarus"]
        )
    )
    found = json.loads((tmp_path / "report.json").read_text())["softmax"]
    assert (found["score"], found["divider"], found["exact"]) == ("exp", "restoring", "exp(x)")
