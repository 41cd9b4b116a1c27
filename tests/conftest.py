"""Fixtures of the whole suite, and how many examples Hypothesis tries."""

import os
import pathlib
import zlib
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import internals
import nnext as nn
from support import use_isa

# "quick" tries the same few examples on every run; `pytest --hypothesis-profile=thorough` tries 500 new ones. "slow" is
# for builds with sanitizers, in which every call takes several times as long.
COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", COMMON, max_examples=40, derandomize=True, database=None)
settings.register_profile("slow", COMMON, max_examples=8, derandomize=True, database=None)
settings.register_profile("thorough", COMMON, max_examples=500, print_blob=True)
settings.load_profile("quick")

internals.fix_team()  # a test with 8 threads shall have them on every machine

ISAS = [nn.runtime.isa()] if os.environ.get("NNEXT_ISA") else nn.runtime.available_isas()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--one-in",
        type=int,
        default=1,
        help="of the cases of each test in api and training, and of the largest in layers, take one in N",
    )


# Of the layers' tests the one that takes half of their time.
THINNED = ("tests/api/", "tests/training/", "tests/layers/test_layers.py::test_gradients_with_every_loss")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Thin out what is large; the other tests of layers, ops and robustness see every kernel and every layer."""
    chosen, seen = list[pytest.Item](), Counter[str]()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if not test.startswith(THINNED) or seen[test] % config.getoption("--one-in") == 0:
            chosen.append(item)
        seen[test] += 1
    kept = set(chosen)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = chosen


@pytest.fixture(params=ISAS)
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each instruction set of this CPU, or the one that NNEXT_ISA forces; selected for the test."""
    with use_isa(request.param):
        yield request.param


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    """Each type that networks and functions compute in."""
    return str(request.param)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's name only."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(scope="session")
def mnist() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """MNIST from the folder NNEXT_DATA; the tests load nothing from the network."""
    folder = os.environ.get("NNEXT_DATA", "")
    if not folder or not any(pathlib.Path(folder).glob("train-images*")):
        pytest.skip("NNEXT_DATA does not name a folder with MNIST's files")
    return nn.datasets.load_mnist(folder)
