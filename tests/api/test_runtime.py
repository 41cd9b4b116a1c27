"""Instruction sets and threads: what is chosen, by whom, and what is refused."""

import json
import math
import os
import pathlib
from typing import Any

import numpy as np
import pytest

import internals
import nnext as nn
from nnext import runtime
from support import assert_same_bits, run_python, use_isa

# (1 + 2^-12)^2 - (1 + 2^-11) in float32: 2^-24 when the product is not rounded before the sum, as FMA has it, else 0.
FMA_PROOF = """
import json
import math
import numpy as np
import nnext as nn
a, b = np.float32([[-1, 1 + 2**-12]]), np.float32([[1 + 2**-11], [1 + 2**-12]])
model = nn.Sequential(nn.Linear(2, 1, bias=False))
model.load_state_dict({"0.weight": b.T})
print(json.dumps([nn.runtime.isa(), float(nn.functional.matmul(a, b)[0, 0]), float(model.predict(a)[0, 0])]))
"""


# ---- Instruction sets -----------------------------------------------------------------------------------------------


def test_the_best_available_is_in_use_unless_one_is_forced() -> None:
    available = runtime.available_isas()
    assert available[-1] == "baseline"
    assert set(available) <= set(internals.compiled_isas()) <= {"avx512", "avx2", "neon", "baseline"}
    result = run_python("import nnext as nn; print(nn.runtime.isa())")
    assert result.stdout.strip() == available[0]
    assert run_python("import nnext as nn; print(nn.runtime.isa())", NNEXT_ISA="").stdout == result.stdout


@pytest.mark.parametrize("name", runtime.available_isas())
def test_a_forced_instruction_set_is_the_one_that_computes(name: str) -> None:
    result = run_python(FMA_PROOF, NNEXT_ISA=name)
    assert result.returncode == 0, result.stderr
    expected = 0.0 if name == "baseline" else 2.0**-24
    assert json.loads(result.stdout) == [name, expected, expected]


@pytest.mark.parametrize("name", ["sse9", "AVX2", "avx2 ", "baseline,avx2"])
def test_an_unknown_instruction_set_is_an_error_at_import(name: str) -> None:
    result = run_python("import nnext", NNEXT_ISA=name)
    assert result.returncode == 1
    available = ", ".join(runtime.available_isas())
    assert f"ImportError: NNEXT_ISA={name} is not a known instruction set; available: {available}" in result.stderr


def test_an_unsupported_instruction_set_is_an_error_at_import() -> None:
    unsupported = set(internals.compiled_isas()) - set(runtime.available_isas())
    if not unsupported:
        pytest.skip("this CPU supports every instruction set that was compiled")
    for name in unsupported:
        result = run_python("import nnext", NNEXT_ISA=name)
        assert f"NNEXT_ISA={name} is not supported by this CPU; available: " in result.stderr
        with pytest.raises(ValueError, match=f"isa={name} is not supported by this CPU"):
            internals.select_isa(name)


def test_a_network_keeps_the_instruction_set_it_was_made_with(rng: np.random.Generator) -> None:
    X = rng.normal(size=(50, 40)).astype("float32")
    predictions = {}
    for name in runtime.available_isas():
        with use_isa(name):
            model = nn.MLP([40, 30, 5])
            expected = model.predict(X)
        assert runtime.isa() != name or name == runtime.available_isas()[0] or "NNEXT_ISA" in os.environ
        assert_same_bits(model.predict(X), expected)
        predictions[name] = expected
    if len(predictions) > 1:
        best, plain = predictions[runtime.available_isas()[0]], predictions["baseline"]
        assert (best != plain).any()  # no FMA: other roundings
        np.testing.assert_allclose(best, plain, atol=1e-5)
    with pytest.raises(ValueError, match="isa=sse is not a known instruction set"):
        internals.select_isa("sse")


# ---- Threads --------------------------------------------------------------------------------------------------------

SHOW_THREADS = "import nnext as nn; print(nn.runtime.get_num_threads())"


