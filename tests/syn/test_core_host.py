"""Software beside a core: C and MicroPython make the reference's frames, and read its answers."""

import ast
import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.paths import GOLDEN
from model import artifact, reference
from model.artifact import Network
from model.data import datasets
from model.data.scaling import Scaling
from model.format import Int
from model.names import Names
from syn.package import content, folder, quoted
from tests.cores import IRIS, SMALL, WIDE, features_of, run

# A program that reads features, in hexadecimal notation of floats, and results; prints frames and
# classes.
MAIN = """\
#include "NAME.h"
#include <stdio.h>

int main(void)
{
    double features[LARGE_FEATURES];
    uint8_t sample[LARGE_SAMPLE_BYTES], result[LARGE_RESULT_BYTES];
    unsigned byte;
    for (;;) {
        for (int k = 0; k < LARGE_FEATURES; k++)
            if (scanf("%la", &features[k]) != 1)
                return 0;
        for (int k = 0; k < LARGE_RESULT_BYTES; k++) {
            if (scanf("%x", &byte) != 1)
                return 1;
            result[k] = (uint8_t)byte;
        }
        if (LARGE_encode(features, sample))
            printf("refused");
        else
            for (int k = 0; k < LARGE_SAMPLE_BYTES; k++)
                printf("%02x", sample[k]);
        printf(" %d\\n", LARGE_decode(result));
    }
}
"""

# Modules that every port of MicroPython has and that host code may need.
MICROPYTHON = {"math", "struct"}


def written(network: Network, features: np.ndarray, into: Path) -> Path:
    core = content.Core.of(network, features)
    folder.write(into, core.facts, content.texts(core))
    return into


