"""The benchmarks run, prove equal work and write what they measured. No test asserts a time."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark_runs import measured, run

PROOF = 1e-4  # of an error or a loss, as benchmarks/libraries/base.py has it


def test_matmul_step_and_latency_compare_on_equal_work(tmp_path: Path) -> None:
    written, printed = measured(tmp_path, "matmul", "step", "latency", "--only", "nnext,NumPy")
    assert "times nnext's [95%]" in printed
    for name, benchmark in written.items():
        assert f"== {name}: {benchmark['title']}" in printed
        assert benchmark["results"]
        for result in benchmark["results"]:
            ours, numpys = (result["libraries"][library] for library in ("nnext", "NumPy"))
            if name == "step":
                assert ours["loss"] == pytest.approx(numpys["loss"], rel=PROOF)
            else:
                assert max(ours["error"], numpys["error"]) <= PROOF
            assert len(numpys["seconds"]) == len(result["ceiling"]) == 2
            assert ours["ratio"] == [1, 1, 1]
            assert ("share" in ours) == (result["flops"] > 0)


def test_epoch_scaling_and_memory_give_a_result_for_each_case(tmp_path: Path) -> None:
    written, printed = measured(tmp_path, "epoch", "scaling", "memory", "--only", "nnext,NumPy")
    assert "times as long as one alone" in printed
    assert set(written["scaling"]["results"][-1]["times slower"]) == {"nnext", "NumPy"}
    for numbers in written["memory"]["results"][0]["megabytes"].values():
        assert 0 < numbers["before"] <= numbers["peak"]


def test_imports_measures_what_is_installed(tmp_path: Path) -> None:
    written, printed = measured(tmp_path, "imports", "--only", "nnext")
    packages = written["imports"]["results"][0]["packages"]
    assert {"nnext", "numpy"} <= set(packages)
    assert packages["nnext"]["disk"] > 0.1
    assert "beyond NumPy" in printed


@pytest.mark.skipif("NNEXT_DATA" not in os.environ, reason="NNEXT_DATA names no folder with MNIST")
def test_accuracy_trains_until_the_goal_is_reached(tmp_path: Path) -> None:
    written, _ = measured(tmp_path, "accuracy", "--only", "nnext")
    for training in written["accuracy"]["results"][0]["libraries"]["nnext"]["trainings"]:
        assert training["accuracy"] > 0.975
        assert (training["seconds"] is None) == (training["accuracy"] < 0.98)


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_plots_are_drawn_for_what_was_measured(tmp_path: Path) -> None:
    measured(tmp_path, "matmul", "activations", "--only", "nnext,NumPy", "--plots", str(tmp_path))
    names = {path.name for path in tmp_path.glob("*.png")}
    assert names == {"matmul_float32_1.png", "matmul_float64_1.png", "matmul_ratios.png", "activations_ratios.png"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "nnext,Caffe"), "unknown library 'Caffe'"),
        (("juggling",), "unknown benchmark 'juggling'"),
        (("--rounds", "0"), "'0' is no whole number from 1 on"),
        (("--threads", "1,0"), "'0' is no whole number from 1 on"),
    ],
)
def test_what_is_unknown_is_named(arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr


def test_other_work_ends_the_comparison() -> None:
    from benchmarks.cases import prove_equal_work

    class Fake:
        def __init__(self, name: str, loss: float) -> None:
            self.name, self.loss = name, loss

        def ask(self, method: str) -> dict[str, float]:
            assert method == "check"
            return {"loss": self.loss, "tolerance": PROOF}

    workers: Any = [Fake("nnext", 2.0), Fake("NumPy", 2.0001)]
    assert prove_equal_work(workers)["NumPy"]["loss"] == 2.0001
    for loss in (2.001, float("nan")):
        workers[1].loss = loss
        with pytest.raises(SystemExit, match="NumPy does other work than nnext"):
            prove_equal_work(workers)


def test_a_ratio_is_the_median_of_the_rounds_with_an_interval_around_it() -> None:
    from benchmarks.harness import compare

    ratio = compare([2.0, 40.0, 6.0, 8.0, 10.0], [1.0, 20.0, 3.0, 4.0, 1.0])  # one of five rounds was disturbed
    assert ratio.median == 2
    assert ratio.low == 2
    assert 2 <= ratio.high <= 10
    assert str(compare([3.0], [2.0])) == "1.50 [1.50, 1.50]"


def test_a_network_s_work_follows_from_its_description() -> None:
    from benchmarks.works import MNIST, Net

    net = Net.of(json.loads(json.dumps(MNIST.description())))
    assert net == MNIST
    assert net.name == "784-128-10 b64 SGD"
    assert net.flops == 2 * 64 * (2 * 784 * 128 + 3 * 128 * 10)
    first, second = net.short(2).samples(), net.short(2).samples()
    assert first.pixels.shape == (128, 784)
    np.testing.assert_array_equal(first.pixels, second.pixels)
    assert first.X.dtype == np.float32
    assert 0 <= first.X.min() < first.X.max() <= 1
    assert set(net.weights()) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def alternated(
    tmp_path: Path, old: str, new: str, only: str
) -> tuple[dict[str, Any], "subprocess.CompletedProcess[str]"]:
    """Return the one case that one round of two builds compared, and what the command printed."""
    path = tmp_path / "alternate.json"
    short = ("--rounds", "1", "--threads", "1", "--only", only, "--json", str(path))
    result = run(old, new, *short, module="benchmarks.alternate")
    assert not result.stderr
    (case,) = json.loads(path.read_text(encoding="utf-8"))["results"]
    return case, result


@pytest.mark.parametrize("case", ["2-2-1 b4 SGD", "2-2-1 compile_inference"])
def test_a_build_beside_itself_gives_the_same_bits(case: str, tmp_path: Path) -> None:
    measured, result = alternated(tmp_path, sys.executable, sys.executable, case)
    assert measured["case"] == case
    assert measured["same_bits"]
    assert {build: len(seconds) for build, seconds in measured["seconds"].items()} == {"old": 1, "new": 1}
    assert f"| {case} | 1 |" in result.stdout
    assert "OTHER BITS" not in result.stdout


def test_a_build_with_other_weights_fails(tmp_path: Path) -> None:
    other = tmp_path / "python"  # one that starts training elsewhere; it is called as python -m benchmarks.worker ...
    other.write_text(
        f"""#!{sys.executable}
