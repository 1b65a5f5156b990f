"""Is a mutant that no bench notices the module itself, as far as anyone can see from outside?

Module and mutant stand side by side under the same inputs, from the same reset on. What they owe is
what streams promise: equal valids, equal readies, and equal payloads wherever valid is high. Inputs
are free, resets too, apart from what the module is promised. Registers begin at 0 in both.

A mutant of what nothing reads needs no proof: without it, both consist of the same cells.
"""

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from typing import Any

from syn.yosys import run_yosys
from tb.modules.registry import MODULES
from verify.formal.pdr import Verdict, decide
from verify.mutation import parts
from verify.mutation.netlist_mutants import FOLDER, NETLIST, NetlistMutant, Subject

# A memory that has a port to write it, as a netlist says so.
WRITTEN = re.compile(r"parameter \\WR_PORTS [1-9]")

# A line of a netlist that says what clocks a cell, or at which edge; and that says: nothing.
CLOCKED = re.compile(r"(?:connect|parameter) \\(?:RD_|WR_)?CLK(?:_POLARITY)? .*")
STANDS_STILL = re.compile(r"connect \S+ \d+'[01x]+")

# Enabled cycles after which a part without a stream shows nothing that it began with.
SETTLED = 5

# Duties of users beyond those of a module's description: Verilog over its ports, in which {NAME} is
# a parameter. One of a {lane} is owed in each of N.
WHOLE = "!in_valid || in_last || {LANES} != {N}"  # a vector of one beat is its last
ABOVE_ZERO = "!in_valid || in_total != 0"
WITHIN_TOTAL = "!in_valid || in_scores[{lane}*{SCORE_W} +: {SCORE_W}] <= in_total"
ASSUMED = {
    "mlp_softmax_normalize": (WHOLE,),
    "mlp_softmax_reciprocal": (WITHIN_TOTAL,),
    "mlp_softmax_restoring": (ABOVE_ZERO, WITHIN_TOTAL),
    "mlp_softmax_sum": (WHOLE,),
}


def _is_part(subject: Subject) -> bool:
    """Tell if a module belongs to the core that learns, whose parts have no streams."""
    return not MODULES[subject.case.module].mutated


def _assumed(subject: Subject) -> list[str]:
    """Duties of a module's users, beyond stable payloads."""
    module, parameters = subject.case.module, subject.parameters
    if _is_part(subject):
        return parts.promised(module, parameters)
    count = parameters.get("N")
    lanes = range(count) if isinstance(count, int) else range(1)
    texts = (*MODULES[module].assumed, *ASSUMED.get(module, ()))
    owed = [text.format(**parameters, lane=lane) for text in texts for lane in lanes]
    return list(dict.fromkeys(owed))


def compare(
    subject: Subject, mutant: NetlistMutant, *, seconds: int = 60, undefined_is_zero: bool = False
) -> Verdict | None:
    """Prove that the mutant cannot be told from its module, or refute it.

    None where it has another clock, or edge: no proof tells edges apart, and `clk` rising is the
    only one that a source may have.

    ``undefined_is_zero`` is for parts whose memories' users stand inside: nobody can be held to
    address no word beyond the last, so that one is 0 in both copies, not any value in each.
    """
    digest = hashlib.sha256(mutant.change.encode()).hexdigest()[:16]
    folder = FOLDER / "proofs" / f"{mutant.name}-{digest}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(subject.folder / NETLIST, folder)
    (folder / "miter.v").write_text(miter(subject))
    # A memory that is written is so in each copy by itself; tables stay one cell.
    written = _is_part(subject) or WRITTEN.search((folder / NETLIST).read_text())
    lowered = ["memory_map"] if written else []
    lowered += ["setundef -undriven -zero"] if undefined_is_zero else []
    design = []
    for name, change in (("gold", []), ("gate", [f"mutate {mutant.change}"])):
        design += [f"read_rtlil {NETLIST}", *change, "flatten", *lowered]
        design += [f"rename {subject.inner} {name}", "setundef -zero -init"]
        # What a clock that stands still has begun with, it keeps.
        design += ["opt_expr -keepdc", "opt_dff -keepdc", "opt_clean -purge"]
        design += [f"select {name}", f"write_rtlil -selected {name}.il", "select -clear"]
        design.append("design -reset")
    run_yosys(design, folder, "copies")
    gold, gate = ((folder / f"{name}.il").read_text() for name in ("gold", "gate"))
    if contents(gold) == contents(gate):
        return Verdict(True, 0)
    if has_another_clock(gate, gold):
        return None
    design = ["read_rtlil gold.il", "read_rtlil gate.il", "read_verilog -formal miter.v"]
    return decide([*design, "prep -top miter"], folder, seconds=seconds)


