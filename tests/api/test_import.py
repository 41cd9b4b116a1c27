"""A quiet guest: what `import nnext` and a training leave as they found it."""

import json
import pathlib
import sys
import tomllib

import pytest

import internals
import nnext as nn
from support import run_python

FOLDER = pathlib.Path(nn.__file__).parent

# Everything that an import could change, as JSON; NumPy first, which starts threads of its own.
LOOK = """
import ctypes, json, locale, os, signal, sys, threading, time, warnings
import numpy as np

def kernel(*names):
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {name: lines[name].strip() for name in names}

def look():
    libm = ctypes.CDLL("libm.so.6")
    return {
        "threads": len(os.listdir("/proc/self/task")),
        "handlers": [repr(signal.getsignal(s)) for s in sorted(signal.valid_signals())],
        "signals": kernel("SigBlk", "SigIgn", "SigCgt", "Umask"),
        "environment": dict(os.environ),
        "numpy": [np.geterr(), np.get_printoptions(), np.random.get_state()[1].tolist(), np.random.get_state()[2]],
        "rounding": libm.fegetround(),
        "denormals": (np.float32([1e-38]) * np.float32(1e-3)).tolist() + (np.array([1e-308]) * 1e-3).tolist(),
        "warnings": [str(entry) for entry in warnings.filters],
        "locale": locale.setlocale(locale.LC_ALL),
        "hooks": [repr(sys.excepthook), repr(sys.unraisablehook), sys.getswitchinterval(), sys.getrecursionlimit()],
        "folder": os.getcwd(),
        "path": sys.path,
        "affinity": sorted(os.sched_getaffinity(0)),
    }

# With the first thread of a process, here NumPy's where there are several CPUs, glibc catches a signal of its own.
threads = look()["threads"]
threading.Thread(target=lambda: None).start()
while look()["threads"] > threads:
    time.sleep(0.001)
before = look()
"""
COMPARE = """
after = look()
changed = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
print(json.dumps(changed, default=str))
"""
TRAIN = """
import internals
X, y = np.ones((200, 100), "float32"), np.arange(200) % 2
model = nn.MLP([100, 80, 2], dropout=0.1)
model.compile(loss="cross_entropy")
internals.fix_team()
with nn.runtime.threads(THREADS):
    model.fit(X, y, epochs=2, batch_size=100, verbose=0)
"""


def changes(code: str) -> dict[str, list[object]]:
    result = run_python(f"{LOOK}\n{code}\n{COMPARE}")
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


def test_import_changes_nothing() -> None:
    assert changes("import nnext as nn") == {}


def test_the_look_would_see_changes() -> None:
    code = """
import threading
np.seterr(all="ignore")
np.random.seed(3)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.environ["NNEXT_X"] = "1"
threading.Thread(target=signal.pause, daemon=True).start()
"""
    assert set(changes(code)) == {"numpy", "handlers", "signals", "environment", "threads"}


def test_training_starts_threads_and_changes_nothing_else() -> None:
    assert set(changes("import nnext as nn" + TRAIN.replace("THREADS", "3"))) == {"threads"}
    assert changes("import nnext as nn" + TRAIN.replace("THREADS", "1")) == {}


def test_import_brings_no_other_package_along() -> None:
    result = run_python(
        "import sys, numpy; before = set(sys.modules); import nnext; print(*sorted(set(sys.modules) - before))"
    )
    packages = {name.partition(".")[0] for name in result.stdout.split()}
    assert "nnext" in packages
    heavy = {
        "matplotlib",
        "pooch",
        "tqdm",
        "safetensors",
        "sklearn",
        "torch",
        "pandas",
        "pytest",
        "urllib",
        "multiprocessing",
    }
    assert not packages & heavy
    assert "nnext.datasets" not in result.stdout.split()
    assert "nnext.reference" not in result.stdout.split()
    assert "nnext.plot" not in result.stdout.split()


def test_import_and_training_warn_of_nothing() -> None:
    for options in (["-W", "error"], ["-W", "error", "-X", "dev"]):
        result = run_python("import numpy as np\nimport nnext as nn" + TRAIN.replace("THREADS", "2"), *options)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.skipif(not hasattr(sys, "_is_gil_enabled"), reason="this Python cannot be asked for its lock")
def test_the_core_has_pythons_lock() -> None:
    """A Python without one turns it on for a module that does not say that it does without."""
    result = run_python("import sys\nimport nnext\nprint(sys._is_gil_enabled())", "-W", "ignore")
    assert result.stdout == "True\n", result.stderr


def test_import_leaves_no_file_and_can_be_repeated(tmp_path: pathlib.Path) -> None:
    code = "import importlib, os\nos.chdir({})\nimport nnext\nimportlib.reload(nnext).MLP([2, 1]).summary()"
    result = run_python(code.format(repr(str(tmp_path))))
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.resources
def test_the_package_is_small_and_typed() -> None:
    files = [file for file in FOLDER.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert sum(file.stat().st_size for file in files) < 6_200_000  # 0.7 MB of them symbols, which pip strips
    names = {file.relative_to(FOLDER).as_posix() for file in files}
    assert {"py.typed", internals.STUBS, "data/digits.npz"} <= names
    assert (FOLDER / "data" / "digits.npz").stat().st_size < 100_000


def test_the_version_is_the_projects() -> None:
    project = pathlib.Path(__file__).parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == nn.__version__
