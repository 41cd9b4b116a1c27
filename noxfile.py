"""Jobs of the project: ``nox -l`` lists them, ``nox -s neon`` runs one. Plain ``nox`` runs lint and tests.

.ci/run does lint and tests without nox; the others are for the day when a change touches what they cover.
"""

import os
import pathlib
import shutil
import subprocess
import time
from xml.etree import ElementTree

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
    ours = {"SKBUILD_BUILD_DIR": f"build/nox-{session.name}", "SKBUILD_CMAKE_DEFINE": defines}
    environment = BUILD | ours | environment
    # Not isolated: pybind11 would lie in another folder each time, and all of the bindings be compiled again.
    session.install(*nox.project.load_toml("pyproject.toml")["build-system"]["requires"], "cmake", "ninja")
    session.install("--no-build-isolation", ".[test]", *others, env=environment)


def read(path: pathlib.Path) -> str:
    """Return a text whose bytes may be anything."""
    return path.read_text(errors="replace")


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
    """Run pytest with AddressSanitizer and UndefinedBehaviorSanitizer in the core and the kernels of every CPU."""
    began = time.monotonic()
    require(session, {"g++": "g++"})
    install(session, "pytest-xdist", defines="NNEXT_SANITIZE=address,undefined", CXX="g++")
    results = pathlib.Path("build/nox-asan/results").absolute()
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir()
    # The interpreter is not instrumented, so the runtime must be there first; libstdc++ for its exceptions to be seen.
    libraries = [library(name) for name in ("libasan.so", "libstdc++.so")]
    to_files = f"log_path={results}/report"  # which no test can swallow, of whatever process
    environment = {
        "LD_PRELOAD": " ".join(libraries),
        "PYTHONMALLOC": "malloc",  # pymalloc's arenas would hide an overrun
        "ASAN_OPTIONS": f"detect_leaks=0:allocator_may_return_null=1:{to_files}",
        "UBSAN_OPTIONS": f"halt_on_error=1:print_stacktrace=1:{to_files}",
    }
    # Left out: what measures memory, and forks, which copy the page tables of the shadow memory; folders that run
    # nothing of the core, or nothing that others do not; and what a faulthandler would say in place of the sanitizer.
    # tests/conftest.py says what --one-in leaves.
    folders = [f"--ignore=tests/{name}" for name in ("tools", "benchmarks", "reference", "examples")]
    chosen = ["-m", "not resources", *folders, "-p", "no:faulthandler", "--hypothesis-profile=slow", "--one-in=5"]
    options = ["-q", "-n", str(os.cpu_count() or 1), f"--junitxml={results}/tests.xml", "--timeout=900", *chosen]
    session.run("python", "-m", "pytest", *options, *session.posargs, env=environment, success_codes=[0, 1])
    suite = ElementTree.parse(results / "tests.xml").getroot()[0]
    tests, skipped, *failed = (int(suite.attrib[kind]) for kind in ("tests", "skipped", "failures", "errors"))
    # Beside reports there are warnings of memory that nobody can have, which some tests ask for.
    reports = sum("ERROR: " in text or "runtime error: " in text for text in map(read, results.glob("report*")))
    minutes = (time.monotonic() - began) / 60
    figure = f"asan: {tests - skipped:,} tests, {sum(failed)} failed, {reports} reports, {minutes:.0f} min"
    session.error(figure) if any(failed) or reports else session.log(figure)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Load mutated files and run random programs, both led by coverage, for 8 minutes (or -- SECONDS)."""
    install(session, "atheris")
    seconds = session.posargs[0] if session.posargs else "480"
    folder = pathlib.Path("build/nox-fuzz/found").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "fuzz", seconds, str(folder), env={"PYTHONPATH": "tests"})


@nox.session
def soak(session: nox.Session) -> None:
    """Predict 100,000 times, fit 1,000 times and so on (or -- a part of that), and see that nothing is left of it."""
    install(session)
    session.run("python", "tests/soak.py", *session.posargs)


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
    python = [*one_place, "python", "-m", "pytest", "-q", "-m", "not resources", "tests/robustness/test_threads.py"]
    tests = session.run(*python, env=options, silent=True, external=True)
    session.log(tests)
    minutes = (time.monotonic() - begin) / 60
    print(f"tsan: {stress.splitlines()[-1]}; {tests.splitlines()[-1].split(' in ')[0]}, 0 races, {minutes:.0f} min")


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
