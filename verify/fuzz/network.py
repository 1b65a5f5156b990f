"""The reader of networks as a target of the fuzzer: its files are signed again after the damage."""

import hashlib
import json
import random
import re
from collections.abc import Callable
from typing import Any

from common import files
from common.paths import GOLDEN_IRIS
from model import artifact
from model.format import Format
from tb.sim.made_up import made_up
from verify.fuzz.damage import NESTED, damaged_bytes, damaged_text, damaged_value
from verify.fuzz.targets import Target, numbers_are_same, same

JSON_TOKENS = ["NaN", "Infinity", "-Infinity", "true", "null", "1e999", "-0", "[]", "{}", *NESTED]


def strict_json(data: bytes) -> Any:
    """A JSON value; raises ValueError where a key repeats or a number is none."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(found)) != len(found):
            raise ValueError("a key stands twice")
        return dict(found)

    def constant(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    return json.loads(data.decode(), object_pairs_hook=pairs, parse_constant=constant)


def _network_seeds() -> list[dict[str, Any]]:
    networks = [
        artifact.load(GOLDEN_IRIS),
        made_up([3, 4, 2], folds=[(3, 2), (2, 1)], softmax=("exp", "restoring"), in_lanes=3),
        made_up([1, 2], formats=[Format(16, 8), Format(4, 1)], weight_format=Format(16, 12)),
        made_up([2, 2, 2, 3], integers="extreme", softmax=("exp", "reciprocal"), out_lanes=3),
    ]
    provenance = {"note": "made up", "seeds": [1, 2], "rate": 0.5, "of": {"a": None}}
    contents = [artifact.to_content(network) | {"provenance": provenance} for network in networks]
    contents[1]["features"] = {"offset": [0.5, 0.0, -2.0], "scale": [1.0, 0.25, 8.0]}
    contents[1]["names"] = {"features": ["a", "b", "c"], "classes": [], "ignored": ["kind"]}
    return contents


def signed(content: Any) -> str:
    """The text of a network's file under a right digest, if there is anything to sign."""
    if isinstance(content, dict):
        content = content | {"sha256": files.digest(content)}
    return json.dumps(content)


def _network_maker() -> Callable[[random.Random], bytes]:
    seeds = _network_seeds()

    def make(rng: random.Random) -> bytes:
        content, kind = rng.choice(seeds), rng.random()
        text = signed(damaged_value(rng, content) if kind < 0.6 else content)
        if kind < 0.5:
            return text.encode()
        if kind < 0.7:
            return _with_key_twice(rng, text).encode()
        if kind < 0.9:
            return damaged_text(rng, text, JSON_TOKENS)
        return damaged_bytes(rng, text.encode())

    return make


def _with_key_twice(rng: random.Random, text: str) -> str:
    """A key written once more before itself, with another value: most readers take the last."""
    places = list(re.finditer(r'[{,] ?("[^"]*": )', text))
    place = rng.choice(places)
    return text[: place.end(1)] + "7, " + place[1] + text[place.end(1) :]


def signed_content(data: bytes) -> dict[str, Any]:
    """The content of a signed file, without its digest.

    Raises ValueError where the file is no strict JSON or the digest is that of another content.
    """
    content: dict[str, Any] = strict_json(data)
    stated = content.pop("sha256")
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    if hashlib.sha256(canonical).hexdigest() != stated:
        raise ValueError("its digest is another")
    return content


def wrong_network(data: bytes, network: artifact.Network) -> str | None:
    """Complaint about a network's file that was accepted."""
    try:
        content = signed_content(data)
    except ValueError as error:
        return str(error)
    if isinstance(content.get("names"), dict):
        # A list that is left out stands for an empty one.
        content["names"] = {"features": [], "classes": [], "ignored": []} | content["names"]
    read = artifact.to_content(network)
    if not numbers_are_same(read.pop("features", None), content.pop("features", None)):
        return "another scaling was read from it"
    if not same(read, content):
        return "something else was read from it"
    spec = content["spec"]
    *layers, softmax = spec["stages"]
    if not _are_integers(spec):
        return "a truth value stands for a number, or a number is not whole"
    for whole, lanes in (
        (layers[0]["n_in"], spec["in_lanes"]),
        (softmax["n"], spec["out_lanes"]),
        (softmax["n"], softmax["lanes"]),
    ):
        if whole % lanes:
            return f"{lanes} lanes do not divide {whole}"
    lows, highs = _ends(layers[0]["x"])
    for layer in layers:
        complaint = _wrong_layer(layer, content, lows, highs)
        if complaint:
            return f"{layer['name']}: {complaint}"
        lows, highs = _ends(layer["y"])
        lows = 0 if layer["relu"] else lows
    return None


def _are_integers(plain: Any, key: str = "") -> bool:
    """Tell if all numbers in it are ints, and only `relu` is a truth value."""
    if isinstance(plain, dict):
        return all(_are_integers(value, key) for key, value in plain.items())
    if isinstance(plain, list):
        return all(map(_are_integers, plain))
    return type(plain) is (bool if key == "relu" else str if isinstance(plain, str) else int)


def _ends(fmt: dict[str, int]) -> tuple[int, int]:
    return -(2 ** (fmt["width"] - 1)), 2 ** (fmt["width"] - 1) - 1


def _wrong_layer(
    layer: dict[str, Any], content: dict[str, Any], lows: int, highs: int
) -> str | None:
    rows, biases = content["weights"][layer["weights"]], content["biases"][layer["name"]]
    low, high = _ends(layer["w"])
    if len(rows) != layer["n_out"] or len(biases) != layer["n_out"]:
        return "its rows are not its outputs"
    most = 2 ** (layer["acc_w"] - 1) - 1
    for row, bias in zip(rows, biases, strict=True):
        if len(row) != layer["n_in"] or not all(low <= weight <= high for weight in row):
            return "a row has not its inputs, or a weight not its width"
        products = [sorted((weight * lows, weight * highs)) for weight in row]
        top = sum(max(0, product[1]) for product in products) + max(0, bias)
        bottom = sum(min(0, product[0]) for product in products) + min(0, bias)
        if top > most or bottom < -most - 1:
            return f"a sum may reach {bottom} .. {top}, beyond {layer['acc_w']} bits"
    if layer["n_in"] % layer["simd"] or layer["n_out"] % layer["pe"]:
        return "its folds do not divide it"
    return None


def target() -> Target:
    """The reader of networks."""
    return Target("network", ".json", _network_maker(), artifact.load, wrong_network)
