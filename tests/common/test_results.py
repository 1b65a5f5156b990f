"""The store believes what was made whole, of the same ingredients, and nothing else."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from common import results
from common.paths import ROOT

OF = {"sources": {"a.v": "1"}, "arguments": ["-O2"], "tools": {"yosys": "0.70"}}


def maker(text: str, calls: list[str]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        assert not list(folder.iterdir())
        calls.append(text)
        (folder / "product").write_text(text)

    return make


def test_what_was_made_is_found_again_with_its_ingredients(tmp_path: Path) -> None:
    calls: list[str] = []
    first = results.folder(tmp_path, "top", OF, maker("one", calls))
    again = results.folder(tmp_path, "top", OF, maker("two", calls))
    assert first == again and calls == ["one"]
    assert (first / "product").read_text() == "one"
    assert json.loads((first / results.RECORD).read_text()) == {"rests_on": OF}


@pytest.mark.parametrize(
    "changed",
    [
        {"sources": {"a.v": "2"}},
        {"sources": {"b.v": "1"}},
        {"arguments": ["-O3"]},
        {"tools": {"yosys": "0.71"}},
    ],
)
def test_another_ingredient_is_another_entry(tmp_path: Path, changed: dict[str, object]) -> None:
    calls: list[str] = []
    first = results.folder(tmp_path, "top", OF, maker("one", calls))
    other = results.folder(tmp_path, "top", OF | changed, maker("two", calls))
    assert first != other and calls == ["one", "two"]
    results.keep(tmp_path, "value", OF, 1)
    assert results.kept(tmp_path, "value", OF | changed) is None


def test_entry_whose_record_says_otherwise_is_made_again(tmp_path: Path) -> None:
    calls: list[str] = []
    entry = results.folder(tmp_path, "top", OF, maker("one", calls))
    for record in ("", "{}", json.dumps({"rests_on": OF | {"arguments": []}})):
        (entry / results.RECORD).write_text(record)
        assert results.folder(tmp_path, "top", OF, maker("again", calls)) == entry
        assert (entry / "product").read_text() == "again"
    assert calls == ["one", "again", "again", "again"]


def test_maker_that_fails_leaves_no_entry_and_its_log(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "build.log").write_text("no such module")
        raise ValueError("no such module")

    with pytest.raises(ValueError, match="no such module"):
        results.folder(tmp_path, "top", OF, fail)
    assert not list(tmp_path.glob("top-*"))
    (log,) = tmp_path.glob("**/build.log")
    assert log.read_text() == "no such module"
    calls: list[str] = []
    results.folder(tmp_path, "top", OF, maker("one", calls))
    assert calls == ["one"]


# Leaves half a product, and says so; then it is killed.
HALF = """
import sys, time
from pathlib import Path
from common import results

def make(folder):
    (folder / "product").write_text("half")
    print("half", flush=True)
    time.sleep(60)

results.folder(Path(sys.argv[1]), "top", {"sources": {"a.v": "1"}}, make)
"""


def test_nothing_of_a_killed_maker_is_believed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HALF, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    assert list(tmp_path.rglob("product"))
    calls: list[str] = []
    of = {"sources": {"a.v": "1"}}
    entry = results.folder(tmp_path, "top", of, maker("whole", calls))
    assert calls == ["whole"] and (entry / "product").read_text() == "whole"
    assert [path.parent for path in tmp_path.rglob("product")] == [entry]


def test_two_makers_of_one_entry_make_it_once(tmp_path: Path) -> None:
    calls: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        entries = {
            pool.submit(results.folder, tmp_path, "top", OF, maker(str(n), calls)) for n in range(4)
        }
        assert len({entry.result() for entry in entries}) == 1
    assert len(calls) == 1


def test_value_is_made_once_and_half_a_file_is_none(tmp_path: Path) -> None:
    given = iter([{"MHz": 71.5}, {"MHz": 72.5}])
    for _ in range(2):
        assert results.value(tmp_path, "seed-1", OF, lambda: next(given)) == {"MHz": 71.5}
    (path,) = tmp_path.glob("seed-1-*.json")
    path.write_text(path.read_text()[:40])
    assert results.value(tmp_path, "seed-1", OF, lambda: next(given)) == {"MHz": 72.5}


def test_entry_is_found_though_its_maker_changed_an_ingredient(tmp_path: Path) -> None:
    made: list[Path] = []
    for _ in range(2):
        arguments = ["-Wall"]

        def make(beside: Path, arguments: list[str] = arguments) -> None:
            arguments.append("-f")
            made.append(beside)

        results.folder(tmp_path, "build", {"arguments": arguments}, make)
    assert len(made) == 1
