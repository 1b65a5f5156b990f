"""Rules of every test: caches lie under build/, in CI a skip is a failure, and a simulation
that failed is simulated again by itself, to leave a picture of it."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(ROOT / "build/cache/hypothesis"))


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skipped or excused test into a failed one, where CI is set."""
    if os.environ.get("CI") and (report.outcome == "skipped" or hasattr(report, "wasxfail")):
        reason = getattr(report, "wasxfail", None) or report.longreprtext
        vars(report).pop("wasxfail", None)
        report.outcome = "failed"
        report.longrepr = f"in CI a skip is a failure: {reason}"


def show_failure(item: pytest.Item, error: BaseException) -> None:
    """Add to the error of a failed simulation its picture, by itself, and the picture's place."""
    if getattr(error, "again", None) is None:
        return
    from tb.debug.failures import folder_of, investigate

    folder = folder_of(item.nodeid)
    evidence = investigate(error, folder)
    error.add_note(f"{evidence.sentence}\nsee {evidence.picture or folder}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.excinfo is not None:
        show_failure(item, call.excinfo.value)
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report
