"""What several tests need to run and to compare things."""

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn

FMA_ISAS = [name for name in ("avx512", "avx2", "neon") if name in nn.runtime.available_isas()]


@contextlib.contextmanager
def use_isa(name: str) -> Iterator[None]:
    """Make networks and call functions with this instruction set."""
    before = nn.runtime.isa()
    internals.select_isa(name)
    try:
        yield
    finally:
        internals.select_isa(before)


def require_two_fma_isas() -> tuple[str, str]:
    """Return two instruction sets that promise the same bits, or skip."""
    if len(FMA_ISAS) < 2:
        pytest.skip(f"this CPU and build have {FMA_ISAS or 'no instruction set'} with FMA; the comparison needs two")
    return FMA_ISAS[0], FMA_ISAS[1]


def assert_threads_change_no_bit(trained: Callable[[int], Any]) -> None:
    """Assert that what was trained on one thread, ``trained(1)``, has the same bits on more."""
    expected = trained(1)
    for threads in (2, 3):
        assert_same_bits(trained(threads), expected)


def assert_isas_with_fma_agree(trained: Callable[[], Any]) -> None:
    """Assert the same bits on two instruction sets that promise them, or skip."""
    results = []
    for isa in require_two_fma_isas():
        with use_isa(isa):
            results.append(trained())
    assert_same_bits(results[0], results[1])


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


def digest(arrays: dict[str, Any]) -> str:
    """Hash arrays by name: type, shape and little-endian bytes, in the order of their names."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        assert not np.isnan(array).any(), f"{name} has NaN, whose bits mean nothing"
        sha.update(f"{name} {array.dtype.name} {array.shape};".encode())
        sha.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return sha.hexdigest()[:16]


@contextlib.contextmanager
def unwritten(*arrays: Any) -> Iterator[None]:
    """Assert that no byte of the arrays changes within."""
    before = [array.tobytes() for array in arrays]
    yield
    assert [array.tobytes() for array in arrays] == before


@contextlib.contextmanager
def unchanged(model: nn.Sequential) -> Iterator[None]:
    """Assert that the model's training state and settings do not change within."""
    before, compiled = internals.training_state(model), internals.settings(model)
    optimizer, history, frozen = model.optimizer, model.history, internals.frozen(model)
    yield
    assert_same_bits(internals.training_state(model), before)
    assert internals.settings(model) == compiled
    assert model.optimizer is optimizer
    assert model.history is history
    assert internals.frozen(model) == frozen


def model_metadata(path: pathlib.Path) -> dict[str, Any]:
    """Read the description of a model from its file."""
    data = path.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return dict(json.loads(header["__metadata__"]["nnext"]))


@contextlib.contextmanager
def ordinary_signals() -> Iterator[None]:
    """Let the signals that tests use do what they do to a program in a terminal, also to processes started within.

    A shell has what it starts in the background ignore SIGINT, and a thread may block any: both are inherited.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGUSR1)}
    handlers = {number: handler for number, handler in handlers.items() if handler is signal.SIG_IGN}
    for number in handlers:
        signal.signal(number, signal.SIG_DFL)
    handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    mask = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def environment(**changes: str) -> dict[str, str]:
    """Return this process's variables for one that also finds the modules beside this one, such as internals."""
    paths = [str(pathlib.Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))} | changes


def run_python(code: str, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter, with only the given NNEXT and OMP variables."""
    clean = {k: v for k, v in environment().items() if not k.startswith(("NNEXT_", "OMP_"))}
    return subprocess.run(
        [sys.executable, *arguments, "-c", code],
        env=clean | changes,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
