"""Peers beside the core: what is refused, what is compared, and what the page says of it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.paths import GOLDEN_IRIS, ROOT
from model import artifact
from model.words import pack_rows
from studies.peers import generate
from studies.peers import page as peers_page
from studies.peers.compare import Contender, Inputs, clocked, inputs, of_peer, own_version, version
from studies.peers.generate import Generated, PeerError, Simulated
from studies.peers.page import CLOCKED, equal_multipliers, matching, multipliers
from syn.folds import SHARED, refolded

NETWORK = artifact.load(GOLDEN_IRIS)
GIVEN = inputs(NETWORK)
CELLS = {"LUT": 12345, "FF": 678, "DSP": 9, "BRAM": 10}
# A pipeline that is late by four cycles, of which it knows nothing.
LATE = np.concatenate([np.zeros((4, 3), np.int64), GIVEN.logits, np.zeros((2, 3), np.int64)])


def lane(width: int, *, signed: int = 1, shift: int = 0) -> dict[str, int]:
    return {"width": width, "signed": signed, "shift": shift}


def made(tmp_path: Path) -> Generated:
    """Two files of Verilog, three lines in all, and the formats of a pipeline's ports."""
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl/a.v").write_text("module a;\nendmodule\n")
    (tmp_path / "rtl/b.v").write_text("// nothing\n")
    lanes = {name: [lane(8)] * count for name, count in (("in", 4), ("out", 3))}
    return Generated(tmp_path, {"top": "a", "seconds": 1.5, **lanes})


def contender(tmp_path: Path, results: np.ndarray[Any, Any] = GIVEN.logits) -> Contender:
    simulated = Simulated(results, 12, 1, 240_000.4)
    return of_peer("alkaid, 12 stages", "alkaid", 0, made(tmp_path), simulated, GIVEN)


def rows(tmp_path: Path, *, placed: bool = True) -> list[dict[str, Any]]:
    """A pipeline, placed but not routed, and an accelerator of 64 multipliers in batches."""
    first = contender(tmp_path).facts | CELLS | dict.fromkeys(CLOCKED)
    first["routed"] = False
    found = [first, first | {"name": "NNgen, 8x8", "multipliers": 64, "batch": 150}]
    found[1]["routed"] = True
    found[1] |= {"cycles": 23879, "interval": 159.2}
    return [row | clocked(row, 100.0) for row in found] if placed else found


# What is compared


def test_latency_is_where_all_results_stand() -> None:
    assert generate.delay(LATE, GIVEN.logits) == 4


@pytest.mark.parametrize("sample", [0, 149, len(GIVEN.logits) - 1])
def test_one_wrong_bit_of_a_pipeline_is_an_error(sample: int) -> None:
    doctored = LATE.copy()
    doctored[4 + sample, 1] ^= 1
    with pytest.raises(PeerError, match=r"^1 of 1200 results differ from .*, 4 cycles"):
        generate.delay(doctored, GIVEN.logits)


def test_pipeline_that_is_cut_short_is_an_error() -> None:
    with pytest.raises(PeerError, match="cycles cannot hold 1200 results"):
        generate.delay(LATE[:-7], GIVEN.logits)


def test_one_wrong_bit_of_an_accelerator_is_an_error() -> None:
    doctored = GIVEN.logits.copy()
    doctored[7, 2] ^= 1
    expected = GIVEN.logits[7].tolist()
    with pytest.raises(PeerError) as error:
        generate.require_same("NNgen", doctored, GIVEN.logits)
    assert str(error.value).startswith("NNgen: 1 of 1200 results differ; sample 7 gives ")
    assert str(error.value).endswith(f"expected {expected}")
    generate.require_same("NNgen", GIVEN.logits, GIVEN.logits)


def test_missing_results_of_an_accelerator_are_an_error() -> None:
    with pytest.raises(PeerError, match=r"shape \(1200, 3\), got \(1199, 3\)"):
        generate.require_same("NNgen", GIVEN.logits[:-1], GIVEN.logits)


def answering(folder: Path, monkeypatch: pytest.MonkeyPatch, outputs: bytes, said: object) -> None:
    """Stand in for a compiled simulation: it leaves ``outputs`` and prints ``said``."""
    program = folder / "program"
    text = f"from pathlib import Path\nPath('outputs.bin').write_bytes({outputs!r})\n"
    program.write_text(f"#!{sys.executable}\n{text}print({json.dumps(json.dumps(said))})\n")
    program.chmod(0o755)
    monkeypatch.setattr(generate, "build_harness", lambda *_, **__: program)