@pytest.mark.parametrize(
    ("environment", "threads"),
    [
        ({"NNEXT_NUM_THREADS": "3"}, 3),
        ({"NNEXT_NUM_THREADS": " 3\t"}, 3),
        ({"NNEXT_NUM_THREADS": "256"}, 256),  # a call takes no more than there are CPUs
        ({"OMP_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": " 1 "}, 1),
        ({"OMP_NUM_THREADS": "1,4"}, 1),  # OpenMP's list of nested levels
        ({"OMP_NUM_THREADS": "1 , 4"}, 1),
        ({"NNEXT_NUM_THREADS": "3", "OMP_NUM_THREADS": "1"}, 3),
        ({"NNEXT_NUM_THREADS": "3", "OMP_NUM_THREADS": "abc"}, 3),
        ({"NNEXT_NUM_THREADS": "", "OMP_NUM_THREADS": "1"}, 1),
        ({"NNEXT_NUM_THREADS": "  ", "OMP_NUM_THREADS": "1"}, 1),
    ],
)
def test_the_environment_sets_the_number_of_threads(environment: dict[str, str], threads: int) -> None:
    assert run_python(SHOW_THREADS, **environment).stdout == f"{threads}\n"


@pytest.mark.parametrize("value", ["384", "384 ", "384,2", "99999999999999999999"])
@pytest.mark.parametrize("ours", [{}, {"NNEXT_NUM_THREADS": ""}], ids=str)
def test_openmps_number_is_no_more_than_there_are_cpus(ours: dict[str, str], value: str) -> None:
    assert run_python(SHOW_THREADS, OMP_NUM_THREADS=value, **ours).stdout == f"{internals.usable_cpus()}\n"


@pytest.mark.parametrize("value", ["", " ", "abc", "0", "-1", "-99999999999999999999", "1.5", "1x", "1 2", ",1", "0x1"])
def test_what_is_no_number_for_openmp_is_not_there(value: str) -> None:
    result = run_python(SHOW_THREADS, OMP_NUM_THREADS=value)
    assert (result.stdout, result.stderr) == (f"{internals.usable_cpus()}\n", "")


def test_without_it_every_usable_cpu_gets_a_thread() -> None:
    assert run_python(SHOW_THREADS).stdout == f"{internals.usable_cpus()}\n"
    assert 1 <= internals.usable_cpus() <= len(os.sched_getaffinity(0))
    pinned = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n{SHOW_THREADS}"
    assert run_python(pinned).stdout == "1\n"


@pytest.mark.parametrize("value", ["0", "-2", "two", "1.5", "4,2", "4 2", "257", "384", "99999999999999999999"])
def test_a_number_of_threads_that_is_none_is_an_error_at_import(value: str) -> None:
    result = run_python("import nnext", NNEXT_NUM_THREADS=value)
    assert result.returncode == 1
    assert f"ImportError: NNEXT_NUM_THREADS={value} is not a number of threads; use 1 to 256" in result.stderr


def test_threads_can_be_set_for_a_while() -> None:
    before = runtime.get_num_threads()
    with runtime.threads(7):
        assert runtime.get_num_threads() == 7
        with runtime.threads(1):
            assert runtime.get_num_threads() == 1
        assert runtime.get_num_threads() == 7
    assert runtime.get_num_threads() == before
    with pytest.raises(KeyError), runtime.threads(5):
        raise KeyError
    assert runtime.get_num_threads() == before


@pytest.mark.parametrize(
    ("n", "error"), [(0, ValueError), (-1, ValueError), (257, ValueError), (1.0, TypeError), ("2", TypeError)]
)
def test_a_number_of_threads_must_be_one(n: Any, error: type[Exception]) -> None:
    before = runtime.get_num_threads()
    with pytest.raises(error, match=rf"\[set_num_threads\] n is '?{n}'?; give a whole number"):
        runtime.set_num_threads(n)
    with pytest.raises(error), runtime.threads(n):
        pytest.fail("the block ran")
    assert runtime.get_num_threads() == before


# ---- The limit of a control group -----------------------------------------------------------------------------------


def tree(root: pathlib.Path, processes: str, files: dict[str, str]) -> int:
    """Ask for the limit of a process in a tree of control groups made of files."""
    (root / "cgroup").write_text(processes)
    for name, content in files.items():
        (root / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "fs" / name).write_text(content)
    return internals.cgroup_cpus(root / "cgroup", root / "fs")


