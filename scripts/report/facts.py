"""Facts of a build folder, gathered and checked: the content of ``report.json``."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import CommandError
from model import artifact, reference
from model.artifact import Network
from model.format import Int
from model.images import identity
from model.metrics import area_under_curve, fit, measure
from model.spec import NetworkSpec
from model.stage import PACK_CYCLES, UNPACK_CYCLES, Stage
from scripts.expected import FILE, command_of, read_expected
from studies import published

Facts = dict[str, Any]

RTL_KEYS = {"samples", "streams", "latency", "interval", "classes", "results", "seconds"}


@dataclass(frozen=True)
class Build:
    """Files of training, export and simulation; ``pytorch`` is the quantized network's trace."""

    network: Network
    expected: Mapping[str, NDArray[Any]]
    pytorch: Mapping[str, Int]
    rtl: Mapping[str, Any]
    simulator: str
    seconds: Mapping[str, float]


def read(folder: Path, simulator: str) -> Build:
    """Read a build folder; raises `CommandError` where a file is missing, damaged or too old."""
    network = artifact.load(folder / "network.json")
    expected = read_expected(folder / FILE)
    path = folder / f"rtl-{simulator}.json"
    rtl = _object(path, f"{command_of('sim')} --sim {simulator}", RTL_KEYS)
    if not len(rtl["classes"]) == len(rtl["results"]) == len(expected["labels"]):
        raise CommandError(
            f"{path}: must hold {len(expected['labels'])} classes and rows of probabilities, "
            f"one for each sample, got {len(rtl['classes'])} and {len(rtl['results'])}"
        )
    seconds = {
        step: _object(folder / "seconds" / f"{step}.json", command_of(step), {"seconds"})
        for step in ("train", "export")
    }
    return Build(
        network=network,
        expected=expected,
        pytorch={key: expected[key] for key, _, _ in streams(network.spec) if key in expected},
        rtl=rtl,
        simulator=simulator,
        seconds={step: content["seconds"] for step, content in seconds.items()} | rtl["seconds"],
    )


def _object(path: Path, command: str, keys: set[str]) -> dict[str, Any]:
    """A JSON object that has at least ``keys``; ``command`` is what writes it."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: cannot be read, run {command} first: {error}") from error
    missing = sorted(keys - set(content)) if isinstance(content, dict) else sorted(keys)
    if missing:
        raise CommandError(f"{path}: has no {', '.join(missing)}, run {command} again")
    assert isinstance(content, dict)
    return content


def streams(spec: NetworkSpec) -> Iterator[tuple[str, str, bool]]:
    """``(tensor, stream, first)`` in data-path order.

    The RTL's ``stream`` carries the reference's ``tensor``; ``first`` is False where an earlier
    stream carries the same one.
    """
    vector = "input"
    for index, (stage, streams) in enumerate(zip(spec.stages, spec.streams, strict=True)):
        for stream in streams:
            for payload in stream.payloads:
                entering = payload.channel == f"{stage.name}.x"
                tensor = vector if entering else payload.channel
                yield tensor, payload.channel, not entering or index == 0
        vector = stage.key
    yield vector, "m_axis.tdata", False
    yield f"{spec.output.name}.class", "m_axis.tuser", False


def summarize(build: Build) -> Facts:
    """All facts of a build, as JSON has them; nothing is judged here."""
    network, expected, rtl = build.network, build.expected, build.rtl
    codes = reference.encode(network, expected["features"])
    wanted = reference.trace(network, codes)
    winner = f"{network.spec.output.name}.class"
    given_classes, given_results = reference.result(network, wanted)
    wanted.setdefault(winner, given_classes)
    softmax = network.spec.output.kind == "softmax"
    # Every beat of a result carries its class.
    beats = {"m_axis.tuser": network.spec.n_out // network.spec.out_lanes}
    rows = [
        {
            "stream": stream,
            "values": wanted[tensor].size * beats.get(stream, 1),
            "rtl": rtl["streams"].get(stream, {"compared": 0, "differing": 0}),
            "pytorch": _count(build.pytorch[tensor], wanted[tensor])
            if first and tensor in build.pytorch
            else None,
        }
        for tensor, stream, first in streams(network.spec)
    ]
    labels, parts = expected["labels"], {name: expected[name] for name in ("train", "test")}
    names = range(network.spec.output.classes)
    rtl_classes = np.array(rtl["classes"], dtype=np.int64)
    return {
        "network": network.spec.name,
        "network_sha256": identity(network),
        "provenance": dict(network.provenance),
        "simulator": build.simulator,
        "samples": len(labels),
        "implementations": [
            {"name": name, **scores} for name, scores in _implementations(build, wanted, parts)
        ],
        "published": _published(network, labels),
        "confusion": None
        if "targets" in expected
        else {
            part: [
                [int(((labels[i] == a) & (rtl_classes[i] == b)).sum()) for b in names]
                for a in names
            ]
            for part, i in parts.items()
        },
        "streams": rows,
        "unknown_streams": sorted(set(rtl["streams"]) - {row["stream"] for row in rows}),
        "totals": {
            which: {
                key: sum(row[which][key] for row in rows if row[which])
                for key in ("compared", "differing")
            }
            for which in ("rtl", "pytorch")
        },
        "rtl_outputs": {
            "classes": _count(rtl_classes, given_classes),
            "probabilities" if softmax else "results": _count(
                np.array(rtl["results"]), given_results
            ),
        },
        "cycles": cycles(network.spec) | {key: rtl[key] for key in ("latency", "interval")},
        "seconds": dict(build.seconds),
    }


def _implementations(
    build: Build, wanted: Mapping[str, Int], parts: Mapping[str, Int]
) -> Iterator[tuple[str, Facts]]:
    """Quality of each implementation by part: of classes, or of a regression's values."""
    network, expected, rtl = build.network, build.expected, f"RTL ({build.simulator})"
    output = network.spec.output
    if "targets" in expected:
        codes = {
            "quantized PyTorch": expected[output.key],
            "NumPy reference": wanted[output.key],
            rtl: np.array(build.rtl["results"], dtype=np.int64),
        }
        values = {name: network.values(found) for name, found in codes.items()}
        for name, found in {"float PyTorch": expected["float.values"], **values}.items():
            fits = {key: fit(expected["targets"][i], found[i]) for key, i in parts.items()}
            yield name, {key: dataclasses.asdict(value) for key, value in fits.items()}
        return
    winner = f"{output.name}.class"
    classes = {
        "float PyTorch": expected["float.class"],
        "quantized PyTorch": expected[winner],
        "NumPy reference": wanted[winner],
        rtl: np.array(build.rtl["classes"], dtype=np.int64),
    }
    # Those that give probabilities: PyTorch has no bytes of a softmax.
    probabilities = {
        "float PyTorch": expected.get("float.probabilities"),
        "quantized PyTorch": expected.get(output.key),
        "NumPy reference": wanted[output.key],
        rtl: np.array(build.rtl["results"], dtype=np.int64),
    }
    ranked = output.classes == 2 and output.kind in ("softmax", "sigmoid")
    for name, found in classes.items():
        metrics = {key: measure(expected["labels"][i], found[i]) for key, i in parts.items()}
        scores = {key: dataclasses.asdict(value) for key, value in metrics.items()}
        if ranked:
            for key, i in parts.items():
                given = probabilities[name]
                # The last column is that of class 1, and may be the only one.
                scores[key]["auc"] = (
                    None
                    if given is None
                    else area_under_curve(expected["labels"][i], given[i, -1].astype(np.float64))
                )
        yield name, scores