import runpy, sys
if sys.argv[1] == "-c":
    exec(sys.argv[2])
else:
    from benchmarks.works import Net
    weights = Net.weights
    Net.weights = lambda net, seed=0: weights(net, seed + 1)
    del sys.argv[1:3]
    runpy.run_module("benchmarks.worker", run_name="__main__")
""",
        encoding="utf-8",
    )
    other.chmod(0o755)
    case, result = alternated(tmp_path, sys.executable, str(other), "2-2-1 b4 SGD")
    assert not case["same_bits"]
    assert result.returncode == 1
    assert "FAILED 2-2-1 b4 SGD, threads 1: OTHER BITS" in result.stdout


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({}, ""),
        ({"ratio": [1.01, 0.99, 1.04]}, "up to 1.040 times as long as the old build"),
        ({"ratio": [1.0, 1.0, float("nan")]}, "up to nan times as long as the old build"),
        ({"same_bits": False}, "OTHER BITS than the old build"),
        ({"left_out": {"old": "no bf16", "new": "no bf16"}}, ""),
        ({"left_out": {"old": "no bf16"}}, ""),
        ({"left_out": {"new": "no bf16"}}, "only the old build can: no bf16"),
    ],
)
def test_a_slower_or_poorer_build_is_complained_of(changed: dict[str, Any], complaint: str) -> None:
    from benchmarks import alternate

    good = {"same_bits": True, "ratio": [1.0, 0.98, 1.03], "left_out": {}}
    assert alternate.complaint(good | changed) == complaint


def test_an_unknown_case_is_named() -> None:
    result = run("old", "new", "--only", "9-9-9 b4 SGD", module="benchmarks.alternate")
    assert result.returncode == 2
    assert "unknown case '9-9-9 b4 SGD'; use 784-128-10 b64 SGD, " in result.stderr
