"""Cores of every output: benches under both simulators, host code against the reference, texts."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model import reference
from model.artifact import Network
from model.format import Int
from model.shared import shared
from syn.package import content, folder
from tb.sim.made_up import made_up
from tests.cores import (
    OUTPUTS,
    compiled_by_icarus,
    compiled_by_verilator,
    features_of,
    flip,
    moved,
    run,
)
from tests.syn.test_core_host import frames

# Small cores spend their time in the compiler.
SOON = ("-O0", "-MAKEFLAGS", "OPT_FAST=-O0 OPT_GLOBAL=-O0")

# The sign of the first weight.
WEIGHT = ("mem/linear00_weights.mem", 0, 7)

# A program that reads features and results, and prints frames, classes and values.
MAIN = """\
#include "made_up.h"
#include <stdio.h>

int main(void)
{
    double features[MADE_UP_FEATURES];
    uint8_t sample[MADE_UP_SAMPLE_BYTES], result[MADE_UP_RESULT_BYTES];
    unsigned byte;
    for (;;) {
        for (int k = 0; k < MADE_UP_FEATURES; k++)
            if (scanf("%la", &features[k]) != 1)
                return 0;
        for (int k = 0; k < MADE_UP_RESULT_BYTES; k++) {
            if (scanf("%x", &byte) != 1)
                return 1;
            result[k] = (uint8_t)byte;
        }
        made_up_encode(features, sample);
        for (int k = 0; k < MADE_UP_SAMPLE_BYTES; k++)
            printf("%02x", sample[k]);
#ifdef MADE_UP_CLASSES
        printf(" %d", made_up_decode(result));
#endif
#ifdef MADE_UP_VALUES
        double values[MADE_UP_VALUES];
        if (made_up_values(result, values))
            printf(" refused");
        else
            for (int k = 0; k < MADE_UP_VALUES; k++)
                printf(" %a", values[k]);
#endif
        printf("\\n");
    }
}
"""
SCRIPT = """\
import json, sys
sys.path.insert(0, '.')
import made_up_host as host
for row, result in json.load(sys.stdin):
    said = [host.encode(row).hex()]
    try:
        if hasattr(host, 'decode'):
            said.append(host.decode(bytes.fromhex(result)))
        if hasattr(host, 'values'):
            said += host.values(bytes.fromhex(result))
    except ValueError as error:
        said.append(str(error))
    print(json.dumps(said))
"""


@pytest.mark.parametrize("kind", OUTPUTS)
def test_bench_passes_and_fails_on_each_flipped_bit(kind: str, tmp_path: Path) -> None:
    network = OUTPUTS[kind]
    core, spec = moved(network, tmp_path), network.spec
    size = spec.n_out * spec.tdata.width // 8
    bits = spec.out_lanes * spec.tdata.width + spec.tuser.width
    commands = [compiled_by_icarus(core), compiled_by_verilator(core, *SOON)]
    passed = f"PASS: made_up_core: {{}} results of {size} bytes, twice; latency {spec.latency}, "
    for command in commands:
        done = run(*command, cwd=core)
        said = re.sub(r": \d+ results", ": {} results", done.stdout)
        assert done.returncode == 0 and said.startswith(passed), done.stdout
    # The lowest bit of a value, the highest of the class, the last bit of a beat; a weight.
    flips = (("expected", 5, 0), ("expected", 9, bits - 1), ("expected", 20, bits))
    for file, word, bit in (*((f"vectors/{name}.mem", *at) for name, *at in flips), WEIGHT):
        copy = tmp_path / f"{Path(file).stem}-{bit}"
        for part in ("mem", "vectors"):
            shutil.copytree(core / part, copy / part)
        flip(copy / file, word, bit)
        for command in commands:
            done = run(*command, cwd=copy)
            assert done.returncode != 0 and "PASS" not in done.stdout, (file, word, bit)
            assert "FAIL: pass " in done.stdout


def written(network: Network, features: np.ndarray, into: Path) -> Path:
    core = content.Core.of(network, features)
    folder.write(into, core.facts, content.texts(core))
    return into


def sent(network: Network, values: Int) -> list[str]:
    """Results ``[samples, n_out]`` as they leave, in hexadecimal, the lower byte first."""
    field = network.spec.tdata
    kind = f"<{'i' if field.signed else 'u'}{field.width // 8}"
    return [row.astype(kind).tobytes().hex() for row in values]


def by_c(core: Path, asked: list[tuple[list[float], str]]) -> list[list[str]]:
    """Words that the C program prints for each sample."""
    (core / "host/main.c").write_text(MAIN)
    built = run(
        *("gcc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"),
        *("-o", "main", "main.c", "made_up.c", "-lm"),
        cwd=core / "host",
    )
    assert built.returncode == 0, built.stderr
    lines = [" ".join([*map(float.hex, row), *re.findall("..", text)]) for row, text in asked]
    done = subprocess.run(
        [core / "host/main"], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    return [line.split() for line in done.stdout.splitlines()]


def by_python(core: Path, asked: list[tuple[list[float], str]]) -> list[list[object]]:
    """What the Python module says, in an interpreter without site-packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SCRIPT],
        cwd=core / "host",
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def real(word: str) -> float | str:
    """The value of a float in hexadecimal notation; another word as it is."""
    return float.fromhex(word) if "p" in word else word


