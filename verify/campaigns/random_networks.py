"""Networks drawn at random, and three implementations that must agree on them to the bit.

A network is a number: the same seed and size draw the same one on every machine. Where two
implementations differ, smaller networks are drawn until a small one differs too, and that one is
left in a folder which runs again.
"""

import argparse
import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common import cli, errors, jobs
from common.errors import SimulationError
from common.jobs import Job
from common.paths import BUILD, RTL
from model import artifact, fast, loading, onnx_export, reference
from model.artifact import Network
from model.folding import divisors
from model.format import MAX_FRAC, MAX_WIDTH, MIN_WIDTH, Format, Int
from model.functions import FUNCTIONS
from model.shared import shared
from model.spec import TOP, NetworkSpec
from model.stages.softmax import DIVIDERS, MAX_LOGIT_FRAC, SCORES
from model.tables import MAX_TABLE_W
from tb.sim import native
from tb.sim.made_up import codes, made_up
from verify import record

HERE = "verify.campaigns.random_networks"
SAMPLES = 1000
MOST_CYCLES, MOST_MULTIPLIERS = 512, 24
# Weights of a layer that is unrolled, in a network whose outputs share sums.
MOST_SHARED = 256

OUTPUTS = (*4 * ("softmax",), "logits", "ranked", "argmax", "sigmoid")

# Draws of each size before the next larger one is tried.
TRIES = 4


class Disagreement(SimulationError):
    """Two implementations that differ; the message is where, and how to run it again."""


@dataclass(frozen=True)
class Size:
    """At most so many layers, and values in a layer."""

    depth: int
    width: int


SMALL, FULL = Size(3, 12), Size(6, 64)
# What a failure is shrunk to, the smallest first.
SHRUNK = (Size(1, 2), Size(1, 4), Size(2, 4), Size(2, 8), SMALL)


