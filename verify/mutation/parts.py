"""Mutants by Yosys in the core that learns: each part at its own bench, with a miter of its own.

A part is no module with one stream in and one out: the proof compares every output in every cycle
from the same reset on, wherever the part's users look at it.
"""

import dataclasses
import functools
import re
import shutil
from collections.abc import Mapping
from typing import Any

from common import jobs
from common.jobs import Job
from tb.modules import learning
from tb.modules.registry import case_named
from verify import cases
from verify.formal.pdr import Verdict, decide
from verify.mutation import judge
from verify.mutation.judge import PROOF_SECONDS, Case, Told
from verify.mutation.netlist_mutants import FOLDER, NETLIST, NetlistMutant, Subject, quotas

HERE = "verify.mutation.learning"
# The settings that run under both simulators are mutated.
SUBJECTS: dict[str, tuple[str, ...]] = {
    module.name: tuple(case.name for case in module.cases_on_both)
    for module in learning.MODULES
    if module.cases_on_both
}
DROPS = "{signal} <= {{DROP_MAX}} - {{DROP_MIN}}"
LAYER = "{signal} < {{N_LAYERS}}"
# What the users of a part owe it: Verilog over its ports, in which {NAME} is a parameter.
ASSUMED: dict[str, tuple[str, ...]] = {
    "mlp_learn_ram": ("addr < {DEPTH}", "write_addr < {DEPTH}"),
    "mlp_learn_bias": ("row < {ROWS}", "frac <= 8", DROPS.format(signal="drop")),
    "mlp_learn_dither": (DROPS.format(signal="above + halvings"),),
    "mlp_learn_formats": (LAYER.format(signal="layer"),),
    "mlp_learn_forward": ("in_lacks <= {SHIFT_MAX} - {SHIFT_MIN}",),
    "mlp_learn_input": ("!out_free || gold_out_valid", "addr < ({N} + {LANES} - 1) / {LANES}"),
    "mlp_learn_lane": (DROPS.format(signal="update_drop"), "!in_backward || !in_update"),
    "mlp_learn_layers": (LAYER.format(signal="layer"),),
    "mlp_learn_operands": ("x_addr < {WORDS}", "d_addr < {DELTAS}"),
    "mlp_learn_order": ("!step || gold_found", "samples != 0"),
    "mlp_learn_phase": ("!begins || gold_idle", "!pass || !gold_idle"),
    "mlp_learn_timing": (LAYER.format(signal="in_layer"), "!in_backward || !in_update"),
    "mlp_learn_update": (DROPS.format(signal="in_drop"),),
    "mlp_learn_walk": ("!step || gold_here",),
}
# Where an output is looked at; the others are, in every cycle.
SEEN: dict[str, dict[str, str]] = {
    "mlp_learn_backward": {"out_d": "gold_out_valid"},
    "mlp_learn_error": dict.fromkeys(("out_d", "out_last"), "gold_out_valid"),
    "mlp_learn_forward": dict.fromkeys(("out_y", "out_last", "out_final"), "gold_out_valid"),
    "mlp_learn_input": dict.fromkeys(("out_learn", "out_label"), "gold_out_valid"),
    "mlp_learn_order": {
        "out_last": "gold_out_valid",
        "out_index": "gold_out_valid",
        "index": "gold_found",
        "position": "gold_busy",
        "word": "gold_busy",
    },
    "mlp_learn_phase": {"layer": "!gold_idle"},
    "mlp_learn_random": {"start_master": "gold_start_made"},
    "mlp_learn_sequence": dict.fromkeys(
        (
            *("out_backward", "out_update", "out_layer", "out_place"),
            *("out_word", "out_row", "out_x", "out_d"),
        ),
        "gold_out_valid",
    ),
    "mlp_learn_start": {"out_master": "gold_out_valid"},
    "mlp_learn_walk": {
        "last": "gold_here",
        "bias": "gold_here",
        "word": "gold_here && !gold_bias",
        "lane": "gold_here && !gold_bias",
        "row": "gold_here && gold_bias",
    },
}


class Part(Subject):
    """A part of the core that learns, elaborated at a case's parameters; some have none."""

    def _shell(self) -> str:
        return super()._shell().replace("#(\n\n) (", "(")


@functools.cache
def part_of(case: str) -> Part:
    """The subject of the case with this name."""
    return Part(case_named(case))


def proposed(case: str, count: int, seed: int) -> dict[str, Any]:
    """Mutants of a case, as `netlist_mutants.proposed` gives them."""
    part = part_of(case)
    changes = [mutant.change for mutant in part.mutants(count, seed).every]
    return {"changes": changes, "netlist": part.digest, "inputs": part.inputs}


def of_netlist(
    case: str, found: Mapping[str, Any], number: int | None, count: int, seed: int
) -> Case:
    """Mutant ``number`` of those that Yosys proposed; None is the part as it is."""
    if number is None:
        made = judge.of_unchanged(case, found, count, seed)
    else:
        made = judge.of_netlist(case, found, number, count, seed)
    notice = dataclasses.replace(made.notice, function=f"{HERE}:notice")
    prove = made.prove and dataclasses.replace(
        made.prove,
        function=f"{HERE}:prove",
        rests_on={**jobs.rests_on(HERE, tops=[], without=[cases.REGISTRY]), **_own(found, made)},
    )
    return dataclasses.replace(made, notice=notice, prove=prove)


