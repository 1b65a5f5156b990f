"""The images that the ROMs of the hardware are filled from: words of each stage, as files."""

from collections.abc import Mapping
from pathlib import Path

from common.files import digest, write_atomically
from model.artifact import ArtifactError, Network
from model.spec import NetworkSpec, to_plain
from model.stages.softmax import SoftmaxSpec

HEXADECIMAL = frozenset("0123456789abcdef")


def image_shapes(spec: NetworkSpec) -> dict[str, tuple[int, int]]:
    """``(words, bits of a word)`` of each ROM image, by file name."""
    shapes: dict[str, tuple[int, int]] = {}
    for index, stage in enumerate(spec.stages):
        shapes |= stage.image_shapes(index)
    return shapes


def images(network: Network) -> dict[str, list[int]]:
    """Words of each ROM image, by file name."""
    words: dict[str, list[int]] = {}
    for index, stage in enumerate(network.spec.stages):
        words |= stage.images(index, network.weights, network.biases)
    return words


def identity(network: Network) -> str:
    """sha256 of a network's formats and integers, the same at every fold."""
    serial = network.refolded(network.spec.serial())
    return digest({"spec": to_plain(serial.spec), "images": images(serial)})


def write_images(network: Network, folder: Path) -> None:
    """Write each ROM image as hexadecimal words for ``$readmemh``."""
    _write_images(images(network), image_shapes(network.spec), folder)


def write_softmax_images(spec: SoftmaxSpec, folder: Path) -> None:
    """As `write_images`: the tables of a softmax by itself."""
    _write_images(spec.images(), spec.image_shapes(), folder)


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
        raise ArtifactError(f"{path}: must end with a newline, got {end[:40]!r}")
    if len(lines) != words:
        raise ArtifactError(f"{path}: must have {words} words, got {len(lines)}")
    digits = -(-width // 4)
    values = []
    for number, line in enumerate(lines, start=1):
        legal = len(line) == digits and set(line) <= HEXADECIMAL
        if not legal or int(line, 16) >> width:
            raise ArtifactError(
                f"{path}: word {number} must be {digits} hexadecimal digits below 2**{width}, "
                f"got {line[:40]!r}"
            )
        values.append(int(line, 16))
    return values


def check_images(spec: NetworkSpec, folder: Path) -> None:
    """Raise `ArtifactError` unless each ROM image is there, in the shape that ``spec`` gives it."""
    for name, (words, width) in image_shapes(spec).items():
        read_image(folder / name, words, width)


# Where a simulation finds its ROM images: one build serves every network of a shape.
MEM_DIR = "mem"
