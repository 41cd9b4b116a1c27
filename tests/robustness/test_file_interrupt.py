"""Ctrl-C while a model is saved or loaded: the file stays whole, the model works, and nobody waits."""

import hashlib
import io
import os
import pathlib
from typing import Any

import pytest

import nnext as nn
from support import run_python

MB = 2**20

# A signal at many moments of a call, each a little later than the one before.
INTERRUPTED = """
import os, signal, time
import numpy as np
import nnext as nn

models = []
for seed in range(2):
    models.append(nn.MLP([60, 50, 10], seed=seed))
    models[-1].compile("mse", "adam")
known = [model.state_dict() for model in models]
start = time.monotonic()
for _ in range(5):
    models[0].save(PATH)
    nn.load(PATH)
both = (time.monotonic() - start) / 5  # on this machine, as busy as it is

def interrupted(call, after):
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        while True:
            call()
    except KeyboardInterrupt:
        pass

def interrupt(*_):
    raise KeyboardInterrupt

def same(a, b):
    return all((a[name] == b[name]).all() for name in a)

signal.signal(signal.SIGALRM, interrupt)
calls = [lambda: models[1].save(PATH), lambda: models[0].save(PATH), lambda: nn.load(PATH)]
seen = set()
for i in range(100):
    interrupted(calls[i % 3], both * (i + 1) / 50)
    seen.add([same(nn.load(PATH).state_dict(), state) for state in known].index(True))
    for model, state in zip(models, known):
        assert same(model.state_dict(), state)
assert seen == {0, 1}
"""


def test_interruptions_at_all_moments_leave_a_whole_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m"
    result = run_python(INTERRUPTED.replace("PATH", repr(str(path))))
    assert result.returncode == 0, result.stderr
    nn.MLP([2, 2]).save(path)  # which removes what interruptions may have left
    assert os.listdir(tmp_path) == ["m"]


class Sha:
    """SHA-256 that remembers the largest part it was given."""

    largest = 0

    def __init__(self, data: Any = b"") -> None:
        self.sha = SHA256(data)

    def hexdigest(self) -> str:
        return self.sha.hexdigest()

    def update(self, data: Any) -> None:
        Sha.largest = max(Sha.largest, len(data))
        self.sha.update(data)


class Parts(io.RawIOBase):
    """A file that remembers the largest part it was given."""

    largest = 0
    whole = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.largest = max(self.largest, len(data))
        self.whole += bytes(data)
        return len(data)


SHA256 = hashlib.sha256


def test_signals_are_heard_after_every_megabyte(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "sha256", Sha)
    model = nn.Sequential(nn.Linear(1000, 1000))
    file = Parts()
    model.save(file)
    assert len(file.whole) > 3 * MB
    assert 0 < file.largest <= MB
    path, read = tmp_path / "m", []
    path.write_bytes(file.whole)
    readinto = io.FileIO.readinto

    class Reads(io.FileIO):
        def readinto(self, buffer: Any, /) -> int:
            read.append(len(buffer))
            return readinto(self, buffer)

    monkeypatch.setattr("builtins.open", lambda path, mode, buffering, opener: Reads(path, mode, opener=opener))
    assert nn.load(path).layers == model.layers
    assert 0 < max(read) <= MB
    assert sum(read) > 3 * MB
    assert 0 < Sha.largest <= MB