def _count(found: Int, wanted: Int) -> dict[str, int]:
    """Values compared, and those that differ: all of them where the shapes do."""
    if found.shape != wanted.shape:
        return {"compared": wanted.size, "differing": wanted.size}
    return {"compared": wanted.size, "differing": int((found != wanted).sum())}


def _published(network: Network, labels: Int) -> Facts | None:
    """Figures that others published for this dataset, and the counts that they decode to."""
    figures = published.PUBLISHED.get(str(network.provenance.get("dataset")))
    if figures is None:
        return None
    sizes = np.bincount(labels)
    decoded = published.decode(figures, len(sizes), int(sizes.max()))
    return dataclasses.asdict(figures) | {
        "decoded": [
            {
                "correct": counts.correct,
                "samples": counts.samples,
                "recalls": counts.recalls,
                "matrix": counts.matrix,
            }
            for counts in decoded
        ]
    }


def cycles(spec: NetworkSpec) -> Facts:
    """Cycles of the formulas, part by part along the data path."""
    parts = [
        {
            "name": "input",
            "shape": f"{spec.n_in}",
            "fold": f"{spec.in_lanes} a beat",
            "formula": f"{spec.n_in}/{spec.in_lanes}",
            "cycles": spec.n_in // spec.in_lanes,
            "multipliers": None,
            "latency": PACK_CYCLES,
        },
        *(_stage(stage) for stage in spec.stages),
        {
            "name": "output",
            "shape": f"{spec.n_out}",
            "fold": f"{spec.out_lanes} a beat",
            "formula": f"{spec.n_out}/{spec.out_lanes}",
            "cycles": spec.n_out // spec.out_lanes,
            "multipliers": None,
            "latency": UNPACK_CYCLES,
        },
    ]
    return {"parts": parts}


def _stage(stage: Stage) -> Facts:
    return {
        "name": stage.name,
        "shape": f"{stage.n_in} -> {stage.n_out}",
        "fold": stage.fold,
        "formula": stage.formula,
        "cycles": stage.cycles,
        "multipliers": stage.multipliers or None,
        "latency": stage.latency,
    }


def complaint(facts: Facts) -> str | None:
    """The first reason why RTL, reference and PyTorch do not agree, as one sentence."""
    return next(_complaints(facts), None)


def _complaints(facts: Facts) -> Iterator[str]:
    for row in facts["streams"]:
        for who, which in (("RTL", "rtl"), ("quantized PyTorch network", "pytorch")):
            count = row[which]
            if count is None:
                continue
            of = f"of {row['values']} values of the {who}"
            if count["compared"] == 0:
                yield f"{row['stream']}: no value of the {who} was compared"
            if count["differing"]:
                yield f"{row['stream']}: {count['differing']} {of} differ from the reference"
            if count["compared"] != row["values"]:
                yield f"{row['stream']}: {count['compared']} {of} were compared"
    for which in ("rtl", "pytorch"):
        if facts["totals"][which]["compared"] == 0:
            yield f"no value of {which} was compared"
    for stream in facts["unknown_streams"]:
        yield f"{stream}: is not a stream of network {facts['network']}"
    for name, count in facts["rtl_outputs"].items():
        if count["differing"]:
            yield (
                f"{count['differing']} of {count['compared']} {name} that the RTL gave differ from "
                f"the reference of network.json: simulate it again"
            )
    for name in ("latency", "interval"):
        measured, formula = (facts["cycles"][name][key] for key in ("measured", "formula"))
        if measured != formula:
            yield f"{name}: {measured} cycles measured, the formula says {formula}"
