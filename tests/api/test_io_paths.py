"""Model files on the disk and in memory: how one is replaced, and what may be given in place of a plain path."""

import io
import os
import pathlib
import stat
from typing import Any

import numpy as np
import pytest

import nnext as nn
from internals import training_state
from support import assert_same_bits, run_python


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Name a file that is not there."""
    return tmp_path / "m.safetensors"


def some_model(optimizer: str = "adam") -> nn.Sequential:
    model = nn.MLP([5, 6, 2])
    model.compile("cross_entropy", optimizer)
    model.fit(np.linspace(-1, 1, 20).reshape(4, 5), [0, 1, 1, 0], verbose=0)
    return model


# ---- The file on the disk -------------------------------------------------------------------------------------------


def test_a_file_is_replaced_as_a_whole(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = some_model(), some_model("sgd")
    first.save(path)
    content = path.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError("no space left on the device")

    for function in ("fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, function, fail)
            with pytest.raises(OSError, match="no space left"):
                second.save(path)
        assert path.read_bytes() == content
        assert os.listdir(path.parent) == [path.name]  # nothing temporary stays
    second.save(path)
    assert nn.load(path).optimizer.name == "sgd"


def test_a_file_keeps_its_mode_and_a_new_one_gets_the_usual(path: pathlib.Path) -> None:
    some_model().save(path)
    usual = path.parent / "usual"
    usual.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    path.chmod(0o640)
    some_model().save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


# ---- What is given in place of a plain path --------------------------------------------------------------------------


def test_a_file_object_takes_and_gives_the_bytes_of_a_file(path: pathlib.Path) -> None:
    model, file = some_model(), io.BytesIO()
    model.save(file)
    model.save(path)
    assert file.getvalue() == path.read_bytes()
    with open(path.parent / "other", "wb") as other:
        other.write(b"before")
        model.save(other)
    assert (path.parent / "other").read_bytes() == b"before" + path.read_bytes()
    file.seek(0)
    with open(path, "rb") as opened:
        for again in (nn.load(file), nn.load(opened)):
            assert_same_bits(training_state(again), training_state(model))


class Piecewise(io.RawIOBase):
    """A file that takes a few bytes at once, as a pipe may, and then no more."""

    def __init__(self, room: int) -> None:
        self.taken, self.room = b"", room

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int | None:
        part = bytes(data[: min(1000, self.room - len(self.taken))])
        self.taken += part
        return len(part) or None


class Silent:
    """A file as people write one: it does not say how many bytes it took."""

    taken = b""

    def write(self, data: Any) -> None:
        self.taken += bytes(data)


def test_a_file_object_gets_every_byte_or_the_caller_an_error() -> None:
    model, whole = some_model(), io.BytesIO()
    model.save(whole)
    for file in (Piecewise(10**6), Silent()):
        model.save(file)
        assert file.taken == whole.getvalue()
    with pytest.raises(BlockingIOError):
        model.save(Piecewise(1500))


@pytest.mark.parametrize("file", [3, None, b"m.safetensors", io.StringIO(), object()])
def test_what_is_neither_a_path_nor_a_file_for_bytes_is_refused(file: Any) -> None:
    with pytest.raises(TypeError, match=r"^\[save\] the file is .*; give a path, or a file that is open for bytes"):
        some_model().save(file)
    with pytest.raises(TypeError, match=r"^\[load\] the file is .*; give a path, or a file that is open for bytes"):
        nn.load(file)


def test_the_same_model_has_the_same_bytes() -> None:
    files = [io.BytesIO() for _ in range(10)]
    for file in files:
        some_model().save(file)
    assert len({file.getvalue() for file in files}) == 1


def test_a_tilde_is_the_home_folder(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(path.parent))
    nn.MLP([2, 1], seed=5).save("~/m.safetensors")
    assert path.is_file()
    assert nn.load(pathlib.Path("~/m.safetensors")).seed == 5


PATHS = {
    "a folder that is not there": ("absent/m.safetensors", FileNotFoundError),
    "a folder": (".", IsADirectoryError),
    "a file as a folder": ("file/m.safetensors", NotADirectoryError),
    "a name that is too long": ("m" * 300, OSError),
    "a device": ("/dev/null", OSError),
}


@pytest.mark.parametrize("kind", [str, pathlib.Path])
@pytest.mark.parametrize("name", PATHS)
def test_an_error_names_the_path_that_was_given(path: pathlib.Path, name: str, kind: type) -> None:
    (path.parent / "file").touch()
    end, expected = PATHS[name]
    given = kind(f"{path.parent}/{end}" if end != "/dev/null" else end)
    for call in (some_model().save, nn.load):
        with pytest.raises(expected) as caught:
            call(given)
        assert caught.value.filename == str(given)
        assert caught.value.filename2 is None
        assert ".nnext-" not in str(caught.value)
    assert os.listdir(path.parent) == ["file"]


FORBIDDEN = """
import io, os
import nnext as nn
model = nn.MLP([2, 1])
model.save(io.BytesIO())  # all that there is to import
calls = (model.save, nn.load)
if os.geteuid() == 0:  # root may do everything
    os.seteuid(65534)
for call in calls:
    try:
        call(PATH)
    except PermissionError as error:
        assert error.filename == PATH, error
    else:
        raise AssertionError(call)
"""


def test_a_folder_that_is_forbidden_is_named(path: pathlib.Path) -> None:
    some_model().save(path)
    path.parent.chmod(0)
    try:
        result = run_python(FORBIDDEN.replace("PATH", repr(str(path))))
    finally:
        path.parent.chmod(0o700)
    assert result.returncode == 0, result.stderr