@pytest.mark.parametrize("doctored", [False, True])
def test_pipeline_is_compared_with_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doctored: bool
) -> None:
    seen = LATE.copy()
    seen[100, 0] ^= int(doctored)
    packed = pack_rows(seen, 8).tobytes()
    answering(tmp_path, monkeypatch, packed, {"samples per second": 5.0})
    if doctored:
        with pytest.raises(PeerError, match=r"^a of .*: 1 of 1200 results differ"):
            generate.simulate_pipeline(made(tmp_path), GIVEN.codes, GIVEN.logits)
    else:
        found = generate.simulate_pipeline(made(tmp_path), GIVEN.codes, GIVEN.logits)
        assert (found.latency, found.interval, found.samples_per_second) == (4, 1, 5.0)
        assert (found.results == GIVEN.logits).all()


@pytest.mark.parametrize("doctored", [False, True])
def test_accelerator_is_compared_with_its_own_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doctored: bool
) -> None:
    padded = np.pad(GIVEN.logits, [(0, 0), (0, 5)]).astype(np.int8)
    padded[3, 0] ^= int(doctored)
    said = {"most": 10, "interval": 1500.0, "runs per second": 2.0}
    answering(tmp_path, monkeypatch, padded.tobytes(), said)
    port = {"address": 64, "lanes": 8}
    facts = {"top": "a", "in": port, "out": port, "parameters": port}
    design = Generated(tmp_path, facts | {"logits": GIVEN.logits.tolist()})
    if doctored:
        with pytest.raises(PeerError, match="1 of 1200 results differ; sample 3 gives"):
            generate.simulate_accelerator(design, GIVEN.codes, 150, 3)
    else:
        found = generate.simulate_accelerator(design, GIVEN.codes, 150, 3)
        assert (found.latency, found.interval, found.samples_per_second) == (10, 10, 300)
        sent = np.frombuffer((tmp_path / "inputs.bin").read_bytes(), np.int8).reshape(-1, 8)
        assert (sent[:, :4] == GIVEN.codes).all() and not sent[:, 4:].any()


@pytest.mark.parametrize("width", [3, 8, 13])
def test_packing_is_undone(width: int) -> None:
    values = np.random.default_rng(1).integers(-(1 << width - 1), 1 << width - 1, (20, 5))
    packed = generate.pack(values, [lane(width)] * 5)
    assert (packed == pack_rows(values, width)).all()
    assert (generate.unpack(packed, [lane(width)] * 5) == values).all()
    unsigned = generate.unpack(packed, [lane(width, signed=0)] * 5)
    assert (unsigned == values % (1 << width)).all()


def test_lanes_of_other_widths_have_their_own_places() -> None:
    lanes = [lane(5), lane(0), lane(9, signed=0), lane(3, shift=2)]
    values = np.array([[-16, 0, 511, -16], [15, 0, 0, 12], [0, 0, 256, -4]])
    packed = generate.pack(values, lanes)
    assert packed.shape == (3, 3)
    assert (generate.unpack(packed, lanes) == values).all()


def test_row_counts_what_is_correct_and_what_is_as_ours(tmp_path: Path) -> None:
    doctored = GIVEN.logits.copy()
    doctored[0] = doctored[0, ::-1] + [0, 0, 100]
    facts = contender(tmp_path, doctored).facts
    right = int((GIVEN.classes[:150] == GIVEN.labels).sum())
    assert (facts["correct"], facts["our class"]) == (right - 1, 149)
    assert (facts["results as ours"], facts["results"]) == (1199, 1200)
    assert (facts["generate seconds"], facts["lines of Verilog"]) == (1.5, 3)
    assert facts["version"] == version("alkaid") and own_version().count(".") == 2


def test_inputs_are_all_samples_then_random_codes_in_whole_batches() -> None:
    assert isinstance(GIVEN, Inputs) and len(GIVEN.labels) == 150
    assert len(GIVEN.codes) - 150 >= 1000 and len(GIVEN.codes) % 150 == 0
    assert (GIVEN.codes[150:].min(), GIVEN.codes[150:].max()) == (-128, 127)


# What the page says


def test_page_says_every_figure(tmp_path: Path) -> None:
    page = peers_page.page(rows(tmp_path), NETWORK.spec, "2026-01-02", {"yosys": "9"})
    assert (
        "Written by `make study-peers` on 2026-01-02, with yosys 9. Nothing here was typed." in page
    )
    cells = "12,345 | 678 | 9 | 10 | 100"
    assert f"| alkaid, 12 stages | 0 | {cells} expected | 1 | 12 | 120 | 100,000,000 |" in page
    assert f"| NNgen, 8x8 | 64 | {cells} | 159.2 | 23,879 | 238,790 | 628,141 |" in page
    assert "| alkaid, 12 stages | no | 148 | 150 | 1,200 | 1.5 | 3 | 240,000 |" in page


def test_page_without_placement_leaves_the_clock_empty(tmp_path: Path) -> None:
    page = peers_page.page(rows(tmp_path, placed=False), NETWORK.spec, "2026-01-02", {})
    assert "| alkaid, 12 stages | 0 | 12,345 | 678 | 9 | 10 |  | 1 | 12 |  |  |" in page


