"""Words of docs/results/netlists.md."""

INTRODUCTION = """# The netlist is the RTL

`make verify-netlist-proofs` writes this page. Its netlists are those that Yosys makes of IrisNet
with its weights, flattened: in cells of an ECP5 at the fold that ships, and in cells of an iCE40 at
the fold of an UP5K, both with their multipliers in DSPs.

**Theorem.** From every state of a netlist on, for all time and every input, outputs are those of
the RTL in the state of the same names. No reset is needed for that, and no width is reduced.

Each register of the RTL has the value of what the netlist calls by its name: a register, or a
constant; one register of the netlist may stand for several. Where the name is lost, as of a
register that has moved into a DSP, it is a register of the netlist that does the same in cases
drawn at random; where there is none, as nothing reads it, it is taken to be 0. Whatever is taken
for it must hold in the next cycle: a wrong guess refutes a netlist, and proves none. An induction
over one cycle: if all of this holds in a cycle, outputs are equal in it, and it holds in the next.
Cut at registers, that are functions of a few dozen bits each, in the table by module. ABC merges
what it proves equal (`fraig`); what is left is asked singly (`iprove`). A function that is refuted
ends the command.

* *Open functions.* Where the RTL reads beyond the end of a ROM its word is any value; the netlist
  may have one that it likes. Whether such words matter is a question to the RTL, answered by
  [neurons.md](neurons.md).
* *Products cut.* Where products are DSPs, a product is any function of its two operands, the same
  on both sides: sums, pipelines and control are compared, and so are the bits of each operand.
  Where products are LUTs, they are compared bit by bit with the sum of their rows.
* *Mutants.* A bit of a LUT is flipped, and all that rests on it is asked again. The netlist is then
  refuted, or still equal, where no state and no input reads that bit.

**Trusted:** Yosys' reading of the Verilog, which made the netlist too, and its models of the cells,
but for those of products and block RAMs, which are written after Lattice's guides in
`verify/formal/netlist_models.py`: `MULT18X18D` and `DP16KD`, which Yosys has none of, `SB_MAC16`
and `SB_RAM40_4K`, whose models simulate as Yosys' do (`tests/verify/test_netlist_models.py`). Where
both operands of an `SB_MAC16` are the same, its two registers of them are one, which both begin at
0. ABC.

**Not proved here:** other folds and networks; products in LUTs, but for a small network in
`make test`; registers of products that move into the multipliers of an ECP5 on the way to nextpnr,
which `tests/syn/test_dsp_registers.py` proves for designs of its own; placement, routing and
bitstream.

"""
