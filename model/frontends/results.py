"""The one result of a module that returns several: named by the recipe, or seen to be the last."""

from typing import Any

from torch import fx, nn

from model.frontends.chain import FrontendError
from model.frontends.torch_fx import behind_ends, trace

Key = str | int


def choose(module: nn.Module, result: Key | None) -> nn.Module:
    """The module with one result: its own, or the entry ``result`` of its tuple, list or dict.

    Where all entries come of the same logits, such as logits and probabilities, none needs to be
    named. Raises `FrontendError` where one must be named, or has no such name.
    """
    training = module.training
    try:
        *_, output = trace(module.eval()).nodes
    finally:
        module.train(training)
    (found,) = output.args
    owner = type(module).__name__
    if not isinstance(found, tuple | list | dict) or not found:
        if result is not None:
            raise FrontendError(f"{owner}: result must not be given, since there is one alone")
        return module
    entries: dict[Key, Any] = dict(found if isinstance(found, dict) else enumerate(found))
    names = ", ".join(map(repr, entries))
    if result is None:
        result = _last(module, entries)
        if result is None:
            raise FrontendError(
                f"{owner} returns {len(entries)} results, expected one: name it in the recipe, "
                f"result = one of {names}"
            )
    if result not in entries:
        raise FrontendError(f"{owner}: result must be one of {names}, got {result!r}")
    return _picked(module, result)


def _last(module: nn.Module, entries: dict[Key, Any]) -> Key | None:
    """The entry that is furthest from the logits of all, or None where they differ in them."""
    if len(entries) == 1:
        (only,) = entries
        return only
    if not all(isinstance(entry, fx.Node) for entry in entries.values()):
        return None
    ends = {key: behind_ends(module, entry) for key, entry in entries.items()}
    if len({node for node, _ in ends.values()}) > 1:
        return None
    depths = {key: len(names) for key, (_, names) in ends.items() if "argmax" not in names}
    deepest: Key | None = max(depths, key=depths.__getitem__, default=None)
    return deepest


def _picked(module: nn.Module, key: Key) -> nn.Module:
    """The same module, of a class of the same name that returns one entry."""
    kind: Any = type(module)

    class Picked(kind):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return super().forward(x)[key]

    Picked.__name__, Picked.__qualname__ = kind.__name__, kind.__qualname__
    module.__class__ = Picked
    return module
