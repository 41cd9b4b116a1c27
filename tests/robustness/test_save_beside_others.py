"""What saves do to each other: a killed one leaves a file to the next, and two at once leave one whole file."""

import contextlib
import errno
import fcntl
import os
import pathlib
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

import nnext as nn
from support import environment

MODEL = nn.MLP([4, 3, 2])


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Name a file that is not there, in a folder of its own."""
    return tmp_path / "m.safetensors"


# Saves into a file of its own in the folder, and stops, or dies, when half of it is written.
HALFWAY = """
import os, signal, sys
import nnext as nn
path, dies = sys.argv[1], sys.argv[2] == "dies"
fsync = os.fsync

def stop(descriptor):
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    print("written", flush=True)
    sys.stdin.readline()
    fsync(descriptor)

os.fsync = stop
nn.MLP([4, 3, 2], seed=7).save(path)
"""


@contextlib.contextmanager
def saving(path: pathlib.Path, end: str) -> Iterator[subprocess.Popen[str]]:
    """Let another process save up to the moment before the file has its name."""
    command = [sys.executable, "-c", HALFWAY, str(path), end]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == ("" if end == "dies" else "written\n")
        yield process


def temporaries(folder: pathlib.Path) -> set[str]:
    return {name for name in os.listdir(folder) if name.startswith(".nnext-")}


def test_what_a_killed_save_leaves_the_next_one_removes(path: pathlib.Path) -> None:
    with saving(path, "dies"):
        pass
    assert len(temporaries(path.parent)) == 1
    MODEL.save(path.parent / "another")
    assert os.listdir(path.parent) == ["another"]


def test_what_another_process_is_writing_stays(path: pathlib.Path) -> None:
    with saving(path, "lives") as process:
        written = temporaries(path.parent)
        assert len(written) == 1
        for name in ("another", path.name):
            MODEL.save(path.parent / name)
        assert temporaries(path.parent) == written
        process.communicate("go on\n")
    assert process.returncode == 0
    assert nn.load(path).seed == 7
    assert temporaries(path.parent) == set()


def test_what_is_no_temporary_file_of_a_save_stays(path: pathlib.Path) -> None:
    others = [".nnext-x", "x.tmp", ".nnext-"]
    for name in others:
        (path.parent / name).touch()
    (path.parent / "target").touch()
    (path.parent / ".nnext-0.tmp").symlink_to("target")
    (path.parent / ".nnext-1.tmp").mkdir()
    os.mkfifo(path.parent / ".nnext-2.tmp")
    before = set(os.listdir(path.parent))
    MODEL.save(path)
    assert set(os.listdir(path.parent)) == before | {path.name}


def test_without_locks_files_are_saved_and_nothing_is_removed(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    (path.parent / ".nnext-0.tmp").touch()
    monkeypatch.setattr(fcntl, "flock", fail)
    MODEL.save(path)
    assert nn.load(path).layers == MODEL.layers
    assert temporaries(path.parent) == {".nnext-0.tmp"}


def test_a_temporary_file_that_is_taken_for_an_old_one_is_made_anew(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another save comes between the file and its lock."""
    lock, meanwhile = fcntl.flock, [lambda: nn.MLP([2, 2], seed=3).save(path.parent / "another")]

    def lock_late(descriptor: int, how: int) -> None:
        if meanwhile:
            meanwhile.pop()()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    MODEL.save(path)
    assert nn.load(path).layers == MODEL.layers
    assert nn.load(path.parent / "another").seed == 3
    assert temporaries(path.parent) == set()


# ---- Two at the same time -------------------------------------------------------------------------------------------


def test_saves_into_one_path_from_threads_leave_one_whole_file(path: pathlib.Path) -> None:
    models = [nn.MLP([30, 20 + i], seed=i) for i in range(4)]
    for model in models:
        model.compile("mse")
    failed = []

    def save(model: nn.Sequential) -> None:
        try:
            for _ in range(20):
                model.save(path)
                assert nn.load(path).seed in range(4)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=save, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert os.listdir(path.parent) == [path.name]


def test_saves_into_one_path_from_processes_leave_one_whole_file(path: pathlib.Path) -> None:
    with saving(path, "lives") as first, saving(path, "lives") as second:
        MODEL.save(path)
        for process in (second, first):
            process.communicate("go on\n")
            assert process.returncode == 0
            assert nn.load(path).seed == 7
    assert os.listdir(path.parent) == [path.name]