@pytest.mark.parametrize("kind", OUTPUTS)
def test_c_and_python_equal_the_reference(kind: str, tmp_path: Path) -> None:
    network = OUTPUTS[kind]
    features = features_of(network, 300)
    core = written(network, features, tmp_path / "core")
    x = reference.encode(network, features)
    traced = reference.trace(network, x)
    classes, results = reference.result(network, traced)
    asked = list(zip(features.tolist(), sent(network, results), strict=True))
    reals = [[]] * len(x) if kind == "argmax" else network.values(results).tolist()
    expected: list[list[object]] = [
        [frame, *([int(winner)] if network.spec.output.classes else []), *values]
        for frame, winner, values in zip(frames(network, x), classes, reals, strict=True)
    ]
    assert len({str(row[1:]) for row in expected}) > 1
    assert by_python(core, asked) == expected
    printed = [[real(word) for word in line] for line in by_c(core, asked)]
    assert printed == [
        [value if isinstance(value, float) else str(value) for value in row] for row in expected
    ]


@pytest.mark.parametrize(
    ("kind", "result", "words", "sentence"),
    [
        ("logits", "00040000", ["refused"], "code must be from -1024 to 1023, got 1024"),
        ("logits", "0000fffb", ["refused"], "code must be from -1024 to 1023, got -1025"),
        ("argmax", "9600", ["-1"], "class must be below 150, got 150"),
    ],
)
def test_host_code_refuses_what_is_no_result(
    kind: str, result: str, words: list[str], sentence: str, tmp_path: Path
) -> None:
    network = OUTPUTS[kind]
    features = features_of(network)[:1]
    core = written(network, features, tmp_path / "core")
    asked = [(features[0].tolist(), result)]
    assert [line[1:] for line in by_c(core, asked)] == [words]
    assert [line[1:] for line in by_python(core, asked)] == [[sentence]]


@pytest.mark.parametrize("kind", OUTPUTS)
def test_result_of_another_length_is_refused_by_python(kind: str, tmp_path: Path) -> None:
    network = OUTPUTS[kind]
    features = features_of(network)[:1]
    core = written(network, features, tmp_path / "core")
    size = network.spec.n_out * network.spec.tdata.width // 8
    ((_, sentence),) = by_python(core, [(features[0].tolist(), "00" * (size + 1))])
    sums = " that sum to 255" if network.spec.output.kind == "softmax" else f", got {size + 1}"
    assert sentence == f"result must be {size} bytes{sums}"


