"""What a model remembers beside its network is kept by files and copies, checked."""

import copy
import pathlib
import pickle
from typing import Any

import numpy as np
import pytest

import nnext as nn
from support import model_metadata


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Name a file that is not there."""
    return tmp_path / "m.safetensors"


NOTES: dict[str, tuple[str, Any, Any]] = {  # its name, what it is, what it is after load
    "scale": ("scale", 1 / 255, 1 / 255),
    "a whole scale": ("scale", 2, 2.0),
    "classes": ("classes", ["cat", "dog"], ["cat", "dog"]),
    "classes in an array": ("classes", np.array(["cat", "dög"]), ["cat", "dög"]),
    "numbers": ("classes", np.array([3, -7]), [3, -7]),
    "decision": ("decision", {"threshold": 0.25, "multilabel": False}, {"threshold": 0.25, "multilabel": False}),
}


@pytest.mark.parametrize("name", NOTES)
def test_a_note_is_kept(path: pathlib.Path, name: str) -> None:
    note, value, expected = NOTES[name]
    model = nn.MLP([2, 2])
    model.notes[note] = value
    model.save(path)
    assert model_metadata(path)[note] == expected
    found = nn.load(path).notes
    assert (type(found[note]), found) == (type(expected), {note: expected})
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (type(twin.notes[note]), str(twin.notes)) == (type(value), str(model.notes))
        assert twin.notes is not model.notes


def test_a_model_without_notes_has_none_in_its_file(path: pathlib.Path) -> None:
    model = nn.MLP([2, 2])
    model.notes["scale"] = None
    model.save(path)
    assert not {"scale", "classes", "decision"} & model_metadata(path).keys()
    assert nn.load(path).notes == {}


@pytest.mark.parametrize(
    ("note", "value"),
    [("scale", np.nan), ("scale", 0), ("scale", "1"), ("classes", ["a", 1]), ("classes", np.array([1.5])),
     ("classes", {"a": 1}), ("decision", {"a": object()}), ("decision", {"a": np.nan}), ("decision", 3),
     ("colour", "red")],
)  # fmt: skip
def test_one_that_no_file_can_hold_is_refused(path: pathlib.Path, note: str, value: Any) -> None:
    model = nn.MLP([2, 2])
    model.notes[note] = value
    with pytest.raises(ValueError, match=r"\[save\] no file can hold the model"):
        model.save(path)
    assert not path.exists()