def has_another_clock(gate: str, gold: str) -> bool:
    """Tell if a cell of a module in RTLIL has a clock, or an edge of it, that the other has not."""
    found = set(CLOCKED.findall(gate)) - set(CLOCKED.findall(gold))
    return not all(STANDS_STILL.fullmatch(line) for line in found)


def contents(rtlil: str) -> Counter[str]:
    """Wires, memories, cells and connections of a module in RTLIL, without the names of cells."""
    items: list[list[str]] = []
    begins: list[str] = []
    for line in rtlil.splitlines():
        if line.startswith("  attribute \\init "):
            begins = [line]
        elif re.match(r"  (?!attribute |end$)\S", line):
            items.append([*begins, re.sub(r"^(  cell \S+) .*", r"\1", line)])
            begins = []
        elif line.startswith("    ") and not line.lstrip().startswith("attribute "):
            items[-1].append(line)
    return Counter("\n".join(item) for item in items)


def miter(subject: Subject) -> str:
    """Verilog of the module beside its mutant, with what is assumed and what is asserted."""
    ports = {name: (port["direction"], len(port["bits"])) for name, port in subject.ports.items()}
    inputs = {name: bits for name, (direction, bits) in ports.items() if direction == "input"}
    outputs = {name: bits for name, (direction, bits) in ports.items() if direction == "output"}
    lines = ["module miter ("]
    free = inputs if "clk" in inputs else {"clk": 1, **inputs}
    lines.append(",\n".join(f"    input wire [{bits - 1}:0] {name}" for name, bits in free.items()))
    lines.append(");")
    for name, bits in outputs.items():
        lines.append(f"    wire [{bits - 1}:0] gold_{name}, gate_{name};")
    for copy in ("gold", "gate"):
        wires = [f".{name}({name})" for name in inputs]
        wires += [f".{name}({copy}_{name})" for name in outputs]
        lines.append(f"    {copy} u_{copy} ({', '.join(wires)});")
    if _is_part(subject):
        body = parts.checks(subject.case.module, inputs, outputs)
    else:
        body = _streaming(inputs, outputs) if _valids(outputs) else _settled(inputs, outputs)
    promises = [f"        assume ({text});" for text in _assumed(subject)]
    clocked = "    always @(posedge clk) begin"
    return "\n".join([*lines, *body[0], clocked, *promises, *body[1], "    end", "endmodule\n"])


def _valids(names: Mapping[str, Any]) -> list[str]:
    return [name for name in names if name.endswith("valid")]


def _streaming(
    inputs: Mapping[str, int], outputs: Mapping[str, int]
) -> tuple[list[str], list[str]]:
    """Declarations and checks of a module with streams."""
    checks = []
    (valid,) = _valids(outputs)
    prefix = valid.removesuffix("valid")
    for name in outputs:
        gate = f" || !gold_{valid}" if name.startswith(prefix) and name != valid else ""
        checks.append(f"        assert (gold_{name} == gate_{name}{gate});")
    if "clk" not in inputs:
        return [], checks
    checks = ["    " + check for check in checks]
    declarations = ["    reg started = 1'b0;"]
    body = ["        started <= 1'b1;", "        if (!started) begin", "            assume (rst);"]
    body += ["        end else begin", *checks, "        end"]
    source = next(name for name in _valids(inputs)).removesuffix("valid")
    payload = [name for name in inputs if name.startswith(source) and not name.endswith("valid")]
    held = ", ".join([f"{source}valid", *payload])
    bits = sum(inputs[name] for name in payload) + 1
    declarations += [f"    reg [{bits - 1}:0] before;", "    reg stalled = 1'b0;"]
    body += [
        f"        before <= {{{held}}};",
        f"        stalled <= {source}valid && !gold_{source}ready && !rst;",
        f"        if (stalled) assume (before == {{{held}}});",
    ]
    return declarations, body


def _settled(inputs: Mapping[str, int], outputs: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Declarations and checks of a part that only delays: once it has forgotten its beginning."""
    checks = [f"assert (gold_{name} == gate_{name});" for name in outputs]
    return (
        ["    reg [3:0] enabled = 4'd0;"],
        [
            f"        if (en && enabled != {SETTLED}) enabled <= enabled + 1'b1;",
            f"        if (enabled == {SETTLED}) begin",
            *(f"            {check}" for check in checks),
            "        end",
        ],
    )
