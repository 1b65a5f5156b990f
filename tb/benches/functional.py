"""Functional coverage of the whole core: which situations the samples that passed have brought.

The bins of `tb.modules.situations` and their crosses are counted by cocotb-coverage, in the bench,
after the scoreboard has found every value of a sample equal.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple

from cocotb_coverage.coverage import CoverCross, CoverPoint, coverage_db

from model.artifact import Network
from model.format import Int
from tb.modules.situations import BINS, CROSSES, fold_of, output_of, situations

TOP = "core"


def _sampler() -> Callable[..., None]:
    """The function that counts the bins of its arguments, which are in the order of `BINS`."""

    def sample(*values: str) -> None:
        """Nothing: the points and crosses around it count."""

    points = [
        CoverPoint(f"{TOP}.{name}", xf=lambda *values, at=at: values[at], bins=list(bins))
        for at, (name, bins) in enumerate(BINS.items())
    ]
    crosses = [
        CoverCross(
            f"{TOP}.{' x '.join(names)}",
            items=[f"{TOP}.{name}" for name in names],
            ign_bins=list(impossible),
        )
        for names, impossible in CROSSES.items()
    ]
    # Crosses read what the points have found, so they stand within them.
    for item in [*crosses, *points]:
        sample = item(sample)
    return sample


_SAMPLE = _sampler()


def count(network: Network, x: Int, source: str, sink: str) -> None:
    """Count the situations of samples ``x`` that have passed under the stalls of both sides."""
    run = (fold_of(network.spec), source, sink, output_of(network.spec))
    for situation in situations(network, x):
        _SAMPLE(*run, *astuple(situation))


def counted() -> dict[str, dict[str, int]]:
    """Hits of each bin of each point and cross in this process."""
    return {
        name.removeprefix(f"{TOP}."): {
            bin_ if isinstance(bin_, str) else ", ".join(bin_): hits
            for bin_, hits in item.detailed_coverage.items()
        }
        for name, item in coverage_db.items()
        if name != TOP
    }


def merged(runs: Iterable[Mapping[str, Mapping[str, int]]]) -> dict[str, Counter[str]]:
    """The bins of several processes together; those that none hit keep their 0."""
    total = {name: Counter(dict.fromkeys(bins, 0)) for name, bins in counted().items()}
    for run in runs:
        for name, bins in run.items():
            total[name].update(bins)
    return total
