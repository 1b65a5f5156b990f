"""The page that puts other generators beside the core: three tables, and what is to be known."""

from collections.abc import Mapping, Sequence
from typing import Any

from common.markdown import table_of_numbers
from model import folding
from model.folding import Goal
from model.spec import NetworkSpec
from syn.targets import KINDS

Facts = dict[str, Any]
# What only a clock tells of a design: None where it was not placed.
CLOCKED = ("MHz", "latency in ns", "results per second")


def multipliers(spec: NetworkSpec) -> int:
    """Of the layers together; a layer of sums has none."""
    return sum(layer.multipliers for layer in spec.layers if not layer.plan)


def number(value: float | None) -> str:
    """Thousands apart, nothing for None, no fraction where there is none.

    >>> [number(value) for value in (None, 30.0, 2186.9, 1_500_000)]
    ['', '30', '2,186.9', '1,500,000']
    """
    if value is None:
        return ""
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def hardware(rows: Sequence[Facts]) -> str:
    """Resources and speed of each design."""
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
    keys.append("simulated samples per second")
    table = [
        [row["name"], "yes" if row["softmax"] else "no", *(number(row[key]) for key in keys)]
        for row in rows
    ]
    return table_of_numbers([*columns, "simulated samples/s"], table)


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
        "Every design was simulated by Verilator, compiled with the same options, on the dataset "
        "and on random codes. alkaid must give the reference's logits, and ours its classes and "
        "probabilities, value for value. NNgen rounds half away from zero, so it must give what "
        "its own evaluation gives; how often that is our logits, the table says. A class is the "
        "largest logit's. To generate is to go from integers to Verilog, for ours to the images "
        "of its ROMs: its Verilog is written by hand, and the same for every network.",
        "## At equal multipliers",
        "NNgen's layers take turns at one set of multipliers, each of ours has its own. So our "
        "core is listed twice: with at most as many a layer, and with at most as many in all, "
        "where that leaves one for each layer. Its cycles are those of its specification. A batch "
        "hands all of its results over at its end.",
        equal_multipliers(rows, spec),
    ]
    return "\n\n".join(parts) + "\n"
