"""What is timed: each piece of work is what its name says, and is refused where it is not."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from benchmark_runs import ROOT


@pytest.fixture(scope="module")
def pool() -> Iterator[Any]:
    """Yield processes for all tests here, as a start takes longer than a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        from benchmarks.harness import Pool
        from benchmarks.step import DROPOUT

        with Pool(["nnext compiled", "NumPy", *DROPOUT]) as pool:
            yield pool


def once(pool: Any, case: Any) -> dict[str, Any]:
    """Return what one round of a case gave, after the proof of equal work."""
    from benchmarks.cases import Effort, run_case

    return run_case(pool, case, Effort(rounds=1, budget=1e-4, quick=True))


@pytest.mark.parametrize("name", ["TANH", "TABLE", "BROAD"])
def test_a_step_of_each_network_is_numpy_s(name: str, pool: Any) -> None:
    from benchmarks.cases import training_case

    from benchmarks import works

    net = getattr(works, name).short(2)
    result = once(pool, training_case(net, ("nnext", "NumPy"), 1))
    assert result["case"] == net.name
    assert result["libraries"]["nnext"]["share"][0] > 0
    assert result["libraries"]["NumPy"]["loss"] == pytest.approx(result["libraries"]["nnext"]["loss"], rel=1e-4)


@pytest.mark.parametrize("rows", [1, 5])
def test_a_prediction_has_the_rows_of_a_batch(rows: int, pool: Any) -> None:
    from benchmarks.cases import prediction_case
    from benchmarks.libraries import LIBRARIES
    from benchmarks.tasks import open_prediction
    from benchmarks.works import Net

    net = Net((6, 4, 3), rows, batches=2, activation="tanh")
    assert open_prediction(LIBRARIES["NumPy"].load(1), net.description()).call().shape == (rows, 3)
    result = once(pool, prediction_case(net, ("nnext", "nnext compiled", "NumPy"), 1))
    assert result["case"] == ("6-4-3, 1 row" if rows == 1 else "6-4-3, 5 rows")
    assert result["flops"] == 2 * rows * (6 * 4 + 4 * 3)
    assert max(row["error"] for row in result["libraries"].values()) < 1e-6


def test_building_gives_start_values_in_their_bounds(pool: Any) -> None:
    from benchmarks.cases import Effort

    from benchmarks import building

    small, large = building.cases(Effort(rounds=1, budget=1e-4, quick=True))
    assert large.written == 4 * (785 * 512 + 513 * 512 + 513 * 10)
    result = once(pool, small)
    for row in result["libraries"].values():
        assert row["error"] < 1e-6  # a bound as float32 may be larger
        assert row["bytes_per_second"] == small.written / row["median"]


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_start_values_of_another_spread_are_refused(factor: float) -> None:
    from benchmarks.libraries.base import Building, Library
    from benchmarks.tasks import open_building
    from benchmarks.works import DEEPER, Net

    class Fake(Library):
        def building(self, net: Net) -> Building:
            weights = net.weights().values()
            return Building(lambda: weights, lambda built: [np.float32(factor) * w for w in built])

    assert open_building(Fake(1), DEEPER.description()).check()["error"] > Fake.tolerance


def test_dropout_is_timed_beside_the_step_without(pool: Any) -> None:
    from benchmarks.cases import training_case
    from benchmarks.step import DROPOUT
    from benchmarks.works import MNIST

    rows = once(pool, training_case(MNIST.short(4), ("nnext", *DROPOUT), 1))["libraries"]
    losses = [row["loss"] for row in rows.values()]
    assert len(set(losses)) == 3  # each drops what the one before does not
    assert losses == pytest.approx([losses[0]] * 3, rel=5e-2)
