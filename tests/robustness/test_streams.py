"""Progress is shown where it can be: a stream that is absent, closed, broken or full costs nobody a training."""

import errno
import io
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnext as nn
import nnext.cli
from support import assert_same_bits, environment, run_python

VERBOSE = ["auto", 0, 1, 2, False]


class Only:
    """A stream with these methods and no others."""

    def __init__(self, **methods: Callable[..., Any]) -> None:
        vars(self).update(methods)


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


def detached() -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    stream.detach()
    return stream


def yes() -> bool:
    return True


FULL = OSError(errno.ENOSPC, "No space left on device")
STREAMS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "closed": closed,
    "detached": detached,
    "without any method": Only,
    "with write alone": lambda: Only(write=len),
    "without flush": lambda: Only(write=len, isatty=yes),
    "without isatty": lambda: Only(write=len, flush=lambda: None),
    "broken pipe": lambda: Only(write=failing(BrokenPipeError()), flush=failing(BrokenPipeError()), isatty=yes),
    "full disk": lambda: Only(write=failing(FULL), flush=failing(FULL), isatty=yes),
    "full at last": lambda: Only(write=len, flush=failing(FULL), isatty=yes),
    "a window that is gone": lambda: Only(write=failing(RuntimeError("deleted")), isatty=failing(RuntimeError())),
    "no device": lambda: Only(write=len, flush=lambda: None, isatty=failing(OSError()), fileno=failing(OSError())),
    "ascii": lambda: io.TextIOWrapper(io.BytesIO(), encoding="ascii"),
    "latin-1": lambda: io.TextIOWrapper(io.BytesIO(), encoding="latin-1"),
    "no encoding of ours": lambda: Only(write=failing(UnicodeEncodeError("x", "Ω", 0, 1, "no")), isatty=yes),
}


def Ωmetric(y_true: Any, y_pred: Any) -> float:  # noqa: N802  # whose name many an encoding lacks
    return 0.5


def trained(verbose: Any) -> dict[str, Any]:
    model = nn.MLP([3, 4, 2])
    model.compile("cross_entropy", metrics=[Ωmetric])
    X = np.linspace(-1, 1, 192).reshape(64, 3)
    history = model.fit(X, X[:, 0] > 0, epochs=3, verbose=verbose)
    assert history.stop_reason == "all epochs done"
    return model.state_dict()


@pytest.mark.parametrize("verbose", VERBOSE)
@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("which", [("stdout",), ("stderr",), ("stdout", "stderr")], ids="+".join)
def test_a_fit_trains_whatever_becomes_of_its_progress(
    which: tuple[str, ...], name: str, verbose: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trained(0)
    for stream in which:
        monkeypatch.setattr(sys, stream, STREAMS[name]())
    state = trained(verbose)
    monkeypatch.undo()
    assert_same_bits(state, expected)


SHOWS: dict[str, Callable[[], object]] = {
    "summary": lambda: nn.MLP([3, 4, 2]).summary(),
    "show_config": nn.runtime.show_config,
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("call", SHOWS)
def test_what_prints_needs_no_stream(call: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, STREAMS[name]())
    SHOWS[call]()


WARN = """
import io, sys
import nnext as nn
class Broken:
    def write(self, text):
        raise RuntimeError("deleted")
model, closed = nn.MLP([3, 4, 2]), io.StringIO()
model.compile("cross_entropy", metrics=[lambda y_true, y_pred: 0.5])
closed.close()
before = sys.stderr
for sys.stderr in (None, closed, Broken(), object()):
    model.save(io.BytesIO())  # warns: the file does not hold the function
sys.stderr = before
"""


def test_a_warning_needs_no_stream() -> None:
    result = run_python(WARN, "-W", "always::UserWarning")
    assert (result.returncode, result.stderr) == (0, "")
    assert run_python(WARN, "-W", "error::UserWarning").returncode == 1  # who wants errors gets them


def test_a_demo_needs_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, None)
    assert nnext.cli.main(["demo", "--epochs", "1", "--no-plot"]) == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize(("verbose", "stream"), [(1, "stderr"), (2, "stdout")])
def test_what_an_encoding_lacks_is_shown_by_escapes(
    encoding: str, verbose: int, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, stream, io.TextIOWrapper(shown, encoding=encoding))
    trained(verbose)
    text = shown.getvalue().decode(encoding)
    assert "3/3" in text
    assert "\\u03a9metric 0.5" in text


def test_ctrl_c_is_heard_while_progress_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    for verbose, stream in ((1, "stderr"), (2, "stdout")):
        monkeypatch.setattr(sys, stream, Only(write=interrupt))
        with pytest.raises(KeyboardInterrupt):
            trained(verbose)


# ---- processes ------------------------------------------------------------------------------------------------------

# What a shell does with the streams; DEAD is a pipe that nobody reads.
REDIRECTIONS = [">&-", "2>&-", ">&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>&1", ">&DEAD", ">&DEAD 2>&1"]

# The file tells what was trained, since the streams may not.
TRAIN = """
import sys
import nnext as nn
with open(sys.argv[1], "w") as out:
    for verbose in ("auto", 0, 1, 2):
        model = nn.MLP([3, 4, 2])
        model.compile("cross_entropy")
        model.fit([[0, 1, 2], [2, 1, 0]], [0, 1], epochs=50, verbose=verbose)
        model.summary()
        nn.runtime.show_config()
        print(verbose, model.history.stop_reason, file=out)
"""


def run(redirections: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with its streams redirected."""
    unread, dead = os.pipe()
    os.close(unread)
    try:
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirections.replace("DEAD", "0")}', "sh", sys.executable, *arguments],
            env=environment(),
            stdin=dead,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    finally:
        os.close(dead)


@pytest.mark.parametrize("redirections", REDIRECTIONS)
def test_a_process_trains_with_its_streams_closed_full_or_broken(redirections: str, tmp_path: pathlib.Path) -> None:
    run(redirections, "-c", TRAIN, str(tmp_path / "trained"))
    trained = (tmp_path / "trained").read_text().splitlines()
    assert trained == [f"{verbose} all epochs done" for verbose in VERBOSE[:-1]]


@pytest.mark.parametrize("command", ["info", "demo --epochs 1 --no-plot", "nonsense"])
@pytest.mark.parametrize("redirections", REDIRECTIONS)
def test_a_command_ends_with_a_code_that_says_whether_its_output_was_lost(redirections: str, command: str) -> None:
    result = run(redirections, "-m", "nnext", *command.split())
    lost = redirections.startswith((">/", ">&D"))
    assert result.returncode == (2 if command == "nonsense" else int(lost))
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr
    if redirections == ">/dev/full" and command != "nonsense":
        assert result.stderr == "[nnext] the output is lost: [Errno 28] No space left on device\n"
