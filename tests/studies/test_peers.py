"""Peers beside the core: what is refused, what is compared, and what the page says of it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.paths import GOLDEN_IRIS, ROOT, RTL
from common.sources import verilog
from model import artifact
from model.spec import TOP
from model.words import pack_rows
from studies.peers import compare, generate
from studies.peers import page as peers_page
from studies.peers.compare import Contender, Inputs, clocked, inputs, of_peer, own_version, version
from studies.peers.generate import Generated, PeerError, Simulated
from studies.peers.page import CLOCKED, PACE, equal_multipliers, matching, multipliers
from syn.folds import SHARED, refolded
from tb.sim import native

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


def emulated() -> dict[str, Any]:
    """A row without hardware, as `compare.on_device` leaves it."""
    design = Generated(Path(), {"seconds": 0.5})
    name = "hls4ml, emulator for Vitis"
    facts = compare.of_logits(name, "hls4ml", design, GIVEN.logits, 60_000.2, GIVEN)
    return compare.on_device(Contender(facts, None), [])


def ours(name: str, pace: int) -> dict[str, Any]:
    """A row of this project's core that was only simulated."""
    row = {"name": f"Verbatim, {name}", "version": own_version(), "softmax": True, PACE: pace}
    return emulated() | row | {"lines of Verilog": 2000}


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
    for build in ("build_harness", "build_emulator"):
        monkeypatch.setattr(generate, build, lambda *_, **__: program)


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


@pytest.mark.parametrize("doctored", [0, 0.25, 0.5])
def test_emulator_is_compared_with_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doctored: float
) -> None:
    logits = (GIVEN.logits / 2).astype(np.float32)
    logits[1199, 2] += doctored
    answering(tmp_path, monkeypatch, logits.tobytes(), {"samples per second": 5.0})
    design = Generated(tmp_path, {"top": "a", "in": {"frac": 4}, "out": {"frac": 1}})
    if doctored:
        with pytest.raises(PeerError, match=r"^a of .*: 1 of 1200 results differ; sample 1199"):
            generate.emulate(design, GIVEN.codes, GIVEN.logits)
    else:
        found = generate.emulate(design, GIVEN.codes, GIVEN.logits)
        assert (found.results == GIVEN.logits).all() and found.samples_per_second == 5.0
        sent = np.fromfile(tmp_path / "inputs.bin", np.float32).reshape(-1, 4)
        assert (sent * 16 == GIVEN.codes).all()


def project(folder: Path, sizes: str) -> Generated:
    """What hls4ml writes, of a network that doubles its two inputs."""
    firmware = folder / "project/firmware"
    firmware.mkdir(parents=True)
    name = "hls4ml_network"
    (firmware / f"{name}.h").write_text("void twice(float *x, float *y);\n")
    (firmware / f"{name}.cpp").write_text(
        f'#include "{name}.h"\nvoid twice(float *x, float *y) {{ *y = 2 * *x; }}\n'
    )
    (folder / f"project/{name}_bridge.cpp").write_text(
        f'#include "firmware/{name}.h"\n'
        f'extern "C" void {name}_float(float *x, float y[2]{sizes}) '
        "{ twice(x, y); twice(x + 1, y + 1); }\n"
    )
    ports = {port: {"frac": 3} for port in ("in", "out")}
    return Generated(folder, {"top": name, "headers": ["firmware"], **ports})


@pytest.mark.parametrize("sizes", ["", ", unsigned short &in, unsigned short &out"])
def test_emulator_is_compiled_once_and_called_through_either_bridge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: str
) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "build")
    monkeypatch.setattr(generate, "MEASURED_SECONDS", 0.01)
    design, values = project(tmp_path / "made", sizes), np.array([[3, -7], [1, 0], [127, -128]])
    found = generate.emulate(design, values, 2 * values)
    assert (found.results == 2 * values).all() and found.samples_per_second > 0
    with pytest.raises(PeerError, match=r"3 of 3 results differ; sample 0 gives \[6.0, -14.0\]"):
        generate.emulate(design, values, 2 * values + 1)
    (harness,) = (tmp_path / "build").glob("emulator-*/harness")
    before = harness.stat().st_mtime_ns
    generate.emulate(design, values, 2 * values)
    assert harness.stat().st_mtime_ns == before


def test_emulator_that_does_not_compile_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path / "build")
    design = project(tmp_path / "made", ", long size")
    with pytest.raises(PeerError, match=r"^hls4ml_network cannot be compiled: .*error: ") as error:
        generate.emulate(design, GIVEN.codes, GIVEN.logits)
    assert "\n" not in str(error.value)
    monkeypatch.setattr(generate, "COMPILER", str(tmp_path / "none"))
    with pytest.raises(PeerError, match=r"^hls4ml_network cannot be compiled: .*No such file"):
        generate.emulate(design, GIVEN.codes, GIVEN.logits)


def test_what_is_for_no_device_has_no_jobs_and_no_clock() -> None:
    row = emulated()
    assert compare.jobs_on_device(Contender(row, None), placing=True) == []
    assert [row[key] for key in CLOCKED] == [None] * 3 and "LUT" not in row
    assert (row["results as ours"], row["our class"]) == (1200, 150)


