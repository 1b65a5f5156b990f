"""The two commands of the README on a fresh machine: the Makefile's menu, the pins, the set-up."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from common.paths import ROOT
from scripts import train

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z-]+):.*##", MAKEFILE, flags=re.M)
LISTS = ("requirements.txt", "requirements-alone.txt")
PIN = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*")

# What torch's CUDA build brings on Linux, at versions that torch pins itself.
CUDA_PREFIXES = ("nvidia-", "cuda-", "triton")

# What setup.sh itself runs, besides what it looks for, and what the stubs run.
COMMANDS = ("bash", "dirname", "paste", "env", "touch", "rm", "true", "mkdir", "cp")


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Make as a user types it: whatever the make that runs these tests has told its children."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SIM", "NETWORK", "WAVES", "PYTHON"}
    }
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


# The menu and the README


def test_menu_lists_every_target_once_in_four_groups() -> None:
    menu = make().stdout
    assert re.findall(r"^(\w+)$", menu, flags=re.M) == ["Use", "Check", "Measure", "Maintain"]
    assert set(TARGETS) >= {"sim", "test", "lint", "accuracy", "golden", "bench", "clean"}
    assert re.findall(r"^  ([a-z-]+)  +\S", menu, flags=re.M) == TARGETS


def test_help_adds_every_setting() -> None:
    menu, text = make().stdout, make("help").stdout
    assert text.startswith(menu)
    assert re.findall(r"^  ([A-Z]+)=\w+ +\w", text, flags=re.M) == re.findall(
        r"^([A-Z]+) +\?=", MAKEFILE, flags=re.M
    )


def test_menu_fits_80_columns() -> None:
    assert [line for line in make("help").stdout.splitlines() if len(line) > 80] == []


def test_every_target_is_documented_or_an_earlier_name_of_one() -> None:
    rules = re.findall(r"^([a-z][a-z -]*):(?!=)(?: (?:%: )?([^#\n]*))?(##)?", MAKEFILE, flags=re.M)
    undocumented = {name: needs for name, needs, documented in rules if not documented}
    assert undocumented.pop("menu") == ""
    for names, needs in undocumented.items():
        for name in names.split():
            needed = needs.replace("%", name).split()
            assert needed and set(needed) <= set(TARGETS), name


def test_every_target_is_phony(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    database = make("--print-data-base", "--question", "menu", folder=tmp_path).stdout
    (phony,) = re.findall(r"^\.PHONY: (.*)", database, flags=re.M)
    assert {*TARGETS, "mutants", "soak", "menu", "FORCE"} <= set(phony.split())


def test_campaign_and_study_are_named_as_their_module() -> None:
    """``make verify-x-reset`` runs ``verify.campaigns.x_reset``; ``verify`` runs them all."""
    named = [name for name in TARGETS if name.startswith(("verify-", "study-"))]
    assert len(named) >= 19
    for name in named:
        _, recipe = re.split(rf"^{name}:.*\n", MAKEFILE, flags=re.M)
        room, _, rest = name.replace("study-", "studies-").partition("-")
        module = rest.replace("-", "[._]")
        recipe = recipe.partition("\n\n")[0]
        assert re.search(rf"\$\(RUN\) {room}\.(\w+\.)?{module}\b", recipe), name
    dry = make("--dry-run", "verify").stdout
    for name in named:
        module = name.removeprefix("verify-").replace("-", "[._]")
        assert bool(re.search(rf"\.{module}\b", dry)) == name.startswith("verify-"), name
    assert dry.splitlines()[-1].endswith("verify.ledger --fresh")


def test_commands_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text()
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.S))
    commands = set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) - {"python3"}  # apt's package list
    assert {"sim", "test"} <= commands <= set(TARGETS)
    assert set(re.findall(r"\b([A-Z]+)=", code)) <= set(
        re.findall(r"^([A-Z]+) +\?=", MAKEFILE, flags=re.M)
    )


@pytest.mark.parametrize("setting", ["SIM=foo", "SIM=", "WAVES=yes"])
def test_illegal_setting_is_refused_in_one_sentence(setting: str) -> None:
    done = make("sim", setting)
    assert done.returncode != 0
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    name, value = setting.split("=")
    assert f"{name} must be " in sentence and f", got '{value}'" in sentence


def test_unknown_network_is_refused_by_name(tmp_path: Path) -> None:
    folder = ready_folder(tmp_path)
    for name in ("train", "export", "sim"):
        (folder / f"scripts/{name}.py").touch()
    done = make("sim", "NETWORK=foo", folder=folder)
    assert done.returncode != 0
    assert "NETWORK=foo: there is no model/networks/foo.toml" in done.stderr


# The pins


def test_requirements_are_exact_and_are_what_is_installed() -> None:
    lines = [line for name in LISTS for line in (ROOT / name).read_text().splitlines()]
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in pins if not PIN.fullmatch(line)] == []
    pinned = dict(line.split("==") for line in pins)
    assert len(pinned) == len(pins)
    installed = {
        re.sub(r"[-_.]+", "-", found.name).lower(): found.version.partition("+")[0]
        for found in importlib.metadata.distributions(path=[sysconfig.get_path("purelib")])
    }
    own = {
        name: version
        for name, version in installed.items()
        if name != "pip" and not name.startswith(CUDA_PREFIXES)
    }
    assert own == pinned


@pytest.mark.parametrize(
    "line", ["numpy", "numpy>=2", "numpy==2.*", "torch==2.13.0+cpu", "a==1,<2"]
)
def test_loose_pin_is_found(line: str) -> None:
    assert not PIN.fullmatch(line)


# The stamps


def ready_folder(folder: Path) -> Path:
    """A copy of what set-up consists of, in which all of it has been done."""
    (folder / "scripts").mkdir()
    for name in ("Makefile", *LISTS, "scripts/setup.sh"):
        shutil.copy(ROOT / name, folder / name)
    stamps = ["build/setup/verilator", "build/setup/icarus", "build/setup/test"]
    for name in (*stamps, ".venv/ready", ".venv/yosys"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_second_set_up_does_nothing(tmp_path: Path) -> None:
    assert make("--question", "setup", folder=ready_folder(tmp_path)).returncode == 0


@pytest.mark.parametrize("changed", [*LISTS, "scripts/setup.sh"])
def test_change_of_what_is_needed_sets_up_again(tmp_path: Path, changed: str) -> None:
    folder = ready_folder(tmp_path)
    later = (folder / ".venv/yosys").stat().st_mtime + 1
    os.utime(folder / changed, (later, later))
    assert make("--question", "setup", folder=folder).returncode == 1


# The chain of a network, with a stub for Python: it logs its module and writes what make expects


CHAIN = """
module=${2#scripts.}
echo $module >> log
while [ $# -gt 0 ]; do
    case $1 in --build) build=$2 ;; --sim) sim=$2 ;; --network) network=$2 ;; esac
    shift
