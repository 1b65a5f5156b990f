"""A network's shape and cost as a table that a person reads."""

from model.images import image_shapes
from model.spec import NetworkSpec

COLUMNS = (
    *("part", "in", "out", "input", "weights", "output", "acc", "SIMD x PE"),
    *("multipliers", "ROM bits", "cycles", "latency"),
)


def summary(spec: NetworkSpec) -> str:
    """One line a layer and one for the softmax, then totals.

    A format is ``width/frac``; cycles are per sample, back to back; latency is in cycles.
    """
    rows: list[tuple[object, ...]] = [COLUMNS]
    for index, stage in enumerate(spec.stages):
        bits = sum(words * width for words, width in stage.image_shapes(index).values())
        rows.append(
            (
                *(stage.title, stage.n_in, stage.n_out, *stage.formats, stage.fold),
                *(stage.multipliers or "", bits, stage.cycles, stage.latency),
            )
        )
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(map(_cell, row, widths, range(len(row)))).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    multipliers = sum(stage.multipliers for stage in spec.stages)
    total = sum(words * bits for words, bits in image_shapes(spec).values())
    return "\n".join(
        [
            f"{spec.name}: {spec.n_in} features, {spec.n_out} classes",
            *lines,
            f"{multipliers} multipliers, {total:,} bits of ROM; a result every {spec.interval} "
            f"cycles, {spec.latency} cycles after its last feature",
        ]
    )


def _cell(value: object, width: int, column: int) -> str:
    """Words stand left, numbers right."""
    return str(value).ljust(width) if column == 0 else str(value).rjust(width)
