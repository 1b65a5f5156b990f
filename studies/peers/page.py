"""The page that puts other generators beside the core: four tables, and what is to be known."""

from collections.abc import Mapping, Sequence
from typing import Any

from common.markdown import table_of_numbers
from model import folding
from model.folding import Goal
from model.spec import NetworkSpec
from studies.peers.generate import MEASURED_SECONDS, ROUNDS
from syn.targets import KINDS
from tb.sim.native import SHARED_FROM

Facts = dict[str, Any]
# What only a clock tells of a design: None where it was not placed.
CLOCKED = ("MHz", "latency in ns", "results per second")
# Speed of a simulation, or of an emulator.
PACE = "simulated samples per second"
# Times as many of them as alkaid's that ours is to give at least.
ALKAID_TARGET = 1.5


def multipliers(spec: NetworkSpec) -> int:
    """Of the layers together."""
    return sum(layer.multipliers for layer in spec.layers)


def number(value: float | None) -> str:
    """Thousands apart, nothing for None, no fraction where there is none.

    >>> [number(value) for value in (None, 30.0, 2186.9, 1_500_000)]
    ['', '30', '2,186.9', '1,500,000']
    """
    if value is None:
        return ""
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def hardware(rows: Sequence[Facts]) -> str:
    """Resources and speed of each design that is for a device."""
    rows = [row for row in rows if set(KINDS) <= row.keys()]
    keys = ["multipliers", *KINDS, "MHz", "interval", "cycles", *CLOCKED[1:]]
    shown = {
        "interval": "cycles per result",
        "cycles": "latency in cycles",
        "results per second": "results/s",
    }
    columns = ["design", *(shown.get(key, key) for key in keys)]
    return table_of_numbers(
        columns, [[row["name"], *(cell(row, key) for key in keys)] for row in rows]
    )


def cell(row: Facts, key: str) -> str:
    """A number of a design; of a clock also whether it is only expected.

    >>> [cell({"MHz": 100.0, "routed": routed}, "MHz") for routed in (True, False)]
    ['100', '100 expected']
    >>> cell({"MHz": None, "routed": False}, "MHz")
    ''
    """
    expected = key == "MHz" and row[key] is not None and not row["routed"]
    return number(row[key]) + " expected" * expected


def results(rows: Sequence[Facts]) -> str:
    """Results of each design, and the effort of working with it."""
    samples, given = rows[0]["samples"], rows[0]["results"]
    columns = ["design", "softmax", f"correct, of {samples}", f"our class, of {samples}"]
    columns += [f"our results, of {given:,}", "seconds to generate", "lines of Verilog"]
    keys = ["correct", "our class", "results as ours", "generate seconds", "lines of Verilog"]
    table = [[row["name"], softmax(row), *(number(row.get(key)) for key in keys)] for row in rows]
    return table_of_numbers(columns, table)


def softmax(row: Facts) -> str:
    """Tell whether a design has one, as a cell says it."""
    return "yes" if row["softmax"] else "no"


def fastest(rows: Sequence[Facts], generator: str) -> Facts:
    """The row of a generator whose simulation gives the most samples per second."""
    return max((row for row in rows if is_of(row, generator)), key=lambda row: row[PACE])


def is_of(row: Facts, generator: str) -> bool:
    """Tell whether a generator made it.

    >>> is_of({"name": "alkaid, 13 stages"}, "alkaid")
    True
    """
    return bool(row["name"].partition(",")[0] == generator)


def paces(rows: Sequence[Facts]) -> str:
    """Samples per second of each simulation, and over those of alkaid's fastest."""
    most = fastest(rows, "alkaid")[PACE]
    table = [
        [row["name"], softmax(row), number(row[PACE]), f"{row[PACE] / most:.3g}"] for row in rows
    ]
    return table_of_numbers(["design", "softmax", "samples/s", "times alkaid's"], table)


def aim(rows: Sequence[Facts]) -> str:
    """The ratio of our fastest simulation to alkaid's, and the least that it is to be."""
    ours, theirs = (fastest(rows, generator) for generator in ("Verbatim", "alkaid"))
    ratio = ours[PACE] / theirs[PACE]
    return (
        f"Our fastest, {ours['name']}, gives {ratio:.2f} times as many samples per second as "
        f"{theirs['name']}, and ends in a softmax. The aim is {ALKAID_TARGET:g} or more: "
        f"{'reached' if ratio >= ALKAID_TARGET else 'missed'}."
    )


