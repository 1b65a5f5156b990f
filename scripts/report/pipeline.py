"""Draw a network's pipeline as an SVG: its layers, their folds, and the streams between them."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from common import cli
from common.files import write_atomically
from common.paths import GOLDEN_IRIS
from model import artifact
from model.format import Format
from model.spec import NetworkSpec

# Pixels. The picture is as wide as its boxes need.
BOX_W, BOX_H, GAP, MARGIN, TOP = 148, 132, 78, 18, 24
HEIGHT = TOP + BOX_H + 62

STYLE = """
    text { font-family: "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif; }
    .card { fill: #ffffff; stroke: #d0d7de; }
    .box { fill: #ddf4ff; stroke: #0969da; }
    .end { fill: #dafbe1; stroke: #1a7f37; }
    .name { font-size: 17px; font-weight: 600; fill: #1f2328; }
    .size { font-size: 14px; fill: #1f2328; }
    .line { font-size: 13px; fill: #424a53; }
    .note { font-size: 13px; fill: #57606a; }
    .arrow { stroke: #57606a; stroke-width: 1.6; fill: none; }
    .tip { fill: #57606a; }"""
DARK = """
    .card { fill: #0d1117; stroke: #30363d; }
    .box { fill: #0c2d6b; stroke: #58a6ff; }
    .end { fill: #0f3d1e; stroke: #3fb950; }
    .name { fill: #f0f6fc; }
    .size { fill: #f0f6fc; }
    .line { fill: #d0d7de; }
    .note { fill: #9198a1; }
    .arrow { stroke: #9198a1; }
    .tip { fill: #9198a1; }"""

# What leaves each kind of output, and the line below its arrow where that is not a format.
RESULTS = {
    "softmax": ("probabilities", "of 1/255"),
    "sigmoid": ("probabilities", "of 1/255"),
    "logits": ("values", ""),
    "argmax": ("class", "class"),
}


@dataclass(frozen=True)
class Box:
    """One box, and what is written on the arrow that leaves it."""

    name: str
    lines: tuple[str, ...]
    kind: str
    stream: tuple[str, str]


def stream(count: int, width: int, frac: str) -> tuple[str, str]:
    """The two lines on an arrow: values of a vector, and the format of each."""
    return f"{count} x {width} bit", frac


def _format(fmt: Format) -> str:
    return f"frac {fmt.frac}"


def stages(spec: NetworkSpec) -> list[Box]:
    """A box for each stage; the last one stands out."""
    return [
        Box(
            name=stage.title if stage is not spec.output else stage.name,
            lines=(
                f"{stage.n_in} to {stage.n_out}",
                stage.detail,
                stage.fold,
                f"{stage.cycles} cycles",
            ),
            kind="end" if stage is spec.output else "box",
            stream=stream(
                stage.n_out,
                stage.out_width,
                _format(stage.y) if stage.y else RESULTS[spec.output.kind][1],
            ),
        )
        for stage in spec.stages
    ]


def svg(spec: NetworkSpec) -> str:
    """The picture."""
    boxes = stages(spec)
    width = 2 * MARGIN + len(boxes) * BOX_W + (len(boxes) + 1) * GAP
    words = " to ".join(str(n) for n in (spec.n_in, *(layer.n_out for layer in spec.layers)))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'width="{width}" height="{HEIGHT}" role="img">',
        f"<title>{escape(spec.name)}: a pipeline of {len(spec.layers)} layers, {words}, "
        f"and its output, {spec.output.kind}</title>",
        f"<style>{STYLE}\n    @media (prefers-color-scheme: dark) {{{DARK}\n    }}\n</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{width - 1}" height="{HEIGHT - 1}" rx="10"/>',
        *_arrow(MARGIN, stream(spec.n_in, spec.x.width, _format(spec.x))),
    ]
    for index, stage in enumerate(boxes):
        x = MARGIN + GAP + index * (BOX_W + GAP)
        parts += [*_box(x, stage), *_arrow(x + BOX_W, stage.stream)]
    parts += [
        _text(
            width / 2,
            HEIGHT - 24,
            f"A sample every {spec.interval} cycles, its {RESULTS[spec.output.kind][0]} "
            f"{spec.latency} cycles after it; valid and ready on every arrow, "
            "AXI4-Stream at both ends",
            "note",
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(x: int, stage: Box) -> list[str]:
    middle = x + BOX_W / 2
    first, *rest = stage.lines
    return [
        f'<rect class="{stage.kind}" x="{x}" y="{TOP}" width="{BOX_W}" height="{BOX_H}" rx="8"/>',
        _text(middle, TOP + 29, stage.name, "name"),
        _text(middle, TOP + 53, first, "size"),
        *(_text(middle, TOP + 78 + 20 * k, line, "line") for k, line in enumerate(rest)),
    ]


def _arrow(x: int, lines: tuple[str, str]) -> list[str]:
    y, middle, tip = TOP + BOX_H / 2, x + GAP / 2, x + GAP - 4
    return [
        f'<path class="arrow" d="M{x + 4} {y} H{tip - 6}"/>',
        f'<path class="tip" d="M{tip} {y} l-9 -5 v10 z"/>',
        _text(middle, y - 10, lines[0], "note"),
        _text(middle, y + 21, lines[1], "note"),
    ]


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="middle">{escape(words)}</text>'


def run(arguments: argparse.Namespace) -> None:
    """Write the picture."""
    network = artifact.load(arguments.artifact)
    write_atomically(arguments.svg, svg(network.spec))
    print(f"{arguments.svg}: the pipeline of {network.spec.name}")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m scripts.report.pipeline", description=__doc__)
    built.add_argument(
        "--artifact",
        type=Path,
        default=GOLDEN_IRIS,
        help="the network (default: %(default)s)",
    )
    built.add_argument(
        "--svg",
        type=Path,
        default=Path("docs/pipeline.svg"),
        help="the picture (default: %(default)s)",
    )
    return built


if __name__ == "__main__":
    cli.main(run, parser())
