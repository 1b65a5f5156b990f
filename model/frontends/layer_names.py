"""Names of layers: identifiers, unlike each other and unlike other stages."""

import itertools

# Names of stages and streams beside the layers': a layer of such a name gets another.
RESERVED = frozenset({"input", "output", "softmax", "logits", "argmax", "sigmoid", "join"})


def identifier(path: str) -> str:
    """A name for a submodule: ``fc1``, ``layer_0_2`` for the third of a nested sequence."""
    name = path.replace(".", "_")
    return name if name.isidentifier() and name not in RESERVED else f"layer_{name}"


def unique(path: str, use: int, taken: set[str]) -> str:
    """The name of a use of a submodule, unlike those that are taken: ``fc2``, then ``fc2_2``."""
    name = identifier(path)
    names = itertools.chain(
        [name] if use == 1 else [], (f"{name}_{n}" for n in itertools.count(max(use, 2)))
    )
    return next(name for name in names if name not in taken)
