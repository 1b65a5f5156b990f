"""The way of a network, a step after the other: train, export, simulate.

A step is done again only where what it read, what it left, its code or its settings are no longer
as a file in the build folder says: the rule by which make has the same files, by content.
"""

import json
import os
from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import files, results, sources
from common.errors import CommandError
from model import artifact
from scripts.claim import claim
from verbatim.needs import needing
from verbatim.places import Place

RECORD = "steps.json"
# Sources of each step.
_NETWORK = ("common/**/*.py", "model/**/*.py")
_HARDWARE = ("rtl/*.[vf]", "syn/**/*.py", "tb/**/*.py", "tb/**/*.cpp")


@dataclass(frozen=True)
class Step:
    """A step in the folder ``build``; ``rests_on`` is its code and settings, as JSON values."""

    build: Path
    name: str
    rests_on: Any

    def is_done(self) -> bool:
        """Tell if all files are as they were when it was done."""
        kept = self._records().get(self.name, {})
        known = {**kept.get("read", {}), **kept.get("left", {})}
        return kept.get("rests_on") == self.rests_on and all(
            (self.build / name).is_file() and results.sha256(self.build / name) == sha256
            for name, sha256 in known.items()
        )

    def do(
        self, read: Iterable[Path], run: Callable[[], None], left: Callable[[], Iterable[Path]]
    ) -> None:
        """Run it, and keep what it read as it was before, and what it left."""
        before = self._digests(read)
        run()
        kept = {"rests_on": self.rests_on, "read": before, "left": self._digests(left())}
        records = {**self._records(), self.name: kept}
        files.write_atomically(self.build / RECORD, json.dumps(records, indent=1) + "\n")

    def _digests(self, paths: Iterable[Path]) -> dict[str, str]:
        return {
            os.path.relpath(path.resolve(), self.build.resolve()): results.sha256(path)
            for path in paths
        }

    def _records(self) -> dict[str, Any]:
        try:
            records = json.loads((self.build / RECORD).read_text())
        except (OSError, ValueError):
            return {}
        return records if isinstance(records, dict) else {}


def network(place: Place, *, allow_changed_winners: int = 0) -> None:
    """Have the network's file in the folder of a place: trained and exported, or copied.

    Raises what the steps raise, `ArtifactError` where a file is no network, and `CommandError`
    where the folder is another one's.
    """
    build = place.build
    if place.source == place.network:
        return
    if not place.is_recipe:
        artifact.load(place.source)
    claim(build, place.source)
    if not place.is_recipe:
        text = place.source.read_text()
        if not place.network.exists() or place.network.read_text() != text:
            files.write_atomically(place.network, text)
        return
    code = sources.digest(sources.matching(*_NETWORK, "scripts/train.py"))
    with needing("train"):
        versions = results.versions("numpy", "scikit-learn", "torch")
    _train(Step(build, "train", {"code": code, "versions": versions}), place)
    code = sources.digest(sources.matching(*_NETWORK, "scripts/export.py"))
    settings = {"allow_changed_winners": allow_changed_winners, "versions": versions}
    _export(Step(build, "export", {"code": code, **settings}), place, allow_changed_winners)


def _train(step: Step, place: Place) -> None:
    if step.is_done():
        return
    with needing("train"):
        from model import recipe
        from model.frontends import load
        from model.qat import checkpoint
        from scripts import train
    read = [place.source, *load.sources(recipe.load(place.source))]
    arguments = Namespace(network=place.source, build=place.build)
    step.do(read, lambda: train.run(arguments), lambda: [place.build / checkpoint.FILE])


def _export(step: Step, place: Place, allow_changed_winners: int) -> None:
    if step.is_done():
        return
    with needing("train"):
        from model.qat import checkpoint
        from scripts import expected, export
    build = place.build
    arguments = Namespace(
        network=place.source, build=build, allow_changed_winners=allow_changed_winners
    )
    step.do(
        [build / checkpoint.FILE],
        lambda: export.run(arguments),
        lambda: [place.network, build / expected.FILE, *_images(build)],
    )


def simulated(place: Place, simulator: str, *, waves: bool) -> None:
    """Have what the network's RTL computes for every sample of its recipe, as `network` has it."""
    if not place.is_recipe:
        raise CommandError(
            f"{place.source}: must be a recipe, since its samples are simulated; its network alone "
            "can be asked by predict, with --backend verilator"
        )
    network(place)
    with needing("sim"):
        from scripts import expected, sim

        versions = results.versions("cocotb", "verilator")
    build = place.build
    code = sources.digest(sources.matching(*_NETWORK, *_HARDWARE, "scripts/sim.py"))
    step = Step(build, f"sim-{simulator}", {"code": code, "waves": waves, "versions": versions})
    if step.is_done():
        return
    arguments = Namespace(build=build, sim=simulator, waves=waves)
    left = [build / f"rtl-{simulator}.json", *([build / f"waves-{simulator}.fst"] * waves)]
    read = [place.network, build / expected.FILE, *_images(build)]
    step.do(read, lambda: sim.run(arguments), lambda: left)


def _images(build: Path) -> list[Path]:
    return sorted((build / "mem").iterdir())
