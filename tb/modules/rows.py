"""The regression's rows: each module at each of its parameter sets."""

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.paths import BUILD
from model import artifact
from model.artifact import Network
from model.format import Format
from model.images import write_image, write_images, write_softmax_images
from model.stage import Parameter
from model.stages.linear import LayerSpec
from model.stages.softmax import COMBINATIONS, EXP_IMAGE, RECIPROCAL_IMAGE, SoftmaxSpec
from tb.sim.made_up import made_up, waking_codes
from tb.sim.runner import Outcome, simulate

Parameters = dict[str, Parameter]
Prepared = tuple[Parameters, dict[str, Any]]

Q8, Q16, Q6, Q2 = Format(8, 4), Format(16, 8), Format(6, 2), Format(2, 0)


@dataclass(frozen=True)
class Row:
    """A module at one parameter set; ``prepare`` writes its files and gives parameters, options."""

    module: str
    name: str
    prepare: Callable[[Path], Prepared]
    bench: str = "stream_bench"

    def run(
        self,
        simulator: str,
        *,
        folder: Path | None = None,
        options: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> Outcome:
        """Run the bench on this row; ``options`` go to it beside the row's own."""
        folder = folder or BUILD / "rows" / self.name
        parameters, own = self.prepare(folder)
        how = {"name": self.name} | how
        return simulate(
            self.module,
            parameters,
            simulator=simulator,
            bench=self.bench,
            options=own | dict(options or {}),
            **how,
        )


def plain(module: str, **parameters: int) -> Row:
    """A row that needs no file."""
    name = "-".join([module.removeprefix("mlp_"), *map(str, parameters.values())])
    return Row(module, name, lambda folder: (dict(parameters), {}))


def pipeline(module: str, **parameters: int) -> Row:
    """A part without a stream; a ROM gets an image of random words."""
    row = plain(module, **parameters)

    def prepare(folder: Path) -> Prepared:
        if module != "mlp_rom":
            return row.prepare(folder)
        width, image = parameters["WIDTH"], folder / "words.mem"
        words = [random.Random(word).getrandbits(width) for word in range(parameters["DEPTH"])]
        write_image(image, words, width)
        return {**parameters, "FILE": str(image)}, {}

    return Row(module, row.name, prepare, "pipeline_bench")


def linear_parameters(layer: LayerSpec, images: str) -> Parameters:
    """All that `mlp_linear` can be told; its images are named ``images`` and what they hold."""
    return {
        "N_IN": layer.n_in,
        "N_OUT": layer.n_out,
        "X_W": layer.x.width,
        "W_W": layer.w.width,
        "ACC_W": layer.acc_w,
        "SIMD": layer.simd,
        "PE": layer.pe,
        "WEIGHTS": f"{images}_weights.mem",
        "BIASES": f"{images}_biases.mem",
    }


def of_layer(name: str, network: Network, index: int = 0) -> list[Row]:
    """`mlp_linear` and `mlp_layer` as one layer of a network."""

    def prepare(module: str, folder: Path) -> Prepared:
        path = folder / "network.json"
        artifact.save(network, path)
        write_images(network, folder)
        layer = network.spec.layers[index]
        parameters = linear_parameters(layer, str(folder / f"linear{index:02d}"))
        if module == "mlp_layer":
            parameters |= {"Y_W": layer.y.width, "SHIFT": layer.shift, "RELU": int(layer.relu)}
        return parameters, {"network": str(path), "layer": index}

    return [
        Row(module, f"{module.removeprefix('mlp_')}-{name}", lambda f, m=module: prepare(m, f))
        for module in ("mlp_linear", "mlp_layer")
    ]


def of_top(name: str, network: Network, samples: int) -> Row:
    """`mlp_top` around a network, seen from outside, with its ROM images built in."""

    def prepare(folder: Path) -> Prepared:
        files = {option: folder / option for option in ("network", "inputs.npy", "report", "mem")}
        artifact.save(network, files["network"])
        write_images(network, files["mem"])
        np.save(files["inputs.npy"], waking_codes(np.random.default_rng(1), network, samples))
        options: dict[str, Any] = {key.split(".")[0]: str(path) for key, path in files.items()}
        options |= {"functional": None, "sealed": True}
        return network.spec.parameters(str(files["mem"])), options

    return Row("mlp_top", name, prepare, "top_bench")


# The parts of the softmax: their parameters, and the score and divider that they belong to.
SOFTMAX_PARTS = {
    "mlp_softmax_taylor2": (("N", "LANES", "X_W", "FRAC", "SCORE_W"), ("taylor2", "reciprocal")),
    "mlp_softmax_max": (("N", "LANES", "X_W"), ("exp", "restoring")),
    "mlp_softmax_exp": (("N", "LANES", "X_W", "SCORE_W", "EXP"), ("exp", "restoring")),
    "mlp_softmax_sum": (("N", "LANES", "SCORE_W", "TOTAL_W"), ("taylor2", "reciprocal")),
    "mlp_softmax_reciprocal": (
        ("N", "LANES", "SCORE_W", "TOTAL_W", "RECIPROCAL"),
        ("taylor2", "reciprocal"),
    ),
    "mlp_softmax_restoring": (("N", "LANES", "SCORE_W", "TOTAL_W"), ("taylor2", "restoring")),
    "mlp_softmax_remainder": (("N", "LANES"), ("taylor2", "reciprocal")),
}
NORMALIZE_PARAMETERS = ("N", "LANES", "SCORE_W", "TOTAL_W", "DIVIDER", "RECIPROCAL")
SOFTMAX_PARAMETERS = (*NORMALIZE_PARAMETERS, "X_W", "FRAC", "SCORE", "EXP")


def softmax_parameters(spec: SoftmaxSpec, folder: Path) -> Parameters:
    """All that `mlp_softmax` and its parts can be told; the tables are written into ``folder``."""
    write_softmax_images(spec, folder)
    return {
        "N": spec.n,
        "LANES": spec.lanes,
        "X_W": spec.x.width,
        "FRAC": spec.x.frac,
        "SCORE": spec.score,
        "DIVIDER": spec.divider,
        "SCORE_W": spec.score_w,
        "TOTAL_W": spec.total_w,
        "EXP": str(folder / EXP_IMAGE),
        "RECIPROCAL": str(folder / RECIPROCAL_IMAGE),
    }


def of_softmax(module: str, names: Sequence[str], spec: SoftmaxSpec, suffix: str = "") -> Row:
    """The softmax, or a part of it, with the parameters ``names``."""

    def prepare(folder: Path) -> Prepared:
        values = softmax_parameters(spec, folder)
        return {name: values[name] for name in names}, {"softmax": dataclasses.asdict(spec)}

    shape = f"{spec.n}by{spec.lanes}-{spec.x.width}.{spec.x.frac}"
    return Row(module, f"{module.removeprefix('mlp_')}-{shape}{suffix}", prepare)


def softmax_parts(n: int, lanes: int, fmt: Format) -> list[Row]:
    """Every part of the softmax at one size."""
    return [
        of_softmax(module, names, SoftmaxSpec(n, fmt, *choice, lanes))
        for module, (names, choice) in SOFTMAX_PARTS.items()
    ]


def whole_softmax(n: int, lanes: int, fmt: Format, *choices: tuple[str, str]) -> list[Row]:
    """The softmax with each of the chosen scores and dividers."""
    specs = [SoftmaxSpec(n, fmt, *choice, lanes) for choice in choices]
    return [
        of_softmax("mlp_softmax", SOFTMAX_PARAMETERS, spec, f"-{spec.score}-{spec.divider}")
        for spec in specs
    ]


def normalize(n: int, lanes: int, fmt: Format, score: str, divider: str) -> Row:
    """The part behind the scores, with one of the dividers."""
    spec = SoftmaxSpec(n, fmt, score, divider, lanes)
    return of_softmax("mlp_softmax_normalize", NORMALIZE_PARAMETERS, spec, f"-{divider}")


# Verilator compiles C++ for each: the parameter sets at which it could differ from Icarus.
ON_BOTH_SIMULATORS = [
    pipeline("mlp_adder_tree", N=5, W=12),
    pipeline("mlp_argmax_tree", N=3, W=2, INDEX_W=2),
    pipeline("mlp_leading_one", W=17),
    pipeline("mlp_dot", SIMD=4, X_W=8, W_W=8, ACC_W=20),
    pipeline("mlp_delay", W=8, CYCLES=4),
    pipeline("mlp_rom", WIDTH=70, DEPTH=12),
    plain("mlp_requantize", LANES=1, ACC_W=20, OUT_W=8, SHIFT=7),
    plain("mlp_requantize", LANES=2, ACC_W=17, OUT_W=16, SHIFT=0),
    plain("mlp_relu", LANES=3, W=2),
    plain("mlp_skid_buffer", W=24),
    plain("mlp_stream_pack", N=6, LANES=1, W=8),
    plain("mlp_stream_pack", N=4, LANES=4, W=8),
    plain("mlp_stream_unpack", N=6, LANES=2, W=5, TAG_W=9),
    plain("mlp_fold", STEPS=3, GROUPS=4),
    *of_layer("6x4-by-3x2", made_up([6, 4, 2], folds=[(3, 2), (1, 1)])),
    *of_layer("5x4-unrolled", made_up([5, 4, 2], folds=[(5, 4), (1, 1)])),
    *of_layer(
        "4x3-16bit",
        made_up([4, 3, 2], folds=[(2, 3), (1, 1)], formats=[Q16] * 3, weight_format=Format(16, 14)),
    ),
    *softmax_parts(3, 1, Q8),
    *softmax_parts(3, 3, Q8),
    normalize(3, 3, Q8, "exp", "restoring"),
    *whole_softmax(3, 1, Q8, *COMBINATIONS),
]

ROWS = [
    *ON_BOTH_SIMULATORS,
    pipeline("mlp_adder_tree", N=1, W=4),
    pipeline("mlp_adder_tree", N=8, W=16),
    pipeline("mlp_argmax_tree", N=1, W=4, INDEX_W=1),
    pipeline("mlp_argmax_tree", N=7, W=8, INDEX_W=6),
    pipeline("mlp_leading_one", W=2),
    pipeline("mlp_leading_one", W=16),
    pipeline("mlp_dot", SIMD=1, X_W=2, W_W=16, ACC_W=18),
    pipeline("mlp_dot", SIMD=6, X_W=16, W_W=3, ACC_W=32),
    pipeline("mlp_delay", W=3, CYCLES=0),
    pipeline("mlp_rom", WIDTH=13, DEPTH=1),
    plain("mlp_requantize", LANES=3, ACC_W=9, OUT_W=8, SHIFT=1),
    plain("mlp_requantize", LANES=1, ACC_W=40, OUT_W=2, SHIFT=38),
    plain("mlp_relu", LANES=1, W=8),
    plain("mlp_skid_buffer", W=1),
    plain("mlp_stream_pack", N=6, LANES=3, W=5),
    plain("mlp_stream_unpack", N=6, LANES=1, W=8, TAG_W=2),
    plain("mlp_stream_unpack", N=4, LANES=4, W=8, TAG_W=1),
    plain("mlp_fold", STEPS=1, GROUPS=1),
    *of_layer("6x6-serial", made_up([6, 6, 2])),
    *of_layer("30x6-extreme", made_up([30, 6, 2], folds=[(6, 1), (1, 1)], integers="extreme")),
    *of_layer(
        "8x4-2bit",
        made_up([8, 4, 2], folds=[(4, 2), (1, 1)], formats=[Q2] * 3, weight_format=Format(3, 1)),
    ),
    *softmax_parts(10, 5, Q6),
    normalize(3, 1, Q8, "taylor2", "reciprocal"),
    normalize(10, 5, Q6, "exp", "reciprocal"),
    normalize(10, 2, Q6, "taylor2", "restoring"),
    *whole_softmax(10, 5, Q6, *COMBINATIONS),
    *whole_softmax(2, 1, Q2, *COMBINATIONS),
    *whole_softmax(3, 1, Format(3, 1), *COMBINATIONS),  # all 512 vectors of logits
    *whole_softmax(3, 3, Q8, ("taylor2", "reciprocal"), ("exp", "restoring")),
    *whole_softmax(64, 4, Format(16, 12), ("taylor2", "reciprocal"), ("exp", "restoring")),
]


# For mutants; tb/test_top.py runs the networks that the regression runs.
SEALED_TOP = of_top("top-4x6x3", made_up([4, 6, 3], folds=[(2, 3), (3, 1)], in_lanes=2), 100)


def row_of(name: str) -> Row:
    """The row of this name."""
    return next(row for row in (*ROWS, SEALED_TOP) if row.name == name)
