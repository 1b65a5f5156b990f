"""The readers of files that the fuzzer feeds, and what is wrong with what they took.

Each target checks what its reader accepted by rules of its own, written here a second time: a file
that is accepted must say exactly what was read from it, and be legal.
"""

import csv
import dataclasses
import io
import math
import random
import re
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.paths import RECIPES
from model import images, recipe
from model.data import datasets, userdata
from verify.fuzz.damage import NESTED, damaged_bytes, damaged_text

IMAGE_WORDS, IMAGE_WIDTH = 12, 10

TOML_TOKENS = [
    *("true", "nan", "-inf", "1e400", "0x" + "f" * 4000, "9" * 5000, "1_0", "0b1", "[]", "{}"),
    *("1979-05-27T07:32:00Z", "07:32:00", *NESTED, "'a'", '"""a\nb"""', '"\\u00e9"', "[x]", "a.b"),
]
TABLE_TOKENS = [
    *("nan", "inf", "1e999", "1_0", "0x1", "\u0661", '"', '""', "a\nb", "", ",", ",,", ";"),
    *("1" * 5000, "-0", "1.5.2", "True", "\u00a01", "1\u2009", "\u22121", "x" * 200_000),
]
NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
IMAGE_TOKENS = [
    *("x", "z0", "// 1", "@3", "/*", "\u0661" * 3, "0x1", "+12", "3FF", "1_1", ""),
]


@dataclass(frozen=True)
class Target:
    """A reader: ``make`` writes an input, ``read`` reads it, ``wrong`` says what is wrong with it.

    ``wrong(data, loaded)`` gets a file that was accepted, and is None where it should have been.
    """

    name: str
    suffix: str
    make: Callable[[random.Random], bytes]
    read: Callable[[Path], Any]
    wrong: Callable[[bytes, Any], str | None]


def same(a: Any, b: Any) -> bool:
    """Equal in value and in type, all the way down; a tuple may stand for a list."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and bool(a == b)


def numbers_are_same(scaling: Any, plain: Any) -> bool:
    """Tell if a scaling holds the numbers of a table: there a whole one may stand for a float."""
    if scaling is None or not isinstance(plain, dict):
        return scaling is plain
    floats = {key: [float(n) for n in numbers] for key, numbers in plain.items()}
    whole = all(type(n) in (int, float) for numbers in plain.values() for n in numbers)
    return whole and same(scaling, floats)


# Recipes


def _recipe_maker() -> Callable[[random.Random], bytes]:
    seeds = [path.read_text() for path in sorted(RECIPES.glob("*.toml"))]

    def make(rng: random.Random) -> bytes:
        text = rng.choice(seeds)
        if rng.random() < 0.85:
            return damaged_text(rng, text, TOML_TOKENS)
        return damaged_bytes(rng, text.encode())

    return make


def wrong_recipe(data: bytes, found: recipe.Recipe) -> str | None:
    """Complaint about a recipe that was accepted."""
    content = tomllib.loads(data.decode())
    if not _says(dataclasses.asdict(found), content):
        return "something else was read from it"
    for number in _numbers(content):
        if not -(2**32) < number < 2**32:
            return f"{number} is in it"
    return None


def _says(read: Any, plain: Any) -> bool:
    """Tell if all of a table was read; what it leaves out stands at a default in ``read``."""
    if isinstance(plain, dict) and isinstance(read, dict):
        return plain.keys() <= read.keys() and all(_says(read[key], plain[key]) for key in plain)
    if isinstance(plain, list) and isinstance(read, list | tuple):
        return len(plain) == len(read) and all(map(_says, read, plain))
    return same(read, float(plain) if isinstance(read, float) and type(plain) is int else plain)


def _numbers(plain: Any) -> list[float]:
    """Every number in it; of a truth value, one that no recipe may hold."""
    if isinstance(plain, dict):
        return [number for value in plain.values() for number in _numbers(value)]
    if isinstance(plain, bool):
        return [float("nan")]
    return [plain] if isinstance(plain, int | float) else []


# ROM images


def _make_image(rng: random.Random) -> bytes:
    words = [rng.getrandbits(IMAGE_WIDTH) for _ in range(IMAGE_WORDS)]
    text = "".join(f"{word:03x}\n" for word in words)
    if rng.random() < 0.7:
        return damaged_text(rng, text, IMAGE_TOKENS)
    return damaged_bytes(rng, text.encode())


def read_image(path: Path) -> list[int]:
    """The image that the fuzzer damages."""
    return images.read_image(path, IMAGE_WORDS, IMAGE_WIDTH)


def wrong_image(data: bytes, words: list[int]) -> str | None:
    """Complaint about an image that was accepted."""
    if not re.fullmatch(rb"([0-3][0-9a-f]{2}\n){12}", data):
        return "its layout is not that of an image"
    if [int(line, 16) for line in data.split()] != words:
        return "something else was read from it"
    return None


# Samples of a user


def _make_table(rng: random.Random) -> bytes:
    rows = ["5.1,3.5,a", "4.9,-3.0,b", '"6.25", 1e-3 ,a', "7,.5,c", "+8.,2E2,b"]
    text = "\n".join(["width,height of it,kind", *rng.choices(rows, k=8), ""])
    if rng.random() < 0.7:
        return damaged_text(rng, text, TABLE_TOKENS)
    return damaged_bytes(rng, text.encode())


def read_table(path: Path) -> userdata.Samples:
    """The samples of a CSV, its last column the class."""
    return userdata.read(userdata.DataFile(path.name), path.parent)


def wrong_table(data: bytes, samples: userdata.Samples) -> str | None:
    """Complaint about samples that were accepted."""
    text = data.decode("utf-8-sig").lstrip("\r\n")
    # Other characters at which `str.splitlines` ends a line are part of a name.
    first = re.split(r"[\r\n]", text)[0]
    separator = "," if "," in first else ";" if ";" in first else "\t"
    stream = io.StringIO(text, newline="")
    rows = [row for row in csv.reader(stream, delimiter=separator) if row]
    names = [f"column_{number}" for number in range(1, len(rows[0]) + 1)]
    if samples.named:
        names = [name.strip() for name in rows.pop(0)]
        names[0] = names[0].removeprefix("#").lstrip()
    elif not any(NUMBER.fullmatch(cell.strip()) for cell in rows[0][:-1]):
        return "its header was read as a sample"
    if names[:-1] != list(samples.feature_names) or len(rows) != len(samples.labels):
        return "other samples were read from it"
    for row, features, label in zip(rows, samples.features, samples.labels, strict=True):
        if not all(NUMBER.fullmatch(cell.strip(" \t")) for cell in row[:-1]):
            return f"{row} holds what is no number"
        if list(map(float, row[:-1])) != features.tolist():
            return f"{row} was read as something else"
        if samples.class_names[label] != row[-1].strip() or not math.isfinite(sum(features)):
            return f"{row} was read as another class, or is not finite"
    return None


def _member(array: NDArray[Any]) -> bytes:
    """An array as the file of an archive holds it."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _odd_arrays() -> list[NDArray[Any]]:
    """Arrays that hold no samples."""
    odd = [np.full((3, 2), np.inf), np.zeros((3, 2), complex), np.zeros(3), np.zeros((0, 2))]
    odd += [np.zeros((3, 2), bool), np.array("x"), np.array([-1, 0, 1]), np.zeros((3, 2), "O")]
    return [*odd, np.array([2**63, 0, 1], np.uint64)]


