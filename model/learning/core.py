"""The core that learns a plan with so many multipliers: its parameters, its images, its cycles.

What `mlp_learn_top` is told is derived here, once, and so is the number of cycles that it takes.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from model.format import Int, require, require_integer, tree_levels
from model.images import write_image, write_softmax_images
from model.learning.backprop import CODE_W, DELTA, MASTER, WEIGHT, Plan, order, slopes
from model.learning.counts import COUNT_W, Counts
from model.learning.learner import State
from model.stage import PACK_CYCLES, UNPACK_CYCLES, Parameter
from model.stages.linear import REQUANTIZE_CYCLES

# The module that the parameters are of.
TOP = "mlp_learn_top"

SLOPES_IMAGE = "slopes.mem"
SLOPE_W = 10
MAX_LANES = 256

# Cycles from an issue to its products, and to its sum.
PRODUCT_CYCLES, SUM_CYCLES = 3, 4
# From a master's address to the first cycle in which the new one can be read.
UPDATE_CYCLES = 6
# The way from a group's last issue to the first cycle in which a delta of it can be used.
DRAIN_CYCLES, WRITE_CYCLES = 1, 1
TAYLOR2_ERROR_CYCLES = 4


@dataclass(frozen=True)
class Core:
    """A plan in ``lanes`` multipliers. Raises `SpecError` where ``lanes`` is not 1 .. 256."""

    plan: Plan
    lanes: int

    def __post_init__(self) -> None:
        require_integer("core", 1, MAX_LANES, lanes=self.lanes)
        require(len(self.plan.drops) >= 1, "core: drops must have 1 to 4 entries, got none")

    def groups(self, layer: int) -> int:
        """Words that hold a row of a layer's masters."""
        return -(-self.plan.sizes[layer] // self.lanes)

    def rest(self, layer: int) -> int:
        """Masters in the last word of a row."""
        return self.plan.sizes[layer] - (self.groups(layer) - 1) * self.lanes

    def words(self, layer: int) -> int:
        """Words that hold all of a layer's masters: issues of a pass."""
        return self.plan.sizes[layer + 1] * self.groups(layer)

    def parameters(self, mem_dir: str) -> dict[str, Parameter]:
        """Parameters of ``mlp_learn_top``; a tuple has one entry a layer, the first layer first."""
        plan = self.plan
        layers = range(plan.layers)
        firsts = [plan.sets.index(number) for number in range(len(plan.ranges))]
        words, rows = sum(map(self.words, firsts)), sum(plan.sizes[f + 1] for f in firsts)
        x_words, deltas = sum(map(self.groups, layers[1:])), sum(plan.sizes[1:])
        fracs = tuple(plan.x(layer).frac for layer in range(plan.layers + 1))
        shifts = [plan.shift(layer) for layer in layers]
        drops = [
            plan.dropped(layer, plan.eta + more)
            for layer in layers
            for more in (0, len(plan.drops))
        ]
        most = max(plan.sizes[:-1]) * (1 << (WEIGHT.width + CODE_W - 2)) - MASTER.q_min
        below = max(plan.sizes[1:]) * (1 << (WEIGHT.width + DELTA.width - 2))
        softmax = plan.softmax
        return {
            "N_LAYERS": plan.layers,
            "N": plan.sizes,
            "SET": plan.sets,
            "RELU": tuple(map(int, plan.relu)),
            "FRAC": fracs,
            "RANGE": tuple(plan.ranges[number] for number in plan.sets),
            "N_DROPS": len(plan.drops),
            "LANES": self.lanes,
            "LAYER_W": max(1, (plan.layers - 1).bit_length()),
            "ADDR_W": max(words, rows, x_words, deltas, *plan.sizes).bit_length(),
            "WORDS": words,
            "ROWS": rows,
            "X_WORDS": max(1, x_words),
            "DELTAS": deltas,
            "FRAC_MIN": min(fracs[:-1]),
            "SHIFT_MIN": min(shifts),
            "SHIFT_MAX": max(shifts),
            "DROP_MIN": min(drops),
            "DROP_MAX": max(drops),
            "ACC_W": max(most.bit_length() + 1, max(shifts) + CODE_W),
            "SUM_W": below.bit_length() + 1,
            "SCORE": plan.score,
            "DIVIDER": plan.divider,
            "SCORE_W": softmax.score_w,
            "TOTAL_W": softmax.total_w,
            "MEM_DIR": mem_dir,
        }

    def write_images(self, folder: Path) -> None:
        """Write the tables of the softmax and of its slope as words for ``$readmemh``."""
        write_softmax_images(self.plan.softmax, folder)
        if self.plan.score == "taylor2":
            frac = self.plan.x(self.plan.layers).frac
            write_image(
                folder / SLOPES_IMAGE, (slopes(frac) & ((1 << SLOPE_W) - 1)).tolist(), SLOPE_W
            )

    @property
    def output_cycles(self) -> int:
        """From a row's last issue to the cycle in which its output leaves requantization."""
        return PRODUCT_CYCLES + tree_levels(self.lanes) + 1 + REQUANTIZE_CYCLES

    @property
    def delta_cycles(self) -> int:
        """From a group's last issue to the first cycle in which its first delta can be used."""
        return SUM_CYCLES + DRAIN_CYCLES + REQUANTIZE_CYCLES + WRITE_CYCLES

    @property
    def forward_cycles(self) -> int:
        """From the cycle that takes a sample to the last issue of the way forward.

        A layer's first row waits for the last output of the layer below.
        """
        ready = self.output_cycles + WRITE_CYCLES
        total = 0
        for layer in range(self.plan.layers):
            groups = self.groups(layer)
            total += max(groups, ready if layer else 0) + self.words(layer) - groups
        return total

    @property
    def answer_cycles(self) -> int:
        """From the cycle that takes a sample to the one in which its probabilities leave."""
        softmax = PACK_CYCLES + self.plan.softmax.latency
        return self.forward_cycles + self.output_cycles + softmax

    @property
    def cycles(self) -> int:
        """Cycles per learned sample, from one taken to the next.

        Each phase waits for what it needs: the way back for deltas of the layer above, the update
        for deltas of the first layer.
        """
        plan = self.plan
        error = UNPACK_CYCLES + (TAYLOR2_ERROR_CYCLES if plan.score == "taylor2" else 0)
        # `at` is the cycle of a pass' last issue, `deltas` those in which each delta can be used.
        at = self.answer_cycles + error
        deltas = [at + WRITE_CYCLES + n for n in range(plan.sizes[-1])]
        for layer in range(plan.layers - 1, 0, -1):
            apart = max(plan.sizes[layer + 1], self.lanes)
            first = max(at + plan.sizes[layer + 1], deltas[-1])
            ends = [first + group * apart for group in range(self.groups(layer))]
            at = ends[-1]
            deltas = [
                ends[i // self.lanes] + self.delta_cycles + i % self.lanes
                for i in range(plan.sizes[layer])
            ]
        for layer in range(plan.layers - 1, 0, -1):
            at += self.words(layer) + self.gap(layer)
        groups, rows = self.groups(0), len(deltas)
        at = max(at + self.words(0), *(d + (rows - n) * groups - 1 for n, d in enumerate(deltas)))
        return at + self.gap(0) + 1

    @property
    def predict_cycles(self) -> int:
        """Cycles per sample that is not learned, from one taken to the next."""
        return self.answer_cycles + 1

    def gap(self, layer: int) -> int:
        """Cycles after a pass of updates that is shorter than their pipeline."""
        return UPDATE_CYCLES - 1 if self.words(layer) < UPDATE_CYCLES else 0


def uncounted(packed: int) -> Counts:
    """The core's ``counts``, 32 bits each: activations in the low ones, then deltas and so on.

    >>> uncounted(7 << 96 | 5)
    Counts(activations=5, deltas=0, masters=0, wrong=7)
    """
    return Counts(
        *(packed >> (COUNT_W * k) & ((1 << COUNT_W) - 1) for k in range(len(fields(Counts))))
    )


def stream(plan: Plan, state: State) -> Int:
    """The words of a load or save: masters, then LFSR, order, next index, epoch, position."""
    index = int(order(plan.samples, state.word)[state.position])
    tail = [state.lfsr, state.word, index, state.epoch, state.position]
    masters = np.concatenate([rows.ravel() for rows in state.masters])
    return np.concatenate([masters & 0xFFFF, np.array(tail)])


def unstream(plan: Plan, words: Int) -> State:
    """The inverse of `stream`."""
    masters, at = [], 0
    for n_out, n_in in plan.shapes:
        size = n_out * (n_in + 1)
        codes = words[at : at + size].astype(np.int64)
        masters.append((codes - ((codes & 0x8000) << 1)).reshape(n_out, n_in + 1))
        at += size
    lfsr, word, _, epoch, position = map(int, words[at:])
    return State(masters, lfsr, word, epoch, position)
