"""Bitstreams: a network with its serial port, placed on a board's FPGA."""

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path

from boards.design import (
    for_serial_line,
    learning_parameters,
    parameters,
    sources_folder,
)
from boards.lessons import plan_id
from boards.line import BAUDRATE
from boards.protocol import network_id
from common import errors, files, results
from common.paths import BUILD, ROOT
from common.programs import last_words
from model import folding
from model.artifact import Network
from model.folding import Goal
from model.images import write_images
from model.learning.backprop import Plan
from model.learning.core import Core
from syn import blocks, synthesis, targets
from syn.synthesis import Design, Placement
from syn.targets import Device, Target

SEED = 1
# Multipliers of a core that learns, where the board has them.
LANES = 30


@dataclass(frozen=True)
class Board:
    """A board: its part, the chip that this is, its clock, its pins.

    ``learning_hertz`` is the clock that its top for learning makes of that one.
    ``pins`` and ``routed`` are nextpnr's option and the file for it: pins in ``boards/``, and what
    ``packer`` makes ``bitstream`` of.
    """

    name: str
    family: str
    chip: str
    part: tuple[str, ...]
    hertz: int
    learning_hertz: int
    pins: tuple[str, str]
    routed: tuple[str, str]
    packer: str
    bitstream: str

    @property
    def learning(self) -> "Board":
        """The same board at the clock of its top for learning."""
        return dataclasses.replace(self, hertz=self.learning_hertz)

    @property
    def multipliers(self) -> int:
        """Those that the layers may have: a softmax of one lane takes two."""
        return self.device.dsps - 2

    @property
    def target(self) -> Target:
        """The family, asked for the board's clock."""
        return dataclasses.replace(targets.target(self.family), frequency=self.hertz // 1_000_000)

    @property
    def device(self) -> Device:
        """The part between its pins and the packer; other pins are another device."""
        pins = files.digest(self.pins_file.read_text())[:8]
        chip = self.target.device(self.chip)
        assert chip is not None
        arguments = (*self.part, *self.pins, *self.routed)
        return dataclasses.replace(chip, name=f"{self.name}-{pins}", arguments=arguments)

    @property
    def pins_file(self) -> Path:
        """Pin constraints: the package pin of each port of the top."""
        return ROOT / "boards" / self.pins[1]


BOARDS = {
    "icebreaker": Board(
        name="icebreaker",
        family="ice40",
        chip="up5k",
        part=("--up5k", "--package", "sg48"),
        hertz=12_000_000,
        learning_hertz=20_250_000,
        pins=("--pcf", "icebreaker.pcf"),
        routed=("--asc", "icebreaker.asc"),
        packer="yowasp-icepack",
        bitstream="icebreaker.bin",
    ),
    "ulx3s": Board(
        name="ulx3s",
        family="ecp5",
        chip="85k",
        part=("--85k", "--speed", "6", "--package", "CABGA381"),
        hertz=25_000_000,
        learning_hertz=25_000_000,
        pins=("--lpf", "ulx3s.lpf"),
        routed=("--textcfg", "ulx3s.config"),
        packer="yowasp-ecppack",
        bitstream="ulx3s.bit",
    ),
}


def fitted(network: Network, board: Board) -> Network:
    """The network at its own fold where the board has the multipliers for it, else a slower one."""
    spec = network.spec
    if sum(layer.multipliers for layer in spec.layers) > board.multipliers:
        spec = folding.meeting(spec, Goal(max_multipliers=board.multipliers))
    return for_serial_line(network.refolded(spec))


def fitted_core(plan: Plan, board: Board) -> Core:
    """A core of as many multipliers as the board has and the plan makes use of, at most `LANES`.

    Raises `CommandError` where the board has none to spare.
    """
    most = min(LANES, board.device.dsps - multipliers_beside(plan))
    if most < 1:
        raise errors.CommandError(f"{board.name}: its {board.device.dsps} multipliers are too few")
    # Fewer that need as many words for each row do not learn slower.
    core = Core(plan, most)
    words = [core.words(layer) for layer in range(plan.layers)]
    for lanes in range(1, most):
        fewer = Core(plan, lanes)
        if [fewer.words(layer) for layer in range(plan.layers)] == words:
            return fewer
    return core


def multipliers_beside(plan: Plan) -> int:
    """Those that the lanes of a core cannot have: the softmax's, and that of taylor2's slope."""
    return plan.softmax.area.multipliers + (plan.score == "taylor2")


def build(network: Network, board: Board) -> tuple[Path, Placement]:
    """The bitstream of ``board`` with ``network`` in it, and what nextpnr says of it.

    Raises `SynthesisError` where a tool fails, `CommandError` where the board's clock is too fast.
    """
    images = BUILD / "boards" / f"{board.name}-{network_id(network):08x}"
    write_images(network, images)
    design = Design(
        f"mlp_{board.name}",
        parameters(network, round(board.hertz / BAUDRATE)),
        images,
        sources_folder(),
        core="mlp_board",
        multipliers=network.spec.area.multipliers,
        blocks=blocks.of_weights(network.spec),
    )
    return packed(design, board, network.spec.name, board.bitstream)


def learning_design(core: Core, board: Board) -> Design:
    """The core that learns, with its link, as ``board`` has it, at its clock for learning."""
    images = BUILD / "boards" / f"{board.name}-learn-{plan_id(core.plan):08x}"
    core.write_images(images)
    return Design(
        f"mlp_{board.name}_learn",
        learning_parameters(core, round(board.learning_hertz / BAUDRATE)),
        images,
        sources_folder(),
        core="mlp_learn_board",
        multipliers=core.lanes + multipliers_beside(core.plan),
    )


def build_learning(core: Core, board: Board, name: str) -> tuple[Path, Placement]:
    """The bitstream of ``board`` that learns with ``core``, called ``name`` where it cannot be.

    Raises as `build` does.
    """
    suffix = Path(board.bitstream).suffix
    return packed(learning_design(core, board), board.learning, name, f"{board.name}-learn{suffix}")


def packed(design: Design, board: Board, name: str, bitstream: str) -> tuple[Path, Placement]:
    """The ``bitstream`` of a design at the pins of ``board``, and its placement.

    Raises as `build` does.
    """
    netlist = synthesis.synthesize(design, board.target, board.device)
    pins = [board.pins_file]
    placed = synthesis.place(netlist, board.target, board.device, SEED, files=pins)
    if placed.megahertz * 1_000_000 < board.hertz:
        raise errors.CommandError(
            f"{board.name}: {name} reaches {placed.megahertz} MHz, "
            f"the clock has {board.hertz / 1_000_000:g}"
        )

    def pack(folder: Path) -> None:
        shutil.copy(placed.folder / board.routed[1], folder)
        done = synthesis.run_tool(board.packer, board.routed[1], bitstream, cwd=folder)
        if done.returncode:
            raise errors.CommandError(f"{board.name}: {board.packer}: {last_words(done)}")

    rests_on = {"placement": placed.folder.name, "tools": synthesis.versions()}
    folder = results.folder(BUILD / "boards" / "packed", board.name, rests_on, pack)
    return folder / bitstream, placed