def matching(spec: NetworkSpec, count: int) -> dict[str, NetworkSpec]:
    """Our folds of at most as many multipliers as another has: in each layer, and in all of them.

    Of the latter there is none where there are more layers, as each has a multiplier at least.
    """
    slowest = max(
        min(fold.cycles(layer) for fold in folding.legal_folds(layer) if fold.multipliers <= count)
        for layer in spec.layers
    )
    found = {"a layer": folding.meeting(spec, Goal(target_cycles=slowest))}
    if count >= len(spec.layers):
        found["in all"] = folding.meeting(spec, Goal(max_multipliers=count))
    return found


def equal_multipliers(rows: Sequence[Facts], spec: NetworkSpec) -> str:
    """Cycles of every folded peer, over ours at as many multipliers."""
    costs = ["multipliers", "cycles per result", "latency in cycles"]
    table = []
    for row in rows:
        if "batch" in row:
            count, interval, latency = row["multipliers"], row["interval"], row["cycles"]
            for how, ours in matching(spec, count).items():
                peer = [row["name"], *map(number, (count, interval, latency))]
                own = map(number, (multipliers(ours), ours.interval, ours.latency))
                ratios = (interval / ours.interval, latency / ours.latency)
                fewer = [f"{ratio:.1f}" for ratio in ratios]
                table.append([*peer, f"at most {count} {how}", *own, *fewer])
    ratios_of = ["times fewer per result", "times less latency"]
    return table_of_numbers(["design", *costs, "ours", *costs, *ratios_of], table)


def page(rows: Sequence[Facts], spec: NetworkSpec, date: str, tools: Mapping[str, str]) -> str:
    """The whole of docs/results/peers.md."""
    versions = dict.fromkeys(f"{row['name'].partition(',')[0]} {row['version']}" for row in rows)
    used = ", ".join(f"{name} {version}" for name, version in tools.items())
    batches = sorted({row["batch"] for row in rows if "batch" in row})
    parts = [
        "# Other generators",
        f"Written by `make study-peers` on {date}, with {used}. Nothing here was typed.",
        f"{', '.join(versions)}: the same integers of the golden IrisNet, an ECP5 85k, one seed of "
        "placement, the same commands of Yosys and nextpnr. Multipliers are those of the layers. "
        "LUTs and FFs are those of the placed design where there is one. MHz and the last two "
        "columns come from nextpnr's clock, between registers, and stay empty where nothing was "
        "placed: of designs that differ by the batch, one is enough. Those of a result a cycle are "
        "placed and not routed, which takes nextpnr hours: theirs is the clock that it expects "
        "before.",
        hardware(rows),
        "Latency counts from the edge that takes a sample to the edge that hands its result over. "
        "alkaid's pipelines have no valid and no ready, and take a sample in each cycle. NNgen's "
        "accelerators fetch weights, inputs and intermediate results through an AXI master from a "
        "memory, which is not in the table; in the simulation it answers in the next cycle with a "
        "word a cycle and never lets them wait, so that a real one only takes longer. Their cycles "
        f"count from start to interrupt, of {' or '.join(map(str, batches))} samples at once. Our "
        "cores hold their weights and have a softmax, which none of the peers has.",
        results(rows),
        "All were run on the dataset and on random codes. Verilog was simulated by Verilator, "
        "compiled with the same options. hls4ml writes C++ for the tools of vendors, which are not "
        "here: it stands here by its emulators, which are that C++ compiled, on `ap_fixed` for "
        "Vitis and on `ac_fixed` for Quartus. alkaid and hls4ml must give the reference's logits, "
        "and ours its classes and probabilities, value for value. NNgen rounds half away from "
        "zero, so it must give what its own evaluation gives; how often that is our logits, the "
        "table says. A class is the largest logit's. To generate is to go from integers to "
        "Verilog, to C++ for hls4ml, for ours to the images of its ROMs: its Verilog is written by "
        "hand, and the same for every network.",
        "## Simulated samples per second",
        f"Each speed is the median of {ROUNDS} rounds of {MEASURED_SECONDS:g} second or more, for "
        "which the designs took turns. A harness in C++ sends the samples, or calls hls4ml's own "
        "bridge, so that no Python is between two of them; hls4ml's C++ is compiled at `-O3`, as "
        "its own script does, by the compiler of the others. Verbatim, native is the core of "
        'shared sums in words of the machine that simulates it: what `backend="native"` runs '
        f"from {SHARED_FROM:,} samples on, and for no device.",
        paces(rows),
        aim(rows),
        "## At equal multipliers",
        "NNgen's layers take turns at one set of multipliers, each of ours has its own. So our "
        "core is listed twice: with at most as many a layer, and with at most as many in all, "
        "where that leaves one for each layer. Its cycles are those of its specification. A batch "
        "hands all of its results over at its end.",
        equal_multipliers(rows, spec),
    ]
    return "\n\n".join(parts) + "\n"
