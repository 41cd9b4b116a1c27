"""The benchmarks are no part of the package: they are imported from the repository's root."""

import pytest

from benchmark_runs import ROOT


@pytest.fixture(autouse=True)
def root_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
