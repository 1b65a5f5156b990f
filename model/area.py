"""What a core costs, estimated from its spec alone, before anything is synthesized.

Multipliers and ROM bits are exact. Flip-flops are counted register by register, LUTs as one for
each bit that is added, selected or looked up.
"""

from dataclasses import dataclass

from model.spec import (
    PROBABILITY_W,
    RECIPROCAL_ADDR_W,
    RECIPROCAL_W,
    LayerSpec,
    NetworkSpec,
    SoftmaxSpec,
)

# A LUT4 reads 16 words of one bit; a deeper table is a tree of them, or one block RAM.
LUT_WORDS = 16
BLOCK_RAM_WORDS = 256


@dataclass(frozen=True)
class Area:
    """Multipliers, LUT4s, flip-flops, and bits of ROM, deep ones in block RAM among them."""

    multipliers: int
    luts: int
    flip_flops: int
    rom_bits: int

    def __add__(self, other: "Area") -> "Area":
        return Area(
            self.multipliers + other.multipliers,
            self.luts + other.luts,
            self.flip_flops + other.flip_flops,
            self.rom_bits + other.rom_bits,
        )


def of_rom(width: int, depth: int) -> Area:
    """A table: its register, and LUTs where it is too shallow for a block RAM."""
    blocks = 0 if depth >= BLOCK_RAM_WORDS or depth == 1 else -(-depth // LUT_WORDS)
    return Area(0, width * blocks, width, width * depth)


def of_layer(layer: LayerSpec) -> Area:
    """``mlp_layer``: turn and fetch inputs, multiply, add, accumulate, requantize, gather.

    Where every weight has a multiplier of its own, that is an adder, and the weight a constant.
    """
    products, x_w, w_w, y_w = layer.multipliers, layer.x.width, layer.w.width, layer.y.width
    product_w, sum_w = x_w + w_w, layer.acc_w
    kept_w = sum_w - layer.shift + 1
    vector = layer.n_in * x_w
    tree = layer.pe * (layer.simd - 1) * sum_w
    packed = 0 if layer.pe == layer.n_out else layer.n_out * y_w
    flip_flops = (
        vector
        + layer.simd * x_w * 2  # read, fetched
        + products * product_w
        + tree
        + layer.pe * (2 * sum_w + kept_w + 2 * y_w)
        + packed
    )
    luts = vector + tree + layer.pe * (3 * sum_w + 3 * kept_w + 3 * y_w)
    if layer.cycles == 1:
        return Area(0, luts + products * product_w, flip_flops, 0)
    weights_fetched = products * w_w
    weights = of_rom(products * w_w, layer.cycles)
    biases = of_rom(layer.pe * sum_w, layer.groups)
    return Area(products, luts, flip_flops + weights_fetched, 0) + weights + biases


def of_softmax(softmax: SoftmaxSpec) -> Area:
    """``mlp_softmax``: score, sum up, divide, settle."""
    n, lanes, score_w, total_w = softmax.n, softmax.lanes, softmax.score_w, softmax.total_w
    x_w = softmax.x.width
    area = Area(0, 2 * lanes * (score_w + total_w), n * score_w + total_w + n * PROBABILITY_W, 0)
    if softmax.score == "taylor2":
        area += Area(lanes, lanes * (2 * x_w + score_w), n * x_w + lanes * 4 * x_w, 0)
    else:
        tables = of_rom(lanes * score_w, 1 << x_w)
        area += tables + Area(0, (n + 2 * lanes) * x_w, (2 * n + 3 * lanes) * x_w, 0)
    if softmax.divider == "reciprocal":
        shift = total_w.bit_length() * total_w
        product_w = score_w + RECIPROCAL_W
        area += of_rom(RECIPROCAL_W, 1 << RECIPROCAL_ADDR_W)
        area += Area(lanes, shift + lanes * 2 * product_w, 3 * n * score_w + lanes * product_w, 0)
    else:
        steps = PROBABILITY_W * total_w
        area += Area(0, lanes * 2 * steps, n * score_w + (1 + lanes) * steps, 0)
    return area


def of_network(spec: NetworkSpec) -> Area:
    """``mlp_top``: the layers, the softmax, and the shift registers at both ends."""
    ends = spec.n_in * spec.x.width + spec.n_out * PROBABILITY_W
    area = of_softmax(spec.softmax) + Area(0, ends // 2, ends, 0)
    for layer in spec.layers:
        area += of_layer(layer)
    return area
