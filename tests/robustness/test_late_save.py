"""A model is saved and read after hours of training: when nothing can be imported any more, or hardly a file opened."""

import pathlib
import sys

import pytest

from support import run_python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits the open files")

BEGIN = """
import io, os, resource, sys
import numpy as np
import nnext as nn

X, Y = np.ones((8, 4), "float32"), np.arange(8) % 2
model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
model.compile("cross_entropy", metrics=["accuracy"])
"""

NO_IMPORTS = """
import copy
class Refuse:
    def find_spec(self, name, path=None, target=None):
        raise ImportError(f"{name} was on a disk that is no longer there")

before = set(sys.modules)
sys.meta_path.insert(0, Refuse())
model.save(PATH)
model.fit(X, Y, epochs=2, verbose=0, callbacks=[nn.ModelCheckpoint(PATH)])
model.save(file := io.BytesIO())
again = nn.load(PATH)
assert (again.predict(X) == model.predict(X)).all()
again.fit(X, Y, epochs=3, resume_from=PATH, verbose=0)
copy.deepcopy(model)
assert set(sys.modules) == before, set(sys.modules) - before
"""

NO_DESCRIPTORS = """
free = os.dup(0)
os.close(free)

def limit(spare):
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + spare, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

limit(2)  # the file and its folder
model.save(PATH)
for spare in (0, 1):
    limit(spare)
    try:
        nn.MLP([2, 2], seed=1).save(PATH)
    except OSError as error:
        assert error.filename == PATH, error
    else:
        raise AssertionError("there was a file descriptor")
limit(1)
assert nn.load(PATH).seed == 0
assert os.path.exists(PATH)
"""


@pytest.mark.parametrize("code", [NO_IMPORTS, NO_DESCRIPTORS], ids=["no imports", "no descriptors"])
def test_after_compile_save_and_load_need_nothing_more(tmp_path: pathlib.Path, code: str) -> None:
    result = run_python((BEGIN + code).replace("PATH", repr(str(tmp_path / "m"))))
    assert result.returncode == 0, result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["m"]
