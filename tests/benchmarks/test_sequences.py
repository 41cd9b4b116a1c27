"""Recurrent networks and convolutions in the benchmarks: work that is counted, described and proved."""

import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import nnext as nn
from benchmark_runs import ROOT, measured

PEERS = ("PyTorch", "JAX", "onnxruntime")
NETWORKS = ("LSTM", "GRU", "RNN", "SIGNALS")


@pytest.fixture(scope="module")
def pool() -> Iterator[Any]:
    """Yield processes for all tests here, of the peers that are installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        from benchmarks.harness import Pool

        with Pool() as pool:
            yield pool


def once(pool: Any, case: Any) -> dict[str, Any]:
    """Return what one round of a case gave, after the proof of equal work."""
    from benchmarks.cases import Effort, run_case

    result = run_case(pool, case, Effort(rounds=1, budget=1e-4, quick=True))
    assert not result["left_out"]
    return result


def network(name: str) -> Any:
    from benchmarks import sequence_works

    return getattr(sequence_works, name)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_and_its_prediction_are_the_peers(name: str, pool: Any) -> None:
    from benchmarks.cases import prediction_case, training_case

    net = network(name).short(2)
    rows = once(pool, training_case(net, ("nnext", *PEERS[:2]), 1))["libraries"]
    assert [row["loss"] for row in rows.values()] == pytest.approx([rows["nnext"]["loss"]] * len(rows), rel=1e-4)
    assert rows["nnext"]["share"][0] > 0
    rows = once(pool, prediction_case(net.short(1), ("nnext", "nnext compiled", *PEERS), 1))["libraries"]
    assert max(row["error"] for row in rows.values()) < 1e-5


@pytest.mark.parametrize("cell", ["LSTM", "GRU", "RNN"])
def test_steps_give_the_states_of_a_sequence(cell: str, pool: Any) -> None:
    from benchmarks.cases import stepping_case
    from benchmarks.sequence_works import Recurrent

    result = once(pool, stepping_case(Recurrent((5, 7), 1, batches=1, cell=cell, steps=4), ("nnext", *PEERS)))
    assert result["case"] == f"a step of {cell} 5-7"
    assert result["flops"] == 2 * {"LSTM": 4, "GRU": 3, "RNN": 1}[cell] * 7 * (5 + 7)
    assert max(row["error"] for row in result["libraries"].values()) < 1e-5


def test_steps_that_forget_the_state_are_refused() -> None:
    from benchmarks.libraries import LIBRARIES
    from benchmarks.sequence_works import STEPPED
    from benchmarks.tasks import open_stepping

    with nn.runtime.threads(1):
        task = open_stepping(LIBRARIES["nnext"].load(1), STEPPED.description())
    steps: Any = task.call
    assert steps().shape == (28, 32)
    assert task.check()["error"] < 1e-5
    steps.step = lambda x, _, step=steps.step: step(x, steps.begin())
    assert task.check()["error"] > 1e-2


def test_the_work_of_each_network_follows_from_its_description() -> None:
    from benchmarks.sequence_works import described

    for name in NETWORKS:
        net = network(name)
        assert described(json.loads(json.dumps(net.description()))) == net
        assert net.short(1).samples().X.shape == (64, *net.sample_shape)
    lstm, signals = network("LSTM"), network("SIGNALS")
    assert lstm.name == "LSTM 28-128-10 b64 SGD"
    assert lstm.forward_flops == 2 * 64 * 28 * 4 * 128 * (28 + 128)
    assert lstm.flops == 2 * 64 * 28 * 4 * 128 * (2 * 28 + 3 * 128)
    first, rest = 124 * 5 * 9 * 64, 120 * 5 * 64 * 64 + 64 * 6
    assert signals.forward_flops == 2 * 64 * (first + rest)
    assert signals.flops == 2 * 64 * (2 * first + 3 * rest)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_truth_is_that_of_the_reference(name: str) -> None:
    from benchmarks.libraries.use_nnext import _model

    net, random = network(name), np.random.default_rng(0)
    x = random.standard_normal((3, *net.sample_shape)).astype(np.float32)
    weights = net.weights()
    model = _model(net, weights)
    parameters = dict(zip(model.state_dict(), weights.values(), strict=True))
    reference = nn.reference.Network.from_config([layer.config() for layer in model.layers], parameters)  # in float64
    np.testing.assert_allclose(net.true_outputs(x, weights), reference.forward(x), rtol=0, atol=1e-12)


def test_the_best_peer_has_the_lowest_median() -> None:
    from benchmarks.cases import best_peer

    times = {"nnext": [1.0] * 3, "nnext compiled": [0.1] * 3, "JAX": [3.0, 3.0, 0.2], "PyTorch": [2.0, 2.0, 9.0]}
    times["PyTorch bf16"] = [0.1] * 3  # other numbers
    assert best_peer(times) == "PyTorch"
    assert best_peer({"nnext": [1.0]}) == ""


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_a_run_tells_the_share_and_the_best_peer(tmp_path: Any) -> None:
    written, printed = measured(tmp_path, "sequences", "--only", "nnext,PyTorch")
    assert [result["best_peer"] for result in written["sequences"]["results"]] == ["PyTorch"] * 7
    assert all(result["libraries"]["nnext"]["share"][0] > 0 for result in written["sequences"]["results"])
    assert "the best peer, PyTorch, takes" in printed
