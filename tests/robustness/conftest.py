"""What every test of this folder has: signals that arrive, here and in the processes that it starts."""

from collections.abc import Iterator

import pytest

from support import ordinary_signals


@pytest.fixture(autouse=True)
def signals_arrive() -> Iterator[None]:
    """Neither ignored nor blocked, whatever started pytest."""
    with ordinary_signals():
        yield
