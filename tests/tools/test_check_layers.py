"""tools/check_layers.py keeps the real tree, and finds each kind of fault in a made-up one."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TOOL = PROJECT / "tools" / "check_layers.py"

# file, include line, words of the expected answer
FAULTS = [
    ("core/a.h", '#include "kernels/k.h"', "core may include core; not kernels"),
    ("kernels/dispatch.cpp", '#include "runtime/team.h"', "kernels may include kernels, core; not runtime"),
    ("runtime/team.h", '#include "kernels/k.h"', "runtime may include runtime, core; not kernels"),
    ("ops/matmul.cpp", '#include "nn/layer.h"', "not nn"),
    ("nn/linear.h", '#include "optim/sgd.h"', "not optim"),
    ("nn/linear.h", '#include "data/source.h"', "not data"),
    ("data/source.h", '#include "nn/linear.h"', "not nn"),
    ("optim/sgd.h", '#include "nn/linear.h"', "not nn"),
    ("optim/sgd.h", "#include <nn/linear.h>", "not nn"),
    ("train/fit.cpp", '#  include "bindings/array.h"', "not bindings"),
    ("train/fit.cpp", "#include <pybind11/pybind11.h>", "only bindings speaks with Python"),
    ("train/fit.cpp", "#include <Python.h>", "only bindings speaks with Python"),
    ("train/fit.cpp", '#include "plan.h"', "written from csrc"),
    ("train/fit.cpp", '#include "../nn/layer.h"', "written from csrc"),
    ("train/fit.cpp", '#include "train/../bindings/array.h"', "never through '..'"),
    ("train/fit.cpp", "#include NNEXT_PLAN", "a macro hides it"),
    ("kernels/gemm.kernel.cpp", "#include <cmath>", "kernel code includes"),
    ("kernels/gemm.kernel.cpp", '#include "core/size.h"', "kernel code includes"),
    ("kernels/simd/avx2.h", "#include <vector>", "kernel code includes"),
    ("kernels/bf16/amx.kernel.cpp", "#include <cmath>", "kernel code includes"),
    ("extra/a.h", "#include <vector>", "lives in one of the rooms"),
    ("a.h", "#include <vector>", "lives in one of the rooms"),
]

SOUND = {
    "core/size.h": "#include <cstddef>\n",
    "kernels/exp.kernel.cpp": '#include <cstdint>\n#include <immintrin.h>\n\n#include "kernels/simd/simd.h"\n',
    "kernels/simd/simd.h": "#include <cstddef>\n#include <arm_neon.h>\n",
    "kernels/dispatch.cpp": '#include <vector>\n#include "core/size.h"\n',
    "runtime/team.h": '#include "core/size.h"\n',
    "ops/linear.h": '#include "kernels/dispatch.h"\n#include "runtime/team.h"\n',
    "data/source.h": '#include "runtime/cancel.h"\n',
    "nn/linear.h": '#include "ops/linear.h"  // see "train/fit.h"\n',
    "train/fit.h": '// #include "bindings/array.h"\n#include "nn/linear.h"\n#include "data/source.h"\n',
    "bindings/array.h": '#include <pybind11/numpy.h>\n\n#include "train/fit.h"\n',
}


def run(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), str(project)], capture_output=True, text=True, check=False)


def write(project: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (project / "csrc" / name).parent.mkdir(parents=True, exist_ok=True)
        (project / "csrc" / name).write_text(text)


def test_the_real_tree_keeps_the_order():
    result = run(PROJECT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_sound_tree_passes(tmp_path):
    write(tmp_path, SOUND)
    result = run(tmp_path)
    assert (result.returncode, result.stdout.count("\n")) == (0, 1), result.stdout + result.stderr


@pytest.mark.parametrize(("file", "include", "answer"), FAULTS)
def test_a_fault_is_reported_with_file_line_and_rule(tmp_path, file, include, answer):
    write(tmp_path, SOUND | {file: f"// a comment\n#pragma once\n{include}\n"})
    result = run(tmp_path)
    lines = result.stdout.splitlines()
    assert result.returncode == 1
    assert len(lines) == 2, result.stdout
    assert lines[0].startswith(f"csrc/{file}:3: #include ")
    assert answer in lines[0]


def test_a_header_that_kernel_code_reaches_is_kernel_code(tmp_path):
    shared = {"kernels/poly.h": "#include <algorithm>\n", "kernels/tanh.kernel.cpp": '#include "kernels/poly.h"\n'}
    write(tmp_path, SOUND | shared)
    result = run(tmp_path)
    assert result.returncode == 1
    assert result.stdout.startswith("csrc/kernels/poly.h:1: #include <algorithm>: kernel code includes")


def test_a_folder_without_csrc_is_an_error(tmp_path):
    result = run(tmp_path)
    assert result.returncode == 2
    assert "no folder csrc" in result.stderr
