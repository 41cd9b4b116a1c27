"""The mutants that ThreadSanitizer must report, which nox -s tsan builds, still find what they replace."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "cpp" / "stress" / "mutants.py"


def load() -> Any:
    spec = importlib.util.spec_from_file_location("mutants", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MUTANTS = load()


@pytest.mark.parametrize("mutant", MUTANTS.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_differs_from_its_source(mutant: Any) -> None:
    assert MUTANTS.mutated(mutant) != (MUTANTS.ROOT / mutant.source).read_text()