def draw(seed: int, size: Size) -> Network:
    """A legal network: any depth, widths, formats, folds, score and divider up to ``size``.

    A quarter of those whose weights stay share the sums of their small layers.
    """
    rng = np.random.default_rng(seed)

    def pick(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    sizes = [pick(1, size.width) for _ in range(pick(1, size.depth))] + [pick(2, size.width)]
    formats, weights = [Format(pick(MIN_WIDTH, MAX_WIDTH), pick(0, 12))], []
    for index in range(1, len(sizes)):
        x, most = formats[-1], MAX_LOGIT_FRAC if index == len(sizes) - 1 else MAX_FRAC
        w = Format(pick(MIN_WIDTH, MAX_WIDTH), pick(0, 15))
        # Around the shift at which sums just fill the output, so that some round and some saturate.
        y_width = pick(MIN_WIDTH, MAX_WIDTH)
        full = x.width + w.width - 1 + sizes[index - 1].bit_length() - y_width
        shift = pick(max(0, w.frac + x.frac - most), w.frac + x.frac)
        if rng.random() < 0.75:
            shift = int(np.clip(full - pick(0, 5), w.frac + x.frac - most, w.frac + x.frac))
        weights.append(w)
        formats.append(Format(y_width, w.frac + x.frac - max(shift, 0)))
    folds = [_fold(rng, n_in, n_out) for n_in, n_out in itertools.pairwise(sizes)]
    ends: dict[str, Any] = {
        "softmax": (SCORES[pick(0, 1)], DIVIDERS[pick(0, 1)]),
        "softmax_lanes": _divisor(rng, sizes[-1]),
        "in_lanes": _divisor(rng, sizes[0]),
        "out_lanes": _divisor(rng, sizes[-1]),
        "integers": "extreme" if rng.random() < 0.25 else "random",
    }
    # Drawn last, so that what a seed draws of the rest stays what it was.
    output = OUTPUTS[pick(0, len(OUTPUTS) - 1)]
    if output == "argmax":
        ends["out_lanes"] = 1
    activations = [
        _table(rng, weights[k].frac + formats[k].frac, formats[k + 1]) for k in range(len(weights))
    ]
    loadable = bool(rng.random() < 0.25)
    every = pick(1, 4)
    network = made_up(
        sizes,
        folds=folds,
        formats=formats,
        weight_format=weights,
        activations=activations,
        output=output,
        loadable=loadable,
        seed=seed,
        **ends,
    )
    small = [layer for layer in network.spec.layers if layer.n_in * layer.n_out <= MOST_SHARED]
    if loadable or not small or rng.random() < 0.75:
        return network
    unrolled = {layer.name: (layer.n_in, layer.n_out) for layer in small}
    return shared(network.refolded(network.spec.folded(unrolled)), every)


def _table(rng: np.random.Generator, finest: int, y: Format) -> tuple[str, Format] | None:
    """Of every third layer a function by table, in front of it a format up to frac ``finest``."""
    function = list(FUNCTIONS)[int(rng.integers(len(FUNCTIONS)))]
    width = int(rng.integers(MIN_WIDTH, MAX_TABLE_W + 1))
    wanted = rng.random() < 1 / 3
    return (function, Format(width, min(y.frac, width, finest))) if wanted else None


def _divisor(rng: np.random.Generator, whole: int) -> int:
    return int(rng.choice(divisors(whole)))


def _fold(rng: np.random.Generator, n_in: int, n_out: int) -> tuple[int, int]:
    """Any fold that simulates and compiles in reasonable time, or the one that comes closest."""
    folds = [
        (simd, pe)
        for simd in divisors(n_in)
        for pe in divisors(n_out)
        if n_in * n_out <= MOST_CYCLES * simd * pe
    ]
    cheap = [fold for fold in folds if fold[0] * fold[1] <= MOST_MULTIPLIERS]
    cheap = cheap or [min(folds, key=lambda fold: fold[0] * fold[1])]
    return cheap[int(rng.integers(len(cheap)))]


Tensors = dict[str, Int]
Implementation = Callable[[Network, Int], Tensors]


def _tensors(network: Network, classes: Int, results: Int) -> Tensors:
    """Values that leave a core, by the names of a trace; without classes the class is 0."""
    output = network.spec.output
    found = {output.key: results if output.n_out == output.n_in else results[:, 0]}
    if output.classes:
        found[f"{output.name}.class"] = classes
    elif classes.any():
        raise Disagreement(f"{output.name}: tuser must be 0, got {classes.max()}")
    return found


def through_fast_path(network: Network, x: Int) -> Tensors:
    """Results of codes by the reference's fast path."""
    return _tensors(network, *fast.predict_codes(network, x))


def through_rtl(network: Network, x: Int, *, rtl: Path = RTL) -> Tensors:
    """Results of codes by the RTL at the network's own fold.

    A loadable core begins with other weights, and takes the network's before the first sample.
    """
    core, frame = network, b""
    if network.spec.loadable:
        core = dataclasses.replace(
            network,
            weights={key: rows[::-1].copy() for key, rows in network.weights.items()},
            biases={key: 0 * row for key, row in network.biases.items()},
        )
        frame = loading.frame(core.spec, network)
    found = native.stream(core, x, rtl=rtl, optimize=False, frame=frame)
    return _tensors(network, found.classes.astype(np.int64), found.results.astype(np.int64))


IMPLEMENTATIONS: dict[str, Implementation] = {
    "fast path": through_fast_path,
    "onnxruntime": onnx_export.trace_codes,
    "native RTL": through_rtl,
}


def values_of(spec: NetworkSpec) -> int:
    """Values that `compare` compares for each sample: results of all, every tensor of ONNX's."""
    tensors = len(onnx_export.trace_names(spec))
    each = [3 if layer.relu or layer.activation else 2 for layer in spec.layers]
    layers = sum(n * layer.n_out for n, layer in zip(each, spec.layers, strict=True))
    output, has_class = spec.output, bool(spec.output.classes)
    # The input, the layers' tensors; of a softmax three of n_out values, its total and the class.
    ends, values = {
        "softmax": (5, 3 * spec.n_out + 2),
        "argmax": (1, 1),
    }.get(output.kind, (1 + has_class, spec.n_out + has_class))
    assert tensors == 1 + sum(each) + ends
    # An argmax is its class: one tensor, not two.
    given = spec.n_out + (has_class and output.kind != "argmax")
    return 2 * given + spec.n_in + layers + values


def compare(
    network: Network, x: Int, implementations: Mapping[str, Implementation] = IMPLEMENTATIONS
) -> int:
    """Each implementation and the reference on codes ``[samples, n_in]``; returns values compared.

    Raises `Disagreement`, naming the first sample that differs.
    """
    expected = reference.trace(network, x)
    compared = 0
    for name, implementation in implementations.items():
        for tensor, found in implementation(network, x).items():
            want = expected[tensor]
            if found.shape != want.shape:
                raise Disagreement(
                    f"{name}: {tensor} must have shape {want.shape}, got {found.shape}"
                )
            for place in np.argwhere(found != want)[:1]:
                raise Disagreement(
                    f"{name}: sample {place[0]}: {tensor} is {found[place[0]].tolist()}, "
                    f"the reference has {want[place[0]].tolist()}"
                )
            compared += found.size
    return compared


def check(
    seed: int,
    size: Size,
    folder: Path,
    implementations: Mapping[str, Implementation] = IMPLEMENTATIONS,
) -> int:
    """Draw a network and `SAMPLES` inputs and compare; returns the number of values compared.

    Raises `Disagreement`, after a network as small as could be found that disagrees too was left
    in ``folder``.
    """
    try:
        return compare(*drawn(seed, size), implementations)
    except Disagreement as error:
        smallest, found = _shrunk(seed, size, implementations) or (drawn(seed, size), error)
    network, x = smallest
    artifact.save(network, folder / "network.json")
    np.save(folder / "inputs.npy", x)
    raise Disagreement(
        f"seed {seed}: {found}; {folder} has a network that shows it, of layers "
        f"{' -> '.join(map(str, (network.spec.n_in, *(y.n_out for y in network.spec.layers))))}: "
        f"python -m verify.campaigns.random_networks --again {folder}"
    )


def _shrunk(
    seed: int, size: Size, implementations: Mapping[str, Implementation]
) -> tuple[tuple[Network, Int], Disagreement] | None:
    """The first of the smaller draws that disagrees too, and how."""
    for smaller in SHRUNK:
        for other in range(seed, seed + TRIES):
            candidate = drawn(other, smaller)
            try:
                compare(*candidate, implementations)
            except Disagreement as error:
                return candidate, error
        if smaller == size:
            break
    return None


def again(folder: Path) -> int:
    """Compare what `check` left in ``folder``; raises `Disagreement` as long as it disagrees."""
    return compare(artifact.load(folder / "network.json"), np.load(folder / "inputs.npy"))


def drawn(seed: int, size: Size) -> tuple[Network, Int]:
    """A network and `SAMPLES` random codes for it."""
    network = draw(seed, size)
    return network, codes(np.random.default_rng(seed), network, SAMPLES)


NETWORKS = 200


FOLDER = BUILD / "random-networks"


def piece(seed: int) -> jobs.Figures:
    """The values compared of the network with this seed; a failure leaves a folder."""
    return {"compared": check(seed, FULL, FOLDER / f"failed-{seed}")}


def work(seeds: Iterable[int]) -> list[Job]:
    """A job a network."""
    rests_on = jobs.rests_on(HERE, tops=[TOP])
    return [Job(str(seed), f"{HERE}:piece", {"seed": seed}, rests_on) for seed in seeds]


def run(arguments: argparse.Namespace) -> None:
    """Compare network after network, or the one that a failure has left."""
    if arguments.again:
        compared = again(arguments.again)
        print(f"{arguments.again}: {compared:,} values compared, 0 differ")
        return
    seeds = range(arguments.seed, arguments.seed + arguments.count)

    done = jobs.run("random networks", work(seeds), FOLDER / "done", workers=arguments.jobs)
    found, seconds = jobs.total(done)
    compared = found["compared"]
    specs = [draw(seed, FULL).spec for seed in seeds]
    expected = sum(SAMPLES * values_of(spec) for spec in specs)
    if compared != expected:
        raise errors.CommandError(f"{expected:,} values must be compared, got {compared:,}")
    record.record(
        "random_networks",
        level=3,
        claim="networks drawn at random, every output, activation, score and divider: "
        f"{', '.join(IMPLEMENTATIONS)} are the reference",
        command="make verify-random-networks",
        figures={
            "networks": len(specs),
            "layers": sum(len(spec.layers) for spec in specs),
            "softmaxes": len(SCORES) * len(DIVIDERS),
            "compared": compared,
            "differing": 0,
        },
        seconds=seconds,
        modules=[HERE],
        tops=[TOP],
        seed=arguments.seed,
    )
    print(f"{len(specs)} networks, {compared:,} values compared, 0 differ, in {seconds:.0f} s")


def parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    built = argparse.ArgumentParser(
        prog="python -m verify.campaigns.random_networks", description=__doc__
    )
    built.add_argument("--count", type=int, default=NETWORKS, help="default: %(default)s")
    built.add_argument("--seed", type=int, default=0, help="the first (default: %(default)s)")
    built.add_argument("--again", type=Path, help="a folder that a failure has left")
    cli.add_jobs(built)
    return built


if __name__ == "__main__":
    cli.main(run, parser())
