"""A model file is the old one or the new one, whole, whatever happens to the process that saves."""

import os
import pathlib

import pytest

import nnext as nn
from support import run_python

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")

# Children save two models in turn until they are killed, each at another moment of a save.
KILL = """
import os, pathlib, random, signal, time
import numpy as np
import nnext as nn

folder = pathlib.Path(FOLDER)
path = folder / "m.safetensors"
models = [nn.MLP([100, 150, 10], seed=seed) for seed in range(2)]
known = [b"".join(array.tobytes() for array in model.state_dict().values()) for model in models]
start = time.monotonic()
for _ in range(5):
    models[0].save(path)
two_saves = (time.monotonic() - start) / 5 * 2  # of this machine, as busy as it is
seen, unfinished = set(), 0
random.seed(0)
end = time.monotonic() + 4
for i in range(200):
    child = os.fork()
    if child == 0:
        while True:
            for model in models:
                model.save(path)
    time.sleep(random.uniform(0, 0.01 + 2 * two_saves))  # the process has to begin as well
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    state = nn.load(path).state_dict()
    seen.add(known.index(b"".join(array.tobytes() for array in state.values())))
    left = set(os.listdir(folder)) - {path.name}
    assert all(name.startswith(".nnext-") and name.endswith(".tmp") for name in left), left
    assert len(left) <= 1, left  # that of this child: each removes those of others
    unfinished += len(left)
    if time.monotonic() > end and seen == {0, 1} and unfinished:
        break
assert seen == {0, 1} and unfinished > 0, (seen, unfinished, i)
"""


def test_kill_during_save_leaves_a_whole_file(tmp_path: pathlib.Path) -> None:
    result = run_python(KILL.replace("FOLDER", repr(str(tmp_path))))
    assert result.returncode == 0, result.stderr


FULL = """
import resource, signal
import nnext as nn
path = PATH
before = open(path, "rb").read()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    nn.MLP([100, 150, 10], seed=5).save(path)
except OSError:
    pass
else:
    raise AssertionError("no OSError")
assert open(path, "rb").read() == before
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "m.safetensors"
    nn.MLP([100, 150, 10]).save(path)
    result = run_python(FULL.replace("PATH", repr(str(path))))
    assert result.returncode == 0, result.stderr
    assert os.listdir(tmp_path) == [path.name]


def test_an_interruption_leaves_the_old_file_and_nothing_else(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.safetensors"
    model = nn.MLP([4, 3, 2])
    model.save(path)
    before = path.read_bytes()
    for function in ("fsync", "replace"):
        with monkeypatch.context() as patch:

            def interrupt(*_: object) -> None:
                raise KeyboardInterrupt

            patch.setattr(os, function, interrupt)
            with pytest.raises(KeyboardInterrupt):
                nn.MLP([4, 3, 2], seed=1).save(path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == [path.name]


def test_permissions_are_those_of_the_old_file_or_of_any_new_one(tmp_path: pathlib.Path) -> None:
    model, path = nn.MLP([4, 3, 2]), tmp_path / "m.safetensors"
    before = os.umask(0o027)
    try:
        model.save(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    model.save(path)
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_link_stays_one(tmp_path: pathlib.Path) -> None:
    (tmp_path / "models").mkdir()
    target, link = tmp_path / "models" / "m.safetensors", tmp_path / "link"
    nn.MLP([4, 3, 2]).save(target)
    link.symlink_to(target)
    nn.MLP([4, 3, 2], seed=1).save(link)
    assert link.is_symlink()
    assert not target.is_symlink()
    assert nn.load(target).seed == 1
