"""Names of a network's features and classes, and the columns of a table that they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.format import SpecError, require


@dataclass(frozen=True)
class Names:
    """Names of ``features`` and ``classes`` in order, empty where there are none.

    ``ignored`` are columns of the training data that are no features, such as the label.
    """

    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key in ("features", "classes", "ignored"):
            names = getattr(self, key)
            listed = isinstance(names, list | tuple) and all(isinstance(n, str) for n in names)
            require(
                listed and len(set(names)) == len(names),
                f"names: {key} must be a list of names, each once, got {names!r}",
            )
            object.__setattr__(self, key, tuple(names))
        both = sorted(set(self.features) & set(self.ignored))
        require(not both, f"names: {', '.join(both)} must not be in both features and ignored")

    def columns(self, found: Sequence[str], owner: str) -> list[int]:
        """Index of each feature's column among the columns ``found``, whatever their order.

        Raises `SpecError` where a feature is missing or repeated, or a column unknown; its
        sentence begins with ``owner``.

        >>> Names(("width", "height"), ignored=("kind",)).columns(["height", "kind", "width"], "")
        [2, 0]
        """
        missing = [name for name in self.features if name not in found]
        unknown = [name for name in found if name not in (*self.features, *self.ignored)]
        repeated = [name for name in self.features if list(found).count(name) > 1]
        for what, names in (("lacks", missing), ("has unknown", unknown), ("repeats", repeated)):
            if names:
                shown = ", ".join(map(repr, names))
                raise SpecError(
                    f"{owner} {what} columns {shown}, expected {', '.join(self.features)} in any "
                    "order"
                )
        return [list(found).index(name) for name in self.features]
