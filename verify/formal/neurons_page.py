"""Words of docs/results/neurons.md."""

INTRODUCTION = """# Every neuron, for every input

`make verify-neurons` writes this page. Nothing is sampled, and no width is reduced: the Verilog is
that of the networks in `tb/golden`, at the folds that they ship with, with their own weights.

**Theorem.** Whatever vectors a layer is offered, however both of its sides stall and whenever it is
reset, it takes vectors and gives vectors in the same order, one for each since the last reset; and
what it gives are, bit for bit, the codes that `model/reference.py` makes of what it took: `linear`,
`requantize`, and `relu` where there is one. In a first layer every vector of the codes is meant, in
a later one every vector that the layer before it can give.

It follows from these lemmas, each proved of every layer in the table:

1. *sums.* For all time, products left open. Each place of `mlp_linear` holds a cycle of a vector,
   or nothing: the vector that turns, then read, fetch, multiply, the levels of the adder tree,
   the accumulators. In each cycle, moving, stalled or reset, the registers of a place become what
   the network says of the cycle in the place before it, or stay. So does the fold: a vector
   passes through its cycles in order, and the next begins behind it. In these cases
   multiplication is an uninterpreted function: which weight meets which element, which bias
   begins a sum and which node adds to which is settled without knowing what a product is. An
   induction over one cycle: after a reset every place is empty, and a cycle keeps what the places
   hold.
2. *tree.* One vector of any value runs through the layer after a reset. Each accumulator equals
   bias and products, multiplied as accumulators and added in the order of the tree.
3. *order.* That order gives the sum in any order, whatever the products are, modulo the width.
4. *bound.* No sum of integers leaves the accumulator, by intervals on the weights, so that the
   sum modulo its width is the sum.
5. *queue.* For all time: sums are rounded half to even and saturated, or wait in the spare place
   in front; codes pass through ReLU and are gathered, group behind group; the vector waits in its
   spare place, or leaves. In each state of the valid bits, whoever stalls and resets, what is
   taken is in the next place, what is not taken stays, and nothing else comes.
6. *code.* In the run of 2, for every value of an accumulator, each code of the vector that leaves
   is the reference's, in its place of the vector.
7. *wiring.* `mlp_top` gives each layer the parameters and images that it is proved with, and the
   vector and handshake of the layer before it; the first has those of `mlp_stream_pack`, and the
   output those of the last.

1 holds for any function in the place of multiplication, so for multiplication; by 2, 3 and 4 the
accumulators then hold the reference's sums of the vector that was taken; by 5 and 6 the codes that
leave are the reference's. By 7 they are what the next layer takes, so that the logits of the last
layer are the reference's for the features that were gathered.

Words that differ are compared by Bitwuzla, for all values; words that are the same bits need no
answer, as all words of 1 do, which is arranged so that equal words are built alike. The table
counts the answers that 2, 3 and 6 took, and the cycles that 1 and 5 went through. A question that
is not answered within a minute ends the command: no layer is in the table unless everything in it
is proved. `tests/verify/test_neurons.py` refutes the lemmas on another weight, a wrong shift,
tree node, address, bias, rounding, turn, order of groups, a stall that does not stall, a sum that
is lost.

**A second opinion.** 2 and 6 are asked again of the layers in the last table, without Bitwuzla:
the run is worked out in and-inverter gates, products of the RTL a row a bit of the weight, expected
ones by digits -1, 0 and 1 of it, and ABC's `&cec` proves each pair of bits equal
(`verify/formal/neurons_opinion.py`). 3 is Bitwuzla's alone: it knows that sums may be reordered,
which gates do not show.

**Trusted:** Yosys' reading of the Verilog and of the ROM images; Bitwuzla, but for that second
opinion; the evaluation of a cycle in `verify/formal/neurons_design.py` and the bookkeeping of
`neurons_control.py` and `neurons_queue.py`, with the argument above that a chain of places which
keep or hand over what they hold is a queue; that `linear` calculates without overflow in 64 bits.

**Not proved here:** what packs the features and unpacks the result (proofs at small sizes are in
[formal.md](formal.md), whole networks are simulated); other folds; activations by table, which no
network of `tb/golden` has. Of the softmax, all 2^24 triples of int8 logits are run unrolled, at the
format of iris among others ([softmax.md](../softmax.md)); at the format of wine, at the shipped
folds, of two logits and of ten it is sampled, and all inputs of ten, 2^80, are out of reach.

"""
