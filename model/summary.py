"""A network's shape and cost as a table that a person reads."""

from model.format import Format
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
    rom = {name: words * bits for name, (words, bits) in image_shapes(spec).items()}
    rows: list[tuple[object, ...]] = [COLUMNS]
    for index, layer in enumerate(spec.layers):
        bits = sum(rom.pop(f"linear{index:02d}_{kind}.mem") for kind in ("weights", "biases"))
        rows.append(
            (
                f"{layer.name}, ReLU" if layer.relu else layer.name,
                *(layer.n_in, layer.n_out),
                *(_format(layer.x), _format(layer.w), _format(layer.y), layer.acc_w),
                f"{layer.simd} x {layer.pe}",
                *(layer.multipliers, bits, layer.cycles, layer.latency),
            )
        )
    end = spec.softmax
    rows.append(
        (
            f"softmax {end.score}, {end.divider}",
            *(end.n, end.n, _format(end.x), "", "8/255", end.total_w, f"1 x {end.lanes}", ""),
            *(sum(rom.values()), end.beats, end.latency),
        )
    )
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(map(_cell, row, widths, range(len(row)))).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    multipliers = sum(layer.multipliers for layer in spec.layers)
    total = sum(words * bits for words, bits in image_shapes(spec).values())
    return "\n".join(
        [
            f"{spec.name}: {spec.n_in} features, {spec.n_out} classes",
            *lines,
            f"{multipliers} multipliers, {total:,} bits of ROM; a result every {spec.interval} "
            f"cycles, {spec.latency} cycles after its last feature",
        ]
    )


def _format(fmt: Format) -> str:
    return f"{fmt.width}/{fmt.frac}"


def _cell(value: object, width: int, column: int) -> str:
    """Words stand left, numbers right."""
    return str(value).ljust(width) if column == 0 else str(value).rjust(width)