done
mkdir -p $build
case $module in
    claim) [ ! -e $build/made-from ] || exit 1
        realpath --relative-to=. $network > $build/made-from ;;
    train) touch $build/checkpoint.pt ;;
    export) touch $build/network.json $build/expected.npz ;;
    sim) touch $build/rtl-$sim.json ;;
esac
[ ! -e fail-$module ]
"""


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    folder = ready_folder(tmp_path)
    for name in (
        *("scripts/train", "scripts/export", "scripts/sim", "common/files"),
        *("model/spec", "model/qat/training", "tb/sim/runner"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").touch()
    for name in ("model/networks/iris.toml", "rtl/mlp_top.v", "mine/wine.toml"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    python = folder / ".venv/bin/python"
    python.parent.mkdir()
    python.write_text(f"#!{shutil.which('bash')}\n{CHAIN}")
    python.chmod(0o755)
    return folder


def steps(folder: Path, *arguments: str) -> list[str]:
    """The scripts that ``make sim`` runs, in order; every file is made older before."""
    for path in folder.rglob("*"):
        if path.is_file():
            before = path.stat().st_mtime - 10
            os.utime(path, (before, before))
    (folder / "log").write_text("")
    make("sim", *arguments, folder=folder)
    return (folder / "log").read_text().split()


WHOLE = ["train", "export", "sim", "report.terminal"]


def test_first_sim_runs_the_whole_chain_and_the_second_reports_alone(chain: Path) -> None:
    assert steps(chain) == ["claim", *WHOLE]
    assert steps(chain) == ["report.terminal"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("model/networks/iris.toml", WHOLE),
        ("model/spec.py", WHOLE),
        ("scripts/export.py", ["export", "sim", "report.terminal"]),
        ("rtl/mlp_top.v", ["sim", "report.terminal"]),
        ("tb/sim/runner.py", ["sim", "report.terminal"]),
        ("common/files.py", WHOLE),
        ("model/qat/training.py", WHOLE),
        ("mine/wine.toml", ["report.terminal"]),
    ],
)
def test_changed_file_runs_what_depends_on_it(
    chain: Path, changed: str, expected: list[str]
) -> None:
    steps(chain)
    later = (chain / "build/iris/rtl-verilator.json").stat().st_mtime + 1
    os.utime(chain / changed, (later, later))
    assert steps(chain) == expected


def test_other_setting_runs_what_depends_on_it(chain: Path) -> None:
    steps(chain)
    assert steps(chain, "SIM=icarus") == ["sim", "report.terminal"]
    assert steps(chain, "WAVES=0") == ["sim", "report.terminal"]
    assert steps(chain, "WAVES=0") == ["report.terminal"]
    assert steps(chain, "NETWORK=mine/wine.toml") == ["claim", *WHOLE]
    assert (chain / "build/wine/rtl-verilator.json").exists()


@pytest.mark.parametrize("target", ["sim", "learn", "accuracy", "core", "bitstream"])
def test_files_of_one_name_in_other_folders_do_not_meet(chain: Path, target: str) -> None:
    (chain / "yours").mkdir()
    for name in ("yours/wine.toml", "model/networks/wine.toml"):
        (chain / name).touch()
    assert steps(chain, "NETWORK=mine/wine.toml") == ["claim", *WHOLE]
    for network in ("mine/wine.toml", "./mine/wine.toml", str(chain / "mine/wine.toml")):
        assert steps(chain, f"NETWORK={network}") == ["report.terminal"]
    for network in ("wine", "yours/wine.toml"):
        (chain / "log").write_text("")
        assert make(target, f"NETWORK={network}", folder=chain).returncode != 0
        assert (chain / "log").read_text().split() == ["claim"]
    assert steps(chain, "NETWORK=mine/wine.toml") == ["report.terminal"]


def test_changed_or_lost_file_of_a_recipe_trains_again(chain: Path) -> None:
    data, rule = chain / "mine/my data.csv", chain / "build/iris/checkpoint.d"
    data.touch()
    steps(chain)
    rule.write_text(train.make_rule(Path("build/iris/checkpoint.pt"), [data]))
    assert steps(chain) == ["report.terminal"]
    later = rule.stat().st_mtime + 100
    os.utime(data, (later, later))
    (chain / "log").write_text("")
    make("sim", folder=chain)
    assert (chain / "log").read_text().split()[0] == "train"
    data.unlink()
    rule.write_text(train.make_rule(Path("build/iris/checkpoint.pt"), [data]))
    assert steps(chain)[0] == "train"


@pytest.mark.parametrize("step", ["train", "export", "sim"])
def test_failed_step_is_run_again(chain: Path, step: str) -> None:
    (chain / f"fail-{step}").touch()
    assert steps(chain)[-1] == step
    (chain / f"fail-{step}").unlink()
    assert steps(chain)[0] == step


# The set-up script, on a machine made of stubs


class Machine:
    """A PATH on which only stubs lie: each does nothing and succeeds, unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.bin = folder / "bin"
        self.log = folder / "log"
        (self.project / "scripts").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "scripts/setup.sh", self.project / "scripts")
        for name in LISTS:
            shutil.copy(ROOT / name, self.project)
        for name in COMMANDS:
            self.bin.joinpath(name).symlink_to(str(shutil.which(name)))
        for name in ("g++", "make", "perl", "iverilog", "ccache", "chromium", "tclsh"):
            self.stub(name)
        self.stub(
            "python3", 'case "$*" in *version_info?:2*) echo 3.11 ;; -V) echo Python 3.11 ;; esac'
        )
        self.stub("apt-get", f'echo "$*" >> {self.log}')
        self.user(0)

    def stub(self, name: str, body: str = ":") -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!{shutil.which('bash')}\n{body}\n")
        path.chmod(0o755)

    def user(self, number: int) -> None:
        self.stub("id", f"echo {number}")

    def set_up(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["scripts/setup.sh", *arguments],
            cwd=self.project,
            env={"PATH": str(self.bin)},
            capture_output=True,
            text=True,
        )

    def installed(self) -> list[str]:
        """What was asked of apt, the last words of each command."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.partition(" install ")[2] for line in lines if " install " in line]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("group", ["verilator", "icarus", "test"])
def test_nothing_missing_asks_nothing_of_apt(machine: Machine, group: str) -> None:
    done = machine.set_up("system", group)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not machine.log.exists()


def test_root_gets_what_is_missing_from_apt(machine: Machine) -> None:
    for name in ("iverilog", "ccache"):
        (machine.bin / name).rename(machine.bin / f"packed-{name}")
    assert machine.set_up("system", "verilator").returncode == 0
    assert machine.installed() == []
    unpack = f"cd {machine.bin}; for name in iverilog ccache; do cp packed-$name $name; done"
    machine.stub("apt-get", f'echo "$*" >> {machine.log}; case "$*" in *install*) {unpack} ;; esac')
    done = machine.set_up("system", "test")
    assert done.returncode == 0, done.stderr
    assert machine.installed() == ["-y --no-install-recommends iverilog ccache"]


def test_sudo_without_password_is_used(machine: Machine) -> None:
    (machine.bin / "iverilog").unlink()
    machine.user(1000)
    machine.stub("sudo", 'case "$1" in -n) shift ;; esac; exec "$@"')
    machine.set_up("system", "icarus")
    assert machine.installed() == ["-y --no-install-recommends iverilog"]


def test_installation_that_installs_nothing_is_a_failure(machine: Machine) -> None:
    (machine.bin / "iverilog").unlink()
    done = machine.set_up("system", "icarus")
    assert done.returncode != 0
    assert done.stderr == "Still missing after their installation: iverilog\n"


@pytest.mark.parametrize("lacking", ["sudo", "password", "apt-get"])
def test_who_may_not_install_is_told_one_command(machine: Machine, lacking: str) -> None:
    for name in ("perl", "g++"):
        (machine.bin / name).unlink()
    machine.user(0 if lacking == "apt-get" else 1000)
    if lacking == "apt-get":
        (machine.bin / "apt-get").unlink()
    if lacking == "password":
        machine.stub("sudo", "exit 1")
    done = machine.set_up("system", "verilator")
    assert done.returncode != 0
    assert (
        "    sudo apt-get update && sudo apt-get install -y g++ perl zlib1g-dev liblz4-dev\n"
        in done.stderr
    )
    assert machine.installed() == []


def test_python_of_debian_gets_its_missing_halves(machine: Machine) -> None:
    machine.user(1000)
    machine.stub(
        "python3",
        'case "$*" in *version_info?:2*) echo 3.12 ;; *ensurepip*|*LIBDIR*) exit 1 ;; esac',
    )
    done = machine.set_up("system", "verilator")
    assert (
        "    sudo apt-get update && sudo apt-get install -y python3.12-venv libpython3.12\n"
        in done.stderr
    )


SERVED = "Verbatim needs Python 3.11, 3.12, 3.13 or 3.14: "


def python_of(machine: Machine, version: str) -> None:
    """A python3 that says to be of this version."""
    parts = tuple(map(int, version.split(".")))
    run = f"import sys; sys.version_info = {parts}; exec(sys.argv.pop(1))"
    asked = f'-c) exec {sys.executable} -c "{run}" "$2" ;;'
    machine.stub("python3", f'case "$1" in -V) echo Python {version} ;; {asked} esac')


@pytest.mark.parametrize("action", [("system", "verilator"), ("python",)])
@pytest.mark.parametrize("version", ["2.7.18", "3.10.12", "3.15.0", "4.0.0"])
def test_unserved_python_is_refused_in_one_sentence(
    machine: Machine, action: tuple[str, ...], version: str
) -> None:
    python_of(machine, version)
    done = machine.set_up(*action)
    assert done.returncode != 0
    (sentence,) = done.stderr.splitlines()
    assert f"{SERVED}'python3' is Python {version} (PYTHON=... names another)." == sentence
    assert not (machine.project / ".venv").exists()


@pytest.mark.parametrize("version", ["3.11.0", "3.12.4", "3.13.1", "3.14.2"])
def test_served_python_is_taken(machine: Machine, version: str) -> None:
    python_of(machine, version)
    assert "Verbatim needs Python" not in machine.set_up("system", "verilator").stderr


def test_pythons_of_the_readme_are_those_that_serve() -> None:
    (served,) = re.findall(r'^pythons="(.*)"$', (ROOT / "scripts/setup.sh").read_text(), flags=re.M)
    assert f"\n* Python {served} is needed, " in (ROOT / "README.md").read_text()
    assert f"Verbatim needs Python {served}: " == SERVED
    tried = (ROOT / ".github/workflows/ci.yml").read_text()
    (matrix,) = re.findall(r"python: \[(.*)\]", tried)
    assert set(re.findall(r"[\d.]+", matrix)) <= set(re.findall(r"[\d.]+", served))


def test_lacking_python_is_refused_in_one_sentence(machine: Machine) -> None:
    (machine.bin / "python3").unlink()
    (sentence,) = machine.set_up("python").stderr.splitlines()
    assert f"{SERVED}there is no 'python3'" in sentence


# A stub of .venv: python3 -m venv writes a python that logs what it is asked.


def stub_venv(machine: Machine, pip: str = ":") -> None:
    python = machine.project / ".venv/bin/python"
    machine.stub(
        "made-python",
        f'echo "$*" >> {machine.log}; '
        f'case "$*" in *find_libpython*) echo /lib ;; *install*) {pip} ;; esac',
    )
    machine.stub(
        "python3",
        f'case "$*" in "-m venv"*) echo "$*" >> {machine.log}; rm -rf .venv; mkdir -p .venv/bin; '
        f"cp {machine.bin}/made-python {python} ;; esac",
    )


def venvs_made(machine: Machine) -> int:
    return machine.log.read_text().count("-m venv --clear .venv")


def test_working_venv_is_kept(machine: Machine) -> None:
    stub_venv(machine)
    for _ in range(2):
        assert machine.set_up("python").returncode == 0
    assert venvs_made(machine) == 1
    assert not (machine.project / ".venv/unfinished").exists()


def test_venv_whose_set_up_was_cut_short_is_made_anew(machine: Machine) -> None:
    stub_venv(machine, pip="exit 1")
    assert machine.set_up("python").returncode != 0
    stub_venv(machine)
    assert machine.set_up("python").returncode == 0
    assert venvs_made(machine) == 2


def test_venv_without_pip_is_made_anew(machine: Machine) -> None:
    stub_venv(machine)
    python = machine.project / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!{shutil.which('bash')}\nexit 1\n")
    python.chmod(0o755)
    assert machine.set_up("python").returncode == 0
    assert venvs_made(machine) == 1