@pytest.mark.parametrize(
    ("kind", "sentences"),
    [
        (
            "logits",
            (
                "3 features in, 2 logits out,",
                "| layers | 3 to 4, tanh, 1x1 multipliers; 4 to 2, 1x1 multipliers |",
                "| output | logits |",
                "| `m_axis_tdata` | 16 | 1 logit of 2 bytes, the first in the low bits |",
                "| `m_axis_tuser` | 8 | 0: this output has no class |",
                "A result has 4 bytes in 2 beats: codes of 11 bits in two's complement, "
                "sign-extended to 16 bits. Its value is\n`code * 0.125 * scale + offset`.",
                "| 0 | value of 0, low byte |\n| 1 | value of 0, high byte, sign-extended |",
                "| 1 | -3.1 | 4.0 |",
            ),
        ),
        (
            "many",
            (
                "130 logits and a class out,",
                "| `m_axis_tuser` | 16 | the class, the same on each beat of a result |",
                "| output | logits, with the class of the largest |",
                "| 129 | logit of 129 |",
            ),
        ),
        (
            "argmax",
            (
                "2 features in, a class out,",
                "| `m_axis_tdata` | 16 | 1 class of 2 bytes, the first in the low bits |",
                "A result has 2 bytes in 1 beat: the index of the class, unsigned,",
                "| 1 | index of the class, high byte |",
            ),
        ),
        (
            "sigmoid",
            (
                "1 probability and a class out,",
                "A result has 1 byte in 1 beat: a probability in units of 1/255.",
                "| 0 | probability of 1 |",
            ),
        ),
        (
            "sigmoids",
            (
                "3 probabilities out,",
                "2 to 4, leaky_relu(0.125), 1x1 multipliers;",
                "| `m_axis_tdata` | 24 | 3 probabilities of 1 byte, the first in the low bits |",
                "probabilities in units of 1/255, each by itself",
            ),
        ),
        (
            "trimmed",
            (
                "| `m_axis_tuser` | 16 | the class, the same on each beat of a result; bit 8 is 1 "
                "where a feature is outside of its range |",
                "**Range.** The network is trimmed:",
                "| feature 3 | 90 | 91 | 5.625 | 5.6875 |",
            ),
        ),
    ],
)
def test_readme_lays_out_a_result(kind: str, sentences: tuple[str, ...], tmp_path: Path) -> None:
    network = OUTPUTS[kind]
    core = written(network, features_of(network), tmp_path / "core")
    page = (core / "README.md").read_text()
    for sentence in sentences:
        assert sentence in page, sentence
    features = features_of(network)[:1]
    traced = reference.trace(network, reference.encode(network, features))
    _, results = reference.result(network, traced)
    bytes_out = " ".join(re.findall("..", sent(network, results)[0]))
    assert f"| result, in hexadecimal | `{bytes_out}` |" in page


def test_readme_counts_no_multipliers_of_a_layer_of_sums(tmp_path: Path) -> None:
    network = shared(made_up([4, 6, 5], folds=[(4, 6), (2, 5)], in_lanes=4))
    core = written(network, features_of(network), tmp_path / "core")
    layers = "| layers | 4 to 6, ReLU, sums that outputs share; 6 to 5, 2x5 multipliers |"
    assert layers in (core / "README.md").read_text()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("32'd90", "32'd89"),
        (".out_ready(gone)", ".out_ready(m_axis_tvalid)"),
        ("s_axis_tvalid && core_ready", "s_axis_tvalid"),
        ("{7'd0, outside, winner}", "{7'd0, 1'b0, winner}"),
    ],
    ids=["range", "leaves-early", "taken-twice", "lost"],
)
def test_bench_sees_a_wrong_flag(right: str, wrong: str, tmp_path: Path) -> None:
    core = moved(OUTPUTS["trimmed"], tmp_path)
    wrapper = core / "made_up_core.v"
    assert wrapper.read_text().count(right) == 1
    wrapper.write_text(wrapper.read_text().replace(right, wrong))
    done = run("iverilog", "-o", "x.vvp", "-f", "made_up.f", "made_up_tb.v", cwd=core)
    assert done.returncode == 0, done.stderr
    done = run("vvp", "-N", "x.vvp", cwd=core)
    assert "FAIL: pass " in done.stdout and "PASS" not in done.stdout
