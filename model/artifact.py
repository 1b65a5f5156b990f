"""The network as one file, and the ROM images that the hardware reads.

The file is JSON: integers, spec and provenance, under the sha256 of all of it. It is checked
completely when it is loaded, and nothing in it is ever executed.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from common.errors import VerbatimError, reason
from common.files import digest, write_atomically
from model import sum_plan
from model.bounds import accumulator_width, output_interval
from model.data.scaling import Scaling, TargetScaling
from model.format import Int, SpecError
from model.names import Names
from model.plain import build
from model.spec import NetworkSpec, from_plain, to_plain
from model.stage import PROBABILITY_ONE
from model.stages.linear import MAX_ACC_W

FORMAT, VERSION = "verbatim-network", 2
# Version 1 has layers and a softmax in the place of stages; nothing else differs.
READABLE = (1, 2)
MAX_BIAS = (1 << (MAX_ACC_W - 1)) - 1


class ArtifactError(VerbatimError):
    """A file that is not what it should be: the message names it, what was found and expected."""


@dataclass(frozen=True)
class Network:
    """A spec with its integers: ``weights[set] [n_out, n_in]``, ``biases[layer] [n_out]``.

    A bias is in accumulator LSBs, ``2**-(frac_w + frac_x)``, so it belongs to the layer and not to
    the weight set. ``scaling`` is what raw features go through first, None where nothing is done
    to them; ``names`` are those of features and classes, or values, None where it has none;
    ``targets`` is what real targets went through before training, undone in values. Raises
    `ArtifactError` where the integers do not fit the spec.
    """

    spec: NetworkSpec
    weights: Mapping[str, Int]
    biases: Mapping[str, Int]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    scaling: Scaling | None = None
    names: Names | None = None
    targets: TargetScaling | None = None

    def values(self, codes: Int) -> NDArray[np.float64]:
        """Real values of the codes of an output, as its targets were in their units.

        ``codes`` are ``[samples, n_out]``, or probabilities in units of 1/255.
        """
        if self.spec.output.y is None:
            return codes / PROBABILITY_ONE
        found = codes.astype(np.float64) * self.spec.output.y.lsb
        return found if self.targets is None else self.targets.undo(found)

    def __post_init__(self) -> None:
        layers = self.spec.layers
        if self.scaling is not None and len(self.scaling.scale) != self.spec.n_in:
            raise ArtifactError(
                f"features: offset and scale must have {self.spec.n_in} numbers, one for each "
                f"input, got {len(self.scaling.scale)}"
            )
        if self.targets is not None:
            if self.spec.output.y is None:
                raise ArtifactError(
                    f"targets: output {self.spec.output.kind} has no values that they could scale"
                )
            if len(self.targets.scale) != self.spec.n_out:
                raise ArtifactError(
                    f"targets: offset and scale must have {self.spec.n_out} numbers, one for each "
                    f"output, got {len(self.targets.scale)}"
                )
        if self.names is not None:
            for key, count in (("features", self.spec.n_in), ("classes", self.spec.n_names)):
                found = len(getattr(self.names, key))
                if found not in (0, count):
                    raise ArtifactError(f"names: {key} must be {count} names, got {found}")
        require_keys("weights", self.weights, {layer.weights for layer in layers})
        require_keys("biases", self.biases, {layer.name for layer in layers})
        x_interval = (self.spec.x.q_min, self.spec.x.q_max)
        for layer in layers:
            weights, biases = self.weights[layer.weights], self.biases[layer.name]
            _require_shape(f"weights.{layer.weights}", weights, (layer.n_out, layer.n_in))
            _require_shape(f"biases.{layer.name}", biases, (layer.n_out,))
            if weights.min() < layer.w.q_min or weights.max() > layer.w.q_max:
                raise ArtifactError(
                    f"weights.{layer.weights}: codes must be {layer.w.q_min} .. {layer.w.q_max}, "
                    f"got {weights.min()} .. {weights.max()}"
                )
            # Sums of these cannot leave 64 bits before they are bounded.
            if biases.min() < -MAX_BIAS or biases.max() > MAX_BIAS:
                raise ArtifactError(
                    f"biases.{layer.name}: must be {-MAX_BIAS} .. {MAX_BIAS}, got "
                    f"{biases.min()} .. {biases.max()}"
                )
            needed = accumulator_width(weights, biases, x_interval)
            if layer.acc_w < needed:
                raise ArtifactError(
                    f"layer {layer.name}: acc_w is {layer.acc_w}, its sums need {needed} bits"
                )
            if layer.plan:
                try:
                    sum_plan.check(layer.plan, weights, *x_interval, layer.acc_w)
                except SpecError as error:
                    raise ArtifactError(f"layer {layer.name}: {error}") from error
            x_interval = output_interval(layer)

    def refolded(self, spec: NetworkSpec) -> Self:
        """The same integers under a spec that differs in folds only."""
        return dataclasses.replace(self, spec=spec)


def require_keys(owner: str, found: Mapping[str, object], legal: set[str]) -> None:
    if set(found) != legal:
        raise ArtifactError(
            f"{owner}: keys must be {', '.join(sorted(legal))}, got {', '.join(sorted(found))}"
        )


def _require_shape(owner: str, array: Int, legal: tuple[int, ...]) -> None:
    if array.shape != legal or array.dtype != np.int64:
        raise ArtifactError(
            f"{owner}: must be int64 of shape {legal}, got {array.dtype} of shape {array.shape}"
        )


def to_content(network: Network) -> dict[str, Any]:
    """Content of a network's file as a JSON value, without its digest."""
    scaling, targets, names = network.scaling, network.targets, network.names
    return {
        "format": FORMAT,
        "version": VERSION,
        "spec": to_plain(network.spec),
        "weights": {key: array.tolist() for key, array in sorted(network.weights.items())},
        "biases": {key: array.tolist() for key, array in sorted(network.biases.items())},
        "provenance": dict(network.provenance),
        **({} if scaling is None else {"features": dataclasses.asdict(scaling)}),
        **({} if targets is None else {"targets": dataclasses.asdict(targets)}),
        **({} if names is None else {"names": {k: list(v) for k, v in vars(names).items()}}),
    }


