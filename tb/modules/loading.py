"""Modules that replace weights while a core runs: memories of two banks, and what fills them."""

from dataclasses import dataclass
from pathlib import Path

from tb.modules.arithmetic import RandomWords
from tb.modules.case import Parameters, Prepared, plain
from tb.modules.description import Module
from tb.modules.mutant import mistake

BENCH = "parts_bench"


@dataclass(frozen=True)
class RandomBanks:
    """A memory of random words at power-up, loadable or not."""

    width: int
    depth: int
    loadable: int = 1

    @property
    def name(self) -> str:
        """``20-6-1``."""
        return f"{self.width}-{self.depth}-{self.loadable}"

    @property
    def shown(self) -> Parameters:
        """Width, number of words, and whether they can be replaced."""
        return {"WIDTH": self.width, "DEPTH": self.depth, "LOADABLE": self.loadable}

    def prepare(self, folder: Path) -> Prepared:
        """Write the words; return the parameters."""
        parameters, options = RandomWords(self.width, self.depth).prepare(folder)
        return self.shown | {"FILE": parameters["FILE"]}, options


MODULES = (
    Module(
        "mlp_loadable_rom",
        None,
        {"WIDTH": "1 or more", "DEPTH": "1 or more", "LOADABLE": "0 .. 1", "FILE": "image"},
        on_both=(RandomBanks(20, 6), RandomBanks(70, 1)),
        more=(RandomBanks(1, 4), RandomBanks(32, 8), RandomBanks(12, 5, 0)),
        mutated=("20-6-1", "70-1-1"),
        mistakes=(
            mistake(
                "loads-the-bank-that-answers",
                "20-6-1",
                "assign to   = {!bank, word}",
                "assign to   = {bank, word}",
            ),
            mistake(
                "one-word-loads-the-bank-that-answers",
                "70-1-1",
                "assign to   = !bank",
                "assign to   = bank",
            ),
            mistake("loads-without-its-turn", "20-6-1", "write && turn && !full", "write && !full"),
            mistake("loads-when-full", "20-6-1", "write && turn && !full", "write && turn"),
            mistake("never-restarts", "20-6-1", "if (restart) begin", "if (restart && full) begin"),
            mistake("loadable-rom-ignores-enable", "20-6-1", "if (en)", "if (en || !en)"),
            mistake(
                "full-one-word-early",
                "32-8-1",
                "DEPTH[ADDR_W-1:0] - 1'b1",
                "DEPTH[ADDR_W-1:0] - 2'd2",
            ),
        ),
        bench=BENCH,
        assumed=("addr < {DEPTH}",),
    ),
    Module(
        "mlp_load",
        None,
        {"LOADABLE": "0 .. 1"},
        on_both=(plain(LOADABLE=1),),
        more=(plain(LOADABLE=0),),
        mutated=("1",),
        mistakes=(
            mistake("takes-a-wrong-checksum", "1", " && next == RESIDUE", ""),
            mistake("takes-a-frame-of-any-length", "1", "behind == 3'd3 && ", ""),
            mistake("takes-a-long-frame", "1", "behind == 3'd3", "behind >= 3'd3"),
            mistake("counts-long-frames-round", "1", "full && !behind[2]", "full"),
            mistake(
                "checksum-goes-on-from-frame-to-frame",
                "1",
                "if (rst || ends) begin",
                "if (rst) begin",
            ),
            mistake("banks-change-under-way", "1", " && vectors == {COUNT_W{1'b0}}", ""),
            mistake("banks-change-before-a-vector-that-waits", "1", "hold && !waits", "hold"),
            mistake(
                "banks-change-before-beats-are-held", "1", "complete && hold && ", "complete && "
            ),
            mistake("takes-a-frame-while-one-is-complete", "1", "!ends && !complete", "!ends"),
            mistake(
                "beats-are-never-released",
                "1",
                "complete && !changes && (",
                "(complete || hold) && (",
            ),
            mistake(
                "holds-a-beat-back-that-was-offered", "1", " && (!out_valid || out_ready);", ";"
            ),
            mistake("reset-changes-banks", "1", "if (changes && !rst)", "if (changes || rst)"),
            mistake("refuses-in-silence", "1", "is_refused <= ends && !good", "is_refused <= 1'b0"),
        ),
        bench=BENCH,
    ),
)
