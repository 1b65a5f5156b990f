"""Networks of look-up tables that others published for jet tagging, as their papers state them."""

from dataclasses import dataclass

from common import markdown


@dataclass(frozen=True)
class Design:
    """Percent of accuracy, LUT6s, flip-flops, MHz and ns of a design, and where it is published."""

    name: str
    accuracy: float
    luts: int
    flip_flops: int
    megahertz: int
    nanoseconds: float
    source: str


POLYLUT = "Andronic and Constantinides, FPT 2023"
NEURALUT = "Andronic and Constantinides, FPL 2024"
ADDED = "Lou, Rademacher, Boland and Leong, FPL 2024"

DESIGNS = (
    Design(
        "LogicNets, JSC-L",
        72,
        37_931,
        810,
        427,
        13,
        "Umuroglu et al., FPL 2020, as NeuraLUT's authors list it",
    ),
    Design("PolyLUT, JSC-M Lite", 72, 12_436, 773, 646, 5, POLYLUT),
    Design("PolyLUT, JSC-XL", 75, 236_541, 2_775, 235, 21, POLYLUT),
    Design("PolyLUT-Add, JSC-M Lite", 72, 895, 189, 750, 4, ADDED),
    Design("PolyLUT-Add, JSC-XL", 75, 36_484, 1_209, 315, 16, ADDED),
    Design("NeuraLUT, JSC-2L", 72, 4_684, 341, 727, 3, NEURALUT),
    Design("NeuraLUT, JSC-5L", 75, 92_357, 4_885, 368, 14, NEURALUT),
    Design("TreeLUT", 75.6, 2_234, 347, 735, 2.7, "Khataei and Bazargan, FPGA 2025"),
)


def table() -> str:
    """A row a design."""
    columns = ["design", "accuracy in percent", "LUT6", "FF", "MHz", "latency in ns", "published"]
    return markdown.table_of_numbers(
        columns,
        [
            [
                design.name,
                f"{design.accuracy:g}",
                f"{design.luts:,}",
                f"{design.flip_flops:,}",
                str(design.megahertz),
                f"{design.nanoseconds:g}",
                design.source,
            ]
            for design in DESIGNS
        ],
    )