@pytest.mark.parametrize(
    ("processes", "files", "cpus"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}, 0),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 3),  # rounded up: 2.5 CPUs keep three threads busy most of the time
        ("0::/\n", {"cpu.max": "1000 100000\n"}, 1),
        ("0::/a/b\n", {"a/b/cpu.max": "400000 100000"}, 4),
        (
            "0::/a/b\n",
            {"a/b/cpu.max": "400000 100000", "a/cpu.max": "300000 100000"},
            3,
        ),  # the parent's limit binds, too
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "cpu.max": "100000 100000"}, 1),
        ("0::/a\n", {"other/cpu.max": "100000 100000"}, 0),
        ("0::/a\n", {"a/cpu.max": "what is this"}, 0),
        ("0::/a\n", {"a/cpu.max": "-1 100000"}, 0),
        ("0::/a\n", {}, 0),
        ("", {"cpu.max": "100000 100000"}, 0),
        ("no colons here\n", {"cpu.max": "100000 100000"}, 0),
        ("4:cpu,cpuacct:/d\n", {"cpu/d/cpu.cfs_quota_us": "150000", "cpu/d/cpu.cfs_period_us": "100000"}, 2),
        ("4:cpuacct,cpu:/d\n", {"cpu/d/cpu.cfs_quota_us": "150000", "cpu/d/cpu.cfs_period_us": "100000"}, 2),
        ("4:cpu:/d\n", {"cpu/d/cpu.cfs_quota_us": "-1", "cpu/d/cpu.cfs_period_us": "100000"}, 0),
        ("4:cpu:/d\n", {"cpu/d/cpu.cfs_quota_us": "300000"}, 0),
        ("9:memory:/d\n", {"cpu/d/cpu.cfs_quota_us": "100000", "cpu/d/cpu.cfs_period_us": "100000"}, 0),
        ("9:cpuset:/d\n", {"cpu/d/cpu.cfs_quota_us": "100000", "cpu/d/cpu.cfs_period_us": "100000"}, 0),
        ("9:memory,cpuset:/d\n", {"cpu/d/cpu.cfs_quota_us": "100000", "cpu/d/cpu.cfs_period_us": "100000"}, 0),
        (
            "5:cpu:/d\n0::/e\n",
            {"cpu/d/cpu.cfs_quota_us": "300000", "cpu/d/cpu.cfs_period_us": "100000", "e/cpu.max": "200000 100000"},
            2,
        ),
    ],
)
def test_the_limit_of_a_control_group(tmp_path: pathlib.Path, processes: str, files: dict[str, str], cpus: int) -> None:
    assert tree(tmp_path, processes, files) == cpus


def test_no_control_groups_at_all_are_no_limit(tmp_path: pathlib.Path) -> None:
    assert internals.cgroup_cpus(tmp_path / "absent", tmp_path / "absent") == 0


# ---- show_config ----------------------------------------------------------------------------------------------------


def test_show_config_prints_what_belongs_into_a_bug_report(capsys: pytest.CaptureFixture[str]) -> None:
    with runtime.threads(2):
        runtime.show_config()
    out = capsys.readouterr().out
    assert f"nnext {nn.__version__}, Python " in out
    assert f"NumPy {np.__version__}" in out
    assert f"instruction set: {runtime.isa()} (available: {', '.join(runtime.available_isas())})" in out
    assert "threads: 2 (the last call had " in out
    assert "usable" in out


# ---- The peak -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", runtime.available_isas())
def test_the_peak_gives_a_rate_on_every_instruction_set(name: str, dtype: str) -> None:
    with use_isa(name):
        for threads in (1, 3):
            assert 0 < runtime.fma_ceiling(dtype, threads=threads) < math.inf


def test_the_peak_refuses_what_it_has_no_scale_for() -> None:
    with pytest.raises(ValueError, match=r"\[fma_ceiling\] unknown dtype 'float16'"):
        runtime.fma_ceiling("float16")
    with pytest.raises(TypeError, match=r"\[fma_ceiling\] dtype is 'fp8'"):
        runtime.fma_ceiling("fp8")
    with pytest.raises(ValueError, match=r"\[fma_ceiling\] threads is 0"):
        runtime.fma_ceiling(threads=0)
