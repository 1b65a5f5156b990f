"""The widths of every tensor of a network, as its recipe gives them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from model.format import MAX_FRAC, MAX_WIDTH, MIN_FRAC, MIN_WIDTH, require, require_integer

CALIBRATIONS = ("max", "mse")


@dataclass(frozen=True)
class InputFormat:
    """The input's format; calibration finds its ``frac`` where none is given."""

    width: int
    frac: int | None = None

    def __post_init__(self) -> None:
        require_integer("format", MIN_WIDTH, MAX_WIDTH, width=self.width)
        if self.frac is not None:
            require_integer("format", MIN_FRAC, MAX_FRAC, frac=self.frac)


@dataclass(frozen=True)
class Widths:
    """One layer's own widths, where they are not those of all."""

    weights_width: int | None = None
    activations_width: int | None = None

    def __post_init__(self) -> None:
        given = {key: value for key, value in vars(self).items() if value is not None}
        require_integer("formats", MIN_WIDTH, MAX_WIDTH, **given)


@dataclass(frozen=True)
class Formats:
    """The input's format, and the widths of all others: calibration finds their fractions.

    ``calibration`` is "max", the finest format that holds every value, or "mse", that of the least
    squared error. ``layers`` has layers whose widths differ, by name.
    """

    input: InputFormat
    weights_width: int
    activations_width: int
    calibration: str = "max"
    layers: Mapping[str, Widths] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_integer(
            "formats",
            MIN_WIDTH,
            MAX_WIDTH,
            weights_width=self.weights_width,
            activations_width=self.activations_width,
        )
        require(
            self.calibration in CALIBRATIONS,
            f"formats: calibration must be one of {', '.join(CALIBRATIONS)}, "
            f"got {self.calibration!r}",
        )

    def of_weights(self, layer: str) -> int:
        """Bits of a layer's weights."""
        return self.layers.get(layer, Widths()).weights_width or self.weights_width

    def of_outputs(self, layer: str) -> int:
        """Bits of a layer's outputs."""
        return self.layers.get(layer, Widths()).activations_width or self.activations_width

    def check(self, layers: Sequence[tuple[str, str]]) -> None:
        """Raise `SpecError` unless these are widths for layers of ``(name, weights)``.

        Layers that share their weights share the width of them.
        """
        names = [name for name, _ in layers]
        unknown = sorted(set(self.layers) - set(names))
        require(
            not unknown,
            f"formats.layers: a name must be one of {', '.join(names)}, got {', '.join(unknown)}",
        )
        by_matrix: dict[str, dict[int, str]] = {}
        for name, matrix in layers:
            by_matrix.setdefault(matrix, {}).setdefault(self.of_weights(name), name)
        for matrix, widths in by_matrix.items():
            uses = " and ".join(f"{width} in {name}" for width, name in widths.items())
            require(
                len(widths) == 1,
                f"formats.layers: the shared {matrix} must have one weights_width, got {uses}",
            )

    def at(self, width: int) -> "Formats":
        """The same with ``width`` bits for all weights and activations; the input stays."""
        return dataclasses.replace(self, weights_width=width, activations_width=width, layers={})
