"""Programs that keep the machine busy, which never outlive a run, and what is measured beside them."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import nnext as nn
from benchmark_runs import ROOT, measured

LIMIT = 60.0  # seconds for what takes a fraction of one on a quiet machine
# A shell may have started the tests with SIGINT ignored, or a signal blocked, and children inherit that.
COMMAND = """
import runpy, signal
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
    signal.signal(number, handler)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
runpy.run_module("benchmarks", run_name="__main__")
"""


def cpu_seconds(pid: int) -> float:
    """Return how long a process has computed, as Linux tells it."""
    user_ticks = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11]
    return int(user_ticks) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("work", ["compute", "train"])
def test_programs_compute_within_the_block(work: str) -> None:
    from benchmarks.busy import Load, running

    with running(Load(2, work)) as programs:
        before = [cpu_seconds(program.pid) for program in programs]
        given_up = time.monotonic() + LIMIT
        while any(cpu_seconds(program.pid) < was + 0.1 for program, was in zip(programs, before, strict=True)):
            assert time.monotonic() < given_up, "a program does not compute"
            time.sleep(0.02)
        assert [program.poll() for program in programs] == [None, None]
    assert None not in [program.returncode for program in programs]


def test_no_program_is_a_quiet_machine() -> None:
    from benchmarks.busy import Load, running

    with running(Load(0)) as programs:
        assert programs == []
    assert [Load(n).name for n in (0, 1, 2)] == ["", "1 computing program", "2 computing programs"]
    assert Load(1, "train").name == "1 training"


def test_a_program_that_cannot_start_ends_the_run() -> None:
    from benchmarks.busy import Load, running

    with pytest.raises(RuntimeError, match="keep the machine busy ended with"), running(Load(1, "juggle")):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_a_run_ends_its_programs_end_with_it(number: int) -> None:
    arguments = ("matmul", "--busy", "2", "--quick", "--only", "nnext", "--rounds", "1000000")
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            while (line := process.stdout.readline()) and "== matmul" not in line:
                pass
            assert line, "it ended by itself"
            process.send_signal(number)
            process.communicate(timeout=LIMIT)  # the programs hold stderr open as long as one of them lives
            assert process.returncode != 0
        finally:
            with contextlib.suppress(ProcessLookupError):  # none is left, as it should be
                os.killpg(process.pid, signal.SIGKILL)


def test_a_busy_run_says_so(tmp_path: Path) -> None:
    written, printed = measured(tmp_path, "activations", "load", "--only", "nnext", "--busy", "2")
    assert "beside 2 computing programs: times and FMA ceilings are those of a busy machine" in printed
    assert "2 rounds, beside 2 computing programs, FMA ceiling" in printed
    assert "GFLOP/s of the busy machine" in printed
    assert {result["beside"] for result in written["activations"]["results"]} == {"2 computing programs"}
    assert written["load"]["results"] == []
    assert "it has programs of its own: measure it without --busy" in printed


def test_load_compares_the_default_with_fixed_teams(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.busy import Load
    from benchmarks.cases import Effort
    from benchmarks.harness import Pool
    from benchmarks.report import show

    from benchmarks import harness, load

    loads = (Load(0), Load(1, "train"))
    monkeypatch.setattr(load, "QUICK_LOADS", loads)
    monkeypatch.setattr(load, "BUDGET", 1e-4)
    monkeypatch.setattr(harness, "IDLE", 0)
    with Pool(["nnext"]) as pool:
        results = load.run(pool, Effort(rounds=2, budget=1e-4, quick=True), show)
    printed = capsys.readouterr().out
    cases = ["784-128-10 b64 SGD", "784-128-10, 256 rows", "256^3 float32"]
    assert [(r["case"], r["beside"]) for r in results] == [(case, each.name) for case in cases for each in loads]
    teams = ["nnext, 1 thread", "nnext, 2 threads"]
    for result in results:
        assert list(result["libraries"]) == ["nnext", *teams]
        assert all(len(row["seconds"]) == 2 for row in result["libraries"].values())
        better = result["default"]["better"]
        assert better == min(teams, key=lambda name: result["libraries"][name]["median"])
        low, high = sorted(1 / ratio for ratio in result["libraries"][better]["ratio"][1:])
        assert result["default"]["ratio"][1:] == pytest.approx([low, high])  # of two rounds
        assert f"{result['default']['ratio'][0]:.2f}" in printed
    assert "784-128-10 b64 SGD, 2 rounds, beside 1 training\n" in printed
    if importlib.util.find_spec("matplotlib") is not None:
        from benchmarks import plots

        plots.draw({"benchmarks": {"load": {"title": load.TITLE, "results": results}}}, tmp_path)
        names = {"load_784-128-10_b64_SGD.png", "load_784-128-10_256_rows.png", "load_256^3_float32.png"}
        assert {path.name for path in tmp_path.iterdir()} == names


def test_the_better_team_is_that_of_the_lower_median() -> None:
    from benchmarks.load import default_to_better

    times = {
        "nnext": [3.0, 3.0, 3.0],
        "nnext, 1 thread": [2.0, 2.0, 9.0],
        "nnext, 2 threads": [1.0, 5.0, 5.0],  # the best round, but not the better team
        "JAX": [0.1, 0.1, 0.1],
    }
    told = default_to_better(times)
    assert told["better"] == "nnext, 1 thread"
    assert told["ratio"][0] == 1.5


def test_a_default_is_told_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.harness import THREAD_VARIABLES, environment
    from benchmarks.libraries import LIBRARIES

    for name in THREAD_VARIABLES:
        monkeypatch.setenv(name, "7")
    assert not set(THREAD_VARIABLES) & set(environment(0))
    assert {environment(2)[name] for name in THREAD_VARIABLES} == {"2"}
    with nn.runtime.threads(3):
        LIBRARIES["nnext"].load(0)
        assert nn.runtime.get_num_threads() == 3
        LIBRARIES["nnext"].load(2)
        assert nn.runtime.get_num_threads() == 2


def test_fixed_teams_are_fixed_where_the_core_can(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.libraries import LIBRARIES

    fixed: list[Any] = []
    monkeypatch.setattr("nnext._core.fix_team", fixed.append, raising=False)
    with nn.runtime.threads(1):
        LIBRARIES["nnext"].load(2)
        assert fixed == []
        LIBRARIES["nnext fixed"].load(2)
    assert fixed == [True]
    monkeypatch.delattr("nnext._core.fix_team")
    with nn.runtime.threads(1):
        LIBRARIES["nnext fixed"].load(2)
