"""Words of docs/results/census.md."""

INTRODUCTION = """# A census of upsets

`make verify-census` writes this page. A particle may invert a flip-flop. Here each flip-flop of
IrisNet's core, as it ships, is inverted in each cycle from the offer of a sample until its result
has left: one upset a run, and every one of them. Two more samples follow, then a reset, and a last
sample; nobody stalls the results.

The core is the RTL, down to gates and registers by Yosys, which [netlists.md](netlists.md) proves
equal to the netlists; upset cores run side by side, a bit each, beside one that has no upset and
must answer as the reference. A core whose registers all equal that one's after two samples is
simulated no further: the rest of its answers are the same. `tests/verify/test_census.py` finds the
same with Icarus, of a small core. Registers without reset begin at 0, as in both families; a word
that the RTL reads beyond the end of a ROM, which it leaves open, is 0.

**Fault model.** One bit of one register, once. The core has no ECC, no parity, no triple
registers; an upset of configuration memory or of a ROM stays until the device is configured again,
and is not looked at here.

| a sample is | where |
| --- | --- |
| masked | its result has the expected bytes, class and cycle |
| late | its result is correct, in another cycle |
| bytes | a probability is wrong, the class is not |
| class | the class is wrong |
| lost | it has no result |
| more | it has more than one result |
| frame | a result has the wrong number of beats, or tlast in the wrong one |
| hang | the core takes its beats no more |

*Wrong until reset* are the upsets after which the second sample behind the upset is not correct
either. Results of this core have no number: who pairs results with samples by counting them is
off by one from the first that is lost or too many, whatever the core does, until both sides begin
again.

**What a user does about it.** `make core INDEX=8` numbers results and ends in blocks, of which it
says whether one is lost: the table below. Without that: send one sample at a time, or a batch and
no more until its results are there, and count them. If a result is not there within twice the
latency of `mlp_top` (its formula is in [architecture.md](../architecture.md)), or one comes that
nobody asked for, or tlast is out of place: raise `rst` for a cycle, forget what is under way, send
the batch again. Either detects what is lost, too many, framed wrongly or hangs; wrong bytes and
classes neither does: who needs that sends each sample twice and compares.

"""
BLOCKS = """
## Results with a number

The same core with `mlp_watch` beside it, as `make core INDEX=8` writes it, whose flip-flops are
upset as well. It counts samples and results of a block, gives each result its number, and at the
end of a block says whether it is *lost*; then it resets the core. Here the next sample is offered
when a block is done. *frame* is also a result with another number than its place in the block;
*noticed* is a sample whose block is said to be lost. A sample that is correct and noticed is sent
again for nothing.

"""
