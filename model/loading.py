"""The bytes that replace the weights of a loadable core while it runs.

A frame is, for each layer, the words of its weights and then those of its biases, in the order of
their ROM images; each word in whole bytes, the lowest first; behind all of them their CRC-32, the
lowest byte first. Tables are none of it: they follow from formats, which a load does not change.
"""

import dataclasses
import zlib

from common.errors import VerbatimError
from model.artifact import ArtifactError, Network
from model.images import images
from model.spec import NetworkSpec
from model.stage import Stage
from model.stages.linear import LayerSpec

CRC_BYTES = 4
# In these a network may differ from the core that takes its weights.
FREE = frozenset({"name", "weights", "acc_w", "simd", "pe", "lanes"})


class LoadError(VerbatimError):
    """Weights that do not fit a core, or that it did not take: the message says why."""


def frame(core: NetworkSpec, network: Network) -> bytes:
    """The frame on ``s_load`` that makes the core of spec ``core`` compute ``network``.

    Raises `LoadError` as `fitted` does.
    """
    words = images(fitted(core, network))
    data = b"".join(
        word.to_bytes(-(-width // 8), "little")
        for name, (_, width) in loaded_shapes(core).items()
        for word in words[name]
    )
    return data + zlib.crc32(data).to_bytes(CRC_BYTES, "little")


def frame_bytes(core: NetworkSpec) -> int:
    """Bytes of every frame for this core."""
    words = sum(count * -(-width // 8) for count, width in loaded_shapes(core).values())
    return words + CRC_BYTES


def loaded_shapes(core: NetworkSpec) -> dict[str, tuple[int, int]]:
    """``(words, bits of a word)`` of each image that a frame replaces, in its order."""
    shapes: dict[str, tuple[int, int]] = {}
    for index, stage in enumerate(core.stages):
        if isinstance(stage, LayerSpec):
            found = stage.image_shapes(index)
            names = (f"linear{index:02d}_{part}.mem" for part in ("weights", "biases"))
            shapes |= {name: found[name] for name in names}
    return shapes


def fitted(core: NetworkSpec, network: Network) -> Network:
    """The integers of ``network`` at the folds and accumulators of ``core``.

    Raises `LoadError` where the core is not loadable, has other shapes or formats, or where its
    accumulators are too narrow.
    """
    if not core.loadable:
        raise LoadError(
            f"network {core.name}: must be loadable to take weights: its recipe needs "
            "loadable = true"
        )
    own = network.spec
    if len(own.stages) != len(core.stages):
        raise LoadError(
            f"network {own.name}: must have {len(core.stages)} stages as the core, got "
            f"{len(own.stages)}"
        )
    stages: list[Stage] = []
    for stage, place in zip(own.stages, core.stages, strict=True):
        _require_equal(stage, place)
        if isinstance(stage, LayerSpec) and isinstance(place, LayerSpec):
            own_names = {"name": stage.name, "weights": stage.weights}
            stages.append(dataclasses.replace(place, **own_names))  # type: ignore[arg-type]
        else:
            stages.append(place)
    try:
        return network.refolded(dataclasses.replace(core, stages=tuple(stages)))
    except ArtifactError as error:
        raise LoadError(f"network {own.name}: does not fit the core: {error}") from error


def _require_equal(stage: Stage, place: Stage) -> None:
    """Raise `LoadError` unless a stage has the shape and the formats of its place in a core."""
    owner = f"{stage.kind} {stage.name}"
    if stage.kind != place.kind:
        raise LoadError(f"{owner}: must be of kind {place.kind} as in the core, got {stage.kind}")
    for field in dataclasses.fields(stage):  # type: ignore[arg-type]
        found, wanted = getattr(stage, field.name), getattr(place, field.name)
        if field.name not in FREE and found != wanted:
            raise LoadError(f"{owner}: {field.name} must be {wanted} as in the core, got {found}")
