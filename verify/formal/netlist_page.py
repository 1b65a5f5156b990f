"""Words of docs/results/netlists.md."""

INTRODUCTION = """# The netlist is the RTL

`make verify-netlist-proofs` writes this page. Its netlist is the one that nextpnr places: IrisNet
as it ships, at its own fold and with its weights, flattened, in cells of ECP5 with its multipliers
in DSPs.

**Theorem.** From every state of the netlist on, for all time and every input, outputs are those of
the RTL in the state of the same names. No reset is needed for that, and no width is reduced.

Each register of the RTL has the value of what the netlist calls by its name: a register, or a
constant; one register of the netlist may stand for several. A register whose name the netlist has
no longer, as nothing reads it, is taken to be 0. An induction over one cycle: if all of this holds
in a cycle, outputs are equal in it, and it holds in the next. Cut at registers, that are functions
of a few dozen bits each, in the table by module. ABC merges what it proves equal (`fraig`); what is
left is asked singly (`iprove`). A function that is refuted ends the command.

* *Open functions.* Where the RTL reads beyond the end of a ROM its word is any value; the netlist
  may have one that it likes. Whether such words matter is a question to the RTL, answered by
  [neurons.md](neurons.md).
* *Products cut.* Where products are DSPs, a product is any function of its two operands, the same
  on both sides: sums, pipelines and control are compared, and so are the bits of each operand.
  Where products are LUTs, they are compared bit by bit with the sum of their rows.
* *Mutants.* A bit of a LUT is flipped, and all that rests on it is asked again. The netlist is then
  refuted, or still equal, where no state and no input reads that bit.

**Trusted:** Yosys' reading of the Verilog, which made the netlist too, and its models of the cells,
but for `MULT18X18D` and `DP16KD`, which it has none of: they are written after Lattice's guides in
`verify/formal/netlist_cells.py`. ABC. That registers keep their names, whose loss would be refused.

**Not proved here:** other folds and networks; IrisNet on iCE40, of which `make test` proves a small
network alone, its products in LUTs; placement, routing and bitstream.

"""