def test_equal_multipliers_are_never_more(tmp_path: Path) -> None:
    for count in (4, 16, 64):
        ours = matching(NETWORK.spec, count)
        assert multipliers(ours["in all"]) <= count
        assert max(layer.multipliers for layer in ours["a layer"].layers) <= count
    assert multipliers(refolded(NETWORK, SHARED).spec) == 0 < multipliers(NETWORK.spec)
    assert matching(NETWORK.spec, 1) == {"a layer": NETWORK.spec.serial()}
    ours = matching(NETWORK.spec, 64)["in all"]
    ratios = f"| {159.2 / ours.interval:.1f} | {23879 / ours.latency:.1f} |"
    table = equal_multipliers(rows(tmp_path), NETWORK.spec)
    assert table.count("\n") == 3 and ratios in table and "at most 64 in all" in table


def test_page_and_its_rows_are_of_every_peer_and_of_three_folds() -> None:
    page = (ROOT / "docs/results/peers.md").read_text()
    for name in (*(f"Verbatim, {fold}" for fold in NETWORK.spec.at_each_fold()), "alkaid", "NNgen"):
        assert f"\n| {name}" in page
    assert f"alkaid {version('alkaid')}" in page and f"NNgen {version('nngen')}" in page


# What fails


def test_packages_that_cannot_be_installed_are_one_sentence(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"{tmp_path}/no-such-package\n")
    with pytest.raises(PeerError, match=r"requirements.txt cannot be installed: \S+") as error:
        generate.environment(tmp_path / "venv", requirements)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "venv/made").exists()


def test_environment_is_kept_until_the_requirements_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements, commands = tmp_path / "requirements.txt", []
    monkeypatch.setattr(generate, "_run", lambda command, failure: commands.append(command))
    for text, expected in (("a==1\n", 3), ("a==1\n", 3), ("a==2\nsetuptools==3\n", 7)):
        requirements.write_text(text)
        made = generate.environment(tmp_path / "venv", requirements)
        assert len(commands) == expected
        assert generate.installed(tmp_path / "venv", requirements) == made
    assert commands[4][-1] == "setuptools==3"
    requirements.write_text("a==3\n")
    assert generate.installed(tmp_path / "venv", requirements) is None
    assert len(commands) == expected


def test_pins_are_exact_and_of_both_peers() -> None:
    lines = generate.REQUIREMENTS.read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(line.count("==") == 1 for line in pins)
    assert {"alkaid", "nngen", "setuptools"} <= {line.partition("==")[0] for line in pins}


def test_nothing_else_asks_for_the_peers() -> None:
    makefile = (ROOT / "Makefile").read_text()
    names = set(re.findall(r"^([a-z-]+):.*##", makefile, flags=re.M))
    for others, runs in ((names - {"study-peers"}, False), (names, True)):
        command = ["make", "--dry-run", *sorted(others)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        assert ("studies.peers" in done.stdout) == runs
    assert "alkaid" not in (ROOT / "requirements.txt").read_text()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("raise SystemExit('too wide a layer')", "too wide a layer"),
        ("raise SystemExit(1)", "status 1, without a word"),
    ],
)
def test_generator_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, sentence: str
) -> None:
    monkeypatch.setattr(generate, "SOURCES", tmp_path)
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "build")
    (tmp_path / "some.py").write_text(script)
    with pytest.raises(PeerError) as error:
        generate.generate(Path(sys.executable), "some", {"network": GOLDEN_IRIS}, ["--side=1"])
    assert str(error.value).endswith(f"some.py --side=1 generates nothing: {sentence}")
    assert not list((tmp_path / "build").glob("*/generated.json"))


def test_generator_is_asked_once_and_again_where_anything_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "SOURCES", tmp_path)
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "build")
    log, network = tmp_path / "log", tmp_path / "network.json"
    network.write_text("1")
    text = "import sys; from pathlib import Path\n" + (
        f"with Path({str(log)!r}).open('a') as log: log.write('x')\n"
        "out = next(w for w in sys.argv if w.startswith('--out=')).partition('=')[2]\n"
        "Path(out, 'generated.json').write_text('{\"top\": \"a\"}')\n"
    )
    (tmp_path / "some.py").write_text(text)
    for options, change, times in (
        (["--side=1"], "1", 1),
        (["--side=1"], "1", 1),
        (["--side=2"], "1", 2),
        (["--side=1"], "2", 3),
    ):
        network.write_text(change)
        found = generate.generate(Path(sys.executable), "some", {"network": network}, options)
        assert (found.top, len(log.read_text())) == ("a", times)


def test_simulation_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "build_harness", lambda *_, **__: Path("/bin/false"))
    with pytest.raises(PeerError, match=r"^a's simulation fails: status 1, without a word$"):
        generate.simulate_pipeline(made(tmp_path), GIVEN.codes, GIVEN.logits)


def test_missing_program_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "build")
    with pytest.raises(PeerError, match=r"generates nothing: .*No such file"):
        generate.generate(tmp_path / "python", "alkaid_network", {"network": GOLDEN_IRIS}, [])
