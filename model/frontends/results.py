"""The one result of a module that returns several: named by the recipe, or seen to be the last."""

import inspect
import operator
from collections.abc import Callable
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
    _without_options(module)
    training = module.training
    try:
        *_, output = trace(module.eval()).nodes
    finally:
        module.train(training)
    found = _entries(output.args[0])
    owner = type(module).__name__
    if not found:
        if result is not None:
            raise FrontendError(f"{owner}: result must not be given, since there is one alone")
        return module
    entries: dict[Key, Any] = dict(found)
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
    return _become(module, operator.itemgetter(result))


def _without_options(module: nn.Module) -> None:
    """Let a module take its samples alone, where whatever else it takes has a default."""
    try:
        _, *others = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):  # no forward that can be looked at, or one without samples
        return
    if others and all(other.default is not inspect.Parameter.empty for other in others):
        _become(module, lambda result: result)


def _entries(found: Any) -> dict[Key, Any]:
    """Entries of a result by name or number, none where it is one tensor."""
    if isinstance(found, fx.Node):
        kind = found.target
        is_named = isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")
        found = found.args if is_named else ()
    if isinstance(found, dict):
        return dict(found)
    return dict(enumerate(found)) if isinstance(found, tuple | list) else {}


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


def _become(module: nn.Module, take: Callable[[Any], Any]) -> nn.Module:
    """Give a module a class of the same name, which takes samples alone and returns ``take``."""
    kind: Any = type(module)

    class Picked(kind):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return take(super().forward(x))

    Picked.__name__, Picked.__qualname__ = kind.__name__, kind.__qualname__
    module.__class__ = Picked
    return module
