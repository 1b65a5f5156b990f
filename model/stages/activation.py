"""An activation by table, behind the requantization of a layer."""

import math
from dataclasses import dataclass

from model.format import Format, Int, require
from model.functions import FUNCTIONS, table
from model.tables import MAX_TABLE_W

TABLE_CYCLES = 1


@dataclass(frozen=True)
class Activation:
    """A function of `model.functions`, with its arguments: codes of ``x`` to those of a layer.

    ``x`` is the format that sums are requantized to, of at most 12 bits.
    """

    function: str
    x: Format
    arguments: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        owner = "activation"
        require(
            isinstance(self.function, str) and self.function in FUNCTIONS,
            f"{owner}: function must be one of {', '.join(FUNCTIONS)}, got {self.function!r}",
        )
        names, given = FUNCTIONS[self.function].arguments, self.arguments
        legal = isinstance(given, list | tuple) and len(given) == len(names)
        legal = legal and all(isinstance(a, float) and math.isfinite(a) for a in given)
        words = f"the floats {', '.join(names)}" if names else "none"
        require(legal, f"{owner}: arguments of {self.function} must be {words}, got {given!r}")
        object.__setattr__(self, "arguments", tuple(given))
        require(
            self.function != "clamp" or given[0] <= given[1],
            f"{owner}: clamp must have a low of at most its high, got {given!r}",
        )
        require(
            self.x.width <= MAX_TABLE_W,
            f"{owner}: a table of {self.function} takes codes of at most {MAX_TABLE_W} bits, got "
            f"{self.x.width}",
        )

    @property
    def name(self) -> str:
        """``tanh``, ``leaky_relu(0.25)``."""
        given = ", ".join(f"{a:g}" for a in self.arguments)
        return f"{self.function}({given})" if given else self.function

    def table(self, y: Format) -> Int:
        """Codes of ``y`` for each code of ``x``, in two's complement: ``[2**x.width]``."""
        return table(self.function, self.arguments, self.x, y)
