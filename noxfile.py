"""Jobs of the project: ``nox -l`` lists them, ``nox -s neon`` runs one. Plain ``nox`` runs lint and tests.

.ci/run does lint and tests without nox; the others are for the day when a change touches what they cover.
"""

import os
import shutil
import subprocess

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
    libraries = [
        subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libstdc++.so")
    ]
    environment = {
        "LD_PRELOAD": " ".join(libraries),
        "PYTHONMALLOC": "malloc",  # pymalloc's arenas would hide an overrun
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    }
    session.run("python", "-m", "pytest", "-s", *session.posargs, env=environment)


@nox.session
def tsan(session: nox.Session) -> None:
    """Run the C++ tests with ThreadSanitizer; it must also report races in mutants of the barrier and the gate."""
    require(session, {"g++": "g++"})
    session.install("cmake", "ninja")
    session.run("cmake", "--preset", "tsan", "-G", "Ninja")
    session.run("cmake", "--build", "--preset", "tsan", env=BUILD)
    session.run("ctest", "--preset", "tsan", *session.posargs)


@nox.session
def oom(session: nox.Session) -> None:
    """Let each allocation of each operation fail in turn, the core's and Python's; the last line has the figures."""
    require(session, {"cc": "gcc"})
    install(session)
    session.chdir("tests")
    session.run("python", "-m", "oom", *session.posargs)


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