def _own(found: Mapping[str, Any], made: Case) -> dict[str, Any]:
    return {"netlist": found["netlist"], "change": made.change}


def netlist_cases(count: int, seed: int, workers: int) -> tuple[list[Case], list[Case]]:
    """A case of each part as it is, and one of each mutant by Yosys, over all parts."""
    shares = {case: share for case, share in quotas(count, SUBJECTS).items() if share}
    work = [job(case, share, seed) for case, share in shares.items()]
    done = jobs.run("parts to mutate", work, FOLDER / "proposals", workers=workers)
    unchanged, mutants = [], []
    for (case, share), found in zip(shares.items(), done, strict=True):
        told = found.result
        unchanged.append(of_netlist(case, told, None, share, seed))
        mutants += [
            of_netlist(case, told, number, share, seed) for number in range(len(told["changes"]))
        ]
    return unchanged, mutants


def job(case: str, count: int, seed: int) -> Job:
    """The job that proposes a case's mutants."""
    rests_on = cases.rests_on([HERE], case_named(case).module)
    arguments = {"case": case, "count": count, "seed": seed}
    return Job(case, f"{HERE}:proposed", arguments, rests_on)


def notice(case: str, number: int | None, count: int, seed: int) -> Told:
    """Complaint of the part's bench about a mutant; None where it passes."""
    part = part_of(case)
    mutants = part.mutants(count, seed)
    mutant = None if number is None else mutants.every[number]
    return {"complaint": judge.complaint_of(part, mutants, mutant)}


def prove(case: str, number: int, count: int, seed: int) -> Told:
    """The outcome of a proof that a mutant is its part, and how far it got."""
    part = part_of(case)
    return proof_of(part, part.mutants(count, seed).every[number])


def proof_of(part: Part, mutant: NetlistMutant) -> Told:
    """Decide if a mutant cannot be told from its part."""
    proof = compare(part, mutant, seconds=PROOF_SECONDS)
    if proof.holds:
        return {"outcome": "equivalent", "why": f"proved, {proof.frames} frames"}
    told = f"a run of {proof.frames} cycles tells them apart"
    return {"outcome": "survived", "why": told if proof.holds is False else "no proof either"}


def compare(part: Part, mutant: NetlistMutant, *, seconds: int = PROOF_SECONDS) -> Verdict:
    """Prove that the mutant cannot be told from its part, or refute it."""
    if re.search(r"-port (CLK|clk|RD_CLK) ", mutant.change):
        return Verdict(None, 0)  # a proof has one clock, whose edges it does not tell apart
    folder = FOLDER / "proofs" / mutant.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(part.folder / NETLIST, folder)
    (folder / "miter.v").write_text(miter(part))
    design = []
    for name, change in (("gold", []), ("gate", [f"mutate {mutant.change}"])):
        design += [f"read_rtlil {NETLIST}", *change, "flatten", "memory_map"]
        design += [f"rename {part.inner} {name}", "setundef -zero -init", f"select {name}"]
        design += [f"write_rtlil -selected {name}.il", "select -clear", "design -reset"]
    design += ["read_rtlil gold.il", "read_rtlil gate.il", "read_verilog -formal miter.v"]
    return decide([*design, "prep -top miter"], folder, seconds=seconds)


def miter(part: Part) -> str:
    """Verilog of the part beside its mutant, with what is assumed and what is asserted."""
    module = part.case.module
    inputs, outputs = (
        {
            name: len(port["bits"])
            for name, port in part.ports.items()
            if port["direction"] == direction
        }
        for direction in ("input", "output")
    )
    free = inputs if "clk" in inputs else {"clk": 1, **inputs}
    ports = ",\n".join(f"    input wire [{bits - 1}:0] {name}" for name, bits in free.items())
    lines = [f"module miter (\n{ports}\n);"]
    for name, bits in outputs.items():
        lines.append(f"    wire [{bits - 1}:0] gold_{name}, gate_{name};")
    for copy in ("gold", "gate"):
        wires = [f".{name}({name})" for name in inputs]
        wires += [f".{name}({copy}_{name})" for name in outputs]
        lines.append(f"    {copy} u_{copy} ({', '.join(wires)});")
    lines += ["    reg started = 1'b0;", "    always @(posedge clk) begin"]
    lines.append("        started <= 1'b1;")
    if "rst" in inputs:
        lines.append("        if (!started) assume (rst);")
    lines += [
        f"        assume ({text.format(**part.parameters)});" for text in ASSUMED.get(module, ())
    ]
    for name in outputs:
        where = SEEN.get(module, {}).get(name)
        wanted = f"gold_{name} == gate_{name}"
        lines.append(f"        if (started) assert ({wanted}{f' || !({where})' if where else ''});")
    return "\n".join([*lines, "    end", "endmodule\n"])
