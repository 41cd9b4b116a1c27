"""tools/check_kernel_symbols.py must fail on small objects built to be wrong, and pass on the installed module."""

import importlib.util
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "check_kernel_symbols.py"
COMPILER = next((found for name in ("c++", "g++", "clang++") if (found := shutil.which(name))), None)
MISSING = [name for name in ("nm", "objdump", "c++filt") if shutil.which(name) is None]

needs_binutils = pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed (Debian: binutils)")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler on the PATH")
needs_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="AVX is x86-64's")

AVX = '__attribute__((target("avx512f")))'
KERNEL = f"namespace nnext::kernels::avx2 {{ {AVX} double twice(double x) {{ return x + x; }} }}"
PLAIN = "double twice(double x) { return x + x; }"

# A weak symbol, by what the compiler makes weak.
WEAK = {
    "inline function": "inline int shared(int x) { return x * x; }\nint (*user)(int) = shared;",
    "template": "template <class T> T shared(T x) { return x * x; }\nint (*user)(int) = shared<int>;",
    "inline variable": "inline int shared = 1;\nint* user = &shared;",
    "attribute": "__attribute__((weak)) int shared(int x) { return x; }",
}

# An instruction that needs AVX or more, by what shows it.
NEEDS_AVX = {
    "v-prefixed on xmm": f"{AVX} double outside(double x) {{ return x + x; }}",
    "ymm": f"typedef float V __attribute__((vector_size(32)));\n{AVX} void outside(V* x) {{ *x += *x; }}",
    "zmm": f"typedef float V __attribute__((vector_size(64)));\n{AVX} void outside(V* x) {{ *x += *x; }}",
    "mask register": 'extern "C" void outside() { asm("kortestw %k1, %k1"); }',
    "tile": 'extern "C" void outside() { asm("tilezero %tmm1"); }',
    "tile state": 'extern "C" void outside() { asm("tilerelease"); }',
}

# Its demangled name holds nnext::kernels::avx2:: although it lives elsewhere.
DISGUISED = (
    f"template <class T> {AVX} double outside(double x) {{ return x + x; }}\n"
    "namespace nnext::kernels::avx2 { struct Tag {}; }\n"
    "double (*user)(double) = outside<nnext::kernels::avx2::Tag>;"
)


def compile_cpp(output: Path, text: str, *flags: str) -> Path:
    output.parent.mkdir(parents=True, exist_ok=True)
    source = output.with_suffix(".cpp")
    source.write_text(text + "\n")
    subprocess.run([COMPILER, "-std=c++20", "-O1", "-fPIC", *flags, str(source), "-o", str(output)], check=True)
    return output


def build(folder: Path, objects: dict[str, str]) -> Path:
    """Make a build folder as CMake would: one object for each target."""
    for target, text in objects.items():
        compile_cpp(folder / "CMakeFiles" / f"{target}.dir" / "csrc" / "part.cpp.o", text, "-c")
    return folder


def run(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TOOL), *map(str, paths)], capture_output=True, text=True, check=False)


@needs_binutils
@needs_compiler
@pytest.mark.parametrize("kind", WEAK)
def test_a_weak_symbol_in_a_kernel_object_is_reported(tmp_path, kind):
    result = run(build(tmp_path, {"nnext_kernels_baseline": WEAK[kind], "nnext_core": PLAIN}))
    assert result.returncode == 1, result.stdout + result.stderr
    assert "nnext_kernels_baseline.dir/csrc/part.cpp.o: " in result.stdout
    assert "shared" in result.stdout
    assert "in a kernel object" in result.stdout


@needs_binutils
@needs_compiler
def test_weak_symbols_are_fine_outside_the_kernels(tmp_path):
    result = run(build(tmp_path, {"nnext_kernels_baseline": PLAIN, "nnext_core": WEAK["inline function"]}))
    assert result.returncode == 0, result.stdout + result.stderr


@needs_binutils
@needs_compiler
@needs_x86
def test_a_sound_build_passes(tmp_path):
    objects = {"nnext_kernels_avx2": KERNEL, "nnext_kernels_baseline": PLAIN, "nnext_core": PLAIN, "_core": PLAIN}
    result = run(build(tmp_path, objects))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 kernel objects, 2 others" in result.stdout


@needs_binutils
@needs_compiler
@needs_x86
@pytest.mark.parametrize("target", ["nnext_kernels_baseline", "nnext_core", "_core"])
@pytest.mark.parametrize("kind", NEEDS_AVX)
def test_avx_outside_its_kernels_is_reported(tmp_path, target, kind):
    objects = {"nnext_kernels_avx2": KERNEL, "nnext_kernels_baseline": PLAIN} | {target: NEEDS_AVX[kind]}
    result = run(build(tmp_path, objects))
    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{target}.dir/csrc/part.cpp.o: outside" in result.stdout
    assert result.stdout.splitlines()[-1] == "check_kernel_symbols: 1 faults"


@needs_binutils
@needs_compiler
@needs_x86
def test_avx_kernels_without_avx_mean_that_the_check_is_blind(tmp_path):
    result = run(build(tmp_path, {"nnext_kernels_avx512": PLAIN, "nnext_kernels_baseline": PLAIN}))
    assert result.returncode == 1
    assert "this check is blind" in result.stdout


def test_a_folder_without_kernels_is_reported(tmp_path):
    result = run(tmp_path)
    assert result.returncode == 1
    assert "no object of a target nnext_kernels_<isa>" in result.stdout


def test_a_missing_path_is_an_error(tmp_path):
    result = run(tmp_path / "absent")
    assert result.returncode == 2
    assert "absent" in result.stderr


@needs_binutils
@needs_compiler
@needs_x86
def test_a_sound_module_passes(tmp_path):
    result = run(compile_cpp(tmp_path / "module.so", KERNEL, "-shared"))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 functions with AVX in the kernels" in result.stdout


@needs_binutils
@needs_compiler
@needs_x86
@pytest.mark.parametrize("text", [*NEEDS_AVX.values(), DISGUISED], ids=[*NEEDS_AVX, "disguised"])
def test_avx_outside_the_kernels_of_a_module_is_reported(tmp_path, text):
    result = run(compile_cpp(tmp_path / "module.so", f"{KERNEL}\n{text}", "-shared"))
    assert result.returncode == 1, result.stdout + result.stderr
    assert "outside" in result.stdout
    assert result.stdout.splitlines()[-1] == "check_kernel_symbols: 1 faults"


@needs_binutils
@needs_compiler
@needs_x86
def test_a_stripped_module_is_reported(tmp_path):
    result = run(compile_cpp(tmp_path / "module.so", KERNEL, "-shared", "-s"))
    assert result.returncode == 1
    assert "stripped" in result.stdout


@needs_binutils
def test_the_installed_module_passes():
    spec = importlib.util.find_spec("nnext._core")
    assert spec is not None
    assert spec.origin is not None
    result = run(Path(spec.origin))
    assert result.returncode == 0, result.stdout + result.stderr
