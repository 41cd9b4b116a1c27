"""Each allocation of an operation fails in turn: a MemoryError, the model as it was. All of them: nox -s oom."""

import re
import subprocess
import sys

import pytest

from oom import failing
from support import environment

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD"),
    pytest.mark.skipif(failing.COMPILER is None, reason="needs a C compiler"),
    pytest.mark.resources,
]


def search(*arguments: str) -> str:
    """Search a few operations and return what was printed."""
    command = [sys.executable, "-m", "oom", *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("way", ["one", "from then on"])
def test_allocations_of_the_core(way: str) -> None:
    said = search("--way", way, "--most", "15", "fit", "compile adam", "freeze beside a slice", "slice", "predict")
    assert re.search(r"oom: 5 operations, \d\d allocations failed in turn, 0 wrong", said), said


def test_allocations_of_python_too() -> None:
    said = search("--way", "everywhere", "--most", "15", "compile sgd", "load_state_dict")
    assert re.search(r"oom: 2 operations, \d\d allocations failed in turn, 0 wrong", said), said


def test_the_search_finds_a_change_that_is_half_done() -> None:
    """A call that lets the core change before it allocates once more."""
    said = subprocess.run(
        [sys.executable, "-m", "oom", "--way", "one", "(half done)"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.returncode == 1
    assert "the model is changed" in said.stdout
