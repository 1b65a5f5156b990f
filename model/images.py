"""The words of the ROMs, and the images that the hardware reads them from."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.files import write_atomically
from model import tables
from model.artifact import ArtifactError, Network
from model.format import Int
from model.spec import RECIPROCAL_ADDR_W, RECIPROCAL_W, NetworkSpec, SoftmaxSpec

HEXADECIMAL = frozenset("0123456789abcdef")
RECIPROCAL_IMAGE, EXP_IMAGE = "reciprocal.mem", "exp.mem"


def image_shapes(spec: NetworkSpec) -> dict[str, tuple[int, int]]:
    """``(words, bits of a word)`` of each ROM image, by file name."""
    shapes = {}
    for index, layer in enumerate(spec.layers):
        weights = layer.multipliers * layer.w.width
        shapes[f"linear{index:02d}_weights.mem"] = (layer.cycles, weights)
        shapes[f"linear{index:02d}_biases.mem"] = (layer.groups, layer.pe * layer.acc_w)
    return shapes | softmax_image_shapes(spec.softmax)


def softmax_image_shapes(spec: SoftmaxSpec) -> dict[str, tuple[int, int]]:
    """As `image_shapes`: the tables that this score and this divider read, and no others."""
    shapes = {}
    if spec.score == "exp":
        shapes[EXP_IMAGE] = (1 << spec.x.width, spec.score_w)
    if spec.divider == "reciprocal":
        shapes[RECIPROCAL_IMAGE] = (1 << RECIPROCAL_ADDR_W, RECIPROCAL_W)
    return shapes


def pack_lanes(lanes: Iterable[int], width: int) -> int:
    """One word of two's complement lanes, lane k at bit ``k * width``.

    >>> hex(pack_lanes([1, -1], 8))
    '0xff01'
    """
    mask = (1 << width) - 1
    return sum((int(lane) & mask) << (index * width) for index, lane in enumerate(lanes))


def unpack_lanes(word: int, width: int, count: int, *, signed: bool = True) -> list[int]:
    """The lanes of a word; the inverse of `pack_lanes`.

    >>> unpack_lanes(0xff01, 8, 2), unpack_lanes(0xff01, 8, 2, signed=False)
    ([1, -1], [1, 255])
    """
    half, mask = (1 << (width - 1)) if signed else 0, (1 << width) - 1
    return [(((word >> (k * width)) & mask) ^ half) - half for k in range(count)]


def pack_rows(values: Int, width: int) -> NDArray[np.uint8]:
    """Each row of ``values [rows, lanes]`` as the bytes of a word, the lowest first.

    >>> pack_rows(np.array([[1, -1]]), 6).tolist()
    [[193, 15]]
    """
    bits = (values[:, :, None] >> np.arange(width)) & 1
    flat = bits.reshape(len(values), -1).astype(np.uint8)
    return np.packbits(flat, axis=1, bitorder="little")


def images(network: Network) -> dict[str, list[int]]:
    """Words of each ROM image, by file name.

    A weight word holds ``pe`` rows of ``simd`` weights, in the order in which `mlp_linear` takes
    them: all steps of the first group of outputs, then the next group.
    """
    words: dict[str, list[int]] = {}
    for index, layer in enumerate(network.spec.layers):
        weights = network.weights[layer.weights]
        folded = weights.reshape(layer.groups, layer.pe, layer.steps, layer.simd)
        rows = folded.transpose(0, 2, 1, 3).reshape(layer.cycles, layer.multipliers)
        biases = network.biases[layer.name].reshape(layer.groups, layer.pe)
        words[f"linear{index:02d}_weights.mem"] = [pack_lanes(row, layer.w.width) for row in rows]
        words[f"linear{index:02d}_biases.mem"] = [pack_lanes(row, layer.acc_w) for row in biases]
    return words | softmax_images(network.spec.softmax)


def softmax_images(spec: SoftmaxSpec) -> dict[str, list[int]]:
    """As `images`: the tables of the softmax."""
    words = {}
    if spec.score == "exp":
        words[EXP_IMAGE] = tables.exponential(spec).tolist()
    if spec.divider == "reciprocal":
        words[RECIPROCAL_IMAGE] = tables.reciprocal().tolist()
    return words


def write_images(network: Network, folder: Path) -> None:
    """Write each ROM image as hexadecimal words for ``$readmemh``."""
    _write_images(images(network), image_shapes(network.spec), folder)


def write_softmax_images(spec: SoftmaxSpec, folder: Path) -> None:
    """As `write_images`: the tables of the softmax."""
    _write_images(softmax_images(spec), softmax_image_shapes(spec), folder)


def _write_images(
    words: Mapping[str, list[int]], shapes: Mapping[str, tuple[int, int]], folder: Path
) -> None:
    for name, (_, width) in shapes.items():
        write_image(folder / name, words[name], width)


def write_image(path: Path, words: list[int], width: int) -> None:
    """Write one ROM image of ``width``-bit words."""
    digits = -(-width // 4)
    write_atomically(path, "".join(f"{word:0{digits}x}\n" for word in words))


def read_image(path: Path, words: int, width: int) -> list[int]:
    """Read one ROM image: ``words`` lines, each of one word, as `write_image` writes them.

    Raises `ArtifactError` where it is anything else: what separates words differs by simulator.
    """
    try:
        *lines, end = path.read_bytes().decode().split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
    if end:
        raise ArtifactError(f"{path}: ends with {end[:40]!r}, legal is the end of a line")
    if len(lines) != words:
        raise ArtifactError(f"{path}: found {len(lines)} words, legal are {words}")
    digits = -(-width // 4)
    values = []
    for number, line in enumerate(lines, start=1):
        legal = len(line) == digits and set(line) <= HEXADECIMAL
        if not legal or int(line, 16) >> width:
            raise ArtifactError(
                f"{path}: word {number} is {line[:40]!r}, legal are {digits} hexadecimal digits "
                f"below 2**{width}"
            )
        values.append(int(line, 16))
    return values


def check_images(spec: NetworkSpec, folder: Path) -> None:
    """Raise `ArtifactError` unless each ROM image is there, in the shape that ``spec`` gives it."""
    for name, (words, width) in image_shapes(spec).items():
        read_image(folder / name, words, width)


# Where a simulation finds its ROM images: one build serves every network of a shape.
MEM_DIR = "mem"