def test_speed_is_the_median_of_rounds_that_are_taken_in_turns() -> None:
    said: list[str] = []
    speeds = {"a": iter([1, 9, 5]), "b": iter([40, 20, 30])}
    designs = {
        name: lambda name=name: Contender({"name": name, PACE: next(speeds[name])}, None)
        for name in speeds
    }
    found = compare.in_turns(designs, said.append)
    assert said == ["a", "b"] * generate.ROUNDS
    assert [contender.facts[PACE] for contender in found] == [5, 30]


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


def test_lines_beside_a_peer_are_those_of_the_core_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that learns is none of what the peers' designs stand beside."""
    answer = native.Streamed(GIVEN.classes, GIVEN.probabilities, 1)
    monkeypatch.setattr(native, "stream", lambda *_, **__: answer)
    monkeypatch.setattr(compare, "speed", lambda *_: 1.0)
    counted = compare.of_ours(NETWORK, "default", GIVEN).facts["lines of Verilog"]
    every = verilog(RTL)
    learning = [path for path in every if path.stem.startswith("mlp_learn_")]
    assert learning
    assert compare.lines([RTL / f"{TOP}.v"]) < counted
    assert counted <= compare.lines(every) - compare.lines(learning)


def test_inputs_are_all_samples_then_random_codes_in_whole_batches() -> None:
    assert isinstance(GIVEN, Inputs) and len(GIVEN.labels) == 150
    assert len(GIVEN.codes) - 150 >= 1000 and len(GIVEN.codes) % 150 == 0
    assert (GIVEN.codes[150:].min(), GIVEN.codes[150:].max()) == (-128, 127)


# What the page says


def test_page_says_every_figure(tmp_path: Path) -> None:
    some = [ours("native", 480_000), *rows(tmp_path)]
    page = peers_page.page(some, NETWORK.spec, "2026-01-02", {"yosys": "9"})
    assert (
        "Written by `make study-peers` on 2026-01-02, with yosys 9. Nothing here was typed." in page
    )
    cells = "12,345 | 678 | 9 | 10 | 100"
    assert f"| alkaid, 12 stages | 0 | {cells} expected | 1 | 12 | 120 | 100,000,000 |" in page
    assert f"| NNgen, 8x8 | 64 | {cells} | 159.2 | 23,879 | 238,790 | 628,141 |" in page
    assert "| alkaid, 12 stages | no | 148 | 150 | 1,200 | 1.5 | 3 |" in page


def test_page_says_the_speed_of_what_is_for_no_device_too(tmp_path: Path) -> None:
    some = [ours("serial", 4_000), ours("native", 480_000), *rows(tmp_path), emulated()]
    page = peers_page.page(some, NETWORK.spec, "2026-01-02", {})
    assert f"hls4ml {version('hls4ml')}" in page
    assert "| hls4ml, emulator for Vitis | no | 148 | 150 | 1,200 | 0.5 |  |" in page
    assert "| hls4ml, emulator for Vitis | no | 60,000 | 0.25 |" in page
    assert "| Verbatim, native | yes | 480,000 | 2 |" in page
    assert "| alkaid, 12 stages | no | 240,000 | 1 |" in page
    hardware = peers_page.hardware(some)
    assert "alkaid" in hardware and "hls4ml" not in hardware and "native" not in hardware


@pytest.mark.parametrize(("pace", "verdict"), [(360_000, "reached"), (359_999, "missed")])
def test_page_says_the_ratio_to_the_fastest_of_alkaid(
    tmp_path: Path, pace: int, verdict: str
) -> None:
    peers = rows(tmp_path)
    slower = [row | {"name": "alkaid, 20 stages", PACE: 100_000} for row in peers]
    some = [*slower, *peers, ours("native", pace), ours("serial", 4_000)]
    assert peers_page.aim(some) == (
        "Our fastest, Verbatim, native, gives 1.50 times as many samples per second as "
        f"alkaid, 12 stages, and ends in a softmax. The aim is 1.5 or more: {verdict}."
    )


def test_page_without_placement_leaves_the_clock_empty(tmp_path: Path) -> None:
    some = [ours("native", 480_000), *rows(tmp_path, placed=False)]
    page = peers_page.page(some, NETWORK.spec, "2026-01-02", {})
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


def test_page_and_its_rows_are_of_every_peer_and_of_our_folds() -> None:
    page = (ROOT / "docs/results/peers.md").read_text()
    ours = [f"Verbatim, {fold}" for fold in (*compare.OURS, compare.NATIVE)]
    for name in (*ours, "alkaid, ", "NNgen, ", "hls4ml, "):
        assert f"\n| {name}" in page
    for package, name in (("alkaid", "alkaid"), ("NNgen", "nngen"), ("hls4ml", "hls4ml")):
        assert f"{package} {version(name)}" in page


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


def test_pins_are_exact_and_of_every_peer() -> None:
    lines = generate.REQUIREMENTS.read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(line.count("==") == 1 for line in pins)
    assert {"alkaid", "hls4ml", "nngen", "setuptools"} <= {line.partition("==")[0] for line in pins}


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
