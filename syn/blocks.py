"""Block RAMs of an ECP5, for weights: 512 words of 36 bits each."""

from model.images import image_shapes
from model.spec import NetworkSpec

WORDS, BITS = 512, 36


def of_weights(spec: NetworkSpec) -> int:
    """Number that the ROMs of weights take; 0 where all are constants, or can be replaced.

    A word of one step lies in blocks side by side.
    """
    if spec.loadable:
        return 0
    return sum(
        -(-words // WORDS) * -(-width // BITS)
        for name, (words, width) in image_shapes(spec).items()
        if name.endswith("_weights.mem") and words > 1
    )
