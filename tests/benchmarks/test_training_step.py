"""The comparison script runs, proves equal work and writes what it measured. No test asserts a time."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def harness() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmarks_harness", FOLDER / "harness.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(FOLDER / "training_step.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_the_script_compares_on_equal_work_and_writes_json(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    result = run("--only", "nnext,NumPy", "--rounds", "2", "--batches", "4", "--epochs", "1", "--json", str(path))
    assert result.returncode == 0, result.stderr
    assert "times nnext's [95%]" in result.stdout
    written = json.loads(path.read_text(encoding="utf-8"))
    assert list(written["libraries"]) == ["nnext", "NumPy"]
    for variant in ("shuffled", "in_order"):
        ours, numpys = (written["libraries"][name] for name in ("nnext", "NumPy"))
        assert ours["first_loss"][variant] == pytest.approx(numpys["first_loss"][variant], rel=1e-4)
        assert len(numpys[variant]["rounds_us"]) == 2
        assert ours[variant]["ratio_to_nnext"] == 1


def test_a_library_that_is_unknown_is_named() -> None:
    result = run("--only", "nnext,Caffe")
    assert result.returncode == 2
    assert "unknown library 'Caffe'" in result.stderr


def test_a_ratio_is_the_median_of_the_rounds_with_an_interval_around_it() -> None:
    compare = harness().compare
    ratio = compare([2.0, 40.0, 6.0, 8.0, 10.0], [1.0, 20.0, 3.0, 4.0, 1.0])  # one of five rounds was disturbed
    assert ratio.median == 2
    assert ratio.low == 2
    assert 2 <= ratio.high <= 10
    assert str(compare([3.0], [2.0])) == "1.50 [1.50, 1.50]"
