"""What a save replaces, and what it leaves alone; whether it says the truth about what it did."""

import contextlib
import errno
import os
import pathlib
import socket
import stat
import tempfile
from collections.abc import Callable
from typing import Any

import pytest

import nnext as nn
from support import run_python

MODEL = nn.MLP([4, 3, 2])


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Name a file that is not there, in a folder of its own."""
    return tmp_path / "m.safetensors"


# ---- What is no regular file ----------------------------------------------------------------------------------------


def make_socket(path: pathlib.Path) -> None:
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as made:  # whose paths must be short
        made.bind(path.name)


OTHERS: dict[str, Callable[[pathlib.Path], Any]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a socket": make_socket,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a folder": lambda path: path.symlink_to(path.parent),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "links in a circle": lambda path: (path.symlink_to("other"), (path.parent / "other").symlink_to(path.name)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_regular_file_is_refused_at_once_and_stays(path: pathlib.Path, name: str) -> None:
    OTHERS[name](path)
    before = os.lstat(path)
    names = sorted(os.listdir(path.parent))
    for call in (MODEL.save, nn.load):
        with pytest.raises(OSError, match=path.name) as caught:
            call(path)
        assert caught.value.filename == str(path)
    after = os.lstat(path)
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    assert sorted(os.listdir(path.parent)) == names


def test_a_folder_that_is_not_there_is_no_file(path: pathlib.Path) -> None:
    with pytest.raises(IsADirectoryError):
        MODEL.save(f"{path.parent}/models/")
    assert os.listdir(path.parent) == []


def test_a_link_that_leads_nowhere_leads_to_the_file_then(path: pathlib.Path) -> None:
    path.symlink_to("there")
    MODEL.save(path)
    assert path.is_symlink()
    assert stat.S_ISREG(os.lstat(path.parent / "there").st_mode)
    assert nn.load(path).layers == MODEL.layers
    (path.parent / "there").unlink()
    path.unlink()
    path.symlink_to("absent/there")
    with pytest.raises(FileNotFoundError):
        MODEL.save(path)


def test_a_device_that_is_open_takes_the_bytes() -> None:
    with open(os.devnull, "wb") as file:
        MODEL.save(file)


# ---- Folders that may not be read, or do not last --------------------------------------------------------------------

UNREADABLE = """
import io, os
import nnext as nn
nn.MLP([2, 2]).save(io.BytesIO())  # all that there is to import
if os.geteuid() == 0:  # root may do everything
    os.seteuid(65534)
try:
    os.listdir(os.path.dirname(PATH))
except PermissionError:
    pass
else:
    raise AssertionError("the folder can be read")
for seed in (1, 2):
    nn.MLP([2, 2], seed=seed).save(PATH)
    assert nn.load(PATH).seed == seed
"""


def test_a_folder_that_may_be_written_but_not_read() -> None:
    with tempfile.TemporaryDirectory() as folder:  # not pytest's, through which root alone gets
        os.chmod(folder, 0o333)
        result = run_python(UNREADABLE.replace("PATH", repr(os.path.join(folder, "m"))))
        os.chmod(folder, 0o700)
        assert os.listdir(folder) == ["m"]
    assert result.returncode == 0, result.stderr


def test_an_error_after_the_file_is_replaced_says_that_it_is(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MODEL.save(path)

    def fail(number: int) -> Callable[[int], None]:
        def sync(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(number, os.strerror(number))

        return sync

    monkeypatch.setattr(os, "fsync", fail(errno.EINVAL))  # of a file system that knows no such thing
    nn.MLP([4, 3, 2], seed=1).save(path)
    assert nn.load(path).seed == 1
    monkeypatch.setattr(os, "fsync", fail(errno.EIO))
    with pytest.raises(
        OSError, match="the file has been replaced, but a power cut may bring the old one back"
    ) as caught:
        nn.MLP([4, 3, 2], seed=2).save(path)
    assert caught.value.filename == str(path)
    assert nn.load(path).seed == 2
