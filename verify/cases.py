"""Ingredients of a verdict on one RTL module: its own description, not those of its neighbours."""

from collections.abc import Iterable

from common import jobs
from common.results import Ingredients
from tb.modules.registry import FAMILY_OF

# A list of all modules. What is found there by a name rests on its family alone, so that a new
# module asks for no verdict on others.
REGISTRY = "tb.modules.registry"


def rests_on(
    modules: Iterable[str], top: str | None, without: Iterable[str] = ()
) -> dict[str, Ingredients]:
    """Ingredients of a verdict of these modules on the RTL module ``top``, or on all of it."""
    if top is None:
        return dict(jobs.rests_on(*modules))
    return dict(jobs.rests_on(*modules, FAMILY_OF[top], tops=[top], without=[REGISTRY, *without]))