def _make_arrays(rng: random.Random) -> bytes:
    """An archive whose members are damaged under right checksums, or which is itself damaged."""
    good = {
        "features": np.array([[5.0, 0.25], [-1.5, 3.0], [2.0, 8.0]]),
        "labels": np.array([0, 1, 0]),
        "class_names": np.array(["a", "b"]),
    }
    members = {name: _member(array) for name, array in good.items()}
    name, kind = rng.choice(list(members)), rng.random()
    if kind < 0.5:
        members[name] = damaged_bytes(rng, members[name])
    elif kind < 0.8:
        members[rng.choice([name, "x", "features"])] = _member(rng.choice(_odd_arrays()))
    archive, method = io.BytesIO(), rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(archive, "w", method) as opened:
        for name, data in members.items():
            opened.writestr(f"{name}.npy", data)
    return damaged_bytes(rng, archive.getvalue()) if kind > 0.7 else archive.getvalue()


def wrong_arrays(data: bytes, samples: datasets.Dataset) -> str | None:
    """Complaint about samples in an archive that were accepted."""
    # Not by `np.load`, which takes an archive behind other bytes for a pickle.
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        features, labels = (
            np.lib.format.read_array(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
            for name in ("features", "labels")
        )
    if not np.array_equal(features, samples.features) or not np.isfinite(features).all():
        return "its features were read as others, or are not finite"
    if not np.array_equal(labels, samples.labels) or labels.shape != features.shape[:1]:
        return "its labels were read as others, or are not the samples'"
    if labels.min() < 0 or labels.max() >= len(samples.class_names):
        return "a label has no class"
    return None


def read_dataset(path: Path) -> datasets.Dataset:
    """The samples of an archive, as a dataset is checked."""
    return datasets.load(userdata.DataFile(path.name), path.parent)


def targets() -> dict[str, Target]:
    """The targets of this file, by name."""
    found = [
        Target("recipe", ".toml", _recipe_maker(), recipe.load, wrong_recipe),
        Target("table", ".csv", _make_table, read_table, wrong_table),
        Target("arrays", ".npz", _make_arrays, read_dataset, wrong_arrays),
        Target("image", ".mem", _make_image, read_image, wrong_image),
    ]
    return {target.name: target for target in found}
