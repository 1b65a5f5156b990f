"""A layer of a network as it ships: its RTL, and what each of its places holds of a vector.

Places of `mlp_linear` are those of its header: the vector that turns, then read, fetch, multiply,
the levels of the adder tree, and the accumulators. Each holds a cycle of a vector, or nothing.
"""

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.paths import RTL
from model.artifact import Network
from model.images import write_images
from model.stage import Parameter
from model.stages.linear import LayerSpec
from verify.formal.neurons_design import Design, Values, elaborate
from verify.formal.neurons_words import Word, Words, constant, sign_extended
from verify.formal.softmax_proofs import ProofError

LAYER = "mlp_layer"
# Registers that may be outputs of the layer, by the signals of mlp_layer that they drive.
INSIDE = {
    "y_valid": "u_requantize.out_valid",
    "y": "u_requantize.out_y",
    "vector_valid": "g_pack.u_pack.out_valid",
    "vector": "g_pack.u_pack.out_x",
}
# Bits in which mlp_dot multiplies, at least.
MULTIPLIED = 32


@dataclass(frozen=True)
class Subject:
    """A layer with the integers of its network; ``vector`` is one input, of any value.

    ``leaf`` is the product of an element with its weight for an output, as an accumulator.
    """

    words: Words
    network: Network
    index: int
    vector: Word
    leaf: Callable[[int, int], Word]

    @property
    def layer(self) -> LayerSpec:
        """Its spec."""
        return self.network.spec.layers[self.index]

    @property
    def levels(self) -> int:
        """Levels of the adder tree."""
        return self.layer.dot_cycles - 1

    @property
    def last_place(self) -> int:
        """The place whose sums go to the accumulators: those before it are read, fetch, ..."""
        return 3 + self.levels

    def weight(self, output: int, element: int) -> int:
        """A weight of the network, as an integer."""
        return int(self.network.weights[self.layer.weights][output, element])

    def bias(self, output: int) -> int:
        """A bias of the network, as an integer."""
        return int(self.network.biases[self.layer.name][output])

    def turned(self, cycle: int) -> Word:
        """The vector, turned as it is in this cycle."""
        by = cycle % self.layer.steps * self.layer.simd * self.layer.x.width
        return self.vector[by:] + self.vector[:by]

    def elements(self, cycle: int) -> list[int]:
        """Elements that meet weights in a cycle, lane by lane."""
        first = cycle % self.layer.steps * self.layer.simd
        return list(range(first, first + self.layer.simd))

    def outputs(self, cycle: int) -> list[int]:
        """Outputs that a cycle adds to, one for each PE."""
        first = cycle // self.layer.steps * self.layer.pe
        return list(range(first, first + self.layer.pe))

    def node(self, cycle: int, pe: int, node: int) -> Word:
        """Value of a node of the adder tree, a heap: 1 is the root, leaves are products."""
        leaves, output = 1 << self.levels, self.outputs(cycle)[pe]
        if node < leaves:
            left, right = (self.node(cycle, pe, 2 * node + side) for side in (0, 1))
            return self.words.add(left, right)
        if node - leaves >= self.layer.simd:
            return constant(0, self.layer.acc_w)
        return self.leaf(output, self.elements(cycle)[node - leaves])

    def sums(self, cycle: int, pe: int) -> Word:
        """The accumulator of a PE after a cycle: bias, then the trees of a group's cycles."""
        output = self.outputs(cycle)[pe]
        total = constant(self.bias(output), self.layer.acc_w)
        for step in range(cycle - cycle % self.layer.steps, cycle + 1):
            total = self.words.add(total, self.node(step, pe, 1))
        return total


def subject(words: Words, network: Network, index: int, *, cut: bool) -> Subject:
    """A layer with a free vector; where ``cut``, multiplication is uninterpreted.

    Products are then low bits of what 32 bits multiply to, as `mlp_dot` has them; else they are
    multiplied as accumulators.
    """
    layer = network.spec.layers[index]
    weights = network.weights[layer.weights]
    vector = words.fresh("x", layer.n_in * layer.x.width)
    width = max(MULTIPLIED, layer.acc_w) if cut else layer.acc_w
    multiply = words.uninterpreted if cut else words.multiply

    def leaf(output: int, element: int) -> Word:
        x = vector[element * layer.x.width : (element + 1) * layer.x.width]
        w = constant(int(weights[output, element]), width)
        return multiply(sign_extended(x, width), w)[: layer.acc_w]

    return Subject(words, network, index, vector, leaf)


def open_products(given: Subject) -> Subject:
    """The same layer with a value of its own in the place of each product of a neuron."""
    layer, words = given.layer, given.words
    products = [words.fresh(f"product{i}", layer.acc_w) for i in range(layer.n_in)]
    return dataclasses.replace(given, leaf=lambda output, element: products[element])


def design(network: Network, index: int, folder: Path, rtl: Path = RTL) -> Design:
    """The RTL of a layer at its fold, with the network's own ROM images."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_images(network, folder)
    found = elaborate(LAYER, parameters(network.spec.layers[index], index), folder, rtl)
    found.name_inside(INSIDE)
    return found


def parameters(layer: LayerSpec, index: int) -> dict[str, Parameter]:
    """Parameters of `mlp_layer`, as `mlp_top` gives them to a layer."""
    if layer.activation:
        raise ProofError(f"{layer.name}: must have no table, got {layer.activation.name}")
    return {
        "N_IN": layer.n_in,
        "N_OUT": layer.n_out,
        "X_W": layer.x.width,
        "W_W": layer.w.width,
        "ACC_W": layer.acc_w,
        "Y_W": layer.y.width,
        "SHIFT": layer.shift,
        "RELU": int(layer.relu),
        "LANES": layer.n_in,
        "SIMD": layer.simd,
        "PE": layer.pe,
        "WEIGHTS": f"linear{index:02d}_weights.mem",
        "BIASES": f"linear{index:02d}_biases.mem",
    }


def reset(words: Words, found: Design, idle: Values) -> dict[str, Word]:
    """Registers after a cycle of reset, from any values."""
    wanted = [f"{name}'" for name in found.registers]
    after = found.cycle(words, {**idle, "rst": (1,)}, wanted)
    return {name[:-1]: word for name, word in after.items()}
