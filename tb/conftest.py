"""Each test says in the JUnit file how many values its simulations compared."""

from collections.abc import Callable, Iterator

import pytest

from tb.sim.runner import COMPARED


@pytest.fixture(autouse=True)
def values_compared(record_property: Callable[[str, object], None]) -> Iterator[None]:
    before = COMPARED.total()
    yield
    record_property("compared", COMPARED.total() - before)
