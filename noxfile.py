"""Jobs of the project: ``nox -l`` lists them, ``nox -s neon`` runs one. Plain ``nox`` runs lint and tests.

.ci/run does lint and tests without nox; the others are for the day when a change touches what they cover.
"""

import os
import pathlib
import shutil
import subprocess
import time

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "tests"]

# One build folder a session, kept between runs; all cores.
BUILD = {"CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1)}


def require(session: nox.Session, packages: dict[str, str]) -> None:
    """Stop the session when a program is absent, with the Debian packages that bring them."""
    missing = [package for program, package in packages.items() if shutil.which(program) is None]
    if missing:
        session.error(f"this session needs: apt-get install {' '.join(missing)}")


def install(session: nox.Session, *others: str, defines: str = "", **environment: str) -> None:
    """Install nnext with its test requirements, built in a folder of the session's own."""
    environment |= BUILD | {"SKBUILD_BUILD_DIR": f"build/nox-{session.name}", "SKBUILD_CMAKE_DEFINE": defines}
    session.install(".[test]", *others, env=environment)


def library(name: str) -> str:
    """Return where the compiler has a library of its own."""
    found = subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


@nox.session
def lint(session: nox.Session) -> None:
    """Run ruff, mypy, clang-format, import-linter and the check of the layers."""
    session.install("-r", "tools/lint-requirements.txt")
    session.run("bash", "tools/lint.sh", external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """Build as users do and run pytest (arguments after -- go to pytest)."""
    install(session)
    session.run("pytest", *session.posargs)


@nox.session
def programs(session: nox.Session) -> None:
    """Run 2,000 programs of ten random calls; pytest runs 60."""
    install(session)
    options = ["--hypothesis-profile=thorough", "--timeout=3600", "-k", "test_programs", *session.posargs]
    session.run("pytest", *options, env={"NNEXT_TEST_PROGRAMS": "2000"})


@nox.session
def neon(session: nox.Session) -> None:
    """Cross-compile the C++ tests for aarch64 and run them under qemu-user."""
    require(session, {"aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu", "qemu-aarch64": "qemu-user"})
    session.install("cmake", "ninja")
    session.run("cmake", "--preset", "aarch64", "-G", "Ninja")
    session.run("cmake", "--build", "--preset", "aarch64", env=BUILD)
    session.run("python", "tools/check_kernel_symbols.py", "build/aarch64")
    session.run("ctest", "--preset", "aarch64", *session.posargs)


@nox.session
def asan(session: nox.Session) -> None:
    """Run pytest with AddressSanitizer and UndefinedBehaviorSanitizer in the extension module."""
    require(session, {"g++": "g++"})
    install(session, defines="NNEXT_SANITIZE=address,undefined", CXX="g++")
    # The interpreter is not instrumented, so the runtime must be there first; libstdc++ for its exceptions to be seen.
    libraries = [library(name) for name in ("libasan.so", "libstdc++.so")]
    environment = {
        "LD_PRELOAD": " ".join(libraries),
        "PYTHONMALLOC": "malloc",  # pymalloc's arenas would hide an overrun
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }
    session.run("python", "-m", "pytest", "-s", *session.posargs, env=environment)


@nox.session
def tsan(session: nox.Session) -> None:
    """Run the C++ tests and the threads of the Python tests with ThreadSanitizer; it must report races in mutants."""
    require(session, {"g++": "g++", "setarch": "util-linux"})
    begin = time.monotonic()
    session.install(
        "cmake", "ninja", "pybind11>=3", "numpy", "safetensors", "tqdm", "pytest", "pytest-timeout", "hypothesis"
    )
    pybind11 = session.run("python", "-m", "pybind11", "--cmakedir", silent=True).strip()
    session.run("cmake", "--preset", "tsan", "-G", "Ninja", "-DNNEXT_PYTHON=ON", f"-Dpybind11_DIR={pybind11}")
    session.run("cmake", "--build", "--preset", "tsan", env=BUILD)
    session.run("ctest", "--preset", "tsan", "--exclude-regex", "stress", *session.posargs)
    # Shadow memory has no room for all of what Linux places at random: setarch. Reports end the program.
    one_place = ["setarch", "--addr-no-randomize"]
    options = {"TSAN_OPTIONS": "halt_on_error=1:die_after_fork=0"}
    stress = session.run(*one_place, "build/tsan/tests/cpp/stress", env=options, silent=True, external=True)
    session.log(stress)
    package = pathlib.Path(session.create_tmp(), "nnext")
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree("python/nnext", package, ignore=shutil.ignore_patterns("*.so"))
    for module in pathlib.Path("build/tsan").glob("_core*.so"):
        shutil.copy(module, package)
    # The interpreter is not instrumented: the runtime must be there first, and what it does to its memory is left out.
    options["TSAN_OPTIONS"] += ":ignore_noninstrumented_modules=1"
    options |= {"LD_PRELOAD": library("libtsan.so"), "PYTHONPATH": str(package.parent), "OPENBLAS_NUM_THREADS": "1"}
    python = [*one_place, "python", "-m", "pytest", "-q", "tests/robustness/test_threads.py"]
    tests = session.run(*python, env=options, silent=True, external=True)
    session.log(tests)
    minutes = (time.monotonic() - begin) / 60
    print(f"tsan: {stress.splitlines()[-1]}; {tests.splitlines()[-1].split(' in ')[0]}, 0 races, {minutes:.0f} min")


@nox.session
def poison(session: nox.Session) -> None:
    """Run the tests of layers and training with NaN in all memory that a pass has not written."""
    install(session, defines="NNEXT_POISON=ON")
    session.run("pytest", *(session.posargs or ["tests/layers", "tests/training"]))


@nox.session
def clang(session: nox.Session) -> None:
    """Build with clang, warnings as errors, and run pytest."""
    require(session, {"clang++": "clang"})
    install(session, defines="NNEXT_DEVELOPER=ON", CXX="clang++")
    session.run("pytest", *session.posargs)


@nox.session
def stubtest(session: nox.Session) -> None:
    """Compare the type stubs of nnext._core with the module itself."""
    install(session, "mypy")
    session.run("python", "-m", "mypy.stubtest", "nnext._core", *session.posargs)