def frames(network: Network, x: Int) -> list[str]:
    """Bytes of codes ``[samples, n_in]``, in hexadecimal, the lower byte of a code first."""
    kind = {1: "<i1", 2: "<i2"}[network.spec.x.byte_width // 8]
    return [row.astype(kind).tobytes().hex() for row in x]


def by_c(core: Path, name: str, features: np.ndarray, results: np.ndarray) -> list[list[str]]:
    """Frame and class of each sample, by the C program."""
    text = MAIN.replace("LARGE_encode", f"{name}_encode").replace("LARGE_decode", f"{name}_decode")
    text = text.replace("LARGE", name.upper()).replace("NAME", name)
    (core / "host/main.c").write_text(text)
    built = run(
        *("gcc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"),
        *("-o", "main", "main.c", f"{name}.c", "-lm"),
        cwd=core / "host",
    )
    assert built.returncode == 0, built.stderr
    lines = [
        " ".join([*map(float.hex, row), *(f"{byte:x}" for byte in result)])
        for row, result in zip(features.tolist(), results.tolist(), strict=True)
    ]
    done = subprocess.run(
        [core / "host/main"], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    return [line.split() for line in done.stdout.splitlines()]


def by_python(core: Path, name: str, features: np.ndarray, results: np.ndarray) -> list[Any]:
    """The same by the Python module, in an interpreter without site-packages."""
    script = (
        f"import json, sys\nsys.path.insert(0, '.')\nimport {name}_host as host\n"
        "for row, result in json.load(sys.stdin):\n"
        "    print(host.encode(row).hex(), host.decode(bytes(result)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script],
        cwd=core / "host",
        input=json.dumps(list(zip(features.tolist(), results.tolist(), strict=True))),
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split() for line in done.stdout.splitlines()]


def golden(name: str) -> tuple[Network, np.ndarray]:
    return artifact.load(GOLDEN / f"{name}.network.json"), datasets.load(name).features


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "wide"])
def test_c_and_python_equal_the_reference(name: str, tmp_path: Path) -> None:
    """On every golden sample, on every tie between two codes, and beyond the ends of the codes."""
    network, features = (WIDE, features_of(WIDE)) if name == "wide" else golden(name)
    core = written(network, features, tmp_path / "core")
    spec = network.spec
    halves = (np.arange(spec.x.q_min - 3, spec.x.q_max + 4)[:, None] + 0.5) * spec.x.lsb
    ties = np.repeat(halves[:: max(1, len(halves) // 300)], spec.n_in, axis=1)
    if network.scaling is not None:
        ties = ties * np.array(network.scaling.scale) + np.array(network.scaling.offset)
    beyond = np.array([[1e30] * spec.n_in, [-1e300] * spec.n_in, [-0.0] * spec.n_in])
    asked = np.concatenate([features, ties, beyond])
    x = reference.encode(network, asked)
    traced = reference.trace(network, x)
    classes, results = traced["softmax.class"], traced["softmax.probabilities"]
    expected = [[frame, str(k)] for frame, k in zip(frames(network, x), classes, strict=True)]
    assert by_c(core, spec.name, asked, results) == expected
    assert by_python(core, spec.name, asked, results) == expected


def test_samples_beside_the_host_code_are_the_references(tmp_path: Path) -> None:
    network, features = golden("iris")
    core = written(network, features, tmp_path / "core")
    lines = (core / "host/samples.csv").read_text().splitlines()
    found = reference.trace(network, reference.encode(network, features))
    assert len(lines) == 150
    for line, row, x, p, k in zip(
        lines,
        features,
        found["input"],
        found["softmax.probabilities"],
        found["softmax.class"],
        strict=True,
    ):
        *numbers, frame, result, winner = line.split(",")
        assert [float(number) for number in numbers] == row.tolist()
        assert frame == x.astype("<i1").tobytes().hex()
        assert result == bytes(p.tolist()).hex() and int(winner) == k


def test_host_code_refuses_what_is_no_sample_and_no_result(tmp_path: Path) -> None:
    core = written(IRIS, features_of(IRIS), tmp_path / "core")
    bad = np.array([[np.nan, 1, 1, 1], [1, np.inf, 1, 1], [1, 1, 1, 1]])
    results = np.array([[255, 0, 0], [0, 255, 0], [255, 1, 0]])
    assert by_c(core, "iris", bad, results) == [
        ["refused", "0"],
        ["refused", "1"],
        ["10101010", "-1"],
    ]
    for row, result in zip(bad, results, strict=True):
        with pytest.raises(subprocess.CalledProcessError) as error:
            by_python(core, "iris", row[None], result[None])
        assert re.search(r"ValueError: (feature \d must be|result must be 3)", error.value.stderr)


def test_python_needs_nothing_that_micropython_lacks(tmp_path: Path) -> None:
    core = written(*golden("wine"), tmp_path / "core")
    tree = ast.parse((core / "host/wine_host.py").read_text())
    for node in ast.walk(tree):
        assert not isinstance(node, ast.ImportFrom | ast.Match | ast.NamedExpr | ast.AnnAssign)
        assert not isinstance(node, ast.JoinedStr | ast.AsyncFunctionDef | ast.ClassDef)
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= MICROPYTHON
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None and not node.decorator_list


def test_c_host_code_has_about_50_lines(tmp_path: Path) -> None:
    core = written(*golden("wine"), tmp_path / "core")
    assert len((core / "host/wine.c").read_text().splitlines()) <= 55


ODD_NAMES = ('a "quoted" \\ name', "new\nline */ ?" + "?/", "né|漢")


def test_names_of_any_characters_reach_every_file_whole(tmp_path: Path) -> None:
    names = Names(features=('fea|ture "1"', "`two`\n"), classes=ODD_NAMES[:2])
    core = written(dataclasses.replace(SMALL, names=names), features_of(SMALL), tmp_path / "core")
    program = '#include "made_up.h"\n#include <stdio.h>\nint main(void) { for (int k = 0; k < 2; '
    program += "k++) { fputs(made_up_classes[k], stdout); putchar(0); } return 0; }\n"
    (core / "host/main.c").write_text(program)
    built = run("gcc", "-trigraphs", "-o", "main", "main.c", "made_up.c", "-lm", cwd=core / "host")
    assert built.returncode == 0, built.stderr
    said = run(core / "host/main", cwd=core).stdout
    assert said.split("\0")[:2] == list(ODD_NAMES[:2])
    script = "import made_up_host; print(ascii(made_up_host.CLASSES))"
    done = run(sys.executable, "-c", script, cwd=core / "host")
    assert ast.literal_eval(done.stdout) == ODD_NAMES[:2]
    page = (core / "README.md").read_text()
    assert '| 0 | code of fea\\|ture "1" |' in page and "| 1 | code of \\`two\\` |" in page


def test_c_literal_is_utf8() -> None:
    assert quoted.c(ODD_NAMES[2]) == '"n\\303\\251|\\346\\274\\242"'


def test_readme_works_a_sample_and_its_scaling(tmp_path: Path) -> None:
    network, features = golden("wine")
    page = (written(network, features, tmp_path / "core") / "README.md").read_text()
    found = reference.trace(network, reference.encode(network, features[:1]))
    assert isinstance(network.scaling, Scaling)
    assert f"| codes | {', '.join(map(str, found['input'][0].tolist()))} |" in page
    result = bytes(found["softmax.probabilities"][0].tolist()).hex(" ")
    assert f"| result, in hexadecimal | `{result}` |" in page
    assert f"| feature 0 | {network.scaling.offset[0]} | {network.scaling.scale[0]} |" in page
    assert f"| latency | {network.spec.latency} cycles" in page
