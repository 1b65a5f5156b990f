"""Every neuron of a layer for every input, in the RTL of `mlp_layer` as it ships.

One vector of any value enters after a reset, and its run is worked out to the last output. Of each
neuron: the accumulator is the sum in the order of the adder tree; that is the sum in any order,
products being any values; no integer sum leaves the accumulator; and the code that leaves is
requantized, and activated, as the reference says.
"""

from dataclasses import dataclass

from model.bounds import output_interval
from verify.formal.neurons_design import Design
from verify.formal.neurons_layer import Subject, open_products, reset
from verify.formal.neurons_words import Word, Words, constant, sign_extended
from verify.formal.softmax_proofs import ProofError

# The accumulators of a layer, and the handshake that they leave with.
SUMS, VALID = "g_linear.u_linear.out_acc", "g_linear.u_linear.out_valid"


@dataclass
class Run:
    """The run of one vector through a layer: proves on its way, and counts neurons."""

    subject: Subject
    design: Design

    def prove(self) -> int:
        """Prove each neuron; return their number, or raise `ProofError` at the first that fails."""
        subject, words, layer = self.subject, self.subject.words, self.subject.layer
        names = list(self.design.registers)
        values = reset(words, self.design, {"in_valid": (0,), "out_ready": (1,)})
        idle = {"rst": (0,), "out_ready": (1,), "in_x": subject.vector}
        codes: list[Word] = []
        neurons = 0
        for cycle in range(layer.latency + 1):
            values |= idle | {"in_valid": (int(cycle == 0),)}
            wanted = [*(f"{name}'" for name in names), "in_ready", "out_valid", "out_x"]
            found = self.design.cycle(words, values, wanted)
            if cycle == 0:
                words.require_equal(f"{layer.name}: in_ready", found["in_ready"], (1,))
            arrives = int(cycle == layer.latency)
            words.require_equal(f"{layer.name}: out_valid", found["out_valid"], (arrives,))
            values = {name: found[f"{name}'"] for name in names}
            if values[VALID] == (1,):
                for pe in range(layer.pe):
                    self._sum(neurons, pe, values[SUMS])
                    neurons += 1
                values[SUMS] = words.fresh(f"acc{neurons}", layer.pe * layer.acc_w)
                codes += self._codes(values[SUMS])
        if neurons != layer.n_out:
            raise ProofError(f"{layer.name}: {neurons} sums left, expected {layer.n_out}")
        for neuron, code in enumerate(codes):
            width = layer.y.width
            left = found["out_x"][neuron * width : (neuron + 1) * width]
            words.require_equal(f"{layer.name}, neuron {neuron}: its code", left, code)
        return neurons

    def _sum(self, neuron: int, pe: int, accumulators: Word) -> None:
        subject, layer = self.subject, self.subject.layer
        what = f"{layer.name}, neuron {neuron}"
        last = (neuron // layer.pe + 1) * layer.steps - 1
        lane = accumulators[pe * layer.acc_w : (pe + 1) * layer.acc_w]
        subject.words.require_equal(f"{what}: its tree", lane, subject.sums(last, pe))
        in_any_order(subject, neuron)
        bounded(subject, neuron)

    def _codes(self, accumulators: Word) -> list[Word]:
        layer, words = self.subject.layer, self.subject.words
        lanes = [accumulators[k * layer.acc_w : (k + 1) * layer.acc_w] for k in range(layer.pe)]
        codes = [requantized(words, lane, layer.shift, layer.z.width) for lane in lanes]
        return [relu(words, code) for code in codes] if layer.relu else codes


def in_any_order(subject: Subject, neuron: int) -> None:
    """Prove that the order of the RTL gives the reference's sum, whatever the products are."""
    layer, free = subject.layer, open_products(subject)
    last = (neuron // layer.pe + 1) * layer.steps - 1
    total = constant(subject.bias(neuron), layer.acc_w)
    for element in range(layer.n_in):
        total = subject.words.add(total, free.leaf(neuron, element))
    ordered = free.sums(last, neuron % layer.pe)
    subject.words.require_equal(f"{layer.name}, neuron {neuron}: order of its sum", ordered, total)


def bounded(subject: Subject, neuron: int) -> None:
    """Prove in integers that a neuron's sum fits its accumulator, whatever can arrive.

    Behind a ReLU no code is negative. Raises `ProofError` where a sum may not fit.
    """
    layer, low, high = subject.layer, subject.bias(neuron), subject.bias(neuron)
    arriving = (layer.x.q_min, layer.x.q_max)
    if subject.index:
        arriving = output_interval(subject.network.spec.layers[subject.index - 1])
    for element in range(layer.n_in):
        ends = [subject.weight(neuron, element) * code for code in arriving]
        low, high = low + min(ends), high + max(ends)
    if low < -(1 << (layer.acc_w - 1)) or high >= 1 << (layer.acc_w - 1):
        raise ProofError(
            f"{layer.name}, neuron {neuron}: its bound is refuted: sums from {low} to {high} do "
            f"not fit {layer.acc_w} bits"
        )


def rounded(words: Words, acc: Word, shift: int) -> Word:
    """``acc / 2**shift`` rounded half to even, two bits wider, as the reference rounds."""
    wide = len(acc) + 2
    floor, dropped = sign_extended(acc[shift:], wide), acc[:shift] + (0,) * (wide - shift)
    twice, one = (0, *dropped[:-1]), constant(1 << shift, wide)
    odd = words.either((floor[0],), words.holds("EQUAL", twice, one), (0,))
    up = words.either(words.holds("BV_UGT", twice, one), (1,), odd)
    return words.add(floor, up + (0,) * (wide - 1))


def requantized(words: Words, acc: Word, shift: int, width: int) -> Word:
    """The code of an accumulator, as `model.reference.requantize` says it."""
    found = rounded(words, acc, shift)
    least, most = (constant(k, len(found)) for k in (-(1 << (width - 1)), (1 << (width - 1)) - 1))
    floored = words.either(words.holds("BV_SLT", found, least), least, found)
    return words.either(words.holds("BV_SGT", found, most), most, floored)[:width]


def relu(words: Words, code: Word) -> Word:
    """The larger of a code and 0, as `model.reference.relu` says it."""
    zero = constant(0, len(code))
    return words.either(words.holds("BV_SLT", code, zero), zero, code)
