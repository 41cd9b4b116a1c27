"""What several tests need to run and to compare things."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import nnext as nn
from nnext import _core

FMA_ISAS = [name for name in ("avx512", "avx2", "neon") if name in nn.runtime.available_isas()]


@contextlib.contextmanager
def use_isa(name: str) -> Iterator[None]:
    """Make networks and call functions with this instruction set."""
    before = nn.runtime.isa()
    _core.select_isa(name)
    try:
        yield
    finally:
        _core.select_isa(before)


def require_two_fma_isas() -> tuple[str, str]:
    """Return two instruction sets that promise the same bits, or skip."""
    if len(FMA_ISAS) < 2:
        pytest.skip(f"this CPU and build have {FMA_ISAS or 'no instruction set'} with FMA; the comparison needs two")
    return FMA_ISAS[0], FMA_ISAS[1]


def assert_same_bits(computed: Any, expected: Any) -> None:
    """Assert equal dtype, shape and bits; arrays, or dicts of arrays."""
    if isinstance(expected, dict):
        assert list(computed) == list(expected)
        for name in expected:
            assert_same_bits(computed[name], expected[name])
        return
    computed, expected = np.asarray(computed), np.asarray(expected)
    assert computed.dtype == expected.dtype
    assert computed.shape == expected.shape
    if computed.tobytes() != expected.tobytes():
        different = np.count_nonzero(computed != expected)
        raise AssertionError(f"{different} of {computed.size} elements differ (0: in the sign of 0 or in NaN)")


@contextlib.contextmanager
def unwritten(*arrays: Any) -> Iterator[None]:
    """Assert that no byte of the arrays changes within."""
    before = [array.tobytes() for array in arrays]
    yield
    assert [array.tobytes() for array in arrays] == before


def training_state(model: nn.Sequential) -> dict[str, Any]:
    """Return everything that decides how a model goes on: parameters, the optimizer's sums, counters."""
    parameters, optimizer_state, counters = model._core.get_state()
    names = model._parameter_names()
    state = dict(zip(names, parameters, strict=True))
    for name, arrays in zip(names, optimizer_state, strict=False):  # none before compile
        state |= {f"optimizer.{name}.{i}": array for i, array in enumerate(arrays)}
    return state | {"counters": np.array(counters)}


@contextlib.contextmanager
def unchanged(model: nn.Sequential) -> Iterator[None]:
    """Assert that the model's training state and settings do not change within."""
    before, compiled = training_state(model), dict(model._compiled)
    optimizer, history, frozen = model.optimizer, model.history, set(model._frozen)
    yield
    assert_same_bits(training_state(model), before)
    assert dict(model._compiled) == compiled
    assert model.optimizer is optimizer
    assert model.history is history
    assert model._frozen == frozen


def model_metadata(path: pathlib.Path) -> dict[str, Any]:
    """Read the description of a model from its file."""
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return dict(json.loads(header["__metadata__"]["nnext"]))


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter, with only the given NNEXT and OMP variables."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NNEXT_", "OMP_"))}
    return subprocess.run(
        [sys.executable, *arguments, "-c", code],
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
