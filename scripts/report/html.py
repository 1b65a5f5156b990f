"""Write one HTML file that shows a network to those who look rather than read."""

import argparse
import base64
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from common import cli, errors, files
from common.paths import INSTALLED, ROOT, typed
from common.sources import rtl_digest
from model import artifact, reference
from model.artifact import Network
from model.histograms import Range, ranges
from model.images import identity
from model.spec import NetworkSpec
from model.stages.softmax import SoftmaxSpec
from scripts import profile
from scripts.expected import FILE, read_expected
from scripts.report import pictures, pipeline
from scripts.report.facts import Facts
from tb.benches.probes import data_path
from tb.debug.beat_log import Diary
from tb.debug.timing_diagram import View, wavejson
from tb.debug.timing_svg import svg
from tb.debug.waveform import Waveform
from tb.sim.simulators import SIMULATORS

TEMPLATE = Path(__file__).with_name("page.html")
DPI = 110


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart: its name, its number, and its share of the largest."""

    name: str
    value: float
    share: float
    note: str = ""


def bars(rows: Sequence[tuple[str, float, str]]) -> list[Bar]:
    """Rows ``(name, number, note)`` beside each other."""
    largest = max((value for _, value, _ in rows), default=0) or 1
    return [Bar(name, value, value / largest, note) for name, value, note in rows]


def drawn(figure: Figure) -> str:
    """A figure of matplotlib as the address of an image inside of the page."""
    stream = BytesIO()
    figure.savefig(stream, dpi=DPI, format="png")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def cycles(facts: Facts) -> list[Bar]:
    """Cycles that each part of the pipeline takes for a sample."""
    return bars([(part["name"], part["cycles"], part["fold"]) for part in facts["cycles"]["parts"]])


def confusion(facts: Facts, names: Sequence[str]) -> dict[str, Any]:
    """Counts by true and predicted class over all samples, and the share of each in its row."""
    train, test = (facts["confusion"][part] for part in ("train", "test"))
    counts = [
        [a + b for a, b in zip(left, right, strict=True)]
        for left, right in zip(train, test, strict=True)
    ]
    shares = [[count / (sum(row) or 1) for count in row] for row in counts]
    return {"names": names, "rows": list(zip(names, counts, shares, strict=True))}


def traced_ranges(folder: Path, network: Network) -> list[Range]:
    """Ranges of each tensor over all samples, within their formats."""
    features = read_expected(folder / FILE)["features"]
    return list(ranges(network, reference.trace(network, reference.encode(network, features))))


def areas(folder: Path, network: Network) -> Iterator[dict[str, Any]]:
    """Results of `make synth` for each device, of this network and the RTL of this checkout."""
    for path in sorted(folder.glob("synth-*.json")):
        found = json.loads(path.read_text())
        if (found.get("rtl"), found.get("network_sha256")) != (rtl_digest(), identity(network)):
            continue
        modules = sorted(found["modules"].items(), key=lambda item: -item[1]["LUT"])
        yield {
            "name": " ".join(filter(None, (found["target"], found["device"]))),
            "fold": ", ".join(f"{n} {simd} x {pe}" for n, (simd, pe) in found["fold"].items()),
            "found": found,
            "luts": bars([(name, cells["LUT"], "") for name, cells in modules if cells["LUT"]]),
        }


def waves(folder: Path, network: Network, simulator: str) -> Markup | None:
    """The cycles round the first result, as the RTL's own waveform has them."""
    path = folder / f"waves-{simulator}.fst"
    if not path.exists():
        return None
    waveform = Waveform(path)
    first = next(
        time for time, value in waveform.changes(f"{waveform.top}.m_axis_tvalid") if value == 1
    )
    streams = data_path(network.spec)[-3:]
    title = "the first result leaves: the last streams of the softmax, and the output"
    return Markup(svg(wavejson(View(waveform, Diary(), first), streams, title)))


def estimate(spec: NetworkSpec) -> list[tuple[str, int]]:
    """Estimated area, from the spec alone."""
    found = spec.area
    return [
        ("multipliers", found.multipliers),
        ("LUT4", found.luts),
        ("flip-flops", found.flip_flops),
        ("bits of ROM", found.rom_bits),
    ]


def accuracy(folder: Path, facts: Facts) -> Facts | None:
    """Results of `make accuracy`, where they are of this recipe and these samples."""
    path = folder / "accuracy.json"
    found: Facts = json.loads(path.read_text()) if path.exists() else {}
    keys = ("recipe_sha256", "dataset_sha256")
    same = all(found.get(key) == facts["provenance"].get(key) for key in keys)
    return found if found and same else None


def other_pages(folder: Path) -> dict[str, str]:
    """Pages of the project that speak of other networks too, as addresses from ``folder``."""
    names = {
        "verification": "verification.md",
        "sweep": "results/sweep.md",
        "silicon": "results/silicon.md",
    }
    if INSTALLED:  # the package has no pages
        return {}
    from_here = folder.resolve()
    return {
        key: quote(os.path.relpath(ROOT / "docs" / name, from_here)) for key, name in names.items()
    }


def both_widths(draw: Callable[[int], Figure]) -> dict[str, str]:
    """A picture for a wide screen and, a plot below the other, for a narrow one."""
    return {"wide": drawn(draw(pictures.WIDE)), "narrow": drawn(draw(pictures.NARROW))}


def content(folder: Path, simulator: str) -> dict[str, Any]:
    """All that the page shows. Raises `CommandError` where `make sim` has left no result."""
    path = folder / "report.json"
    if not path.exists():
        raise errors.CommandError(f"{path} is missing, run {typed('sim')} first")
    facts = json.loads(path.read_text())
    if facts["complaint"]:
        raise errors.CommandError(f"{path}: is not a result: {facts['complaint']}")
    network = artifact.load(folder / "network.json")
    if facts.get("network_sha256") != identity(network):
        raise errors.CommandError(
            f"{path}: is of another network than network.json, run {typed('sim')}"
        )
    found = traced_ranges(folder, network)
    output = network.spec.output
    softmax = pictures.softmax_errors(output) if isinstance(output, SoftmaxSpec) else None
    return {
        "facts": facts,
        "date": datetime.now(UTC).date().isoformat(),
        "pipeline": Markup(pipeline.svg(network.spec)),
        "cycles": cycles(facts),
        "confusion": facts["confusion"] and confusion(facts, pictures.class_names(network)),
        "profile": both_widths(lambda n: profile.picture(network.spec.name, found, n)),
        "softmax": softmax and both_widths(lambda n: pictures.softmax(softmax, n)),
        "accuracy": accuracy(folder, facts),
        "areas": list(areas(folder, network)),
        "estimate": estimate(network.spec),
        "waves": waves(folder, network, simulator),
        "pages": other_pages(folder),
        "commands": {
            "accuracy": None if INSTALLED else typed("accuracy"),
            "synth": typed("synth"),
            "waves": typed("sim") if INSTALLED else f"{typed('sim')} WAVES=1",
        },
    }


def html(found: dict[str, Any]) -> str:
    """The page, which needs no other file."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(TEMPLATE.read_text()).render(found, zipped=zip)


def run(arguments: argparse.Namespace) -> None:
    """Write ``report.html`` into the build folder."""
    path = arguments.build / "report.html"
    files.write_atomically(path, html(content(arguments.build, arguments.sim)))
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, opens in any browser")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.report", description=__doc__)
    cli.add_build(built)
    cli.add_sim(built, SIMULATORS)
    return built