def save(network: Network, path: Path) -> None:
    """Write a network's file, whole or not at all."""
    content = to_content(network)
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    lines.append(f'"sha256": "{digest(content)}"')
    write_atomically(path, "{\n" + ",\n".join(lines) + "\n}\n")


def load(path: Path) -> Network:
    """Read a network's file.

    Raises `ArtifactError`, naming the file, where it is missing, truncated, edited, of another
    version, or does not describe a network that the hardware can be.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read: {reason(error)}") from error
    try:
        return _parse(text)
    except (ArtifactError, SpecError) as error:
        raise ArtifactError(f"{path}: {error}") from error
    except RecursionError as error:
        raise ArtifactError(f"{path}: is nested too deeply for a network") from error


def parse(text: str, noun: str, kind: str, versions: Sequence[int]) -> dict[str, Any]:
    """The JSON object of a file of format ``kind``, without the digest that it stands under.

    Raises `ArtifactError` where it is truncated, edited, of another format or version.
    """
    try:
        content = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except ArtifactError:
        raise
    except ValueError as error:
        raise ArtifactError(f"is truncated or not JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != kind:
        raise ArtifactError(f"must be a {noun}, an object with format {kind!r}")
    if type(content.get("version")) is not int or content["version"] not in versions:
        legal = " or ".join(map(str, versions))
        raise ArtifactError(f"version must be {legal}, got {content.get('version')!r}")
    stated = content.pop("sha256", None)
    found = digest(content)
    if stated != found:
        raise ArtifactError(f"was edited: its content has sha256 {found}, it states {stated}")
    return content


def _parse(text: str) -> Network:
    content = parse(text, "network", FORMAT, READABLE)
    keys = ("format", "version", "spec", "weights", "biases", "provenance")
    scaled, named = {"features"} & set(content), {"names"} & set(content)
    targeted = {"targets"} & set(content)
    require_keys("file", content, {*keys, *scaled, *targeted, *named})
    provenance = content["provenance"]
    if not isinstance(provenance, dict):
        raise ArtifactError(f"provenance must be an object, got {provenance!r}")
    return Network(
        spec=from_plain(content["spec"], content["version"]),
        weights=arrays("weights", content["weights"]),
        biases=arrays("biases", content["biases"]),
        provenance=provenance,
        scaling=build(Scaling, "features", content["features"]) if scaled else None,
        names=build(Names, "names", content["names"]) if named else None,
        targets=build(TargetScaling, "targets", content["targets"]) if targeted else None,
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object whose keys must be unique: JSON leaves open which of two would count."""
    found = dict(pairs)
    if len(found) != len(pairs):
        repeated = next(key for key in found if sum(key == other for other, _ in pairs) > 1)
        raise ArtifactError(f"key {repeated!r} is repeated in an object")
    return found


def _no_number(name: str) -> None:
    raise ArtifactError(f"numbers must be finite, got {name}")


def _are_integers(plain: object) -> bool:
    """Return True if a list of lists holds nothing but ints; a bool is not an int here."""
    return all(map(_are_integers, plain)) if isinstance(plain, list) else type(plain) is int


def arrays(owner: str, plain: object) -> dict[str, Int]:
    if not isinstance(plain, dict):
        raise ArtifactError(f"{owner}: must be an object of lists, got {type(plain).__name__}")
    arrays = {}
    for key, value in plain.items():
        try:
            array = np.array(value)
        except ValueError as error:
            raise ArtifactError(f"{owner}.{key}: rows must have equal length") from error
        if array.dtype != np.int64 or array.size == 0 or not _are_integers(value):
            raise ArtifactError(f"{owner}.{key}: must be integers, got {array.dtype}")
        arrays[key] = array
    return arrays
